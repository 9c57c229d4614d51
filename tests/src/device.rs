//! A device that speaks the protocol by hand, to say to central what no kiosk of ours
//! would: wrong signatures, gaps, other people's records.

use crate::programs::Failure;
use crate::stand::postgres::Postgres;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use central::admin::NewSite;
use central::keys::CentralKeys;
use central::lease_log::LeaseLog;
use central::{Central, Clock};
use domain::applicant::{Applicant, Contact, Identity, Nationality};
use domain::birth::Birth;
use domain::bytes::{Hash, Salt};
use domain::calendar::SiteKind;
use domain::code::FollowUpCode;
use domain::ids::{KioskId, MediatorId, RegistrationId, SiteId};
use domain::procedure::Procedure;
use domain::registration::Registration;
use jiff::Timestamp;
use jiff::civil::Date;
use seal::keys::{Context, Signer, sha256};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt as _;
use wire::body::Body as Says;
use wire::messages::{ChangesAnswer, PushRequest};
use wire::record::{Header, Record};
use wire::request;

/// A fixed site in Paris with a lease of four slots and a key of its own.
#[must_use]
pub fn site(id: &str, from: Date) -> NewSite {
    NewSite {
        id: id.to_owned(),
        name: id.to_owned(),
        address: Vec::new(),
        phone: None,
        zone: "Europe/Paris".into(),
        holidays: "metropolitan".into(),
        site_key: age::x25519::Identity::generate().to_public().to_string(),
        lease_slots: Some(4),
        kind: SiteKind::Fixed,
        from,
    }
}

/// Central in this process on a real PostgreSQL, with a clock the test moves.
pub struct Service {
    pub router: Router,
    /// The central behind the router.
    pub central: Central,
    pub pool: central::Pool,
    pub clock: Arc<AtomicI64>,
    pub postgres: Postgres,
    folder: tempfile::TempDir,
}

/// An answer: status, headers, JSON (null when it is none).
pub struct Said {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Value,
}

impl Said {
    #[must_use]
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

impl Service {
    /// 2027-03-09, a Tuesday, at noon in Paris: far from any holiday.
    pub const NOON: i64 = 1_804_590_000;

    /// Two sites, `ONE` and `TWO`, each with one counter and a lease of four slots.
    ///
    /// # Errors
    /// PostgreSQL does not start.
    pub async fn start() -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let postgres = Postgres::start(folder.path())?;
        let pool = central::connect(&postgres.database("central")?).await?;
        central::migrate(&pool).await?;
        let clock = Arc::new(AtomicI64::new(Self::NOON));
        let read = Arc::clone(&clock);
        let now: Clock = Arc::new(move || {
            Timestamp::from_second(read.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
        });
        let random = central::system_random();
        central::keys::make(folder.path(), now(), &random)?;
        for id in ["ONE", "TWO"] {
            let site = site(id, now().to_zoned(jiff::tz::TimeZone::UTC).date());
            central::admin::site(&pool, &site).await?;
            let pattern = serde_json::from_value(json!({
                "weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "12:00:00", "every_minutes": 30,
                "from": "2027-01-01",
            }))?;
            central::admin::counter(&pool, id, "A", &[pattern]).await?;
        }
        let central = Central::new(pool.clone(), CentralKeys::load(folder.path())?, now, random).await?;
        let service =
            Self { router: central::router(central.clone()), central, pool, clock, postgres, folder };
        // A clock that stands still has a story's people come in one hour.
        for id in ["ONE", "TWO"] {
            service.allow_many(id).await?;
        }
        Ok(service)
    }

    /// A kiosk of this site registers hundreds in an hour and nobody looks: for stories of many.
    ///
    /// # Errors
    /// The database fails.
    pub async fn allow_many(&self, site: &str) -> Result<(), Failure> {
        let many = Some(domain::busy::PER_HOUR_MAX);
        let change = central::admin::SiteChange {
            per_hour_kiosk: many,
            per_hour_mediator: many,
            ..central::admin::SiteChange::default()
        };
        central::admin::change_site(&self.pool, site, &change, self.now()).await?;
        Ok(())
    }

    /// Central anew on this database: what it knew in memory is gone. Without a lease log,
    /// although it has followed one, it gives extra slots only.
    ///
    /// # Errors
    /// The keys or the database cannot be read.
    pub async fn start_anew(&mut self) -> Result<(), Failure> {
        // The one before lets go of its log first.
        self.router = Router::new();
        let read = Arc::clone(&self.clock);
        let now: Clock = Arc::new(move || {
            Timestamp::from_second(read.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
        });
        let keys = CentralKeys::load(self.keys())?;
        self.central = Central::new(self.pool.clone(), keys, now, central::system_random()).await?;
        self.router = central::router(self.central.clone());
        Ok(())
    }

    /// The same, following the lease log beside its keys.
    ///
    /// # Errors
    /// The log is not this database's.
    pub async fn start_with_lease_log(&mut self) -> Result<(), Failure> {
        self.start_anew().await?;
        let log = LeaseLog::open(&self.keys().join("lease.log"), &central::system_random())?;
        self.router = Router::new();
        self.central = self.central.clone().following(log).await?;
        self.router = central::router(self.central.clone());
        Ok(())
    }

    /// A new single-use code.
    ///
    /// # Errors
    /// The site is unknown.
    pub async fn code(&self, site: &str) -> Result<String, Failure> {
        let answer = central::admin::code(&self.pool, site, self.now(), &central::system_random()).await?;
        Ok(answer["code"].as_str().unwrap_or_default().to_owned())
    }

    /// Where central's keys are.
    #[must_use]
    pub fn keys(&self) -> &std::path::Path {
        self.folder.path()
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_second(self.clock.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// # Errors
    /// The router itself fails.
    /// What an agent asks with this key, over the network.
    ///
    /// # Errors
    /// The request cannot be made, or central fails.
    pub async fn desk(
        &self,
        key: &str,
        (method, target): (&str, &str),
        idempotency: Option<&str>,
        body: &Value,
    ) -> Result<Said, Failure> {
        let mut request = Request::builder().method(method).uri(target);
        request = request.header("authorization", format!("Bearer {key}"));
        if let Some(key) = idempotency {
            request = request.header("idempotency-key", key);
        }
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
        self.ask(request.body(Body::from(body))?).await
    }

    pub async fn ask(&self, request: Request<Body>) -> Result<Said, Failure> {
        let response = self.router.clone().oneshot(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 32 << 20).await?;
        Ok(Said { status, headers, json: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// Asks to enrol a key with a code.
    ///
    /// # Errors
    /// The router itself fails.
    pub async fn enrol(&self, code: &str, key: &Signer, proof_of: &str) -> Result<Said, Failure> {
        let proof = key.sign(Context::Enrolment, proof_of.as_bytes());
        let body = json!({ "code": code, "key": key.public(), "proof": proof });
        self.ask(Request::post("/v1/enrol").body(Body::from(body.to_string()))?).await
    }

    /// An enrolled device of a site.
    ///
    /// # Errors
    /// It is not enrolled.
    pub async fn device(&self, site: &str, seed: u8) -> Result<Device, Failure> {
        self.device_of(site, [seed; 32]).await
    }

    /// An enrolled device of a site whose key is made from `seed`.
    ///
    /// # Errors
    /// It is not enrolled.
    pub async fn device_of(&self, site: &str, seed: [u8; 32]) -> Result<Device, Failure> {
        let key = Signer::from_seed(&seed);
        let code = self.code(site).await?;
        let said = self.enrol(&code, &key, &code).await?;
        let kiosk = said.json["kiosk"].as_str().and_then(KioskId::parse).ok_or("not enrolled")?;
        let site = SiteId::parse(site).ok_or("not a site")?;
        let certificate = said.json["certificate"].clone();
        Ok(Device { kiosk, key, seed, certificate, site, incarnation: 1, seq: 0, prev: Hash([0; 32]) })
    }
}

/// An enrolled device and the end of its chain.
pub struct Device {
    pub kiosk: KioskId,
    pub key: Signer,
    seed: [u8; 32],
    /// As enrolment gave it, in base64.
    pub certificate: Value,
    pub site: SiteId,
    pub incarnation: u32,
    pub seq: u64,
    pub prev: Hash,
}

impl Device {
    /// A device central knows already, whose key is made from `seed`; its chain is empty.
    #[must_use]
    pub fn known(kiosk: KioskId, site: SiteId, seed: [u8; 32]) -> Self {
        let (key, prev) = (Signer::from_seed(&seed), Hash([0; 32]));
        Self { kiosk, key, seed, certificate: Value::Null, site, incarnation: 1, seq: 0, prev }
    }

    /// Another machine with this one's vault.
    #[must_use]
    pub fn copy(&self) -> Self {
        let Self { kiosk, seed, ref certificate, ref site, incarnation, seq, prev, .. } = *self;
        Self {
            kiosk,
            key: Signer::from_seed(&seed),
            seed,
            certificate: certificate.clone(),
            site: site.clone(),
            incarnation,
            seq,
            prev,
        }
    }

    /// A signed request, to be sent as it is or spoilt first.
    ///
    /// # Errors
    /// The target is not one.
    pub fn request(
        &self,
        at: Timestamp,
        method: &str,
        target: &str,
        body: Vec<u8>,
    ) -> Result<Request<Body>, Failure> {
        let message = request::message(self.kiosk, method, target, &sha256(&[&body]), at);
        let signature = self.key.sign(Context::Request, &message);
        Ok(Request::builder()
            .method(method)
            .uri(target)
            .header(request::KIOSK, self.kiosk.to_string())
            .header(request::TIME, at.as_second().to_string())
            .header(request::SIGNATURE, signature.to_string())
            .body(Body::from(body))?)
    }

    /// Signs and sends.
    ///
    /// # Errors
    /// The router itself fails.
    pub async fn say(
        &self,
        service: &Service,
        method: &str,
        target: &str,
        body: &Value,
    ) -> Result<Said, Failure> {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
        service.ask(self.request(service.now(), method, target, body)?).await
    }

    /// Pushes records.
    ///
    /// # Errors
    /// The router itself fails.
    pub async fn push(&self, service: &Service, records: Vec<Record>) -> Result<Said, Failure> {
        let body = serde_json::to_value(PushRequest { records })?;
        self.say(service, "POST", "/v1/journal", &body).await
    }

    /// Pulls everything after `cursor`.
    ///
    /// # Errors
    /// Central refuses.
    pub async fn pull(&self, service: &Service, cursor: u64) -> Result<ChangesAnswer, Failure> {
        let target = format!("/v1/changes?cursor={cursor}&roster=0");
        Ok(serde_json::from_value(self.say(service, "GET", &target, &Value::Null).await?.json)?)
    }

    /// The next record of this device's chain.
    ///
    /// # Errors
    /// The body cannot be written.
    pub fn record(&mut self, kind: &str, body: Vec<u8>) -> Result<Record, Failure> {
        self.record_of(kind, 1, body)
    }

    /// The next record, under a schema that may be a later version's.
    ///
    /// # Errors
    /// The body is longer than any.
    pub fn record_of(&mut self, kind: &str, schema: u16, body: Vec<u8>) -> Result<Record, Failure> {
        let salt = Salt([5; 16]);
        let header = Header {
            kiosk: self.kiosk,
            incarnation: self.incarnation,
            seq: self.seq + 1,
            prev: self.prev,
            kind: kind.to_owned(),
            schema,
            body_len: u32::try_from(body.len())?,
            body_hash: sha256(&[&salt.0, &body]),
        };
        let bytes = header.to_bytes();
        self.seq += 1;
        self.prev = sha256(&[&bytes]);
        let signature = self.key.sign(Context::Record, &bytes);
        Ok(Record { header, signature, salt, body: body.into() })
    }

    /// The next record, saying this.
    ///
    /// # Errors
    /// The body cannot be written.
    pub fn says(&mut self, body: &Says) -> Result<Record, Failure> {
        self.record(body.kind(), serde_json::to_vec(body)?)
    }

    /// A person's registration at this device's site, today.
    ///
    /// # Errors
    /// Never with these values.
    pub fn registration(&self, service: &Service, n: u8, name: &str) -> Result<Registration, Failure> {
        self.registration_at(service.now(), [n; 16], name)
    }

    /// The same at any time, its follow-up code made from the id.
    ///
    /// # Errors
    /// Never with these values.
    pub fn registration_at(&self, at: Timestamp, id: [u8; 16], name: &str) -> Result<Registration, Failure> {
        let [a, b, c, d, e, f, g, h, ..] = id;
        Ok(Registration {
            id: RegistrationId(id),
            code: FollowUpCode::from_random([a, b, c, d, e, f, g, h]),
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
                family_names: name.to_owned(),
                given_names: None,
                birth: Birth::Year { year: 1990 },
                birth_place: None,
                nationality: Nationality::parse("MLI").ok_or("no such country")?,
                agdref: None,
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
