//! The moves of a seed: what happens, to whom, and a plain line of it for the story.
//! Each move has streams of chance of its own, so that dropping one changes no other.

use super::chance::Dice;
use super::counter::Counter;
use super::ledger::Fault;
use super::network::{Death, Link};
use super::people::{self, Certain};
use super::{DAY, HOUR, MINUTE, Plant, World, dead_end, lost, setup};
use app::contract::{DateSource, DateView};

/// Moves of one seed.
pub(super) const MOVES: u64 = 32;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Register,
    TakeUp,
    LookAgain,
    Exchange,
    Pass,
    WrongClock,
    Network,
    Crash,
    OlderDisk,
    Twin,
    RestoreCentral,
    Clash,
}

impl Kind {
    fn is_at_a_kiosk(self) -> bool {
        !matches!(self, Self::Pass | Self::LookAgain | Self::RestoreCentral | Self::Clash)
    }
}

/// One move of a seed's script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    /// Its place in the whole script, from 1: it keeps its streams when others are dropped.
    pub n: u64,
    kind: Kind,
    /// Which machine, counted round.
    at: u64,
}

/// Everything that happens in this seed, before it comes to rest.
pub(super) fn script(seed: u64) -> Vec<Move> {
    let mut dice = Dice::new(seed, 3);
    let one = |n| {
        let at = dice.below(60);
        let kind = match dice.below(112) {
            0..34 => Kind::Register,
            34..42 => Kind::TakeUp,
            42..48 => Kind::LookAgain,
            48..66 => Kind::Exchange,
            66..80 => Kind::Pass,
            80..84 => Kind::WrongClock,
            84..93 => Kind::Network,
            93..100 => Kind::Crash,
            100..106 => Kind::OlderDisk,
            106 => Kind::Twin,
            107..110 => Kind::RestoreCentral,
            _ => Kind::Clash,
        };
        Move { n, kind, at }
    };
    (1..=MOVES).map(one).collect()
}

impl World<'_> {
    pub(super) async fn act(&mut self, step: Move) -> Result<(), Fault> {
        self.turn(step.n);
        self.tick();
        let machines = u64::try_from(self.counters.len()).unwrap_or(1);
        let at = usize::try_from(step.at % machines).unwrap_or(0);
        if self.counters.get(at).is_some_and(Counter::is_burnt) && step.kind.is_at_a_kiosk() {
            return Ok(());
        }
        match step.kind {
            Kind::Register => self.register(at, step.n).await,
            Kind::TakeUp => self.take_up(at).await,
            Kind::LookAgain => self.look_again().await,
            Kind::Exchange => self.exchange(at).await,
            Kind::Pass => {
                self.pass();
                self.carried_out().await?;
                self.offers_go_round().await
            }
            Kind::WrongClock => {
                self.wrong_clock(at);
                Ok(())
            }
            Kind::Network => self.network(at),
            Kind::Crash => self.crash(at).await,
            Kind::OlderDisk => self.older_disk(at).await,
            Kind::Twin => self.twin(at).await,
            Kind::RestoreCentral => self.restore_central().await,
            Kind::Clash => self.clash().await,
        }
    }

    /// No two things happen in the same second.
    pub(super) fn tick(&mut self) {
        self.time.pass(1);
        for counter in &mut self.counters {
            counter.note_clock();
        }
    }

    /// From here on everything is drawn from streams of this move alone.
    pub(super) fn turn(&mut self, n: u64) {
        self.dice = Dice::new(self.seed, n * 1_000);
        self.random.turn(n * 1_000 + 2);
        for (stream, counter) in (0..).zip(&self.counters) {
            counter.network.turn(Dice::new(self.seed, n * 1_000 + 10 + stream));
            counter.random.turn(n * 1_000 + 20 + stream);
        }
    }

    /// A line of the story.
    pub(super) fn tell(&mut self, line: String) {
        let now = self.civil_now();
        self.story.push(format!("{}  {line}", now.strftime("%a %Y-%m-%d %H:%M")));
    }

    async fn register(&mut self, at: usize, n: u64) -> Result<(), Fault> {
        let (mut fields, certain) = people::somebody(&mut self.dice, self.seed);
        let pages = if self.dice.chance(15) { 1 + self.dice.below(2) } else { 0 };
        let who = format!("{}, {}", fields.family_names, fields.procedure);
        let limit = fields.limit.as_ref().map(|limit| format!(", within {} days", limit.days));
        self.tell(format!("kiosk {at}: {who}{} is registered", limit.unwrap_or_default()));
        self.comes_with_others(at, n, &mut fields);
        self.accepts_ahead(n, &mut fields);
        let (party, ahead) = (fields.party.is_some(), !fields.accepts_earlier.is_empty());
        let visit = self.counter(at)?.begin(fields, pages).await.map_err(dead_end)?;
        if party {
            self.together.insert(visit.clone());
        }
        if ahead {
            self.ledger.ahead.insert(visit.clone());
        }
        self.begun.insert(visit.clone(), self.time.now());
        self.open.push((at, visit, certain));
        let last = self.open.len() - 1;
        if self.plant == Plant::VaultRestored && self.ledger.kept.is_empty() {
            let counter = self.counter(at)?;
            counter.copy().await.map_err(lost)?;
            self.confirm(last).await?;
            self.counter(at)?.restore().await.map_err(lost)?;
            return self.same(at).await;
        }
        if self.dice.chance(85) {
            return self.confirm(last).await;
        }
        self.tell(format!("kiosk {at}: … and leaves it at that"));
        Ok(())
    }

    /// Clocks are off by less than two days.
    fn is_left_for_long(&self, visit: &str) -> bool {
        self.begun
            .get(visit)
            .is_some_and(|begun| self.time.now().as_second() - begun.as_second() > (30 - 2) * DAY)
    }

    /// Confirms a visit that has no date yet, perhaps days after it was begun.
    async fn take_up(&mut self, at: usize) -> Result<(), Fault> {
        match self.open.iter().position(|(counter, ..)| *counter == at) {
            Some(open) => {
                self.tell(format!("kiosk {at}: a visit begun before is taken up"));
                self.confirm(open).await
            }
            None => self.exchange(at).await,
        }
    }

    pub(super) async fn confirm(&mut self, open: usize) -> Result<(), Fault> {
        let Some((at, visit, certain)) = self.open.get(open).cloned() else { return Ok(()) };
        let death = self.death();
        let today = self.today(at);
        let lease = self.leased(at).await?;
        let first_asked = self.asked.insert((at, visit.clone()));
        let view = match self.counter(at)?.confirm(&visit, death).await {
            Ok(view) => view,
            // A term given in days may have passed while the draft lay there, or the paper of the one they
            // come with be forgotten by a disk that was put back.
            Err(problem) if problem.code == "draft_incomplete" => {
                self.open.remove(open);
                self.tell(format!("kiosk {at}: what was typed no longer stands"));
                return self.same(at).await;
            }
            // A draft nobody came back for is erased (docs/retention.md).
            Err(problem) if problem.code == "no_visit" && self.is_left_for_long(&visit) => {
                self.open.remove(open);
                self.tell(format!("kiosk {at}: nobody came back for it in a month: erased"));
                return self.same(at).await;
            }
            Err(problem) => return Err(dead_end(problem)),
        };
        match view {
            Some(view) => {
                self.open.remove(open);
                self.tell(format!("kiosk {at}: … {}", shown(&view)));
                self.ledger.shown(at, certain, &view, today)?;
                self.fair(at, &view, lease, first_asked).await
            }
            None => {
                self.ledger.tally.crashes += 1;
                self.tell(format!("kiosk {at}: … and the power goes before the date is there"));
                self.same(at).await
            }
        }
    }

    /// Asks for a date that was shown before.
    async fn look_again(&mut self) -> Result<(), Fault> {
        if self.ledger.kept.is_empty() {
            return Ok(());
        }
        let nth = self.dice.index(self.ledger.kept.len());
        let Some(kept) = self.ledger.kept.values().nth(nth) else { return Ok(()) };
        if kept.paper_only || kept.gone {
            return Ok(());
        }
        let (at, visit, certain) = (kept.counter, kept.visit.clone(), kept.certain);
        let today = self.today(at);
        let view = self.counter(at)?.confirm(&visit, None).await.map_err(lost)?;
        let Some(view) = view else { return Ok(()) };
        self.tell(format!("kiosk {at}: somebody's date is looked at again: {}", shown(&view)));
        self.ledger.shown(at, certain, &view, today)
    }

    pub(super) async fn exchange(&mut self, at: usize) -> Result<(), Fault> {
        let death = self.death();
        // It may fail: the network may be down. What is kept is looked at in the end.
        let done = self.counter(at)?.exchange(death).await.map_err(lost)?;
        self.tell(match done {
            Ok(()) => format!("kiosk {at}: exchanges with central"),
            Err(problem) => format!("kiosk {at}: exchanges with central: {}", problem.code),
        });
        Ok(())
    }

    fn pass(&mut self) {
        let seconds = match self.dice.below(10) {
            0..5 => self.dice.between(MINUTE, 4 * HOUR),
            5..9 => self.dice.between(DAY / 2, 3 * DAY),
            _ => self.dice.between(5 * DAY, 40 * DAY),
        };
        self.time.pass(seconds);
        for counter in &mut self.counters {
            counter.note_clock();
        }
        self.tell(format!("time passes: {} h", seconds / HOUR));
    }

    /// A kiosk's own clock is set, rightly or not.
    fn wrong_clock(&mut self, at: usize) {
        let offset = if self.dice.chance(40) { 0 } else { self.dice.between(-30 * HOUR, 3 * HOUR) };
        if offset != 0 {
            self.clocks_off.insert(at);
        }
        if let Some(counter) = self.counters.get_mut(at) {
            counter.time.set_offset(offset);
            counter.note_clock();
        }
        self.tell(format!("kiosk {at}: its clock is set, {} min from the true time", offset / MINUTE));
    }

    pub(super) fn network(&mut self, at: usize) -> Result<(), Fault> {
        let (link, said) = match self.dice.below(10) {
            0..3 => (Link::Up, "works"),
            3..7 => (Link::Down, "is down"),
            _ => (Link::Bad, "loses messages"),
        };
        self.counter(at)?.network.set(link);
        self.tell(format!("kiosk {at}: its network {said}"));
        Ok(())
    }

    pub(super) async fn crash(&mut self, at: usize) -> Result<(), Fault> {
        self.ledger.tally.crashes += 1;
        self.tell(format!("kiosk {at}: the power goes and comes back"));
        self.counter(at)?.crash().await.map_err(lost)?;
        self.same(at).await
    }

    /// Central has another registration under the follow-up code of one it has not heard of
    /// yet: that one will be set aside, and the rest must go on.
    async fn clash(&mut self) -> Result<(), Fault> {
        let (ground, site) = (self.ground, self.site.as_str());
        let listed = central::admin::registrations(&ground.pool, site).await.map_err(setup)?;
        let Some(code) = self.ledger.unheard(&listed) else { return Ok(()) };
        ground.archive.clash(site, &code).await.map_err(setup)?;
        self.tell(format!(
            "central: has another registration under the code of {}",
            code.get(..4).unwrap_or("")
        ));
        Ok(())
    }

    /// One time in eight the power goes, at one of the next messages.
    fn death(&mut self) -> Option<Death> {
        let dies = self.dice.chance(12);
        (dies && !self.calm).then(|| Death { after: self.dice.below(3), arrived: self.dice.chance(60) })
    }

    /// Everything this kiosk has shown is still there, as it was shown.
    pub(super) async fn same(&mut self, at: usize) -> Result<(), Fault> {
        let today = self.today(at);
        let kept: Vec<(String, Certain)> = self
            .ledger
            .kept
            .values()
            .filter(|kept| kept.counter == at && !kept.paper_only && !kept.gone)
            .map(|kept| (kept.visit.clone(), kept.certain))
            .collect();
        for (visit, certain) in kept {
            let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
            let view = kiosk.date(&visit).await.map_err(lost)?;
            self.ledger.shown(at, certain, &view, today)?;
        }
        Ok(())
    }
}

/// What the person was told.
fn shown(view: &DateView) -> String {
    let code = view.code.get(..4).unwrap_or_default();
    match (&view.slot_at, &view.no_later_than) {
        (Some(at), _) if view.source == DateSource::Online => format!("{code} has {at} from central"),
        (Some(at), _) if view.source == DateSource::Lease => format!("{code} has {at} from the lease"),
        (Some(at), _) => format!("{code} has {at} in place of the rank"),
        (None, Some(bound)) => format!("{code} has a rank, received on {bound} at the latest"),
        (None, None) => format!("{code} has a rank and no day"),
    }
}
