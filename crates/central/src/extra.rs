//! An extra slot for somebody whose time limit no slot serves any more. Where one is made,
//! `domain::extra` says; here the days are read and the slot is made.

use crate::calendar::Calendar;
use crate::dates::{civil, slot_key};
use crate::{Central, Refusal, claim, planted};
use domain::assign::{FreeSlot, Window};
use domain::extra::{self, Hour};
use domain::ids::{SiteId, SlotId};
use domain::procedure::Procedure;
use jiff::ToSpan as _;
use jiff::civil::Date;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

/// The extra slot such a person gets instead of the slot found, or none: that one serves, or no day
/// before it has room. `taken` are slots of others in this transaction who do not hold them yet.
pub(crate) async fn instead_of(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    window: &Window,
    (found, taken): (Option<Date>, &[SlotId]),
) -> Result<Option<FreeSlot>, Refusal> {
    // Where what left central is not known, every slot given is an extra one already.
    if central.extras_only() || planted::on("no_extra_slot") {
        return Ok(None);
    }
    let Some((first, last)) = extra::days(window, found) else { return Ok(None) };
    // One at a time: the next sees this one. The lock by which days are made, so that two of them
    // never wait for each other crosswise.
    sqlx::query("SELECT 1 FROM site WHERE id = $1 FOR NO KEY UPDATE")
        .bind(site.as_str())
        .fetch_one(&mut *db)
        .await?;
    let Some(hour) = hour(&mut *db, site, window, (first, last), taken).await? else { return Ok(None) };
    let calendar = Calendar::read(&mut *db, site).await?;
    let counter = calendar.counters.iter().find(|counter| counter.id == hour.counter);
    // Any number above 0 is an extra slot's.
    let Some(serves) = counter.and_then(|counter| calendar.serves(counter, hour.at, 1)) else {
        return Ok(None);
    };
    let beside = claim::Beside { counter: hour.counter, at: hour.at, serves, outside: false };
    let slot = claim::extra(db, central, site, &beside).await?;
    Ok(slot.map(|slot| FreeSlot { slot, at: hour.at, stratum: None, serves }))
}

/// The first of these days on which this site can receive one person more. Nothing is locked: whoever is
/// then given a date there looks again.
pub(crate) async fn room(
    db: &mut PgConnection,
    site: &SiteId,
    window: &Window,
    days: (Date, Date),
) -> Result<Option<Date>, Refusal> {
    Ok(hour(db, site, window, days, &[]).await?.map(|hour| hour.at.date()))
}

async fn hour(
    db: &mut PgConnection,
    site: &SiteId,
    window: &Window,
    days: (Date, Date),
    taken: &[SlotId],
) -> Result<Option<Hour>, Refusal> {
    Ok(extra::choose(hours(db, site, window, days, taken).await?, days))
}

async fn hours(
    db: &mut PgConnection,
    site: &SiteId,
    window: &Window,
    (first, last): (Date, Date),
    taken: &[SlotId],
) -> Result<Vec<Hour>, Refusal> {
    let rows = sqlx::query(
        "SELECT counter, at::text, \
         count(*) FILTER (WHERE extra <= 0 AND ($4::text IS NULL OR procedures IS NULL OR $4 = ANY (procedures))), \
         count(*) FILTER (WHERE extra > 0 AND (registration IS NOT NULL OR withheld OR id = ANY ($5))) FROM slot \
         WHERE site = $1 AND NOT outside AND at >= $2::text::timestamp AND at < $3::text::timestamp \
         GROUP BY counter, at ORDER BY at, counter",
    )
    .bind(site.as_str())
    .bind(first.to_string())
    .bind(last.saturating_add(1.days()).to_string())
    .bind(window.procedure.map(Procedure::key))
    .bind(taken.iter().map(|slot| slot_key(*slot)).collect::<Result<Vec<_>, _>>()?)
    .fetch_all(db)
    .await?;
    let hour = |row: &PgRow| {
        let count =
            |column| Ok::<_, Refusal>(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX));
        Ok(Hour {
            counter: row.try_get(0)?,
            at: civil(row.try_get(1)?)?,
            slots: count(2)?,
            extras: count(3)?,
        })
    };
    rows.iter().map(hour).collect()
}
