//! `seal rebuild`: what a lost kiosk's paper says, opened with the recovery key. Reads the
//! key and keeps nothing.

use crate::answer::{answer_spaced, refuse};
use crate::given_file::{self, FileRefusal};
use crate::seal_verify::{key_ring, picture};
use app::contract::Problem;
use jiff::tz::TimeZone;
use seal::door::{Door, rebuild_mark};
use seal::verify::{Circumstances, Verdict, verify};
use seal::{rebuild, rebuilt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use zeroize::Zeroizing;

/// Largest key file, in bytes: 64 hexadecimal digits and white space.
const KEY_BYTES: u64 = 1_024;

/// The paper, as two codes in text or as a picture of the page.
pub(crate) enum Given {
    Text { door: String, rebuild: String },
    Image(PathBuf),
}

pub(crate) fn run(given: &Given, root: &Path, recovery: &Path, zone: &str) -> ExitCode {
    match registration(given, root, recovery, zone) {
        Ok(registration) => answer_spaced(&registration),
        Err(problem) => refuse(&problem),
    }
}

fn registration(
    given: &Given,
    root: &Path,
    recovery: &Path,
    zone: &str,
) -> Result<serde_json::Value, Problem> {
    let ring = key_ring(root)?;
    let key = recovery_key(recovery)?;
    let zone = TimeZone::get(zone).map_err(|_| Problem::new("zone_unknown").with("zone", zone))?;
    let codes = match given {
        Given::Text { door, rebuild } => {
            [door, rebuild].iter().filter_map(|text| seal::text::to_bytes(text)).collect()
        }
        Given::Image(image) => scan::codes::read(&picture(image)?).unwrap_or_default(),
    };
    let (code, door) = codes
        .iter()
        .find_map(|code| Some((code, Door::read(code)?.0)))
        .ok_or_else(|| Problem::new("paper_no_code"))?;
    let locked = codes
        .iter()
        .find(|code| rebuild_mark(code) == door.rebuild)
        .ok_or_else(|| Problem::new("paper_no_rebuild_code"))?;
    let judged = verify(code, &ring, &Circumstances::default());
    if judged.verdict != Verdict::Valid {
        return Err(Problem::new("paper_not_ours").with("verdict", judged.verdict.key()));
    }
    let content = rebuild::open(&key, &door.registration.0, locked)
        .map_err(|_| Problem::new("recovery_other").with("file", recovery.display()))?;
    rebuilt::registration(&door, &content, &zone)
        .and_then(|registration| serde_json::to_value(registration).ok())
        .ok_or_else(|| Problem::new("paper_newer"))
}

pub(crate) fn recovery_key(file: &Path) -> Result<Zeroizing<[u8; 32]>, Problem> {
    let told = |code: &str| Problem::new(code).with("file", file.display());
    let text = given_file::read(file, KEY_BYTES).map(Zeroizing::new).map_err(|refusal| {
        told(if refusal == FileRefusal::Missing { "recovery_missing" } else { "recovery_not_key" })
    })?;
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), key.as_mut()).map_err(|_| told("recovery_not_key"))?;
    Ok(key)
}
