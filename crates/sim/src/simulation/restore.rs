//! Central's database is put back to a backup. The lease log, on other storage, is there
//! or is lost with it.

use super::chance::Time;
use super::ledger::Fault;
use super::{Ground, Leased, Plant, World, setup};
use axum::Router;
use central::keys::CentralKeys;
use central::lease_log::LeaseLog;
use central::{Central, Random};
use jiff::civil::{Date, DateTime};
use serde_json::Value;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use vault::VaultKey;

/// One restore in five finds the lease log gone too.
const LOG_LOST_PERCENT: u64 = 20;

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
    /// The leased slots nobody has, read from a vault's file.
    fn leased<'a>(&'a self, vault: &'a Path, key: &'a VaultKey) -> Archiving<'a, Vec<Leased>>;
    /// An ordinary slot central could give, from this day on and before this moment.
    fn earlier_free<'a>(
        &'a self,
        site: &'a str,
        from: Date,
        before: DateTime,
    ) -> Archiving<'a, Option<String>>;
    /// The rules its tables break, each with the invariant it belongs to. `disturbed`: a disk
    /// or the database was put back, or a vault runs twice.
    fn rules<'a>(&'a self, site: &'a str, disturbed: bool) -> Archiving<'a, Vec<Fault>>;
}

impl World<'_> {
    /// Makes a backup, or goes back to the one made before.
    pub(super) async fn restore_central(&mut self) -> Result<(), Fault> {
        let (ground, site) = (self.ground, self.site.as_str());
        let Some(backup) = self.backup.take() else {
            self.backup = Some(ground.archive.back_up(site).await.map_err(setup)?);
            self.tell("central: a backup is made".to_owned());
            return Ok(());
        };
        // The old central lets go of its log before the new one takes it.
        for counter in &self.counters {
            counter.network.lead_to(None);
        }
        ground.archive.restore(site, &backup).await.map_err(setup)?;
        let log_lost = self.dice.below(100) < LOG_LOST_PERCENT || self.plant == Plant::LogIgnored;
        if log_lost {
            std::fs::remove_file(self.folder.join(LOG)).map_err(setup)?;
        }
        if self.plant == Plant::LogIgnored {
            ground.archive.unfollowed().await.map_err(setup)?;
        }
        let router = raise(ground, &self.folder, &self.time, &self.random.fill()).await?;
        for counter in &self.counters {
            counter.network.lead_to(Some(router.clone()));
        }
        let listed = central::admin::registrations(&ground.pool, site).await.map_err(setup)?;
        self.ledger.central_put_back(&listed);
        self.ledger.tally.restored += 1;
        let log = if log_lost { ", its lease log is lost" } else { "" };
        self.tell(format!("central: the database is put back to the backup{log}"));
        Ok(())
    }
}

const LOG: &str = "lease.log";

/// Central on this seed's log.
pub(super) async fn raise(
    ground: &Ground,
    folder: &Path,
    time: &Time,
    random: &Random,
) -> Result<Router, Fault> {
    let keys = CentralKeys::load(&ground.keys).map_err(setup)?;
    let central =
        Central::new(ground.pool.clone(), keys, time.clock(), Arc::clone(random)).await.map_err(setup)?;
    let log = LeaseLog::open(&folder.join(LOG), random).map_err(setup)?;
    Ok(central::router(central.following(log).await.map_err(setup)?))
}
