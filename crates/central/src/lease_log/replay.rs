//! Reading the lease log back: what stands in it and not in the database left central in a
//! history the database does not know, and is withheld.

use super::{Entry, LeaseLog, Sent};
use crate::{Central, Refusal, calendar, changes, claim, dates, planted};
use domain::bytes::{Hash, PublicKey};
use domain::ids::{KioskId, LeaseId, SiteId, SlotId};
use domain::lease::Stratum;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wire::messages::{Change, LentSlot};

/// Where a database stands that has followed no log yet.
const NEVER: Hash = Hash([0; 32]);

/// Follows the log to its end: what stands there and not in the database is withheld.
/// Answers whether only extra slots may be given: the log is shorter than the database
/// has seen, or is another's, or was so before and nobody has looked. The log that was said to
/// be lost, given again, is followed from where it was left.
pub(crate) async fn follow(central: &Central, log: &Arc<LeaseLog>) -> Result<bool, Refusal> {
    let mut tx = central.pool.begin().await?;
    let row = sqlx::query("SELECT n, hash, broken, lost_n, lost_hash FROM lease_log FOR UPDATE")
        .fetch_one(&mut *tx)
        .await?;
    let own = mark(&row, 0, 1)?.ok_or(Refusal::LeaseLog)?;
    let mut broken: bool = row.try_get(2)?;
    let mut lost = mark(&row, 3, 4)?.filter(|_| broken);
    let mut after = after(log, own).await?;
    if let (None, Some(left)) = (&after, lost) {
        after = self::after(log, left).await?;
        if after.is_some() {
            tracing::warn!(
                "the lease log that was said to be lost is there again: followed from where it was left"
            );
            (broken, lost) = (false, None);
        }
    }
    match after {
        Some(entries) => {
            let mut leases: BTreeMap<LeaseId, Vec<&Sent>> = BTreeMap::new();
            let known = if planted::on("lease_log_not_followed") { 0 } else { entries.len() };
            for sent in last_of_each(&entries).take(known) {
                if let Some(lease) = withhold(&mut tx, sent).await? {
                    leases.entry(lease).or_default().push(sent);
                }
            }
            for (lease, slots) in leases {
                tell_again(&mut tx, central, lease, &slots).await?;
            }
            if !entries.is_empty() {
                tracing::warn!(slots = entries.len(), "the database is behind the lease log: withheld");
            }
        }
        None => {
            tracing::error!(
                "the lease log is not the one this database followed: only extra slots are given"
            );
            if !broken {
                // Extras since then are in the database, under ids no history has used.
                lost = Some(own);
            }
            broken = !planted::on("lease_log_break_unnoticed");
            sqlx::query("UPDATE kiosk SET heard_s = NULL").execute(&mut *tx).await?;
        }
    }
    let (n, hash) = log.end();
    let stood = |n: u64| i64::try_from(n).map_err(|_| Refusal::LeaseLog);
    sqlx::query("UPDATE lease_log SET n = $1, hash = $2, broken = $3, lost_n = $4, lost_hash = $5")
        .bind(stood(n)?)
        .bind(hash.0.as_slice())
        .bind(broken)
        .bind(lost.map(|(n, _)| stood(n)).transpose()?)
        .bind(lost.map(|(_, hash)| hash.0.to_vec()))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(broken)
}

/// Where a database stands in a log: a line's number and hash. None when it does not say.
pub(super) fn mark(row: &PgRow, n: usize, hash: usize) -> Result<Option<(u64, Hash)>, Refusal> {
    let (Some(n), Some(hash)) = (row.try_get::<Option<i64>, _>(n)?, row.try_get::<Option<&[u8]>, _>(hash)?)
    else {
        return Ok(None);
    };
    let n = u64::try_from(n).map_err(|_| Refusal::LeaseLog)?;
    Ok(Some((n, Hash::from_slice(hash).ok_or(Refusal::LeaseLog)?)))
}

/// The entries after where a database stands; none when that is no line of this log. One that has
/// followed no log yet stands before the first of any.
async fn after(log: &Arc<LeaseLog>, (n, hash): (u64, Hash)) -> Result<Option<Vec<Entry>>, Refusal> {
    let reader = Arc::clone(log);
    let after = tokio::task::spawn_blocking(move || reader.after(n))
        .await
        .map_err(|_| Refusal::LeaseLog)?
        .map_err(|_| Refusal::LeaseLog)?;
    Ok(after.filter(|(at, _)| *at == hash || hash == NEVER).map(|(_, entries)| entries))
}

/// Each slot with whoever had it last: one that was given back was given again since.
fn last_of_each(entries: &[Entry]) -> impl Iterator<Item = &Sent> {
    let last: BTreeMap<SlotId, &Sent> = entries.iter().map(|entry| (entry.slot.slot, &entry.slot)).collect();
    last.into_values()
}

/// What left central is not known: until an administrator accepts, extra slots only. No log that
/// was said to be lost knows it either.
pub(crate) async fn distrust(db: &mut PgConnection, central: &Central) -> Result<(), Refusal> {
    sqlx::query("UPDATE lease_log SET broken = true, lost_n = NULL, lost_hash = NULL")
        .execute(&mut *db)
        .await?;
    sqlx::query("UPDATE kiosk SET heard_s = NULL").execute(db).await?;
    central.extras_only.store(true, Ordering::Release);
    Ok(())
}

/// Has this database ever followed a log, or given up following one?
pub(crate) async fn was_followed(pool: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query("SELECT hash <> $1 OR broken FROM lease_log")
        .bind(NEVER.0.as_slice())
        .fetch_one(pool)
        .await?
        .try_get(0)
}

/// Sites named after where the database stands, in whichever log it did, that have no counter in it.
pub(crate) async fn sites_to_make(pool: &PgPool, log: &LeaseLog) -> Result<Vec<String>, Refusal> {
    let row = sqlx::query("SELECT n, hash, lost_n, lost_hash FROM lease_log").fetch_one(pool).await?;
    for (n, hash) in [mark(&row, 0, 1)?, mark(&row, 2, 3)?].into_iter().flatten() {
        let Some((at, entries)) = log.after(n).map_err(|_| Refusal::LeaseLog)? else { continue };
        if at != hash && hash != NEVER {
            continue;
        }
        let named: BTreeSet<&str> = entries.iter().map(|entry| entry.slot.site.as_str()).collect();
        let rows = sqlx::query(
            "SELECT site FROM unnest($1::text[]) AS named (site) \
             WHERE NOT EXISTS (SELECT 1 FROM counter WHERE counter.site = named.site) ORDER BY site",
        )
        .bind(named.into_iter().collect::<Vec<_>>())
        .fetch_all(pool)
        .await?;
        return rows.iter().map(|row| Ok(row.try_get(0)?)).collect();
    }
    Ok(Vec::new())
}

/// Does this log hold the line the database stands at, or stood at before it was said to be lost?
/// One that has followed none stands nowhere.
pub(crate) async fn is_followed(pool: &PgPool, log: &Arc<LeaseLog>) -> Result<bool, Refusal> {
    let row = sqlx::query("SELECT n, hash, lost_n, lost_hash FROM lease_log").fetch_one(pool).await?;
    for stood in [mark(&row, 0, 1)?, mark(&row, 2, 3)?].into_iter().flatten() {
        if after(log, stood).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A slot that left central after all this database knows of it: not free, whoever had it
/// before, and lent again under its lease if its kiosk is known. Answers the lease when it
/// is one this database did not have for this slot.
async fn withhold(tx: &mut PgConnection, sent: &Sent) -> Result<Option<LeaseId>, Refusal> {
    if claim::place(&mut *tx, sent.slot, &sent.site, sent.at).await?.is_none() {
        // The site came after the backup: it has no counters yet, and nothing to give.
        return Ok(None);
    }
    let slot = i64::try_from(sent.slot.0).map_err(|_| Refusal::LeaseLog)?;
    // A date asked for and never kept, or a lease: it came back before it was given again.
    sqlx::query(
        "UPDATE slot SET registration = NULL FROM registration \
         WHERE slot.id = $1 AND registration.id = slot.registration AND registration.state = 'asked'",
    )
    .bind(slot)
    .execute(&mut *tx)
    .await?;
    let lease = match &sent.lent {
        Some(lent) => {
            sqlx::query(
                "INSERT INTO lease (id, kiosk, given_s, incarnation) \
                 SELECT $1, id, enrolled_s, $3 FROM kiosk WHERE id = $2 ON CONFLICT DO NOTHING",
            )
            .bind(lent.lease.0.as_slice())
            .bind(sent.kiosk.0.as_slice())
            .bind(i32::try_from(lent.incarnation).map_err(|_| Refusal::LeaseLog)?)
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "UPDATE slot SET lease = lease.id, stratum = $3, back = $4::text::date, withheld = false FROM lease \
                 WHERE slot.id = $1 AND lease.id = $2 AND slot.registration IS NULL",
            )
            .bind(slot)
            .bind(lent.lease.0.as_slice())
            .bind(&lent.stratum)
            .bind(lent.back.map(|day| day.to_string()))
            .execute(&mut *tx)
            .await?
            .rows_affected()
            .eq(&1)
            .then_some(lent.lease)
        }
        None => None,
    };
    // Whoever it was free for in this database, it left central after that; and after whoever
    // holds it had given it up, which is still to be heard.
    sqlx::query("DELETE FROM freed_slot WHERE slot = $1").bind(slot).execute(&mut *tx).await?;
    sqlx::query("UPDATE slot SET left_again = true WHERE id = $1 AND registration IS NOT NULL")
        .bind(slot)
        .execute(&mut *tx)
        .await?;
    if lease.is_none() {
        sqlx::query(
            "UPDATE slot SET withheld = true, lease = NULL, stratum = NULL WHERE id = $1 AND registration IS NULL",
        )
        .bind(slot)
        .execute(tx)
        .await?;
    }
    Ok(lease)
}

/// The kiosk may never have pulled this lease: it is told again, token for token the same.
async fn tell_again(
    tx: &mut PgConnection,
    central: &Central,
    lease: LeaseId,
    slots: &[&Sent],
) -> Result<(), Refusal> {
    let row = sqlx::query(
        "SELECT kiosk.id, kiosk.key, site.id, site.zone, lease.incarnation FROM lease \
         JOIN kiosk ON kiosk.id = lease.kiosk JOIN site ON site.id = kiosk.site WHERE lease.id = $1",
    )
    .bind(lease.0.as_slice())
    .fetch_one(&mut *tx)
    .await?;
    let kiosk = KioskId(row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?);
    let key = PublicKey::from_slice(row.try_get(1)?).ok_or(Refusal::Stored("device key"))?;
    let site = SiteId::parse(row.try_get(2)?).ok_or(Refusal::Stored("site id"))?;
    let zone: &str = row.try_get(3)?;
    let incarnation = u32::try_from(row.try_get::<i32, _>(4)?).map_err(|_| Refusal::Stored("incarnation"))?;
    let mut serves = BTreeMap::new();
    for row in sqlx::query("SELECT id, procedures FROM slot WHERE lease = $1")
        .bind(lease.0.as_slice())
        .fetch_all(&mut *tx)
        .await?
    {
        serves.insert(dates::slot_number(row.try_get(0)?)?, calendar::procedures(&row, 1)?);
    }
    let slots = slots
        .iter()
        .filter_map(|sent| {
            let lent = sent.lent.as_ref()?;
            Some((sent, Stratum::parse(&lent.stratum)?, lent.back))
        })
        .map(|(sent, stratum, back)| {
            let token = dates::token(central, key, &site, zone, (sent.slot, sent.at))?;
            let procedures = serves.get(&sent.slot).and_then(|serves| calendar::named(*serves));
            let token = token.to_bytes().into();
            Ok(LentSlot { slot: sent.slot, at: sent.at, stratum, procedures, back, token })
        })
        .collect::<Result<Vec<_>, Refusal>>()?;
    changes::append(tx, central, kiosk, &[Change::Lease { lease, incarnation, slots }]).await
}
