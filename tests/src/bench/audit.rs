//! The audit journal: entries written by several connections at once, in batches as an act that
//! concerns many people writes them, until each is chained, durable and under a checkpoint.
//! Beside it, the same rows inserted into one plain table. Then an exported journal, tampered
//! with at random, as often as each tamper must be found.

use super::tamper::Tampering;
use super::{Ended, Figure, Teller, machine, rounded};
use crate::programs::{Failure, fail};
use crate::stand::postgres::Postgres;
use central::keys::{CentralKeys, RING};
use central::{Central, Pool};
use seal::audit::Line;
use seal::ring::KeyRing;
use sqlx::{AssertSqlSafe, Row as _};
use std::path::Path;
use std::time::Instant;

/// Entries written and chained.
pub const ENTRIES: usize = 300_000;
/// Entries a second.
const RATE: f64 = 15_000.0;
/// Connections that write at once.
const WRITERS: usize = 4;
/// Entries of one transaction: as many as one push has records.
const BATCH: usize = 200;
/// Entries of the journal that is tampered with, and tampers.
const TAMPERED_LOG: usize = 400;
const TAMPERS: usize = 2_000;

pub async fn run(teller: &Teller, n: usize) -> Result<Ended, Failure> {
    let folder = tempfile::Builder::new().prefix("jalon-audit-").tempdir()?;
    let postgres = Postgres::start(folder.path())?;
    let pool = central::connect(&postgres.database("central")?).await?;
    central::migrate(&pool).await?;
    let (clock, random) = (central::system_clock(), central::system_random());
    central::keys::make(folder.path(), clock(), &random)?;
    let keys = CentralKeys::load(folder.path())?;
    let central = Central::new(pool.clone(), keys, clock, random).await?;

    let tampers = tampers(teller, &central, &pool, folder.path()).await?;
    let per_writer = n.div_ceil(WRITERS * BATCH) * BATCH;
    let n = per_writer * WRITERS;
    teller.say(&format!("{WRITERS} connections write {n} entries, {BATCH} a transaction"));
    let before = count(&pool, "audit_entry").await?;
    let began = Instant::now();
    let writers = write(&pool, "audit_waiting", WRITERS, per_writer);
    let mut chained = 0;
    while chained < n {
        chained += usize::try_from(central.chain_audit(false).await?)?;
        if writers.iter().all(tokio::task::JoinHandle::is_finished) && chained < n {
            chained += usize::try_from(central.chain_audit(true).await?)?;
            break;
        }
    }
    central.chain_audit(true).await?;
    let ours = began.elapsed().as_secs_f64();
    joined(writers).await?;
    let there = count(&pool, "audit_entry").await? - before;
    teller.say(&format!("{chained} chained, {there} in the journal"));

    let plain = "CREATE TABLE plain (LIKE audit_waiting INCLUDING ALL)";
    sqlx::raw_sql(plain).execute(&pool).await?;
    let began = Instant::now();
    joined(write(&pool, "plain", WRITERS, per_writer)).await?;
    let peer = began.elapsed().as_secs_f64();
    let rate = n as f64 / ours;
    teller.tell(&Figure {
        bench: "audit: durable entries".into(),
        ours: Some(rate.round()),
        peer: Some((n as f64 / peer).round()),
        ratio: Some(rounded(peer / ours)),
        goal: format!("at least {RATE} a second; the peer is plain INSERTs into one table"),
        met: Some(rate >= RATE),
        unit: "entries/s",
        n,
        machine: machine(),
    })?;
    Ok(if tampers && there == n { Ended::Held } else { Ended::Broken })
}

/// Starts writers; each ends when it has written its entries, whole batches of them.
fn write(
    pool: &Pool,
    table: &'static str,
    writers: usize,
    each: usize,
) -> Vec<tokio::task::JoinHandle<Result<(), sqlx::Error>>> {
    let one = |writer: usize| {
        let pool = pool.clone();
        let insert = format!(
            "INSERT INTO {table} (who, act, about, count) SELECT 'kiosk:' || $1, 'registration_written', about, 1 \
             FROM unnest($2::text[]) AS about"
        );
        tokio::spawn(async move {
            let kiosk = format!("{writer:032x}");
            for from in (0..each).step_by(BATCH) {
                let about: Vec<String> = (from..from + BATCH).map(|n| format!("{n:032x}")).collect();
                let insert = sqlx::query(AssertSqlSafe(insert.clone())).bind(&kiosk).bind(&about);
                insert.execute(&pool).await?;
            }
            Ok(())
        })
    };
    (0..writers).map(one).collect()
}

async fn joined(tasks: Vec<tokio::task::JoinHandle<Result<(), sqlx::Error>>>) -> Result<(), Failure> {
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn count(pool: &Pool, table: &str) -> Result<usize, Failure> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT count(*) FROM {table}"))).fetch_one(pool).await?;
    Ok(usize::try_from(row.try_get::<i64, _>(0)?)?)
}

/// Tampers with an exported journal; answers whether each was found.
async fn tampers(teller: &Teller, central: &Central, pool: &Pool, folder: &Path) -> Result<bool, Failure> {
    for _ in 0..TAMPERED_LOG / BATCH {
        joined(write(pool, "audit_waiting", 1, BATCH)).await?;
        central.chain_audit(true).await?;
    }
    let file = folder.join("audit.jsonl");
    central::admin::audit_export(central, &file).await?;
    let ring = KeyRing::from_json(&std::fs::read(folder.join(RING))?).map_err(|_| fail("no key ring"))?;
    let lines = std::fs::read_to_string(&file)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<Line>, _>>()?;
    let mut tampering = Tampering::of(lines, &ring)?;
    tampering.holds()?;
    let mut found = 0;
    for _ in 0..TAMPERS {
        match tampering.next() {
            Ok(()) => found += 1,
            Err(missed) => teller.say(&format!("not found: {missed}")),
        }
    }
    teller.tell(&Figure {
        bench: "audit: tampers found".into(),
        ours: Some(f64::from(found)),
        peer: None,
        ratio: None,
        goal: format!("all of {TAMPERS}"),
        met: Some(usize::try_from(found)? == TAMPERS),
        unit: "tampers",
        n: TAMPERS,
        machine: machine(),
    })?;
    Ok(usize::try_from(found)? == TAMPERS)
}
