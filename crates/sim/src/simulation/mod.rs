//! The simulation: one seed chooses everything that happens to three kiosks (real
//! vaults, real use cases) and to central's own router on a real PostgreSQL, and the
//! invariants of the design are checked. Nothing in it is timed or left to chance.
//!
//! Network, clock, ids and crashes are simulated; documents are left out. Checked: I1
//! (one slot, one holder), I2 (certain duplicates linked), I3 (no date moves later), I6
//! (what is kept survives, and central has the date on the paper), and that nobody is
//! convened for a day gone by or left without a date.

mod afterwards;
mod agree;
mod chance;
mod closure;
mod counter;
mod disks;
mod elsewhere;
mod events;
mod fair;
mod ledger;
mod moves;
mod network;
mod offers;
mod people;
mod planted;
mod restore;
mod roster;
mod settle;
mod shrink;
mod the_day;
mod together;

use app::contract::{DateSource, DateView, Problem};
use central::Random;
use central::admin::NewSite;
pub use chance::Dice;
use chance::{Bytes, Time};
use counter::Counter;
use domain::calendar::Pattern;
use domain::ids::SiteId;
pub use fair::{FreeAtCentral, Leased};
use jiff::civil::{Date, DateTime, Time as CivilTime};
use jiff::tz::TimeZone;
pub use ledger::Fault;
use ledger::Ledger;
use moves::{MOVES, Move};
use network::Network;
use people::Certain;
use planted::Planted;
pub use planted::{Bug, Plant};
pub use restore::{Archive, Archiving, Since};
use roster::Staff;
use seal::ring::{KeyRing, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const KIOSKS: usize = 3;
/// A page of one white point, as PNG in hexadecimal.
const PAGE: &str = "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a4944415478da63f80f0001\
    0101001cb08c990000000049454e44ae426082";
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
    /// What happened until then, a line a move.
    pub story: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, invariant, step, what, .. } = self;
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
    /// Dates inside a closure that were moved, as their kiosk showed them.
    pub moved: u64,
    /// Appointments given up, time limits declared after the registration, and earlier dates taken
    /// when they were offered.
    pub given_up: u64,
    pub learnt: u64,
    pub taken: u64,
    /// People who came back after giving theirs up, names put right, earlier dates declined, and
    /// earlier dates given to whoever accepts any.
    pub returned: u64,
    pub corrected: u64,
    pub declined: u64,
    pub ahead: u64,
    /// People received on their day, those said not to have come, and dates given to them since.
    pub came: u64,
    pub absent: u64,
    pub dated_again: u64,
    /// What people said at another kiosk than their paper's, and cancellations by telephone.
    pub elsewhere: u64,
    pub called: u64,
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
        self.moved += other.moved;
        self.given_up += other.given_up;
        self.learnt += other.learnt;
        self.taken += other.taken;
        self.returned += other.returned;
        self.corrected += other.corrected;
        self.declined += other.declined;
        self.ahead += other.ahead;
        self.came += other.came;
        self.absent += other.absent;
        self.dated_again += other.dated_again;
        self.elsewhere += other.elsewhere;
        self.called += other.called;
        self.shown.extend(other.shown);
    }
}

/// What the seeds of one thread share: a migrated database with one connection (no two
/// requests of a seed ever race), central's keys, a folder.
pub struct Ground {
    pool: central::Pool,
    keys: PathBuf,
    /// The same folder with new signing keys, and the ids of those they follow.
    renewed: PathBuf,
    retired: Vec<String>,
    /// The id of the acknowledgement key in `keys`.
    signer: String,
    folder: PathBuf,
    site_key: String,
    archive: Box<dyn Archive>,
    /// What lies on every scanner.
    page: PathBuf,
    /// What verifies papers.
    ring: KeyRing,
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
        let ring = keys.join(central::keys::RING);
        if !ring.exists() {
            let random: Random = Bytes::new(0, 0).fill();
            central::keys::make(&keys, start(0).now(), &random)?;
        }
        let (renewed, retired) = renew(folder, &keys)?;
        let ring = serde_json::from_slice(&std::fs::read(renewed.join(central::keys::RING))?)?;
        let site_key = age::x25519::Identity::generate().to_public().to_string();
        let page = folder.join("page.png");
        std::fs::write(&page, hex::decode(PAGE)?)?;
        let signer = retired.last().cloned().unwrap_or_default();
        Ok(Self {
            pool,
            keys,
            renewed,
            retired,
            signer,
            folder: folder.to_owned(),
            site_key,
            archive,
            page,
            ring,
        })
    }

    /// Runs one seed to its end.
    ///
    /// # Errors
    /// The first invariant that did not hold.
    pub async fn run(&self, seed: u64, plant: Plant) -> Result<Tally, Broken> {
        self.run_script(seed, plant, &moves::script(seed)).await
    }

    /// Some of the moves of a seed, each as it was among all of them.
    async fn run_script(&self, seed: u64, plant: Plant, script: &[Move]) -> Result<Tally, Broken> {
        let folder = self.folder.join(format!("{seed:X}"));
        let mut step = 0;
        let (done, story) = match World::new(self, seed, plant, &folder).await {
            Ok(mut world) => {
                let lived = world.live(script, &mut step).await;
                (lived.map(|()| world.ledger.tally), world.story)
            }
            Err(fault) => (Err(fault), Vec::new()),
        };
        let _ = std::fs::remove_dir_all(&folder);
        // Nothing of this seed goes on while others run.
        let _ = self.archive.begin(&format!("{seed:X}")).await;
        done.map_err(|(invariant, what)| Broken { seed, invariant, step, what, story })
    }
}

/// A copy of central's keys with new ones that sign, made once.
fn renew(
    folder: &Path,
    keys: &Path,
) -> Result<(PathBuf, Vec<String>), Box<dyn std::error::Error + Send + Sync>> {
    let renewed = folder.join("renewed");
    let mut retired = Vec::new();
    if renewed.exists() {
        std::fs::remove_dir_all(&renewed)?;
    }
    std::fs::create_dir_all(&renewed)?;
    for file in [central::keys::CENTRAL_KEYS, central::keys::RING] {
        std::fs::copy(keys.join(file), renewed.join(file))?;
    }
    let random: Random = Bytes::new(0, 1).fill();
    for role in [Role::Slot, Role::Acknowledgement] {
        let root = keys.join(central::keys::ROOT);
        let renewal = central::keys::renew(&renewed, &root, role, start(0).now(), &random)?;
        retired.push(hex::encode(renewal.old.0));
    }
    Ok((renewed, retired))
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
    /// When each visit was begun.
    begun: BTreeMap<String, jiff::Timestamp>,
    ledger: Ledger,
    folder: PathBuf,
    /// Visits of people who come with others.
    together: BTreeSet<String>,
    /// Machines whose clock was ever set wrongly.
    clocks_off: BTreeSet<usize>,
    /// Visits central may have been asked about.
    asked: BTreeSet<(usize, String)>,
    story: Vec<String>,
    /// Where central's randomness comes from.
    random: Bytes,
    backup: Option<serde_json::Value>,
    /// The folder of the keys central runs with.
    keys: PathBuf,
    /// None while it is down.
    central: Option<central::Central>,
    staff: Staff,
    /// No more power cuts: everything comes to rest.
    calm: bool,
}

impl<'g> World<'g> {
    async fn new(ground: &'g Ground, seed: u64, plant: Plant, folder: &Path) -> Result<Self, Fault> {
        let (time, mut dice) = (start(seed), Dice::new(seed, 1));
        let site = SiteId::parse(&format!("{seed:X}")).ok_or_else(|| setup("site id"))?;
        let random = Bytes::new(seed, 2);
        let from = time.now().to_zoned(TimeZone::UTC).date();
        let new = NewSite {
            id: site.as_str().to_owned(),
            name: "Simulation".to_owned(),
            address: vec!["1 rue de la Paix".to_owned()],
            phone: None,
            zone: ZONE.to_owned(),
            holidays: "metropolitan".to_owned(),
            site_key: ground.site_key.clone(),
            // One site in seven has leases sized by what its kiosks see.
            lease_slots: i16::try_from(dice.below(7)).ok().filter(|slots| *slots < 6),
            kind: domain::calendar::SiteKind::Fixed,
            from,
        };
        ground.archive.begin(site.as_str()).await.map_err(setup)?;
        central::admin::site(&ground.pool, &new).await.map_err(setup)?;
        for name in ["A", "B"].into_iter().take(1 + dice.index(2)) {
            let hours = i8::try_from(10 + dice.below(3)).unwrap_or(11);
            let pattern = Pattern {
                weekdays: vec![1, 2, 3, 4, 5],
                opens: hour(9),
                closes: hour(hours),
                every_minutes: 60,
                capacity: 1,
                procedures: domain::procedure::ProcedureSet::ALL,
                from,
                until: None,
            };
            central::admin::counter(&ground.pool, site.as_str(), name, &[pattern]).await.map_err(setup)?;
        }
        std::fs::create_dir_all(folder).map_err(setup)?;
        // Yesterday's backup may be older than the kiosks themselves.
        let early = dice.chance(50);
        let planted = Planted::of(plant, slot_seed(&ground.keys)?);
        let central = restore::raise(ground, &ground.keys, folder, &time, &random.fill()).await?;
        let router = central::router(central.clone());
        let backup = match early {
            true => Some(ground.archive.back_up(site.as_str()).await.map_err(setup)?),
            false => None,
        };
        let mut counters = Vec::new();
        for n in 0..KIOSKS {
            let code = central::admin::code(&ground.pool, site.as_str(), time.now(), &random.fill())
                .await
                .map_err(setup)?;
            let code = code.get("code").and_then(|code| code.as_str()).unwrap_or_default().to_owned();
            let stream = u64::try_from(n).unwrap_or(0);
            let network = Arc::new(Network::new(
                Some(router.clone()),
                Dice::new(seed, 10 + stream),
                planted.clone(),
                &ground.signer,
            ));
            let own = (time.beside(), Bytes::new(seed, 20 + stream));
            let counter =
                Counter::enrol(&folder.join(n.to_string()), &site, &code, own, network, &ground.page).await;
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
            begun: BTreeMap::new(),
            together: BTreeSet::new(),
            clocks_off: BTreeSet::new(),
            asked: BTreeSet::new(),
            story: Vec::new(),
            ledger: Ledger::new(ground.ring.clone()),
            folder: folder.to_owned(),
            random,
            backup,
            keys: ground.keys.clone(),
            central: Some(central),
            staff: Staff::default(),
            calm: false,
        })
    }

    async fn live(&mut self, script: &[Move], step: &mut usize) -> Result<(), Fault> {
        for at in 0..KIOSKS {
            let _ = self.counter(at)?.exchange(None).await.map_err(lost)?;
            self.network(at)?;
        }
        let events = events::events(self.seed, &moves::script(self.seed));
        for next in script {
            *step = usize::try_from(next.n).unwrap_or(usize::MAX);
            if let Some(event) = events.get(&next.n) {
                self.turn(MOVES + next.n);
                self.happen(*event).await?;
            }
            self.act(*next).await?;
        }
        *step += 1;
        self.settle().await
    }

    fn counter(&mut self, at: usize) -> Result<&mut Counter, Fault> {
        self.counters.get_mut(at).ok_or_else(|| setup("no such counter"))
    }

    /// A day surely not after the kiosk's own: clocks that are off count their least.
    fn today(&self, at: usize) -> Date {
        let own = self.counters.get(at).map_or_else(|| self.time.now(), |counter| counter.time.now());
        let earliest = own.min(self.time.now());
        civil(earliest).date()
    }

    /// A day surely not before the kiosk's own: the latest its clock has ever shown.
    fn latest_day(&self, at: usize) -> Date {
        let own = self.counters.get(at).map_or_else(|| self.time.now(), |counter| counter.latest);
        civil(own.max(self.time.now())).date()
    }

    fn civil_now(&self) -> DateTime {
        civil(self.time.now())
    }
}

fn civil(at: jiff::Timestamp) -> DateTime {
    TimeZone::get(ZONE).map_or(DateTime::MIN, |zone| zone.to_datetime(at))
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
