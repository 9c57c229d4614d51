//! Central's database is put back to a backup. The lease log, on other storage, is there
//! or is lost with it.

use super::chance::Time;
use super::ledger::Fault;
use super::{Ground, Plant, World, setup};
use axum::Router;
use central::keys::CentralKeys;
use central::lease_log::LeaseLog;
use central::{Central, Random};
use serde_json::Value;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

/// One restore in five finds the lease log gone too.
const LOG_LOST_PERCENT: u64 = 20;

pub type Archiving<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Backs up what a database holds of one site, and puts it back: what a restore does to
/// one seed while others use the same database. The simulation itself holds no SQL.
pub trait Archive: Send + Sync {
    /// A seed begins: no lease log has been followed yet.
    fn begin(&self) -> Archiving<'_, ()>;
    fn back_up<'a>(&'a self, site: &'a str) -> Archiving<'a, Value>;
    fn restore<'a>(&'a self, site: &'a str, backup: &'a Value) -> Archiving<'a, ()>;
}

impl World<'_> {
    /// Makes a backup, or goes back to the one made before.
    pub(super) async fn restore_central(&mut self) -> Result<(), Fault> {
        let (ground, site) = (self.ground, self.site.as_str());
        let Some(backup) = self.backup.take() else {
            self.backup = Some(ground.archive.back_up(site).await.map_err(setup)?);
            return Ok(());
        };
        // The old central lets go of its log before the new one takes it.
        for counter in &self.counters {
            counter.network.lead_to(None);
        }
        ground.archive.restore(site, &backup).await.map_err(setup)?;
        if self.dice.below(100) < LOG_LOST_PERCENT || self.plant == Plant::LogIgnored {
            std::fs::remove_file(self.folder.join(LOG)).map_err(setup)?;
        }
        if self.plant == Plant::LogIgnored {
            ground.archive.begin().await.map_err(setup)?;
        }
        let router = raise(ground, &self.folder, &self.time, &self.random).await?;
        for counter in &self.counters {
            counter.network.lead_to(Some(router.clone()));
        }
        self.ledger.tally.restored += 1;
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
