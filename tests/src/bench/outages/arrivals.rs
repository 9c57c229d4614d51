//! What happens at one site whatever its leases: who comes, when, to which kiosk; when kiosks are
//! away from the network; which are lost. Drawn from a seed.

use crate::bench::outages::Cell;
use crate::programs::Failure;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A moment: minutes since the first midnight. Day 0 is a Monday.
pub type Minute = i32;
pub const DAY: Minute = 1_440;
/// Kiosks of a site.
pub const KIOSKS: usize = 20;
/// When kiosks open and close, in minutes of the day.
pub const OPENS: Minute = 540;
pub const CLOSES: Minute = 1_020;
/// A kiosk is away from the network for one hour in so many.
const AWAY: i32 = 10;
/// Kiosks lost: one in so many a year.
const LOST: i32 = 100;
/// People with a time limit in a hundred, and their terms, as `allocation` has them.
const LIMITED: [(u32, i32, u32); 3] = [(5, 10, 1), (5, 20, 41), (20, 20, 101)];

/// Somebody who asks for a date.
#[derive(Clone, Copy)]
pub struct Arrival {
    pub at: Minute,
    pub kiosk: usize,
    /// The last day on which a date still serves, in days from now.
    pub term: Option<i32>,
}

/// What befalls a kiosk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// An exchange with central, when it can be reached.
    Exchange,
    Cut,
    Back,
    /// Gone with all it holds; another one stands in its place at once.
    Lost,
}

/// One site's history.
pub struct Site {
    pub days: i32,
    /// Slots of each open day: as many as people come.
    pub slots: u16,
    pub people: Vec<Arrival>,
    /// In order; of one moment by kiosk.
    pub events: Vec<(Minute, usize, Event)>,
}

impl Site {
    /// The site of this number in a cell, over `days` days.
    pub fn drawn(cell: &Cell, number: usize, days: i32) -> Result<Self, Failure> {
        let mut drawn = Drawn(ChaCha8Rng::seed_from_u64(cell.seed() ^ u64::try_from(number)?));
        let mut people = Vec::new();
        for day in (0..days).filter(|day| is_open(*day)) {
            for kiosk in 0..KIOSKS {
                for _ in 0..drawn.poisson(f64::from(cell.people)) {
                    let at = day * DAY + OPENS + drawn.below(CLOSES - OPENS);
                    let term = drawn.term();
                    people.push(Arrival { at, kiosk, term });
                }
            }
        }
        people.sort_by_key(|one| (one.at, one.kiosk));
        let mut events = Vec::new();
        // At every other site the whole building is cut off, at the others each kiosk by itself.
        let together = number.is_multiple_of(2);
        let shared = drawn.outages(cell.minutes(), days);
        for kiosk in 0..KIOSKS {
            let own = if together { shared.clone() } else { drawn.outages(cell.minutes(), days) };
            for (cut, back) in own {
                events.push((cut, kiosk, Event::Cut));
                events.push((back, kiosk, Event::Back));
            }
            let turn = i32::try_from(kiosk)? * (CLOSES - OPENS) / i32::try_from(KIOSKS)?;
            for day in (0..days).filter(|day| is_open(*day)) {
                events.push((day * DAY + OPENS + turn, kiosk, Event::Exchange));
            }
            for day in 0..days {
                if drawn.below(365 * LOST) == 0 {
                    events.push((day * DAY + drawn.below(DAY), kiosk, Event::Lost));
                }
            }
        }
        events.sort_unstable();
        let slots = u16::try_from(KIOSKS)? * cell.people;
        Ok(Self { days, slots, people, events })
    }
}

pub fn is_open(day: i32) -> bool {
    day.rem_euclid(7) < 5
}

/// Numbers drawn from a seed.
struct Drawn(ChaCha8Rng);

impl Drawn {
    fn below(&mut self, n: i32) -> i32 {
        let n = u32::try_from(n).unwrap_or(0).max(1);
        i32::try_from(self.0.next_u32() % n).unwrap_or(0)
    }

    fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / f64::from(u32::MAX)
    }

    /// A Poisson number, by counting products of uniform ones.
    fn poisson(&mut self, mean: f64) -> u32 {
        let (least, mut product, mut n) = ((-mean).exp(), self.unit(), 0);
        while product > least {
            product *= self.unit();
            n += 1;
        }
        n
    }

    fn term(&mut self) -> Option<i32> {
        let mut drawn = self.0.next_u32() % 100;
        for (of, least, spread) in LIMITED {
            if drawn < of {
                return Some(least + i32::try_from(self.0.next_u32() % spread).unwrap_or(0));
            }
            drawn -= of;
        }
        None
    }

    /// Outages of one length; what lies between them is drawn, without memory.
    fn outages(&mut self, minutes: Minute, days: i32) -> Vec<(Minute, Minute)> {
        let mut all = Vec::new();
        let mut at = 0;
        loop {
            let gap = -f64::from(minutes * (AWAY - 1)) * (1.0 - self.unit()).max(1e-9).ln();
            // Minutes of a few years: far inside the type.
            at += gap as Minute + 1;
            if at + minutes >= days * DAY {
                return all;
            }
            all.push((at, at + minutes));
            at += minutes;
        }
    }
}
