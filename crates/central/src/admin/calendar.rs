//! Changes of a site's calendar: closures, single openings, other weekly hours, a site's last
//! day. Each can be seen before it is made; made, it moves no date: what somebody may hold
//! stays, and each date outside is a task of the desk.

use super::{AdminRefusal, known_site, refused, sites};
use crate::calendar::Calendar;
use crate::calendar::change::{self, Effect, Holder, Scope};
use crate::{Random, audit, dates, reserve};
use domain::audit::Act;
use domain::calendar::{Closure, Opening, PATTERNS_MAX, Pattern, PatternChange};
use domain::ids::SiteId;
use domain::procedure::ProcedureSet;
use jiff::{Timestamp, ToSpan, civil::Date};
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Postgres, Row, Transaction};
use std::collections::BTreeMap;

/// Most openings of one counter still to come: more than one a day for a year is a pattern.
const OPENINGS_MAX: i64 = 400;
/// Dates named one by one in an answer; all of them are counted.
const LISTED: usize = 200;

/// How a change is asked for.
#[derive(Clone)]
pub struct Ask {
    /// Tell what it would do, and do nothing.
    pub preview: bool,
    /// The preview's token: these very dates may fall outside.
    pub token: Option<String>,
    pub now: Timestamp,
    pub random: Random,
}

impl Ask {
    /// Without a preview: done, where no date is in question.
    #[must_use]
    pub fn at(now: Timestamp, random: Random) -> Self {
        Self { preview: false, token: None, now, random }
    }
}

/// Closes a site, or one of its counters, from a first to a last day. Single openings on these
/// days are taken away: what is said last holds.
///
/// # Errors
/// The days are the wrong way round or gone by, the site or counter is unknown, or dates fall
/// inside and the preview's token is not given.
pub async fn closure(
    pool: &PgPool,
    site: &str,
    counter: Option<&str>,
    closure: Closure,
    ask: &Ask,
) -> Result<Value, AdminRefusal> {
    if closure.last < closure.first {
        return Err(refused(format!(
            "the closure ends ({}) before it begins ({}); swap --first and --last",
            closure.last, closure.first
        )));
    }
    let mut open = Open::begin(pool, site, counter, ask).await?;
    if closure.last < open.today {
        return Err(refused(format!("the closure is over since {}; correct --last", closure.last)));
    }
    let days = (closure.first.to_string(), closure.last.to_string());
    sqlx::query(
        "INSERT INTO closure (site, counter, first, last) VALUES ($1, $2, $3::text::date, $4::text::date)",
    )
    .bind(open.site.as_str())
    .bind(open.counter)
    .bind(&days.0)
    .bind(&days.1)
    .execute(&mut *open.tx)
    .await?;
    sqlx::query(
        "DELETE FROM opening WHERE site = $1 AND ($2::bigint IS NULL OR counter = $2) \
         AND day BETWEEN greatest($3::text::date, $5::text::date) AND $4::text::date",
    )
    .bind(open.site.as_str())
    .bind(open.counter)
    .bind(&days.0)
    .bind(&days.1)
    .bind(open.today.to_string())
    .execute(&mut *open.tx)
    .await?;
    open.finish((closure.first, closure.last), &json!({ "closure": days }), ask).await
}

/// Takes a closure back. Its hours are open again, and what was outside is inside again.
///
/// # Errors
/// There is no such closure.
pub async fn remove_closure(
    pool: &PgPool,
    site: &str,
    counter: Option<&str>,
    closure: Closure,
    ask: &Ask,
) -> Result<Value, AdminRefusal> {
    let mut open = Open::begin(pool, site, counter, ask).await?;
    let days = (closure.first.to_string(), closure.last.to_string());
    let done = sqlx::query(
        "DELETE FROM closure WHERE site = $1 AND counter IS NOT DISTINCT FROM $2 \
         AND first = $3::text::date AND last = $4::text::date",
    )
    .bind(open.site.as_str())
    .bind(open.counter)
    .bind(&days.0)
    .bind(&days.1)
    .execute(&mut *open.tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(refused(format!(
            "there is no closure from {} to {} there; central admin calendar --site {} lists them",
            days.0, days.1, open.site
        )));
    }
    open.finish((closure.first, closure.last), &json!({ "no_closure": days }), ask).await
}

/// Opens a counter on single days, whatever the weekday, a closure or a public holiday. All or
/// none.
///
/// # Errors
/// The hours are not possible, a day is not to come or the site does not stand then, or there
/// are too many.
pub async fn opening(
    pool: &PgPool,
    site: &str,
    counter: &str,
    openings: &[Opening],
    ask: &Ask,
) -> Result<Value, AdminRefusal> {
    let mut open = Open::begin(pool, site, Some(counter), ask).await?;
    let rules = Calendar::read(&mut open.tx, &open.site).await?.rules;
    for opening in openings {
        opening.check().map_err(|refusal| refused(sites::pattern_refusal(refusal, &opening.pattern())))?;
        if opening.day <= open.today {
            return Err(refused(format!(
                "{} is not to come; nobody is asked to come the same day: give --day a later one",
                opening.day
            )));
        }
        if opening.day < rules.first || rules.kind.last().is_some_and(|last| opening.day > last) {
            return Err(refused(format!(
                "site {} does not stand on {}; correct --day, or central admin site-days --site {}",
                open.site, opening.day, open.site
            )));
        }
        let body = serde_json::to_string(opening).map_err(|_| refused("the opening cannot be kept"))?;
        sqlx::query(
            "INSERT INTO opening (site, counter, day, body) VALUES ($1, $2, $3::text::date, $4::text::jsonb)",
        )
        .bind(open.site.as_str())
        .bind(open.counter)
        .bind(opening.day.to_string())
        .bind(body)
        .execute(&mut *open.tx)
        .await?;
    }
    let row = sqlx::query("SELECT count(*) FROM opening WHERE counter = $1 AND day > $2::text::date")
        .bind(open.counter)
        .bind(open.today.to_string())
        .fetch_one(&mut *open.tx)
        .await?;
    if row.try_get::<i64, _>(0)? > OPENINGS_MAX {
        return Err(refused(format!(
            "a counter has at most {OPENINGS_MAX} openings to come; give it weekly hours with central admin counter-change"
        )));
    }
    let days = openings.iter().map(|opening| opening.day);
    let (Some(first), Some(last)) = (days.clone().min(), days.max()) else {
        return Err(refused("no day is given; add --day"));
    };
    open.finish((first, last), &json!({ "opening": openings }), ask).await
}

/// Takes the openings of a counter on some days back, if nobody is dated there.
///
/// # Errors
/// There is none, its day has come, or somebody may hold a date there.
pub async fn remove_opening(
    pool: &PgPool,
    site: &str,
    counter: &str,
    days: &[Date],
    ask: &Ask,
) -> Result<Value, AdminRefusal> {
    let mut open = Open::begin(pool, site, Some(counter), ask).await?;
    for day in days {
        if *day <= open.today {
            return Err(refused(format!("{day} has come; an opening is taken back before its day")));
        }
        let done = sqlx::query("DELETE FROM opening WHERE counter = $1 AND day = $2::text::date")
            .bind(open.counter)
            .bind(day.to_string())
            .execute(&mut *open.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(refused(format!(
                "counter {counter} has no opening on {day}; central admin calendar --site {} lists them",
                open.site
            )));
        }
    }
    let (Some(first), Some(last)) = (days.iter().min().copied(), days.iter().max().copied()) else {
        return Err(refused("no day is given; add --day"));
    };
    let scope = Scope { counter: open.counter, first, last };
    let held = change::effect(&mut open.tx, &open.site, &scope).await?.affected.len();
    if held > 0 && !ask.preview {
        return Err(refused(format!(
            "{held} dates of these days are given or lent to kiosks, so the opening stands; to close all the same, \
             central admin closure --site {} --counter {counter} --first {first} --last {last} --preview",
            open.site
        )));
    }
    open.finish((first, last), &json!({ "no_opening": days }), ask).await
}

/// Changes a counter's weekly hours from a day on.
///
/// # Errors
/// The hours are not possible, the day has gone by, the site is mobile, or dates fall outside
/// and the preview's token is not given.
pub async fn counter_change(
    pool: &PgPool,
    site: &str,
    counter: &str,
    change: &PatternChange,
    ask: &Ask,
) -> Result<Value, AdminRefusal> {
    let mut open = Open::begin(pool, site, Some(counter), ask).await?;
    let (site, today) = (open.site.clone(), open.today);
    if let PatternChange::Replace(pattern) | PatternChange::Add(pattern) = change {
        pattern.check().map_err(|refusal| refused(sites::pattern_refusal(refusal, pattern)))?;
        sites::may_have_patterns(&mut open.tx, &site).await?;
    }
    if change.from() < today {
        return Err(refused(format!("{} has gone by; give --from {today} or later", change.from())));
    }
    let row = sqlx::query("SELECT patterns::text FROM counter WHERE id = $1")
        .bind(open.counter)
        .fetch_one(&mut *open.tx)
        .await?;
    let patterns: Vec<Pattern> = serde_json::from_str(row.try_get(0)?)
        .map_err(|_| refused("the counter's patterns cannot be read by this version"))?;
    let mut patterns = change.made(&patterns);
    patterns.retain(|pattern| pattern.until.is_none_or(|until| until >= today));
    if patterns.len() > PATTERNS_MAX {
        return Err(refused(format!(
            "a counter has at most {PATTERNS_MAX} patterns; replace them instead of adding one"
        )));
    }
    let text = serde_json::to_string(&patterns).map_err(|_| refused("the pattern cannot be kept"))?;
    sqlx::query("UPDATE counter SET patterns = $2::text::jsonb WHERE id = $1")
        .bind(open.counter)
        .bind(text)
        .execute(&mut *open.tx)
        .await?;
    open.finish((change.from(), Date::MAX), &json!({ "patterns": change }), ask).await
}

/// Changes the last day of a temporary site.
///
/// # Errors
/// The site is not temporary, the day has gone by, or dates fall outside and the preview's
/// token is not given.
pub async fn site_days(pool: &PgPool, site: &str, last: Date, ask: &Ask) -> Result<Value, AdminRefusal> {
    let mut open = Open::begin(pool, site, None, ask).await?;
    let rules = Calendar::read(&mut open.tx, &open.site).await?.rules;
    let Some(before) = rules.kind.last() else {
        return Err(refused(format!(
            "site {} is {}: only a temporary site has a last day; close it with central admin closure",
            open.site,
            rules.kind.key()
        )));
    };
    if last < open.today || last < rules.first {
        return Err(refused(format!("{last} has gone by, or the site stands later; correct --until")));
    }
    sqlx::query("UPDATE site SET last_day = $2::text::date WHERE id = $1")
        .bind(open.site.as_str())
        .bind(last.to_string())
        .execute(&mut *open.tx)
        .await?;
    let first = last.min(before).saturating_add(1.days());
    open.finish((first, Date::MAX), &json!({ "until": last }), ask).await
}

/// A site's calendar as it stands, and what each day keeps for near time limits, as last counted.
///
/// # Errors
/// The site is unknown.
pub async fn calendar(pool: &PgPool, site: &str) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut db = pool.acquire().await?;
    let Calendar { rules, until, counters, .. } = Calendar::read(&mut db, &site).await?;
    let counters: Vec<Value> = counters
        .iter()
        .map(|counter| {
            json!({
                "counter": counter.name, "patterns": counter.calendar.patterns,
                "openings": counter.calendar.openings, "closures": counter.calendar.closures,
            })
        })
        .collect();
    let extra = extra(&mut db, &site).await?;
    let kept = reserve::last(&mut db, &site).await?.map(
        |(day, count)| json!({ "counted_on": day, "a_day": count.kept(ProcedureSet::ALL), "count": count }),
    );
    Ok(json!({
        "site": site, "kind": rules.kind.key(), "first_day": rules.first, "last_day": rules.kind.last(),
        "holidays": rules.holidays.key(), "closures": rules.closures, "slots_until": until, "counters": counters,
        "kept": kept, "extra": extra,
    }))
}

/// People received beside the others on days to come, by day: extra slots.
async fn extra(db: &mut PgConnection, site: &SiteId) -> Result<Vec<Value>, AdminRefusal> {
    let rows = sqlx::query(
        "SELECT at::date::text, count(*) FROM slot WHERE site = $1 AND extra > 0 AND registration IS NOT NULL \
         AND at >= now()::date - 1 GROUP BY 1 ORDER BY 1",
    )
    .bind(site.as_str())
    .fetch_all(db)
    .await?;
    let day = |row: &PgRow| -> Result<Value, AdminRefusal> {
        let (day, people): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok(json!({ "day": day, "people": people }))
    };
    rows.iter().map(day).collect()
}

/// A change begun: nobody takes a slot of the site until it ends.
struct Open {
    tx: Transaction<'static, Postgres>,
    site: SiteId,
    counter: Option<i64>,
    today: Date,
}

impl Open {
    async fn begin(
        pool: &PgPool,
        site: &str,
        counter: Option<&str>,
        ask: &Ask,
    ) -> Result<Self, AdminRefusal> {
        let site = known_site(pool, site).await?;
        let mut tx = pool.begin().await?;
        change::lock(&mut tx, &site).await?;
        let today = dates::day(&mut tx, &site, ask.now).await?;
        let Some(name) = counter else { return Ok(Self { tx, site, counter: None, today }) };
        let rows = sqlx::query("SELECT id, name FROM counter WHERE site = $1 ORDER BY name")
            .bind(site.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let mut names = Vec::new();
        for row in &rows {
            let (id, known): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
            if known == name {
                return Ok(Self { tx, site, counter: Some(id), today });
            }
            names.push(known);
        }
        let there =
            if names.is_empty() { "none".to_owned() } else { names.join(", ").chars().take(400).collect() };
        Err(refused(format!("site {site} has no counter {name:?} (there is {there}); correct the name")))
    }

    /// Tells what the change does, or does it.
    async fn finish(
        mut self,
        (first, last): (Date, Date),
        act: &Value,
        ask: &Ask,
    ) -> Result<Value, AdminRefusal> {
        let scope = Scope { counter: self.counter, first: first.max(self.today), last };
        let effect = change::effect(&mut self.tx, &self.site, &scope).await?;
        let token = effect.token(&json!([self.site, self.counter, act]).to_string());
        if ask.preview {
            return Ok(told(&effect, ask.now, ("token", json!(token))));
        }
        let held = effect.affected.len();
        if held > 0 && ask.token.as_deref() != Some(token.as_str()) {
            let why =
                if ask.token.is_some() { "not those of this token any more" } else { "not looked at yet" };
            return Err(refused(format!(
                "{held} dates given or lent to kiosks would fall outside, and they are {why}; repeat with --preview, \
                 then with --token and the token it answers: no date is moved, and each is a task of the desk"
            )));
        }
        let tasks = effect.write(&mut self.tx, &self.site, (ask.now, self.today), &ask.random).await?;
        let what = if act.get("closure").is_some() { Act::SiteClosed } else { Act::CalendarChanged };
        audit::by_us(&mut self.tx, what, Some(&self.site), 1).await?;
        self.tx.commit().await?;
        Ok(told(&effect, ask.now, ("tasks", json!(tasks))))
    }
}

/// What a change does, without a person's name or code in it: a slot's number is its reference.
fn told(effect: &Effect, now: Timestamp, (key, value): (&str, Value)) -> Value {
    let mut days: BTreeMap<Date, [u32; 4]> = BTreeMap::new();
    let mut kiosks: BTreeMap<String, (u32, Option<i64>)> = BTreeMap::new();
    let mut listed = Vec::new();
    for one in &effect.affected {
        let (kind, holder) = match &one.holder {
            Holder::Date { from_lease: false, .. } => (0, "online"),
            Holder::Date { from_lease: true, .. } => (1, "from_lease"),
            Holder::Kiosk { kiosk, heard_s, .. } => {
                kiosks.entry(kiosk.to_string()).or_insert((0, *heard_s)).0 += 1;
                (2, "lent")
            }
            Holder::Unknown => (3, "unknown"),
        };
        if let Some(count) = days.entry(one.at.date()).or_default().get_mut(kind) {
            *count += 1;
        }
        if listed.len() < LISTED {
            let at = one.at.strftime("%Y-%m-%dT%H:%M").to_string();
            listed.push(
                json!({ "slot": one.slot.to_string(), "at": at, "holder": holder, "reason": one.reason }),
            );
        }
    }
    let days: Vec<Value> = days
        .into_iter()
        .map(|(day, [online, from_lease, lent, unknown])| {
            json!({ "day": day, "online": online, "from_lease": from_lease, "lent": lent, "unknown": unknown })
        })
        .collect();
    let kiosks: Vec<Value> = kiosks
        .into_iter()
        .map(|(kiosk, (lent, heard_s))| {
            let silent_s = heard_s.map(|heard| now.as_second().saturating_sub(heard).max(0));
            json!({ "kiosk": kiosk, "lent": lent, "heard_s": heard_s, "silent_s": silent_s })
        })
        .collect();
    json!({
        "preview": key == "token", key: value,
        "outside": effect.affected.len(), "days": days, "kiosks": kiosks, "listed": listed,
        "slots_appear": effect.appear.len(), "slots_vanish": effect.vanish.len(),
    })
}
