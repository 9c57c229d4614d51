//! What people do once they have a date, in some seeds: they come back after giving it up, have a
//! letter of their name put right, decline an earlier date, or accepted any in advance. Nobody's date
//! moves later by it, nobody who comes back is left without one, and no slot is two people's.

use super::World;
use super::chance::Dice;
use super::ledger::{Fault, Ledger};
use super::{lost, people, setup};
use app::contract::{DateView, DraftFields, OutboxState};

/// One registration in so many percent accepts any earlier date in advance.
const AHEAD_PERCENT: u64 = 30;
/// An offer is declined in so many percent of the seeds in which anybody declines.
const DECLINES_PERCENT: u64 = 50;
/// One seed in so many percent has people who decline.
const DECLINERS_PERCENT: u64 = 40;
/// Offers of one slot before it is like any other, and one round to see that.
const OFFERED_ROUNDS: usize = 4;

/// Rounds in which the longest line of such dates has come to its end: as many as a seed has people.
const LINE_ROUNDS: usize = 32;

impl World<'_> {
    /// They take any earlier date, sometimes. Drawn apart, so that no other chance changes; nobody who
    /// comes with others does.
    pub(super) fn accepts_ahead(&mut self, n: u64, fields: &mut DraftFields) {
        let mut dice = Dice::new(self.seed, n * 1_000 + 6);
        let days = dice.between(3, 9);
        if fields.party.is_none() && dice.chance(AHEAD_PERCENT) {
            self.tell(format!("… and takes any earlier date, {days} days ahead"));
            fields.accepts_earlier = days.to_string();
        }
    }

    /// Whoever gave their appointment up comes back; where nobody did, somebody does both.
    pub(super) async fn comes_back(&mut self) -> Result<(), Fault> {
        if self.ledger.may_come_back(&self.running()).is_empty() {
            self.gives_up().await?;
            self.tick();
        }
        let those = self.ledger.may_come_back(&self.running());
        let Some((at, code, visit)) = those.get(self.dice.index(those.len().max(1))).cloned() else {
            return Ok(());
        };
        let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
        let short = code.get(..4).unwrap_or_default().to_owned();
        match kiosk.reinstate(&visit).await {
            Ok(view) => self.ledger.came_back(&code, &view)?,
            // A clock that is behind, or more than a month since.
            Err(problem) if problem.code == "today_unknown" || problem.code == "cancelled_too_long" => {
                self.tell(format!("kiosk {at}: {short} comes back: {}", problem.code));
                return Ok(());
            }
            Err(problem) => return Err(lost(problem)),
        }
        self.tell(format!("kiosk {at}: {short} comes back, and waits for a date"));
        Ok(())
    }

    /// A name is written as the document has it.
    pub(super) async fn puts_right(&mut self) -> Result<(), Fault> {
        let those = self.ledger.may_give_up(&self.running());
        let Some((at, code, visit)) = those.get(self.dice.index(those.len().max(1))).cloned() else {
            return Ok(());
        };
        let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
        let mut details = kiosk.date(&visit).await.map_err(lost)?.details;
        let Some(written) = people::otherwise(&details.family_names) else { return Ok(()) };
        details.family_names = written.to_owned();
        let short = code.get(..4).unwrap_or_default().to_owned();
        match kiosk.correct(&visit, details).await {
            Ok(view) => self.ledger.put_right(&code, &view, written)?,
            // A clock that is behind; or the hour of the appointment is over.
            Err(problem) if ["today_unknown", "correction_too_late"].contains(&problem.code.as_str()) => {
                self.tell(format!("kiosk {at}: {short} is not put right: {}", problem.code));
                return Ok(());
            }
            Err(problem) => return Err(lost(problem)),
        }
        self.tell(format!("kiosk {at}: {short} is put right: {written}"));
        Ok(())
    }

    /// Whoever is offered an earlier date takes it, or in some seeds declines it and keeps theirs. A
    /// slot nobody wants goes on to the next one.
    pub(super) async fn offers_are_answered(&mut self) -> Result<(), Fault> {
        let mut dice = Dice::new(self.seed, 6);
        let decline = dice.chance(DECLINERS_PERCENT);
        for _ in 0..OFFERED_ROUNDS {
            let mut answered = false;
            for (at, code, visit) in self.ledger.may_give_up(&self.running()) {
                let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
                let before = kiosk.date(&visit).await.map_err(lost)?;
                let Some(offer) = before.offer.clone() else { continue };
                self.tick();
                let accept = !(decline && dice.chance(DECLINES_PERCENT));
                let short = code.get(..4).unwrap_or_default().to_owned();
                match kiosk.answer_offer(&visit, accept).await {
                    Ok(view) if accept => {
                        self.tell(format!("kiosk {at}: {short} takes {} instead", offer.slot_at));
                        self.ledger.took(at, &code, &offer.slot_at, &view)?;
                    }
                    Ok(view) => {
                        self.tell(format!("kiosk {at}: {short} declines {}", offer.slot_at));
                        self.ledger.declined(&before, &view)?;
                    }
                    Err(problem) if problem.code == "offer_over" => continue,
                    // Another registration stands under their code there, and cannot be read.
                    Err(problem)
                        if problem.code == "central_unreachable" && self.is_clashed(&code).await? =>
                    {
                        continue;
                    }
                    Err(problem) => return Err(lost(problem)),
                }
                answered = true;
            }
            if !answered {
                break;
            }
            self.all_hear().await?;
        }
        // What was given meanwhile is on its kiosk's paper, and central knows that.
        let tally = &self.ledger.tally;
        if tally.given_up + tally.learnt + tally.absent + tally.taken + tally.declined == 0 {
            return Ok(());
        }
        self.all_hear().await?;
        self.all_hear().await?;
        // Of people who take any earlier date, each one's goes to the next: a long line takes longer.
        for _ in 0..LINE_ROUNDS {
            if self.nothing_waits().await? {
                break;
            }
            self.all_hear().await?;
        }
        Ok(())
    }

    /// Has every kiosk heard what became of all it has written?
    async fn nothing_waits(&mut self) -> Result<bool, Fault> {
        for at in self.running() {
            let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
            let items = kiosk.outbox().await.map_err(lost)?.items;
            if items.iter().any(|item| matches!(item.state, OutboxState::Waiting | OutboxState::Held)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn is_clashed(&self, code: &String) -> Result<bool, Fault> {
        let site = self.site.as_str();
        let listed = central::admin::registrations(&self.ground.pool, site).await.map_err(setup)?;
        Ok(self.ledger.clashed(&listed).contains(code))
    }

    /// The next one's turn, and every kiosk hears which papers are replaced.
    pub(super) async fn all_hear(&mut self) -> Result<(), Fault> {
        self.offers_go_round().await?;
        self.missed_are_dated().await?;
        self.carried_out().await?;
        for at in self.running() {
            self.tick();
            self.counter(at)?.exchange(None).await.map_err(lost)?.map_err(lost)?;
            self.same(at).await?;
        }
        Ok(())
    }
}

impl Ledger {
    /// People who gave up an appointment of a kiosk that runs once, and have not come back.
    pub fn may_come_back(&self, running: &[usize]) -> Vec<(usize, String, String)> {
        let those = self.kept.iter().filter(|(_, kept)| {
            let here = running.contains(&kept.counter) && !self.doubled.contains(&kept.counter);
            kept.given_up && here && !kept.unheard && !kept.paper_only && !kept.gone && !kept.put_back
        });
        those.map(|(code, kept)| (kept.counter, code.clone(), kept.visit.clone())).collect()
    }

    /// Somebody is back: whatever date comes now is theirs.
    pub fn came_back(&mut self, code: &str, view: &DateView) -> Result<(), Fault> {
        let Some(kept) = self.kept.get_mut(code) else { return Ok(()) };
        if !view.cancelled.as_ref().is_some_and(|cancelled| cancelled.returning) {
            return Err(("I6", format!("{code} came back, and the screen does not say so")));
        }
        (kept.given_up, kept.returned) = (false, true);
        // The first free slot, whatever their receipt held.
        kept.bound = None;
        if let Some(date) = kept.date.take() {
            kept.before.push((date, kept.seal.clone()));
        }
        self.tally.returned += 1;
        Ok(())
    }

    /// Somebody's name stands otherwise on a new paper; their date is the one it was.
    pub fn put_right(&mut self, code: &str, view: &DateView, written: &str) -> Result<(), Fault> {
        let Some(kept) = self.kept.get_mut(code) else { return Ok(()) };
        let now = view.slot.clone().zip(view.slot_at.clone());
        if now.is_none() || now != kept.date {
            return Err(("I3", format!("{code} had {:?}, and put right has {now:?}", kept.date)));
        }
        if view.details.family_names.split_whitespace().ne(written.split_whitespace()) {
            return Err(("I6", format!("{code} is {written}, and the screen says another name")));
        }
        kept.seal.clone_from(&view.code_large);
        self.tally.corrected += 1;
        self.sealed(view)
    }

    /// Who declines loses nothing.
    pub fn declined(&mut self, before: &DateView, view: &DateView) -> Result<(), Fault> {
        if view.slot != before.slot || view.code_large != before.code_large || view.offer.is_some() {
            return Err(("I3", format!("{} declined, and has {:?}", before.code, view.slot_at)));
        }
        self.tally.declined += 1;
        Ok(())
    }
}
