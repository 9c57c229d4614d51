//! The simulation: one seed chooses everything that happens to three kiosks (real
//! vaults, real use cases) and to central's own router on a real PostgreSQL, and the
//! invariants of the design are checked. Nothing in it is timed or left to chance.
//!
//! Network, clock, ids and crashes are simulated; documents are left out. Checked: I1
//! (one slot, one holder), I2 (certain duplicates linked), I3 (no date moves later), I6
//! (what is kept survives, and central has the date on the paper), and that nobody is
//! convened for a day gone by or left without a date.

mod chance;
mod counter;
mod disks;
mod ledger;
mod network;
mod people;
mod planted;
mod restore;

use app::contract::{DateSource, DateView, Problem};
use central::Random;
use central::admin::NewSite;
use chance::{Dice, Time};
use counter::Counter;
use domain::calendar::Pattern;
use domain::ids::SiteId;
use jiff::civil::{Date, Time as CivilTime};
use jiff::tz::TimeZone;
use ledger::{Fault, Ledger};
use network::{Death, Link, Network};
use people::Certain;
pub use planted::Plant;
use planted::Planted;
pub use restore::{Archive, Archiving};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const KIOSKS: usize = 3;
/// Moves of one seed.
const MOVES: usize = 32;
/// Rounds in which everything must be settled once the network is whole.
const ROUNDS: usize = 3;
const ZONE: &str = "Europe/Paris";
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// What a seed broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub seed: u64,
    /// Name of the invariant in the design, or `set-up`.
    pub invariant: &'static str,
    pub step: usize,
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, invariant, step, what } = self;
        write!(f, "seed {seed} broke {invariant} at step {step}: {what}")
    }
}

/// What happened in seeds that held: a simulation in which nothing happens holds too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub online: u64,
    pub lease: u64,
    pub rank: u64,
    pub crashes: u64,
    /// Disks put back to an earlier image.
    pub older: u64,
    /// Machines started on a copy of another's disk.
    pub twins: u64,
    /// Centrals restored from a backup.
    pub restored: u64,
    /// Follow-up codes and dates, in the order they were shown: a seed's fingerprint.
    pub shown: Vec<String>,
}

impl Tally {
    fn count(&mut self, view: &DateView) {
        match view.source {
            DateSource::Online => self.online += 1,
            DateSource::Lease => self.lease += 1,
            DateSource::Rank => self.rank += 1,
        }
        self.shown.push(format!("{} {}", view.code, view.slot_at.as_deref().unwrap_or("ranked")));
    }

    pub fn add(&mut self, other: Self) {
        self.online += other.online;
        self.lease += other.lease;
        self.rank += other.rank;
        self.crashes += other.crashes;
        self.older += other.older;
        self.twins += other.twins;
        self.restored += other.restored;
        self.shown.extend(other.shown);
    }
}

/// What the seeds of one thread share: a migrated database with one connection (no two
/// requests of a seed ever race), central's keys, a folder.
pub struct Ground {
    pool: central::Pool,
    keys: PathBuf,
    folder: PathBuf,
    site_key: String,
    archive: Box<dyn Archive>,
}

impl Ground {
    /// Migrates the database at `url` and makes keys in `folder`.
    ///
    /// # Errors
    /// The database or the folder cannot be used.
    pub async fn prepare(
        url: &str,
        folder: &Path,
        archive: Box<dyn Archive>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let pool = central::connect_with(url, 1).await?;
        central::migrate(&pool).await?;
        let keys = folder.join("keys");
        std::fs::create_dir_all(&keys)?;
        let random: Random = chance::bytes(0, 0);
        central::keys::make(&keys, start(0).now(), &random)?;
        let site_key = age::x25519::Identity::generate().to_public().to_string();
        Ok(Self { pool, keys, folder: folder.to_owned(), site_key, archive })
    }

    /// Runs one seed to its end.
    ///
    /// # Errors
    /// The first invariant that did not hold.
    pub async fn run(&self, seed: u64, plant: Plant) -> Result<Tally, Broken> {
        let folder = self.folder.join(format!("{seed:X}"));
        let mut step = 0;
        let done = match World::new(self, seed, plant, &folder).await {
            Ok(mut world) => world.live(&mut step).await.map(|()| world.ledger.tally),
            Err(fault) => Err(fault),
        };
        let _ = std::fs::remove_dir_all(&folder);
        done.map_err(|(invariant, what)| Broken { seed, invariant, step, what })
    }
}

/// Any failure on the way to the first move.
fn setup(cause: impl fmt::Debug) -> Fault {
    ("set-up", format!("{cause:?}"))
}

fn start(seed: u64) -> Time {
    // A Monday in March 2027, and up to a year after it: holidays and summer time too.
    let days = i64::try_from(seed % 365).unwrap_or(0);
    Time::new(jiff::Timestamp::from_second(1_803_891_600 + days * DAY).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
}

struct World<'g> {
    ground: &'g Ground,
    seed: u64,
    plant: Plant,
    site: SiteId,
    time: Time,
    dice: Dice,
    counters: Vec<Counter>,
    /// Visits begun whose date has not been shown.
    open: Vec<(usize, String, Certain)>,
    ledger: Ledger,
    folder: PathBuf,
    /// Where central's randomness comes from.
    random: Random,
    backup: Option<serde_json::Value>,
    /// No more power cuts: everything comes to rest.
    calm: bool,
}

impl<'g> World<'g> {
    async fn new(ground: &'g Ground, seed: u64, plant: Plant, folder: &Path) -> Result<Self, Fault> {
        let (time, mut dice) = (start(seed), Dice::new(seed, 1));
        let site = SiteId::parse(&format!("{seed:X}")).ok_or_else(|| setup("site id"))?;
        let random: Random = chance::bytes(seed, 2);
        let from = time.now().to_zoned(TimeZone::UTC).date();
        let new = NewSite {
            id: site.as_str().to_owned(),
            name: "Simulation".to_owned(),
            address: vec!["1 rue de la Paix".to_owned()],
            phone: None,
            zone: ZONE.to_owned(),
            holidays: "metropolitan".to_owned(),
            site_key: ground.site_key.clone(),
            lease_slots: i16::try_from(dice.below(7)).unwrap_or(4),
            from,
        };
        central::admin::site(&ground.pool, &new).await.map_err(setup)?;
        for name in ["A", "B"].into_iter().take(1 + dice.index(2)) {
            let hours = i8::try_from(10 + dice.below(3)).unwrap_or(11);
            let pattern = Pattern {
                weekdays: vec![1, 2, 3, 4, 5],
                opens: hour(9),
                closes: hour(hours),
                every_minutes: 60,
                from,
                until: None,
            };
            central::admin::counter(&ground.pool, site.as_str(), name, &[pattern]).await.map_err(setup)?;
        }
        std::fs::create_dir_all(folder).map_err(setup)?;
        ground.archive.begin().await.map_err(setup)?;
        // Yesterday's backup may be older than the kiosks themselves.
        let early = dice.chance(50);
        let planted = Planted::of(plant, slot_seed(&ground.keys)?);
        let router = restore::raise(ground, folder, &time, &random).await?;
        let backup = match early {
            true => Some(ground.archive.back_up(site.as_str()).await.map_err(setup)?),
            false => None,
        };
        let mut counters = Vec::new();
        for n in 0..KIOSKS {
            let code = central::admin::code(&ground.pool, site.as_str(), time.now(), &random)
                .await
                .map_err(setup)?;
            let code = code.get("code").and_then(|code| code.as_str()).unwrap_or_default().to_owned();
            let stream = u64::try_from(n).unwrap_or(0);
            let network =
                Arc::new(Network::new(Some(router.clone()), Dice::new(seed, 10 + stream), planted.clone()));
            let own = (time.beside(), chance::bytes(seed, 20 + stream));
            let counter = Counter::enrol(&folder.join(n.to_string()), &site, &code, own, network).await;
            counters.push(counter.map_err(setup)?);
        }
        Ok(Self {
            ground,
            seed,
            plant,
            site,
            time,
            dice,
            counters,
            open: Vec::new(),
            ledger: Ledger::default(),
            folder: folder.to_owned(),
            random,
            backup,
            calm: false,
        })
    }

    async fn live(&mut self, step: &mut usize) -> Result<(), Fault> {
        for at in 0..KIOSKS {
            let _ = self.counter(at)?.exchange(None).await.map_err(lost)?;
            self.network(at)?;
        }
        for _ in 0..MOVES {
            *step += 1;
            let at = self.dice.index(self.counters.len());
            match self.dice.below(107) {
                0..34 => self.register(at).await?,
                34..42 => self.take_up(at).await?,
                42..48 => self.look_again().await?,
                48..66 => self.exchange(at).await?,
                66..80 => self.pass(),
                80..84 => self.wrong_clock(at),
                84..93 => self.network(at)?,
                93..100 => self.crash(at).await?,
                100..103 => self.older_disk(at).await?,
                103 => self.twin(at).await?,
                _ => self.restore_central().await?,
            }
        }
        *step += 1;
        self.settle().await
    }

    fn counter(&mut self, at: usize) -> Result<&mut Counter, Fault> {
        self.counters.get_mut(at).ok_or_else(|| setup("no such counter"))
    }

    async fn register(&mut self, at: usize) -> Result<(), Fault> {
        let (fields, certain) = people::somebody(&mut self.dice, self.seed);
        let visit = self.counter(at)?.begin(fields).await.map_err(dead_end)?;
        self.open.push((at, visit, certain));
        let last = self.open.len() - 1;
        if self.plant == Plant::VaultRestored && self.ledger.kept.is_empty() {
            let counter = self.counter(at)?;
            counter.copy().await.map_err(lost)?;
            self.confirm(last).await?;
            self.counter(at)?.restore().await.map_err(lost)?;
            return self.same(at).await;
        }
        if self.dice.chance(85) { self.confirm(last).await } else { Ok(()) }
    }

    /// Confirms a visit that has no date yet, perhaps days after it was begun.
    async fn take_up(&mut self, at: usize) -> Result<(), Fault> {
        match self.open.iter().position(|(counter, ..)| *counter == at) {
            Some(open) => self.confirm(open).await,
            None => self.exchange(at).await,
        }
    }

    async fn confirm(&mut self, open: usize) -> Result<(), Fault> {
        let Some((at, visit, certain)) = self.open.get(open).cloned() else { return Ok(()) };
        let death = self.death();
        let today = self.today(at);
        let view = match self.counter(at)?.confirm(&visit, death).await {
            Ok(view) => view,
            // A term given in days may have passed while the draft lay there.
            Err(problem) if problem.code == "draft_incomplete" => None,
            Err(problem) => return Err(dead_end(problem)),
        };
        match view {
            Some(view) => {
                self.open.remove(open);
                self.ledger.shown(at, certain, &view, today)
            }
            None => {
                self.ledger.tally.crashes += 1;
                self.same(at).await
            }
        }
    }

    /// Asks for a date that was shown before.
    async fn look_again(&mut self) -> Result<(), Fault> {
        if self.ledger.kept.is_empty() {
            return Ok(());
        }
        let nth = self.dice.index(self.ledger.kept.len());
        let Some(kept) = self.ledger.kept.values().nth(nth) else { return Ok(()) };
        if kept.paper_only || kept.gone {
            return Ok(());
        }
        let (at, visit, certain) = (kept.counter, kept.visit.clone(), kept.certain);
        let today = self.today(at);
        let view = self.counter(at)?.confirm(&visit, None).await.map_err(lost)?;
        view.map_or(Ok(()), |view| self.ledger.shown(at, certain, &view, today))
    }

    async fn exchange(&mut self, at: usize) -> Result<(), Fault> {
        let death = self.death();
        // It may fail: the network may be down. What is kept is looked at in the end.
        let _ = self.counter(at)?.exchange(death).await.map_err(lost)?;
        Ok(())
    }

    fn pass(&mut self) {
        let seconds = match self.dice.below(10) {
            0..5 => self.dice.between(MINUTE, 4 * HOUR),
            5..9 => self.dice.between(DAY / 2, 3 * DAY),
            _ => self.dice.between(5 * DAY, 40 * DAY),
        };
        self.time.pass(seconds);
    }

    /// A kiosk's own clock is set, rightly or not.
    fn wrong_clock(&mut self, at: usize) {
        let offset = if self.dice.chance(40) { 0 } else { self.dice.between(-30 * HOUR, 3 * HOUR) };
        if let Some(counter) = self.counters.get(at) {
            counter.time.set_offset(offset);
        }
    }

    fn network(&mut self, at: usize) -> Result<(), Fault> {
        let link = match self.dice.below(10) {
            0..3 => Link::Up,
            3..7 => Link::Down,
            _ => Link::Bad,
        };
        self.counter(at)?.network.set(link);
        Ok(())
    }

    async fn crash(&mut self, at: usize) -> Result<(), Fault> {
        self.ledger.tally.crashes += 1;
        self.counter(at)?.crash().await.map_err(lost)?;
        self.same(at).await
    }

    /// One time in eight the power goes, at one of the next messages.
    fn death(&mut self) -> Option<Death> {
        let dies = self.dice.chance(12);
        (dies && !self.calm).then(|| Death { after: self.dice.below(3), arrived: self.dice.chance(60) })
    }

    /// Everything this kiosk has shown is still there, as it was shown.
    async fn same(&mut self, at: usize) -> Result<(), Fault> {
        let today = self.today(at);
        let kept: Vec<(String, Certain)> = self
            .ledger
            .kept
            .values()
            .filter(|kept| kept.counter == at && !kept.paper_only && !kept.gone)
            .map(|kept| (kept.visit.clone(), kept.certain))
            .collect();
        for (visit, certain) in kept {
            let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
            let view = kiosk.date(&visit).await.map_err(lost)?;
            self.ledger.shown(at, certain, &view, today)?;
        }
        Ok(())
    }

    /// The network is whole again: everything must come to rest, and hold.
    async fn settle(&mut self) -> Result<(), Fault> {
        self.calm = true;
        for counter in &self.counters {
            counter.network.set(Link::Up);
            counter.network.set_death(None);
        }
        for round in 1..=ROUNDS {
            for at in 0..self.counters.len() {
                while round == 1
                    && let Some(open) = self.open.iter().position(|(counter, ..)| *counter == at)
                {
                    let before = self.open.len();
                    self.confirm(open).await?;
                    if self.open.len() == before {
                        self.open.remove(open);
                    }
                }
                let done = self.counter(at)?.exchange(None).await.map_err(lost)?;
                if let (Err(problem), true) = (done, round > 1) {
                    return Err((
                        "I6",
                        format!("no exchange with a whole network: {problem} {:?}", problem.args),
                    ));
                }
            }
        }
        for at in 0..self.counters.len() {
            self.crash(at).await?;
            let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
            kiosk.check_vault().await.map_err(lost)?;
            let status = kiosk.status().await.map_err(lost)?;
            let journal = status.get("journal").cloned().unwrap_or_default();
            let count =
                |state: &str| journal.get(state).and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
            if count("waiting") + count("held") + count("set_aside") > 0 {
                return Err(("I6", format!("records not applied at central: {journal}")));
            }
        }
        let site = self.site.as_str();
        let listed = central::admin::registrations(&self.ground.pool, site).await.map_err(setup)?;
        let links = match self.plant {
            Plant::LinksForgotten => serde_json::json!({ "links": [] }),
            _ => central::admin::links(&self.ground.pool, site).await.map_err(setup)?,
        };
        self.ledger.against_central(&listed)?;
        self.ledger.duplicates(&listed, &links)
    }

    /// A day surely not after the kiosk's own: clocks that are off count their least.
    fn today(&self, at: usize) -> Date {
        let own = self.counters.get(at).map_or_else(|| self.time.now(), |counter| counter.time.now());
        let earliest = own.min(self.time.now());
        TimeZone::get(ZONE).map_or(Date::MIN, |zone| zone.to_datetime(earliest).date())
    }
}

fn hour(hour: i8) -> CivilTime {
    CivilTime::new(hour, 0, 0, 0).unwrap_or(CivilTime::MIN)
}

/// A session that ends without a date.
fn dead_end(problem: Problem) -> Fault {
    ("I5", format!("no date: {problem} {:?}", problem.args))
}

/// A kiosk that has lost what it kept, or cannot show it.
fn lost(problem: Problem) -> Fault {
    ("I6", format!("{problem} {:?}", problem.args))
}

fn slot_seed(keys: &Path) -> Result<[u8; 32], Fault> {
    let bytes = std::fs::read(keys.join(central::keys::CENTRAL_KEYS)).map_err(setup)?;
    let file: serde_json::Value = serde_json::from_slice(&bytes).map_err(setup)?;
    let seed = file.get("slot").and_then(serde_json::Value::as_str).unwrap_or_default();
    hex::decode(seed).map_err(setup)?.try_into().map_err(setup)
}
