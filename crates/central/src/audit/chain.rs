//! Moves what waits into the chain, in order, many at a time: the one place where acts follow
//! one another. Takes nothing back and waits for no act.

use crate::{Random, Refusal};
use domain::audit::{AuditHeader, Entry};
use domain::bytes::{Hash, Salt};
use jiff::Timestamp;
use seal::audit::{BEFORE_FIRST, body_hash, head};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};

/// Entries chained in one transaction.
const AT_ONCE: usize = 10_000;
/// Names the lock of whoever chains: `jalonaud`.
const LOCK: i64 = 0x6a61_6c6f_6e61_7564;

/// The end of the chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub n: u64,
    pub at_ms: i64,
    pub head: Hash,
}

/// Chains until nothing waits; answers how many entries.
pub(crate) async fn chain_waiting(pool: &PgPool, now: Timestamp, random: &Random) -> Result<u64, Refusal> {
    let mut chained = 0;
    loop {
        let mut tx = pool.begin().await?;
        lock(&mut tx).await?;
        let batch = batch(&mut tx, now, random).await?;
        tx.commit().await?;
        chained += u64::try_from(batch).unwrap_or(u64::MAX);
        if batch < AT_ONCE {
            return Ok(chained);
        }
    }
}

/// One chains at a time, whatever central it is of.
pub(super) async fn lock(db: &mut PgConnection) -> Result<(), Refusal> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(db).await?;
    Ok(())
}

/// Where the chain ends. For whoever has the lock.
pub(super) async fn last(db: &mut PgConnection) -> Result<Last, Refusal> {
    let row = sqlx::query("SELECT n, at_ms, prev, body_hash FROM audit_entry ORDER BY n DESC LIMIT 1")
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(Last { n: 0, at_ms: i64::MIN, head: BEFORE_FIRST }) };
    let header = header(&row)?;
    Ok(Last { n: header.n, at_ms: header.at.as_millisecond(), head: head(&header) })
}

/// From columns `n, at_ms, prev, body_hash`.
pub(super) fn header(row: &PgRow) -> Result<AuditHeader, Refusal> {
    let unread = || Refusal::Stored("audit entry");
    Ok(AuditHeader {
        n: u64::try_from(row.try_get::<i64, _>(0)?).map_err(|_| unread())?,
        at: Timestamp::from_millisecond(row.try_get(1)?).map_err(|_| unread())?,
        prev: Hash::from_slice(row.try_get(2)?).ok_or_else(unread)?,
        body_hash: Hash::from_slice(row.try_get(3)?).ok_or_else(unread)?,
    })
}

async fn batch(tx: &mut PgConnection, now: Timestamp, random: &Random) -> Result<usize, Refusal> {
    let rows = sqlx::query(
        "WITH taken AS (DELETE FROM audit_waiting WHERE id = ANY (ARRAY(SELECT id FROM audit_waiting ORDER BY id \
         LIMIT $1)) RETURNING id, who, act, about, count, said_ms) \
         SELECT who, act, about, count, said_ms FROM taken ORDER BY id",
    )
    .bind(i64::try_from(AT_ONCE).unwrap_or(i64::MAX))
    .fetch_all(&mut *tx)
    .await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut last = last(&mut *tx).await?;
    let signed = super::newest(&mut *tx).await?;
    // Neither a clock that was put back nor another central's makes time go backward here.
    let floor = signed.map_or(i64::MIN, |signed| signed.checkpoint.at.as_millisecond());
    let at_ms = now.as_millisecond().max(last.at_ms).max(floor);
    let at = Timestamp::from_millisecond(at_ms).map_err(|_| Refusal::Stored("audit time"))?;
    let mut columns = Columns::default();
    for row in &rows {
        let body = serde_json::to_string(&entry(row)?).map_err(|_| Refusal::Stored("audit entry"))?;
        let mut salt = Salt([0; Salt::LEN]);
        // All zeros stand for an erased body.
        while salt == Salt([0; Salt::LEN]) {
            random(&mut salt.0);
        }
        let body_hash = body_hash(&salt, body.as_bytes());
        let header = AuditHeader { n: last.n + 1, at, prev: last.head, body_hash };
        last = Last { n: header.n, at_ms, head: head(&header) };
        columns.push(&header, salt, body);
    }
    columns.insert(tx, at_ms).await?;
    Ok(rows.len())
}

fn entry(row: &PgRow) -> Result<Entry, Refusal> {
    let unread = || Refusal::Stored("audit entry");
    Ok(Entry {
        who: row.try_get(0)?,
        act: row.try_get(1)?,
        about: row.try_get(2)?,
        count: u32::try_from(row.try_get::<i32, _>(3)?).map_err(|_| unread())?,
        said: Timestamp::from_millisecond(row.try_get(4)?).map_err(|_| unread())?,
    })
}

/// New rows, column by column.
#[derive(Default)]
struct Columns {
    n: Vec<i64>,
    prev: Vec<Vec<u8>>,
    body_hash: Vec<Vec<u8>>,
    salt: Vec<Vec<u8>>,
    body: Vec<String>,
}

impl Columns {
    fn push(&mut self, header: &AuditHeader, salt: Salt, body: String) {
        self.n.push(i64::try_from(header.n).unwrap_or(i64::MAX));
        self.prev.push(header.prev.0.to_vec());
        self.body_hash.push(header.body_hash.0.to_vec());
        self.salt.push(salt.0.to_vec());
        self.body.push(body);
    }

    async fn insert(self, db: &mut PgConnection, at_ms: i64) -> Result<(), Refusal> {
        sqlx::query(
            "INSERT INTO audit_entry (n, at_ms, prev, body_hash, salt, body) SELECT n, $1, prev, body_hash, salt, body \
             FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[]) \
             AS new (n, prev, body_hash, salt, body)",
        )
        .bind(at_ms)
        .bind(self.n)
        .bind(self.prev)
        .bind(self.body_hash)
        .bind(self.salt)
        .bind(self.body)
        .execute(db)
        .await?;
        Ok(())
    }
}
