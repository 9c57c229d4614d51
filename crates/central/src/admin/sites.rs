//! A site and when it is open: the site itself, its counters, its closures. Never moves a
//! date already given.

use super::{AdminRefusal, known_site, line, refused, site_id};
use crate::{audit, lists};
use domain::audit::Act;
use domain::calendar::{Closure, Holidays, Pattern, PatternRefusal};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
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
    pub lease_slots: i16,
    /// The first day that may have slots.
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
            "there is no set of holidays {:?}; write metropolitan, alsace_moselle, guadeloupe, guyane, \
             martinique, mayotte or reunion",
            site.holidays
        ))
    })?;
    site.site_key.parse::<age::x25519::Recipient>().map_err(|_| {
        refused("the site key is not an age recipient; give the line age1… that the site's agents made with age-keygen")
    })?;
    if !(0..=LEASE_MAX).contains(&site.lease_slots) {
        return Err(refused(format!("a lease holds 0 to {LEASE_MAX} slots; correct --lease-slots")));
    }
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "INSERT INTO site (id, name, address, phone, zone, holidays, site_key, lease_slots, slots_until) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::date) ON CONFLICT (id) DO NOTHING",
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
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(refused(format!("site {id} exists already; choose another --id")));
    }
    audit::by_us(&mut tx, Act::SiteAdded, Some(&id), 1).await?;
    tx.commit().await?;
    Ok(json!({ "site": id }))
}

/// What papers say of a site, changed: what is not given stays.
#[derive(Debug, Default)]
pub struct SiteChange {
    pub name: Option<String>,
    /// All lines of the postal address; none given, none changed.
    pub address: Vec<String>,
    pub phone: Option<String>,
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
    if change.name.is_none() && change.address.is_empty() && change.phone.is_none() {
        return Err(refused("nothing to change is given; add --name, --address or --phone"));
    }
    let name = change.name.as_deref().map(|text| line("the site's name", text, LINE_MAX)).transpose()?;
    let address = address(&change.address)?;
    let phone =
        change.phone.as_deref().map(|text| line("the telephone number", text, PHONE_MAX)).transpose()?;
    let site = known_site(pool, site).await?;
    let mut tx = pool.begin().await?;
    sqlx::query(
        "UPDATE site SET name = coalesce($2, name), phone = coalesce($4, phone), \
         address = CASE WHEN cardinality($3::text[]) > 0 THEN $3::text[] ELSE address END WHERE id = $1",
    )
    .bind(site.as_str())
    .bind(name)
    .bind(address)
    .bind(phone)
    .execute(&mut *tx)
    .await?;
    lists::raise(&mut tx, &site, ListKind::Configuration, now).await?;
    audit::by_us(&mut tx, Act::SiteChanged, Some(&site), 1).await?;
    tx.commit().await?;
    Ok(json!({ "site": site, "changed": true }))
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
        if pattern.opens.duration_until(pattern.closes).as_mins() < i64::from(pattern.every_minutes) {
            return Err(refused(format!(
                "from {} to {} there is no room for one appointment of {} minutes; correct --closes or --every-minutes",
                pattern.opens, pattern.closes, pattern.every_minutes
            )));
        }
    }
    let name = line("the counter's name", name, COUNTER_MAX)?;
    let site = known_site(pool, site).await?;
    let patterns =
        serde_json::to_string(patterns).map_err(|_| refused("the opening pattern cannot be kept"))?;
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "INSERT INTO counter (site, name, patterns) VALUES ($1, $2, $3::text::jsonb) \
         ON CONFLICT (site, name) DO NOTHING RETURNING id",
    )
    .bind(site.as_str())
    .bind(&name)
    .bind(patterns)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| refused(format!("site {site} has a counter {name} already; choose another --name")))?;
    audit::by_us(&mut tx, Act::CounterAdded, Some(&site), 1).await?;
    tx.commit().await?;
    Ok(json!({ "counter": row.try_get::<i64, _>(0)? }))
}

/// Closes a site for some days. Dates already given stand: re-dating is the desk's act.
///
/// # Errors
/// The days are the wrong way round or the site is unknown.
pub async fn closure(pool: &PgPool, site: &str, closure: Closure) -> Result<Value, AdminRefusal> {
    if closure.last < closure.first {
        return Err(refused(format!(
            "the closure ends ({}) before it begins ({}); swap --first and --last",
            closure.last, closure.first
        )));
    }
    let site = known_site(pool, site).await?;
    let (first, last) = (closure.first.to_string(), closure.last.to_string());
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO closure (site, first, last) VALUES ($1, $2::text::date, $3::text::date)")
        .bind(site.as_str())
        .bind(&first)
        .bind(&last)
        .execute(&mut *tx)
        .await?;
    // Free slots of those days go; what is lent or given is counted and told.
    let removed = sqlx::query(
        "DELETE FROM slot WHERE site = $1 AND at::date BETWEEN $2::text::date AND $3::text::date \
         AND lease IS NULL AND registration IS NULL",
    )
    .bind(site.as_str())
    .bind(&first)
    .bind(&last)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    let row = sqlx::query(
        "SELECT count(registration), count(*) - count(registration) FROM slot \
         WHERE site = $1 AND at::date BETWEEN $2::text::date AND $3::text::date",
    )
    .bind(site.as_str())
    .bind(&first)
    .bind(&last)
    .fetch_one(&mut *tx)
    .await?;
    let (given, lent): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    audit::by_us(&mut tx, Act::SiteClosed, Some(&site), 1).await?;
    tx.commit().await?;
    Ok(json!({ "removed": removed, "given_in_closure": given, "lent_in_closure": lent }))
}

/// What to type instead.
fn pattern_refusal(refusal: PatternRefusal, pattern: &Pattern) -> String {
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
        PatternRefusal::Days => {
            "the pattern's last day is before its first; correct --from, written YYYY-MM-DD".to_owned()
        }
    }
}
