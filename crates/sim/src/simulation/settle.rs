//! The end of a seed: the network is whole again, everything comes to rest, and central and
//! the kiosks must agree with what people were shown.

use super::counter::Counter;
use super::ledger::Fault;
use super::network::Link;
use super::{Plant, Since, World, lost, setup};
use app::contract::OutboxState;
use jiff::ToSpan as _;
use serde_json::Value;

/// Rounds in which everything must be settled once the network is whole.
const ROUNDS: usize = 3;

impl World<'_> {
    pub(super) async fn settle(&mut self) -> Result<(), Fault> {
        self.calm = true;
        self.tell("the network is whole again everywhere".to_owned());
        for counter in &self.counters {
            counter.network.set(Link::Up);
            counter.network.set_death(None);
        }
        self.acknowledged_is_held().await?;
        let closed = self.ledger.closed.is_some();
        for round in 1..=ROUNDS + usize::from(closed) {
            self.offers_go_round().await?;
            self.missed_are_dated().await?;
            self.carried_out().await?;
            // Read back as soon as their records may be there.
            self.open_papers().await?;
            for at in self.running() {
                while round == 1
                    && let Some(open) = self.open.iter().position(|(counter, ..)| *counter == at)
                {
                    self.confirm(open).await?;
                }
                self.tick();
                let done = self.counter(at)?.exchange(None).await.map_err(lost)?;
                if let (Err(problem), true) = (done, round > 1) {
                    return Err((
                        "I6",
                        format!("no exchange with a whole network: {problem} {:?}", problem.args),
                    ));
                }
            }
            if round < ROUNDS {
                // Dates central did not know when the site closed.
                self.redate().await?;
            }
        }
        if closed {
            for at in self.running() {
                self.same(at).await?;
            }
        }
        self.late_are_asked().await?;
        self.offers_are_answered().await?;
        self.ledger.all_heard = true;
        let ground = self.ground;
        let listed = central::admin::registrations(&ground.pool, self.site.as_str()).await.map_err(setup)?;
        self.replaced_are_red().await?;
        self.rosters_are_right().await?;
        for at in self.running() {
            self.crash(at).await?;
            self.at_rest(at, &listed).await?;
        }
        let site = self.site.as_str();
        let links = match self.plant {
            Plant::LinksForgotten => serde_json::json!({ "links": [] }),
            _ => central::admin::links(&ground.pool, site).await.map_err(setup)?,
        };
        let soon = self.civil_now().saturating_add(1.days());
        self.ledger.nobody_absent_without(&listed, self.since() == Since::Undisturbed)?;
        self.ledger.against_central(&listed, &soon.strftime("%Y-%m-%dT%H:%M").to_string())?;
        self.ledger.duplicates(&listed, &links)?;
        if self.since() == Since::Undisturbed {
            self.ledger.nobody_twice(&listed)?;
        }
        match ground.archive.rules(site, self.since()).await.map_err(setup)?.into_iter().next() {
            Some((invariant, what)) => Err((invariant, what)),
            None => Ok(()),
        }
    }

    /// Whoever was dated after their time limit is asked about an earlier day that has room for them.
    async fn late_are_asked(&mut self) -> Result<(), Fault> {
        // No clock is moved for it: another day would begin at some kiosks.
        self.ground.archive.late_are_due(self.site.as_str()).await.map_err(setup)?;
        self.offers_go_round().await?;
        let today = self.civil_now().date();
        let unasked = self.ground.archive.late_unasked(self.site.as_str(), today).await.map_err(setup)?;
        if let Some(code) = unasked.first() {
            return Err(("I4", format!("{code} is late, and no day that has room was offered")));
        }
        if self.ledger.anybody_is_late() {
            // What a kiosk writes as it hears is applied by the next exchange.
            self.all_hear().await?;
            self.all_hear().await?;
        }
        Ok(())
    }

    /// This kiosk's journal is at central to its end, applied, and nothing is out of order.
    async fn at_rest(&mut self, at: usize, listed: &Value) -> Result<(), Fault> {
        let disturbed = self.since() != Since::Undisturbed;
        let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
        kiosk.check_vault().await.map_err(lost)?;
        let status = kiosk.status().await.map_err(lost)?;
        let journal = status.get("journal").cloned().unwrap_or_default();
        let count = |state: &str| journal.get(state).and_then(Value::as_u64).unwrap_or(u64::MAX);
        let clashed = self.ledger.clashed(listed);
        let aside = if clashed.is_empty() { count("set_aside") } else { 0 };
        if count("waiting") + count("held") + aside > 0 {
            let why = kiosk
                .outbox()
                .await
                .map_err(lost)?
                .items
                .into_iter()
                .filter(|item| item.state != OutboxState::Applied)
                .map(|item| format!("{} {:?}: {:?}", item.kind, item.state, item.problem));
            let why: Vec<String> = why.collect();
            return Err(("I6", format!("records not applied at central: {journal} {why:?}")));
        }
        let items = kiosk.outbox().await.map_err(lost)?.items;
        let dated =
            |code: &String| items.iter().any(|item| item.kind == "dated" && item.code.as_ref() == Some(code));
        if let Some(code) = self.ledger.dated_after_rank(at).find(|code| !dated(code)) {
            return Err(("I6", format!("kiosk {at} has not written down the date of {code}")));
        }
        for item in items {
            let clash = item.kind == "registration" && item.code.is_some_and(|code| clashed.contains(&code));
            if clash && item.problem.is_none() {
                return Err(("I9", format!("a record set aside at kiosk {at} has no reason")));
            }
        }
        let mut notices = kiosk.home().await.map_err(lost)?.notices;
        if self.ledger.still_ranked(at) {
            // Central's date came to this kiosk after its day: it is told so.
            notices.retain(|notice| notice != "dated_too_late");
        }
        if !self.ledger.ahead.is_empty() {
            // The mediator is to tell them; one that comes after its day is told too.
            notices.retain(|notice| notice != "date_earlier" && notice != "dated_too_late");
        }
        if self.ledger.tally.returned > 0 {
            // What they came back to may be over before their kiosk hears of it.
            notices.retain(|notice| notice != "dated_too_late");
        }
        if self.ledger.tally.called > 0 {
            notices.retain(|notice| notice != "place_given_up");
        }
        if self.ledger.tally.absent > 0 {
            notices.retain(|notice| notice != "date_missed" && notice != "dated_too_late");
        }
        if self.ledger.closed.is_some() {
            // A kiosk away for longer than until the new date hears of it too late.
            notices.retain(|notice| notice != "date_moved" && notice != "dated_too_late");
        }
        if !disturbed && !notices.is_empty() {
            return Err(("I6", format!("kiosk {at} is told {notices:?}, and nothing of it happened")));
        }
        Ok(())
    }

    /// What a kiosk says central has, central has.
    async fn acknowledged_is_held(&mut self) -> Result<(), Fault> {
        if self.ledger.tally.restored > 0 {
            return Ok(());
        }
        let site = self.site.as_str();
        let listed = central::admin::registrations(&self.ground.pool, site).await.map_err(setup)?;
        let rows = listed.get("registrations").and_then(Value::as_array).cloned().unwrap_or_default();
        let clashed = self.ledger.clashed(&listed);
        for at in self.running() {
            let says = self.codes(at, |row| row.get("acknowledged") == Some(&Value::Bool(true))).await?;
            let held = |code: &String| {
                clashed.contains(code)
                    || rows.iter().any(|row| row.get("code").and_then(Value::as_str) == Some(code.as_str()))
            };
            if let Some(code) = says.iter().find(|code| !held(code)) {
                return Err(("I6", format!("kiosk {at} says central has {code}, and it has not")));
            }
        }
        Ok(())
    }

    /// The machines that have not burnt.
    pub(super) fn running(&self) -> Vec<usize> {
        let running = |(_, counter): &(usize, &Counter)| !counter.is_burnt();
        self.counters.iter().enumerate().filter(running).map(|(at, _)| at).collect()
    }

    pub(super) fn since(&self) -> Since {
        let tally = &self.ledger.tally;
        match (tally.older + tally.twins, tally.restored) {
            (0, 0) => Since::Undisturbed,
            (0, _) => Since::Restored,
            _ => Since::DisksMoved,
        }
    }
}
