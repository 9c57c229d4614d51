//! Was it the right date? The free slots are read past the product, and the rule of the
//! design (I4, I5) is written out here a second time.

use super::ledger::Fault;
use super::{World, setup, together};
use app::contract::{DateSource, DateView};
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};

/// Days beyond the date given, or the limit, in which another slot is looked for.
const LOOKED_DAYS: i32 = 14;

/// A slot of a lease, as the vault's file has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leased {
    pub at: DateTime,
    pub slot: u64,
    pub stratum: String,
    /// Nobody has it, and it was not given back.
    pub free: bool,
    /// Somebody has it.
    pub given: bool,
}

/// What a date was chosen from: free before, and not gone by what the kiosk heard when central had no
/// date (a counter that ended), with what it was lent by the same answer.
fn chosen_from(before: &[Leased], after: Vec<Leased>) -> Vec<Leased> {
    let had = |slot: &Leased| before.iter().any(|before| before.slot == slot.slot && !before.free);
    after.into_iter().filter(|slot| slot.free || slot.given && !had(slot)).collect()
}

/// What central could give, and what the site keeps of it for near time limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeAtCentral {
    /// In order.
    pub at: Vec<DateTime>,
    /// The first and the last day of which anything is kept.
    pub kept_days: Option<(Date, Date)>,
    /// How many slots of one day.
    pub kept: usize,
    /// Days on which one more person may be received beside the others.
    pub extra_days: Vec<Date>,
}

impl FreeAtCentral {
    /// Free slots of the day, and `more` that were: are they no more than the site keeps?
    pub(super) fn is_kept(&self, day: Date, more: usize) -> bool {
        let free = self.at.iter().filter(|at| at.date() == day).count() + more;
        self.kept_days.is_some_and(|(from, until)| from <= day && day <= until) && free <= self.kept
    }
}

/// A date central gave: an earlier one the person could have had, or one that was not theirs.
fn unfair(free: &FreeAtCentral, given: DateTime, limit: Option<Date>) -> Option<String> {
    let open = |at: &&DateTime| !free.is_kept(at.date(), 0);
    let in_time = limit.is_none_or(|limit| given.date() <= limit);
    let earlier = free.at.iter().filter(|at| **at < given).find(|at| !in_time || open(at));
    if let Some(earlier) = earlier {
        return Some(format!("central gave {given}, and {earlier} was free"));
    }
    if let Some(day) = free.extra_days.iter().find(|_| !in_time) {
        return Some(format!("central gave {given}, and {day} had room for an extra slot"));
    }
    let other = || free.at.iter().filter(open).find(|at| limit.is_none_or(|limit| at.date() <= limit));
    if in_time && free.is_kept(given.date(), 1) {
        return other().map(|other| format!("central gave {given}, which is kept, and {other} was free"));
    }
    None
}

impl World<'_> {
    /// What this kiosk has of its lease now.
    pub(super) async fn leased(&mut self, at: usize) -> Result<Vec<Leased>, Fault> {
        let ground = self.ground;
        let (vault, key) = self.counter(at)?.vault();
        let mut free = ground.archive.leased(&vault, &key).await.map_err(setup)?;
        free.sort();
        Ok(free)
    }

    /// A date just given, against the lease as it was `before`. `first_asked`: this visit had never
    /// been asked for at central.
    pub(super) async fn fair(
        &mut self,
        at: usize,
        view: &DateView,
        before: Vec<Leased>,
        first_asked: bool,
    ) -> Result<(), Fault> {
        let free = chosen_from(&before, self.leased(at).await?);
        let party = self.together.contains(&view.visit);
        let limit = view.limit.as_ref().and_then(|day| day.parse::<Date>().ok());
        // The first day that serves: never later than this, whatever the kiosk's clock says.
        let from = self.latest_day(at).saturating_add(1.days());
        let may_take = |slot: &&Leased| match slot.stratum.as_str() {
            "near" => limit.is_some(),
            "backstop" => limit.is_some_and(|limit| slot.at.date() <= limit),
            _ => true,
        };
        let first = free.iter().filter(may_take).find(|slot| slot.at.date() >= from);
        let first_backstop =
            free.iter().filter(|slot| slot.stratum == "backstop").find(|slot| slot.at.date() >= from);
        let given = view.slot_at.as_ref().and_then(|at| at.parse::<DateTime>().ok());
        match (view.source, given) {
            (DateSource::Lease, Some(given)) => {
                let slot = view.slot.as_ref().and_then(|slot| slot.parse().ok());
                let Some(taken) = free.iter().find(|leased| Some(leased.slot) == slot) else {
                    return Err(("I1", format!("{given} came from the lease and was not free in it")));
                };
                if !may_take(&taken) {
                    return Err(("I4", format!("a {} slot was given to somebody else", taken.stratum)));
                }
                if party {
                    // Central may have had a date, apart from the others'.
                    let open = together::of_lease(&free, may_take, from);
                    let company = together::for_company(&free, from);
                    return match together::apart(view, given, limit, (open, company)) {
                        Some(what) => Err(("I4", what)),
                        None => Ok(()),
                    };
                }
                if let Some(first) = first.filter(|first| first.at < given) {
                    return Err(("I4", format!("{given} was given, and {} was free in the lease", first.at)));
                }
            }
            (DateSource::Rank, None) => {
                if let Some(first) = first {
                    return Err(("I4", format!("a rank was given, and {} was free in the lease", first.at)));
                }
                let held = view.no_later_than.as_ref().and_then(|at| at.parse::<DateTime>().ok());
                if let Some(backstop) = first_backstop
                    && held.is_none_or(|held| held > backstop.at)
                {
                    return Err((
                        "I5",
                        format!("a receipt holds no day or a late one, and {} was free", backstop.at),
                    ));
                }
            }
            (DateSource::Online, Some(given)) if first_asked => {
                let (ground, site) = (self.ground, self.site.as_str());
                let until = limit.map_or(given.date(), |limit| limit.max(given.date()));
                let until = until.saturating_add(LOOKED_DAYS.days());
                let free = ground.archive.free_at_central(site, (from, until)).await.map_err(setup)?;
                let until_limit = |free: FreeAtCentral| {
                    let within = |day: &Date| from <= *day && limit.is_none_or(|limit| *day <= limit);
                    let extra_days = free.extra_days.iter().copied().filter(within).collect();
                    FreeAtCentral { extra_days, ..free }
                };
                let free = free.map(until_limit);
                let unfair = |free: FreeAtCentral| match party {
                    true => {
                        let open = together::of_central(&free, from);
                        together::apart(view, given, limit, (open, std::iter::empty()))
                    }
                    false => unfair(&free, given, limit),
                };
                if let Some(what) = free.and_then(unfair) {
                    return Err(("I4", what));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
