//! Central on a socket with many sites, and kiosks that sign and send by hand. Central and
//! kiosks share this process and its cores; TLS is left out.

use crate::programs::{Failure, fail};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use central::admin::SiteChange;
use central::keys::{CentralKeys, RING};
use central::lease_log::LeaseLog;
use central::{Central, Clock, Pool};
use domain::applicant::{Agdref, Applicant, Contact, Identity, Nationality};
use domain::birth::Birth;
use domain::bytes::{Hash, Salt};
use domain::code::FollowUpCode;
use domain::ids::{KioskId, MediatorId, RegistrationId, SiteId};
use domain::procedure::Procedure;
use domain::registration::Registration;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use seal::keys::{Context, Signer, sha256};
use seal::ring::KeyRing;
use serde_json::{Value, json};
use std::path::Path;
use wire::body::Body as Says;
use wire::record::{Header, Record};
use wire::request;

/// Largest answer read, in bytes.
const ANSWER_BYTES: usize = 32 << 20;

/// A central that answers, and how to reach it.
pub struct Ground {
    pub pool: Pool,
    pub clock: Clock,
    pub ring: KeyRing,
    address: String,
    client: Client<HttpConnector, Body>,
}

/// An answer: status and JSON (null when it is none).
pub struct Said {
    pub status: u16,
    pub json: Value,
}

impl Ground {
    /// Central on the migrated database at `url`, with `sites` sites open every day.
    pub async fn start(
        url: &str,
        folder: &Path,
        clock: Clock,
        sites: usize,
        log: bool,
    ) -> Result<Self, Failure> {
        let pool = central::connect(url).await?;
        central::migrate(&pool).await?;
        let random = central::system_random();
        central::keys::make(folder, clock(), &random)?;
        let from = clock().to_zoned(jiff::tz::TimeZone::UTC).date();
        for site in 0..sites {
            let id = site_name(site);
            let new = crate::device::site(&id, from);
            central::admin::site(&pool, &new).await?;
            // A few kiosks stand for a country's, and a year's people come within minutes.
            let many = Some(domain::busy::PER_HOUR_MAX);
            let change =
                SiteChange { per_hour_kiosk: many, per_hour_mediator: many, ..SiteChange::default() };
            central::admin::change_site(&pool, &id, &change, clock()).await?;
            let pattern = serde_json::from_value(json!({
                "weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "16:00:00", "every_minutes": 15,
                "from": from,
            }))?;
            let patterns = [pattern];
            for counter in ["A", "B"] {
                central::admin::counter(&pool, &id, counter, &patterns).await?;
            }
        }
        let keys = CentralKeys::load(folder)?;
        let ring = KeyRing::from_json(&std::fs::read(folder.join(RING))?).map_err(|_| fail("no key ring"))?;
        let mut central = Central::new(pool.clone(), keys, clock.clone(), random.clone()).await?;
        if log {
            central = central.following(LeaseLog::open(&folder.join("lease.log"), &random)?).await?;
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(async move { axum::serve(listener, central::router(central)).await });
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Ok(Self { pool, clock, ring, address, client })
    }

    /// Sends a signed request.
    pub async fn send(&self, signed: Signed) -> Result<Said, Failure> {
        let uri = format!("http://{}{}", self.address, signed.target);
        let mut request = Request::builder().method("POST").uri(uri);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let response = self.client.request(request.body(Body::from(signed.body))?).await?;
        let status = response.status().as_u16();
        let bytes = to_bytes(Body::new(response.into_body()), ANSWER_BYTES).await?;
        Ok(Said { status, json: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// A kiosk of the site of this number, enrolled with a key of its own.
    pub async fn kiosk(&self, site: usize) -> Result<Kiosk, Failure> {
        let mut seed = [0; 32];
        central::system_random()(&mut seed);
        let key = Signer::from_seed(&seed);
        let name = site_name(site);
        let code = central::admin::code(&self.pool, &name, (self.clock)(), &central::system_random()).await?;
        let code = code["code"].as_str().unwrap_or_default();
        let proof = key.sign(Context::Enrolment, code.as_bytes());
        let body = json!({ "code": code, "key": key.public(), "proof": proof }).to_string().into_bytes();
        let said = self.send(Signed { target: "/v1/enrol", headers: Vec::new(), body }).await?;
        let id = said.json["kiosk"].as_str().and_then(KioskId::parse).ok_or("not enrolled")?;
        let site = SiteId::parse(&name).ok_or("not a site")?;
        Ok(Kiosk { id, key, site, head: Hash([0; 32]), seq: 0, people: 0 })
    }
}

fn site_name(n: usize) -> String {
    format!("S{n}")
}

/// A request, ready to be sent.
pub struct Signed {
    target: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// An enrolled kiosk, the end of its chain, and how many people it has registered.
pub struct Kiosk {
    pub id: KioskId,
    key: Signer,
    pub site: SiteId,
    pub head: Hash,
    pub seq: u64,
    people: u64,
}

impl Kiosk {
    /// Signs a POST at this moment.
    pub fn sign(&self, at: Timestamp, target: &'static str, body: Vec<u8>) -> Signed {
        let message = request::message(self.id, "POST", target, &sha256(&[&body]), at);
        let headers = vec![
            (request::KIOSK, self.id.to_string()),
            (request::TIME, at.as_second().to_string()),
            (request::SIGNATURE, self.key.sign(Context::Request, &message).to_string()),
        ];
        Signed { target, headers, body }
    }

    /// The next record of this kiosk's chain.
    pub fn record(&mut self, says: &Says) -> Result<Record, Failure> {
        let body = serde_json::to_vec(says)?;
        let mut salt = Salt([0; 16]);
        central::system_random()(&mut salt.0);
        let header = Header {
            kiosk: self.id,
            incarnation: 1,
            seq: self.seq + 1,
            prev: self.head,
            kind: says.kind().to_owned(),
            schema: wire::body::SCHEMA,
            body_len: u32::try_from(body.len())?,
            body_hash: sha256(&[&salt.0, &body]),
        };
        let bytes = header.to_bytes();
        self.seq += 1;
        self.head = sha256(&[&bytes]);
        let signature = self.key.sign(Context::Record, &bytes);
        Ok(Record { header, signature, salt, body: body.into() })
    }

    /// A new person, with a document number and a whole birth date: central looks whether it
    /// knows them.
    pub fn person(&mut self, at: Timestamp) -> Result<Registration, Failure> {
        self.people += 1;
        let (mut id, mut code) = ([0; 16], [0; 8]);
        central::system_random()(&mut id);
        central::system_random()(&mut code);
        let [a, b, c, d, ..] = id;
        let number = format!("{:010}", u64::from(u32::from_be_bytes([a, b, c, d])));
        let day =
            jiff::civil::date(1950 + i16::from(a % 50), 1 + i8::try_from(b % 12)?, 1 + i8::try_from(c % 28)?);
        Ok(Registration {
            id: RegistrationId(id),
            code: FollowUpCode::from_random(code),
            site: self.site.clone(),
            procedure: Procedure::parse("renewal").ok_or("no such procedure")?,
            limit: None,
            renewal: None,
            accepts_earlier: None,
            department_wide: false,
            party: None,
            moved: None,
            witness: None,
            applicant: Applicant {
                family_names: format!("PERSONNE {}", self.people),
                given_names: Some("Aminata".to_owned()),
                birth: Birth::Whole { date: day },
                birth_place: None,
                nationality: Nationality::parse("MLI").ok_or("no such country")?,
                agdref: Some(Agdref::parse(&number).ok_or("not a number")?),
                identity: Identity::Declared,
                contact: Contact::default(),
                representative: None,
            },
            lang: "fr".into(),
            registered_at: at,
            registered_on: at.to_zoned(jiff::tz::TimeZone::UTC).date(),
            mediator: MediatorId::parse("demo").map_err(|_| "no mediator")?,
        })
    }
}
