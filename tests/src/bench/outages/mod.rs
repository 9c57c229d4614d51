//! Ninety days of two thousand kiosks with outages of an hour to a fortnight, by the rules in
//! `domain` alone: how often somebody falls to a rank, how many leased slots pass unused, how much
//! later leases make those who register online, and whom a leased date overtakes. Four figures of
//! one run, for each rule a kiosk's lease may be sized by.

mod arrivals;
mod overtakes;
mod site;
mod slots;

use super::{Ended, Figure, Teller, machine, rounded};
use crate::programs::{Failure, fail};
use arrivals::{KIOSKS, Minute, Site};
use site::{Rule, live};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Kiosks of the country.
pub const COUNTRY: usize = 2_000;
/// Days measured.
const DAYS: i32 = 90;
/// Days lived through before, beside those the queue is long: until what is lent has gone round once.
const BEFORE: i32 = 84;
/// What the grid is made of: outages in hours, the queue front in days, people a kiosk has a day.
const OUTAGES: [i32; 6] = [1, 8, 24, 72, 168, 336];
const FRONTS: [i32; 3] = [3, 30, 120];
const PEOPLE: [u16; 3] = [2, 6, 20];
const RULES: [(&str, Rule); 3] =
    [("4 slots each", Rule::Fixed(4)), ("40 slots each", Rule::Fixed(40)), ("sized", Rule::Sized)];
/// Share of days away on which nobody falls to a rank.
const DATED: f64 = 99.9;
/// Share of the site's slots that pass leased and unused.
const EXPIRED: f64 = 0.5;
/// Working days that leases make those who register online wait longer, on average.
const DELAY: f64 = 1.0;
/// Times somebody is overtaken, in front strata of their site.
const OVERTAKEN: f64 = 1.0;

/// Most working days earlier or later that are told apart.
const SPREAD: i32 = 400;

/// One combination of the grid.
#[derive(Clone, Copy)]
pub struct Cell {
    hours: i32,
    front: i32,
    people: u16,
}

impl Cell {
    fn seed(&self) -> u64 {
        let number = |n: i32| u64::try_from(n).unwrap_or(0);
        number(self.hours) << 48 | number(self.front) << 40 | u64::from(self.people) << 32
    }

    fn minutes(&self) -> Minute {
        self.hours * 60
    }

    fn name(&self) -> String {
        format!(
            "outages of {} h, front at {} days, {} people a kiosk-day",
            self.hours, self.front, self.people
        )
    }
}

/// The figures of a cell under one rule, worst where they are of sites.
#[derive(Default, Clone)]
struct Told {
    away_days: u64,
    ranked_days: u64,
    expired: u64,
    slots: u64,
    lent: u64,
    online: u64,
    later: i64,
    /// How many came out so many working days later than without leases, from -[`SPREAD`] on.
    spread: Vec<u64>,
    leased_later: i64,
    overtaken: f64,
    overtakes: u64,
    tail_overtakes: u64,
    from_lease: u64,
}

impl Told {
    fn dated(&self) -> f64 {
        100.0 - 100.0 * self.ranked_days as f64 / self.away_days.max(1) as f64
    }

    fn expired(&self) -> f64 {
        100.0 * self.expired as f64 / self.slots.max(1) as f64
    }

    fn delay(&self) -> f64 {
        self.later as f64 / self.online.max(1) as f64
    }

    /// Working days the slowest of a hundred online waits longer.
    fn slowest(&self) -> i32 {
        let mut rest = self.online / 100;
        for (days, people) in (-SPREAD..SPREAD + 1).zip(&self.spread).rev() {
            if *people > rest {
                return days;
            }
            rest -= people;
        }
        -SPREAD
    }

    /// Working days a date out of a lease lies after the first that central had then.
    fn leased_later(&self) -> f64 {
        self.leased_later as f64 / self.from_lease.max(1) as f64
    }

    fn with(mut self, other: &Self) -> Self {
        self.away_days += other.away_days;
        self.ranked_days += other.ranked_days;
        self.expired += other.expired;
        self.slots += other.slots;
        self.lent += other.lent;
        self.online += other.online;
        self.later += other.later;
        self.leased_later += other.leased_later;
        self.spread.resize(self.spread.len().max(other.spread.len()), 0);
        for (all, one) in self.spread.iter_mut().zip(&other.spread) {
            *all += one;
        }
        self.overtaken = self.overtaken.max(other.overtaken);
        self.overtakes += other.overtakes;
        self.tail_overtakes += other.tail_overtakes;
        self.from_lease += other.from_lease;
        self
    }
}

pub fn run(teller: &Teller, kiosks: usize) -> Result<Ended, Failure> {
    let sites = kiosks.div_ceil(KIOSKS);
    teller
        .say(&format!("{sites} sites of {KIOSKS} kiosks, {DAYS} days; kiosks are away a tenth of the time"));
    let mut cells = Vec::new();
    for hours in OUTAGES {
        for front in FRONTS {
            for people in PEOPLE {
                let cell = Cell { hours, front, people };
                let told = measured(cell, sites)?;
                for ((name, _), told) in RULES.iter().zip(&told) {
                    teller.say(&format!(
                        "{}, {name}: {:.3} % of days away without a rank, {:.3} % of slots expired, {:+.2} working days online (slowest of a hundred {:+}), \
                         overtaken {:.2} front strata at most, {} of {} leased dates overtake, {} of the tail; leased dates {:+.1} working days after central's first; {} lent",
                        cell.name(),
                        told.dated(),
                        told.expired(),
                        told.delay(),
                        told.slowest(),
                        told.overtaken,
                        told.overtakes,
                        told.from_lease,
                        told.tail_overtakes,
                        told.leased_later(),
                        told.lent
                    ));
                }
                cells.push((cell, told));
            }
        }
    }
    for (n, (name, _)) in RULES.iter().enumerate() {
        let of: Vec<(Cell, &Told)> =
            cells.iter().filter_map(|(cell, told)| Some((*cell, told.get(n)?))).collect();
        tell(teller, name, sites * KIOSKS, &of)?;
    }
    Ok(Ended::Held)
}

/// What one of the four is called, what it asks for, how it is read, and whether less is better.
type Asked = (&'static str, String, fn(&Told) -> f64, &'static str, f64, bool);

/// The worst cell for each of the four, and how many meet them all at once.
fn tell(teller: &Teller, name: &str, kiosks: usize, cells: &[(Cell, &Told)]) -> Result<(), Failure> {
    let asked: [Asked; 4] = [
        ("days away without a rank", format!("at least {DATED} %"), Told::dated, "% of days", DATED, false),
        ("expired slots", format!("at most {EXPIRED} %"), Told::expired, "% of slots", EXPIRED, true),
        ("online delay", format!("at most {DELAY}"), Told::delay, "working days", DELAY, true),
        (
            "most overtaken person",
            "within the front stratum".to_owned(),
            |told| told.overtaken,
            "front strata of the site",
            OVERTAKEN,
            true,
        ),
    ];
    let meets = |told: &Told, asked: &Asked| {
        let value = (asked.2)(told);
        if asked.5 { value <= asked.4 } else { value >= asked.4 }
    };
    for one in &asked {
        let worse = |a: &&(Cell, &Told), b: &&(Cell, &Told)| {
            let order = (one.2)(a.1).total_cmp(&(one.2)(b.1));
            if one.5 { order } else { order.reverse() }
        };
        let (cell, told) = cells.iter().max_by(worse).ok_or_else(|| fail("no cell"))?;
        teller.tell(&Figure {
            bench: format!("outages: {name}, {}, worst of {} cells: {}", one.0, cells.len(), cell.name()),
            ours: Some(rounded((one.2)(told))),
            peer: None,
            ratio: None,
            goal: one.1.clone(),
            met: Some(meets(told, one)),
            unit: one.3,
            n: kiosks,
            machine: machine(),
        })?;
    }
    let all = cells.iter().filter(|(_, told)| asked.iter().all(|one| meets(told, one))).count();
    teller.tell(&Figure {
        bench: format!("outages: {name}, cells that meet all four"),
        ours: Some(all as f64),
        peer: None,
        ratio: None,
        goal: format!("all {}", cells.len()),
        met: Some(all == cells.len()),
        unit: "cells",
        n: kiosks,
        machine: machine(),
    })
}

/// A cell under each rule, its sites shared by as many threads as there are cores.
fn measured(cell: Cell, sites: usize) -> Result<Vec<Told>, Failure> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let work = || {
        let mut all = vec![Told::default(); RULES.len()];
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= sites {
                return Ok(all);
            }
            let one = at_site(cell, number).map_err(|failure| failure.to_string())?;
            all = all.into_iter().zip(&one).map(|(all, one)| all.with(one)).collect();
        }
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = vec![Told::default(); RULES.len()];
        for thread in running {
            let one: Result<Vec<Told>, String> =
                thread.join().map_err(|_| fail("a thread of the simulation ended"))?;
            all = all.into_iter().zip(&one.map_err(fail)?).map(|(all, one)| all.with(one)).collect();
        }
        Ok(all)
    })
}

/// One site under each rule, beside the same people without leases.
fn at_site(cell: Cell, number: usize) -> Result<Vec<Told>, Failure> {
    let from = (BEFORE + cell.front) / 7 * 7;
    let site = Site::drawn(&cell, number, from + DAYS)?;
    let without = live(&site, Rule::None, cell.front, from);
    let open = (from..from + DAYS).filter(|day| arrivals::is_open(*day)).count() as u64;
    let told = |rule| {
        let lived = live(&site, rule, cell.front, from);
        let mut told = Told {
            away_days: lived.away_days,
            ranked_days: lived.ranked_days,
            expired: lived.expired,
            lent: lived.lent,
            slots: open * u64::from(site.slots),
            overtaken: lived.overtakes.worst(),
            overtakes: lived.overtakes.passing,
            tail_overtakes: lived.overtakes.tail_passing,
            from_lease: lived.leased,
            leased_later: lived.leased_later,
            spread: vec![0; usize::try_from(2 * SPREAD + 1).unwrap_or(1)],
            ..Told::default()
        };
        for (with, without) in lived.online.iter().zip(&without.online) {
            if let (Some(with), Some(without)) = (with, without) {
                told.online += 1;
                let later = with - without;
                told.later += i64::from(later);
                let place = usize::try_from(later.clamp(-SPREAD, SPREAD) + SPREAD).unwrap_or(0);
                if let Some(people) = told.spread.get_mut(place) {
                    *people += 1;
                }
            }
        }
        told
    };
    Ok(RULES.iter().map(|(_, rule)| told(*rule)).collect())
}
