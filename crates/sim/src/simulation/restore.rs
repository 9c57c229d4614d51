//! Central's database is put back to a backup. The lease log, on other storage, is there
//! or is lost with it.

use super::chance::Time;
use super::ledger::Fault;
use super::{FreeAtCentral, Ground, Leased, Plant, World, setup};
use central::keys::CentralKeys;
use central::lease_log::LeaseLog;
use central::{Central, Random};
use jiff::civil::Date;
use serde_json::Value;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use vault::VaultKey;

/// One restore in five finds the lease log gone too.
const LOG_LOST_PERCENT: u64 = 20;

/// What has happened to a seed, as far as it changes what must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Since {
    /// Nothing was put back, and every vault runs once.
    Undisturbed,
    /// The database was put back.
    Restored,
    /// A disk was put back or copied.
    DisksMoved,
}

pub type Archiving<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Backs up what a database holds of one site, and puts it back: what a restore does to
/// one seed while others use the same database. The simulation itself holds no SQL.
pub trait Archive: Send + Sync {
    /// A seed begins: nothing is left of the site, and no lease log has been followed yet.
    fn begin<'a>(&'a self, site: &'a str) -> Archiving<'a, ()>;
    /// No lease log has been followed, as far as the database knows.
    fn unfollowed(&self) -> Archiving<'_, ()>;
    fn back_up<'a>(&'a self, site: &'a str) -> Archiving<'a, Value>;
    fn restore<'a>(&'a self, site: &'a str, backup: &'a Value) -> Archiving<'a, ()>;
    /// The leased slots, read from a vault's file.
    fn leased<'a>(&'a self, vault: &'a Path, key: &'a VaultKey) -> Archiving<'a, Vec<Leased>>;
    /// What central could give between two days; none while it gives extra slots only.
    fn free_at_central<'a>(
        &'a self,
        site: &'a str,
        days: (Date, Date),
    ) -> Archiving<'a, Option<FreeAtCentral>>;
    /// Whoever's date is late is to be looked at now, however short ago that was done.
    fn late_are_due<'a>(&'a self, site: &'a str) -> Archiving<'a, ()>;
    /// Codes of people whose date lies after their time limit and who were never asked about another,
    /// although a day with time to tell them has room for one person more.
    fn late_unasked<'a>(&'a self, site: &'a str, today: Date) -> Archiving<'a, Vec<String>>;
    /// The rules its tables break, each with the invariant it belongs to.
    fn rules<'a>(&'a self, site: &'a str, since: Since) -> Archiving<'a, Vec<Fault>>;
    /// Another registration stands under this follow-up code: `CLASH-` and the code.
    fn clash<'a>(&'a self, site: &'a str, code: &'a str) -> Archiving<'a, ()>;
}

impl World<'_> {
    /// Makes a backup, or goes back to the one made before.
    pub(super) async fn restore_central(&mut self) -> Result<(), Fault> {
        if self.backup.is_some() {
            self.note_who_heard().await?;
        }
        let (ground, site) = (self.ground, self.site.as_str());
        let Some(backup) = self.backup.take() else {
            self.backup = Some(ground.archive.back_up(site).await.map_err(setup)?);
            self.tell("central: a backup is made".to_owned());
            return Ok(());
        };
        // The old central lets go of its log before the new one takes it.
        self.end_central();
        let (ground, site) = (self.ground, self.site.as_str());
        ground.archive.restore(site, &backup).await.map_err(setup)?;
        if domain::planted::on("lease_log_written_late") {
            written_late(&self.folder.join(LOG)).map_err(setup)?;
        }
        let log_lost = self.dice.below(100) < LOG_LOST_PERCENT || self.plant == Plant::LogIgnored;
        if log_lost {
            std::fs::remove_file(self.folder.join(LOG)).map_err(setup)?;
        }
        if self.plant == Plant::LogIgnored {
            ground.archive.unfollowed().await.map_err(setup)?;
        }
        let central = raise(ground, &self.keys, &self.folder, &self.time, &self.random.fill()).await?;
        self.lead_to(central);
        let site = self.site.as_str();
        let listed = central::admin::registrations(&ground.pool, site).await.map_err(setup)?;
        self.ledger.central_put_back(&listed);
        self.ledger.tally.restored += 1;
        let log = if log_lost { ", its lease log is lost" } else { "" };
        self.tell(format!("central: the database is put back to the backup{log}"));
        Ok(())
    }
}

/// The bug `lease_log_written_late`: the last line has not been written yet.
fn written_late(log: &Path) -> std::io::Result<()> {
    let text = std::fs::read_to_string(log)?;
    let before = text.trim_end().rfind('\n').map_or(0, |end| end + 1);
    std::fs::write(log, text.get(..before).unwrap_or_default())
}

const LOG: &str = "lease.log";

/// Central with these keys, on this seed's log.
pub(super) async fn raise(
    ground: &Ground,
    keys: &Path,
    folder: &Path,
    time: &Time,
    random: &Random,
) -> Result<Central, Fault> {
    let keys = CentralKeys::load(keys).map_err(setup)?;
    let central =
        Central::new(ground.pool.clone(), keys, time.clock(), Arc::clone(random)).await.map_err(setup)?;
    let log = LeaseLog::open(&folder.join(LOG), random).map_err(setup)?;
    central.following(log).await.map_err(setup)
}

impl World<'_> {
    /// Nobody reaches central, and it lets go of its lease log.
    pub(super) fn end_central(&mut self) {
        for counter in &self.counters {
            counter.network.lead_to(None);
        }
        self.central = None;
    }

    /// Everybody reaches this central.
    pub(super) fn lead_to(&mut self, central: Central) {
        let router = central::router(central.clone());
        for counter in &self.counters {
            counter.network.lead_to(Some(router.clone()));
        }
        self.central = Some(central);
    }
}
