//! A simulated counter: a real kiosk on a real vault, whose power may go at any message.

use super::chance::{Bytes, Time};
use super::network::{Death, Network};
use app::contract::{DateView, DraftFields, Problem};
use app::settings::KioskFile;
use app::sync::transfer::{HttpRemote, Transport};
use app::{Kiosk, World};
use argon2::password_hash::{PasswordHasher as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::ids::{MediatorId, SiteId};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vault::{Vault, VaultKey};
use wire::messages::{Roster, RosterEntry};
use zeroize::Zeroizing;

pub(super) const MEDIATOR: &str = "sim";
pub(super) const PIN: &str = "0000";

pub(super) struct Counter {
    folder: PathBuf,
    key: VaultKey,
    file: KioskFile,
    world: World,
    pub time: Time,
    pub random: Bytes,
    /// The latest this machine's clock has ever shown.
    pub latest: Timestamp,
    pub network: Arc<Network>,
    kiosk: Option<Kiosk>,
    burnt: bool,
}

/// The two codes of a paper as text, and its follow-up code.
pub(super) struct Codes {
    pub code: String,
    pub door: String,
    pub rebuild: String,
}

fn problem(code: &str) -> Problem {
    Problem { code: code.to_owned(), args: std::collections::BTreeMap::new() }
}

impl Counter {
    /// Enrols a new kiosk in `folder` with `code`.
    pub async fn enrol(
        folder: &Path,
        site: &SiteId,
        code: &str,
        (time, random): (Time, Bytes),
        network: Arc<Network>,
        page: &Path,
    ) -> Result<Self, Problem> {
        std::fs::create_dir_all(folder).map_err(|_| problem("disk_failed"))?;
        let world = time.world(random.fill());
        let enrolled = app::ask_to_enrol(&remote(&network), code, &world).await?;
        let mut key = Zeroizing::new([0; 32]);
        (world.random)(key.as_mut_slice());
        let vault = Vault::create(&folder.join("vault.db"), &key)?;
        enrolled.store(&vault)?;
        // The roster's PIN in service costs 20 ms to check; thousands of unlocks cannot.
        vault.transact(|tx| Ok::<_, Problem>(tx.put_json("roster", &roster(site)?)?))?;
        drop(vault);
        let file = KioskFile {
            kiosk: enrolled.kiosk(),
            central: "https://central.invalid".to_owned(),
            ca: PathBuf::from("none"),
            printer: None,
            scanner: Some(format!("file:{}", page.display())),
            idle_s: 120,
            mode: app::settings::Mode::Counter,
        };
        let latest = time.now();
        let folder = folder.to_owned();
        let mut counter =
            Self { folder, key, file, world, time, random, latest, network, kiosk: None, burnt: false };
        counter.open().await?;
        Ok(counter)
    }

    async fn open(&mut self) -> Result<(), Problem> {
        let vault = Vault::open(&self.folder.join("vault.db"), &self.key)?;
        let kiosk = Kiosk::assemble(vault, self.file.clone(), remote(&self.network), self.world.clone())?;
        kiosk.unlock(MEDIATOR, PIN).await?;
        self.kiosk = Some(kiosk);
        Ok(())
    }

    /// The power goes and comes back.
    pub async fn crash(&mut self) -> Result<(), Problem> {
        self.kiosk = None;
        self.network.set_death(None);
        self.open().await
    }

    /// The kiosk's id.
    pub fn id(&self) -> String {
        self.file.kiosk.to_string()
    }

    /// It and its disk are gone. Answers what stands on the papers it had made, which are
    /// all that is left.
    pub fn burn(&mut self) -> Result<Vec<Codes>, Problem> {
        self.kiosk = None;
        self.burnt = true;
        let (path, key) = self.vault();
        let vault = Vault::open(&path, &key)?;
        vault.read(|tx| {
            let mut codes = Vec::new();
            for id in tx.papers()? {
                let Some(paper) = tx.paper(id)? else { continue };
                codes.push(Codes {
                    code: paper.registered.registration.code.to_string(),
                    door: seal::text::from_bytes(&paper.door),
                    rebuild: seal::text::from_bytes(&paper.rebuild),
                });
            }
            Ok(codes)
        })
    }

    pub fn is_burnt(&self) -> bool {
        self.burnt
    }

    /// A paper of another kiosk is shown here and sent on.
    pub async fn bring(&self, paper: &Codes) -> Result<(), Problem> {
        self.kiosk()?.bring_paper(&paper.door, Some(&paper.rebuild)).await
    }

    /// Its clock may have moved.
    pub fn note_clock(&mut self) {
        self.latest = self.latest.max(self.time.now());
    }

    /// The vault's file and key, to look at it past the product.
    pub fn vault(&self) -> (PathBuf, VaultKey) {
        (self.folder.join("vault.db"), self.key.clone())
    }

    pub fn kiosk(&self) -> Result<&Kiosk, Problem> {
        self.kiosk.as_ref().ok_or_else(|| problem("closed"))
    }

    /// Asked what day it is, the mediator says it rightly, or the first day the kiosk takes:
    /// its own time may have run ahead.
    pub async fn say_day(&self) -> Result<(), Problem> {
        let Some(from) = self.kiosk()?.home().await?.today_from else { return Ok(()) };
        let today = jiff::tz::TimeZone::UTC.to_datetime(self.time.true_now()).date().to_string();
        self.kiosk()?.declare_today(&today.max(from)).await
    }

    /// Begins a visit, types all of it and scans so many pages.
    pub async fn begin(&self, fields: DraftFields, pages: u64) -> Result<String, Problem> {
        self.say_day().await?;
        let kiosk = self.kiosk()?;
        let visit = kiosk.start_visit("fr").await?.visit;
        kiosk.save_draft(&visit, fields).await?;
        for _ in 0..pages {
            kiosk.scan_page(&visit).await?;
        }
        Ok(visit)
    }

    /// Confirms; none when the power went on the way (the kiosk is open again then).
    pub async fn confirm(&mut self, visit: &str, death: Option<Death>) -> Result<Option<DateView>, Problem> {
        self.say_day().await?;
        self.network.set_death(death);
        let network = Arc::clone(&self.network);
        let done = tokio::select! {
            biased;
            done = self.kiosk()?.confirm(visit) => Some(done?),
            () = network.died.notified() => None,
        };
        self.network.set_death(None);
        if done.is_none() {
            self.crash().await?;
        }
        Ok(done)
    }

    /// One exchange with central, which may fail; the power may go on the way.
    pub async fn exchange(&mut self, death: Option<Death>) -> Result<Result<(), Problem>, Problem> {
        self.network.set_death(death);
        let network = Arc::clone(&self.network);
        let done = tokio::select! {
            biased;
            done = self.kiosk()?.exchange() => Some(done),
            () = network.died.notified() => None,
        };
        self.network.set_death(None);
        match done {
            Some(done) => Ok(done),
            None => self.crash().await.map(Ok),
        }
    }

    /// An image of the disk as it is now, for [`Counter::restore`].
    pub async fn copy(&mut self) -> Result<(), Problem> {
        self.kiosk = None;
        copy_files(&self.folder, &self.folder.join("copy"))?;
        self.open().await
    }

    /// Is there an image to put back?
    pub fn has_copy(&self) -> bool {
        self.folder.join("copy").join("vault.db").exists()
    }

    /// Puts back the image of the disk made by [`Counter::copy`].
    pub async fn restore(&mut self) -> Result<(), Problem> {
        self.kiosk = None;
        copy_files(&self.folder.join("copy"), &self.folder)?;
        self.open().await
    }

    /// A second machine with a copy of this one's disk, as it is now.
    pub async fn twin(
        &mut self,
        folder: &Path,
        (time, random): (Time, Bytes),
        network: Arc<Network>,
    ) -> Result<Self, Problem> {
        self.kiosk = None;
        copy_files(&self.folder, folder)?;
        self.open().await?;
        let world = time.world(random.fill());
        let (folder, key, file) = (folder.to_owned(), self.key.clone(), self.file.clone());
        let latest = self.latest.max(time.now());
        let mut twin =
            Self { folder, key, file, world, time, random, latest, network, kiosk: None, burnt: false };
        twin.open().await?;
        Ok(twin)
    }
}

fn copy_files(from: &Path, to: &Path) -> Result<(), Problem> {
    std::fs::create_dir_all(to).map_err(|_| problem("disk_failed"))?;
    for name in ["vault.db", "vault.db-wal", "vault.db-shm"] {
        let _ = std::fs::remove_file(to.join(name));
        let _ = std::fs::copy(from.join(name), to.join(name));
    }
    Ok(())
}

fn remote(network: &Arc<Network>) -> HttpRemote {
    let transport: Arc<dyn Transport> = network.clone();
    HttpRemote::over(transport)
}

fn roster(site: &SiteId) -> Result<Roster, Problem> {
    let bad = || problem("roster");
    let params = Params::new(8, 1, 1, None).map_err(|_| bad())?;
    let salt = SaltString::encode_b64(&[7; 16]).map_err(|_| bad())?;
    let pin = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(PIN.as_bytes(), &salt)
        .map_err(|_| bad())?
        .to_string();
    let id = MediatorId::parse(MEDIATOR).map_err(|_| bad())?;
    Ok(Roster {
        site: site.clone(),
        version: 1,
        mediators: vec![RosterEntry { id, name: "Simulation".into(), pin, supervisor: false }],
    })
}
