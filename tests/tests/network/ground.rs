//! A counter whose way to central goes through a gate, and what must hold at its end.

use app::Kiosk;
use app::contract::{BirthFields, DateView, DraftFields};
use axum::http::request::Parts;
use domain::code::FollowUpCode;
use journeys::counter::Counter;
use journeys::programs::WAIT;
use journeys::tls;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use sim::tcp_gate::{Behaviour, TcpGate};
use sqlx::Row;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub struct Ground {
    pub counter: Counter,
    pub gate: TcpGate,
    pub pool: central::Pool,
}

impl Ground {
    pub async fn start() -> Self {
        Self::with_scanner(None).await
    }

    pub async fn with_scanner(scanner: Option<String>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let counter = Counter::start(scanner, None).await.unwrap();
        counter.allow_many().await.unwrap();
        let gate = TcpGate::open(counter.own.address).unwrap();
        let pool = central::connect(&counter.pool_url).await.unwrap();
        Self { counter, gate, pool }.reopen().await
    }

    pub fn kiosk(&self) -> &Kiosk {
        &self.counter.kiosk
    }

    /// The kiosk's program ended and started again, asking through the gate.
    pub async fn reopen(self) -> Self {
        let Self { counter, gate, pool } = self;
        let ca = counter.folder.path().join(tls::CA);
        Self { counter: counter.asking(&gate.url(), &ca).await.unwrap(), gate, pool }
    }

    /// The way is open again, and has been used: a first question may still find the
    /// connection that was ended.
    pub async fn heal(&self) {
        self.gate.set(Behaviour::Pass);
        let _ = self.kiosk().exchange().await;
        self.kiosk().exchange().await.unwrap();
    }

    /// Another central, from now on.
    pub async fn turn_to(&self, central: SocketAddr) {
        self.gate.lead_to(central);
        let _ = self.kiosk().exchange().await;
        self.kiosk().exchange().await.unwrap();
    }

    /// How many slots central lends.
    pub async fn lend(&self, slots: i16) {
        sqlx::query("UPDATE site SET lease_slots = $1").bind(slots).execute(&self.pool).await.unwrap();
    }

    /// One person, from the first field to the date on the screen.
    pub async fn register(&self) -> DateView {
        let visit = self.draft().await;
        self.kiosk().confirm(&visit).await.unwrap()
    }

    /// One person, up to the last touch before the date.
    pub async fn draft(&self) -> String {
        let visit = self.kiosk().start_visit("fr").await.unwrap().visit;
        let view = self.kiosk().save_draft(&visit, person()).await.unwrap();
        assert_eq!(view.problems, [], "nothing stands in the way");
        visit
    }

    /// After an exchange everything is applied, and central has exactly the dates the
    /// papers have: one slot each, and no slot more.
    pub async fn ends_with_what_was_printed(&self) {
        self.heal().await;
        // A rank's date comes back as a record of its own.
        self.kiosk().exchange().await.unwrap();
        let status = self.kiosk().status().await.unwrap();
        for state in ["waiting", "held", "set_aside"] {
            assert_eq!(status["journal"][state], 0, "{state}: {}", status["journal"]);
        }
        let papers: BTreeMap<u64, String> = status["registrations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|paper| {
                let code = FollowUpCode::parse(paper["code"].as_str().unwrap()).unwrap();
                (code.to_bits(), paper["slot"].as_str().unwrap_or_default().to_owned())
            })
            .collect();
        assert_eq!(self.given().await, papers);
        self.kiosk().check_vault().await.unwrap();
    }

    /// The slots central says each follow-up code has.
    pub async fn given(&self) -> BTreeMap<u64, String> {
        given(&self.pool).await
    }

    pub fn ca(&self) -> PathBuf {
        self.counter.folder.path().join(tls::CA)
    }
}

/// Waits until it is so, 20 s at most.
pub async fn until(what: &str, so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(WAIT, waiting).await.expect(what);
}

/// One whole request of raw bytes over TLS, on a connection of its own: status and body.
pub async fn raw(address: SocketAddr, tls: &TlsConnector, request: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
    let mut stream = tls.connect(name, stream).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    match (status, end) {
        (Some(status), Some(end)) => Ok((status, answer[end + 4..].to_vec())),
        _ => Err(std::io::Error::other("no answer")),
    }
}

/// A request as bytes, ending its connection.
pub fn bytes(parts: &Parts, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", parts.method, parts.uri).into_bytes();
    for (name, value) in &parts.headers {
        if !["content-length", "connection", "host"].contains(&name.as_str()) {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
    }
    let end = format!("host: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    bytes.extend([end.as_bytes(), body].concat());
    bytes
}

/// A client that trusts this authority.
pub fn connector(ca: &Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// The slots central says each follow-up code has.
pub async fn given(pool: &central::Pool) -> BTreeMap<u64, String> {
    let rows = sqlx::query(
        "SELECT registration.code, coalesce(string_agg(slot.id::text, ' '), '') FROM registration \
         LEFT JOIN slot ON slot.registration = registration.id GROUP BY registration.code",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    rows.iter().map(|row| (row.get::<i64, _>(0) as u64, row.get(1))).collect()
}

pub fn person() -> DraftFields {
    DraftFields {
        lang: "fr".into(),
        family_names: "Diallo".into(),
        birth: BirthFields {
            day: "14".into(),
            month: "3".into(),
            year: "1991".into(),
            ..BirthFields::default()
        },
        nationality: "MLI".into(),
        procedure: "renewal".into(),
        ..DraftFields::default()
    }
}
