//! Real kills: SIGKILL at a chosen line or between two, then the same folder again. Which
//! instruction it hits is up to the machine: the seed chooses the line and the pause, the
//! report tells where the kills fell.

use super::ground::{Ground, world};
use super::look::{Beyond, Depth, Looker};
use super::recording::Session;
use super::said::{Paper, Said, Word};
use super::victim::{End, VAULT};
use crate::programs::{Failure, WAIT, fail};
use sim::simulation::Dice;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use vault::Vault;

/// Kills of one vault, before another is begun.
const A_VAULT: usize = 25;
/// Lines after which the kill comes, at most: about three visits.
const LINES: u64 = 18;
/// No kiosk under test comes to the end of this many visits alive.
const VISITS: u64 = 100_000;
/// Pause after the line, at most, in microseconds; between lines it adapts to the machine.
const START_UP_US: u64 = 60_000;

#[derive(Debug, Default)]
pub struct Tally {
    pub kills: usize,
    /// Where they fell.
    pub spread: BTreeMap<Where, usize>,
    pub kept: usize,
    pub lost: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Where {
    StartUp,
    At(Beyond),
}

impl Where {
    pub fn words(self) -> &'static str {
        match self {
            Self::StartUp => "starting up",
            Self::At(Beyond::Between) => "between visits",
            Self::At(Beyond::BeforeCommit) => "before a commit",
            Self::At(Beyond::DraftUnsaid) => "after a draft's commit, unsaid",
            Self::At(Beyond::Asking) => "between Confirm's two commits",
            Self::At(Beyond::KeptUnsaid) => "after the date's commit, unsaid",
        }
    }
}

/// Kills `kills` kiosks.
///
/// # Errors
/// A kiosk cannot be started, or ends by itself. What is lost is in the tally.
pub fn run(
    ground: &Path,
    scratch: &Path,
    looker: &Looker,
    seed: u64,
    kills: usize,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let mut dice = Dice::new(seed, 3);
    // Between two lines, in microseconds; measured as it goes.
    let mut pace = 3_000;
    let mut vaults = 0;
    while tally.kills < kills {
        let folder = tempfile::Builder::new().prefix("kill-").tempdir_in(scratch)?;
        let life = folder.path().join("life");
        std::fs::create_dir(&life)?;
        let mut said = Said::default();
        let this = (kills - tally.kills).min(A_VAULT);
        for session in 0..this {
            let session = Session {
                ground,
                folder: &life,
                seed: seed.wrapping_mul(1_000_003).wrapping_add(vaults),
                session: u64::try_from(session)?,
                visits: VISITS,
                end: End::Drop,
                checkpoint: session % 3 == 2,
                fill: false,
                plain: None,
            };
            let heard = kill(&session, &mut dice, &mut pace)?;
            let started = !heard.is_empty();
            said.at_work = None;
            heard.into_iter().for_each(|word| said.hear(word));
            tally.kills += 1;
            let copy = folder.path().join("copy");
            copy_files(&life, &copy)?;
            let found = looker
                .look(&copy, &said, Depth::Whole)
                .and_then(|beyond| shown(&copy, ground, &said).map(|()| beyond));
            match found {
                Ok(beyond) => {
                    let place = if started { Where::At(beyond) } else { Where::StartUp };
                    *tally.spread.entry(place).or_default() += 1;
                }
                Err(what) => {
                    tally.lost.push(format!("kill {} of vault {vaults}, seed {seed}: {what}", tally.kills));
                    // What follows on this folder would say the same again.
                    break;
                }
            }
        }
        tally.kept += said.kept.len();
        vaults += 1;
    }
    Ok(tally)
}

/// Lets a kiosk live for some lines and a pause, and kills it. Answers all it said.
fn kill(session: &Session<'_>, dice: &mut Dice, pace: &mut u64) -> Result<Vec<Word>, Failure> {
    let lines = if dice.chance(8) { 0 } else { 1 + dice.below(LINES) };
    let mut child =
        session.command()?.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let out = child.stdout.take().ok_or_else(|| fail("no output"))?;
    let (send, said) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        // Ends with the kiosk, which holds the other end.
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    let mut heard = Vec::new();
    let mut since = Instant::now();
    for nth in 0..lines {
        match said.recv_timeout(WAIT) {
            Ok(line) => heard.push(word(&line)?),
            Err(_) => return Err(ended(child)),
        }
        let took = u64::try_from(since.elapsed().as_micros())?;
        if nth > 0 {
            *pace = (*pace * 7 + took.min(100_000)) / 8;
        }
        since = Instant::now();
    }
    let pause = if lines == 0 { dice.below(START_UP_US) } else { dice.below(*pace * 2) };
    // Not a wait for something: the moment itself is what is chosen here.
    std::thread::sleep(Duration::from_micros(pause));
    child.kill()?;
    reader.join().map_err(|_| fail("the reader ended badly"))?;
    for line in said {
        heard.push(word(&line)?);
    }
    match std::os::unix::process::ExitStatusExt::signal(&child.wait()?) {
        Some(9) => Ok(heard),
        _ => Err(ended(child)),
    }
}

fn word(line: &str) -> Result<Word, Failure> {
    Word::parse(line).ok_or_else(|| fail(format!("the kiosk under test said something else: {line}")))
}

/// What a kiosk had to tell that ended, or said nothing more, before it was killed.
fn ended(mut child: Child) -> Failure {
    let _ = child.kill();
    let mut said = String::new();
    if let Some(mut err) = child.stderr.take() {
        let _ = std::io::Read::read_to_string(&mut err, &mut said);
    }
    let _ = child.wait();
    fail(format!("the kiosk under test ended or hung by itself: {}", said.trim()))
}

/// The kiosk on this vault shows the newest kept date as it showed it before.
fn shown(folder: &Path, ground: &Path, said: &Said) -> Result<(), String> {
    let Some(visit) = said.kept.last() else { return Ok(()) };
    let view = || -> Result<_, Failure> {
        let ground = Ground::read(ground)?;
        let vault = Vault::open(&folder.join(VAULT), &ground.key())?;
        let kiosk = ground.assemble(vault, world(0, 0))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(kiosk.date(&visit.to_string()))?)
    };
    let now = Paper::shown(&view().map_err(|failure| format!("the kiosk shows no date: {failure}"))?);
    let before = said.visits.get(visit).and_then(|promise| promise.kept.as_ref());
    if before == Some(&now) { Ok(()) } else { Err(format!("shown {before:?}, now {now:?}")) }
}

/// What a restart finds, so that looking does not mend what the next kiosk should find.
pub(super) fn copy_files(from: &Path, to: &Path) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        // The shared memory is made again at each opening after a kill.
        if !name.to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}
