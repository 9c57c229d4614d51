//! What every kiosk under test starts from: an identity and leased slots that a real
//! central gave, in one file. Made once; after that there is no central and no network.

use crate::programs::{Failure, fail};
use crate::stand::postgres::Postgres;
use app::settings::{KioskFile, Mode};
use app::sync::transfer::{Answer, Call, HttpRemote, RemoteFailure, Sending, Transport};
use app::{Kiosk, World};
use argon2::password_hash::{PasswordHasher as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use central::admin::{NewSite, SiteChange};
use central::keys::CentralKeys;
use domain::bytes::PublicKey;
use domain::calendar::Pattern;
use domain::ids::{KioskId, LeaseId, MediatorId, RegistrationId, SiteId};
use domain::token::SignedToken;
use jiff::Timestamp;
use jiff::civil::Date;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tower::ServiceExt as _;
use vault::{Vault, VaultFailure, VaultKey};
use wire::limits::MESSAGE_BYTES;
use wire::messages::{LentSlot, Roster, RosterEntry};

pub const MEDIATOR: &str = "crash";
pub const PIN: &str = "0000";
const SITE: &str = "CRASH";
/// A Monday in March 2027; every kiosk under test lives then.
const START_S: i64 = 1_803_891_600;
/// Enough for the longest life of one vault, and few enough that some lives see the end
/// of their lease: a receipt that holds a backstop, then one without a day.
const LEASE: i16 = 96;
/// Exchanges after which the lease must have come.
const EXCHANGES: usize = 4;
const IDENTITY: &str = "identity";
const ROSTER: &str = "roster";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ground {
    pub kiosk: KioskId,
    key: [u8; 32],
    /// The vault's own values, as enrolment left them.
    identity: String,
    roster: String,
    /// Slots lent, with their lease.
    lent: Vec<(LeaseId, LentSlot)>,
    /// A picture for the scanner.
    page: PathBuf,
}

impl Ground {
    /// Enrols a kiosk at a central of its own, takes its lease and writes both down in
    /// `folder`; nothing of central is left running.
    ///
    /// # Errors
    /// A part does not start, or central gives no lease.
    pub async fn make(folder: &Path) -> Result<Self, Failure> {
        let postgres = Postgres::start(folder)?;
        let pool = central::connect(&postgres.database("crash")?).await?;
        central::migrate(&pool).await?;
        let world = world(0, 0);
        let (clock, random) = (Arc::clone(&world.clock), Arc::clone(&world.random));
        central::keys::make(folder, clock(), &random)?;
        let from = clock().to_zoned(jiff::tz::TimeZone::UTC).date();
        central::admin::site(&pool, &site(from)).await?;
        // Hundreds of lives of one kiosk within minutes.
        let many = Some(domain::busy::PER_HOUR_MAX);
        let change = SiteChange { per_hour_kiosk: many, per_hour_mediator: many, ..SiteChange::default() };
        central::admin::change_site(&pool, SITE, &change, clock()).await?;
        central::admin::counter(&pool, SITE, "A", &[mornings(from)]).await?;
        let code = central::admin::code(&pool, SITE, clock(), &random).await?;
        let code = code["code"].as_str().ok_or_else(|| fail("no enrolment code"))?.to_owned();
        let central = central::Central::new(pool.clone(), CentralKeys::load(folder)?, clock, random).await?;
        let remote = HttpRemote::over(Arc::new(Inside(central::router(central))));

        let enrolled = app::ask_to_enrol(&remote, &code, &world).await?;
        let kiosk = enrolled.kiosk();
        let (path, key) = (folder.join("enrolled.db"), VaultKey::new([9; 32]));
        let vault = Vault::create(&path, &key)?;
        enrolled.store(&vault)?;
        let page = folder.join("page.jpg");
        image::RgbImage::from_fn(160, 220, |x, y| image::Rgb([(x * y % 251) as u8; 3])).save(&page)?;
        let mut ground = Self {
            kiosk,
            key: *key,
            identity: text(&vault, IDENTITY)?,
            roster: serde_json::to_string(&roster()?)?,
            lent: Vec::new(),
            page,
        };
        let open = Kiosk::assemble(vault, ground.settings(), remote, world)?;
        for _ in 0..EXCHANGES {
            open.exchange().await?;
        }
        drop(open);
        ground.lent = lent(&Vault::open(&path, &key)?)?;
        pool.close().await;
        Ok(ground)
    }

    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        Ok(std::fs::write(path, serde_json::to_vec(self)?)?)
    }

    pub fn read(path: &Path) -> Result<Self, Failure> {
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    }

    pub fn key(&self) -> VaultKey {
        VaultKey::new(self.key)
    }

    /// The key this kiosk signs its journal with.
    pub fn device(&self) -> Result<PublicKey, Failure> {
        let signed = self.lent.first().and_then(|(_, slot)| SignedToken::from_bytes(&slot.token.0));
        Ok(signed.ok_or_else(|| fail("no slot was lent"))?.token.kiosk)
    }

    /// Makes the vault as enrolment does.
    pub fn enrol(&self, vault: &Vault) -> Result<(), VaultFailure> {
        vault.transact(|tx| {
            tx.put(IDENTITY, self.identity.as_bytes())?;
            tx.put(ROSTER, self.roster.as_bytes())
        })
    }

    pub fn is_enrolled(vault: &Vault) -> Result<bool, VaultFailure> {
        vault.read(|tx| Ok(tx.get(IDENTITY)?.is_some()))
    }

    /// Adds the `nth` of `parts` parts of the lease, as a pull does.
    pub fn lend(&self, vault: &Vault, nth: usize, parts: usize) -> Result<(), VaultFailure> {
        vault.transact(|tx| {
            for (at, (lease, slot)) in self.lent.iter().enumerate() {
                if at % parts == nth % parts {
                    tx.add_lease(*lease, std::slice::from_ref(slot))?;
                }
            }
            Ok(())
        })
    }

    /// A kiosk on this vault, without a network.
    pub fn assemble(&self, vault: Vault, world: World) -> Result<Kiosk, Failure> {
        Ok(Kiosk::assemble(vault, self.settings(), HttpRemote::over(Arc::new(Down)), world)?)
    }

    fn settings(&self) -> KioskFile {
        KioskFile {
            kiosk: self.kiosk,
            central: "https://central.invalid".to_owned(),
            ca: PathBuf::from("none"),
            printer: None,
            scanner: Some(format!("file:{}", self.page.display())),
            idle_s: 120,
            mode: Mode::Counter,
        }
    }
}

/// A clock that stands still and randomness that repeats: one stream for each session of
/// a seed.
pub fn world(seed: u64, session: u64) -> World {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1_000 + session);
    let rng = Mutex::new(rng);
    World {
        clock: Arc::new(|| Timestamp::from_second(START_S).unwrap_or(Timestamp::UNIX_EPOCH)),
        since_boot: Arc::new(|| std::time::Duration::ZERO),
        random: Arc::new(move |buffer| {
            rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer);
        }),
    }
}

fn site(from: Date) -> NewSite {
    NewSite {
        id: SITE.into(),
        name: "Essai".into(),
        address: vec!["1 rue d'Essai".into()],
        phone: None,
        zone: "Europe/Paris".into(),
        holidays: "metropolitan".into(),
        site_key: age::x25519::Identity::generate().to_public().to_string(),
        lease_slots: Some(LEASE),
        kind: domain::calendar::SiteKind::Fixed,
        from,
    }
}

fn mornings(from: Date) -> Pattern {
    Pattern {
        weekdays: vec![1, 2, 3, 4, 5],
        opens: jiff::civil::time(9, 0, 0, 0),
        closes: jiff::civil::time(12, 0, 0, 0),
        every_minutes: 20,
        capacity: 1,
        procedures: domain::procedure::ProcedureSet::ALL,
        from,
        until: None,
    }
}

/// A roster whose PIN costs next to nothing to check: thousands of kiosks unlock here.
fn roster() -> Result<Roster, Failure> {
    let bad = |_| fail("the PIN cannot be hashed");
    let params = Params::new(8, 1, 1, None).map_err(|_| fail("the PIN cannot be hashed"))?;
    let salt = SaltString::encode_b64(&[7; 16]).map_err(bad)?;
    let pin = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(PIN.as_bytes(), &salt)
        .map_err(bad)?
        .to_string();
    Ok(Roster {
        site: SiteId::parse(SITE).ok_or_else(|| fail("site"))?,
        version: 1,
        mediators: vec![RosterEntry {
            id: MediatorId::parse(MEDIATOR).map_err(|_| fail("mediator"))?,
            name: "Essai".into(),
            pin,
            supervisor: false,
        }],
    })
}

fn text(vault: &Vault, key: &str) -> Result<String, Failure> {
    let bytes = vault.read::<_, VaultFailure>(|tx| tx.get(key))?.ok_or_else(|| fail("not enrolled"))?;
    Ok(String::from_utf8(bytes)?)
}

/// The lease with its tokens. They leave the vault only with somebody who takes them: all
/// are taken in one transaction, which is then not committed.
fn lent(vault: &Vault) -> Result<Vec<(LeaseId, LentSlot)>, Failure> {
    enum Stop {
        Read(Vec<(LeaseId, LentSlot)>),
        Failed(VaultFailure),
    }
    impl From<VaultFailure> for Stop {
        fn from(failure: VaultFailure) -> Self {
            Self::Failed(failure)
        }
    }
    let taken: Result<(), Stop> = vault.transact(|tx| {
        let mut lent = Vec::new();
        for (n, free) in tx.free_slots(Date::MIN)?.into_iter().enumerate() {
            let somebody = RegistrationId(u128::try_from(n).unwrap_or(0).to_be_bytes());
            if let (Some((lease, token)), Some(stratum)) = (tx.take_slot(free.slot, somebody)?, free.stratum)
            {
                let token = token.into();
                lent.push((
                    lease,
                    LentSlot { slot: free.slot, at: free.at, stratum, procedures: None, back: None, token },
                ));
            }
        }
        Err(Stop::Read(lent))
    });
    match taken {
        Err(Stop::Read(lent)) if !lent.is_empty() => Ok(lent),
        Err(Stop::Failed(failure)) => Err(failure.into()),
        _ => Err(fail("central lent no slot")),
    }
}

/// Central's own router, in this process.
struct Inside(Router);

impl Transport for Inside {
    fn send(&self, call: Call) -> Sending<'_> {
        Box::pin(async move {
            let mut request = Request::builder().method(call.method).uri(&call.target);
            for (name, value) in &call.headers {
                request = request.header(*name, value);
            }
            let request = request.body(Body::from(call.body)).map_err(|_| RemoteFailure::BadAnswer)?;
            let Ok(response) = self.0.clone().oneshot(request).await;
            let (parts, body) = response.into_parts();
            let body =
                axum::body::to_bytes(body, MESSAGE_BYTES).await.map_err(|_| RemoteFailure::BadAnswer)?;
            let headers = parts
                .headers
                .iter()
                .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
                .collect();
            Ok(Answer { status: parts.status.as_u16(), headers, body: body.to_vec() })
        })
    }
}

/// A network that is not there.
struct Down;

impl Transport for Down {
    fn send(&self, _: Call) -> Sending<'_> {
        Box::pin(async { Err(RemoteFailure::Unreachable) })
    }
}
