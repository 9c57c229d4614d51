//! What happens once in some seeds, between two moves: central's signing keys are renewed
//! and the old ones retired; a kiosk burns, and what central had not heard of it comes back
//! by paper; a mediator joins, and leaves; the site closes for a week or
//! two; somebody gives their appointment up, comes back after it or with a
//! time limit, has their name put right, or says something of it at another kiosk or by telephone. Drawn apart from the moves, so that no other chance changes.

use super::chance::Dice;
use super::ledger::Fault;
use super::moves::Move;
use super::{KIOSKS, World, lost, restore, setup};
use app::contract::WordKind;
use std::collections::BTreeMap;

/// One seed in so many has each.
const NEW_KEYS_PERCENT: u64 = 20;
const BURNS_PERCENT: u64 = 20;
const JOINS_PERCENT: u64 = 25;
/// Of those in whom somebody joined before.
const LEAVES_PERCENT: u64 = 60;
const CLOSES_PERCENT: u64 = 10;
const GIVES_UP_PERCENT: u64 = 30;
const LEARNS_PERCENT: u64 = 25;
const COMES_BACK_PERCENT: u64 = 25;
const PUT_RIGHT_PERCENT: u64 = 25;
const DAY_COMES_PERCENT: u64 = 20;
const SAYS_ELSEWHERE_PERCENT: u64 = 35;
const CALLS_PERCENT: u64 = 20;
/// What is said elsewhere, each as often as it stands here.
const WORDS: [WordKind; 4] = [WordKind::Cancel, WordKind::Cancel, WordKind::TakeBack, WordKind::Come];
/// A closure lasts so many days, or up to twice as many.
const CLOSED_DAYS: usize = 7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    NewKeys,
    /// The kiosk of this number.
    Burns(usize),
    Joins,
    Leaves,
    /// The site, for so many days.
    Closes(usize),
    /// Somebody, their appointment.
    GivesUp,
    /// Somebody with a date, of a limit of so many days.
    Learns(i64),
    /// Whoever gave theirs up, or somebody who does and is back at once.
    ComesBack,
    /// Somebody's name.
    PutRight,
    /// The day of somebody's appointment, and who comes.
    TheDay,
    /// Somebody, at another kiosk than that of their paper.
    SaysElsewhere(WordKind),
    /// Somebody's telephone cancels.
    Calls,
}

/// What happens before which move of this script.
pub(super) fn events(seed: u64, script: &[Move]) -> BTreeMap<u64, Event> {
    let mut dice = Dice::new(seed, 4);
    let mut events = BTreeMap::new();
    let mut draw = |percent, event: fn(&mut Dice) -> Event| {
        let (happens, nth) = (dice.chance(percent), dice.index(script.len().max(1)));
        let event = event(&mut dice);
        if let Some(step) = script.get(nth).filter(|_| happens) {
            // What was drawn first keeps its place.
            events.entry(step.n).or_insert(event);
        }
    };
    draw(NEW_KEYS_PERCENT, |_| Event::NewKeys);
    draw(BURNS_PERCENT, |dice| Event::Burns(dice.index(KIOSKS)));
    draw(JOINS_PERCENT, |_| Event::Joins);
    draw(LEAVES_PERCENT, |_| Event::Leaves);
    draw(CLOSES_PERCENT, |dice| Event::Closes(CLOSED_DAYS + dice.index(CLOSED_DAYS)));
    draw(GIVES_UP_PERCENT, |_| Event::GivesUp);
    draw(LEARNS_PERCENT, |dice| Event::Learns(dice.between(1, 60)));
    draw(COMES_BACK_PERCENT, |_| Event::ComesBack);
    draw(PUT_RIGHT_PERCENT, |_| Event::PutRight);
    draw(DAY_COMES_PERCENT, |_| Event::TheDay);
    draw(SAYS_ELSEWHERE_PERCENT, |dice| {
        Event::SaysElsewhere(WORDS.get(dice.index(WORDS.len())).copied().unwrap_or(WordKind::Come))
    });
    draw(CALLS_PERCENT, |_| Event::Calls);
    events
}

impl World<'_> {
    pub(super) async fn happen(&mut self, event: Event) -> Result<(), Fault> {
        match event {
            Event::NewKeys => self.new_keys().await,
            Event::Burns(at) => self.burns(at).await,
            Event::Joins => self.joins().await,
            Event::Leaves => self.leaves().await,
            Event::Closes(days) => self.closes(days).await,
            Event::GivesUp => self.gives_up().await,
            Event::Learns(days) => self.learns_of_a_limit(days).await,
            Event::ComesBack => self.comes_back().await,
            Event::PutRight => self.puts_right().await,
            Event::TheDay => self.the_day_comes().await,
            Event::SaysElsewhere(word) => self.says_elsewhere(word).await,
            Event::Calls => self.calls().await,
        }
    }

    /// Central starts again with keys made since; the old ones sign no more.
    async fn new_keys(&mut self) -> Result<(), Fault> {
        let ground = self.ground;
        self.end_central();
        self.keys.clone_from(&ground.renewed);
        let central =
            restore::raise(ground, &self.keys, &self.folder, &self.time, &self.random.fill()).await?;
        self.lead_to(central);
        let keys = central::keys::CentralKeys::load(&ground.renewed).map_err(setup)?;
        for old in &ground.retired {
            match central::admin::retire_key(&ground.pool, &keys, old, self.time.now()).await {
                Ok(_) => {}
                // What left central before a restore is not known, nor the last day it signed for.
                Err(refusal) if refusal.is_refusal() => {
                    self.tell("central: starts again with new keys, and retires none yet".to_owned());
                    return Ok(());
                }
                Err(failure) => return Err(setup(failure)),
            }
        }
        self.tell("central: starts again with new keys, the old ones are retired".to_owned());
        Ok(())
    }

    /// A kiosk and its disk are gone, and an agent says so. Whoever had a paper of it that
    /// central has not heard of shows it at another counter.
    async fn burns(&mut self, at: usize) -> Result<(), Fault> {
        // Of a disk that runs twice, or was put back, nobody can say what its papers are.
        // And a database put back later to a backup that knows nothing of it would be two losses.
        if self.ledger.doubled.contains(&at) || self.backup.is_some() {
            return Ok(());
        }
        let (ground, site) = (self.ground, self.site.clone());
        let kiosk = self.counter(at)?.id();
        let known = central::admin::kiosks(&ground.pool, site.as_str()).await.map_err(setup)?;
        if !known.to_string().contains(&kiosk) {
            // The database was put back to before it was enrolled: two losses at once.
            return Ok(());
        }
        let papers = self.counter(at)?.burn().map_err(lost)?;
        central::admin::lose_kiosk(&ground.pool, site.as_str(), &kiosk, self.time.now())
            .await
            .map_err(setup)?;
        self.tell(format!("kiosk {at}: burns, and is reported lost"));
        self.open.retain(|(counter, ..)| *counter != at);
        let listed = central::admin::registrations(&ground.pool, site.as_str()).await.map_err(setup)?;
        let unheard = self.ledger.burnt(at, &listed);
        let other = (at + 1) % KIOSKS;
        for paper in papers.iter().filter(|paper| unheard.contains(&paper.code)) {
            match self.counter(other)?.bring(paper).await {
                Ok(()) => self.ledger.brought(&paper.code, other),
                // Signed by a key that this kiosk has not heard of yet: the paper waits.
                Err(problem) if problem.code == "paper_not_to_bring" && self.keys == ground.renewed => {}
                Err(problem) => return Err(lost(problem)),
            }
        }
        if !unheard.is_empty() {
            self.tell(format!("kiosk {other}: {} papers of it are shown and sent on", unheard.len()));
        }
        Ok(())
    }

    /// Whoever holds the recovery key reads the papers that were brought.
    pub(super) async fn open_papers(&self) -> Result<(), Fault> {
        let (ground, site) = (self.ground, self.site.as_str());
        let recovery = ground.keys.join(central::keys::RECOVERY);
        central::admin::open_papers(&ground.pool, site, &recovery).await.map_err(setup)?;
        Ok(())
    }

    /// A receipt that has its convocation is red at another counter, with the new date.
    pub(super) async fn replaced_are_red(&mut self) -> Result<(), Fault> {
        for (counter, receipt, at) in self.ledger.replaced() {
            let running = |other: &usize| {
                *other != counter && self.counters.get(*other).is_some_and(|other| !other.is_burnt())
            };
            let Some(other) = (0..KIOSKS).find(running) else { continue };
            let kiosk = self.counter(other)?.kiosk().map_err(lost)?.clone();
            let shown = kiosk.show_paper(&receipt).await.map_err(lost)?;
            if shown.verdict != "replaced" || shown.replaced_by.as_ref() != Some(&at) {
                let said = format!("{} {:?}", shown.verdict, shown.replaced_by);
                return Err(("I3", format!("a receipt replaced by {at} is {said} at kiosk {other}")));
            }
        }
        Ok(())
    }
}
