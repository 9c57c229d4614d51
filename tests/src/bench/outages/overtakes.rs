//! Who was overtaken by dates out of leases: people without a time limit whom central dated
//! before, later than the slot.

/// Counts over working days.
#[derive(Default)]
pub struct Overtakes {
    /// Dates out of leases on an earlier day, as a Fenwick tree over the days they pass.
    passed: Vec<u32>,
    /// People dated, by day.
    people: Vec<u32>,
    /// The day each was given, and how often it had been passed by then.
    dated: Vec<(i32, u32)>,
    /// Dates out of leases that passed somebody, and those of the tail among them.
    pub passing: u64,
    pub tail_passing: u64,
    /// Most front slots the site's kiosks had together.
    front: u32,
}

impl Overtakes {
    /// Central gave somebody this day.
    pub fn dated(&mut self, day: i32, measured: bool) {
        add(&mut self.people, day, 1);
        if measured {
            let before = sum(&self.passed, day);
            self.dated.push((day, before));
        }
    }

    /// Somebody was given this day out of a lease.
    pub fn passes(&mut self, day: i32, tail: bool, measured: bool) {
        // Later days only: within a day nobody waits.
        add(&mut self.passed, day + 1, 1);
        let all = sum(&self.people, i32::MAX);
        let later = all.wrapping_sub(sum(&self.people, day));
        if measured {
            self.passing += u64::from(later > 0);
            self.tail_passing += u64::from(later > 0 && tail);
        }
    }

    pub fn fronts(&mut self, slots: u32) {
        self.front = self.front.max(slots);
    }

    /// How often the most overtaken person was, in front strata of the site.
    pub fn worst(&self) -> f64 {
        let times = |&(day, before): &(i32, u32)| sum(&self.passed, day).wrapping_sub(before);
        let most = self.dated.iter().map(times).max().unwrap_or(0);
        f64::from(most) / f64::from(self.front.max(1))
    }
}

fn add(tree: &mut Vec<u32>, day: i32, n: u32) {
    const DAYS: usize = 4_096;
    if tree.is_empty() {
        tree.resize(DAYS, 0);
    }
    let mut at = usize::try_from(day).unwrap_or(0) + 1;
    while let Some(one) = tree.get_mut(at) {
        *one += n;
        at += at & at.wrapping_neg();
    }
}

/// Of all days up to this one.
fn sum(tree: &[u32], day: i32) -> u32 {
    let mut at = (usize::try_from(day).unwrap_or(0).saturating_add(1)).min(tree.len().saturating_sub(1));
    let mut all = 0;
    while at > 0 {
        all += tree.get(at).copied().unwrap_or(0);
        at &= at - 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_before_with_a_later_day_are_overtaken() {
        let mut told = Overtakes::default();
        told.fronts(2);
        told.dated(5, true);
        told.dated(7, true);
        told.passes(7, true, true);
        assert_eq!((told.passing, told.tail_passing), (0, 0), "nobody had a later day");
        told.passes(6, true, true);
        told.passes(4, false, true);
        assert_eq!((told.passing, told.tail_passing), (2, 1));
        // Who comes now was passed by none of them.
        told.dated(9, true);
        assert_eq!(told.worst(), 1.0, "twice, where the front has two slots");
        told.passes(8, false, false);
        assert_eq!((told.passing, told.tail_passing), (2, 1), "not measured");
        told.passes(3, false, true);
        assert_eq!(told.worst(), 1.5);
    }
}
