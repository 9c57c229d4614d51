//! Bugs switched on by name are found by the simulation, with the seed docs/planted.md
//! records for each; without them the same seeds hold. A seed that breaks becomes a story.

use journeys::planted::listed;
use journeys::simulate::{Runs, Until};
use sim::simulation::{Bug, Plant};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A bug is switched on for the whole process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn every_bug_is_found_with_its_seed_and_nothing_without() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let bugs = listed();
    assert!(bugs.len() >= 40, "{}", bugs.len());
    let found: Vec<_> = bugs.iter().filter_map(|bug| Some((&bug.name, bug.found.as_ref()?))).collect();
    assert!(found.len() >= 40, "{}", found.len());
    let runs = Runs::start().unwrap();
    let seeds: BTreeSet<u64> = found.iter().map(|(_, (seed, _))| *seed).collect();
    let seeds: Vec<u64> = seeds.into_iter().collect();
    let (_, broken) = runs.seeds(&seeds, Plant::None, Until::Done).unwrap();
    assert_eq!(broken, [], "without a bug");
    let mut missed = Vec::new();
    for (name, (seed, invariant)) in found {
        let _bug = Bug::on(name);
        let (_, broken) = runs.seeds(&[*seed], Plant::None, Until::Done).unwrap();
        if broken.first().is_none_or(|broken| broken.invariant != invariant) {
            missed.push((name, seed, broken));
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_broken_seed_shrinks_to_a_story() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let bug = listed().into_iter().find(|bug| bug.name == "leased_slot_not_taken").unwrap();
    let (seed, invariant) = bug.found.unwrap();
    let _bug = Bug::on(&bug.name);
    let runs = Runs::start().unwrap();
    let (_, broken) = runs.seeds(&[seed], Plant::None, Until::Done).unwrap();
    let long = broken.first().unwrap().clone();
    let short = runs.shrink(long.clone(), Plant::None).unwrap();
    assert_eq!(short.invariant, invariant);
    // Two people at one kiosk are all it takes: each is registered, and gets a date.
    let registered = short.story.iter().filter(|line| line.contains("is registered")).count();
    assert_eq!(registered, 2, "{:#?}", short.story);
    assert!(short.story.len() <= long.story.len());
}

#[test]
fn the_list_and_the_code_name_the_same_bugs() {
    let listed: BTreeSet<String> = listed().into_iter().map(|bug| bug.name).collect();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates");
    let mut planted = BTreeSet::new();
    let mut folders = vec![std::path::PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                planted.extend(names(&std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    let unknown: Vec<_> = planted.difference(&listed).collect();
    assert!(unknown.is_empty(), "not in docs/planted.md: {unknown:?}");
    // One is left out: no power goes between two commits in the simulation.
    let absent: Vec<_> = listed.difference(&planted).collect();
    assert_eq!(absent, ["kept_in_two_commits"]);
}

/// The names in `planted::on("…")` and the two calls that run a statement.
fn names(source: &str) -> Vec<String> {
    let calls = ["planted::on(", "planted::sql(", "self.planted("];
    let after = calls.iter().flat_map(|call| source.split(call).skip(1));
    after
        .filter_map(|text| {
            let before = text.split(';').next()?.split_once('"')?.1;
            Some(before.split('"').next()?.to_owned())
        })
        .collect()
}
