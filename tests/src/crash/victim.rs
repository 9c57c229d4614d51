//! The kiosk that dies: a real kiosk on a real vault, registering people one after the
//! other, saying each thing only after its core has said it. Run as a process of its own.

use super::ground::{Ground, MEDIATOR, PIN, world};
use super::said::{Paper, Word, typed};
use crate::programs::{Failure, fail};
use app::Kiosk;
use clap::{Args, ValueEnum};
use domain::ids::VisitId;
use sim::simulation::Dice;
use std::path::PathBuf;
use vault::{Vault, VaultFailure};

pub const VAULT: &str = "vault.db";
/// More than the log pages after which the vault lets SQLite make a checkpoint (4 000).
const FILL_BYTES: usize = 4_200 * 4_096;
/// Parts a lease comes in, one a session: pulls fall between registrations.
const PARTS: usize = 4;

#[derive(Args, Debug, Clone)]
pub struct Victim {
    #[arg(long)]
    pub folder: PathBuf,
    #[arg(long)]
    pub ground: PathBuf,
    #[arg(long)]
    pub seed: u64,
    /// How often this vault was opened before.
    #[arg(long)]
    pub session: u64,
    /// How many people come.
    #[arg(long)]
    pub visits: u64,
    #[arg(long, value_enum)]
    pub end: End,
    /// Move the log into the file first, as a kiosk does when it is idle.
    #[arg(long)]
    pub checkpoint: bool,
    /// Fill the log first, so that SQLite makes a checkpoint by itself and then begins the
    /// log again from its start, over what it holds.
    #[arg(long)]
    pub fill: bool,
    /// Not a kiosk: plain SQLite with this `synchronous`, as a measure of the harness.
    #[arg(long, value_enum)]
    pub plain: Option<Synchronous>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum End {
    /// The window is closed: the store is let go of in order.
    Close,
    /// The process is gone.
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Synchronous {
    Normal,
    Full,
}

/// Lives one session.
///
/// # Errors
/// The core refuses something: in this life nothing gives it a reason to.
pub fn run(victim: &Victim) -> Result<(), Failure> {
    if let Some(synchronous) = victim.plain {
        super::plain::live(victim, synchronous)?;
        // Never closed in order: closing would sync what NORMAL has left unsynced.
        std::process::exit(0);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let kiosk = runtime.block_on(live(victim))?;
    match victim.end {
        End::Close => {
            drop(kiosk);
            // Waits for what still holds the vault on another thread.
            drop(runtime);
            Ok(())
        }
        // Nothing is closed and nothing is dropped on the way out.
        End::Drop => std::process::exit(0),
    }
}

async fn live(victim: &Victim) -> Result<Kiosk, Failure> {
    let ground = Ground::read(&victim.ground)?;
    let path = victim.folder.join(VAULT);
    let key = ground.key();
    let vault = if path.exists() { Vault::open(&path, &key)? } else { Vault::create(&path, &key)? };
    if !Ground::is_enrolled(&vault)? {
        ground.enrol(&vault)?;
        Word::Made.say()?;
    }
    ground.lend(&vault, usize::try_from(victim.session)?, PARTS)?;
    if victim.checkpoint {
        vault.checkpoint()?;
    }
    if victim.fill {
        vault.transact::<_, VaultFailure>(|tx| tx.put("fill", &vec![7; FILL_BYTES]))?;
        Word::Filled.say()?;
    }
    let kiosk = ground.assemble(vault, world(victim.seed, victim.session))?;
    if victim.end == End::Drop {
        // Not even a failure closes the store in order.
        std::mem::forget(kiosk.clone());
    }
    kiosk.unlock(MEDIATOR, PIN).await?;
    take_up(&kiosk).await?;
    let mut dice = Dice::new(victim.seed, 100 + victim.session);
    for _ in 0..victim.visits {
        visit(&kiosk, &mut dice).await?;
    }
    Ok(kiosk)
}

/// What an earlier session left: whole drafts and registrations under way get their date,
/// kept ones show it again, what was only begun is thrown away.
pub(super) async fn take_up(kiosk: &Kiosk) -> Result<(), Failure> {
    for left in kiosk.home().await?.unfinished {
        match kiosk.confirm(&left.visit).await {
            Ok(view) => {
                Word::Kept { visit: id(&left.visit)?, paper: Paper::shown(&view) }.say()?;
                finish(kiosk, &left.visit).await?;
            }
            Err(problem) if problem.code == "draft_incomplete" => {
                Word::Discarding { visit: id(&left.visit)? }.say()?;
                kiosk.discard_draft(&left.visit).await?;
            }
            Err(problem) => return Err(problem.into()),
        }
    }
    Ok(())
}

/// Somebody comes to the counter.
async fn visit(kiosk: &Kiosk, dice: &mut Dice) -> Result<(), Failure> {
    let text = kiosk.start_visit("fr").await?.visit;
    let visit = id(&text)?;
    Word::Begun { visit }.say()?;
    let who = dice.below(1_000_000);
    for revision in 1..=1 + dice.below(3) {
        kiosk.save_draft(&text, typed(who, revision)).await?;
        Word::Saved { visit, who, revision }.say()?;
    }
    if dice.chance(25) {
        let pages = kiosk.scan_page(&text).await?.pages.len();
        Word::Scanned { visit, pages }.say()?;
    }
    if dice.chance(8) {
        return Ok(());
    }
    let view = kiosk.confirm(&text).await?;
    Word::Kept { visit, paper: Paper::shown(&view) }.say()?;
    if dice.chance(85) { finish(kiosk, &text).await } else { Ok(()) }
}

async fn finish(kiosk: &Kiosk, visit: &str) -> Result<(), Failure> {
    kiosk.finish_visit(visit).await?;
    Ok(Word::Finished { visit: id(visit)? }.say()?)
}

pub(super) fn id(text: &str) -> Result<VisitId, Failure> {
    VisitId::parse(text).ok_or_else(|| fail("not a visit's id"))
}
