//! Slots in the database: made from the site's patterns as far ahead as somebody needs
//! one. `domain::calendar` says when counters are open; this only stores it.

use crate::Refusal;
use domain::bytes::Hash;
use domain::calendar::{self, Closure, Holidays, Pattern};
use domain::ids::{SiteId, SlotId};
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};
use seal::keys::sha256;
use sqlx::{PgConnection, Row};

/// Days made at once.
const STEP_DAYS: i32 = 28;
/// How far past the newest made day one request may look. A site without a single open
/// day in ten years has no capacity.
const FURTHEST_DAYS: i32 = 3_660;

/// Makes at least one more open day's slots after the site's newest, and tells whether
/// there was any. Takes the site's row lock, so two requests never make a day twice; not of
/// its key, which every new registration of the site holds: a crowd would wait for itself.
pub(crate) async fn extend(db: &mut PgConnection, site: &SiteId) -> Result<bool, Refusal> {
    let before = sqlx::query("SELECT slots_until::text FROM site WHERE id = $1")
        .bind(site.as_str())
        .fetch_one(&mut *db)
        .await?;
    let row = sqlx::query("SELECT holidays, slots_until::text FROM site WHERE id = $1 FOR NO KEY UPDATE")
        .bind(site.as_str())
        .fetch_one(&mut *db)
        .await?;
    let holidays = Holidays::parse(row.try_get(0)?).ok_or(Refusal::Stored("holidays"))?;
    let until = date(row.try_get(1)?)?;
    if until != date(before.try_get(0)?)? {
        // Somebody else has just made them.
        return Ok(true);
    }
    let counters = counters(&mut *db, site).await?;
    let closures = closures(&mut *db, site).await?;

    let mut day = until;
    let furthest = until.saturating_add(FURTHEST_DAYS.days());
    while day < furthest {
        let next = day.saturating_add(STEP_DAYS.days());
        let mut made = 0;
        while day < next {
            day = day.saturating_add(1.days());
            for counter in &counters {
                let starts = calendar::open_starts(&counter.patterns, &closures, holidays, day);
                if !starts.is_empty() {
                    made += insert(&mut *db, site, counter, &starts).await?;
                }
            }
        }
        if made > 0 {
            sqlx::query("UPDATE site SET slots_until = $2::text::date WHERE id = $1")
                .bind(site.as_str())
                .bind(day.to_string())
                .execute(&mut *db)
                .await?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// The id of the slot at this counter and hour; `extra` 0 is the ordinary one. A function
/// of what it names, so two histories of one database never mean two slots by one id.
pub(crate) fn slot_id(site: &SiteId, counter: &str, at: DateTime, extra: i32) -> SlotId {
    let at = at.to_string();
    let name = [site.as_str(), counter, &at, &extra.to_string()].join("\n");
    let Hash([a, b, c, d, e, f, g, h, ..]) = sha256(&[b"jalon/slot/1\n", name.as_bytes()]);
    // 63 bits: it is a bigint. Among ten million slots two collide once in 180 000 times,
    // and the table then refuses the second rather than give it.
    SlotId(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1)
}

async fn insert(
    db: &mut PgConnection,
    site: &SiteId,
    counter: &Counter,
    starts: &[DateTime],
) -> Result<u64, Refusal> {
    let ids = starts
        .iter()
        .map(|at| i64::try_from(slot_id(site, &counter.name, *at, 0).0))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Refusal::Stored("slot id"))?;
    let starts: Vec<String> = starts.iter().map(ToString::to_string).collect();
    let done = sqlx::query(
        "INSERT INTO slot (id, site, counter, at) \
         SELECT id, $1, $2, start::timestamp FROM unnest($3::bigint[], $4::text[]) AS made (id, start) \
         ON CONFLICT (counter, at, extra) DO NOTHING",
    )
    .bind(site.as_str())
    .bind(counter.id)
    .bind(&ids)
    .bind(&starts)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

pub(crate) struct Counter {
    pub id: i64,
    pub name: String,
    patterns: Vec<Pattern>,
}

pub(crate) async fn counters(db: &mut PgConnection, site: &SiteId) -> Result<Vec<Counter>, Refusal> {
    let rows = sqlx::query("SELECT id, name, patterns::text FROM counter WHERE site = $1 ORDER BY id")
        .bind(site.as_str())
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| {
            let patterns: &str = row.try_get(2)?;
            let patterns = serde_json::from_str(patterns).map_err(|_| Refusal::Stored("opening pattern"))?;
            Ok(Counter { id: row.try_get(0)?, name: row.try_get(1)?, patterns })
        })
        .collect()
}

pub(crate) async fn closures(db: &mut PgConnection, site: &SiteId) -> Result<Vec<Closure>, Refusal> {
    let rows = sqlx::query("SELECT first::text, last::text FROM closure WHERE site = $1")
        .bind(site.as_str())
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| Ok(Closure { first: date(row.try_get(0)?)?, last: date(row.try_get(1)?)? }))
        .collect()
}

fn date(text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(|_| Refusal::Stored("date"))
}
