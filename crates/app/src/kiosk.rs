//! An open kiosk: its vault, keys, devices and the way to central.

use crate::contract::{Connection, Problem};
use crate::keepsake;
use crate::repair;
use crate::second::Second;
use crate::session::Session;
use crate::settings::{KioskFile, Settings};
use crate::storage;
use crate::sync::SyncState;
use crate::sync::transfer::HttpRemote;
use domain::bytes::{PublicKey, Salt};
use domain::ids::{KioskId, SiteId};
use domain::planted;
use domain::tries::Tries;
use jiff::{Timestamp, civil::Date, civil::DateTime, tz::TimeZone};
use print::AnyPrinter;
use scan::AnyScanner;
use seal::certificate::DeviceCertificate;
use seal::keys::Signer;
use seal::ring::{KeyRing, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use vault::{Author, Tx, Unwritable, Vault};
use wire::body::Body;
use wire::messages::Site;
use zeroize::Zeroize as _;

pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
pub type Stopwatch = Arc<dyn Fn() -> std::time::Duration + Send + Sync>;
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What comes from outside: clocks and randomness.
#[derive(Clone)]
pub struct World {
    pub clock: Clock,
    /// How long the machine has been running.
    pub since_boot: Stopwatch,
    pub random: Random,
}

impl World {
    /// The machine's clock and the operating system's randomness. Without randomness
    /// there are no keys: the process ends rather than go on.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(Timestamp::now),
            since_boot: Arc::new(crate::trusted_time::since_boot),
            random: Arc::new(|buffer| {
                if getrandom::fill(buffer).is_err() {
                    tracing::error!("the operating system gives no randomness");
                    std::process::abort();
                }
            }),
        }
    }

    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }
}

/// A kiosk. Cheap to clone; the last clone closes the vault.
#[derive(Clone)]
pub struct Kiosk {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub vault: Vault,
    pub world: World,
    pub file: KioskFile,
    pub identity: Identity,
    pub remote: HttpRemote,
    pub scanner: Option<AnyScanner>,
    pub printer: Option<AnyPrinter>,
    pub session: Mutex<Option<Session>>,
    /// Beside the first, for one visit.
    pub second: Mutex<Option<Second>>,
    pub sync: Mutex<SyncState>,
    /// One exchange with central at a time.
    pub exchange: tokio::sync::Mutex<()>,
    /// One decision about printing at a time; the printing itself goes on without it.
    pub printing: tokio::sync::Mutex<()>,
    /// The jobs this process is following, and what came of the last ones.
    pub live: Mutex<BTreeMap<domain::ids::RegistrationId, crate::print_job::Live>>,
    pub fonts: Mutex<Option<letter::Fonts>>,
    /// Wakes the background exchange.
    pub wake: tokio::sync::Notify,
    pub pin_tries: Mutex<Tries>,
    /// Of follow-up codes.
    pub follow_tries: Mutex<Tries>,
    /// The last day on which what was due was erased, in this process.
    pub erased_on: Mutex<Option<Date>>,
    /// Written by sync alone, with the vault's own copy.
    pub incarnation: AtomicU32,
}

/// Who this kiosk is and whom it trusts, as enrolment left it in the vault.
pub(crate) struct Identity {
    pub kiosk: KioskId,
    pub device: Signer,
    pub certificate: DeviceCertificate,
    pub site_id: SiteId,
    pub site_key: age::x25519::Recipient,
    told: RwLock<Arc<Told>>,
}

/// What central keeps telling, and a kiosk takes up while it runs: the keys to trust, and
/// what papers say of the site.
pub(crate) struct Told {
    pub ring: KeyRing,
    pub site: Site,
    /// The other sites of its département.
    pub nearby: Vec<Site>,
    pub zone: TimeZone,
}

impl Told {
    /// None when the zone is none this machine knows.
    pub fn new(ring: KeyRing, site: Site, nearby: Vec<Site>) -> Option<Self> {
        Some(Self { zone: TimeZone::get(&site.zone).ok()?, ring, site, nearby })
    }

    /// A site where this kiosk's people are received; none for one it was told nothing of.
    pub fn site_of(&self, id: &SiteId) -> Option<&Site> {
        std::iter::once(&self.site).chain(&self.nearby).find(|site| site.id == *id)
    }
}

/// How the identity is stored, under `identity` in the vault.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredIdentity {
    pub kiosk: KioskId,
    /// The device seed in hexadecimal; wiped once it is read.
    pub device: String,
    pub certificate: wire::bytes::Bytes,
    pub ring: KeyRing,
    pub site: Site,
    #[serde(default)]
    pub nearby: Vec<Site>,
    pub site_key: String,
}

pub(crate) const IDENTITY: &str = "identity";
pub(crate) const ROSTER: &str = "roster";
/// The kiosk's incarnation in the vault, when it is not the first: raised only by a
/// restored or copied disk.
pub(crate) const INCARNATION: &str = "incarnation";

impl Identity {
    pub fn from_stored(stored: &StoredIdentity) -> Option<Self> {
        let seed: [u8; 32] = hex::decode(stored.device.as_str()).ok()?.try_into().ok()?;
        Some(Self {
            kiosk: stored.kiosk,
            device: Signer::from_seed(&seed),
            certificate: DeviceCertificate::from_bytes(&stored.certificate.0)?,
            site_id: stored.site.id.clone(),
            site_key: stored.site_key.parse().ok()?,
            told: RwLock::new(Arc::new(Told::new(
                stored.ring.clone(),
                stored.site.clone(),
                stored.nearby.clone(),
            )?)),
        })
    }

    pub fn told(&self) -> Arc<Told> {
        Arc::clone(&self.told.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn tell(&self, told: Told) {
        *self.told.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(told);
    }

    pub fn recovery(&self) -> Option<PublicKey> {
        self.told().ring.latest(Role::Recovery).map(|certificate| certificate.key)
    }
}

fn is_of_the_disk(problem: &Problem) -> bool {
    matches!(problem.code.as_str(), "disk_full" | "disk_failed")
}

/// What is to be done about a disk that takes nothing.
fn takes_nothing(why: Unwritable, folder: &std::path::Path) -> Problem {
    let code = match why {
        Unwritable::Full => "disk_full_read",
        Unwritable::ReadOnly => "disk_read_only",
    };
    Problem::new(code).with("folder", folder.display())
}

impl Kiosk {
    /// Opens an enrolled kiosk, with the key from the keyring.
    ///
    /// # Errors
    /// It is not enrolled, or the vault does not open; nothing is changed then.
    pub async fn open(settings: Settings) -> Result<Self, Problem> {
        Self::open_in(settings, World::system()).await
    }

    /// Like [`Kiosk::open`], with a clock and randomness passed in.
    ///
    /// # Errors
    /// As [`Kiosk::open`].
    pub async fn open_in(settings: Settings, world: World) -> Result<Self, Problem> {
        let home = settings.home.clone();
        Self::opened_in(settings, world).await.map_err(|problem| match storage::unwritable(&home) {
            Some(why) if is_of_the_disk(&problem) => takes_nothing(why, &home),
            _ => problem,
        })
    }

    async fn opened_in(settings: Settings, world: World) -> Result<Self, Problem> {
        let from = settings.clone();
        let file = blocking(move || repair::read_or_mend(&from)).await?;
        let (path, kiosk) = (settings.vault(), file.kiosk);
        let (aside, read) = (world.clone(), file.clone());
        let vault = blocking(move || {
            if !path.exists() {
                return Err(Problem::new("vault_missing"));
            }
            let key = vault::key::find(kiosk)?;
            let vault = vault::Vault::open(&path, &key)?;
            // Of a kiosk enrolled by an older version, or lost; the counter goes on without.
            if let Err(problem) = keepsake::keep(&settings, (&vault, &key), &read, &aside) {
                tracing::error!(
                    code = problem.code,
                    "nothing lies beside the vault for the day it does not open"
                );
            }
            Ok(vault)
        })
        .await?;
        // Without the authority nothing that answers is believed; dates come from the lease.
        let remote =
            HttpRemote::open(&file.central, &file.ca).unwrap_or_else(|_| HttpRemote::believing_nobody());
        Self::assemble(vault, file, remote, world)
    }

    /// Like [`Kiosk::open`], and where the disk takes nothing, full or to be read only, to read what
    /// is there: every write is refused then.
    ///
    /// # Errors
    /// As [`Kiosk::open`].
    pub async fn open_to_read(settings: Settings) -> Result<Self, Problem> {
        Self::open_to_read_in(settings, World::system()).await
    }

    pub(crate) async fn open_to_read_in(settings: Settings, world: World) -> Result<Self, Problem> {
        let problem = match Self::opened_in(settings.clone(), world.clone()).await {
            Err(problem) if is_of_the_disk(&problem) => problem,
            other => return other,
        };
        let Some(why) = storage::unwritable(&settings.home) else { return Err(problem) };
        let file = settings.read()?;
        let (path, kiosk) = (settings.vault(), file.kiosk);
        let vault = blocking(move || Ok(Vault::open_to_read(&path, &vault::key::find(kiosk)?, why)?)).await?;
        Self::assemble(vault, file, HttpRemote::believing_nobody(), world)
    }

    /// Why nothing can be written, when it was opened to be read.
    #[must_use]
    pub fn unwritable(&self) -> Option<Problem> {
        self.inner.vault.unwritable().map(|why| takes_nothing(why, self.inner.vault.folder()))
    }

    /// A kiosk from an open vault and a way to central: what [`Kiosk::open_in`] ends
    /// with, and how the simulation makes one.
    ///
    /// # Errors
    /// The vault holds no identity, or fails.
    pub fn assemble(
        vault: Vault,
        file: KioskFile,
        remote: HttpRemote,
        world: World,
    ) -> Result<Self, Problem> {
        let mut stored: StoredIdentity = vault
            .read(|tx| tx.get_json(IDENTITY))
            .map_err(Problem::from)?
            .ok_or_else(|| Problem::new("not_enrolled"))?;
        let identity = Identity::from_stored(&stored).ok_or_else(|| Problem::new("vault_damaged"))?;
        stored.device.zeroize();
        // A device that cannot be opened is told when it is used; the counter goes on.
        let scanner = file.scanner.as_deref().and_then(|address| AnyScanner::open(address).ok());
        let ca = std::fs::read(&file.ca).ok();
        let printer = file.printer.as_deref().and_then(|uri| AnyPrinter::open_with(uri, ca.as_deref()).ok());
        let inner = Inner {
            vault,
            world,
            identity,
            remote,
            scanner,
            printer,
            session: Mutex::new(None),
            second: Mutex::new(None),
            sync: Mutex::new(SyncState::new(Connection::Offline)),
            exchange: tokio::sync::Mutex::new(()),
            printing: tokio::sync::Mutex::new(()),
            live: Mutex::new(BTreeMap::new()),
            fonts: Mutex::new(None),
            wake: tokio::sync::Notify::new(),
            pin_tries: Mutex::new(Tries::default()),
            follow_tries: Mutex::new(Tries::default()),
            erased_on: Mutex::new(None),
            incarnation: AtomicU32::new(1),
            file,
        };
        if let Some(incarnation) = inner.vault.read::<_, Problem>(|tx| Ok(tx.get_json(INCARNATION)?))? {
            inner.incarnation.store(incarnation, Ordering::Release);
        }
        let mark = inner.vault.read(crate::sync::time_mark)?;
        if !planted::on("time_mark_forgotten") {
            inner.trust_time(Timestamp::from_second(mark).unwrap_or(Timestamp::UNIX_EPOCH));
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Did the disk fail under the vault? The kiosk is to be let go of and opened again.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.inner.vault.has_failed()
    }

    /// Runs work on the vault or on pictures off the async threads.
    pub(crate) async fn off<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let inner = Arc::clone(&self.inner);
        blocking(move || work(&inner)).await
    }
}

impl Inner {
    /// The civil moment at the site.
    pub fn civil(&self, at: Timestamp) -> DateTime {
        self.identity.told().zone.to_datetime(at)
    }

    pub fn today(&self) -> Date {
        self.civil(self.now()).date()
    }

    pub fn site_id(&self) -> &SiteId {
        &self.identity.site_id
    }

    /// Signs a record into the journal. From here on no clock set back makes this kiosk
    /// write an earlier time; should the transaction fail, that harms nobody.
    pub fn append(&self, tx: &Tx<'_>, body: &Body, at: Timestamp) -> Result<(), Problem> {
        let author = Author {
            kiosk: self.identity.kiosk,
            incarnation: self.incarnation.load(Ordering::Acquire),
            device: &self.identity.device,
        };
        tx.append(&author, body, Salt(self.world.bytes()), at)?;
        self.trust_time(at);
        Ok(())
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => {
            tracing::error!(%failed, "a task ended badly");
            Err(Problem::new("unknown"))
        }
    }
}
