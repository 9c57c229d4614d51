//! `report.json`: every step, in order, with what was seen. Written also when a step
//! fails; one that was not reached stands as null.

use crate::programs::Failure;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The steps of the main job, in order.
pub const STEPS: [&str; 18] = [
    "unlock",
    "empty-chair",
    "online-date",
    "print-online",
    "cut",
    "scan",
    "offline-date",
    "print-offline",
    "kill",
    "ranked",
    "back",
    "together",
    "acknowledged",
    "given-up",
    "pieces",
    "once",
    "verify",
    "forged",
];

struct Step {
    ok: Option<bool>,
    ms: u64,
    screenshot: Option<String>,
    evidence: Value,
}

pub struct Report {
    out: PathBuf,
    started: jiff::Timestamp,
    steps: Vec<Step>,
    pub registrations: Value,
    pub counts: Value,
    pub error: Option<String>,
    clock: Instant,
}

impl Report {
    #[must_use]
    pub fn new(out: &Path) -> Self {
        let steps =
            STEPS.iter().map(|_| Step { ok: None, ms: 0, screenshot: None, evidence: Value::Null }).collect();
        Self {
            out: out.to_owned(),
            started: jiff::Timestamp::now(),
            steps,
            registrations: json!([]),
            counts: json!({}),
            error: None,
            clock: Instant::now(),
        }
    }

    /// The file name of a step's picture: `NN-<step>.png`.
    #[must_use]
    pub fn picture(id: &str) -> String {
        let n = STEPS.iter().position(|step| *step == id).map_or(0, |at| at + 1);
        format!("{n:02}-{id}.png")
    }

    /// The step held (or not); its time counts from the step before.
    pub fn done(&mut self, id: &str, held: bool, evidence: Value) {
        let ms = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.clock = Instant::now();
        let picture = Self::picture(id);
        let screenshot = self.out.join(&picture).exists().then_some(picture);
        println!("{} {id} ({ms} ms)", if held { "ok  " } else { "FAIL" });
        let at = STEPS.iter().position(|step| *step == id);
        if let Some(step) = at.and_then(|at| self.steps.get_mut(at)) {
            *step = Step { ok: Some(held), ms, screenshot, evidence };
        }
    }

    #[must_use]
    pub fn ok(&self) -> bool {
        self.error.is_none() && self.steps.iter().all(|step| step.ok == Some(true))
    }

    /// Writes the file and the closing line.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self) -> Result<(), Failure> {
        let steps: Vec<Value> = STEPS
            .iter()
            .zip(&self.steps)
            .map(|(id, step)| {
                json!({
                    "id": id, "ok": step.ok, "ms": step.ms, "screenshot": step.screenshot, "evidence": step.evidence,
                })
            })
            .collect();
        let mut report = json!({
            "schema": 1,
            "ok": self.ok(),
            "version": env!("CARGO_PKG_VERSION"),
            "commit": commit(),
            "started": self.started,
            "finished": jiff::Timestamp::now(),
            "steps": steps,
            "registrations": self.registrations,
            "counts": self.counts,
        });
        if let (Some(error), Some(fields)) = (&self.error, report.as_object_mut()) {
            fields.insert("error".into(), json!(error));
        }
        std::fs::write(self.out.join("report.json"), serde_json::to_vec_pretty(&report)?)?;
        let held = self.steps.iter().filter(|step| step.ok == Some(true)).count();
        println!("{held} passed, {} failed", self.steps.len() - held);
        Ok(())
    }
}

/// The commit this was built from, when there is a checkout around.
fn commit() -> Option<String> {
    let root = std::env::var_os("JALON_ROOT")?;
    let out =
        std::process::Command::new("git").arg("-C").arg(root).args(["rev-parse", "HEAD"]).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}
