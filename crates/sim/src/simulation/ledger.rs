//! What people were shown, and what must hold of it. Written by the simulation itself,
//! beside the product, so that a fault in the product cannot hide in it.

use super::Tally;
use super::people::Certain;
use app::contract::DateView;
use domain::calendar::Closure;
use jiff::civil::{Date, DateTime};
use seal::ring::KeyRing;
use seal::verify::{Circumstances, Verdict};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A rule that does not hold: its name in the design, and what was seen.
pub type Fault = (&'static str, String);

/// A registration whose screen said *kept*.
pub(super) struct Kept {
    pub counter: usize,
    pub visit: String,
    pub certain: Certain,
    /// Slot id and civil start; none for a rank.
    pub date: Option<(String, String)>,
    /// The latest a ranked person is received, as their receipt says.
    pub bound: Option<String>,
    /// Shown with a rank first.
    pub ranked: bool,
    /// The seal of that receipt.
    receipt: Option<String>,
    pub seal: String,
    /// The disk that kept it was put back to an earlier image before central had it: the
    /// paper alone says so.
    pub paper_only: bool,
    /// The kiosk that made it burnt, and its paper was sent on by another.
    brought: Option<usize>,
    /// No longer on the disk that kept it; central has it.
    pub gone: bool,
    /// On a disk put back to an image that may be from before its date came: the date
    /// comes again by pull, on a paper sealed anew.
    pub put_back: bool,
    /// The dates it had inside a closure, or before an earlier one was taken, with their seals.
    pub before: Vec<((String, String), String)>,
    /// The person gave the appointment up.
    pub given_up: bool,
    /// They came back after giving it up: the date they had may be another's by then.
    pub returned: bool,
    /// They were received.
    pub came: bool,
    /// An agent said that they did not come: another date is theirs, once.
    pub absent: bool,
    /// Central has done what they said elsewhere, and their kiosk may not have heard of it.
    pub unheard: bool,
    /// Where they said it last.
    pub said_at: Option<usize>,
    /// When their telephone cancelled, in Unix seconds, while that waits; and whether it was done.
    pub asked_s: Option<i64>,
    pub by_telephone: bool,
    /// The last day of a limit they came back with.
    pub limit: Option<String>,
}

#[derive(Default)]
pub(super) struct Ledger {
    /// By follow-up code.
    pub kept: BTreeMap<String, Kept>,
    /// Slot id to the counter that showed it and the code of who was shown it.
    pub holders: BTreeMap<String, (usize, String)>,
    pub tally: Tally,
    /// Counters whose vault runs, or ran, more than once: by the design only these can
    /// give a slot twice.
    pub doubled: BTreeSet<usize>,
    ring: Option<KeyRing>,
    /// Days on which nobody is received: dates given inside may move.
    pub closed: Option<Closure>,
    /// Visits of people who take any earlier date without being asked.
    pub ahead: BTreeSet<String>,
    /// Slots shown to somebody while they stood on the paper of somebody whose date was on the move,
    /// with both: in the end one of them has another.
    pub disputed: Vec<(String, String, String)>,
    /// Everything has come to rest: every kiosk has heard what was said elsewhere.
    pub all_heard: bool,
}

impl Ledger {
    /// `ring` verifies papers.
    pub fn new(ring: KeyRing) -> Self {
        Self { ring: Some(ring), ..Self::default() }
    }

    /// A date on a screen, for the first time or again. `today` is a day that is surely
    /// not after the kiosk's own.
    pub fn shown(
        &mut self,
        counter: usize,
        certain: Certain,
        view: &DateView,
        today: Date,
    ) -> Result<(), Fault> {
        let date = match (&view.slot, &view.slot_at) {
            (Some(slot), Some(at)) => Some((slot.clone(), at.clone())),
            _ => None,
        };
        let first = !self.kept.contains_key(&view.code);
        if self.kept.get(&view.code).is_none_or(|kept| kept.seal != view.code_large) {
            self.sealed(view)?;
        }
        if first {
            self.tally.count(view);
        }
        let kept = self.kept.entry(view.code.clone()).or_insert_with(|| Kept {
            counter,
            visit: view.visit.clone(),
            certain,
            date: None,
            bound: None,
            ranked: view.slot_at.is_none(),
            receipt: view.slot_at.is_none().then(|| view.code_large.clone()),
            seal: view.code_large.clone(),
            paper_only: false,
            brought: None,
            gone: false,
            put_back: false,
            before: Vec::new(),
            given_up: false,
            returned: false,
            came: false,
            absent: false,
            unheard: false,
            said_at: None,
            asked_s: None,
            by_telephone: false,
            limit: None,
        });
        if kept.unheard && !self.all_heard && kept.has_not_heard(view) {
            return Ok(());
        }
        kept.unheard = false;
        if kept.given_up && !kept.put_back && view.cancelled.is_none() {
            return Err(("I6", format!("{} was given up, and the kiosk has forgotten it", view.code)));
        }
        if view.cancelled.is_some() {
            // What stands on the old paper is no date of theirs.
            let waits = kept.returned && kept.date.is_none();
            if kept.given_up || waits || kept.put_back || self.doubled.contains(&counter) {
                return Ok(());
            }
            return Err(("I6", format!("{} is shown as given up, and nobody said so", view.code)));
        }
        if first && view.no_later_than.is_some() {
            kept.bound.clone_from(&view.no_later_than);
            let slot = held_slot(&view.code_large)
                .ok_or_else(|| ("I5", "a receipt names a day its seal does not hold".to_owned()))?;
            if let Some(other) = self.holders.insert(slot, (counter, view.code.clone()))
                && !is_excused(&self.doubled, counter, other.0)
            {
                return Err((
                    "I1",
                    format!("a slot held by a receipt stands on the paper of {} too", other.1),
                ));
            }
        }
        let had =
            |kept: &Kept| date.as_ref().is_some_and(|date| kept.before.iter().any(|(had, _)| had == date));
        if kept.put_back && (date.is_none() || date == kept.date || had(kept)) {
            kept.seal.clone_from(&view.code_large);
            return Ok(());
        }
        if let (Some(old), Some(new)) = (kept.date.clone(), date.clone())
            && new.1 < old.1
            && self.ahead.contains(&view.visit)
        {
            // As they said when they registered.
            kept.before.push((old.clone(), kept.seal.clone()));
            kept.date = Some(new.clone());
            kept.seal.clone_from(&view.code_large);
            self.tally.ahead += 1;
            self.leaves(&old.0, &view.code);
            return self.holds(counter, &view.code, new);
        }
        if let (true, Some(old), Some(new)) = (kept.absent, kept.date.clone(), date.clone())
            && new.1 > old.1
        {
            // They did not come to the one before: the place is kept once.
            kept.absent = false;
            kept.before.push((old.clone(), kept.seal.clone()));
            kept.date = Some(new.clone());
            kept.seal.clone_from(&view.code_large);
            self.tally.dated_again += 1;
            self.leaves(&old.0, &view.code);
            return self.holds(counter, &view.code, new);
        }
        let closed = self.closed;
        let inside = |at: &str| {
            let day = at.parse::<DateTime>().map(DateTime::date);
            closed.is_some_and(|closed| day.is_ok_and(|day| closed.covers(day)))
        };
        if let (Some(old), Some(new)) = (kept.date.clone(), date.clone())
            && old != new
            && inside(&old.1)
            && !inside(&new.1)
        {
            // Closed: the one exception to I3. Nobody without a time limit comes on an earlier day.
            if view.limit.is_none() && new.1.get(..10) < old.1.get(..10) {
                return Err(("I3", format!("a date outside, {}, is now earlier: {}", old.1, new.1)));
            }
            self.tally.moved += 1;
            kept.before.push((old, kept.seal.clone()));
            kept.date = Some(new.clone());
            kept.seal.clone_from(&view.code_large);
            return self.holds(counter, &view.code, new);
        }
        match (&kept.date, &date) {
            (Some(old), Some(new)) if new.1 > old.1 => {
                return Err(("I3", format!("a date given for {} is now {}", old.1, new.1)));
            }
            (Some(old), new) if new.as_ref() != Some(old) => {
                return Err(("I6", format!("the date kept for {} is now another: {}", old.1, said(&date))));
            }
            (Some(_), _) if kept.seal != view.code_large => {
                return Err(("I6", format!("the paper of {} has another seal", said(&date))));
            }
            (None, Some((_, at)))
                if kept.bound.as_ref().is_some_and(|bound| at > bound && !inside(bound)) =>
            {
                return Err((
                    "I3",
                    format!("a receipt said no later than {}, the date is {at}", said_bound(kept)),
                ));
            }
            (None, Some((slot, at))) => {
                kept.date = date.clone();
                kept.seal.clone_from(&view.code_large);
                let day = at.parse::<DateTime>().map(DateTime::date).unwrap_or(Date::MIN);
                let given = (slot.clone(), at.clone());
                self.holds(counter, &view.code, given)?;
                if first && day <= today {
                    return Err(("I4", format!("on {today} somebody was convened for {at}")));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A slot is somebody's from now on.
    pub fn holds(&mut self, counter: usize, code: &str, (slot, at): (String, String)) -> Result<(), Fault> {
        let Some((there, other)) = self.holders.insert(slot.clone(), (counter, code.to_owned())) else {
            return Ok(());
        };
        if other == code || is_excused(&self.doubled, counter, there) {
            return Ok(());
        }
        // Nothing came free: nobody was given anything in advance.
        let freed = self.tally.given_up + self.tally.learnt + self.tally.absent > 0;
        let on_the_move = |kept: &Kept| kept.returned || freed && self.ahead.contains(&kept.visit);
        if self.kept.get(&other).is_some_and(on_the_move) {
            // Central has moved them, and their kiosk did not show it yet.
            self.disputed.push((slot, code.to_owned(), other));
            return Ok(());
        }
        Err(("I1", format!("the slot of {at} stands on two papers")))
    }

    /// A slot is theirs no more.
    pub fn leaves(&mut self, slot: &str, code: &str) {
        if self.holders.get(slot).is_some_and(|(_, holder)| holder == code) {
            self.holders.remove(slot);
        }
    }

    /// The paper's code verifies at the door, and says what the screen says.
    pub fn sealed(&self, view: &DateView) -> Result<(), Fault> {
        let Some(ring) = &self.ring else { return Ok(()) };
        let code = seal::text::to_bytes(&view.code_large).unwrap_or_default();
        let verified = seal::verify::verify(&code, ring, &Circumstances::default());
        if verified.verdict != Verdict::Valid {
            return Err(("I6", format!("the paper of {} does not verify: {}", view.code, verified.reason)));
        }
        let at = verified.slot_at.map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string());
        if at != view.slot_at.clone().or_else(|| view.no_later_than.clone()) {
            return Err(("I6", format!("the screen and the seal of {} name two days", view.code)));
        }
        Ok(())
    }

    /// A kiosk burnt, and its disk with it. Answers the codes of those central does not list.
    pub fn burnt(&mut self, counter: usize, listed: &Value) -> BTreeSet<String> {
        let rows = listed.get("registrations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let held = |code: &str| {
            let is = |row: &Value, key: &str, text: &str| row.get(key).and_then(Value::as_str) == Some(text);
            rows.iter().any(|row| is(row, "code", code) && is(row, "state", "kept"))
        };
        let mut unheard = BTreeSet::new();
        self.forgets(counter);
        for (code, kept) in self.kept.iter_mut().filter(|(_, kept)| kept.counter == counter) {
            kept.gone = true;
            kept.put_back = true;
            kept.paper_only = !held(code);
            if kept.paper_only {
                unheard.insert(code.clone());
            }
        }
        unheard
    }

    /// A burnt kiosk's paper was shown at another counter: central must know it in the end.
    pub fn brought(&mut self, code: &str, by: usize) {
        if let Some(kept) = self.kept.get_mut(code) {
            (kept.paper_only, kept.brought) = (false, Some(by));
        }
    }

    /// Papers another has replaced (receipts by a convocation, dates inside a closure), of kiosks that run once: who made them, the sealed
    /// code, and the date.
    pub fn replaced(&self) -> Vec<(usize, String, String)> {
        let whole = |kept: &&Kept| {
            !kept.put_back && !kept.gone && !kept.given_up && !self.doubled.contains(&kept.counter)
        };
        let dated = |kept: &Kept| {
            let receipt = kept.receipt.clone().filter(|_| kept.ranked)?;
            Some((kept.counter, receipt, kept.date.as_ref()?.1.clone()))
        };
        let moved = |kept: &Kept| {
            let (had, seal) = kept.before.last()?;
            // At the hour it names they are received, whichever slot of it is theirs.
            let _ = kept.date.as_ref().filter(|date| date.1 != had.1)?;
            Some((kept.counter, seal.clone(), kept.date.as_ref()?.1.clone()))
        };
        let whole: Vec<&Kept> = self.kept.values().filter(whole).collect();
        let dated = whole.iter().filter_map(|kept| dated(kept));
        dated.chain(whole.iter().filter_map(|kept| moved(kept))).collect()
    }

    /// Central was put back too: of what no disk has any more, only what it still lists is
    /// not on paper alone. Two losses are more than I6 promises to survive.
    pub fn central_put_back(&mut self, listed: &Value) {
        let rows = listed.get("registrations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        // What was sent on by another kiosk, that kiosk sends again.
        for (code, kept) in self.kept.iter_mut().filter(|(_, kept)| kept.gone && kept.brought.is_none()) {
            let listed = |row: &Value| row.get("code").and_then(Value::as_str) == Some(code.as_str());
            kept.paper_only |= !rows.iter().any(listed);
        }
        // What was said at a kiosk that is no more, or by telephone, nobody says again.
        let doubled = self.doubled.clone();
        for kept in self.kept.values_mut() {
            kept.put_back |= kept.by_telephone || kept.said_at.is_some_and(|at| doubled.contains(&at));
        }
    }

    /// A disk was put back to an image with these registrations; central had acknowledged
    /// those. Its lease may be given a second time now.
    pub fn put_back(&mut self, counter: usize, still: &[String], at_central: &[String]) {
        for (code, kept) in self.kept.iter_mut().filter(|(_, kept)| kept.counter == counter) {
            kept.put_back = true;
            if !still.contains(code) && !kept.gone {
                kept.gone = true;
                kept.paper_only = !at_central.contains(code);
            }
        }
        // The kiosk that sent a burnt one's paper on no longer knows it did: two losses.
        for kept in self.kept.values_mut().filter(|kept| kept.brought == Some(counter)) {
            kept.paper_only = true;
        }
        self.forgets(counter);
        self.doubled.insert(counter);
    }

    /// What people of other kiosks said at this one, it does not know any more.
    fn forgets(&mut self, counter: usize) {
        for kept in self.kept.values_mut().filter(|kept| kept.said_at == Some(counter)) {
            kept.put_back = true;
        }
    }

    /// Codes under which central has another registration: theirs is set aside.
    pub fn clashed(&self, listed: &Value) -> BTreeSet<String> {
        let rows = listed.get("registrations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let code = |row: &Value| Some(row.get("code")?.as_str()?.strip_prefix("CLASH-")?.to_owned());
        rows.iter().filter_map(code).collect()
    }

    /// A registration central does not list yet, of a vault that runs once.
    pub fn unheard(&self, listed: &Value) -> Option<String> {
        let rows = listed.get("registrations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let known: BTreeSet<&str> = rows.iter().filter_map(|row| row.get("code")?.as_str()).collect();
        let clashed = self.clashed(listed);
        let unheard = |(code, kept): &(&String, &Kept)| {
            !known.contains(code.as_str())
                && !clashed.contains(*code)
                && !kept.gone
                && !self.doubled.contains(&kept.counter)
        };
        self.kept.iter().find(unheard).map(|(code, _)| code.clone())
    }

    /// Codes of those whose date came in place of a rank, at a disk that was never put back.
    pub fn dated_after_rank(&self, counter: usize) -> impl Iterator<Item = &String> {
        let here = move |kept: &Kept| kept.counter == counter && !kept.put_back && !kept.gone;
        let dated = move |(_, kept): &(&String, &Kept)| here(kept) && kept.ranked && kept.date.is_some();
        self.kept.iter().filter(dated).map(|(code, _)| code)
    }

    /// Does anybody of this kiosk still hold a receipt?
    pub fn still_ranked(&self, counter: usize) -> bool {
        let waits = |kept: &Kept| (kept.ranked || kept.returned) && kept.date.is_none();
        self.kept.values().any(|kept| kept.counter == counter && waits(kept))
    }
}

impl Kept {
    /// Does the screen say what stood before they said something elsewhere? The very paper from before,
    /// or that the place is over, which they took back.
    fn has_not_heard(&self, view: &DateView) -> bool {
        match (self.given_up, view.cancelled.is_some()) {
            (true, heard) => !heard,
            (false, true) => true,
            (false, false) => self.before.last().is_some_and(|(_, seal)| *seal == view.code_large),
        }
    }
}

fn said_bound(kept: &Kept) -> &str {
    kept.bound.as_deref().unwrap_or("nothing")
}

/// The slot a receipt holds, read from its sealed door code as a desk would.
fn held_slot(code: &str) -> Option<String> {
    let bytes = seal::text::to_bytes(code)?;
    match seal::door::Door::read(&bytes)?.0.ground {
        seal::door::Ground::Held(signed) => Some(signed.token.slot.to_string()),
        seal::door::Ground::Slot(_) | seal::door::Ground::Rank(_) => None,
    }
}

pub(super) fn said(date: &Option<(String, String)>) -> String {
    date.as_ref().map_or_else(|| "with a rank".to_owned(), |date| date.1.clone())
}

/// May a slot stand on papers of both? Two machines running one vault give a slot twice, and one
/// gives back what the other has given, which central then gives to somebody else's kiosk: each
/// has a slot at that hour (I1).
pub(super) fn is_excused(doubled: &BTreeSet<usize>, one: usize, other: usize) -> bool {
    doubled.contains(&one) || doubled.contains(&other)
}
