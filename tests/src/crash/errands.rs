//! Kills at each file operation of what a kiosk does seldom: a page coming in, an older vault brought
//! up to date, an exchange with central, the key changed. The same work is done again and again, each
//! time killed one operation later, and what is left must open with everything that was said.

use super::ground::{Ground, world};
use super::kills::copy_files;
use super::look::{Depth, Looker};
use super::recording::Session;
use super::said::{Said, Word, typed};
use super::victim::{self, End, VAULT};
use crate::counter::Counter;
use crate::programs::{Failure, built, fail};
use crate::stand::{MEDIATOR, PIN, SITE};
use app::settings::{KioskFile, Mode};
use app::sync::transfer::HttpRemote;
use app::{Kiosk, World};
use clap::{Args, ValueEnum};
use domain::ids::KioskId;
use rusqlite::Connection;
use sim::simulation::Dice;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use vault::{Vault, VaultKey};

/// The first schema a vault had.
const FIRST_SCHEMA: &str = include_str!("../../../crates/vault/migrations/0001_store.sql");
/// People registered in a vault before an errand.
const PEOPLE: u64 = 5;
/// A record of the trace: kind, process, descriptor, number, length (see `record.c`).
const HEAD: usize = 21;
/// Exchanges after the kills within which everything must be at central.
const EXCHANGES: usize = 4;
/// Of the kiosk that exchanges with central: as [`Counter`] makes it.
const COUNTER_KEY: [u8; 32] = [3; 32];

/// What a kiosk does until it is killed, as a process of its own.
#[derive(Args, Debug, Clone)]
pub struct Errand {
    #[arg(long, value_enum)]
    task: Task,
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    ground: Option<PathBuf>,
    #[arg(long)]
    central: Option<String>,
    #[arg(long)]
    kiosk: Option<String>,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Task {
    /// Opens the vault, and with it brings it up to date.
    Migrate,
    /// A page comes in.
    Scan,
    /// Somebody registers, with a page, and central is told.
    Push,
}

/// Does the errand.
///
/// # Errors
/// The core refuses something it has no reason to.
pub fn run(errand: &Errand) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let path = errand.folder.join(VAULT);
    if errand.task == Task::Push {
        return runtime.block_on(push(errand, &path));
    }
    let ground = Ground::read(errand.ground.as_deref().ok_or_else(|| fail("no ground"))?)?;
    let vault = Vault::open(&path, &ground.key())?;
    if errand.task == Task::Migrate {
        return Ok(());
    }
    runtime.block_on(async {
        let kiosk = ground.assemble(vault, world(errand.seed, 77))?;
        kiosk.unlock(super::ground::MEDIATOR, super::ground::PIN).await?;
        let text = kiosk.start_visit("fr").await?.visit;
        let visit = victim::id(&text)?;
        Word::Begun { visit }.say()?;
        kiosk.save_draft(&text, typed(1, 1)).await?;
        Word::Saved { visit, who: 1, revision: 1 }.say()?;
        let pages = kiosk.scan_page(&text).await?.pages.len();
        Word::Scanned { visit, pages }.say()?;
        Ok(())
    })
}

async fn push(errand: &Errand, path: &Path) -> Result<(), Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let word = |text: &Option<String>| text.clone().ok_or_else(|| fail("central and kiosk are not told"));
    let (central, kiosk) = (word(&errand.central)?, word(&errand.kiosk)?);
    let ca = errand.folder.join(crate::tls::CA);
    let file = KioskFile {
        kiosk: KioskId::parse(&kiosk).ok_or_else(|| fail("not a kiosk's id"))?,
        central: central.clone(),
        ca: ca.clone(),
        printer: None,
        scanner: Some(format!("file:{}", errand.folder.join("page.jpg").display())),
        idle_s: 120,
        mode: Mode::Counter,
    };
    let vault = Vault::open(path, &VaultKey::new(COUNTER_KEY))?;
    let kiosk = Kiosk::assemble(vault, file, HttpRemote::open(&central, &ca)?, World::system())?;
    kiosk.unlock(MEDIATOR, PIN).await?;
    victim::take_up(&kiosk).await?;
    if errand.seed > 0 {
        let text = kiosk.start_visit("fr").await?.visit;
        kiosk.save_draft(&text, typed(errand.seed, 1)).await?;
        kiosk.scan_page(&text).await?;
        let paper = super::said::Paper::shown(&kiosk.confirm(&text).await?);
        Word::Kept { visit: victim::id(&text)?, paper }.say()?;
    }
    kiosk.exchange().await?;
    kiosk.check_vault().await?;
    Ok(())
}

#[derive(Debug, Default)]
pub struct Tally {
    /// Kills of each errand, by its name.
    pub kills: BTreeMap<&'static str, usize>,
    pub lost: Vec<String>,
}

impl Tally {
    #[must_use]
    pub fn all(&self) -> usize {
        self.kills.values().sum()
    }
}

/// All errands of this harness, at most `most` kills each.
///
/// # Errors
/// An errand cannot be done even when nobody is killed.
pub fn all(
    (recorder, ground, scratch): (&Path, &Path, &Path),
    looker: &Looker,
    seed: u64,
    most: usize,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let folder = tempfile::Builder::new().prefix("errand-").tempdir_in(scratch)?;
    let (ready, old) = (folder.path().join("ready"), folder.path().join("old"));
    std::fs::create_dir(&ready)?;
    let said = lived(ground, &ready, seed)?;
    of_the_first_schema(&ready, &old, &Ground::read(ground)?)?;
    // Of a migration every operation: there are few.
    for (name, task, from, most) in
        [("migrating", "migrate", &old, usize::MAX), ("scanning", "scan", &ready, most)]
    {
        let command = |life: &Path| {
            let mut command = Command::new(built("stand")?);
            command.args(["crash-errand", "--task", task]).arg("--folder").arg(life);
            command.arg("--ground").arg(ground);
            Ok(command)
        };
        let look = |life: &Path, heard: &[String]| {
            let mut said = said.clone();
            for line in heard {
                said.hear(Word::parse(line).ok_or_else(|| format!("said something else: {line}"))?);
            }
            looker.look(life, &said, Depth::Whole).map(|_| ())
        };
        walk((recorder, folder.path(), most), (name, from), command, look, &mut tally)?;
    }
    pushing(recorder, folder.path(), seed, most, &mut tally)?;
    Ok(tally)
}

/// The recorder that counts a process's file operations and ends it at one, built into `folder`.
///
/// # Errors
/// There is no C compiler.
pub fn recorder(folder: &Path) -> Result<PathBuf, Failure> {
    super::recording::recorder(folder)
}

/// Does the work of `command` on copies of a folder, killed after ever more file operations. Killed
/// later than the last, the work is done.
///
/// # Errors
/// The work fails when nobody is killed. What is lost is in the tally.
pub fn walk(
    (recorder, scratch, most): (&Path, &Path, usize),
    (name, from): (&'static str, &Path),
    command: impl Fn(&Path) -> Result<Command, Failure>,
    look: impl Fn(&Path, &[String]) -> Result<(), String>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let life = std::fs::canonicalize(scratch)?.join(format!("life-{name}"));
    copy_files(from, &life)?;
    let whole = killed(recorder, &mut command(&life)?, &life, 0)?;
    if let Err(what) = look(&life, &whole.said) {
        tally.lost.push(format!("{name}, not killed at all: {what}"));
    }
    let step = (whole.operations / most.max(1)).max(1);
    let kills = tally.kills.entry(name).or_default();
    for at in (1..=whole.operations).step_by(step) {
        copy_files(from, &life)?;
        let cut = killed(recorder, &mut command(&life)?, &life, at)?;
        *kills += usize::from(cut.killed);
        if let Err(what) = look(&life, &cut.said) {
            tally.lost.push(format!("{name}, killed at operation {at} of {}: {what}", whole.operations));
        }
    }
    Ok(())
}

struct Cut {
    killed: bool,
    operations: usize,
    said: Vec<String>,
}

/// Runs under the recorder, killed once it has done so many file operations; 0: not at all.
fn killed(recorder: &Path, command: &mut Command, life: &Path, at: usize) -> Result<Cut, Failure> {
    let trace = life.with_extension("trace");
    let _ = std::fs::remove_file(&trace);
    let out = command
        .env("LD_PRELOAD", recorder)
        .env("JALON_TRACE", &trace)
        .env("JALON_TRACE_ROOT", life)
        .env("JALON_KILL_AT", at.to_string())
        .stdin(Stdio::null())
        .output()?;
    let killed = std::os::unix::process::ExitStatusExt::signal(&out.status) == Some(9);
    if !killed && !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        return Err(fail(format!("the errand ended with {}: {said}", out.status)));
    }
    let said = String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect();
    Ok(Cut { killed, operations: operations(&std::fs::read(&trace)?)?, said })
}

/// How many operations a trace holds.
fn operations(trace: &[u8]) -> Result<usize, Failure> {
    let (mut rest, mut count) = (trace, 0);
    while let Some((head, after)) = rest.split_at_checked(HEAD) {
        let length = head.get(HEAD - 4..).and_then(|last| last.try_into().ok()).map(u32::from_ne_bytes);
        let length = usize::try_from(length.ok_or_else(|| fail("half a trace"))?)?;
        rest = after.get(length..).ok_or_else(|| fail("half a trace"))?;
        count += 1;
    }
    Ok(count)
}

/// A kiosk's life of some visits, ended in order; what it said.
fn lived(ground: &Path, folder: &Path, seed: u64) -> Result<Said, Failure> {
    let session = Session {
        ground,
        folder,
        seed,
        session: 0,
        visits: PEOPLE,
        end: End::Close,
        checkpoint: false,
        fill: false,
        plain: None,
    };
    let out = session.command()?.stdin(Stdio::null()).output()?;
    let mut said = Said::default();
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        said.hear(Word::parse(line).ok_or_else(|| fail("the kiosk under test said something else"))?);
    }
    if said.kept.is_empty() { Err(fail("nobody was registered")) } else { Ok(said) }
}

/// The same vault as the first version of the program would have left it.
fn of_the_first_schema(from: &Path, to: &Path, ground: &Ground) -> Result<(), Failure> {
    std::fs::create_dir(to)?;
    let hex: String = ground.key().iter().map(|byte| format!("{byte:02x}")).collect();
    let old = Connection::open(to.join(VAULT))?;
    old.pragma_update(None, "key", format!("x'{hex}'"))?;
    old.execute_batch(FIRST_SCHEMA)?;
    let file = from.join(VAULT).display().to_string();
    old.execute("ATTACH ?1 AS now KEY ?2", (file, format!("x'{hex}'")))?;
    let tables: Vec<String> = old
        .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' ORDER BY rowid")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in tables {
        let columns: Vec<String> = old
            .prepare("SELECT name FROM pragma_table_info(?1, 'main')")?
            .query_map([&table], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let columns = columns.join(", ");
        old.execute_batch(&format!(
            "INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table} ORDER BY rowid"
        ))?;
    }
    old.execute_batch("DETACH now; PRAGMA user_version = 1; PRAGMA journal_mode = WAL")?;
    Ok(())
}

/// A kiosk that registers people and exchanges with central, killed at any operation, again and again
/// on one vault; then everything it said is at central, once.
fn pushing(
    recorder: &Path,
    scratch: &Path,
    seed: u64,
    kills: usize,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = runtime.block_on(Counter::start(None, None))?;
    let status = runtime.block_on(counter.kiosk.status())?;
    let kiosk = status["kiosk"].as_str().ok_or_else(|| fail("no kiosk id"))?.to_owned();
    let life = std::fs::canonicalize(scratch)?.join("life-pushing");
    std::fs::create_dir(&life)?;
    let Counter { kiosk: open, folder, central, pool_url, .. } = &counter;
    runtime.block_on(open.check_vault())?;
    let (folder, central, pool_url) = (folder.path().to_owned(), central.clone(), pool_url.clone());
    let counter = counter.without_kiosk();
    for file in [VAULT, crate::tls::CA] {
        std::fs::copy(folder.join(file), life.join(file))?;
    }
    let _ = std::fs::copy(folder.join("vault.db-wal"), life.join("vault.db-wal"));
    image::RgbImage::from_fn(160, 220, |x, y| image::Rgb([(x * y % 249) as u8; 3]))
        .save(life.join("page.jpg"))?;
    let command = |who: u64| {
        let mut command = Command::new(built("stand")?);
        command.args(["crash-errand", "--task", "push", "--central", &central, "--kiosk", &kiosk]);
        command.arg("--folder").arg(&life).arg("--seed").arg(who.to_string());
        Ok::<_, Failure>(command)
    };
    let mut said = Said::default();
    let mut hear = |cut: &Cut| {
        for line in &cut.said {
            said.hear(Word::parse(line).ok_or_else(|| fail("the kiosk under test said something else"))?);
        }
        Ok::<_, Failure>(())
    };
    let whole = killed(recorder, &mut command(1)?, &life, 0)?;
    hear(&whole)?;
    let mut dice = Dice::new(seed, 9);
    for nth in 0..kills {
        let at = 1 + usize::try_from(dice.below(u64::try_from(whole.operations)?))?;
        let cut = killed(recorder, &mut command(2 + u64::try_from(nth)?)?, &life, at)?;
        *tally.kills.entry("pushing").or_default() += usize::from(cut.killed);
        hear(&cut)?;
    }
    for _ in 0..EXCHANGES {
        hear(&killed(recorder, &mut command(0)?, &life, 0)?)?;
    }
    let pool = runtime.block_on(central::connect(&pool_url))?;
    let there = runtime.block_on(central::admin::registrations(&pool, SITE))?;
    let known = runtime.block_on(central::admin::kiosks(&pool, SITE))?;
    drop(counter);
    let mut wrong = |what: String| tally.lost.push(format!("pushing, seed {seed}: {what}"));
    if there["records_not_applied"] != 0 || there["records_set_aside"] != 0 {
        wrong(format!(
            "records not applied {}, set aside {}",
            there["records_not_applied"], there["records_set_aside"]
        ));
    }
    let one = &known["kiosks"][0];
    if !one["quarantined_s"].is_null() || one["chains"] != 1 {
        wrong(format!("central takes one kiosk for two: {one}"));
    }
    for visit in &said.kept {
        let Some(paper) = said.visits.get(visit).and_then(|promise| promise.kept.as_ref()) else { continue };
        let rows: Vec<_> = there["registrations"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|row| row["code"] == paper.code.as_str())
            .collect();
        let slot = rows.first().and_then(|row| row["slot"].as_i64()).map(|slot| slot.to_string());
        let same = paper.slot == "-" || slot.as_deref() == Some(paper.slot.as_str());
        if rows.len() != 1 || !same || rows.first().is_some_and(|row| row["state"] != "kept") {
            wrong(format!("said {paper:?}, central has {rows:?}"));
        }
    }
    let vault = Vault::open(&life.join(VAULT), &VaultKey::new(COUNTER_KEY))?;
    let unsent = vault.read::<_, vault::VaultFailure>(|tx| tx.unsent_pages())?;
    if unsent > 0 {
        wrong(format!("{unsent} pages were not sent"));
    }
    Ok(())
}
