//! A lease sized by what its kiosk has seen: its people of an open day and how long it was
//! ever away. Nothing here knows a slot's other holders; it only counts and compares days.

use super::{BACKSTOP_DAYS, BACKSTOP_RETURN_DAYS, BACKSTOPS, LeaseShape, Stratum, TAIL_DAYS};
use crate::assign::LEAD_DAYS;
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};
use serde::{Deserialize, Serialize};

/// Open days without the network that every lease lasts for: two weeks, whatever the kiosk has
/// seen. The first long outage comes unannounced.
pub const COVER_DAYS: u16 = 10;
/// Open days a lease lasts for at most: four weeks. A kiosk away for longer needs somebody
/// to look at it, not more slots.
pub const COVER_MAX_DAYS: u16 = 20;
/// Slots of a lease at most, backstops aside: a push and a pull carry it at once, and a lost
/// kiosk takes no more than these with it.
pub const LEASE_MAX: u16 = 400;
/// People of an open day a kiosk is taken to have before it has been seen on five of them.
const UNSEEN: u32 = 4;
const SEEN_DAYS: u32 = 5;
/// Near and front slots of a lease are half a day's people: whoever registers online waits
/// for what leases hold of the queue front, so one day of it is too much.
const FRONT_SHARE: u32 = 2;
/// One near slot for so many near and front ones.
const NEAR_SHARE: u32 = 4;
/// Days of people whose receipts hold a backstop when the rest is gone.
const BACKSTOP_SHARE: u32 = 2;
/// Standard deviations of a Poisson number above its mean: a day in a thousand is above.
const SPREAD: u32 = 3;

/// What central has seen of a kiosk in the last season.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// People it registered.
    pub people: u32,
    /// Days on which its site was open.
    pub open_days: u32,
    /// Open days of its longest absence, begun ones counted.
    pub longest_away: u16,
}

impl LeaseShape {
    /// A lease that lasts for the longest absence seen, or for [`COVER_DAYS`] when that is more.
    #[must_use]
    pub fn sized(seen: Seen) -> Self {
        let cover = u32::from(seen.longest_away.clamp(COVER_DAYS, COVER_MAX_DAYS));
        // Of so many days, rounded up.
        let people = |days: u32| match seen.open_days {
            0..SEEN_DAYS => UNSEEN.saturating_mul(days),
            open => seen.people.saturating_mul(days).div_ceil(open),
        };
        let mean = people(cover).max(1);
        let spread = SPREAD.saturating_mul(mean.isqrt().saturating_add(1));
        let all = mean.saturating_add(spread).min(u32::from(LEASE_MAX));
        let first = people(1).div_ceil(FRONT_SHARE).clamp(1, all);
        let near = first.div_ceil(NEAR_SHARE).min(first - 1);
        let backstop = people(BACKSTOP_SHARE).clamp(1, u32::from(BACKSTOPS));
        let short = |slots: u32| u16::try_from(slots).unwrap_or(LEASE_MAX);
        Self {
            near: short(near),
            front: short(first - near),
            tail: short(all - first),
            backstop: short(backstop),
        }
    }
}

/// Where in the days to come each stratum is taken, and for how long an unused slot is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Days from today to the first near or front slot.
    lead: i32,
    /// Days from the queue front to the tail, and from there to the backstops.
    tail: i32,
    backstop: i32,
    keep: Option<Keep>,
}

/// Days after which an unused slot goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Keep {
    front: i32,
    tail: i32,
    backstop: i32,
}

impl Reach {
    /// Of leases of one size for a whole site: kept until they are given or pass, but for backstops.
    pub const FIXED: Self = Self { lead: LEAD_DAYS, tail: TAIL_DAYS, backstop: BACKSTOP_DAYS, keep: None };
    /// Of sized leases. The queue front moves by about a day a day, and what is unused goes back
    /// before it comes to where that lies: a tail kept for fourteen days by a kiosk that is then
    /// away for fourteen more has not been overtaken. A front slot is new enough to be the front.
    pub const SIZED: Self =
        Self { lead: 5, tail: 28, backstop: 28, keep: Some(Keep { front: 2, tail: 14, backstop: 28 }) };

    /// The first day on which a slot of this stratum is taken.
    #[must_use]
    pub fn first_day(self, stratum: Stratum, today: Date, front: Date) -> Date {
        match stratum {
            Stratum::Near | Stratum::Front => today.saturating_add(self.lead.days()),
            Stratum::Tail => front.saturating_add(self.tail.days()),
            Stratum::Backstop => front.saturating_add((self.tail + self.backstop).days()),
        }
    }

    /// May a free slot be lent in this stratum, that went back unused from `before`? Sized leases
    /// leave what came back from the queue front to people: lent again and again, it would be
    /// taken for the front when that has long moved on.
    #[must_use]
    pub fn may_lend(self, stratum: Stratum, before: Option<Stratum>) -> bool {
        let front = |stratum| matches!(stratum, Stratum::Near | Stratum::Front);
        self.keep.is_none() || !(front(stratum) && before.is_some_and(front))
    }

    /// The day from which a slot goes back that nobody has been given: its own day is near, and
    /// somebody else can still be given it, or it has been held for long. None: it is kept until
    /// its day is over.
    #[must_use]
    pub fn back_on(self, stratum: Stratum, at: DateTime, lent: Date) -> Option<Date> {
        let ahead = match (stratum, self.keep) {
            (Stratum::Backstop, _) => Some(BACKSTOP_RETURN_DAYS),
            // Never on a day on which it would be lent again.
            (_, Some(_)) => Some(self.lead - 1),
            (_, None) => None,
        };
        let near = ahead.map(|days| at.date().saturating_sub((days - 1).days()));
        let held = self.keep.map(|keep| {
            lent.saturating_add(match stratum {
                Stratum::Near | Stratum::Front => keep.front.days(),
                Stratum::Tail => keep.tail.days(),
                Stratum::Backstop => keep.backstop.days(),
            })
        });
        near.into_iter().chain(held).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const TODAY: Date = date(2027, 3, 1);

    fn shape(people: u32, open_days: u32, longest_away: u16) -> LeaseShape {
        LeaseShape::sized(Seen { people, open_days, longest_away })
    }

    proptest! {
        /// It lasts for the days it is to cover, three standard deviations of the people above
        /// their mean, and is never larger than a lease may be.
        #[test]
        fn it_lasts_for_the_longest_absence(people in 0u32..3_000, open in SEEN_DAYS..65, away in 0u16..40) {
            let shape = shape(people, open, away);
            let days = f64::from(away.clamp(COVER_DAYS, COVER_MAX_DAYS));
            let mean = f64::from(people) * days / f64::from(open);
            let needed = mean + 3.0 * mean.sqrt();
            prop_assert!(shape.total() <= LEASE_MAX);
            prop_assert!(f64::from(shape.total()) >= needed.min(f64::from(LEASE_MAX)), "{shape:?}");
            // And for little more than that.
            prop_assert!(f64::from(shape.total()) <= needed + 8.0, "{shape:?}");
        }

        /// What leases hold of the queue front is half a day's people, one slot at least.
        #[test]
        fn the_queue_front_stays_for_those_online(people in 0u32..3_000, open in SEEN_DAYS..65, away in 0u16..40) {
            let shape = shape(people, open, away);
            let half = f64::from(people) / f64::from(open) / 2.0;
            prop_assert!(shape.front >= 1 && shape.near <= shape.front);
            prop_assert!(f64::from(shape.near + shape.front) <= (half + 1.0).max(1.0));
            prop_assert!(shape.backstop >= 1 && shape.backstop <= BACKSTOPS);
        }

        /// More people, or a longer absence, never make a lease smaller.
        #[test]
        fn more_is_never_less(people in 0u32..3_000, more in 0u32..500, away in 0u16..40, longer in 0u16..20) {
            let (little, much) = (shape(people, 60, away), shape(people + more, 60, away + longer));
            prop_assert!(much.total() >= little.total());
            prop_assert!(much.backstop >= little.backstop);
        }

        /// What goes back today would not be lent again today, and what is lent today stays.
        #[test]
        fn nothing_goes_round_in_circles(front in 0i32..200, beyond in 0i32..60) {
            let front = TODAY.saturating_add((1 + front).days());
            for stratum in Stratum::ALL {
                let from = Reach::SIZED.first_day(stratum, TODAY, front);
                let at = from.saturating_add(beyond.days()).at(9, 0, 0, 0);
                prop_assert!(Reach::SIZED.back_on(stratum, at, TODAY).is_some_and(|back| back > TODAY));
            }
        }
    }

    #[test]
    fn a_kiosk_nobody_knows_yet_has_some() {
        let new = LeaseShape::sized(Seen::default());
        assert_eq!(new, LeaseShape { near: 1, front: 1, tail: 59, backstop: 8 });
        assert_eq!(shape(400, 4, 0), new, "four days tell little");
        assert_eq!(shape(0, 60, 0).total(), 7, "and one that nobody comes to");
    }

    #[test]
    fn a_longer_absence_is_covered_the_next_time() {
        assert_eq!(shape(300, 60, 3), shape(300, 60, COVER_DAYS));
        assert_eq!(shape(300, 60, 15).total(), 75 + 3 * 9);
        assert_eq!(shape(300, 60, 60), shape(300, 60, COVER_MAX_DAYS));
    }

    #[test]
    fn fixed_leases_give_back_backstops_only() {
        let at = |days: i32| TODAY.saturating_add(days.days()).at(9, 0, 0, 0);
        for stratum in Stratum::ALL {
            let back = Reach::FIXED.back_on(stratum, at(BACKSTOP_RETURN_DAYS - 1), date(2026, 1, 1));
            assert_eq!(back, (stratum == Stratum::Backstop).then_some(TODAY));
        }
        assert_eq!(Reach::FIXED.first_day(Stratum::Near, TODAY, TODAY), date(2027, 3, 2));
        assert_eq!(Reach::FIXED.first_day(Stratum::Tail, TODAY, TODAY), date(2027, 3, 15));
        assert_eq!(Reach::FIXED.first_day(Stratum::Backstop, TODAY, TODAY), date(2027, 4, 12));
    }

    #[test]
    fn what_came_back_from_the_front_is_for_people() {
        for before in Stratum::ALL {
            let front = matches!(before, Stratum::Near | Stratum::Front);
            assert_eq!(Reach::SIZED.may_lend(Stratum::Front, Some(before)), !front);
            assert_eq!(Reach::SIZED.may_lend(Stratum::Near, Some(before)), !front);
            assert!(Reach::SIZED.may_lend(Stratum::Tail, Some(before)));
            assert!(Reach::FIXED.may_lend(Stratum::Front, Some(before)));
        }
        assert!(Reach::SIZED.may_lend(Stratum::Front, None));
    }

    #[test]
    fn a_tail_is_back_before_the_queue_is_there() {
        // Lent beyond a front that then moves a day a day.
        for age in 0..40 {
            let today = TODAY.saturating_add(age.days());
            let front = today.saturating_add(30.days());
            let at = Reach::SIZED.first_day(Stratum::Tail, TODAY, TODAY.saturating_add(30.days()));
            let back = Reach::SIZED.back_on(Stratum::Tail, at.at(9, 0, 0, 0), TODAY);
            let back = back.is_some_and(|back| back <= today);
            // Fourteen days are left for an outage that begins just before it would go back.
            assert_eq!(back, age >= 14);
            assert!(back || at >= front.saturating_add(14.days()));
        }
    }
}
