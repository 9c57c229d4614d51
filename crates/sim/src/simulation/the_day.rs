//! The day of an appointment, in some seeds: somebody comes with their paper, others do not, and the day
//! after an agent says who did not. Who came keeps their date; who did not has another, once. Nobody is
//! turned away but for what has happened to the paper, its kiosk or the clocks.

use super::ledger::{Fault, Ledger};
use super::{DAY, HOUR, KIOSKS, World, lost, setup};
use app::contract::{Problem, ShownPaperView};
use central::admin::NoShow;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Of those whose day it is, so many in a hundred come.
const COMES_PERCENT: u64 = 60;
/// Days ahead somebody's day is waited for at most.
const AHEAD_DAYS: i64 = 60;

impl World<'_> {
    /// The day of somebody's date, and the morning after it.
    pub(super) async fn the_day_comes(&mut self) -> Result<(), Fault> {
        let those = self.ledger.may_give_up(&self.running());
        let Some((_, code, _)) = those.get(self.dice.index(those.len().max(1))).cloned() else {
            return Ok(());
        };
        let Some(day) = self.ledger.day_of(&code) else { return Ok(()) };
        let zone = TimeZone::get(super::ZONE).map_err(setup)?;
        let opens = day.date().to_zoned(zone).map_err(setup)?.timestamp().as_second() + 8 * HOUR;
        let seconds = opens - self.time.now().as_second();
        if !(0..AHEAD_DAYS * DAY).contains(&seconds) {
            return Ok(());
        }
        self.passes(seconds);
        self.tell(format!("it is the day of {}", code.get(..4).unwrap_or_default()));
        for (code, at, seal) in self.ledger.expected(day) {
            if !self.dice.chance(COMES_PERCENT) {
                continue;
            }
            let other = self.dice.index(KIOSKS);
            let at = if self.counters.get(other).is_some_and(|other| !other.is_burnt()) { other } else { at };
            self.tick();
            self.counter(at)?.say_day().await.map_err(lost)?;
            let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
            let short = code.get(..4).unwrap_or_default();
            match kiosk.arrive(&seal).await {
                Ok(shown) if shown.arrived_at.is_some() => {
                    self.tell(format!("kiosk {at}: {short} comes"));
                    self.ledger.came(&code);
                }
                Ok(_) => return Err(("I6", format!("kiosk {at} takes {code} in, and does not note it"))),
                Err(problem) => {
                    let shown = kiosk.show_paper(&seal).await.map_err(lost)?;
                    self.turned_away(at, &code, (&problem, &shown)).await?;
                }
            }
        }
        self.passes(DAY);
        for at in self.running() {
            self.exchange(at).await?;
        }
        let ask = |by: Option<String>| NoShow {
            site: self.site.to_string(),
            day: day.date(),
            came: Vec::new(),
            although: Vec::new(),
            by,
        };
        let (pool, now) = (&self.ground.pool, self.time.now());
        let said = match central::admin::no_show(pool, &ask(Some("Agent".to_owned())), now).await {
            Ok(said) => said,
            // A kiosk was not heard since: who came there is not known.
            Err(refusal) if refusal.is_refusal() => {
                self.tell("central: nobody can say who did not come".to_owned());
                return Ok(());
            }
            Err(failure) => return Err(setup(failure)),
        };
        let people = said.get("people").and_then(Value::as_array).cloned().unwrap_or_default();
        let absent: Vec<&str> = people.iter().filter_map(|one| one.get("code")?.as_str()).collect();
        self.tell(format!("central: {} did not come", absent.len()));
        for code in absent {
            self.ledger.did_not_come(code)?;
        }
        Ok(())
    }

    /// Somebody with a paper in hand, on the day that stands on it, is not taken in.
    async fn turned_away(
        &mut self,
        at: usize,
        code: &str,
        (problem, shown): (&Problem, &ShownPaperView),
    ) -> Result<(), Fault> {
        let listed =
            central::admin::registrations(&self.ground.pool, self.site.as_str()).await.map_err(setup)?;
        let Some(why) = self.excuse(at, code, shown, &listed) else {
            let ShownPaperView { verdict, reason, .. } = shown;
            let said = format!("{}: {verdict} {reason}", problem.code);
            return Err(("I6", format!("kiosk {at} turns {code} away on their day, {said}")));
        };
        let short = code.get(..4).unwrap_or_default();
        self.tell(format!("kiosk {at}: {short} comes, and is turned away: {} ({why})", problem.code));
        Ok(())
    }

    /// What in this history is reason enough, by what the kiosk says of the paper.
    fn excuse(&self, at: usize, code: &str, shown: &ShownPaperView, listed: &Value) -> Option<&'static str> {
        let kept = self.ledger.kept.get(code)?;
        let off = |at: usize| self.clocks_off.contains(&at);
        let held = Ledger::held_at_central(listed, code);
        let moved = held.is_none_or(|held| kept.date.as_ref().is_none_or(|date| date.1 != held));
        match shown.verdict.as_str() {
            // Its day is another, or was when the paper was made.
            "valid" if off(at) => Some("a clock"),
            "look" if shown.reason == "issued_later_than_now" && (off(at) || off(kept.counter)) => {
                Some("a clock")
            }
            "look" if shown.reason == "kiosk_lost" && self.counters.get(kept.counter)?.is_burnt() => {
                Some("its kiosk is lost")
            }
            // Its list is from before they came back, or their own kiosk has not heard of what is on it.
            "replaced" | "cancelled" if moved || kept.returned => Some("central has given them another"),
            "replaced" | "cancelled" if kept.put_back || self.ledger.doubled.contains(&kept.counter) => {
                Some("a disk that ran twice, or went back")
            }
            "unknown_issuer" if self.keys == self.ground.renewed => Some("a key it has not heard of"),
            _ => None,
        }
    }

    pub(super) fn passes(&mut self, seconds: i64) {
        self.time.pass(seconds);
        for counter in &mut self.counters {
            counter.note_clock();
        }
    }

    /// Central gives them their other date, as it does every minute.
    pub(super) async fn missed_are_dated(&mut self) -> Result<(), Fault> {
        if self.ledger.tally.absent > 0
            && let Some(central) = &self.central
        {
            central.date_missed().await.map_err(setup)?;
        }
        Ok(())
    }
}

impl Ledger {
    /// The hour of somebody's date.
    pub fn day_of(&self, code: &str) -> Option<DateTime> {
        self.kept.get(code)?.date.as_ref()?.1.parse().ok()
    }

    /// The hour central holds for somebody, as it lists them.
    pub fn held_at_central(listed: &Value, code: &str) -> Option<String> {
        let rows = listed.get("registrations").and_then(Value::as_array)?;
        let row = rows.iter().find(|row| row.get("code").and_then(Value::as_str) == Some(code))?;
        row.get("slot_at").and_then(Value::as_str).map(str::to_owned)
    }

    /// Whose day it is: code, counter, and the paper in their hand.
    fn expected(&self, day: DateTime) -> Vec<(String, usize, String)> {
        let theirs = |code: &String| self.day_of(code).is_some_and(|at| at.date() == day.date());
        let those =
            self.kept.iter().filter(|(code, kept)| theirs(code) && !kept.given_up && !kept.paper_only);
        those.map(|(code, kept)| (code.clone(), kept.counter, kept.seal.clone())).collect()
    }

    /// Somebody was received.
    fn came(&mut self, code: &str) {
        if let Some(kept) = self.kept.get_mut(code) {
            // Nothing is left of what was asked in their name.
            (kept.came, kept.asked_s) = (true, None);
        }
        self.tally.came += 1;
    }

    /// An agent says that somebody did not come, once every kiosk of the site was heard.
    fn did_not_come(&mut self, code: &str) -> Result<(), Fault> {
        self.tally.absent += 1;
        let doubled = self.tally.older + self.tally.twins > 0;
        let Some(kept) = self.kept.get_mut(code) else { return Ok(()) };
        // What an older disk forgot before it sent it, no agent can know.
        if kept.came && !doubled {
            return Err(("I3", format!("{code} was received, and is said not to have come")));
        }
        kept.absent = true;
        Ok(())
    }
}
