//! `audit verify`: is this the audit journal central wrote? Needs the key ring and the file, and
//! the more checkpoints kiosks have kept, the more it can find. `audit checkpoint` tells this
//! kiosk's.

use crate::answer::{REFUSED, answer, answer_with, refuse, tell};
use crate::given_file::{self, FileRefusal};
use crate::seal_verify::key_ring;
use app::contract::Problem;
use app::{Kiosk, Settings};
use domain::audit::SignedCheckpoint;
use seal::audit::{AuditRefusal, Tamper, Valid, verify as judge};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Largest checkpoint file, in bytes.
const CHECKPOINT_BYTES: u64 = 64 << 10;

/// What `audit checkpoint` prints.
#[derive(Deserialize)]
struct Kept {
    checkpoint: Option<SignedCheckpoint>,
    contradicted: Option<SignedCheckpoint>,
}

/// Exit 0 only when the journal is the one that was written, as far as anything witnesses it.
pub(crate) fn verify(file: &Path, root: &Path, checkpoints: &[PathBuf]) -> ExitCode {
    match judged(file, root, checkpoints) {
        Ok((json, true)) => answer(&json),
        Ok((json, false)) => answer_with(&json, ExitCode::from(REFUSED)),
        Err(problem) => refuse(&problem),
    }
}

fn judged(file: &Path, root: &Path, checkpoints: &[PathBuf]) -> Result<(Value, bool), Problem> {
    let told = |code: &str| Problem::new(code).with("file", file.display());
    let ring = key_ring(root)?;
    let mut kept = Vec::new();
    for path in checkpoints {
        kept.extend(read_kept(path)?);
    }
    let lines = given_file::open(file).map_err(|refusal| match refusal {
        FileRefusal::Missing => told("audit_missing"),
        FileRefusal::Unreadable | FileRefusal::NotAFile | FileRefusal::TooLarge => told("audit_unreadable"),
    })?;
    let unreadable = |reason: &str, line: Option<u64>| {
        (json!({ "verdict": "unreadable", "reason": reason, "line": line }), false)
    };
    Ok(match judge(BufReader::new(lines), &ring, &kept) {
        Ok(valid) => (shown(&valid), true),
        Err(AuditRefusal::Tampered(Tamper { reason, first, last })) => {
            (json!({ "verdict": "tampered", "reason": reason.key(), "entry": first, "until": last }), false)
        }
        Err(AuditRefusal::KeyUnknown(key)) => {
            tell(&Problem::new("audit_key_unknown").with("key", &key));
            (json!({ "verdict": "key_unknown", "key": key }), false)
        }
        Err(AuditRefusal::NotOne(line)) => unreadable("not_an_audit_line", Some(line)),
        Err(AuditRefusal::TooLong(line)) => unreadable("line_too_long", Some(line)),
        Err(AuditRefusal::TooMany) => unreadable("too_many_checkpoints", None),
        Err(AuditRefusal::Cut) => unreadable("file_cut", None),
        Err(AuditRefusal::Io(_)) => return Err(told("audit_unreadable")),
    })
}

fn shown(valid: &Valid) -> Value {
    json!({
        "verdict": "valid",
        "entries": valid.entries,
        "head": valid.head,
        "witnessed": valid.witnessed,
        "not_witnessed": valid.entries - valid.witnessed,
        "cosigned": valid.cosigned,
        "kiosks": valid.kiosks,
        "late": valid.late,
        "erased": valid.erased,
        "unread": valid.unread,
    })
}

fn read_kept(path: &Path) -> Result<impl Iterator<Item = SignedCheckpoint>, Problem> {
    let told = |code: &str| Problem::new(code).with("file", path.display());
    let bytes = given_file::read(path, CHECKPOINT_BYTES).map_err(|refusal| match refusal {
        FileRefusal::Missing => told("audit_missing"),
        FileRefusal::Unreadable | FileRefusal::NotAFile => told("audit_unreadable"),
        FileRefusal::TooLarge => told("checkpoint_not_one"),
    })?;
    let kept: Kept = serde_json::from_slice(&bytes).map_err(|_| told("checkpoint_not_one"))?;
    if kept.checkpoint.is_none() && kept.contradicted.is_none() {
        return Err(told("checkpoint_not_one"));
    }
    Ok(kept.checkpoint.into_iter().chain(kept.contradicted))
}

pub(crate) async fn checkpoint() -> ExitCode {
    let done = async { Kiosk::open(Settings::from_env()?).await?.audit_checkpoint().await };
    match done.await {
        Ok(kept) => answer(&kept),
        Err(problem) => refuse(&problem),
    }
}
