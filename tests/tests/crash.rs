#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The crash harness itself: it finds a loss where there must be one, and none in the
//! kiosk. The storms proper run as `stand crash`.

use journeys::crash::{Crash, storm};

#[test]
fn what_must_lose_is_caught_and_the_kiosk_keeps_everything() {
    let outcome = storm(&Crash { points: 60, kills: Some(6), seed: 7 }).unwrap();
    assert_eq!(outcome.kills.kills, 6);
    assert_eq!(outcome.kills.lost, Vec::<String>::new());
    assert!(outcome.points.lost.is_empty(), "{:?}", outcome.points.lost);
    assert!(outcome.points.unsynced > 0 && outcome.points.kept > 0, "{:?}", outcome.points);
    // SQLite's NORMAL loses what it said to keep; a disk that lies makes the kiosk lose.
    assert!(!outcome.normal.lost.is_empty());
    assert!(!outcome.lying.lost.is_empty());
    // The same table with FULL keeps everything, at the same points.
    assert!(outcome.full.lost.is_empty(), "{:?}", outcome.full.lost);
    // A disk that fails: the kiosk stops, and nothing it said is only in memory.
    assert!(outcome.faults.lost.is_empty(), "{:?}", outcome.faults.lost);
    assert!(outcome.faults.faults >= 9 && outcome.faults.stopped > 0, "{:?}", outcome.faults);
    assert_eq!(outcome.failed(), 0);
    let errands: Vec<&str> = outcome.errands.kills.keys().copied().collect();
    assert_eq!(errands, ["migrating", "pushing", "scanning"]);
    assert_eq!(outcome.errands.lost, Vec::<String>::new());
    assert_eq!(outcome.passed(), 69 + outcome.errands.all() + outcome.faults.faults);
}
