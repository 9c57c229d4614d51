//! What people say of their appointment elsewhere than at the kiosk of their paper: at another kiosk of
//! the site, or by their own telephone. Central does it, at once or a day later; their kiosk hears of it
//! with an exchange, and in the end the two agree. Nobody's word is done that they took back in time.

use super::ledger::{Fault, Ledger};
use super::network::Link;
use super::{DAY, HOUR, Since, World, lost, setup};
use app::contract::{BirthFields, Problem, WordKind};
use central::admin::{AskedCancel, CancelStep};
use central::audit::administered;
use domain::own_channel::Channel;
use serde_json::Value;

/// A word is said a second time in so many percent: whoever did not see the answer says it again.
const AGAIN_PERCENT: u64 = 25;
/// Of those whose telephone cancels, so many percent learn of it in time and say that they come.
const NOTICED_PERCENT: u64 = 50;
/// Within so many hours, of the day there is.
const NOTICED_HOURS: i64 = 20;
/// Of those, so many percent at another kiosk than their paper's.
const NOTICED_ELSEWHERE_PERCENT: u64 = 50;

impl World<'_> {
    /// Somebody says this at another kiosk of the site; whoever takes something back gave it up before.
    pub(super) async fn says_elsewhere(&mut self, word: WordKind) -> Result<(), Fault> {
        if word == WordKind::TakeBack && self.ledger.may_take_back(&self.running()).is_empty() {
            self.somebody_says(WordKind::Cancel).await?;
            self.tick();
        }
        self.somebody_says(word).await
    }

    async fn somebody_says(&mut self, word: WordKind) -> Result<(), Fault> {
        let those = match word {
            WordKind::TakeBack => self.ledger.may_take_back(&self.running()),
            WordKind::Cancel | WordKind::Come => self.ledger.may_give_up(&self.running()),
        };
        match those.get(self.dice.index(those.len().max(1))).cloned() {
            Some((at, code, visit)) => self.says((at, &code, &visit), word).await,
            None => Ok(()),
        }
    }

    /// At a machine that runs once and whose network works at this moment: without one nothing is done,
    /// and the person is told so.
    async fn says(&mut self, (at, code, visit): (usize, &str, &str), word: WordKind) -> Result<(), Fault> {
        let once = |other: &usize| *other != at && !self.ledger.doubled.contains(other);
        let others: Vec<usize> = self.running().into_iter().filter(once).collect();
        let Some(other) = others.get(self.dice.index(others.len().max(1))).copied() else { return Ok(()) };
        let birth = self.birth(at, visit).await?;
        let link = self.counter(other)?.network.link();
        self.counter(other)?.network.set(Link::Up);
        self.counter(other)?.say_day().await.map_err(lost)?;
        let mut said = self.says_at(other, (code, &birth), word).await;
        if said.is_ok() && self.dice.chance(AGAIN_PERCENT) {
            self.tick();
            said = self.says_at(other, (code, &birth), word).await;
        }
        self.counter(other)?.network.set(link);
        let short = code.get(..4).unwrap_or_default();
        let what = match word {
            WordKind::Cancel => "gives it up",
            WordKind::TakeBack => "takes it back",
            WordKind::Come => "will come",
        };
        match said {
            Ok(()) => self.ledger.said_elsewhere(code, word, other),
            Err(problem) => {
                let listed = central::admin::registrations(&self.ground.pool, self.site.as_str())
                    .await
                    .map_err(setup)?;
                // Their kiosk has not told central of them; or a month has passed.
                let known =
                    central::admin::kiosks(&self.ground.pool, self.site.as_str()).await.map_err(setup)?;
                // A database put back to before the kiosk was enrolled knows it with its next exchange.
                let new = problem.code == "central_refused"
                    && !known.to_string().contains(&self.counter(other)?.id());
                let unknown = match problem.code.as_str() {
                    "follow_up_unknown" => !Ledger::is_listed(&listed, code),
                    // What stands under their code in their place, nobody can read.
                    "central_unreachable" => self.ledger.clashed(&listed).contains(code),
                    _ => false,
                };
                let late = problem.code == "cancelled_too_long" && word == WordKind::TakeBack;
                if !new && !unknown && !late {
                    return Err(("I9", format!("{code} {what} at kiosk {other}, and is refused: {problem}")));
                }
                self.tell(format!("kiosk {other}: {short} {what}: {}", problem.code));
                return Ok(());
            }
        }
        self.tell(format!("kiosk {other}: {short} of kiosk {at} {what}"));
        Ok(())
    }

    async fn says_at(
        &mut self,
        other: usize,
        (code, birth): (&str, &BirthFields),
        word: WordKind,
    ) -> Result<(), Problem> {
        let Some(counter) = self.counters.get(other) else { return Ok(()) };
        let kiosk = counter.kiosk()?.clone();
        let told = kiosk.follow_up(code, birth.clone()).await?;
        let slot_at = told.elsewhere.and_then(|told| told.slot_at);
        kiosk.say_elsewhere(code, birth.clone(), word, slot_at, true).await.map(drop)
    }

    /// The birth date as their own kiosk has it.
    async fn birth(&mut self, at: usize, visit: &str) -> Result<BirthFields, Fault> {
        let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
        Ok(kiosk.date(visit).await.map_err(lost)?.details.birth)
    }

    /// Somebody's telephone cancels, their own or a stolen one. A day passes; in it some say that they come.
    pub(super) async fn calls(&mut self) -> Result<(), Fault> {
        let those = self.ledger.may_give_up(&self.running());
        let Some((at, code, visit)) = those.get(self.dice.index(those.len().max(1))).cloned() else {
            return Ok(());
        };
        let birth = self.birth(at, &visit).await?;
        let part = |text: &str| text.parse::<i8>().ok();
        let ask = AskedCancel {
            code: code.clone(),
            birth: (birth.year.parse().map_err(setup)?, part(&birth.month), part(&birth.day)),
            step: CancelStep::Ask(Channel::Phone),
            apply: true,
        };
        let (now, random) = (self.time.now(), self.random.fill());
        let asked = central::admin::cancel(&self.ground.pool, &ask, now, &random);
        let short = code.get(..4).unwrap_or_default().to_owned();
        match administered(Some("Agent".to_owned()), asked).await {
            Ok(_) => self.ledger.called(&code, now.as_second()),
            // Central does not know of them, the day is too near, or it is asked already.
            Err(refusal) if refusal.is_refusal() => return Ok(()),
            Err(failure) => return Err(setup(failure)),
        }
        self.tell(format!("central: {short} cancels by telephone"));
        if self.dice.chance(NOTICED_PERCENT) {
            let seconds = self.dice.between(HOUR, NOTICED_HOURS * HOUR);
            self.passes(seconds);
            self.carried_out().await?;
            self.comes_all_the_same((at, &code, &visit)).await?;
        }
        self.passes(DAY + HOUR);
        self.carried_out().await
    }

    /// Within the day, at their own kiosk or at another; their own tells central at once.
    async fn comes_all_the_same(&mut self, (at, code, visit): (usize, &str, &str)) -> Result<(), Fault> {
        if self.dice.chance(NOTICED_ELSEWHERE_PERCENT) {
            return self.says((at, code, visit), WordKind::Come).await;
        }
        let link = self.counter(at)?.network.link();
        self.counter(at)?.network.set(Link::Up);
        let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
        kiosk.say_coming(visit).await.map_err(lost)?;
        let told = self.counter(at)?.exchange(None).await.map_err(lost)?;
        self.counter(at)?.network.set(link);
        // Nothing is in central's way while the network works.
        told.map_err(lost)?;
        self.ledger.comes(code);
        self.tell(format!("kiosk {at}: {} will come", code.get(..4).unwrap_or_default()));
        Ok(())
    }

    /// Central carries out what waited: words brought before their registration, and what telephones
    /// asked a day ago.
    pub(super) async fn carried_out(&mut self) -> Result<(), Fault> {
        if self.ledger.tally.elsewhere + self.ledger.tally.called == 0 {
            return Ok(());
        }
        let Some(central) = &self.central else { return Ok(()) };
        central.carry_out_words().await.map_err(setup)?;
        central.carry_out_cancellations().await.map_err(setup)?;
        let (pool, site) = (&self.ground.pool, self.site.as_str());
        let listed = central::admin::registrations(pool, site).await.map_err(setup)?;
        let now = self.civil_now().strftime("%Y-%m-%dT%H:%M").to_string();
        let undisturbed = self.since() == Since::Undisturbed;
        let then = self.time.now().as_second() - DAY;
        if undisturbed {
            self.ledger.others_wait(then, &listed)?;
        }
        for code in self.ledger.due(then) {
            if self.ledger.ended_by_telephone(&code, &listed, (&now, undisturbed))? {
                self.tell(format!("central: {} is given up", code.get(..4).unwrap_or_default()));
            }
        }
        Ok(())
    }
}

impl Ledger {
    /// People who gave up an appointment of a kiosk that runs once, wherever, whether it has heard or not.
    fn may_take_back(&self, running: &[usize]) -> Vec<(usize, String, String)> {
        let those = self.kept.iter().filter(|(_, kept)| {
            let here = running.contains(&kept.counter) && !self.doubled.contains(&kept.counter);
            // Before it has sent that, central says that they have their appointment.
            kept.said_at.is_some() && kept.given_up && here && !kept.gone && !kept.put_back
        });
        those.map(|(code, kept)| (kept.counter, code.clone(), kept.visit.clone())).collect()
    }

    /// It is so at central from now on.
    fn said_elsewhere(&mut self, code: &str, word: WordKind, at: usize) {
        self.tally.elsewhere += 1;
        let Some(kept) = self.kept.get_mut(code) else { return };
        kept.said_at = Some(at);
        match word {
            WordKind::Cancel => self.over_elsewhere(code),
            WordKind::TakeBack => {
                (kept.given_up, kept.returned, kept.unheard) = (false, true, true);
                kept.bound = None;
                if let Some(date) = kept.date.take() {
                    kept.before.push((date, kept.seal.clone()));
                }
                self.tally.returned += 1;
            }
            WordKind::Come => kept.asked_s = None,
        }
    }

    /// Their place is over at central, and their kiosk has not heard of it.
    fn over_elsewhere(&mut self, code: &str) {
        let Some(kept) = self.kept.get_mut(code) else { return };
        (kept.given_up, kept.unheard, kept.asked_s) = (true, true, None);
        let slot = kept.date.as_ref().map(|date| date.0.clone());
        if let Some(slot) = slot {
            self.leaves(&slot, code);
        }
        self.tally.given_up += 1;
    }

    fn called(&mut self, code: &str, at_s: i64) {
        self.tally.called += 1;
        if let Some(kept) = self.kept.get_mut(code) {
            kept.asked_s = Some(at_s);
        }
    }

    /// Whatever was asked in their name is withdrawn.
    fn comes(&mut self, code: &str) {
        if let Some(kept) = self.kept.get_mut(code) {
            kept.asked_s = None;
        }
    }

    /// Whose telephone cancelled and nothing was said since, with when.
    fn asked(&self) -> impl Iterator<Item = (&String, i64)> {
        let those = self.kept.iter().filter(|(_, kept)| !kept.given_up && !kept.returned);
        those.filter_map(|(code, kept)| Some((code, kept.asked_s?)))
    }

    /// Then or before.
    fn due(&self, then_s: i64) -> Vec<String> {
        self.asked().filter(|(_, asked_s)| *asked_s <= then_s).map(|(code, _)| code.clone()).collect()
    }

    /// Since then: nobody has lost their date yet.
    fn others_wait(&self, then_s: i64, listed: &Value) -> Result<(), Fault> {
        let mut others = self.asked().filter(|(_, asked_s)| *asked_s > then_s);
        match others.find(|(code, _)| Self::held_at_central(listed, code).is_none()) {
            Some((code, _)) => Err(("I3", format!("{code} cancelled by telephone, and has no date at once"))),
            None => Ok(()),
        }
    }

    /// Has central ended their place, as it must where their hour is still to come?
    fn ended_by_telephone(
        &mut self,
        code: &str,
        listed: &Value,
        (now, undisturbed): (&str, bool),
    ) -> Result<bool, Fault> {
        match Self::held_at_central(listed, code) {
            None if Self::is_listed(listed, code) => {
                self.over_elsewhere(code);
                if let Some(kept) = self.kept.get_mut(code) {
                    kept.by_telephone = true;
                }
                Ok(true)
            }
            Some(held) if undisturbed && held.as_str() > now => {
                Err(("I6", format!("{code} cancelled a day ago by telephone, and has {held} at central")))
            }
            _ => Ok(false),
        }
    }

    fn is_listed(listed: &Value, code: &str) -> bool {
        let rows = listed.get("registrations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        rows.iter().any(|row| row.get("code").and_then(Value::as_str) == Some(code))
    }
}
