//! The audit journal: who did what, about whom. An entry is written in the transaction of the
//! act, or before what was read leaves; it is chained a moment later, see [`chain`]. Never holds
//! a name of an applicant or a code a person has.

mod chain;
mod export;
mod witness;

pub(crate) use chain::chain_waiting;
pub(crate) use export::{ExportFailure, erase, export};
pub(crate) use witness::{cosigned, newest, write_checkpoint};

use crate::Central;
use domain::audit::{Act, Who};
use domain::ids::KioskId;
use sqlx::PgConnection;
use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

/// How often a central that runs chains what waits.
const EVERY: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// Who typed the act that runs. Outside of it central acts by itself.
    static AT_THE_KEYS: Who;
}

/// Runs an administrator's act, in the agent's name when one was given.
pub async fn administered<T>(agent: Option<String>, act: impl Future<Output = T>) -> T {
    AT_THE_KEYS.scope(agent.map_or(Who::Administrator, Who::Agent), act).await
}

/// Who acts here, when it is not a kiosk.
pub(crate) fn who() -> Who {
    AT_THE_KEYS.try_with(Clone::clone).unwrap_or(Who::Central)
}

/// Writes the entry of one act, in the transaction it is done in.
pub(crate) async fn write(
    db: &mut PgConnection,
    who: &Who,
    act: Act,
    about: Option<&(dyn Display + Sync)>,
    count: usize,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO audit_waiting (who, act, about, count) VALUES ($1, $2, $3, $4)")
        .bind(who.to_string())
        .bind(act.key())
        .bind(about.map(ToString::to_string))
        .bind(i32::try_from(count).unwrap_or(i32::MAX))
        .execute(db)
        .await?;
    Ok(())
}

/// The same for a kiosk's act.
pub(crate) async fn by_kiosk(
    db: &mut PgConnection,
    kiosk: KioskId,
    act: Act,
    about: Option<&(dyn Display + Sync)>,
    count: usize,
) -> Result<(), sqlx::Error> {
    write(db, &Who::Kiosk(kiosk), act, about, count).await
}

/// The same for what an administrator, or central by itself, does.
pub(crate) async fn by_us(
    db: &mut PgConnection,
    act: Act,
    about: Option<&(dyn Display + Sync)>,
    count: usize,
) -> Result<(), sqlx::Error> {
    write(db, &who(), act, about, count).await
}

/// One entry for each of these registrations.
pub(crate) async fn by_us_each(
    db: &mut PgConnection,
    act: Act,
    registrations: &[Vec<u8>],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO audit_waiting (who, act, about, count) SELECT $1, $2, encode(id, 'hex'), 1 \
         FROM unnest($3::bytea[]) AS registration (id)",
    )
    .bind(who().to_string())
    .bind(act.key())
    .bind(registrations)
    .execute(db)
    .await?;
    Ok(())
}

impl Central {
    /// Chains what waits, every second from now on, and signs how far the chain goes. Ends with
    /// the process; several centrals take turns.
    pub fn keep_audit(&self) {
        let central = self.clone();
        tokio::spawn(async move {
            loop {
                if let Err(refusal) = central.chain_audit(false).await {
                    // What waits is safe where it is; the next turn takes it.
                    tracing::error!(cause = ?refusal, "the audit journal could not be chained");
                }
                tokio::time::sleep(EVERY).await;
            }
        });
    }

    /// Chains all that waits now; answers how many entries. With `asked`, a checkpoint is signed
    /// even when the last one is younger than a minute.
    ///
    /// # Errors
    /// The database fails.
    pub async fn chain_audit(&self, asked: bool) -> Result<u64, crate::Refusal> {
        let chained = chain_waiting(&self.pool, self.now(), &self.random).await?;
        write_checkpoint(&self.pool, &self.keys, self.now(), asked).await?;
        Ok(chained)
    }
}
