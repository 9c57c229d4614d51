//! A slot that came free because somebody cancelled or moved: to whom it is offered, for how
//! long, and when it goes back to those who register. It is never shown to anybody, so nobody
//! can wait for it, and whoever cancels gains nothing for the next person at the counter.
//!
//! Central asks its database for a page of people in the same order and chooses among them by
//! [`next`]; a test holds that against everybody of a site.

use crate::assign::{FreeSlot, LEAD_DAYS, Window};
use crate::ids::RegistrationId;
use crate::place::PlaceKey;
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};
use serde::{Deserialize, Serialize};

/// Most people one slot is offered to, one after the other. More would let it pass unused.
pub const OFFERS_MAX: u32 = 3;
/// Days an offer stands, today counted: somebody told by telephone, or only when they come
/// back to a counter, needs some.
pub const OFFER_DAYS: i32 = 4;
/// Days between the last day of an offer and the appointment: nobody is asked to come sooner.
pub const NOTICE_DAYS: i32 = 3;
/// Days a cancelled registration keeps its registration time.
pub const UNDO_DAYS: i32 = 30;

/// Days of notice with which a person takes any earlier date without being asked: what they said
/// when they registered. Today and the slot's day lie so many days apart at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct NoticeDays(u8);

/// Why a number of days is no notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeRefusal {
    NotDays,
    /// Fewer than anybody is asked with.
    Short,
    /// So far ahead nothing comes free.
    Long,
}

impl NoticeRefusal {
    /// The code of its sentence, and the number in it.
    #[must_use]
    pub fn code(self) -> (&'static str, u8) {
        match self {
            Self::NotDays => ("bad_days", 0),
            Self::Short => ("notice_short", NoticeDays::LEAST),
            Self::Long => ("notice_long", NoticeDays::MOST),
        }
    }
}

impl NoticeDays {
    /// As with offers: nobody is asked to come sooner.
    pub const LEAST: u8 = 3;
    /// Two months: longer is as good as not at all.
    pub const MOST: u8 = 60;

    /// What was typed; none when nothing was.
    ///
    /// # Errors
    /// See [`NoticeRefusal`].
    pub fn parse(text: &str) -> Result<Option<Self>, NoticeRefusal> {
        match text.trim() {
            "" => Ok(None),
            text => Self::new(text.parse::<u16>().map_err(|_| NoticeRefusal::NotDays)?).map(Some),
        }
    }

    fn new(days: u16) -> Result<Self, NoticeRefusal> {
        match u8::try_from(days) {
            Ok(days) if days < Self::LEAST => Err(NoticeRefusal::Short),
            Ok(days) if days <= Self::MOST => Ok(Self(days)),
            _ => Err(NoticeRefusal::Long),
        }
    }

    #[must_use]
    pub fn days(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for NoticeDays {
    type Error = &'static str;

    fn try_from(days: u8) -> Result<Self, Self::Error> {
        Self::new(days.into()).map_err(|_| "no such notice")
    }
}

impl From<NoticeDays> for u8 {
    fn from(notice: NoticeDays) -> Self {
        notice.0
    }
}

/// Somebody who has a date, and might have an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    pub registration: RegistrationId,
    pub place: PlaceKey,
    /// The date given: civil date and time at the site.
    pub at: DateTime,
    pub window: Window,
    /// They were offered this slot before, or have an offer they have not answered.
    pub passed: bool,
    /// They take any earlier date without being asked, with so much notice.
    pub notice: Option<NoticeDays>,
}

/// The last day on which an offer of a slot at `at`, made `today`, may be answered. None when its
/// day is too near for anybody to be asked.
#[must_use]
pub fn last_day(today: Date, at: DateTime) -> Option<Date> {
    let latest = at.date().saturating_sub(NOTICE_DAYS.days());
    let last = today.saturating_add((OFFER_DAYS - 1).days()).min(latest);
    (last >= today).then_some(last)
}

/// Can this slot wait for somebody who has an offer to answer, and still be offered to them with all its
/// days? Of many slots that come free together each person is asked about one at a time.
#[must_use]
pub fn can_wait(today: Date, at: DateTime) -> bool {
    at.date() >= today.saturating_add((2 * OFFER_DAYS + NOTICE_DAYS).days())
}

/// The last day on which an offer made to somebody who declares a time limit may be answered. Said
/// `today` they are at the counter, and are asked about any day from tomorrow on; said on a day
/// before, without the network, they are to be told first, as anybody.
#[must_use]
pub fn last_day_for_limit(said: Date, today: Date, at: DateTime) -> Option<Date> {
    if said < today {
        return last_day(today, at);
    }
    let latest = at.date().saturating_sub(LEAD_DAYS.days());
    let last = today.saturating_add((OFFER_DAYS - 1).days()).min(latest);
    (last >= today).then_some(last)
}

/// Does this person gain from the slot: an earlier day, for what they come for, not before the
/// first day they may be asked to come?
#[must_use]
pub fn gains(slot: &FreeSlot, one: &Dated) -> bool {
    let day = slot.at.date();
    day < one.at.date() && day >= one.window.earliest && one.window.may_take(slot)
}

/// Has this person taken the slot in advance, so that it is theirs without being asked?
#[must_use]
pub fn is_taken_ahead(slot: &FreeSlot, one: &Dated, today: Date) -> bool {
    one.notice.is_some_and(|notice| slot.at.date() >= today.saturating_add(i32::from(notice.days()).days()))
}

/// To whom the slot is offered next: of those who gain from it, the first in rank.
#[must_use]
pub fn next(slot: &FreeSlot, people: impl IntoIterator<Item = Dated>) -> Option<Dated> {
    people
        .into_iter()
        .filter(|one| !one.passed && gains(slot, one))
        .min_by_key(|one| (one.place, one.registration))
}

/// Within which days somebody whose date the calendar has no more is given another: with time to
/// be told, unless a time limit that is still to come leaves none. A later date as a rule: whoever
/// expects to come on a day is not called for an earlier one unasked. A time limit is reason enough.
/// Never before the first day that was asked for, when filing opens, unless the date held is.
#[must_use]
pub fn moved_window(asked: Window, held: DateTime, today: Date) -> Window {
    let told = today.saturating_add(NOTICE_DAYS.days());
    let tomorrow = Window::new(today, None).earliest;
    let earliest = match asked.latest {
        None => told.max(held.date()),
        Some(latest) if latest < told && tomorrow <= latest => tomorrow,
        Some(_) => told,
    };
    Window { earliest: earliest.max(asked.earliest.min(held.date())), ..asked }
}

/// May a registration cancelled on this day still be taken up again on `today`?
#[must_use]
pub fn may_return(cancelled: Date, today: Date) -> bool {
    today <= cancelled.saturating_add(UNDO_DAYS.days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SlotId;
    use crate::place::Class;
    use crate::procedure::{Procedure, ProcedureSet};
    use jiff::Timestamp;
    use jiff::civil::date;
    use proptest::prelude::*;

    const TODAY: Date = date(2027, 3, 8);

    fn slot(day: i32, serves: ProcedureSet) -> FreeSlot {
        FreeSlot {
            slot: SlotId(7),
            at: TODAY.saturating_add(day.days()).at(10, 0, 0, 0),
            stratum: None,
            serves,
        }
    }

    #[test]
    fn an_offer_ends_in_time_to_come() {
        let at = |days: i32| TODAY.saturating_add(days.days()).at(9, 0, 0, 0);
        assert_eq!(last_day(TODAY, at(60)), Some(date(2027, 3, 11)));
        assert_eq!(last_day(TODAY, at(5)), Some(date(2027, 3, 10)));
        assert_eq!(last_day(TODAY, at(3)), Some(TODAY));
        assert_eq!(last_day(TODAY, at(2)), None);
    }

    #[test]
    fn whoever_declares_a_limit_at_the_counter_is_asked_about_tomorrow_too() {
        let at = |days: i32| TODAY.saturating_add(days.days()).at(9, 0, 0, 0);
        let today = |days| last_day_for_limit(TODAY, TODAY, at(days));
        assert_eq!((today(0), today(1)), (None, Some(TODAY)));
        assert_eq!(today(3), Some(date(2027, 3, 10)));
        assert_eq!(today(60), Some(date(2027, 3, 11)));
        // Said without the network the day before: they are to be told.
        let late = |days| last_day_for_limit(TODAY.saturating_sub(1.days()), TODAY, at(days));
        assert_eq!((late(2), late(3)), (None, Some(TODAY)));
    }

    #[test]
    fn whoever_is_given_another_date_can_be_told() {
        let day = |days: i32| TODAY.saturating_add(days.days());
        let moved = |held: i32, latest: Option<i32>| {
            let asked = Window { latest: latest.map(day), ..Window::new(day(-40), None) };
            moved_window(asked, day(held).at(9, 0, 0, 0), TODAY).earliest
        };
        assert_eq!(moved(1, None), day(NOTICE_DAYS));
        assert_eq!(moved(20, None), day(20), "not called for an earlier one unasked");
        assert_eq!(moved(20, Some(30)), day(NOTICE_DAYS), "a time limit is reason enough");
        assert_eq!(moved(2, Some(2)), day(1), "no time to be told, and none to wait");
        assert_eq!(moved(1, Some(1)), day(1));
        assert_eq!(moved(1, Some(0)), day(NOTICE_DAYS), "nothing is met any more by haste");
        assert_eq!(moved(-1, None), day(NOTICE_DAYS), "the day they missed");
        let opens = |held: i32, opens: i32| {
            let asked = Window { latest: Some(day(60)), earliest: day(opens), ..Window::new(day(-40), None) };
            moved_window(asked, day(held).at(9, 0, 0, 0), TODAY).earliest
        };
        assert_eq!(opens(30, 20), day(20), "filing opens then");
        assert_eq!(opens(10, 20), day(10), "the date held was before");
    }

    #[test]
    fn any_earlier_date_is_taken_ahead_with_the_notice_that_was_said() {
        assert_eq!(NoticeDays::parse(" "), Ok(None));
        let days = |text: &str| NoticeDays::parse(text).map(|notice| notice.unwrap().days());
        assert_eq!((days("3"), days("14"), days("60")), (Ok(3), Ok(14), Ok(60)));
        assert_eq!((days("2"), days("0")), (Err(NoticeRefusal::Short), Err(NoticeRefusal::Short)));
        assert_eq!((days("61"), days("300")), (Err(NoticeRefusal::Long), Err(NoticeRefusal::Long)));
        for text in ["-3", "x", "14.5", "99999999"] {
            assert_eq!(days(text), Err(NoticeRefusal::NotDays), "{text}");
        }
        assert_eq!(serde_json::from_str::<NoticeDays>("14").unwrap().days(), 14);
        for wrong in ["2", "61", "-1", "300", "\"14\"", "null"] {
            assert!(serde_json::from_str::<NoticeDays>(wrong).is_err(), "{wrong}");
        }

        let one = |notice: Option<&str>| Dated {
            registration: RegistrationId([1; 16]),
            place: PlaceKey::new(Class::Ordinary, Timestamp::UNIX_EPOCH, RegistrationId([1; 16])),
            at: TODAY.saturating_add(90.days()).at(9, 0, 0, 0),
            window: Window::new(TODAY, None),
            passed: false,
            notice: notice.and_then(|days| NoticeDays::parse(days).unwrap()),
        };
        let taken = |day, notice| is_taken_ahead(&slot(day, ProcedureSet::ALL), &one(notice), TODAY);
        assert!(!taken(40, None) && !taken(13, Some("14")));
        assert!(taken(14, Some("14")) && taken(15, Some("14")));
    }

    #[test]
    fn a_cancelled_place_waits_thirty_days() {
        assert!(may_return(TODAY, TODAY.saturating_add(30.days())));
        assert!(!may_return(TODAY, TODAY.saturating_add(31.days())));
    }

    fn people() -> impl Strategy<Value = Vec<Dated>> {
        let one = (0i64..50, any::<bool>(), 1i32..40, 0i32..40, any::<bool>(), any::<bool>());
        prop::collection::vec(one, 0..30).prop_map(|rows| {
            rows.into_iter()
                .enumerate()
                .map(|(i, (registered, limited, day, earliest, passed, renewal))| {
                    let registration = RegistrationId([i as u8; 16]);
                    let class = if limited { Class::WithTimeLimit } else { Class::Ordinary };
                    let procedure = Procedure::parse(if renewal { "renewal" } else { "duplicate" }).unwrap();
                    let mut window = Window::new(TODAY, None).for_procedure(procedure);
                    window.earliest = window.earliest.saturating_add(earliest.days());
                    window.class = class;
                    Dated {
                        registration,
                        place: PlaceKey::new(
                            class,
                            Timestamp::from_second(registered).unwrap(),
                            registration,
                        ),
                        at: TODAY.saturating_add(day.days()).at(15, 0, 0, 0),
                        window,
                        passed,
                        notice: None,
                    }
                })
                .collect()
        })
    }

    proptest! {
        /// Nobody who gains and was not asked yet stands before the one who is asked, and the one
        /// who is asked never loses by it.
        #[test]
        fn the_first_in_rank_who_gains(people in people(), day in 1i32..40, all in any::<bool>()) {
            let renewal = ProcedureSet::of([Procedure::parse("renewal").unwrap()]);
            let slot = slot(day, if all { ProcedureSet::ALL } else { renewal });
            let gainers: Vec<_> = people
                .iter()
                .filter(|one| !one.passed && slot.at.date() < one.at.date())
                .filter(|one| slot.at.date() >= one.window.earliest)
                .filter(|one| slot.serves.includes(one.window.procedure.unwrap()))
                .collect();
            match next(&slot, people.clone()) {
                None => prop_assert!(gainers.is_empty()),
                Some(chosen) => {
                    prop_assert!(gainers.iter().any(|one| **one == chosen));
                    prop_assert!(slot.at < chosen.at);
                    for one in gainers {
                        prop_assert!((chosen.place, chosen.registration) <= (one.place, one.registration));
                    }
                }
            }
        }
    }
}
