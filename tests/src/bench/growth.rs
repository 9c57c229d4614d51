//! What a kiosk asks of central as the waitlist grows: the same requests on 10 000 places and
//! on more than a national year's. The places are written past the product, by SQL, as
//! registrations with their dates; what is measured goes through the real endpoints.

use super::kiosk::{Ground, Kiosk};
use super::{Ended, Figure, Teller, machine, rounded};
use crate::programs::{Failure, fail};
use crate::stand::postgres::Postgres;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use wire::body::{Body as Says, Outcome, Registered};
use wire::messages::PushRequest;

/// Places, in total, at which is measured.
const SIZES: [usize; 4] = [10_000, 100_000, 1_000_000, 2_000_000];
pub const MOST: usize = 2_000_000;
/// Sites, each with two counters: a place in a hundred is at the site that is asked.
const SITES: usize = 100;
/// Requests of each kind at each size.
const ASKED: usize = 500;
/// And before them: the first at a site make slots for weeks to come.
const WARM: usize = 3 * SITES;
/// Most times the slowest of a hundred may take at the last size, of what it took at the first.
const SLOWER: f64 = 1.5;

/// What is asked.
const KINDS: [&str; 3] = ["/v1/registrations", "/v1/journal", "/v1/lease"];

pub async fn run(teller: &Teller, most: usize) -> Result<Ended, Failure> {
    let folder = tempfile::Builder::new().prefix("jalon-growth-").tempdir()?;
    let postgres = Postgres::start(folder.path())?;
    let url = postgres.database("central")?;
    // Requests are good for five minutes: time stands still.
    let now = central::system_clock()();
    let clock: central::Clock = Arc::new(move || now);
    let ground = Ground::start(&url, folder.path(), clock, SITES, true).await?;
    let mut kiosks = Vec::new();
    for site in 0..SITES {
        kiosks.push(ground.kiosk(site).await?);
    }
    let mut firsts: Option<[f64; 3]> = None;
    let mut held = 0;
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        fill(&ground, &mut kiosks, held, size).await?;
        held = size;
        for kind in KINDS {
            ask(&ground, &mut kiosks, kind, WARM).await?;
        }
        as_after_a_while(&ground).await?;
        let mut slowest = [0.0; 3];
        for (kind, slowest) in KINDS.iter().zip(&mut slowest) {
            let mut took = ask(&ground, &mut kiosks, kind, ASKED).await?;
            took.sort_by(f64::total_cmp);
            let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or(f64::NAN);
            *slowest = at(99);
            teller.say(&format!(
                "{size} places, {kind}: median {:.2} ms, slowest of a hundred {:.2} ms",
                at(50),
                at(99)
            ));
        }
        let first = *firsts.get_or_insert(slowest);
        for ((kind, slow), first) in KINDS.iter().zip(slowest).zip(first) {
            let ratio = slow / first;
            teller.tell(&Figure {
                bench: format!("growth: {kind} at {size} places, slowest of a hundred"),
                ours: Some(rounded(slow)),
                peer: Some(rounded(first)),
                ratio: Some(rounded(ratio)),
                goal: format!("at most {SLOWER} x that at {} places", SIZES[0]),
                met: Some(ratio <= SLOWER),
                unit: "ms",
                n: ASKED,
                machine: machine(),
            })?;
        }
    }
    Ok(Ended::Held)
}

/// Milliseconds each of so many requests took, one after the other, round the sites.
async fn ask(
    ground: &Ground,
    kiosks: &mut [Kiosk],
    kind: &'static str,
    times: usize,
) -> Result<Vec<f64>, Failure> {
    let at = (ground.clock)();
    let today = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut took = Vec::with_capacity(times);
    for n in 0..times {
        let kiosk = kiosks.get_mut(n % SITES).ok_or_else(|| fail("no kiosk"))?;
        let body = match kind {
            "/v1/registrations" => serde_json::to_vec(&json!({ "registration": kiosk.person(at)? }))?,
            "/v1/journal" => {
                let registration = kiosk.person(at)?;
                let outcome = Outcome::Rank { held: None, told: None, busy: None };
                let told = Registered { registration, outcome, at, day_declared: false };
                let record = kiosk.record(&Says::Registration(Box::new(told)))?;
                serde_json::to_vec(&PushRequest { records: vec![record] })?
            }
            _ => serde_json::to_vec(&json!({ "today": today.to_string(), "incarnation": 1 }))?,
        };
        let signed = kiosk.sign(at, kind, body);
        let began = Instant::now();
        let said = ground.send(signed).await?;
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
        if said.status != 200 {
            return Err(fail(format!("{kind} was refused: {} {}", said.status, said.json["code"])));
        }
    }
    Ok(took)
}

/// Writes places from one number to another, evenly over the sites, each with the next date
/// its site has: 28 a day at each of two counters.
async fn fill(ground: &Ground, kiosks: &mut [Kiosk], from: usize, to: usize) -> Result<(), Failure> {
    let body = match kiosks.first_mut() {
        Some(kiosk) => serde_json::to_string(&kiosk.person((ground.clock)())?)?,
        None => return Err(fail("no kiosk")),
    };
    let mut tx = ground.pool.begin().await?;
    sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
    sqlx::query(
        "INSERT INTO registration (id, code, site, kiosk, procedure, class, registered_s, ranked_s, tie_break, body, person, state) \
         SELECT decode(md5('place' || g), 'hex'), g, kiosk.site, kiosk.id, 'renewal', 'ordinary', 1000000000 + g, 1000000000 + g, g, \
                $4::text::jsonb, sha256(g::text::bytea), 'kept' \
         FROM generate_series($1::bigint, $2::bigint) AS g JOIN kiosk ON kiosk.site = 'S' || (g % $3)",
    )
    .bind(i64::try_from(from)?)
    .bind(i64::try_from(to)? - 1)
    .bind(i64::try_from(SITES)?)
    .bind(&body)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO slot (id, site, counter, at, registration) \
         SELECT (('x' || substr(md5('slot' || g), 1, 15))::bit(60))::bigint, counter.site, counter.id, \
                current_date + 1 + (g / $3 / 56)::int + time '09:00' + (g / $3 / 2 % 28) * interval '15 minutes', \
                decode(md5('place' || g), 'hex') \
         FROM generate_series($1::bigint, $2::bigint) AS g JOIN counter \
              ON counter.site = 'S' || (g % $3) AND counter.name = CASE g / $3 % 2 WHEN 0 THEN 'A' ELSE 'B' END \
         ON CONFLICT DO NOTHING",
    )
    .bind(i64::try_from(from)?)
    .bind(i64::try_from(to)? - 1)
    .bind(i64::try_from(SITES)?)
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE site SET slots_until = greatest(slots_until, (SELECT max(at)::date FROM slot WHERE slot.site = site.id))")
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    as_after_a_while(ground).await
}

/// What the database does by itself within minutes. Before, statements are still planned for the
/// few rows there were when they were first asked, and read whole tables.
async fn as_after_a_while(ground: &Ground) -> Result<(), Failure> {
    let mut db = ground.pool.acquire().await?;
    sqlx::query("SET statement_timeout = 0").execute(&mut *db).await?;
    sqlx::query("VACUUM (ANALYZE)").execute(&mut *db).await?;
    db.close().await?;
    Ok(())
}
