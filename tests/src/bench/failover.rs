//! Kills the primary of a three-node cluster under load, again and again: nothing
//! acknowledged is lost, no date given is lost or doubled, central goes on by itself. Then
//! both standbys: nothing is acknowledged that one disk alone has.

use super::cluster::{Cluster, missing};
use super::gate::Gate;
use super::kiosk::{Ground, Kiosk};
use super::{Ended, Figure, Teller, machine, rounded};
use crate::programs::{Failure, fail};
use domain::bytes::Hash;
use domain::token::SignedToken;
use seal::keys::{self, Context};
use seal::ring::Role;
use serde_json::json;
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use wire::body::{Body as Says, Outcome, Registered};
use wire::messages::{DateAnswer, PushAnswer, PushRequest};

pub const KILLS: usize = 10;
const KIOSKS: usize = 6;
/// Acknowledgements between one kill and the next, at least.
const BETWEEN: usize = 60;
/// Longest a kiosk waits for an answer before it asks again.
const ANSWER: Duration = Duration::from_secs(25);
/// Longest wait for the first acknowledgement after a kill.
const RECOVERY: Duration = Duration::from_secs(120);
/// How long central stands without a standby: longer than any limit of its own.
const ALONE: Duration = Duration::from_secs(20);

/// A word of central's: when it was asked for, and what it says.
struct Acknowledged {
    begun: Instant,
    kiosk: usize,
    hash: Hash,
    epoch: String,
}

struct Dated {
    begun: Instant,
    registration: Vec<u8>,
    token: SignedToken,
}

#[derive(Default)]
struct Heard {
    acknowledged: Vec<Acknowledged>,
    dated: Vec<Dated>,
    broken: Vec<String>,
    unanswered: usize,
}

/// What every kiosk was told, and whether to go on.
#[derive(Default)]
struct Load {
    heard: Mutex<Heard>,
    over: AtomicBool,
}

impl Load {
    fn with<T>(&self, act: impl FnOnce(&mut Heard) -> T) -> T {
        act(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The first acknowledgement asked for after `since`: how long after, and its epoch.
    async fn first_after(&self, since: Instant, least: usize) -> Result<String, Failure> {
        let end = Instant::now() + RECOVERY;
        loop {
            let found = self.with(|heard| {
                let mut after = heard.acknowledged.iter().filter(|word| word.begun > since);
                after.nth(least.saturating_sub(1)).map(|word| word.epoch.clone())
            });
            match found {
                Some(epoch) => return Ok(epoch),
                None if Instant::now() > end => return Err(fail("central acknowledged nothing more")),
                None => sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

pub async fn run(teller: &Teller, kills: usize) -> Result<Ended, Failure> {
    if let Some(line) = missing() {
        teller.say("not installed: Patroni, etcd or PostgreSQL 15");
        return Ok(Ended::Missing(line));
    }
    let folder = tempfile::Builder::new().prefix("jalon-failover-").tempdir()?;
    // What is looked for when something went wrong.
    let kept = std::env::var_os("JALON_KEEP").is_some();
    let path = if kept { folder.keep() } else { folder.path().to_owned() };
    teller.say("starting etcd, three Patroni and their PostgreSQL");
    let mut cluster = Cluster::start(&path).await?;
    let gate = Gate::start(cluster.at()).await?;
    let url = format!("postgres://jalon:loopback@127.0.0.1:{}/postgres", gate.port);
    let ground = Arc::new(Ground::start(&url, &path, central::system_clock(), 2, true).await?);
    let load = Arc::new(Load::default());
    let mut living = Vec::new();
    let mut names = Vec::new();
    for n in 0..KIOSKS {
        let kiosk = ground.kiosk(n % 2).await?;
        names.push(kiosk.id);
        living.push(tokio::spawn(live(Arc::clone(&ground), kiosk, n, Arc::clone(&load))));
    }
    let mut gaps = Vec::new();
    let mut same_epoch = 0;
    for kill in 1..=kills {
        let before = load.first_after(Instant::now(), BETWEEN).await?;
        let node = cluster.kill_leader().await?;
        let at = Instant::now();
        let epoch = load.first_after(at, 1).await?;
        let gap = at.elapsed().as_secs_f64();
        same_epoch += usize::from(epoch == before);
        teller.say(&format!(
            "kill {kill}: node {node}, acknowledged again after {gap:.1} s, epoch {before} then {epoch}"
        ));
        gaps.push(gap);
        cluster.begin(node)?;
        cluster.whole().await?;
    }
    load.first_after(Instant::now(), BETWEEN).await?;
    let standbys = cluster.kill_standbys().await?;
    let (alone, connections) = (Instant::now(), gate.opened.load(Ordering::SeqCst));
    sleep(ALONE).await;
    let word = |begun: &Instant| *begun > alone;
    let unheld = load.with(|heard| {
        heard.acknowledged.iter().filter(|said| word(&said.begun)).count()
            + heard.dated.iter().filter(|said| word(&said.begun)).count()
    });
    teller.say(&format!("{} s without a standby: {unheld} acknowledged or dated", ALONE.as_secs()));
    for node in standbys {
        cluster.begin(node)?;
    }
    cluster.whole().await?;
    load.first_after(Instant::now(), 1).await?;
    load.over.store(true, Ordering::SeqCst);
    for task in living {
        task.await?;
    }
    let heard = load.with(std::mem::take);
    teller.say(&format!("{} requests unanswered, {connections} connections in all", heard.unanswered));
    for broken in heard.broken.iter().take(10) {
        teller.say(broken);
    }
    let names: Vec<Vec<u8>> = names.iter().map(|name| name.0.to_vec()).collect();
    let lost = lost_records(&ground, &names, &heard).await?;
    let (gone, doubled) = wrong_dates(&ground, &heard).await?;
    gaps.sort_by(f64::total_cmp);
    let (median, worst) = (gaps.get(gaps.len() / 2).copied(), gaps.last().copied());
    let zero = |what: &str, count: usize, unit, n| Figure {
        bench: format!("failover: {what}"),
        ours: Some(count as f64),
        peer: None,
        ratio: None,
        goal: "0".into(),
        met: Some(count == 0),
        unit,
        n,
        machine: machine(),
    };
    let time = |what: &str, ours: Option<f64>| Figure {
        bench: format!("failover: from the kill to the next acknowledged record, {what}"),
        ours: ours.map(rounded),
        peer: None,
        ratio: None,
        goal: "none set; the leader's lock runs out after 20 s".into(),
        met: None,
        unit: "s",
        n: kills,
        machine: machine(),
    };
    let counts = [
        zero("acknowledged records lost", lost, "records", heard.acknowledged.len()),
        zero("given dates lost or changed", gone, "dates", heard.dated.len()),
        zero("given dates doubled", doubled, "dates", heard.dated.len()),
        zero(
            "answers that contradict an earlier one",
            heard.broken.len(),
            "answers",
            heard.acknowledged.len(),
        ),
        zero("failovers the epoch did not tell", same_epoch, "failovers", kills),
        zero("acknowledged or dated with no standby", unheld, "answers", 1),
    ];
    for figure in counts.iter().chain(&[time("median", median), time("worst", worst)]) {
        teller.tell(figure)?;
    }
    let held = counts.iter().all(|figure| figure.met == Some(true));
    Ok(if held { Ended::Held } else { Ended::Broken })
}

/// One kiosk: asks a date, writes it into its journal, pushes it, asks again; whatever has no
/// answer is asked again as it was.
async fn live(ground: Arc<Ground>, mut kiosk: Kiosk, n: usize, load: Arc<Load>) {
    while !load.over.load(Ordering::SeqCst) {
        if let Err(failure) = one_person(&ground, &mut kiosk, n, &load).await {
            load.with(|heard| heard.broken.push(failure.to_string()));
            return;
        }
    }
}

async fn one_person(ground: &Ground, kiosk: &mut Kiosk, n: usize, load: &Load) -> Result<(), Failure> {
    let registration = kiosk.person((ground.clock)())?;
    let asked = serde_json::to_vec(&json!({ "registration": registration }))?;
    let token = ask_date(ground, kiosk, &asked, load).await?;
    let registered = Registered {
        registration,
        outcome: Outcome::Online { token: token.to_bytes().into() },
        at: (ground.clock)(),
        day_declared: false,
    };
    let record = kiosk.record(&Says::Registration(Box::new(registered)))?;
    let body = serde_json::to_vec(&PushRequest { records: vec![record] })?;
    let (begun, json) = until_answered(ground, kiosk, "/v1/journal", &body, load).await?;
    let answer: PushAnswer = serde_json::from_value(json)?;
    let word = answer.received.ok_or("a push was answered without an acknowledgement")?;
    let key = ground.ring.latest(Role::Acknowledgement).ok_or("no acknowledgement key")?.key;
    if !keys::verify(&key, Context::Acknowledgement, &word.to_bytes(), &word.signature) {
        return Err(fail("an acknowledgement central did not sign"));
    }
    if word.head.hash != kiosk.head || word.head.seq != kiosk.seq {
        return Err(fail("an acknowledgement of another head"));
    }
    let said = Acknowledged { begun, kiosk: n, hash: word.head.hash, epoch: word.epoch };
    load.with(|heard| heard.acknowledged.push(said));
    if ask_date(ground, kiosk, &asked, load).await?.token.slot != token.token.slot {
        return Err(fail("asked again, another date"));
    }
    Ok(())
}

async fn ask_date(ground: &Ground, kiosk: &Kiosk, asked: &[u8], load: &Load) -> Result<SignedToken, Failure> {
    let (begun, json) = until_answered(ground, kiosk, "/v1/registrations", asked, load).await?;
    let answer: DateAnswer = serde_json::from_value(json)?;
    let token = answer.token.and_then(|bytes| SignedToken::from_bytes(&bytes.0)).ok_or("no date")?;
    let dated = Dated { begun, registration: answer.registration.0.to_vec(), token: token.clone() };
    load.with(|heard| heard.dated.push(dated));
    Ok(token)
}

/// Sends until central answers; a refusal that is not "try again" breaks the run. Answers
/// when the answered attempt began.
async fn until_answered(
    ground: &Ground,
    kiosk: &Kiosk,
    target: &'static str,
    body: &[u8],
    load: &Load,
) -> Result<(Instant, serde_json::Value), Failure> {
    loop {
        let begun = Instant::now();
        let signed = kiosk.sign((ground.clock)(), target, body.to_vec());
        match timeout(ANSWER, ground.send(signed)).await {
            Ok(Ok(said)) if said.status == 200 => return Ok((begun, said.json)),
            Ok(Ok(said)) if said.status != 503 => {
                return Err(fail(format!("{target} was refused: {} {}", said.status, said.json["code"])));
            }
            _ => {
                load.with(|heard| heard.unanswered += 1);
                // As a kiosk waits before it tries again.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn lost_records(ground: &Ground, names: &[Vec<u8>], heard: &Heard) -> Result<usize, Failure> {
    let mut held = Vec::new();
    for name in names {
        let rows = sqlx::query("SELECT hash FROM record WHERE kiosk = $1")
            .bind(name)
            .fetch_all(&ground.pool)
            .await?;
        let hashes: BTreeSet<Vec<u8>> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        held.push(hashes);
    }
    let is_held = |word: &&Acknowledged| {
        held.get(word.kiosk).is_some_and(|hashes| hashes.contains(word.hash.0.as_slice()))
    };
    Ok(heard.acknowledged.len() - heard.acknowledged.iter().filter(is_held).count())
}

/// Dates answered that the database does not give alike, and slots answered to two people.
async fn wrong_dates(ground: &Ground, heard: &Heard) -> Result<(usize, usize), Failure> {
    let rows = sqlx::query("SELECT registration, id, at::text FROM slot WHERE registration IS NOT NULL")
        .fetch_all(&ground.pool)
        .await?;
    let mut given = BTreeMap::new();
    for row in &rows {
        let (registration, slot, at): (Vec<u8>, i64, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        given.insert(registration, (slot.unsigned_abs(), at.parse::<jiff::civil::DateTime>()?));
    }
    let stands = |dated: &&Dated| {
        given.get(&dated.registration) == Some(&(dated.token.token.slot.0, dated.token.token.at))
    };
    let gone = heard.dated.len() - heard.dated.iter().filter(stands).count();
    let pairs: BTreeSet<_> =
        heard.dated.iter().map(|dated| (dated.token.token.slot.0, &dated.registration)).collect();
    let slots: BTreeSet<_> = pairs.iter().map(|(slot, _)| *slot).collect();
    Ok((gone, pairs.len() - slots.len()))
}
