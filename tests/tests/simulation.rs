//! The simulation itself: a seed repeats exactly, and a fault planted on purpose is
//! found under the right name. The seeds proper run as `stand sim`.

use journeys::simulate::seeds_on;
use sim::simulation::Plant;

#[test]
fn a_seed_repeats_exactly() {
    let (once, broken) = seeds_on(&[7], Plant::None).unwrap();
    assert_eq!(broken, []);
    let (again, _) = seeds_on(&[7], Plant::None).unwrap();
    assert!(!once.shown.is_empty());
    assert_eq!(once, again);
}

#[test]
fn a_slot_given_twice_is_found() {
    let (_, broken) = seeds_on(&[1, 2, 3, 4, 5, 6], Plant::SlotTwice).unwrap();
    assert!(broken.iter().any(|broken| broken.invariant == "I1"), "{broken:?}");
}

#[test]
fn a_forgotten_duplicate_is_found() {
    let (_, broken) = seeds_on(&[1, 2, 3, 4, 5, 6], Plant::LinksForgotten).unwrap();
    assert!(broken.iter().any(|broken| broken.invariant == "I2"), "{broken:?}");
}

#[test]
fn a_date_after_the_promised_day_is_found() {
    let (_, broken) = seeds_on(&[1, 2, 3, 4, 5, 6], Plant::DatedTooLate).unwrap();
    assert!(broken.iter().any(|broken| broken.invariant == "I3"), "{broken:?}");
}

#[test]
fn a_restored_central_without_its_lease_log_is_found() {
    let seeds: Vec<u64> = (1..=80).collect();
    let (tally, broken) = seeds_on(&seeds, Plant::LogIgnored).unwrap();
    assert!(tally.restored > 0);
    // What happens to the people of these seeds, as often as not.
    assert!(tally.came > 0 && tally.elsewhere > 0 && tally.called > 0, "{tally:?}");
    assert!(broken.iter().any(|broken| broken.invariant == "I1"), "{broken:?}");
}

#[test]
fn a_vault_that_lost_what_it_kept_is_found() {
    let (_, broken) = seeds_on(&[1, 2, 3, 4, 5, 6], Plant::VaultRestored).unwrap();
    assert!(broken.iter().any(|broken| broken.invariant == "I6"), "{broken:?}");
    let told = broken.first().map(ToString::to_string).unwrap_or_default();
    assert!(told.starts_with("seed 1 broke I6 at step "), "{told}");
}
