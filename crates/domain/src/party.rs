//! A party: the people of one visit, a family, minors with their representative, or several
//! procedures of one person. They asked to come together: on one day, at hours that follow each
//! other. Their dates are given one by one; each is tried beside those given before it.
//!
//! Never against anybody: for company a party takes what is free to anybody, nothing kept, and a date
//! that is due soon or would miss its time limit is given as if its holder came alone.

use crate::assign::{self, Choice, FreeSlot, Pick, Window};
use crate::batch::Bucket;
use crate::ids::RegistrationId;
use crate::lease::Stratum;
use crate::planted;
use crate::reserve::Reserve;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// Dates of one party, the largest family with its procedures a counter sees in one visit; more are
/// two parties.
pub const PEOPLE_MAX: u8 = 12;
/// Days one waits longer than alone for the sake of the others: somebody who comes twice loses a
/// day of work, and a fortnight is what a far date may wait for that.
pub const WAIT_DAYS: i32 = 14;

/// What a registration says of the others of its visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Said")]
pub struct Party {
    /// The registration made first: the same for all of a party, its own for the first.
    pub first: RegistrationId,
    /// Dates still to be given, this one counted.
    pub people: u8,
    /// When those who have a date already are received.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<DateTime>,
}

/// A party as it is told, before its bounds are looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    first: RegistrationId,
    people: u8,
    #[serde(default)]
    beside: Vec<DateTime>,
}

impl Party {
    /// The party of the next one after `before`, who holds `at` where a date was given; `people` are
    /// still to come with it. None when that would be too many.
    #[must_use]
    pub fn after(before: (RegistrationId, Option<&Self>), at: Option<DateTime>, people: u8) -> Option<Self> {
        let (id, party) = before;
        let beside = party.iter().flat_map(|party| party.beside.iter().copied()).chain(at);
        let party = Self { first: party.map_or(id, |party| party.first), people, beside: beside.collect() };
        party.is_bounded().then_some(party)
    }

    /// A party that begins with `first`, or none where nobody comes with them.
    #[must_use]
    pub fn begun(first: RegistrationId, people: u8) -> Option<Self> {
        (2..=PEOPLE_MAX).contains(&people).then(|| Self { first, people, beside: Vec::new() })
    }

    /// Have the others dates, and none on this day?
    #[must_use]
    pub fn is_apart(&self, day: Date) -> bool {
        !self.beside.is_empty() && self.beside.iter().all(|at| at.date() != day)
    }

    /// The same, with hours of others that were not known when it was said.
    #[must_use]
    pub fn knowing(&self, others: impl IntoIterator<Item = DateTime>) -> Self {
        let mut party = self.clone();
        for at in others {
            if !party.beside.contains(&at) && party.beside.len() < usize::from(PEOPLE_MAX) {
                party.beside.push(at);
            }
        }
        party
    }

    fn is_bounded(&self) -> bool {
        self.people >= 1
            && self.beside.len().saturating_add(usize::from(self.people)) <= usize::from(PEOPLE_MAX)
    }

    /// The days on which somebody of the party is received, earliest first.
    fn days(&self) -> Vec<Date> {
        if planted::on("company_forgotten") {
            return Vec::new();
        }
        let mut days: Vec<Date> = self.beside.iter().map(|at| at.date()).collect();
        days.sort_unstable();
        days.dedup();
        days
    }
}

/// The last day worth looking at for a party whose member would get `alone`; none where they come
/// alone: due soon, or after their time limit already.
#[must_use]
pub fn last_day(window: &Window, alone: Date) -> Option<Date> {
    let wait = if planted::on("company_without_end") { 10 * WAIT_DAYS } else { WAIT_DAYS };
    let last = alone.saturating_add(wait.days());
    match window.latest {
        _ if window.soon => None,
        Some(latest) if alone > latest => None,
        Some(latest) => Some(last.min(latest)),
        None => Some(last),
    }
}

/// The day on which a member of a party, who would get `alone`, is received with the others, and
/// among what: a day of theirs that has room, else the first with room for all who are still to
/// come. None when there is none near enough; they are dated then as if alone. The buckets are those
/// of [`assign::pick`], as far as [`last_day`].
#[must_use]
pub fn day(
    buckets: &[Bucket],
    window: &Window,
    reserve: &Reserve,
    (party, alone): (&Party, Date),
) -> Option<Pick> {
    let last = last_day(window, alone)?;
    let theirs = party.days().into_iter().filter(|day| *day <= last);
    theirs.filter_map(|day| on(buckets, window, reserve, day)).map(|(pick, _)| pick).next().or_else(|| {
        let together = |(pick, room): (Pick, u32)| (room >= u32::from(party.people)).then_some(pick);
        let days = buckets.chunk_by(|one, next| one.day == next.day).filter_map(|of_day| of_day.first());
        let days = days.map(|one| one.day).filter(|day| *day >= alone && *day <= last);
        (party.people > 1)
            .then_some(days)?
            .filter_map(|day| on(buckets, window, reserve, day))
            .find_map(together)
    })
}

fn on(buckets: &[Bucket], window: &Window, reserve: &Reserve, day: Date) -> Option<(Pick, u32)> {
    let of_day: Vec<Bucket> = buckets.iter().filter(|one| one.day == day).copied().collect();
    assign::open_on(&of_day, window, Some(reserve))
}

/// Of the slots of that day the one next to the others', at another hour than theirs where there is
/// one: one person may have to stand at every counter. Where nobody has one yet, the first of as many hours, as close
/// together as there are. Of one hour the slot that serves fewest procedures, then by id.
#[must_use]
pub fn beside(of_day: &[FreeSlot], party: &Party) -> Option<FreeSlot> {
    let order = |slot: &FreeSlot| (slot.at, slot.serves.breadth(), slot.slot);
    let day = of_day.first()?.at.date();
    let theirs: Vec<DateTime> = party.beside.iter().filter(|at| at.date() == day).copied().collect();
    if theirs.is_empty() {
        let at = first_of_run(of_day, usize::from(party.people));
        return of_day
            .iter()
            .filter(|slot| at.is_none_or(|at| slot.at == at))
            .min_by_key(|slot| order(slot))
            .copied();
    }
    let away = |slot: &FreeSlot| theirs.iter().map(|at| minutes(*at, slot.at)).min().unwrap_or(u64::MAX);
    of_day.iter().min_by_key(|slot| (theirs.contains(&slot.at), away(slot), order(slot))).copied()
}

/// The first of `people` hours that lie closest together, the earliest of such; none when the day
/// has not so many.
fn first_of_run(of_day: &[FreeSlot], people: usize) -> Option<DateTime> {
    let mut hours: Vec<DateTime> = of_day.iter().map(|slot| slot.at).collect();
    hours.sort_unstable();
    hours.dedup();
    let runs = hours.windows(people.max(1)).filter_map(|run| run.first().zip(run.last()));
    runs.min_by_key(|(first, last)| (minutes(**first, **last), **first)).map(|(first, _)| *first)
}

/// Minutes of the clock on the wall between two hours of a day.
fn minutes(one: DateTime, other: DateTime) -> u64 {
    let of = |at: DateTime| i64::from(at.hour()) * 60 + i64::from(at.minute());
    of(one).abs_diff(of(other))
}

/// [`assign::choose`] for somebody who may be of a party.
pub fn choose(
    free: impl IntoIterator<Item = FreeSlot>,
    window: &Window,
    reserve: &Reserve,
    party: Option<&Party>,
) -> Choice {
    let free: Vec<FreeSlot> = free.into_iter().collect();
    let alone = assign::choose(free.iter().copied(), window, reserve);
    let together = party.zip(alone.slot()).and_then(|(party, alone)| {
        // What others come for counts too where it is asked what a day keeps.
        let company: Vec<FreeSlot> = free.into_iter().filter(is_for_company).collect();
        let pick = day(&assign::buckets(&company), window, reserve, (party, alone.at.date()))?;
        let theirs = |slot: &FreeSlot| pick.allows(slot) && window.may_take(slot);
        let of_day: Vec<FreeSlot> = company.into_iter().filter(theirs).collect();
        beside(&of_day, party)
    });
    together.map_or(alone, Choice::Inside)
}

/// Near slots wait for time limits, and backstops for receipts.
fn is_for_company(slot: &FreeSlot) -> bool {
    !matches!(slot.stratum, Some(Stratum::Near | Stratum::Backstop))
}

impl TryFrom<Said> for Party {
    type Error = &'static str;

    fn try_from(said: Said) -> Result<Self, Self::Error> {
        let party = Self { first: said.first, people: said.people, beside: said.beside };
        if party.is_bounded() { Ok(party) } else { Err("a party has 1 to 12 dates") }
    }
}
