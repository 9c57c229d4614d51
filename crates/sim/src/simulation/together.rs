//! People who come together in some moves: the first of a family, or the next one of somebody with a
//! paper of the same kiosk. Whether the date was right for them is written out here a second time:
//! nobody waits more than a fortnight for the others, and a day of theirs that has room is taken.

use super::World;
use super::chance::Dice;
use super::fair::{FreeAtCentral, Leased};
use app::contract::{DateView, DraftFields, PartyFields};
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};

/// One registration in so many percent is of a party; of these, so many follow somebody.
const TOGETHER_PERCENT: u64 = 15;
const FOLLOWS_PERCENT: u64 = 60;
/// Days anybody waits for the others.
const FORTNIGHT: i32 = 14;

impl World<'_> {
    /// Somebody comes with others, sometimes. Drawn apart, so that no other chance changes.
    pub(super) fn comes_with_others(&mut self, at: usize, n: u64, fields: &mut DraftFields) {
        let mut dice = Dice::new(self.seed, n * 1_000 + 5);
        if !dice.chance(TOGETHER_PERCENT) {
            return;
        }
        let people = 2 + dice.below(3);
        let those = self.ledger.may_give_up(&[at]);
        let before = those.get(dice.index(those.len().max(1))).filter(|_| dice.chance(FOLLOWS_PERCENT));
        let with = before.map(|(_, code, _)| code.clone()).unwrap_or_default();
        self.tell(format!("kiosk {at}: {people} are to come together {}", with.get(..4).unwrap_or_default()));
        fields.party = Some(PartyFields { people: people.to_string(), with });
    }
}

/// What stood in the way of a date of one of a party. `alone` are the hours that were free to this
/// person, `company` those of them that may be taken for the sake of the others; none where central
/// knew more of them than the screen says.
pub(super) fn apart(
    view: &DateView,
    given: DateTime,
    limit: Option<Date>,
    (alone, company): (impl Iterator<Item = DateTime>, impl Iterator<Item = DateTime>),
) -> Option<String> {
    let alone = alone.chain([given]).min().unwrap_or(given).date();
    let last = alone.saturating_add(FORTNIGHT.days());
    if given.date() > last {
        return Some(format!("somebody comes on {given} with others, and {alone} was free"));
    }
    let late = |day: Date| limit.is_some_and(|limit| day > limit);
    if late(given.date()) && !late(alone) {
        return Some(format!("somebody misses {limit:?} for others: {given}, and {alone} was free"));
    }
    let theirs: Vec<Date> = view.beside.iter().filter_map(|at| at.get(..10)?.parse().ok()).collect();
    if theirs.contains(&given.date()) || late(alone) {
        return None;
    }
    let beside = |at: &DateTime| theirs.contains(&at.date()) && at.date() <= last && !late(at.date());
    let mut room = company.filter(beside);
    room.next().map(|room| format!("the others come on {theirs:?}, {room} was free, and {given} was given"))
}

/// The hours of a lease that are free to somebody, those that wait for time limits and receipts too.
pub(super) fn of_lease<'a>(
    free: &'a [Leased],
    may_take: impl Fn(&&Leased) -> bool + 'a,
    from: Date,
) -> impl Iterator<Item = DateTime> + 'a {
    free.iter().filter(may_take).map(|slot| slot.at).filter(move |at| at.date() >= from)
}

/// The hours of a lease that wait for nobody.
pub(super) fn for_company(free: &[Leased], from: Date) -> impl Iterator<Item = DateTime> + '_ {
    let kept = |slot: &&Leased| ["near", "backstop"].contains(&slot.stratum.as_str());
    of_lease(free, move |slot| !kept(slot), from)
}

/// The hours at central that nobody is to keep free.
pub(super) fn of_central(free: &FreeAtCentral, from: Date) -> impl Iterator<Item = DateTime> + '_ {
    let open = |at: &&DateTime| !free.is_kept(at.date(), 0);
    free.at.iter().filter(open).copied().filter(move |at| at.date() >= from)
}
