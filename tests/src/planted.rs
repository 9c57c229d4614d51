//! `stand sim --planted`: each bug of docs/planted.md is switched on, and seeds are run from
//! 1 on until one breaks.

use crate::programs::{Failure, fail};
use crate::simulate::{Runs, Until};
use sim::simulation::{Bug, Plant};

/// A bug of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// A seed that finds it, with the invariant it then breaks; none when the list says
    /// that the simulation does not find it.
    pub found: Option<(u64, String)>,
}

/// The list, from its document: the one place where names and seeds stand.
#[must_use]
pub fn listed() -> Vec<Listed> {
    let rows = include_str!("../../docs/planted.md").lines().filter(|line| line.starts_with("| "));
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [number, name, _, _, seed, broke] = cells.as_slice() else { return None };
        number.parse::<u32>().ok()?;
        let found = seed.parse().ok().map(|seed| (seed, (*broke).to_owned()));
        Some(Listed { name: name.trim_matches('`').to_owned(), found })
    })
    .collect()
}

/// Hunts every bug the list says can be found, or those named (with commas between), and of
/// a single one tells the story; prints what was found.
/// Answers false when one was not. Bugs that seldom show are first switched on together, and
/// each is then hunted in the seeds that broke: a thousand seeds are run once, not for each.
///
/// # Errors
/// PostgreSQL or a folder cannot be used; no bug has this name.
pub fn hunt(only: &str, most: u64, rare: bool) -> Result<bool, Failure> {
    let bugs: Vec<Listed> = listed()
        .into_iter()
        .filter(|bug| only == "all" || only.split(',').any(|name| bug.name == name))
        .collect();
    if bugs.is_empty() {
        return Err(fail(format!("docs/planted.md lists no bug {only}")));
    }
    let runs = Runs::start()?;
    let mut seeds: Vec<u64> = (1..=most).collect();
    if rare {
        let _all: Vec<Bug> = bugs.iter().map(|bug| Bug::on(&bug.name)).collect();
        let (_, broken) = runs.seeds(&seeds, Plant::None, Until::Done)?;
        println!("{} of {most} seeds break with all of them", broken.len());
        seeds = broken.iter().map(|broken| broken.seed).collect();
    }
    let (mut firsts, mut missed) = (Vec::new(), 0);
    for bug in &bugs {
        if only == "all" && bug.found.is_none() {
            println!("{:34} not hunted: the list says it is not found here", bug.name);
            continue;
        }
        let switched = Bug::on(&bug.name);
        let (_, broken) = runs.seeds(&seeds, Plant::None, Until::Broken)?;
        match broken.first() {
            Some(broken) => {
                println!("{:34} {:4} {}  {}", bug.name, broken.seed, broken.invariant, broken.what);
                firsts.push(broken.seed);
                if bugs.len() == 1 {
                    tell(&runs.shrink(broken.clone(), Plant::None)?);
                }
            }
            None => {
                println!("{:34} not found in {most} seeds", bug.name);
                missed += 1;
            }
        }
        drop(switched);
    }
    firsts.sort_unstable();
    if let Some(median) = firsts.get(firsts.len() / 2) {
        println!("median of the first seeds that break: {median}");
    }
    println!("{} passed, {missed} failed", firsts.len());
    Ok(missed == 0)
}

/// The story of a broken seed.
pub fn tell(broken: &sim::simulation::Broken) {
    for line in &broken.story {
        println!("  {line}");
    }
    println!("  broke {}: {}", broken.invariant, broken.what);
}
