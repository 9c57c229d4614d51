//! Sets of positions, looked through 64 at a time.

const WORD: usize = 64;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Clone for Bits {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }

    fn clone_from(&mut self, other: &Self) {
        self.0.clone_from(&other.0);
    }
}

impl Bits {
    pub fn none(len: usize) -> Self {
        Self(vec![0; len.div_ceil(WORD)])
    }

    pub fn of(all: impl ExactSizeIterator<Item = bool>) -> Self {
        let mut bits = Self::none(all.len());
        for (n, on) in all.enumerate() {
            if on {
                bits.set(n);
            }
        }
        bits
    }

    pub fn set(&mut self, n: usize) {
        if let Some(word) = self.0.get_mut(n / WORD) {
            *word |= 1 << (n % WORD);
        }
    }

    pub fn clear(&mut self, n: usize) {
        if let Some(word) = self.0.get_mut(n / WORD) {
            *word &= !(1 << (n % WORD));
        }
    }

    pub fn has(&self, n: usize) -> bool {
        self.word(n / WORD) & (1 << (n % WORD)) != 0
    }

    pub fn remove(&mut self, other: &Self) {
        for (word, gone) in self.0.iter_mut().zip(&other.0) {
            *word &= !gone;
        }
    }

    fn word(&self, n: usize) -> u64 {
        self.0.get(n).copied().unwrap_or(0)
    }
}

/// The first position from `first` to before `after` that is in every one of `all`.
pub(super) fn first_in(all: &[&Bits], first: usize, after: usize) -> Option<usize> {
    let mut at = first;
    while at < after {
        let n = at / WORD;
        let word = all.iter().fold(u64::MAX << (at % WORD), |word, bits| word & bits.word(n));
        if word != 0 {
            let found = n * WORD + usize::try_from(word.trailing_zeros()).unwrap_or(WORD);
            return (found < after).then_some(found);
        }
        at = (n + 1) * WORD;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_of_both(
            a in prop::collection::vec(any::<bool>(), 0..200), b in prop::collection::vec(any::<bool>(), 200),
            first in 0usize..210, after in 0usize..210,
        ) {
            let (one, two) = (Bits::of(a.iter().copied()), Bits::of(b.iter().copied()));
            let expected = (first..after).find(|n| a.get(*n) == Some(&true) && b.get(*n) == Some(&true));
            prop_assert_eq!(first_in(&[&one, &two], first, after), expected);
            let mut left = one.clone();
            left.remove(&two);
            for n in 0..a.len() {
                prop_assert_eq!(left.has(n), a[n] && !b[n]);
            }
        }
    }
}
