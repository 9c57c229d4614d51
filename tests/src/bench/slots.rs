//! Slots that leave central. Leases filled through the real endpoint, with the lease log, beside
//! the plainest way to give slots away: one UPDATE each, SKIP LOCKED, in the same PostgreSQL
//! server and in turn. Then people registered online at a hundred times the national rate while
//! other kiosks drain what they have kept.

use super::drain::{self, AT_ONCE, KIOSKS_PER_SITE, PER_KIOSK, Pushes};
use super::kiosk::{Ground, Signed};
use super::{Ended, Figure, Teller, machine, rounded};
use crate::programs::{Failure, fail};
use crate::stand::postgres::Postgres;
use central::Pool;
use serde_json::json;
use sqlx::{AssertSqlSafe, Row as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Leases of a turn, each of another kiosk that has none yet.
pub const LEASES: usize = 60;
const TURNS: usize = 3;
/// Slots of a lease, as many as a site may be told, backstops not counted.
const SLOTS: i16 = 400;
const SITES: usize = 20;
/// Requests, and for the peer connections, at once.
const CLIENTS: usize = 8;
/// Slots of the peer's table, and how long one of its turns lasts.
const PEER_SLOTS: i64 = 1_000_000;
const PEER_TURN: Duration = Duration::from_secs(8);
/// Slots a second.
const RATE: f64 = 100_000.0;
/// People a second, and for how long: a hundred times a national year's mean in opening hours.
const PEOPLE: u32 = 19;
const SECONDS: u32 = 45;
/// Kiosks that drain at once: a few, and as many as `drain` itself has.
const DRAINING: [usize; 3] = [0, 4, AT_ONCE];
/// Registrations each of them has kept, so that none is done before the time is over.
const KEPT: usize = 240_000;
/// Milliseconds for the slowest of a hundred.
const SLOWEST: f64 = 10.0;

pub async fn run(teller: &Teller, leases: usize) -> Result<Ended, Failure> {
    let folder = tempfile::Builder::new().prefix("jalon-slots-").tempdir()?;
    let postgres = Postgres::start(folder.path())?;
    let url = postgres.database("central")?;
    // Requests are signed beforehand, and good for five minutes: time stands still.
    let now = central::system_clock()();
    let clock: central::Clock = Arc::new(move || now);
    let ground = Arc::new(Ground::start(&url, folder.path(), clock, SITES, true).await?);
    let peer = peer(&postgres).await?;
    let lent = lend(teller, &ground, &peer, leases.max(1)).await?;
    peer.close().await;
    let mut dated = true;
    for draining in DRAINING {
        dated &= online(teller, &ground, draining).await?;
    }
    Ok(if lent && dated { Ended::Held } else { Ended::Broken })
}

/// Ours and the peer in turn. Did every slot go to one lease?
async fn lend(teller: &Teller, ground: &Arc<Ground>, peer: &Pool, leases: usize) -> Result<bool, Failure> {
    sqlx::query("UPDATE site SET lease_slots = $1").bind(SLOTS).execute(&ground.pool).await?;
    let (mut ours, mut theirs, mut lent) = (Vec::new(), Vec::new(), 0);
    for _ in 0..TURNS {
        let (slots, seconds) = fill(ground, leases).await?;
        lent += slots;
        ours.push(slots as f64 / seconds);
        theirs.push(taken(peer).await?);
        if let (Some(ours), Some(theirs)) = (ours.last(), theirs.last()) {
            teller.say(&format!("leases {ours:.0} slots a second, one by one {theirs:.0}"));
        }
    }
    let stored = sqlx::query("SELECT count(*) FROM slot WHERE lease IS NOT NULL").fetch_one(&ground.pool);
    let stored: i64 = stored.await?.try_get(0)?;
    teller.say(&format!("{lent} slots told as lent, {stored} lent in the database"));
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    teller.tell(&Figure {
        bench: format!("slots: lent, leases of {SLOTS} and backstops, beside SKIP LOCKED one by one"),
        ours: Some(ours.round()),
        peer: Some(theirs.round()),
        ratio: Some(rounded(ours / theirs)),
        goal: format!("at least {RATE} a second"),
        met: Some(ours >= RATE),
        unit: "slots/s",
        n: lent,
        machine: machine(),
    })?;
    sqlx::query("UPDATE site SET lease_slots = 4").execute(&ground.pool).await?;
    Ok(i64::try_from(lent)? == stored)
}

/// Fills the leases of new kiosks, several at once: how many slots, in how many seconds.
async fn fill(ground: &Arc<Ground>, leases: usize) -> Result<(usize, f64), Failure> {
    let at = (ground.clock)();
    let today = at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let mut requests = Vec::with_capacity(leases);
    for n in 0..leases {
        let body = serde_json::to_vec(&json!({ "today": today, "incarnation": 1 }))?;
        requests.push(ground.kiosk(n % SITES).await?.sign(at, "/v1/lease", body));
    }
    let requests = Arc::new(Mutex::new(requests));
    let began = Instant::now();
    let asking: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (ground, requests) = (Arc::clone(ground), Arc::clone(&requests));
            tokio::spawn(async move {
                let mut lent = 0;
                loop {
                    let next = requests.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(request) = next else { return Ok::<u64, Failure>(lent) };
                    let said = ground.send(request).await?;
                    let slots = said.json["lent"].as_u64().filter(|_| said.status == 200);
                    lent += slots.ok_or_else(|| fail(format!("no lease: {}", said.json["code"])))?;
                }
            })
        })
        .collect();
    let mut lent = 0;
    for task in asking {
        lent += task.await??;
    }
    Ok((usize::try_from(lent)?, began.elapsed().as_secs_f64()))
}

/// A table of free slots and nothing else.
async fn peer(postgres: &Postgres) -> Result<Pool, Failure> {
    let pool = central::connect_with(&postgres.database("peer")?, u32::try_from(CLIENTS)?).await?;
    let made = format!(
        "CREATE TABLE slot (id bigint PRIMARY KEY, at timestamp NOT NULL, holder bigint); \
         CREATE SEQUENCE holders; \
         INSERT INTO slot SELECT g, timestamp '2027-01-04' + g * interval '1 minute' \
         FROM generate_series(1, {PEER_SLOTS}) AS g; \
         CREATE INDEX ON slot (at, id) WHERE holder IS NULL; ANALYZE slot"
    );
    let mut db = pool.acquire().await?;
    sqlx::query("SET statement_timeout = 0").execute(&mut *db).await?;
    sqlx::raw_sql(AssertSqlSafe(made)).execute(&mut *db).await?;
    db.close().await?;
    Ok(pool)
}

/// Slots a second taken from the peer's table, each in a transaction of its own.
async fn taken(pool: &Pool) -> Result<f64, Failure> {
    const TAKE: &str = "UPDATE slot SET holder = nextval('holders') WHERE id = (SELECT id FROM slot \
                        WHERE holder IS NULL ORDER BY at, id LIMIT 1 FOR UPDATE SKIP LOCKED)";
    // What the turn before left dead in the index is not this one's.
    sqlx::query("VACUUM slot").execute(pool).await?;
    let began = Instant::now();
    let takers: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut taken = 0;
                while began.elapsed() < PEER_TURN {
                    taken += sqlx::query(TAKE).execute(&pool).await?.rows_affected();
                }
                Ok::<u64, sqlx::Error>(taken)
            })
        })
        .collect();
    let mut taken = 0;
    for task in takers {
        taken += task.await??;
    }
    Ok(taken as f64 / began.elapsed().as_secs_f64())
}

/// People come at their own pace, whatever became of those before, while kiosks drain. Did each
/// get a date of their own?
async fn online(teller: &Teller, ground: &Arc<Ground>, draining: usize) -> Result<bool, Failure> {
    let people = usize::try_from(PEOPLE * SECONDS)?;
    let at = (ground.clock)();
    let mut counters = Vec::new();
    for site in 0..SITES {
        counters.push(ground.kiosk(site).await?);
    }
    let mut requests: Vec<Signed> = Vec::with_capacity(people);
    for n in 0..people {
        let counter = counters.get_mut(n % SITES).ok_or_else(|| fail("no kiosk"))?;
        let body = serde_json::to_vec(&json!({ "registration": counter.person(at)? }))?;
        requests.push(counter.sign(at, "/v1/registrations", body));
    }
    let mut kept: Vec<Pushes> = Vec::new();
    if draining > 0 {
        for n in 0..KEPT / PER_KIOSK {
            kept.push(drain::signed(ground, n % SITES * KIOSKS_PER_SITE, PER_KIOSK).await?);
        }
    }
    let kept = Arc::new(Mutex::new(kept));
    let before = dated(ground).await?;
    let pushing: Vec<_> =
        (0..draining).map(|_| tokio::spawn(drain::push(Arc::clone(ground), Arc::clone(&kept)))).collect();
    let began = Instant::now();
    let every = Duration::from_secs(1) / PEOPLE;
    let mut asked = Vec::with_capacity(people);
    for (n, request) in (0..).zip(requests) {
        let due = began + every * n;
        tokio::time::sleep_until(due.into()).await;
        let ground = Arc::clone(ground);
        asked.push(tokio::spawn(async move {
            let said = ground.send(request).await?;
            // From when they came, not from when they were heard.
            let took = due.elapsed().as_secs_f64() * 1_000.0;
            match said.json["token"].is_string() {
                true => Ok::<f64, Failure>(took),
                false => Err(fail(format!("no date: {} {}", said.status, said.json["code"]))),
            }
        }));
    }
    let mut took = Vec::with_capacity(people);
    for task in asked {
        took.push(task.await??);
    }
    let lasted = pushing.is_empty() || !pushing.iter().all(tokio::task::JoinHandle::is_finished);
    // Those that wait still are not pushed any more.
    kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let mut drained = 0;
    for task in pushing {
        drained += task.await??;
    }
    let seconds = began.elapsed().as_secs_f64();
    if !lasted {
        teller.say("the drain was over before the people: more must be kept for this machine");
    }
    took.sort_by(f64::total_cmp);
    let of = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or(f64::NAN);
    teller.say(&format!(
        "{draining} kiosks drain {:.0} a second: median {:.1} ms, slowest of a hundred {:.1} ms, slowest {:.1} ms",
        drained as f64 / seconds,
        of(50),
        of(99),
        took.last().copied().unwrap_or(f64::NAN)
    ));
    teller.tell(&Figure {
        bench: format!(
            "slots: a date online at {PEOPLE}/s while {draining} kiosks drain, slowest of a hundred"
        ),
        ours: Some(rounded(of(99))),
        peer: None,
        ratio: None,
        goal: format!("at most {SLOWEST}, while a drain runs"),
        met: (draining > 0 && lasted).then_some(of(99) <= SLOWEST),
        unit: "ms",
        n: people,
        machine: machine(),
    })?;
    let given = dated(ground).await? - before;
    Ok(usize::try_from(given)? == people + drained)
}

/// People who hold a slot.
async fn dated(ground: &Ground) -> Result<i64, Failure> {
    let row = sqlx::query("SELECT count(DISTINCT registration) FROM slot").fetch_one(&ground.pool).await?;
    Ok(row.try_get(0)?)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
