//! `cargo xtask test`: everything that must hold before main moves. Counts what ran; a
//! step that runs no test is a failure, not a pass.

use crate::place::{cargo, root, step};
use crate::stand::{GRAPH, alone, build, program, stand};
use crate::{Done, Stop, setup, tidy};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Tests of many seconds each, which the short run says it leaves out.
const LONG: [&str; 6] = [
    "every_bug_is_found_with_its_seed_and_nothing_without",
    "a_broken_seed_shrinks_to_a_story",
    "two_thousand_kiosks_back_in_the_same_second_are_all_served",
    "a_dates_answer_cut_at_each_byte_gives_one_date",
    "an_exchange_cut_at_each_byte_loses_and_doubles_nothing",
    "a_thin_line_carries_records_and_pages",
];

/// The stories on a real central that the short run tells: a counter from end to end, the endpoints against
/// what strangers send, records by runs and one by one, the worked example. Every crate's own tests run too.
const SHORT: [&str; 5] = ["hostile", "protocol", "register", "runs", "waitlist"];

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

/// `cargo xtask test [--fast]`.
pub fn test(args: &[String]) -> Done {
    let fast = match args {
        [] => false,
        [flag] if flag == "--fast" => true,
        _ => return Err(Stop::Usage),
    };
    let mut tally = Tally::default();
    let done = all(fast, &mut tally);
    if let Err(stop) = &done {
        tally.failed = tally.failed.max(1);
        eprintln!("xtask: {stop:?}");
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    match done {
        Ok(()) if tally.failed == 0 && tally.passed > 0 => Ok(()),
        Ok(()) => Err(Stop::Code(1)),
        // What was missing keeps its own code.
        Err(Stop::Missing(line)) => Err(Stop::Missing(line)),
        Err(_) => Err(Stop::Code(1)),
    }
}

fn all(fast: bool, tally: &mut Tally) -> Done {
    let ready = setup::setup()?;
    tidy::tidy()?;
    step("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    step("clippy", cargo(&["clippy"]).args(GRAPH).args(["--", "-D", "warnings"]))?;
    step("window types", &mut ready.npm(&["run", "--silent", "typecheck"]))?;
    step("window lint", &mut ready.npm(&["run", "--silent", "lint"]))?;
    counted("window tests", &mut ready.npm(&["run", "--silent", "test"]), tally)?;
    // Programs and tests in one graph: `cargo test` alone leaves out programs without tests of their own.
    build()?;
    step(
        "generated types are as the contract says",
        Command::new(program("stand")).args(["codegen", "--check"]).current_dir(root()),
    )?;
    let mut tests = cargo_words(&["test", "--workspace", "--features", "kiosk/webdriver", "--no-fail-fast"]);
    if fast {
        let chosen = short()?;
        let told: Vec<String> =
            named_in("tests/tests")?.into_iter().filter(|name| chosen.contains(name)).collect();
        println!("of the stories in tests/ only: {}", told.join(", "));
        println!(
            "left out, being long: central against its description, examples in documents, {}",
            LONG.join(", ")
        );
        tests.extend(["--lib", "--bins"].map(String::from));
        tests.extend(chosen.into_iter().flat_map(|name| ["--test".to_owned(), name]));
        tests.push("--".into());
        tests.extend(LONG.iter().flat_map(|name| ["--skip".to_owned(), (*name).to_owned()]));
    }
    // Inside a tree of its own: whatever a test starts ends with it.
    counted("tests", &mut alone(&tests, false), tally)?;
    if !fast {
        let program = ["--program".into(), ready.schemathesis.display().to_string()];
        counted("central as described", &mut stand("described", &program, false), tally)?;
    }
    counted(
        "simulation",
        &mut stand("sim", &[String::from("--seeds"), if fast { "50" } else { "1000" }.into()], false),
        tally,
    )?;
    let (points, kills) = if fast { ("300", "20") } else { ("3000", "100") };
    let storm = ["--points", points, "--kills", kills].map(String::from);
    counted("crash points and kills", &mut stand("crash", &storm, false), tally)?;
    let out = crate::place::target().join("jalon-journey");
    let journey = [
        "--headless",
        "--fresh",
        "--dir",
        &out.join("run").display().to_string(),
        "--out",
        &out.join("out").display().to_string(),
    ]
    .map(String::from);
    counted("the real window", &mut stand("run", &journey, true), tally)
}

/// The test programs of the short run: those beside the crates' sources, and [`SHORT`]. Named, all
/// packages stay chosen: it is the one graph.
fn short() -> Result<BTreeSet<String>, Stop> {
    let mut names = BTreeSet::from(SHORT.map(String::from));
    for package in std::fs::read_dir(root().join("crates")).map_err(unread)? {
        let folder = package.map_err(unread)?.path().join("tests");
        if folder.is_dir() {
            names.extend(named_in(folder)?);
        }
    }
    Ok(names)
}

/// The test programs of a folder: a file each, or a folder with its own `main.rs`.
fn named_in(folder: impl AsRef<Path>) -> Result<BTreeSet<String>, Stop> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(root().join(folder)).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let is_one = path.extension().is_some_and(|ending| ending == "rs") || path.join("main.rs").is_file();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()).filter(|_| is_one) {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}

fn unread(error: std::io::Error) -> Stop {
    Stop::Failed(format!("the test programs cannot be listed: {error}"))
}

fn cargo_words(args: &[&str]) -> Vec<String> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    std::iter::once(program).chain(args.iter().map(|arg| (*arg).to_owned())).collect()
}

/// Runs a test program, shows what it prints, and adds up its closing lines.
fn counted(name: &str, command: &mut Command, tally: &mut Tally) -> Done {
    println!("== {name}");
    let failed = |error: std::io::Error| Stop::Failed(format!("{name}: {error}"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut ran = 0;
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line.map_err(failed)?;
            println!("{line}");
            if let Some((passed, bad)) = closing(&line) {
                ran += passed + bad;
                tally.passed += passed;
                tally.failed += bad;
            }
        }
    }
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        tally.failed += u64::from(tally.failed == 0);
        return Err(Stop::Refused(format!("{name} did not pass ({status})")));
    }
    if ran == 0 {
        return Err(Stop::Refused(format!("{name} ran no test")));
    }
    Ok(())
}

/// What a closing line counts: cargo test's, vitest's, or our own `N passed, N failed`.
fn closing(line: &str) -> Option<(u64, u64)> {
    let plain = strip_colour(line);
    let line = plain.trim();
    let counted = line.starts_with("test result:")
        || line.starts_with("Tests ")
        || line.ends_with(" failed") && line.contains(" passed, ");
    if !counted {
        return None;
    }
    let words: Vec<&str> =
        line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let before = |what: &str| {
        words
            .windows(2)
            .find(|pair| pair.get(1) == Some(&what))
            .and_then(|pair| pair.first()?.parse::<u64>().ok())
    };
    Some((before("passed").unwrap_or(0), before("failed").unwrap_or(0)))
}

fn strip_colour(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            for end in chars.by_ref() {
                if end.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::closing;

    #[test]
    fn closing_lines_are_counted() {
        assert_eq!(closing("test result: ok. 23 passed; 0 failed; 0 ignored; 0 measured"), Some((23, 0)));
        assert_eq!(
            closing("\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m12 passed\u{1b}[39m (12)"),
            Some((12, 0))
        );
        assert_eq!(closing("      Tests  1 failed | 11 passed (12)"), Some((11, 1)));
        assert_eq!(closing("15 passed, 0 failed"), Some((15, 0)));
        assert_eq!(closing("test a::b ... ok"), None);
    }
}
