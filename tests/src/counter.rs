//! A counter without a window: central over real TLS in this process, real PostgreSQL, a
//! real vault, an enrolled kiosk. For stories that need hundreds of tries.

use crate::programs::{Failure, fail};
use crate::stand::postgres::Postgres;
use crate::stand::{MEDIATOR, PIN, SITE};
use crate::tls;
use app::contract::{BirthFields, DateView, DraftFields};
use app::settings::{KioskFile, Mode, Settings};
use app::sync::transfer::HttpRemote;
use app::{Kiosk, World};
use axum::Router;
use central::Pool;
use central::admin::{NewMediator, NewSite, SiteChange};
use central::keys::CentralKeys;
use domain::calendar::Pattern;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;
use vault::{Vault, VaultKey};

/// The running parts; dropping it ends them.
pub struct Counter {
    pub kiosk: Kiosk,
    pub folder: tempfile::TempDir,
    pub pool_url: String,
    /// Where its central answers.
    pub central: String,
    /// Its central.
    pub own: Listening,
    /// Opens the pages of its site.
    pub site_key: age::x25519::Identity,
    scanner: Option<String>,
    postgres: Postgres,
}

/// A central that answers over TLS; dropped, it stops.
pub struct Listening {
    pub address: SocketAddr,
    pub central: central::Central,
    _stop: oneshot::Sender<()>,
}

impl Listening {
    /// On a migrated database, with the keys and certificates of `folder`.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(pool: Pool, folder: &Path) -> Result<Self, Failure> {
        Self::with(pool, folder, |router| router).await
    }

    /// The same, with something laid around its router.
    ///
    /// # Errors
    /// It does not start.
    pub async fn with(pool: Pool, folder: &Path, lay: impl Fn(Router) -> Router) -> Result<Self, Failure> {
        let config = central::serve::tls_config(&folder.join(tls::CERT), &folder.join(tls::KEY))?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (clock, random) = (central::system_clock(), central::system_random());
        let central = central::Central::new(pool, CentralKeys::load(folder)?, clock, random).await?;
        let router = lay(central::router(central.clone()));
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(central::serve::serve(router, listener, config, async {
            let _ = stopped.await;
        }));
        Ok(Self { address, central, _stop: stop })
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }
}

/// The id and the name of the kiosk's own site.
const OWN: (&str, &str) = (SITE, "Sous-préfecture d'essai");

/// A site of the stories: one counter, a mediator, a small lease.
async fn furnish(
    pool: &Pool,
    (id, name): (&str, &str),
    site_key: &age::x25519::Identity,
) -> Result<(), Failure> {
    let today = jiff::Zoned::now().date();
    let site = NewSite {
        id: id.into(),
        name: name.into(),
        address: vec!["1 rue d'Essai".into()],
        phone: None,
        zone: "Europe/Paris".into(),
        holidays: "metropolitan".into(),
        site_key: site_key.to_public().to_string(),
        lease_slots: Some(4),
        kind: domain::calendar::SiteKind::Fixed,
        from: today,
    };
    central::admin::site(pool, &site).await?;
    let pattern = Pattern {
        weekdays: vec![1, 2, 3, 4, 5],
        opens: jiff::civil::time(9, 0, 0, 0),
        closes: jiff::civil::time(16, 0, 0, 0),
        every_minutes: 20,
        capacity: 1,
        procedures: domain::procedure::ProcedureSet::ALL,
        from: today,
        until: None,
    };
    central::admin::counter(pool, id, "A", &[pattern]).await?;
    let told = NewMediator { id: MEDIATOR, name: "Essai", pin: PIN, supervisor: None, replace: false };
    central::admin::mediator(pool, id, &told, jiff::Timestamp::now(), &central::system_random()).await?;
    Ok(())
}

impl Counter {
    /// Enrols a kiosk and unlocks it. `scanner` and `printer` as in `kiosk.json`.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn start(scanner: Option<String>, printer: Option<String>) -> Result<Self, Failure> {
        Self::start_on(None, scanner, printer).await
    }

    /// The same, with the database's files in a folder of their own.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn start_on(
        database: Option<&Path>,
        scanner: Option<String>,
        printer: Option<String>,
    ) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let postgres = Postgres::start(database.unwrap_or(folder.path()))?;
        let url = postgres.database("jalon")?;
        let pool = central::connect(&url).await?;
        central::migrate(&pool).await?;
        let (clock, random) = (central::system_clock(), central::system_random());
        central::keys::make(folder.path(), clock(), &random)?;
        let site_key = age::x25519::Identity::generate();
        furnish(&pool, OWN, &site_key).await?;
        tls::make(folder.path())?;
        let own = Listening::start(pool, folder.path()).await?;
        let address = own.url();

        let vault = folder.path().join("vault.db");
        let kiosk = enrolled(folder.path(), SITE, &vault, (&url, &address), scanner.clone(), printer).await?;
        Ok(Self { kiosk, folder, pool_url: url, central: address, own, site_key, scanner, postgres })
    }

    /// Its kiosks register hundreds in an hour and nobody looks: for stories of many tries.
    ///
    /// # Errors
    /// The database fails, or central is not reached.
    pub async fn allow_many(&self) -> Result<(), Failure> {
        let pool = central::connect(&self.pool_url).await?;
        let many = Some(domain::busy::PER_HOUR_MAX);
        let change = SiteChange { per_hour_kiosk: many, per_hour_mediator: many, ..SiteChange::default() };
        central::admin::change_site(&pool, SITE, &change, central::system_clock()()).await?;
        self.kiosk.exchange().await?;
        Ok(())
    }

    /// Central alone: the kiosk is let go of, for another process to take its vault.
    #[must_use]
    pub fn without_kiosk(self) -> impl Sized {
        let Self { kiosk, folder, own, postgres, .. } = self;
        drop(kiosk);
        (own, postgres, folder)
    }

    /// A second kiosk of the same site, unlocked.
    ///
    /// # Errors
    /// It is not enrolled.
    pub async fn another(&self, scanner: Option<String>) -> Result<Kiosk, Failure> {
        let vault = self.folder.path().join("another.db");
        enrolled(self.folder.path(), SITE, &vault, (&self.pool_url, &self.central), scanner, None).await
    }

    /// A kiosk of a site of its own, made for it, unlocked.
    ///
    /// # Errors
    /// The site or the kiosk is not made.
    pub async fn at_another_site(&self, site: &str) -> Result<Kiosk, Failure> {
        let pool = central::connect(&self.pool_url).await?;
        furnish(&pool, (site, site), &age::x25519::Identity::generate()).await?;
        let vault = self.folder.path().join(format!("{site}.db"));
        enrolled(self.folder.path(), site, &vault, (&self.pool_url, &self.central), None, None).await
    }

    /// A kiosk of the same site with its vault in this folder, unlocked.
    ///
    /// # Errors
    /// It is not enrolled.
    pub async fn another_in(&self, folder: &Path, scanner: Option<String>) -> Result<Kiosk, Failure> {
        let vault = folder.join("vault.db");
        enrolled(self.folder.path(), SITE, &vault, (&self.pool_url, &self.central), scanner, None).await
    }

    /// Starts the database again, if a full disk has ended it.
    ///
    /// # Errors
    /// It does not come back.
    pub fn database_again(&mut self) -> Result<(), Failure> {
        self.postgres.again()
    }

    /// The same kiosk, asking another central: its vault is let go of and opened again.
    ///
    /// # Errors
    /// The vault does not open.
    pub async fn asking(self, central: &str, ca: &Path) -> Result<Self, Failure> {
        self.with(central, ca, None).await
    }

    /// Out of central's reach: a port nobody listens on.
    ///
    /// # Errors
    /// The vault does not open.
    pub async fn cut_off(self, printer: Option<String>) -> Result<Self, Failure> {
        let ca = self.folder.path().join(tls::CA);
        self.with("https://localhost:1", &ca, printer).await
    }

    /// A database beside its central's own that knows the site, and nothing of what happened.
    ///
    /// # Errors
    /// It is not made.
    pub async fn empty_database(&self) -> Result<Pool, Failure> {
        let pool = central::connect(&self.postgres.database("other")?).await?;
        central::migrate(&pool).await?;
        furnish(&pool, OWN, &self.site_key).await?;
        Ok(pool)
    }

    /// Its own central again, and a printer.
    ///
    /// # Errors
    /// The vault does not open.
    pub async fn home(self, printer: Option<String>) -> Result<Self, Failure> {
        let (central, ca) = (self.central.clone(), self.folder.path().join(tls::CA));
        self.with(&central, &ca, printer).await
    }

    /// Its own central again, once something was done to its vault while nobody had it open.
    ///
    /// # Errors
    /// The vault does not open, or what was done fails.
    pub async fn home_with(
        self,
        done: impl FnOnce(&Vault) -> Result<(), vault::VaultFailure>,
    ) -> Result<Self, Failure> {
        let Self { kiosk, folder, pool_url, central, own, site_key, scanner, postgres } = self;
        let id = kiosk_id(&kiosk).await?;
        drop(kiosk);
        let vault = Vault::open(&folder.path().join("vault.db"), &VaultKey::new([3; 32]))?;
        done(&vault)?;
        let ca = folder.path().join(tls::CA);
        let file = kiosk_file(id, &central, ca.clone(), scanner.clone(), None);
        let kiosk = Kiosk::assemble(vault, file, HttpRemote::open(&central, &ca)?, World::system())?;
        kiosk.unlock(MEDIATOR, PIN).await?;
        Ok(Self { kiosk, folder, pool_url, central, own, site_key, scanner, postgres })
    }

    /// The same kiosk at its own central, on a machine whose clock runs `days` ahead.
    ///
    /// # Errors
    /// The vault does not open.
    pub async fn days_later(self, days: i64) -> Result<Self, Failure> {
        let (central, ca) = (self.central.clone(), self.folder.path().join(tls::CA));
        let ahead = jiff::SignedDuration::from_hours(24 * days);
        let clock = std::sync::Arc::new(move || {
            let now = jiff::Timestamp::now();
            now.checked_add(ahead).unwrap_or(now)
        });
        self.again(&central, &ca, None, World { clock, ..World::system() }).await
    }

    /// Its disk in another machine, out of central's reach.
    ///
    /// # Errors
    /// The vault does not open.
    pub async fn elsewhere(self, world: World) -> Result<Self, Failure> {
        let ca = self.folder.path().join(tls::CA);
        self.again("https://localhost:1", &ca, None, world).await
    }

    async fn with(self, central: &str, ca: &Path, printer: Option<String>) -> Result<Self, Failure> {
        self.again(central, ca, printer, World::system()).await
    }

    async fn again(
        self,
        central: &str,
        ca: &Path,
        printer: Option<String>,
        world: World,
    ) -> Result<Self, Failure> {
        let id = kiosk_id(&self.kiosk).await?;
        let Self { kiosk, folder, pool_url, central: home, own, site_key, scanner, postgres } = self;
        let file = kiosk_file(id, central, ca.to_owned(), scanner.clone(), printer);
        drop(kiosk);
        let vault = Vault::open(&folder.path().join("vault.db"), &VaultKey::new([3; 32]))?;
        let kiosk = Kiosk::assemble(vault, file, HttpRemote::open(central, ca)?, world)?;
        kiosk.unlock(MEDIATOR, PIN).await?;
        Ok(Self { kiosk, folder, pool_url, central: home, own, site_key, scanner, postgres })
    }
}

async fn kiosk_id(kiosk: &Kiosk) -> Result<domain::ids::KioskId, Failure> {
    let status = kiosk.status().await?;
    status["kiosk"].as_str().and_then(domain::ids::KioskId::parse).ok_or_else(|| fail("no kiosk id"))
}

/// Enrols a kiosk at the central at `address` whose database is at `url`, and unlocks it.
async fn enrolled(
    folder: &Path,
    site: &str,
    vault: &Path,
    (url, address): (&str, &str),
    scanner: Option<String>,
    printer: Option<String>,
) -> Result<Kiosk, Failure> {
    let pool = central::connect(url).await?;
    let (clock, random) = (central::system_clock(), central::system_random());
    let code = central::admin::code(&pool, site, clock(), &random).await?;
    let code = code["code"].as_str().ok_or_else(|| fail("no enrolment code"))?.to_owned();
    let world = World::system();
    let ca = folder.join(tls::CA);
    let remote = HttpRemote::open(address, &ca)?;
    let enrolled = app::ask_to_enrol(&remote, &code, &world).await?;
    let vault = Vault::create(vault, &VaultKey::new([3; 32]))?;
    enrolled.store(&vault)?;
    let file = kiosk_file(enrolled.kiosk(), address, ca, scanner, printer);
    let kiosk = Kiosk::assemble(vault, file, remote, world)?;
    kiosk.unlock(MEDIATOR, PIN).await?;
    Ok(kiosk)
}

fn kiosk_file(
    kiosk: domain::ids::KioskId,
    central: &str,
    ca: PathBuf,
    scanner: Option<String>,
    printer: Option<String>,
) -> KioskFile {
    KioskFile { kiosk, central: central.to_owned(), ca, printer, scanner, idle_s: 120, mode: Mode::Counter }
}

/// Somebody of this name, complete and without a time limit.
#[must_use]
pub fn person(name: &str) -> DraftFields {
    DraftFields {
        lang: "fr".into(),
        family_names: name.into(),
        birth: BirthFields {
            day: "2".into(),
            month: "5".into(),
            year: "1990".into(),
            ..BirthFields::default()
        },
        nationality: "MLI".into(),
        procedure: "renewal".into(),
        ..DraftFields::default()
    }
}

/// Registers [`person`], up to the date.
///
/// # Errors
/// The kiosk refuses.
pub async fn register(kiosk: &Kiosk, name: &str) -> Result<DateView, app::contract::Problem> {
    let visit = kiosk.start_visit("fr").await?.visit;
    kiosk.save_draft(&visit, person(name)).await?;
    kiosk.confirm(&visit).await
}

/// A counter, and beside its own kiosk another in a folder `kiosk` of `home`, its key in the
/// keyring of this session: as an installed program has it.
///
/// # Errors
/// A part does not start.
pub async fn installed(home: &Path) -> Result<(Counter, Settings, KioskFile), Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await?;
    let pool = central::connect(&counter.pool_url).await?;
    let code =
        central::admin::code(&pool, SITE, central::system_clock()(), &central::system_random()).await?;
    let code = code["code"].as_str().ok_or_else(|| fail("no enrolment code"))?;
    let settings = Settings { home: home.join("kiosk") };
    let ca = counter.folder.path().join(tls::CA);
    let file = kiosk_file(domain::ids::KioskId([0; 16]), &counter.central, ca, None, None);
    let file = app::enrol(&settings, file, code, &World::system()).await?;
    Ok((counter, settings, file))
}
