//! Somebody gives their appointment up in some seeds, or comes back with a time limit; whoever gains
//! from it is offered the slot, and answers when everything has come to rest. Nobody's date moves later by it, and no slot is two
//! people's.

use super::ledger::{Fault, Kept, Ledger};
use super::{World, lost, setup};
use app::contract::{DateView, LimitFields};

impl World<'_> {
    /// Somebody with a date, at a kiosk that runs once, gives it up at the counter.
    pub(super) async fn gives_up(&mut self) -> Result<(), Fault> {
        let running = self.running();
        let those = self.ledger.may_give_up(&running);
        let Some((at, code, visit)) = those.get(self.dice.index(those.len().max(1))).cloned() else {
            return Ok(());
        };
        let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
        match kiosk.cancel(&visit).await {
            Ok(view) => self.ledger.gave_up(&code, &view)?,
            // Its clock is behind: nobody has said what day it is.
            Err(problem) if problem.code == "today_unknown" => return Ok(()),
            Err(problem) => return Err(lost(problem)),
        }
        self.tell(format!("kiosk {at}: {} is given up", code.get(..4).unwrap_or_default()));
        Ok(())
    }

    /// Somebody with a date, at a kiosk that runs once, comes back with a time limit.
    pub(super) async fn learns_of_a_limit(&mut self, days: i64) -> Result<(), Fault> {
        let those = self.ledger.may_give_up(&self.running());
        let Some((at, code, visit)) = those.get(self.dice.index(those.len().max(1))).cloned() else {
            return Ok(());
        };
        let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
        let limit = LimitFields {
            right: "court_injunction".to_owned(),
            last_day: String::new(),
            days: days.to_string(),
            evidence: "TA 2027-0002".to_owned(),
        };
        match kiosk.declare_limit(&visit, limit).await {
            Ok(view) => self.ledger.limited(&code, &view)?,
            // Its clock is behind: nobody has said what day it is.
            Err(problem) if problem.code == "today_unknown" => return Ok(()),
            Err(problem) => return Err(lost(problem)),
        }
        self.tell(format!("kiosk {at}: {} is due within {days} days", code.get(..4).unwrap_or_default()));
        Ok(())
    }

    /// Central goes on with what came free, and with whose date does not serve, as it does every minute.
    pub(super) async fn offers_go_round(&mut self) -> Result<(), Fault> {
        if let Some(central) = &self.central {
            central.offer_freed().await.map_err(setup)?;
        }
        Ok(())
    }
}

impl Ledger {
    /// People with a date, whose papers are those of kiosks that run once: the counter, the follow-up
    /// code and the visit of each.
    pub fn may_give_up(&self, running: &[usize]) -> Vec<(usize, String, String)> {
        let whole = |kept: &Kept| {
            let standing = kept.date.is_some() && !kept.given_up && !kept.came && !kept.paper_only;
            let here = running.contains(&kept.counter) && !self.doubled.contains(&kept.counter);
            standing && here && !kept.gone && !kept.put_back
        };
        let those = self.kept.iter().filter(|(_, kept)| whole(kept));
        those.map(|(code, kept)| (kept.counter, code.clone(), kept.visit.clone())).collect()
    }

    /// Is anybody's date after their time limit?
    pub fn anybody_is_late(&self) -> bool {
        self.kept.values().any(|kept| {
            let date = kept.date.as_ref().and_then(|(_, at)| at.get(..10));
            date.zip(kept.limit.as_deref()).is_some_and(|(date, limit)| date > limit)
        })
    }

    /// Somebody gave their appointment up: their slot may be somebody else's from now on.
    pub fn gave_up(&mut self, code: &str, view: &DateView) -> Result<(), Fault> {
        let Some(kept) = self.kept.get_mut(code) else { return Ok(()) };
        if view.cancelled.is_none() {
            return Err(("I6", format!("{code} was given up, and the screen does not say so")));
        }
        (kept.given_up, kept.asked_s) = (true, None);
        let slot = kept.date.as_ref().map(|date| date.0.clone());
        if let Some(slot) = slot {
            self.leaves(&slot, code);
        }
        self.tally.given_up += 1;
        Ok(())
    }

    /// Somebody's limit stands on a new paper; their date is the one it was.
    pub fn limited(&mut self, code: &str, view: &DateView) -> Result<(), Fault> {
        let Some(kept) = self.kept.get_mut(code) else { return Ok(()) };
        let now = view.slot.clone().zip(view.slot_at.clone());
        if view.limit.is_none() || now.is_none() || now != kept.date {
            return Err(("I3", format!("{code} had {:?}, and with a limit has {now:?}", kept.date)));
        }
        kept.seal.clone_from(&view.code_large);
        kept.limit.clone_from(&view.limit);
        self.tally.learnt += 1;
        Ok(())
    }

    /// Somebody took the earlier date they were offered.
    pub fn took(&mut self, counter: usize, code: &str, offered: &str, view: &DateView) -> Result<(), Fault> {
        let Some(kept) = self.kept.get_mut(code) else { return Ok(()) };
        let Some(old) = kept.date.clone() else { return Ok(()) };
        let new = view.slot.clone().zip(view.slot_at.clone());
        let Some(new) = new.filter(|new| new.1 == offered && new.1 < old.1) else {
            return Err((
                "I3",
                format!("{offered} was taken instead of {}, and now it is {:?}", old.1, view.slot_at),
            ));
        };
        kept.before.push((old.clone(), kept.seal.clone()));
        kept.date = Some(new.clone());
        kept.seal.clone_from(&view.code_large);
        self.tally.taken += 1;
        self.leaves(&old.0, code);
        self.holds(counter, code, new)
    }
}
