//! Where a seed's choices and its time come from. Nothing here reads a clock or the
//! operating system's randomness.

use app::World;
use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Fills a buffer, always the same way for the same seed.
pub(super) type Fill = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// One stream of choices. Streams of one seed do not disturb each other.
pub struct Dice(ChaCha8Rng);

impl Dice {
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(at(seed, stream))
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end.max(1)
    }

    /// An index below `len`, which is at least 1.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).unwrap_or(u64::MAX))).unwrap_or(0)
    }

    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below((to - from).unsigned_abs() + 1)).unwrap_or(0)
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.index(at + 1));
        }
    }
}

/// A stream of bytes for keys, ids and salts.
pub(super) struct Bytes {
    seed: u64,
    rng: Arc<Mutex<ChaCha8Rng>>,
}

impl Bytes {
    pub fn new(seed: u64, stream: u64) -> Self {
        Self { seed, rng: Arc::new(Mutex::new(at(seed, stream))) }
    }

    /// Goes on with another stream, wherever this one stood.
    pub fn turn(&self, stream: u64) {
        *self.rng.lock().unwrap_or_else(PoisonError::into_inner) = at(self.seed, stream);
    }

    pub fn fill(&self) -> Fill {
        let rng = Arc::clone(&self.rng);
        Arc::new(move |buffer| rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer))
    }
}

fn at(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// A clock that stands still until it is set. `offset` is how far a machine's own clock
/// is from the true time.
#[derive(Clone)]
pub(super) struct Time {
    now_s: Arc<AtomicI64>,
    offset_s: Arc<AtomicI64>,
}

impl Time {
    pub fn new(start: Timestamp) -> Self {
        Self { now_s: Arc::new(AtomicI64::new(start.as_second())), offset_s: Arc::default() }
    }

    /// Another machine's clock under the same true time.
    pub fn beside(&self) -> Self {
        Self { now_s: Arc::clone(&self.now_s), offset_s: Arc::default() }
    }

    pub fn now(&self) -> Timestamp {
        let second = self.now_s.load(Ordering::SeqCst) + self.offset_s.load(Ordering::SeqCst);
        Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What it is without any machine's offset.
    pub fn true_now(&self) -> Timestamp {
        Timestamp::from_second(self.now_s.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub fn pass(&self, seconds: i64) {
        self.now_s.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn set_offset(&self, seconds: i64) {
        self.offset_s.store(seconds, Ordering::SeqCst);
    }

    pub fn clock(&self) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
        let time = self.clone();
        Arc::new(move || time.now())
    }

    /// True time passes for every machine, whatever its clock is set to.
    fn stopwatch(&self) -> Arc<dyn Fn() -> Duration + Send + Sync> {
        let now_s = Arc::clone(&self.now_s);
        Arc::new(move || Duration::from_secs(u64::try_from(now_s.load(Ordering::SeqCst)).unwrap_or(0)))
    }

    pub fn world(&self, random: Fill) -> World {
        World { clock: self.clock(), since_boot: self.stopwatch(), random }
    }
}
