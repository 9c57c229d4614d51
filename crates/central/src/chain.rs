//! Storing what kiosks push: chains of signed records. A record whose header holds is
//! kept whatever it says, on the chain it follows; one that follows no chain's end but an
//! earlier place begins a chain of its own. Applies nothing.

use crate::device::Device;
use crate::{Central, Refusal, planted};
use domain::bytes::Hash;
use domain::ids::KioskId;
use seal::keys::{self, Context};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::BTreeSet;
use wire::record::{Head, Record};

/// Most chains of one kiosk: a copied disk makes one, a restored disk one more. Beyond it
/// somebody plays with the protocol.
const CHAINS: i32 = 64;

/// The end of one chain.
#[derive(Debug, Clone, Copy)]
struct Chain {
    n: i32,
    head: Head,
}

/// Locks the kiosk's row for the rest of the transaction. Not its key: whoever writes a row
/// that names the kiosk is not held up, and two never wait for each other.
pub(crate) async fn lock(db: &mut PgConnection, kiosk: KioskId) -> Result<(), Refusal> {
    sqlx::query("SELECT 1 FROM kiosk WHERE id = $1 FOR NO KEY UPDATE")
        .bind(kiosk.0.as_slice())
        .fetch_one(db)
        .await?;
    Ok(())
}

/// A record not held before, on the chain it goes on.
struct New<'a> {
    n: i32,
    record: &'a Record,
    header: Vec<u8>,
    hash: Hash,
}

impl New<'_> {
    fn head(&self) -> Head {
        Head { incarnation: self.record.header.incarnation, seq: self.record.header.seq, hash: self.hash }
    }

    /// Does it stand right after this one, written by the same machine? Then it goes on the
    /// same chain, and nothing else need be asked.
    fn is_followed_by(&self, record: &Record) -> bool {
        let (before, header) = (self.head(), &record.header);
        header.prev == before.hash
            && header.incarnation == before.incarnation
            && before.seq.checked_add(1) == Some(header.seq)
    }
}

/// Stores records in order and answers the end of the chain the last one stands on. What
/// is held already is passed over, so the same push may come again. Records that follow one
/// another are written by one statement.
pub(crate) async fn store(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    records: &[Record],
) -> Result<Option<Head>, Refusal> {
    lock(&mut *db, device.kiosk).await?;
    let hash_of = |record: &Record| keys::sha256(&[&record.header.to_bytes()]);
    let known = known(&mut *db, device.kiosk, &records.iter().map(hash_of).collect::<Vec<_>>()).await?;
    let mut on = None;
    let mut run: Vec<New> = Vec::new();
    for record in records {
        let header = record.header.to_bytes();
        check(device, record, &header)?;
        let hash = keys::sha256(&[&header]);
        let before = run.last().filter(|last| last.is_followed_by(record) && !known.contains(&hash));
        let n = match before.map(|last| last.n) {
            Some(n) => n,
            None => {
                write(&mut *db, central, device, records, &std::mem::take(&mut run)).await?;
                if let Some(chain) = holding(&mut *db, device.kiosk, &hash).await? {
                    on = Some(chain.head);
                    continue;
                }
                follow(&mut *db, central, device, record).await?
            }
        };
        let new = New { n, record, header, hash };
        on = Some(new.head());
        run.push(new);
    }
    write(&mut *db, central, device, records, &run).await?;
    match on {
        Some(head) => Ok(Some(head)),
        None => head(db, device.kiosk, None).await,
    }
}

/// Which of these are held.
pub(crate) async fn known(
    db: &mut PgConnection,
    kiosk: KioskId,
    hashes: &[Hash],
) -> Result<BTreeSet<Hash>, Refusal> {
    let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.0.as_slice()).collect();
    let rows = sqlx::query("SELECT hash FROM record WHERE kiosk = $1 AND hash = ANY ($2)")
        .bind(kiosk.0.as_slice())
        .bind(hashes)
        .fetch_all(db)
        .await?;
    rows.iter().map(|row| Hash::from_slice(row.try_get(0)?).ok_or(Refusal::Stored("record hash"))).collect()
}

/// What central holds for a kiosk: the end of the chain on which the record named stands,
/// none when it is not known here; of the longest chain when none is named.
pub(crate) async fn head(
    db: &mut PgConnection,
    kiosk: KioskId,
    known: Option<&Hash>,
) -> Result<Option<Head>, Refusal> {
    if let Some(hash) = known {
        return Ok(holding(db, kiosk, hash).await?.map(|chain| chain.head));
    }
    let row = sqlx::query(
        "SELECT n, incarnation, head_seq, head_hash FROM chain WHERE kiosk = $1 ORDER BY head_seq DESC, n LIMIT 1",
    )
    .bind(kiosk.0.as_slice())
    .fetch_optional(db)
    .await?;
    Ok(row.as_ref().map(read).transpose()?.map(|chain| chain.head))
}

/// The newest record up to `head`, on its chain, that a verified backup holds.
pub(crate) async fn durable(
    db: &mut PgConnection,
    kiosk: KioskId,
    head: &Head,
) -> Result<Option<Head>, Refusal> {
    let row = sqlx::query(
        "SELECT record.chain, record.incarnation, record.seq, record.hash FROM record, durable \
         WHERE record.kiosk = $1 AND record.received_s < durable.until_s \
         AND record.chain = (SELECT chain FROM record WHERE kiosk = $1 AND hash = $2) \
         ORDER BY record.seq DESC LIMIT 1",
    )
    .bind(kiosk.0.as_slice())
    .bind(head.hash.0.as_slice())
    .fetch_optional(db)
    .await?;
    Ok(row.as_ref().map(read).transpose()?.map(|chain| chain.head))
}

/// The newest incarnation any record of this kiosk names; 1 before the first.
pub(crate) async fn incarnation(db: &mut PgConnection, kiosk: KioskId) -> Result<u32, Refusal> {
    let row = sqlx::query("SELECT coalesce(max(incarnation), 1) FROM chain WHERE kiosk = $1")
        .bind(kiosk.0.as_slice())
        .fetch_one(db)
        .await?;
    u32::try_from(row.try_get::<i32, _>(0)?).map_err(|_| Refusal::Stored("incarnation"))
}

/// How this kiosk stands beside its chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// An agent has to look at it before it is lent anything.
    pub quarantined: bool,
    /// It was taken out of service.
    pub retired: bool,
}

pub(crate) async fn standing(db: &mut PgConnection, kiosk: KioskId) -> Result<Standing, Refusal> {
    let row = sqlx::query("SELECT quarantined_s IS NOT NULL, retired_s IS NOT NULL FROM kiosk WHERE id = $1")
        .bind(kiosk.0.as_slice())
        .fetch_one(db)
        .await?;
    Ok(Standing { quarantined: row.try_get(0)?, retired: row.try_get(1)? })
}

/// This kiosk has told all it has: see `central admin lease-log --accept`.
pub(crate) async fn heard(db: &mut PgConnection, central: &Central, kiosk: KioskId) -> Result<(), Refusal> {
    sqlx::query("UPDATE kiosk SET heard_s = $2 WHERE id = $1 AND heard_s IS DISTINCT FROM $2")
        .bind(kiosk.0.as_slice())
        .bind(central.now().as_second())
        .execute(db)
        .await?;
    Ok(())
}

/// Two machines write as this kiosk.
pub(crate) async fn quarantine(
    db: &mut PgConnection,
    central: &Central,
    kiosk: KioskId,
) -> Result<(), Refusal> {
    if planted::on("quarantine_missed") {
        return Ok(());
    }
    tracing::error!(%kiosk, "two machines write as one kiosk: quarantined");
    sqlx::query("UPDATE kiosk SET quarantined_s = coalesce(quarantined_s, $2) WHERE id = $1")
        .bind(kiosk.0.as_slice())
        .bind(central.now().as_second())
        .execute(db)
        .await?;
    Ok(())
}

fn check(device: &Device, record: &Record, header: &[u8]) -> Result<(), Refusal> {
    if record.header.kiosk != device.kiosk {
        return Err(Refusal::OtherSite);
    }
    let whole = record.is_sound()
        && (record.is_erased() || keys::sha256(&[&record.salt.0, &record.body.0]) == record.header.body_hash)
        && keys::verify(&device.key, Context::Record, header, &record.signature);
    if whole { Ok(()) } else { Err(Refusal::BadRecord) }
}

/// The chain a new record goes on: the one it follows, or a new one.
async fn follow(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    record: &Record,
) -> Result<i32, Refusal> {
    let header = &record.header;
    let newest = incarnation(&mut *db, device.kiosk).await?;
    if header.seq == 1 && header.prev != Hash([0; 32]) {
        return Err(Refusal::BadRecord);
    }
    if header.seq > 1 {
        let chain = match holding(&mut *db, device.kiosk, &header.prev).await? {
            Some(chain) => chain,
            None => return Err(Refusal::NotNext),
        };
        let before = seq_of(&mut *db, device.kiosk, &header.prev).await?;
        if before != Some(header.seq - 1) {
            return Err(Refusal::BadRecord);
        }
        if chain.head.hash == header.prev || planted::on("fork_overwritten") {
            if header.incarnation < chain.head.incarnation {
                return Err(Refusal::BadRecord);
            }
            // A machine that knows nothing of a newer incarnation writes on.
            if header.incarnation < newest {
                quarantine(db, central, device.kiosk).await?;
            }
            return Ok(chain.n);
        }
    }
    let row = sqlx::query("SELECT coalesce(max(n), 0) FROM chain WHERE kiosk = $1")
        .bind(device.kiosk.0.as_slice())
        .fetch_one(&mut *db)
        .await?;
    let last: i32 = row.try_get(0)?;
    if last >= CHAINS {
        return Err(Refusal::Fork);
    }
    // A restored disk takes up its journal in a new incarnation; a copy does not know.
    if last > 0 && header.incarnation <= newest {
        quarantine(db, central, device.kiosk).await?;
    }
    Ok(last + 1)
}

/// The chain on which this record stands, with its end.
async fn holding(db: &mut PgConnection, kiosk: KioskId, hash: &Hash) -> Result<Option<Chain>, Refusal> {
    let row = sqlx::query(
        "SELECT chain.n, chain.incarnation, chain.head_seq, chain.head_hash FROM record \
         JOIN chain ON chain.kiosk = record.kiosk AND chain.n = record.chain \
         WHERE record.kiosk = $1 AND record.hash = $2",
    )
    .bind(kiosk.0.as_slice())
    .bind(hash.0.as_slice())
    .fetch_optional(db)
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &PgRow) -> Result<Chain, Refusal> {
    let (n, incarnation, seq): (i32, i32, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let head = Head {
        incarnation: u32::try_from(incarnation).map_err(|_| Refusal::Stored("incarnation"))?,
        seq: u64::try_from(seq).map_err(|_| Refusal::Stored("head"))?,
        hash: Hash::from_slice(row.try_get(3)?).ok_or(Refusal::Stored("head hash"))?,
    };
    Ok(Chain { n, head })
}

async fn seq_of(db: &mut PgConnection, kiosk: KioskId, hash: &Hash) -> Result<Option<u64>, Refusal> {
    let row = sqlx::query("SELECT seq FROM record WHERE kiosk = $1 AND hash = $2")
        .bind(kiosk.0.as_slice())
        .bind(hash.0.as_slice())
        .fetch_optional(db)
        .await?;
    let seq = |row: PgRow| u64::try_from(row.try_get::<i64, _>(0)?).map_err(|_| Refusal::Stored("seq"));
    row.map(seq).transpose()
}

/// Writes records of one chain that follow one another, and the chain's new end.
async fn write(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    pushed: &[Record],
    run: &[New<'_>],
) -> Result<(), Refusal> {
    let Some(last) = run.last() else { return Ok(()) };
    let dropped = planted::on("last_record_dropped") && pushed.len() > 1;
    let run: Vec<&New> = run.iter().filter(|new| !(dropped && pushed.last() == Some(new.record))).collect();
    for new in &run {
        let over = || {
            let (kiosk, chain, seq) = (device.kiosk, new.n, new.record.header.seq);
            format!("DELETE FROM record WHERE kiosk = '\\x{kiosk}' AND chain = {chain} AND seq = {seq}")
        };
        planted::sql(&mut *db, "fork_overwritten", over).await?;
    }
    insert(&mut *db, central, device, (last.n, &run)).await?;
    set_head(db, central, device.kiosk, Chain { n: last.n, head: last.head() }).await
}

async fn insert(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    (chain, run): (i32, &[&New<'_>]),
) -> Result<(), Refusal> {
    let headers = || run.iter().map(|new| &new.record.header);
    let incarnations: Vec<i32> = headers()
        .map(|header| i32::try_from(header.incarnation))
        .collect::<Result<_, _>>()
        .map_err(|_| Refusal::BadRecord)?;
    let seqs: Vec<i64> = headers()
        .map(|header| i64::try_from(header.seq))
        .collect::<Result<_, _>>()
        .map_err(|_| Refusal::BadRecord)?;
    let hashes: Vec<&[u8]> = run.iter().map(|new| new.hash.0.as_slice()).collect();
    let kinds: Vec<&str> = headers().map(|header| header.kind.as_str()).collect();
    let schemas: Vec<i32> = headers().map(|header| i32::from(header.schema)).collect();
    let bytes: Vec<&[u8]> = run.iter().map(|new| new.header.as_slice()).collect();
    let signatures: Vec<&[u8]> = run.iter().map(|new| new.record.signature.0.as_slice()).collect();
    let salts: Vec<&[u8]> = run.iter().map(|new| new.record.salt.0.as_slice()).collect();
    let bodies: Vec<&[u8]> = run.iter().map(|new| new.record.body.0.as_slice()).collect();
    sqlx::query(
        "INSERT INTO record \
         (kiosk, chain, incarnation, seq, hash, kind, schema, header, signature, salt, body, received_s, state) \
         SELECT $1, $2, incarnation, seq, hash, kind, schema, header, signature, salt, body, $12, 'held' \
         FROM unnest($3::integer[], $4::bigint[], $5::bytea[], $6::text[], $7::integer[], $8::bytea[], \
                     $9::bytea[], $10::bytea[], $11::bytea[]) \
              AS new (incarnation, seq, hash, kind, schema, header, signature, salt, body)",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(chain)
    .bind(incarnations)
    .bind(seqs)
    .bind(hashes)
    .bind(kinds)
    .bind(schemas)
    .bind(bytes)
    .bind(signatures)
    .bind(salts)
    .bind(bodies)
    .bind(central.now().as_second())
    .execute(db)
    .await?;
    Ok(())
}

async fn set_head(
    db: &mut PgConnection,
    central: &Central,
    kiosk: KioskId,
    chain: Chain,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO chain (kiosk, n, incarnation, head_seq, head_hash, begun_s) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (kiosk, n) DO UPDATE SET incarnation = excluded.incarnation, \
         head_seq = excluded.head_seq, head_hash = excluded.head_hash",
    )
    .bind(kiosk.0.as_slice())
    .bind(chain.n)
    .bind(i32::try_from(chain.head.incarnation).map_err(|_| Refusal::BadRecord)?)
    .bind(i64::try_from(chain.head.seq).map_err(|_| Refusal::BadRecord)?)
    .bind(chain.head.hash.0.as_slice())
    .bind(central.now().as_second())
    .execute(db)
    .await?;
    Ok(())
}
