//! The reference central service: waitlist, dates, leases, acknowledgements.
//!
//! Keeps no state of its own but its keys: everything else is in PostgreSQL, so any
//! number of it run side by side. Never lists free slots to anyone.

pub mod admin;
mod agent;
mod annulment;
mod arrivals;
pub mod audit;
mod busy;
pub mod calendar;
mod chain;
mod changes;
mod claim;
mod company;
mod correction;
mod dates;
pub mod delivery;
pub mod desk;
mod device;
mod each_site;
mod endpoints;
pub mod erase;
mod extra;
mod journal;
pub mod keys;
mod kiosk_seen;
pub mod lease_log;
mod lists;
mod missed;
mod nearby;
mod offers;
mod openapi;
mod openapi_shapes;
mod own_channel;
mod paper;
mod pick;
mod planted;
mod problem;
mod reconfirm;
mod redate;
mod registered;
mod reserve;
pub mod serve;
mod sites;
mod store;
mod task;
mod transfer;
mod tus;
mod undated;
mod upload;
mod words;

pub use endpoints::{ROUTES, router};
pub use problem::Refusal;
pub use store::{MigrateFailure, check_schema, connect, connect_with, migrate};

use jiff::Timestamp;
use keys::CentralKeys;
use lease_log::LeaseLog;
use seal::certificate::DeviceCertificate;
/// The connections a central works with.
pub use sqlx::PgPool as Pool;
use sqlx::{PgPool, Row as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Semaphore;

/// Where the time comes from: the machine's clock in service, a simulated one in tests.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Where randomness comes from. Fills the whole buffer.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Everything a request needs.
#[derive(Clone)]
pub struct Central {
    pool: PgPool,
    keys: Arc<CentralKeys>,
    clock: Clock,
    random: Random,
    lease_log: Option<Arc<LeaseLog>>,
    /// What left central before a restore is not known: only extra slots are given.
    extras_only: Arc<AtomicBool>,
    /// The turns of pushes.
    pushes: Arc<Semaphore>,
}

impl Central {
    /// Takes a migrated database; records an older version let wait are taken up.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn new(
        pool: PgPool,
        keys: CentralKeys,
        clock: Clock,
        random: Random,
    ) -> Result<Self, sqlx::Error> {
        journal::take_up_waiting(&pool).await?;
        let extras_only = Arc::new(AtomicBool::new(lease_log::was_followed(&pool).await?));
        let keys = Arc::new(keys);
        let pushes = Arc::new(Semaphore::new(store::PUSHES_AT_ONCE));
        Ok(Self { pool, keys, clock, random, lease_log: None, extras_only, pushes })
    }

    /// Follows the lease log to its end, and from now on gives and lends nothing that does
    /// not stand in it. Without one, a database that followed a log before gives extra
    /// slots only.
    ///
    /// # Errors
    /// The database or the log fails.
    pub async fn following(self, log: LeaseLog) -> Result<Self, Refusal> {
        self.follow(Arc::new(log)).await
    }

    /// The same, and none when this is not the log the database has followed so far. One that
    /// has followed none takes any.
    ///
    /// # Errors
    /// As [`Central::following`].
    pub async fn following_its_own(self, log: LeaseLog) -> Result<Option<Self>, Refusal> {
        let log = Arc::new(log);
        match lease_log::is_followed(&self.pool, &log).await? {
            true => Ok(Some(self.follow(log).await?)),
            false => Ok(None),
        }
    }

    /// Sites this log names after where the database stands in it, and that the database does not
    /// have with a counter: they came after its backup. What they gave cannot be known again before
    /// they are made again.
    ///
    /// # Errors
    /// The database or the log fails.
    pub async fn sites_to_make(&self, log: &LeaseLog) -> Result<Vec<String>, Refusal> {
        lease_log::sites_to_make(&self.pool, log).await
    }

    async fn follow(mut self, log: Arc<LeaseLog>) -> Result<Self, Refusal> {
        let extras_only = lease_log::follow(&self, &log).await?;
        self.extras_only.store(extras_only, Ordering::Release);
        self.lease_log = Some(log);
        Ok(self)
    }

    /// Is there a log at all that the database has followed?
    ///
    /// # Errors
    /// The database fails.
    pub async fn has_followed_a_log(&self) -> Result<bool, Refusal> {
        Ok(lease_log::was_followed(&self.pool).await?)
    }

    /// Is this the central that enrolled the kiosks of this database? Its ring vouches for the
    /// newest of them, or there is none yet.
    ///
    /// # Errors
    /// The database fails.
    pub async fn knows_its_kiosks(&self) -> Result<bool, Refusal> {
        let row = sqlx::query("SELECT certificate FROM kiosk ORDER BY enrolled_s DESC, id LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(true) };
        let certificate = DeviceCertificate::from_bytes(row.try_get(0)?);
        Ok(certificate.is_some_and(|certificate| certificate.is_by(&self.keys.ring) == Some(true)))
    }

    /// The ids of those keys of this central's that are retired from signing.
    ///
    /// # Errors
    /// The database fails.
    pub async fn retired_keys(&self) -> Result<Vec<String>, Refusal> {
        let ids = [self.keys.slot.key_id(), self.keys.acknowledgement.key_id()];
        let ids = ids.map(|id| id.0.to_vec()).to_vec();
        let rows =
            sqlx::query("SELECT encode(key, 'hex') FROM retired_key WHERE key = ANY ($1) ORDER BY key")
                .bind(ids)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Are only extra slots given, since what left central before is not known?
    #[must_use]
    pub fn extras_only(&self) -> bool {
        self.extras_only.load(Ordering::Acquire)
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn random_16(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        (self.random)(&mut bytes);
        bytes
    }
}

/// The machine's clock.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// The operating system's randomness. A system that has none cannot make keys: the
/// process ends rather than go on with bytes that are not random.
#[must_use]
pub fn system_random() -> Random {
    Arc::new(|buffer| {
        if getrandom::fill(buffer).is_err() {
            tracing::error!("the operating system gives no randomness");
            std::process::abort();
        }
    })
}
