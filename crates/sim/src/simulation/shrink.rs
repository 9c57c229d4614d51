//! From a seed that breaks to a story short enough to read: moves are dropped as long as
//! the same invariant still breaks, until not one of them can be dropped.

use super::{Broken, Ground, Plant, moves};

/// Runs of one shrinking: a seed is short, a wait for a story must be too.
const RUNS: usize = 400;

impl Ground {
    /// The shortest story found of how this seed breaks what `broken` says.
    pub async fn shrink(&self, broken: Broken, plant: Plant) -> Broken {
        let mut best = broken;
        let mut kept = moves::script(best.seed);
        let mut runs = 0;
        let mut size = kept.len() / 2;
        while size > 0 && runs < RUNS {
            let mut at = 0;
            let mut dropped = false;
            while at < kept.len() && runs < RUNS {
                let mut fewer = kept.clone();
                fewer.drain(at..(at + size).min(kept.len()));
                runs += 1;
                match self.run_script(best.seed, plant, &fewer).await {
                    Err(broke) if broke.invariant == best.invariant => {
                        (kept, best, dropped) = (fewer, broke, true);
                    }
                    _ => at += size,
                }
            }
            // At single moves until a whole round drops none.
            if size > 1 || !dropped {
                size /= 2;
            }
        }
        best
    }
}
