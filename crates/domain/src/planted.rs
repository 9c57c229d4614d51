//! Mistakes the simulation must find (docs/planted.md), each a name asked for at the place
//! where it would be made. Without the feature `planted`, which only the test packages turn
//! on, the answer is a constant and nothing of it is compiled in.

/// Is this bug switched on?
#[cfg(feature = "planted")]
#[must_use]
pub fn on(name: &str) -> bool {
    fail::fail_point!(name, |_| true);
    false
}

/// Is this bug switched on? Never, in what people run.
#[cfg(not(feature = "planted"))]
#[must_use]
#[inline(always)]
pub const fn on(_name: &str) -> bool {
    false
}
