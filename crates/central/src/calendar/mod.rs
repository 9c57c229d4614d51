//! Slots in the database: made from the site's calendar as far ahead as somebody needs
//! one. `domain::calendar` says when counters are open; this only stores it.

pub(crate) mod change;

use crate::Refusal;
use domain::bytes::Hash;
use domain::calendar::{Closure, CounterCalendar, Holidays, SiteCalendar, SiteKind};
use domain::ids::{SiteId, SlotId};
use domain::procedure::{Procedure, ProcedureSet};
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use seal::keys::sha256;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// Days made at once.
const STEP_DAYS: i32 = 28;
/// How far past the newest made day one request may look. A site without a single open
/// day in ten years has no capacity.
const FURTHEST_DAYS: i32 = 3_660;

/// What a slot must serve to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Any,
    Procedure(Procedure),
    /// Everybody: for a kiosk that knows nothing of procedures.
    Everybody,
}

impl Wanted {
    pub fn is_served(self, serves: ProcedureSet) -> bool {
        match self {
            Self::Any => true,
            Self::Procedure(procedure) => serves.includes(procedure),
            Self::Everybody => serves.is_all(),
        }
    }

    pub fn of(procedure: Option<Procedure>) -> Self {
        procedure.map_or(Self::Any, Self::Procedure)
    }
}

/// A site's calendar and its counters' own.
pub(crate) struct Calendar {
    pub site: SiteId,
    pub rules: SiteCalendar,
    /// Slots are made up to this day.
    pub until: Date,
    pub counters: Vec<Counter>,
}

pub(crate) struct Counter {
    pub id: i64,
    pub name: String,
    pub calendar: CounterCalendar,
}

/// A slot the calendar has.
pub(crate) struct Slot {
    pub counter: i64,
    pub id: SlotId,
    pub at: DateTime,
    /// 0 and below: which of the people received at once.
    pub number: i32,
    pub serves: ProcedureSet,
}

impl Calendar {
    pub async fn read(db: &mut PgConnection, site: &SiteId) -> Result<Self, Refusal> {
        let row = sqlx::query(
            "SELECT kind, last_day::text, first_day::text, holidays, zone, slots_until::text FROM site WHERE id = $1",
        )
        .bind(site.as_str())
        .fetch_one(&mut *db)
        .await?;
        let last = row.try_get::<Option<&str>, _>(1)?.map(date).transpose()?;
        let mut rules = SiteCalendar {
            kind: SiteKind::parse(row.try_get(0)?, last).ok_or(Refusal::Stored("kind of site"))?,
            first: date(row.try_get(2)?)?,
            holidays: Holidays::parse(row.try_get(3)?).ok_or(Refusal::Stored("holidays"))?,
            closures: Vec::new(),
            zone: TimeZone::get(row.try_get(4)?).map_err(|_| Refusal::Stored("time zone"))?,
        };
        let until = date(row.try_get(5)?)?;
        let mut counters = counters(&mut *db, site).await?;
        for (of, closure) in all_closures(&mut *db, site).await? {
            match of {
                None => rules.closures.push(closure),
                Some(id) => {
                    let own = counters.iter_mut().filter(|counter| counter.id == id);
                    own.for_each(|counter| counter.calendar.closures.push(closure));
                }
            }
        }
        Ok(Self { site: site.clone(), rules, until, counters })
    }

    /// A counter's slots on a day.
    pub fn slots<'c>(&'c self, counter: &'c Counter, day: Date) -> impl Iterator<Item = Slot> + 'c {
        self.rules.hours(&counter.calendar, day).into_iter().flat_map(move |hour| {
            let at = hour.at;
            (0..).zip(hour.seats).map(move |(n, serves)| {
                let number = -n;
                let id = slot_id(&self.site, &counter.name, at, number);
                Slot { counter: counter.id, id, at, number, serves }
            })
        })
    }

    /// What the slot of this number at this hour serves; none when the calendar has no such
    /// slot. An extra one stands beside any of its hour.
    pub fn serves(&self, counter: &Counter, at: DateTime, number: i32) -> Option<ProcedureSet> {
        let hours = self.rules.hours(&counter.calendar, at.date());
        let hour = hours.iter().find(|hour| hour.at == at)?;
        match usize::try_from(-i64::from(number)) {
            Ok(seat) => hour.seats.get(seat).copied(),
            Err(_) => Some(hour.serves()),
        }
    }

    /// Does any counter receive anybody on this day?
    pub fn is_open(&self, day: Date) -> bool {
        self.counters.iter().any(|counter| !self.rules.hours(&counter.calendar, day).is_empty())
    }

    /// The first day after those made that has a slot for `wanted`.
    fn next(&self, wanted: Wanted) -> Option<Date> {
        let furthest = self.until.saturating_add(FURTHEST_DAYS.days());
        let counters = self.counters.iter().map(|counter| &counter.calendar);
        self.rules.next_serving(counters, |serves| wanted.is_served(serves), (self.until, furthest))
    }
}

/// Makes at least one more open day's slots after the site's newest that serve what is wanted,
/// and tells whether there was any. Takes the site's row lock, so two requests never make a day
/// twice; not of its key, which every new registration of the site holds: a crowd would wait
/// for itself.
pub(crate) async fn extend(db: &mut PgConnection, site: &SiteId, wanted: Wanted) -> Result<bool, Refusal> {
    let before = sqlx::query("SELECT slots_until::text FROM site WHERE id = $1")
        .bind(site.as_str())
        .fetch_one(&mut *db)
        .await?;
    let row = sqlx::query("SELECT slots_until::text FROM site WHERE id = $1 FOR NO KEY UPDATE")
        .bind(site.as_str())
        .fetch_one(&mut *db)
        .await?;
    if date(row.try_get(0)?)? != date(before.try_get(0)?)? {
        // Somebody else has just made them.
        return Ok(true);
    }
    let calendar = Calendar::read(&mut *db, site).await?;
    let Some(open) = calendar.next(wanted) else { return Ok(false) };
    let mut day = calendar.until;
    while day < open {
        let first = day;
        day = day.saturating_add(STEP_DAYS.days());
        for counter in &calendar.counters {
            let days = first.series(1.days()).skip(1).take_while(|at| *at <= day);
            let slots: Vec<Slot> = days.flat_map(|at| calendar.slots(counter, at)).collect();
            insert(&mut *db, site, &slots).await?;
        }
    }
    sqlx::query("UPDATE site SET slots_until = $2::text::date WHERE id = $1")
        .bind(site.as_str())
        .bind(day.to_string())
        .execute(&mut *db)
        .await?;
    Ok(true)
}

/// Whoever takes a slot of the site waits for a calendar that is being changed, and the change
/// for them: nobody is given a slot that vanishes, or sent past days that are only locked.
pub(crate) async fn hold(db: &mut PgConnection, site: &SiteId) -> Result<(), Refusal> {
    sqlx::query("SELECT 1 FROM site WHERE id = $1 FOR KEY SHARE")
        .bind(site.as_str())
        .fetch_optional(db)
        .await?;
    Ok(())
}

/// The id of the slot of this number at this counter and hour; 0 is the first ordinary one. A
/// function of what it names, so two histories of one database never mean two slots by one id.
pub(crate) fn slot_id(site: &SiteId, counter: &str, at: DateTime, number: i32) -> SlotId {
    let at = at.to_string();
    let name = [site.as_str(), counter, &at, &number.to_string()].join("\n");
    let Hash([a, b, c, d, e, f, g, h, ..]) = sha256(&[b"jalon/slot/1\n", name.as_bytes()]);
    // 63 bits: it is a bigint. Among ten million slots two collide once in 180 000 times,
    // and the table then refuses the second rather than give it.
    SlotId(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1)
}

/// Slots that are there already stay as they are.
pub(crate) async fn insert(db: &mut PgConnection, site: &SiteId, slots: &[Slot]) -> Result<(), Refusal> {
    let mut alike: BTreeMap<(i64, ProcedureSet), Vec<&Slot>> = BTreeMap::new();
    for slot in slots {
        alike.entry((slot.counter, slot.serves)).or_default().push(slot);
    }
    for ((counter, serves), slots) in alike {
        let ids = slots
            .iter()
            .map(|slot| i64::try_from(slot.id.0))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Refusal::Stored("slot id"))?;
        let starts: Vec<String> = slots.iter().map(|slot| slot.at.to_string()).collect();
        let numbers: Vec<i32> = slots.iter().map(|slot| slot.number).collect();
        sqlx::query(
            "INSERT INTO slot (id, site, counter, at, extra, procedures) \
             SELECT id, $1, $2, start::timestamp, number, $6 \
             FROM unnest($3::bigint[], $4::text[], $5::integer[]) AS made (id, start, number) \
             ON CONFLICT (counter, at, extra) DO NOTHING",
        )
        .bind(site.as_str())
        .bind(counter)
        .bind(&ids)
        .bind(&starts)
        .bind(&numbers)
        .bind(serves.keys())
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

async fn counters(db: &mut PgConnection, site: &SiteId) -> Result<Vec<Counter>, Refusal> {
    let rows = sqlx::query(
        "SELECT counter.id, counter.name, counter.patterns::text, coalesce(json_agg(opening.body ORDER BY opening.id) \
         FILTER (WHERE opening.id IS NOT NULL), '[]')::text \
         FROM counter LEFT JOIN opening ON opening.counter = counter.id \
         WHERE counter.site = $1 GROUP BY counter.id ORDER BY counter.id",
    )
    .bind(site.as_str())
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let (patterns, openings): (&str, &str) = (row.try_get(2)?, row.try_get(3)?);
            let patterns = serde_json::from_str(patterns).map_err(|_| Refusal::Stored("opening pattern"))?;
            let openings = serde_json::from_str(openings).map_err(|_| Refusal::Stored("opening"))?;
            let calendar = CounterCalendar { patterns, openings, closures: Vec::new() };
            Ok(Counter { id: row.try_get(0)?, name: row.try_get(1)?, calendar })
        })
        .collect()
}

/// Closures of the whole site.
pub(crate) async fn closures(db: &mut PgConnection, site: &SiteId) -> Result<Vec<Closure>, Refusal> {
    let all = all_closures(db, site).await?;
    Ok(all.into_iter().filter(|(counter, _)| counter.is_none()).map(|(_, closure)| closure).collect())
}

async fn all_closures(db: &mut PgConnection, site: &SiteId) -> Result<Vec<(Option<i64>, Closure)>, Refusal> {
    let rows = sqlx::query("SELECT counter, first::text, last::text FROM closure WHERE site = $1")
        .bind(site.as_str())
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| {
            let closure = Closure { first: date(row.try_get(1)?)?, last: date(row.try_get(2)?)? };
            Ok((row.try_get(0)?, closure))
        })
        .collect()
}

/// What a slot serves, from its column.
pub(crate) fn procedures(row: &PgRow, column: usize) -> Result<ProcedureSet, Refusal> {
    let keys: Option<Vec<String>> = row.try_get(column)?;
    Ok(ProcedureSet::known(keys.as_deref()))
}

/// The same as a lease tells it; none when it is all.
pub(crate) fn named(serves: ProcedureSet) -> Option<Vec<String>> {
    serves.keys().map(|keys| keys.into_iter().map(str::to_owned).collect())
}

fn date(text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(|_| Refusal::Stored("date"))
}
