//! What a site keeps of each day for people whose time limit is near. They come after the queue
//! has filled the days their limit leaves them; as many slots as such people took up lately stay
//! free for them, and go to whoever registers when the day is close.
//!
//! Never a dead end: where nothing but kept slots is left, they are everybody's.

use crate::calendar::{CounterCalendar, SiteCalendar};
use crate::procedure::{Procedure, ProcedureSet};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days back that are looked at: four whole weeks, so that each weekday counts alike.
pub const SEEN_DAYS: i32 = 28;
/// Days ahead in which nothing is kept: whoever is told a date must still be able to come.
pub const RELEASED_DAYS: i32 = 3;
/// Days beyond the queue's front at which a limit still counts as near: the front moves while
/// people come.
pub const MARGIN_DAYS: i32 = 5;
/// Of the slots of a day, one in so many at most is kept: the queue goes on.
const KEPT_PART: u32 = 2;

/// Registrations of one day that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub people: u32,
    pub procedure: Procedure,
    pub registered_on: Date,
    pub limit: Option<Near>,
    /// The furthest day of the dates central gave them; none where a kiosk's lease gave all, or
    /// where their date waits for something else than the queue.
    pub given: Option<Date>,
}

/// What bounds a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near {
    /// The last day that serves.
    pub last_day: Date,
    /// Due as soon as possible, whatever its last day.
    pub soon: bool,
}

/// How a site's counters are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Days of [`SEEN_DAYS`] back on which a counter was open.
    pub days: u32,
    /// The last of as many days from the queue's front on, and on how many days from tomorrow to it a
    /// counter is open.
    pub until: Date,
    pub ahead: u32,
    /// How many slots those have, by what they serve.
    pub slots: Vec<(ProcedureSet, u32)>,
}

/// What is kept of each day, as it stands on one day at one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// The first and the last day of which anything is kept: further on nobody has looked.
    from: Date,
    until: Date,
    /// How many with a near limit came in the days looked at, by procedure; none is not named.
    near: BTreeMap<Procedure, u32>,
    /// Over how many open days.
    open_days: u32,
    /// How many slots there are on how many open days to come, by what they serve.
    slots: Vec<(ProcedureSet, u32)>,
    ahead: u32,
}

impl Open {
    /// What a site's calendar says of the days looked back at, and of those from tomorrow on to as many
    /// after `front`, the furthest date given.
    #[must_use]
    pub fn of(site: &SiteCalendar, counters: &[&CounterCalendar], today: Date, front: Date) -> Self {
        let seats = |day: Date| -> Vec<ProcedureSet> {
            let hours = counters.iter().flat_map(|counter| site.hours(counter, day));
            hours.flat_map(|hour| hour.seats).collect()
        };
        let back = today.saturating_sub(SEEN_DAYS.days()).series(1.days()).take_while(|day| *day < today);
        let back = back.filter(|day| !seats(*day).is_empty());
        let until = front.saturating_add(SEEN_DAYS.days());
        let to_come = today.series(1.days()).skip(1).take_while(|day| *day <= until);
        let mut slots: BTreeMap<ProcedureSet, u32> = BTreeMap::new();
        let (days_back, mut ahead) = (count(back), 0);
        for seats in to_come.map(seats).filter(|seats| !seats.is_empty()) {
            ahead += 1;
            for serves in seats {
                *slots.entry(serves).or_default() += 1;
            }
        }
        Self { days: days_back, until, ahead, slots: slots.into_iter().collect() }
    }
}

fn count(of: impl Iterator) -> u32 {
    u32::try_from(of.count()).unwrap_or(u32::MAX)
}

/// The furthest date central gave in the days looked at; `today` when it lies no further.
#[must_use]
pub fn front(today: Date, seen: &[Seen]) -> Date {
    known(today, seen).filter_map(|one| one.given).fold(today, Date::max)
}

impl Reserve {
    /// Nothing is kept: a kiosk's lease has slots of its own for time limits.
    #[must_use]
    pub fn none() -> Self {
        Self {
            from: Date::MAX,
            until: Date::MIN,
            near: BTreeMap::new(),
            open_days: 0,
            slots: Vec::new(),
            ahead: 0,
        }
    }

    /// What is kept from `today` on, from the registrations of the days before and how the site's
    /// counters are open. Where no counter was open nothing is known, and nothing is kept.
    #[must_use]
    pub fn observed(today: Date, seen: &[Seen], open: &Open) -> Self {
        let fronts = fronts(today, seen);
        let since = today.saturating_sub(SEEN_DAYS.days());
        let mut near = BTreeMap::new();
        for one in seen.iter().filter(|one| one.registered_on >= since && one.registered_on < today) {
            let Some(limit) = one.limit else { continue };
            let front = fronts.get(&one.procedure).copied().unwrap_or(0);
            let reach = one.registered_on.saturating_add(front.saturating_add(MARGIN_DAYS).days());
            if limit.soon || limit.last_day <= reach {
                *near.entry(one.procedure).or_default() += one.people;
            }
        }
        Self {
            from: today.saturating_add((RELEASED_DAYS + 1).days()),
            near: if open.days == 0 { BTreeMap::new() } else { near },
            open_days: open.days,
            until: open.until,
            slots: open.slots.clone(),
            ahead: open.ahead,
        }
    }

    /// Is anything kept at all?
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.kept(ProcedureSet::ALL) == 0
    }

    /// How many slots of one day are kept for the procedures `among`: as many as came on an open
    /// day, rounded up; at most half of those an open day has for them.
    #[must_use]
    pub fn kept(&self, among: ProcedureSet) -> u32 {
        let came: u32 = self.near.iter().filter(|(one, _)| among.includes(**one)).map(|(_, n)| *n).sum();
        let slots: u32 = self.slots.iter().filter(|(set, _)| set.meets(among)).map(|(_, n)| *n).sum();
        let mean = slots.checked_div(self.ahead).unwrap_or(0);
        came.div_ceil(self.open_days.max(1)).min(mean / KEPT_PART)
    }

    /// Is a slot of `day` that serves `slot` kept, where the day's free slots are those of `free`?
    /// The last ones are, of those that serve what it serves and of those that serve each of it.
    #[must_use]
    pub fn keeps(&self, day: Date, slot: ProcedureSet, free: &[(ProcedureSet, u32)]) -> bool {
        self.room(day, slot, free) == 0
    }

    /// How many slots of `day` that serve `slot` may be given before the others are kept, where the
    /// day's free slots are those of `free`.
    #[must_use]
    pub fn room(&self, day: Date, slot: ProcedureSet, free: &[(ProcedureSet, u32)]) -> u32 {
        if day < self.from || day > self.until {
            return u32::MAX;
        }
        let left = |among: ProcedureSet| -> u32 {
            free.iter().filter(|(serves, _)| serves.meets(among)).map(|(_, n)| *n).sum()
        };
        let room = |among: ProcedureSet| match self.kept(among) {
            0 => u32::MAX,
            kept => left(among).saturating_sub(kept),
        };
        let asked = self.near.keys().copied().filter(|one| slot.includes(*one));
        asked.map(|one| room(ProcedureSet::of([one]))).fold(room(slot), u32::min)
    }
}

/// A kiosk whose clock is far ahead is given dates from its own day on: they say nothing of the queue.
fn known(today: Date, seen: &[Seen]) -> impl Iterator<Item = &Seen> {
    seen.iter().filter(move |one| one.registered_on <= today)
}

/// How many days ahead the furthest date lies that central gave for each procedure in the days
/// looked at.
fn fronts(today: Date, seen: &[Seen]) -> BTreeMap<Procedure, i32> {
    let mut fronts: BTreeMap<Procedure, i32> = BTreeMap::new();
    for one in known(today, seen) {
        let Some(given) = one.given.filter(|given| *given > today) else { continue };
        let ahead = today.until(given).map_or(0, |span| span.get_days());
        let front = fronts.entry(one.procedure).or_default();
        *front = (*front).max(ahead);
    }
    fronts
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const TODAY: Date = date(2027, 3, 9);
    /// Twenty open days seen, and twenty to come with `slots` slots each.
    fn open(days: u32, slots: u32) -> Open {
        let until = TODAY.saturating_add(400.days());
        Open { days, until, ahead: 20, slots: vec![(ProcedureSet::ALL, slots * 20)] }
    }

    fn procedure(key: &str) -> Procedure {
        Procedure::parse(key).unwrap()
    }

    /// `n` people registered yesterday whose limit is `limit` days after, and one whose date lies
    /// `front` days ahead of today.
    fn came(n: usize, limit: i32, front: i32) -> Vec<Seen> {
        let yesterday = TODAY.saturating_sub(1.days());
        let near = Near { last_day: yesterday.saturating_add(limit.days()), soon: false };
        let one = Seen {
            people: 1,
            procedure: procedure("renewal"),
            registered_on: yesterday,
            limit: Some(near),
            given: Some(TODAY.saturating_add(1.days())),
        };
        let far = Seen { limit: None, given: Some(TODAY.saturating_add(front.days())), ..one };
        std::iter::repeat_n(one, n).chain([far]).collect()
    }

    #[test]
    fn as_many_as_came_on_an_open_day_rounded_up() {
        let kept = |n| Reserve::observed(TODAY, &came(n, 30, 30), &open(20, 40)).kept(ProcedureSet::ALL);
        assert_eq!([kept(0), kept(1), kept(20), kept(21), kept(400), kept(401)], [0, 1, 1, 2, 20, 20]);
    }

    #[test]
    fn a_limit_is_near_to_five_days_beyond_the_front() {
        let kept =
            |limit| Reserve::observed(TODAY, &came(20, limit, 30), &open(20, 40)).kept(ProcedureSet::ALL);
        assert_eq!([kept(30), kept(35), kept(36)], [1, 1, 0]);
        let soon = came(20, 300, 30)
            .into_iter()
            .map(|one| Seen { limit: one.limit.map(|limit| Near { soon: true, ..limit }), ..one });
        let soon: Vec<Seen> = soon.collect();
        assert_eq!(
            Reserve::observed(TODAY, &soon, &open(20, 40)).kept(ProcedureSet::ALL),
            1,
            "whatever its end"
        );
    }

    #[test]
    fn each_procedure_has_its_own_front() {
        let mut seen = came(20, 30, 0);
        let far = seen.last().copied().unwrap();
        seen.push(Seen {
            procedure: procedure("naturalisation"),
            given: Some(TODAY.saturating_add(90.days())),
            ..far
        });
        assert_eq!(Reserve::observed(TODAY, &seen, &open(20, 40)).kept(ProcedureSet::ALL), 0);
    }

    #[test]
    fn a_clock_that_is_ahead_moves_no_front() {
        let mut seen = came(20, 40, 30);
        let far = seen.last().copied().unwrap();
        let day = TODAY.saturating_add(300.days());
        seen.push(Seen { registered_on: day, given: Some(day.saturating_add(1.days())), ..far });
        assert_eq!(Reserve::observed(TODAY, &seen, &open(20, 40)).kept(ProcedureSet::ALL), 0);
        assert_eq!(front(TODAY, &seen), TODAY.saturating_add(30.days()));
    }

    #[test]
    fn whoever_came_before_the_days_looked_at_or_today_does_not_count() {
        for (days_ago, kept) in [(0, 0), (1, 1), (28, 1), (29, 0)] {
            let on = TODAY.saturating_sub(days_ago.days());
            let near = Near { last_day: on.saturating_add(2.days()), soon: false };
            let one = Seen {
                people: 1,
                procedure: procedure("renewal"),
                registered_on: on,
                limit: Some(near),
                given: None,
            };
            assert_eq!(
                Reserve::observed(TODAY, &[one], &open(20, 40)).kept(ProcedureSet::ALL),
                kept,
                "{days_ago}"
            );
        }
    }

    #[test]
    fn the_last_free_slots_of_a_day_are_kept_and_let_go_three_days_before() {
        let reserve = Reserve::observed(TODAY, &came(40, 30, 30), &open(20, 40));
        assert_eq!(reserve.kept(ProcedureSet::ALL), 2);
        let keeps = |days: i32, free| {
            let day = TODAY.saturating_add(days.days());
            reserve.keeps(day, ProcedureSet::ALL, &[(ProcedureSet::ALL, free)])
        };
        assert!(keeps(4, 2) && keeps(400, 1) && !keeps(4, 3) && !keeps(401, 1));
        assert!(!keeps(3, 1) && !keeps(1, 2));
    }

    #[test]
    fn a_slot_is_kept_for_whom_alone_it_serves() {
        let renewal = ProcedureSet::of([procedure("renewal")]);
        let other = ProcedureSet::of([procedure("naturalisation")]);
        let reserve = Reserve::observed(TODAY, &came(20, 30, 30), &open(20, 40));
        let day = TODAY.saturating_add(10.days());
        // Half of one slot a day is none.
        let rare = Open { slots: vec![(other, 600), (renewal, 20)], ..open(20, 40) };
        assert!(!Reserve::observed(TODAY, &came(20, 30, 30), &rare).keeps(day, renewal, &[(renewal, 1)]));
        // Nobody with a near limit comes for the other procedure.
        assert!(!reserve.keeps(day, other, &[(other, 1), (renewal, 1)]));
        assert!(reserve.keeps(day, renewal, &[(other, 9), (renewal, 1)]));
        // The one slot that serves everybody is the last for renewals.
        assert!(reserve.keeps(day, ProcedureSet::ALL, &[(other, 9), (ProcedureSet::ALL, 1)]));
        assert!(!reserve.keeps(day, ProcedureSet::ALL, &[(renewal, 1), (ProcedureSet::ALL, 1)]));
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_known() {
        assert!(Reserve::observed(TODAY, &came(20, 30, 30), &open(0, 40)).is_none());
        assert!(Reserve::observed(TODAY, &came(20, 30, 30), &open(20, 1)).is_none());
        let shut = Open { ahead: 0, slots: Vec::new(), ..open(20, 40) };
        assert!(Reserve::observed(TODAY, &came(20, 30, 30), &shut).is_none());
        assert!(Reserve::none().is_none());
        assert!(!Reserve::none().keeps(Date::MAX, ProcedureSet::ALL, &[]));
    }

    proptest! {
        /// Half a day's slots at least are the queue's, whoever comes.
        #[test]
        fn half_a_day_is_never_kept(n in 0usize..3_000, days in 1u32..=28, slots in 0u32..200) {
            let reserve = Reserve::observed(TODAY, &came(n, 10, 30), &open(days, slots));
            prop_assert!(reserve.kept(ProcedureSet::ALL) <= slots / 2);
        }

        /// With more free slots nothing is kept that was not.
        #[test]
        fn more_free_slots_never_keep_more(n in 0usize..200, free in 0u32..40, more in 0u32..40) {
            let reserve = Reserve::observed(TODAY, &came(n, 10, 30), &open(20, 40));
            let day = TODAY.saturating_add(20.days());
            let keeps = |free| reserve.keeps(day, ProcedureSet::ALL, &[(ProcedureSet::ALL, free)]);
            prop_assert!(keeps(free) || !keeps(free + more));
        }
    }
}
