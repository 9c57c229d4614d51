//! Is this machine fit to be a kiosk? What the vault, the system, central and the devices say,
//! each as one check with what it means and what to do. Changes nothing; names no person.

mod machine;
mod own;
mod reach;

use crate::kiosk::World;
use crate::settings::Settings;
use l10n::Lang;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Ok,
    /// The counter works; somebody should look.
    Warn,
    /// To be mended before people come.
    Fail,
    /// The system does not tell, or it cannot be looked at now.
    Unknown,
}

impl State {
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing looked at. Its sentence is `doctor-<id>-<state>` in `locales/<lang>/doctor.ftl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub id: &'static str,
    pub state: State,
    pub args: BTreeMap<&'static str, String>,
}

impl Check {
    pub(crate) fn new(id: &'static str, state: State) -> Self {
        Self { id, state, args: BTreeMap::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.insert(name, value.to_string());
        self
    }

    /// What it means and what to do.
    #[must_use]
    pub fn sentence(&self, lang: &Lang) -> String {
        let key = format!("doctor-{}-{}", self.id.replace('_', "-"), self.state.key());
        let args: Vec<(&str, &str)> = self.args.iter().map(|(name, value)| (*name, value.as_str())).collect();
        l10n::text(lang, &key, &args)
    }
}

/// Every check, in the order a person mends them.
#[derive(Debug)]
pub struct Report {
    pub checks: Vec<Check>,
    pub versions: BTreeMap<&'static str, String>,
}

impl Report {
    /// Does nothing fail?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.state != State::Fail)
    }

    #[must_use]
    pub fn to_json(&self, lang: &Lang) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| {
                json!({
                    "id": check.id,
                    "state": check.state.key(),
                    "args": check.args,
                    "sentence": check.sentence(lang),
                })
            })
            .collect();
        json!({ "ok": self.holds(), "checks": checks, "versions": self.versions })
    }
}

/// Where the system says how it is: `/`, or a folder a test has furnished.
#[derive(Debug, Clone)]
pub struct Machine {
    pub root: PathBuf,
    /// Where programs put what they need for a moment.
    pub temp: PathBuf,
}

impl Machine {
    #[must_use]
    pub fn system() -> Self {
        Self { root: PathBuf::from("/"), temp: std::env::temp_dir() }
    }

    /// A path of the system, given without its first `/`.
    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

/// Looks at everything. Each look has its own time limit.
pub async fn examine(settings: &Settings, machine: &Machine, world: &World) -> Report {
    let (own, found) = own::checks(settings, world).await;
    let mut checks = own;
    checks.extend(machine::checks(machine, &settings.home));
    checks.extend(reach::checks(&found, world).await);
    Report { checks, versions: versions(machine) }
}

fn versions(machine: &Machine) -> BTreeMap<&'static str, String> {
    let line = |path: &str| std::fs::read_to_string(machine.at(path)).ok().map(|text| text.trim().to_owned());
    let system = line("etc/os-release").and_then(|text| {
        let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(name.trim_matches('"').to_owned())
    });
    let mut versions = BTreeMap::from([("jalon", env!("CARGO_PKG_VERSION").to_owned())]);
    versions.extend(system.map(|system| ("system", system)));
    versions.extend(line("proc/sys/kernel/osrelease").map(|kernel| ("kernel", kernel)));
    versions
}

/// The text of a small file of the system.
fn text(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
