//! A year's registrations, signed beforehand, pushed by many kiosks at once through the real
//! endpoint until each is stored, acknowledged and applied, its date given. Beside it, the
//! same rows through PostgreSQL's COPY into a like table: a floor that checks nothing.

use super::kiosk::{Ground, Signed};
use super::{Ended, Figure, Teller, machine, rounded};
use crate::programs::{Failure, fail};
use crate::stand::postgres::Postgres;
use sqlx::{AssertSqlSafe, Row as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use wire::body::{Body as Says, Outcome, Registered};
use wire::limits::PUSH_RECORDS;
use wire::messages::{PushAnswer, PushRequest};

/// Registrations of a national year.
pub const YEAR: usize = 1_340_000;
/// A national year's on 2 000 kiosks: fewer registrations come from fewer kiosks, so that
/// pushes stay as full.
pub(super) const PER_KIOSK: usize = 670;
pub(super) const KIOSKS_PER_SITE: usize = 20;
/// Kiosks that push at once.
pub(super) const AT_ONCE: usize = 16;
/// Most times what COPY takes.
const FLOORS: f64 = 3.0;
/// Registrations a second that make a national year in 120 s.
const RATE: f64 = 11_167.0;

/// The pushes of one kiosk, in order.
pub(super) type Pushes = Vec<Signed>;

pub async fn run(teller: &Teller, n: usize) -> Result<Ended, Failure> {
    let folder = tempfile::Builder::new().prefix("jalon-drain-").tempdir()?;
    let postgres = Postgres::start(folder.path())?;
    let url = postgres.database("central")?;
    let kiosks = n.div_ceil(PER_KIOSK);
    // Requests are signed beforehand as well, and good for five minutes: time stands still.
    let now = central::system_clock()();
    let clock: central::Clock = Arc::new(move || now);
    let ground =
        Arc::new(Ground::start(&url, folder.path(), clock, kiosks.div_ceil(KIOSKS_PER_SITE), false).await?);
    teller.say(&format!("signing {n} registrations of {kiosks} kiosks"));
    let mut waiting = Vec::new();
    for kiosk in 0..kiosks {
        waiting.push(signed(&ground, kiosk, PER_KIOSK.min(n - kiosk * PER_KIOSK)).await?);
    }
    let pushes: usize = waiting.iter().map(Vec::len).sum();
    teller.say(&format!("pushing {pushes} times"));
    let waiting = Arc::new(Mutex::new(waiting));
    let began = Instant::now();
    let pushing: Vec<_> =
        (0..AT_ONCE).map(|_| tokio::spawn(push(Arc::clone(&ground), Arc::clone(&waiting)))).collect();
    let mut acknowledged = 0;
    for task in pushing {
        acknowledged += task.await??;
    }
    let ours = began.elapsed().as_secs_f64();
    let dated = "SELECT count(*), count(*) FILTER (WHERE record.state = 'applied'), \
                 (SELECT count(*) FROM slot WHERE registration IS NOT NULL) FROM record";
    let row = sqlx::query(dated).fetch_one(&ground.pool).await?;
    let (stored, applied, dated): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    teller.say(&format!("{acknowledged} acknowledged, {stored} stored, {applied} applied, {dated} dated"));
    let whole = [i64::try_from(acknowledged)?, stored, applied, dated]
        .iter()
        .all(|count| *count == i64::try_from(n).unwrap_or(-1));
    let peer = floor(&ground, folder.path()).await?;
    let ratio = ours / peer;
    let rate = n as f64 / ours;
    if n < YEAR {
        teller.say(&format!(
            "at this rate a national year would take {:.0} s; that is an extrapolation, not measured",
            YEAR as f64 / rate
        ));
    }
    teller.tell(&Figure {
        bench: "drain".into(),
        ours: Some(rounded(ours)),
        peer: Some(rounded(peer)),
        ratio: Some(rounded(ratio)),
        goal: format!("at most {FLOORS} x COPY"),
        met: Some(ratio <= FLOORS),
        unit: "s",
        n,
        machine: machine(),
    })?;
    teller.tell(&Figure {
        bench: "drain: rate".into(),
        ours: Some(rate.round()),
        peer: Some((n as f64 / peer).round()),
        ratio: Some(rounded(1.0 / ratio)),
        goal: format!("at least {RATE}: a national year in 120 s"),
        met: Some(rate >= RATE),
        unit: "registrations/s",
        n,
        machine: machine(),
    })?;
    Ok(if whole { Ended::Held } else { Ended::Broken })
}

/// Enrols a kiosk and signs all it will push.
pub(super) async fn signed(ground: &Ground, number: usize, people: usize) -> Result<Pushes, Failure> {
    let mut kiosk = ground.kiosk(number / KIOSKS_PER_SITE).await?;
    let at = (ground.clock)();
    let mut records = Vec::with_capacity(people);
    for _ in 0..people {
        let registration = kiosk.person(at)?;
        let outcome = Outcome::Rank { held: None, told: None, busy: None };
        records.push(kiosk.record(&Says::Registration(Box::new(Registered {
            registration,
            outcome,
            at,
            day_declared: false,
        })))?);
    }
    let mut pushes = Vec::new();
    for batch in records.chunks(PUSH_RECORDS) {
        let body = serde_json::to_vec(&PushRequest { records: batch.to_vec() })?;
        pushes.push(kiosk.sign(at, "/v1/journal", body));
    }
    Ok(pushes)
}

/// Takes kiosks until there are none; answers how many records were acknowledged.
pub(super) async fn push(ground: Arc<Ground>, waiting: Arc<Mutex<Vec<Pushes>>>) -> Result<usize, Failure> {
    let mut acknowledged = 0;
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(pushes) = next else { return Ok(acknowledged) };
        let mut held = 0;
        for signed in pushes {
            let said = ground.send(signed).await?;
            if said.status != 200 {
                return Err(fail(format!("a push was refused: {} {}", said.status, said.json["code"])));
            }
            let answer: PushAnswer = serde_json::from_value(said.json)?;
            held = answer.received.ok_or("a push was not acknowledged")?.head.seq;
        }
        acknowledged += usize::try_from(held)?;
    }
}

/// Seconds COPY takes for the same rows, with the same indexes.
async fn floor(ground: &Ground, folder: &std::path::Path) -> Result<f64, Failure> {
    let file = folder.join("rows");
    let file = file.display();
    let mut db = ground.pool.acquire().await?;
    let before =
        format!("COPY record TO '{file}' (FORMAT binary); CREATE TABLE floor (LIKE record INCLUDING ALL)");
    sqlx::raw_sql(AssertSqlSafe(before)).execute(&mut *db).await?;
    let began = Instant::now();
    sqlx::raw_sql(AssertSqlSafe(format!("COPY floor FROM '{file}' (FORMAT binary)")))
        .execute(&mut *db)
        .await?;
    Ok(began.elapsed().as_secs_f64())
}
