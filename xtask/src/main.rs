//! `cargo xtask …`: everything the project does with itself. Small on purpose: it sets
//! up, builds and calls; the work is done by the workspace's own programs.

// serde_json answers null for a key that is not there: reading by key never panics.
#![allow(clippy::indexing_slicing)]

mod place;
mod setup;
mod stand;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask setup                 install what Debian lacks, Node packages, the built window
cargo xtask run [--headless] [--fresh] [--dir PATH] [--out DIR]
                [--central URL --code CODE --ca FILE] [--printer URI] [--scanner NAME]
cargo xtask test [--fast]         set-up, tidy, format, lints, every test, the real window
cargo xtask sim [--seeds N] [--seed S] [--planted [NAME]]
cargo xtask crash [--points N] [--kills N] [--seed S]
cargo xtask bench failover|drain|audit|growth|allocation|slots|outages [--json] [--n N]
cargo xtask codegen               write the window's types from the contract
cargo xtask tidy                  levels, file sizes, names";

/// Why a task stops, as an exit code every binary of Jalon shares.
#[derive(Debug)]
pub enum Stop {
    /// 1: a check or a test did not pass.
    Refused(String),
    /// 2
    Usage,
    /// 3: something must be installed first; the line to run is the text.
    Missing(String),
    /// 4
    Failed(String),
    /// A program that ran to its end with this code.
    Code(u8),
}

pub type Done = Result<(), Stop>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    let done = match args.first().map(String::as_str) {
        Some("setup") => setup::setup().map(|_| ()),
        Some("run") => stand::run(rest),
        Some("test") => test::test(rest),
        Some("sim") => stand::sim(rest),
        Some("crash") => stand::crash(rest),
        Some("bench") => stand::bench(rest),
        Some("codegen") => stand::codegen(rest),
        Some("tidy") => tidy::tidy(),
        _ => Err(Stop::Usage),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Code(code)) => ExitCode::from(code),
        Err(Stop::Refused(why)) => told(&why, 1),
        Err(Stop::Usage) => told(USAGE, 2),
        Err(Stop::Missing(line)) => told(&format!("something is missing; run:\n  {line}"), 3),
        Err(Stop::Failed(why)) => told(&why, 4),
    }
}

fn told(why: &str, code: u8) -> ExitCode {
    eprintln!("xtask: {why}");
    ExitCode::from(code)
}
