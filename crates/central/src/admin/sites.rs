//! A site and its counters, added and described. How their calendar changes is another file's.

use super::{AdminRefusal, known_site, line, refused, site_id};
use crate::calendar::Calendar;
use crate::calendar::change::{self, Scope};
use crate::{audit, nearby};
use domain::audit::Act;
use domain::busy::PER_HOUR_MAX;
use domain::calendar::{CAPACITY_MAX, Holidays, Pattern, PatternRefusal, SiteKind};
use domain::department::{Department, SITES_MAX};
use domain::ids::SiteId;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool, Row};
use wire::messages::ListKind;

/// Longest name of a site and line of its address, in characters: a line of the paper.
const LINE_MAX: usize = 100;
/// Most lines of an address: what a paper has room for.
const ADDRESS_LINES: usize = 6;
/// Longest telephone number, in characters, with its spaces.
const PHONE_MAX: usize = 40;
/// Longest name of a counter, in characters: it stands over a door.
const COUNTER_MAX: usize = 40;
/// Most slots a lease holds, as the table has it.
const LEASE_MAX: i16 = 400;

/// A new site.
#[derive(Debug)]
pub struct NewSite {
    pub id: String,
    pub name: String,
    pub address: Vec<String>,
    pub phone: Option<String>,
    pub zone: String,
    pub holidays: String,
    pub site_key: String,
    /// Slots of every kiosk's lease; none: each by what has been seen of the kiosk.
    pub lease_slots: Option<i16>,
    pub kind: SiteKind,
    /// The day before the first that may have slots: nobody is asked to come the same day.
    pub from: Date,
}

/// # Errors
/// A field is not what it should be, or the site exists already.
pub async fn site(pool: &PgPool, site: &NewSite) -> Result<Value, AdminRefusal> {
    let id = site_id(&site.id)?;
    let name = line("the site's name", &site.name, LINE_MAX)?;
    let address = address(&site.address)?;
    let phone =
        site.phone.as_deref().map(|text| line("the telephone number", text, PHONE_MAX)).transpose()?;
    TimeZone::get(&site.zone).map_err(|_| {
        refused(format!("there is no time zone {:?}; write one such as Europe/Paris", site.zone))
    })?;
    let holidays = Holidays::parse(&site.holidays).ok_or_else(|| {
        refused(format!(
            "there is no set of holidays {:?}; write one of {}",
            site.holidays,
            Holidays::ALL.map(Holidays::key).join(", ")
        ))
    })?;
    site.site_key.parse::<age::x25519::Recipient>().map_err(|_| {
        refused("the site key is not an age recipient; give the line age1… that the site's agents made with age-keygen")
    })?;
    if site.lease_slots.is_some_and(|slots| !(0..=LEASE_MAX).contains(&slots)) {
        return Err(refused(format!("a lease holds 0 to {LEASE_MAX} slots; correct --lease-slots")));
    }
    let first = site.from.saturating_add(1.days());
    if let Some(last) = site.kind.last().filter(|last| *last < first) {
        return Err(refused(format!(
            "the site's last day ({last}) is before its first ({first}); correct --from or --until"
        )));
    }
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "INSERT INTO site (id, name, address, phone, zone, holidays, site_key, lease_slots, slots_until, \
         kind, first_day, last_day) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::date, $10, $11::text::date, $12::text::date) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(id.as_str())
    .bind(name)
    .bind(address)
    .bind(phone)
    .bind(&site.zone)
    .bind(holidays.key())
    .bind(&site.site_key)
    .bind(site.lease_slots)
    .bind(site.from.to_string())
    .bind(site.kind.key())
    .bind(first.to_string())
    .bind(site.kind.last().map(|last| last.to_string()))
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(refused(format!("site {id} exists already; choose another --id")));
    }
    audit::by_us(&mut tx, Act::SiteAdded, Some(&id), 1).await?;
    tx.commit().await?;
    Ok(json!({ "site": id }))
}

/// What papers and kiosks say of a site, changed: what is not given stays.
#[derive(Debug, Default)]
pub struct SiteChange {
    pub name: Option<String>,
    /// All lines of the postal address; none given, none changed.
    pub address: Vec<String>,
    pub phone: Option<String>,
    /// Registrations of a kiosk, and of a mediator, in an hour before the desk looks.
    pub per_hour_kiosk: Option<u16>,
    pub per_hour_mediator: Option<u16>,
    /// The number of its département; once given, it stays.
    pub department: Option<String>,
}

/// Kiosks hear of it with their next exchange. Its time zone and holidays never change: dates
/// hang on them.
///
/// # Errors
/// A field is not what it should be, nothing is given, or the site is unknown.
pub async fn change_site(
    pool: &PgPool,
    site: &str,
    change: &SiteChange,
    now: Timestamp,
) -> Result<Value, AdminRefusal> {
    let per_hour = [change.per_hour_kiosk, change.per_hour_mediator];
    if change.name.is_none()
        && change.address.is_empty()
        && change.phone.is_none()
        && per_hour.iter().all(Option::is_none)
        && change.department.is_none()
    {
        return Err(refused(
            "nothing to change is given; add --name, --address, --phone, --department, --per-hour-kiosk or \
             --per-hour-mediator",
        ));
    }
    if per_hour.iter().flatten().any(|count| !(1..=PER_HOUR_MAX).contains(count)) {
        return Err(refused(format!(
            "a kiosk or a mediator may register 1 to {PER_HOUR_MAX} people an hour; correct --per-hour-kiosk or \
             --per-hour-mediator"
        )));
    }
    let [kiosk, mediator] = per_hour.map(|count| count.and_then(|count| i16::try_from(count).ok()));
    let name = change.name.as_deref().map(|text| line("the site's name", text, LINE_MAX)).transpose()?;
    let address = address(&change.address)?;
    let phone =
        change.phone.as_deref().map(|text| line("the telephone number", text, PHONE_MAX)).transpose()?;
    let department = change.department.as_deref().map(department).transpose()?;
    let site = known_site(pool, site).await?;
    let mut tx = pool.begin().await?;
    if let Some(department) = department {
        belongs_to(&mut tx, &site, department).await?;
    }
    sqlx::query(
        "UPDATE site SET name = coalesce($2, name), phone = coalesce($4, phone), \
         per_hour_kiosk = coalesce($5, per_hour_kiosk), per_hour_mediator = coalesce($6, per_hour_mediator), \
         address = CASE WHEN cardinality($3::text[]) > 0 THEN $3::text[] ELSE address END WHERE id = $1",
    )
    .bind(site.as_str())
    .bind(name)
    .bind(address)
    .bind(phone)
    .bind(kiosk)
    .bind(mediator)
    .execute(&mut *tx)
    .await?;
    nearby::raise(&mut tx, &site, ListKind::Configuration, now).await?;
    if department.is_some() {
        // From now on its doors are shown the papers of the others' kiosks.
        nearby::raise(&mut tx, &site, ListKind::Issuers, now).await?;
    }
    audit::by_us(&mut tx, Act::SiteChanged, Some(&site), 1).await?;
    tx.commit().await?;
    Ok(json!({ "site": site, "changed": true }))
}

fn department(text: &str) -> Result<Department, AdminRefusal> {
    Department::parse(text).ok_or_else(|| {
        refused(format!("there is no département {text:?}; write its number, for example 93, 2A or 971"))
    })
}

/// Papers name sites that a kiosk knows by their département: one that has it keeps it.
async fn belongs_to(
    db: &mut PgConnection,
    site: &SiteId,
    department: Department,
) -> Result<(), AdminRefusal> {
    // Two at once would each leave room for themselves.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('department ' || $1, 0))")
        .bind(department.as_str())
        .execute(&mut *db)
        .await?;
    let row = sqlx::query(
        "SELECT department, (SELECT count(*) FROM site AS other WHERE other.department = $2 AND other.id <> site.id) \
         FROM site WHERE id = $1 FOR NO KEY UPDATE",
    )
    .bind(site.as_str())
    .bind(department.as_str())
    .fetch_one(&mut *db)
    .await?;
    let (stands, others): (Option<&str>, i64) = (row.try_get(0)?, row.try_get(1)?);
    if let Some(stands) = stands.filter(|stands| *stands != department.as_str()) {
        return Err(refused(format!(
            "site {site} is in département {stands}, and papers rest on it; leave --department out"
        )));
    }
    if usize::try_from(others).is_ok_and(|others| others >= SITES_MAX) {
        return Err(refused(format!(
            "département {department} has {SITES_MAX} sites already, the most that dates are given at together"
        )));
    }
    sqlx::query("UPDATE site SET department = $2 WHERE id = $1")
        .bind(site.as_str())
        .bind(department.as_str())
        .execute(db)
        .await?;
    Ok(())
}

fn address(lines: &[String]) -> Result<Vec<String>, AdminRefusal> {
    if lines.len() > ADDRESS_LINES {
        return Err(refused(format!(
            "the address has too many lines; give --address at most {ADDRESS_LINES} times"
        )));
    }
    lines.iter().map(|text| line("a line of the address", text, LINE_MAX)).collect()
}

/// # Errors
/// A pattern no calendar can hold, an unknown site, or a name already used.
pub async fn counter(
    pool: &PgPool,
    site: &str,
    name: &str,
    patterns: &[Pattern],
) -> Result<Value, AdminRefusal> {
    for pattern in patterns {
        pattern.check().map_err(|refusal| refused(pattern_refusal(refusal, pattern)))?;
    }
    let name = line("the counter's name", name, COUNTER_MAX)?;
    let site = known_site(pool, site).await?;
    let text = serde_json::to_string(patterns).map_err(|_| refused("the opening pattern cannot be kept"))?;
    let mut tx = pool.begin().await?;
    change::lock(&mut tx, &site).await?;
    match (patterns.is_empty(), Calendar::read(&mut tx, &site).await?.rules.kind) {
        (false, _) => may_have_patterns(&mut tx, &site).await?,
        (true, SiteKind::Mobile) => {}
        (true, SiteKind::Fixed | SiteKind::Temporary { .. }) => {
            return Err(refused(
                "when the counter is open is missing; add for example --weekdays 1,2,3,4,5 --opens 09:00 --closes 16:00 \
                 --every-minutes 20",
            ));
        }
    }
    let row = sqlx::query(
        "INSERT INTO counter (site, name, patterns) VALUES ($1, $2, $3::text::jsonb) \
         ON CONFLICT (site, name) DO NOTHING RETURNING id",
    )
    .bind(site.as_str())
    .bind(&name)
    .bind(text)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| refused(format!("site {site} has a counter {name} already; choose another --name")))?;
    let counter: i64 = row.try_get(0)?;
    // In days already made the new counter has its slots too.
    if let Some(first) = patterns.iter().map(|pattern| pattern.from).min() {
        let scope = Scope { counter: Some(counter), first, last: Date::MAX };
        let appear = change::effect(&mut tx, &site, &scope).await?.appear;
        crate::calendar::insert(&mut tx, &site, &appear).await?;
    }
    audit::by_us(&mut tx, Act::CounterAdded, Some(&site), 1).await?;
    tx.commit().await?;
    Ok(json!({ "counter": counter }))
}

/// Weekly hours are for sites that stay where they are.
pub(super) async fn may_have_patterns(db: &mut PgConnection, site: &SiteId) -> Result<(), AdminRefusal> {
    if Calendar::read(db, site).await?.rules.kind == SiteKind::Mobile {
        return Err(refused(format!(
            "site {site} is mobile: it has no weekly hours; name the days it comes with central admin opening"
        )));
    }
    Ok(())
}

/// What to type instead.
pub(super) fn pattern_refusal(refusal: PatternRefusal, pattern: &Pattern) -> String {
    match refusal {
        PatternRefusal::Weekday => {
            "the weekdays are not right; write numbers from 1 (Monday) to 7 (Sunday), for example --weekdays 1,2,3,4,5"
                .to_owned()
        }
        PatternRefusal::Hours => format!(
            "the counter opens ({}) at or after the time it closes ({}); correct --opens or --closes, for example \
             --opens 09:00 --closes 16:00",
            pattern.opens, pattern.closes
        ),
        PatternRefusal::Step => format!(
            "an appointment every {} minutes is not possible; write 5 to 480, for example --every-minutes 20",
            pattern.every_minutes
        ),
        PatternRefusal::NoRoom => format!(
            "from {} to {} there is no room for one appointment of {} minutes; correct --closes or --every-minutes",
            pattern.opens, pattern.closes, pattern.every_minutes
        ),
        PatternRefusal::Capacity => format!(
            "{} people at once is not possible; write 1 to {CAPACITY_MAX}, for example --capacity 2",
            pattern.capacity
        ),
        PatternRefusal::Procedures => {
            "the counter would serve nothing; name procedures, or leave --procedures out for all".to_owned()
        }
        PatternRefusal::Days => {
            "the pattern's last day is before its first; correct --from or --until, written YYYY-MM-DD".to_owned()
        }
    }
}
