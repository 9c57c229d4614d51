//! People matched to buckets of slots, and rearranged along augmenting paths. The sets of people
//! that can be served together are a matroid (transversal): taking them in rank order, each who
//! still can be, serves the most and the best ranked at once.
//!
//! A search that finds no room has found a *closed part*: full buckets whose people can go
//! nowhere else. It stays closed, so it is never searched from outside again.

use super::bits::{Bits, first_in};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A person's window as positions of buckets, first to before `after`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seeker {
    pub class: usize,
    pub first: usize,
    pub after: usize,
}

/// People of one class in one bucket who may still move.
#[derive(Debug, Default)]
struct Movers {
    /// By the first bucket they may have.
    by_first: BTreeSet<(usize, usize)>,
    /// By the bucket after the last.
    by_after: BTreeSet<(usize, usize)>,
}

impl Movers {
    /// Their windows together. Each holds this bucket, so it is one.
    fn reach(&self) -> Option<(usize, usize)> {
        Some((self.by_first.first()?.0, self.by_after.last()?.0))
    }
}

#[derive(Debug)]
struct Place {
    free: u32,
    /// Slots nobody has been given for good.
    left: u32,
    /// The closed part it is in; 0 is what is in none.
    part: usize,
    movers: BTreeMap<usize, Movers>,
}

/// Where a search came from: a bucket, and the class of who would move.
type Step = Option<(usize, usize)>;

pub(super) struct Matching<'p> {
    seekers: &'p [Seeker],
    /// For each class, the buckets that serve it.
    served: Vec<Bits>,
    places: Vec<Place>,
    vacant: Bits,
    /// Buckets with slots nobody has been given for good.
    left: Bits,
    parts: Vec<Bits>,
    held: Vec<Option<usize>>,
    /// Of the search under way: what of its part it has not come to.
    unseen: Bits,
    came: Vec<Step>,
}

impl<'p> Matching<'p> {
    pub fn new(seekers: &'p [Seeker], served: Vec<Bits>, free: impl Iterator<Item = u32>) -> Self {
        let places: Vec<Place> =
            free.map(|free| Place { free, left: free, part: 0, movers: BTreeMap::new() }).collect();
        let vacant = Bits::of(places.iter().map(|place| place.free > 0));
        let all = Bits::of(places.iter().map(|_| true));
        Self {
            seekers,
            served,
            left: vacant.clone(),
            vacant,
            parts: vec![all],
            held: vec![None; seekers.len()],
            unseen: Bits::none(places.len()),
            came: vec![None; places.len()],
            places,
        }
    }

    /// Serves this person beside those admitted before, who may move for it. False, and nothing
    /// changed, when that cannot be.
    pub fn admit(&mut self, who: usize) -> bool {
        let Some(&Seeker { class, first, after }) = self.seekers.get(who) else { return false };
        let (Some(served), Some(open)) = (self.served.get(class), self.parts.first()) else { return false };
        if let Some(at) = first_in(&[served, &self.vacant], first, after) {
            self.fill(at);
            self.enter(who, at);
            return true;
        }
        let mut roots = VecDeque::new();
        let mut from = first;
        while let Some(at) = first_in(&[served, open], from, after) {
            roots.push_back(at);
            from = at + 1;
        }
        match self.search(roots, 0, None) {
            Some(end) => {
                self.fill(end);
                let root = self.shift(end);
                self.enter(who, root);
                true
            }
            None => {
                self.close(0);
                false
            }
        }
    }

    /// Gives an admitted person, for good, the first bucket that leaves everybody admitted
    /// served. In rank order.
    pub fn fix(&mut self, who: usize) -> Option<usize> {
        let Seeker { class, first, .. } = *self.seekers.get(who)?;
        let home = (*self.held.get(who)?)?;
        self.leave(who, home);
        let part = self.places.get(home)?.part;
        let mut from = first;
        loop {
            let at = first_in(&[self.served.get(class)?, &self.left, self.parts.get(part)?], from, home + 1)?;
            let room = at == home || self.vacant.has(at);
            if !room {
                let Some(end) = self.search(VecDeque::from([at]), part, Some(home)) else {
                    self.close(part);
                    from = at + 1;
                    continue;
                };
                if end != home {
                    self.fill(end);
                    self.vacate(home);
                }
                self.shift(end);
            } else if at != home {
                self.fill(at);
                self.vacate(home);
            }
            self.keep(who, at);
            return Some(at);
        }
    }

    /// Gives anybody, for good, the first bucket of the class with a free slot from their first
    /// day on. After everybody admitted is fixed.
    pub fn left_over(&mut self, who: usize) -> Option<usize> {
        let Seeker { class, first, .. } = *self.seekers.get(who)?;
        let at = first_in(&[self.served.get(class)?, &self.vacant], first, self.places.len())?;
        self.fill(at);
        self.keep(who, at);
        Some(at)
    }

    /// Looks from these buckets for a free slot, or for `home`, which is about to be left, through
    /// people who could move, within one part. None: what was seen is closed.
    fn search(&mut self, roots: VecDeque<usize>, part: usize, home: Option<usize>) -> Option<usize> {
        self.unseen.clone_from(self.parts.get(part)?);
        for root in &roots {
            self.unseen.clear(*root);
            *self.came.get_mut(*root)? = None;
        }
        let mut queue = roots;
        while let Some(at) = queue.pop_front() {
            for (class, movers) in &self.places.get(at)?.movers {
                let (Some((first, after)), Some(served)) = (movers.reach(), self.served.get(*class)) else {
                    continue;
                };
                let home = home.filter(|home| (first..after).contains(home) && served.has(*home));
                let end = home.or_else(|| first_in(&[served, &self.vacant, &self.unseen], first, after));
                if let Some(end) = end {
                    *self.came.get_mut(end)? = Some((at, *class));
                    return Some(end);
                }
                let mut from = first;
                while let Some(next) = first_in(&[served, &self.unseen], from, after) {
                    self.unseen.clear(next);
                    *self.came.get_mut(next)? = Some((at, *class));
                    queue.push_back(next);
                    from = next + 1;
                }
            }
        }
        None
    }

    /// Moves people along the path that ends here, each into the place of the next; answers
    /// where the path began, which has room now.
    fn shift(&mut self, end: usize) -> usize {
        let mut to = end;
        while let Some(Some((from, class))) = self.came.get(to).copied() {
            let movers = self.places.get(from).and_then(|place| place.movers.get(&class));
            let who = match movers {
                Some(movers) if to < from => movers.by_first.first(),
                Some(movers) => movers.by_after.last(),
                None => None,
            };
            let Some(&(_, who)) = who else { return to };
            self.leave(who, from);
            self.enter(who, to);
            to = from;
        }
        to
    }

    /// What the last search has seen of its part is closed.
    fn close(&mut self, part: usize) {
        let number = self.parts.len();
        let Some(of) = self.parts.get_mut(part) else { return };
        let mut seen = std::mem::replace(of, self.unseen.clone());
        seen.remove(&self.unseen);
        let mut from = 0;
        while let Some(at) = first_in(&[&seen], from, self.places.len()) {
            if let Some(place) = self.places.get_mut(at) {
                place.part = number;
            }
            from = at + 1;
        }
        if from > 0 {
            self.parts.push(seen);
        }
    }

    fn enter(&mut self, who: usize, at: usize) {
        let (Some(seeker), Some(place)) = (self.seekers.get(who), self.places.get_mut(at)) else { return };
        let movers = place.movers.entry(seeker.class).or_default();
        movers.by_first.insert((seeker.first, who));
        movers.by_after.insert((seeker.after, who));
        if let Some(held) = self.held.get_mut(who) {
            *held = Some(at);
        }
    }

    fn leave(&mut self, who: usize, at: usize) {
        let (Some(seeker), Some(place)) = (self.seekers.get(who), self.places.get_mut(at)) else { return };
        if let Some(movers) = place.movers.get_mut(&seeker.class) {
            movers.by_first.remove(&(seeker.first, who));
            movers.by_after.remove(&(seeker.after, who));
        }
    }

    fn keep(&mut self, who: usize, at: usize) {
        if let Some(place) = self.places.get_mut(at) {
            place.left = place.left.saturating_sub(1);
            if place.left == 0 {
                self.left.clear(at);
            }
        }
        if let Some(held) = self.held.get_mut(who) {
            *held = Some(at);
        }
    }

    fn fill(&mut self, at: usize) {
        if let Some(place) = self.places.get_mut(at) {
            place.free = place.free.saturating_sub(1);
            if place.free == 0 {
                self.vacant.clear(at);
            }
        }
    }

    fn vacate(&mut self, at: usize) {
        if let Some(place) = self.places.get_mut(at) {
            place.free += 1;
            self.vacant.set(at);
        }
    }
}
