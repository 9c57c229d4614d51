//! One site lived through: central gives and lends, kiosks give from what they were lent, by the
//! product's own rules. Who came, and what befell the kiosks, is told beforehand.

use super::arrivals::{Arrival, CLOSES, DAY, Event, KIOSKS, Minute, OPENS, Site, is_open};
use super::overtakes::Overtakes;
use super::slots::{Slots, day, working};
use domain::assign::{self, Choice, FreeSlot, Window};
use domain::lease::{LeaseShape, Reach, Seen, Stratum};
use domain::limit::{Right, TimeLimit};
use domain::place::Class;
use domain::reserve::Reserve;
use jiff::civil::Date;
use std::collections::VecDeque;

/// Days back that a kiosk is known by: the season central counts demand in.
const SEASON: i32 = 90;

/// Days past the end, and past the queue, for which there are slots: farther than any lease reaches
/// or any rule measured here drives the queue.
const FURTHEST: i32 = 1_500;

/// How a kiosk's lease is sized and kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// There are none: whoever comes while the network is away is dated afterwards.
    None,
    /// As many slots for each kiosk of the site, as central lends today.
    Fixed(u16),
    /// By what the kiosk has seen.
    Sized,
}

/// What came of it, from a day on.
#[derive(Default)]
pub struct Lived {
    /// The working day each person was given, if from central at once; in the order they came.
    pub online: Vec<Option<i32>>,
    /// Open days of kiosks on which somebody came while it was away, and those of them on which
    /// somebody fell to a rank.
    pub away_days: u64,
    pub ranked_days: u64,
    /// Slots leased and never given whose day passed, or that a lost kiosk took with it.
    pub expired: u64,
    pub lent: u64,
    pub overtakes: Overtakes,
    /// Dates out of leases, and the working days they lie after the first that central had then.
    pub leased: u64,
    pub leased_later: i64,
}

/// A slot a kiosk holds and nobody was given.
struct Idle {
    slot: FreeSlot,
    stratum: Stratum,
    back: Option<Date>,
}

impl Idle {
    fn is_due(&self, today: Date) -> bool {
        self.back.is_some_and(|back| back <= today)
    }
}

#[derive(Default)]
struct Kiosk {
    idle: Vec<Idle>,
    away_since: Option<Minute>,
    /// People whose receipts wait for the network.
    waiting: Vec<(Window, Option<FreeSlot>)>,
    /// People of each day, and days of each absence, of the last season.
    people: VecDeque<(i32, u32)>,
    absences: VecDeque<(i32, u16)>,
    /// The day it was set up.
    since: i32,
    /// The last day counted, and whether somebody fell to a rank on it.
    away_day: Option<(i32, bool)>,
    shape: Option<LeaseShape>,
}

struct Living<'s> {
    site: &'s Site,
    rule: Rule,
    free: Slots,
    kiosks: Vec<Kiosk>,
    /// Measured from this day on.
    from: i32,
    lived: Lived,
}

/// Lives through a site whose queue ends `front` days ahead at the start.
pub fn live(site: &Site, rule: Rule, front: i32, from: i32) -> Lived {
    let free = Slots::open(site.slots, front.max(1), site.days + front + FURTHEST);
    let kiosks = (0..KIOSKS).map(|_| Kiosk::default()).collect();
    let mut living = Living { site, rule, free, kiosks, from, lived: Lived::default() };
    living.run();
    living.lived
}

impl Living<'_> {
    fn run(&mut self) {
        let mut events = self.site.events.iter().copied().peekable();
        let mut people = self.site.people.iter().copied().peekable();
        for today in 0..self.site.days {
            let midnight = (today + 1) * DAY;
            loop {
                let event = events.peek().map(|one| one.0).filter(|at| *at < midnight);
                let person = people.peek().map(|one| one.at).filter(|at| *at < midnight);
                match (event, person) {
                    (None, None) => break,
                    (Some(event), person) if person.is_none_or(|person| event <= person) => {
                        if let Some((at, kiosk, what)) = events.next() {
                            self.befalls(at, kiosk, what);
                        }
                    }
                    _ => {
                        if let Some(one) = people.next() {
                            self.comes(one);
                        }
                    }
                }
            }
            self.ends(today);
        }
    }

    fn befalls(&mut self, at: Minute, number: usize, what: Event) {
        let Some(kiosk) = self.kiosks.get_mut(number) else { return };
        let today = at / DAY;
        match what {
            Event::Exchange if kiosk.away_since.is_some() => return,
            Event::Exchange => {}
            Event::Cut => {
                kiosk.away_since = Some(at);
                return;
            }
            Event::Back => {
                // Lost meanwhile: the new one was never away.
                let Some(since) = kiosk.away_since.take() else { return };
                kiosk.absences.push_back((today, absence(since, at)));
            }
            Event::Lost => {
                let gone = std::mem::replace(kiosk, Kiosk { since: today, ..Kiosk::default() });
                if today >= self.from {
                    self.lived.expired += gone.idle.len() as u64;
                }
                kiosk.waiting = gone.waiting;
            }
        }
        self.exchange(number, today);
    }

    /// A kiosk and central talk: what waits is dated, the lease is filled, what is due goes back.
    fn exchange(&mut self, number: usize, number_of_day: i32) {
        let today = day(number_of_day);
        let Some(kiosk) = self.kiosks.get_mut(number) else { return };
        for (window, held) in std::mem::take(&mut kiosk.waiting) {
            let window =
                Window { earliest: window.earliest.max(Window::new(today, None).earliest), ..window };
            let found = assign::choose(self.free.first(window.earliest), &window, &Reserve::none()).slot();
            // Nobody is dated later than their receipt says.
            match (found, held) {
                (Some(found), Some(held)) if found.at < held.at => {
                    self.free.take(&found);
                    self.free.give_back(&held, Stratum::Backstop);
                }
                (Some(found), None) => self.free.take(&found),
                _ => {}
            }
        }
        let (shape, reach) = match self.rule {
            Rule::None => return,
            Rule::Fixed(slots) => (LeaseShape::of(slots), Reach::FIXED),
            Rule::Sized => (LeaseShape::sized(kiosk.seen(number_of_day)), Reach::SIZED),
        };
        kiosk.shape = Some(shape);
        if self.rule != Rule::Sized {
            // Leases of one size give back before they are filled.
            give_back(&mut kiosk.idle, &mut self.free, today);
        }
        let tomorrow = Window::new(today, None).earliest;
        let mut front = match self.rule {
            Rule::Sized => {
                let of_the_front = |before| reach.may_lend(Stratum::Front, Some(before));
                self.free.first_that(tomorrow, of_the_front).map_or(tomorrow, |slot| slot.at.date())
            }
            _ => tomorrow,
        };
        for stratum in Stratum::ALL {
            let held = kiosk.idle.iter().filter(|idle| {
                idle.stratum == stratum && idle.slot.at.date() >= tomorrow && !idle.is_due(today)
            });
            for _ in held.count()..usize::from(shape.wanted(stratum)) {
                let from = reach.first_day(stratum, today, front);
                let again = |before| reach.may_lend(stratum, Some(before));
                let Some(slot) = self.free.first_that(from, again) else { break };
                self.free.take(&slot);
                let slot = FreeSlot { stratum: Some(stratum), ..slot };
                let back = reach.back_on(stratum, slot.at, today);
                kiosk.idle.push(Idle { slot, stratum, back });
                self.lived.lent += u64::from(number_of_day >= self.from);
                if stratum == Stratum::Front {
                    front = front.max(slot.at.date());
                }
            }
        }
        give_back(&mut kiosk.idle, &mut self.free, today);
    }

    fn comes(&mut self, person: Arrival) {
        let Some(kiosk) = self.kiosks.get_mut(person.kiosk) else { return };
        let now = person.at / DAY;
        kiosk.counted(now);
        let limit = person.term.map(|term| TimeLimit {
            right: Right::CourtInjunction,
            last_day: day(now + term),
            evidence: String::new(),
        });
        let window = Window::new(day(now), limit.as_ref());
        let measured = now >= self.from;
        if kiosk.away_since.is_none() {
            let choice = assign::choose(self.free.first(window.earliest), &window, &Reserve::none());
            // Too late, and the kiosk holds one in time: that is theirs.
            let own = match choice {
                Choice::AfterLimit(_) => kiosk.inside(&window),
                Choice::Inside(_) | Choice::Nothing => None,
            };
            if own.is_some_and(|slot| kiosk.give(slot)) {
                self.lived.online.push(None);
            } else if let Some(slot) = choice.slot() {
                self.free.take(&slot);
                let given = working(slot.at.date());
                self.lived.online.push(measured.then_some(given));
                if window.class == Class::Ordinary {
                    self.lived.overtakes.dated(given, measured);
                }
            } else {
                self.lived.online.push(None);
            }
            return;
        }
        self.lived.online.push(None);
        let choice = assign::choose(kiosk.idle.iter().map(|idle| idle.slot), &window, &Reserve::none());
        let given = choice.slot();
        let held = match given {
            Some(_) => None,
            None => assign::hold(kiosk.idle.iter().map(|idle| idle.slot), &window),
        };
        let ranked = given.is_none();
        if ranked {
            kiosk.waiting.push((window, held));
        }
        if let Some(slot) = given.or(held) {
            kiosk.give(slot);
        }
        if measured && kiosk.away_day.is_none_or(|(day, _)| day != now) {
            self.lived.away_days += 1;
            kiosk.away_day = Some((now, false));
        }
        if let Some((_, fell)) = kiosk.away_day.as_mut().filter(|_| measured && ranked)
            && !std::mem::replace(fell, true)
        {
            self.lived.ranked_days += 1;
        }
        if let Some((slot, first)) = given.zip(self.free.first(window.earliest)).filter(|_| measured) {
            self.lived.leased += 1;
            self.lived.leased_later += i64::from(working(slot.at.date()) - working(first.at.date()));
        }
        if let Some(slot) = given.filter(|_| window.class == Class::Ordinary) {
            let tail = slot.stratum != Some(Stratum::Front);
            self.lived.overtakes.passes(working(slot.at.date()), tail, measured);
        }
    }

    /// Slots whose day is over are nobody's any more.
    fn ends(&mut self, today: i32) {
        let over = day(today);
        for kiosk in &mut self.kiosks {
            let before = kiosk.idle.len();
            kiosk.idle.retain(|idle| idle.slot.at.date() > over);
            if today >= self.from {
                self.lived.expired += (before - kiosk.idle.len()) as u64;
            }
        }
        let fronts = self.kiosks.iter().filter_map(|kiosk| kiosk.shape).map(|shape| u32::from(shape.front));
        self.lived.overtakes.fronts(fronts.sum());
    }
}

impl Kiosk {
    /// The slot of the lease that lies inside the window.
    fn inside(&self, window: &Window) -> Option<FreeSlot> {
        match assign::choose(self.idle.iter().map(|idle| idle.slot), window, &Reserve::none()) {
            Choice::Inside(slot) => Some(slot),
            Choice::AfterLimit(_) | Choice::Nothing => None,
        }
    }

    fn give(&mut self, slot: FreeSlot) -> bool {
        match self.idle.iter().position(|idle| idle.slot.slot == slot.slot) {
            Some(place) => {
                self.idle.swap_remove(place);
                true
            }
            None => false,
        }
    }

    fn counted(&mut self, today: i32) {
        match self.people.back_mut() {
            Some((day, people)) if *day == today => *people += 1,
            _ => self.people.push_back((today, 1)),
        }
    }

    fn seen(&mut self, today: i32) -> Seen {
        let begin = today - SEASON;
        while self.people.front().is_some_and(|(day, _)| *day < begin) {
            self.people.pop_front();
        }
        while self.absences.front().is_some_and(|(day, _)| *day < begin) {
            self.absences.pop_front();
        }
        // Today is not over: it would count as a day of few people.
        let days = begin.max(self.since)..today;
        let people = self.people.iter().filter(|(day, _)| *day < today);
        Seen {
            people: people.map(|(_, people)| people).sum(),
            open_days: u32::try_from(days.filter(|day| is_open(*day)).count()).unwrap_or(0),
            longest_away: self.absences.iter().map(|(_, days)| *days).max().unwrap_or(0),
        }
    }
}

/// What is due goes back into the site's free slots.
fn give_back(idle: &mut Vec<Idle>, free: &mut Slots, today: Date) {
    for idle in idle.extract_if(.., |idle| idle.is_due(today)) {
        free.give_back(&idle.slot, idle.stratum);
    }
}

/// Open days an absence touches, between opening and closing.
fn absence(since: Minute, until: Minute) -> u16 {
    let touched = (since / DAY..=until / DAY)
        .filter(|day| is_open(*day) && since < day * DAY + CLOSES && until > day * DAY + OPENS);
    u16::try_from(touched.count()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEKS: i32 = 28;

    /// A site with these events, where each kiosk has three people an open day, at ten.
    fn site(events: Vec<(Minute, usize, Event)>) -> Site {
        let mut all: Vec<_> = (0..KIOSKS)
            .flat_map(|kiosk| (0..WEEKS).map(move |day| (day * DAY + OPENS, kiosk, Event::Exchange)))
            .filter(|one| is_open(one.0 / DAY))
            .chain(events)
            .collect();
        all.sort_unstable();
        let person = |day: i32, kiosk| Arrival { at: day * DAY + 600, kiosk, term: None };
        let people = (0..WEEKS)
            .filter(|day| is_open(*day))
            .flat_map(|day| (0..3 * KIOSKS).map(move |n| person(day, n / 3)))
            .collect();
        Site { days: WEEKS, slots: 60, people, events: all }
    }

    fn at(day: i32) -> Minute {
        day * DAY + 500
    }

    #[test]
    fn nobody_away_falls_to_a_rank_or_waits_longer_without_leases() {
        let lived = live(&site(Vec::new()), Rule::None, 7, 0);
        assert_eq!((lived.away_days, lived.ranked_days, lived.expired, lived.lent), (0, 0, 0, 0));
        // As many slots as people: the queue stays as long as it was, counted in working days.
        let site = site(Vec::new());
        for (person, given) in site.people.iter().zip(&lived.online) {
            assert_eq!(*given, Some(working(day(person.at / DAY)) + 5));
        }
    }

    #[test]
    fn a_kiosk_that_is_away_gives_what_it_holds_then_ranks() {
        // Three open days, three people each.
        let away = || site(vec![(at(14), 0, Event::Cut), (at(17), 0, Event::Back)]);
        let ranked = |rule| {
            let lived = live(&away(), rule, 7, 0);
            assert_eq!(lived.away_days, 3);
            (lived.ranked_days, lived.leased)
        };
        assert_eq!(ranked(Rule::None), (3, 0));
        // One near slot, which none of them may take, two front ones and one of the tail.
        assert_eq!(ranked(Rule::Fixed(4)), (2, 3));
        assert_eq!(ranked(Rule::Fixed(40)), (0, 9));
        assert_eq!(ranked(Rule::Sized), (0, 9));
    }

    #[test]
    fn slots_kept_until_their_day_expire_and_those_given_back_do_not() {
        let expired = |rule| live(&site(Vec::new()), rule, 3, 0).expired;
        assert!(expired(Rule::Fixed(40)) > 0);
        assert_eq!(expired(Rule::Sized), 0);
    }

    #[test]
    fn a_lost_kiosk_takes_its_lease_with_it() {
        let lost = live(&site(vec![(at(14), 0, Event::Lost)]), Rule::Sized, 7, 0);
        // What it was lent when nobody had come yet is kept for two weeks.
        let shape = LeaseShape::sized(Seen::default());
        assert_eq!(lost.expired, u64::from(shape.total() + shape.backstop));
        assert_eq!(lost.ranked_days, 0);
    }

    #[test]
    fn leases_hold_back_what_those_online_would_have_had() {
        let later = |rule| {
            let site = site(Vec::new());
            let (with, without) = (live(&site, rule, 7, 14), live(&site, Rule::None, 7, 14));
            with.online.iter().flatten().sum::<i32>() - without.online.iter().flatten().sum::<i32>()
        };
        assert_eq!(later(Rule::None), 0);
        assert!(later(Rule::Fixed(40)) > later(Rule::Fixed(4)));
        assert!(later(Rule::Fixed(4)) > 0);
    }

    #[test]
    fn an_absence_is_counted_in_open_days() {
        let opens = |day: i32| day * DAY + OPENS;
        assert_eq!(absence(opens(0) - 1, opens(0)), 0, "it ends as the doors open");
        assert_eq!(absence(opens(0), opens(0) + 1), 1);
        assert_eq!(absence(opens(4) + 60, opens(7)), 1, "Friday and a week-end");
        assert_eq!(absence(opens(0) + 60, opens(14) + 60), 11);
    }
}
