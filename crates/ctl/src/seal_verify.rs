//! `seal verify`: is this paper's door code good? Needs the key ring and nothing else.

use crate::{MISSING, REFUSED, codes};
use jiff::Timestamp;
use seal::door::Door;
use seal::ring::KeyRing;
use seal::verify::{Circumstances, Verdict, Verification, verify as judge};
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

/// Most characters read from standard input.
const TEXT_MAX: u64 = 4_096;

pub(crate) fn verify(
    text: Option<&str>,
    image: Option<&Path>,
    root: &Path,
    at: Option<Timestamp>,
) -> ExitCode {
    let Some(ring) = std::fs::read(root).ok().and_then(|file| KeyRing::from_json(&file).ok()) else {
        eprintln!(
            "jalonctl: {} is not a key ring file; give the root.pub.json of central's keys",
            root.display()
        );
        return ExitCode::from(MISSING);
    };
    let answer = match image {
        Some(image) => from_image(image, &ring, at),
        None => from_text(text.unwrap_or("-"), &ring, at),
    };
    let (answer, text) = answer;
    let Ok(mut json) = serde_json::to_value(&answer) else { return ExitCode::from(crate::FAILED) };
    // What was read, so that it can be kept or checked again without the picture.
    if let Some(fields) = json.as_object_mut() {
        fields.insert("text".to_owned(), text.into());
    }
    println!("{json}");
    if answer.verdict == Verdict::Valid { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) }
}

fn from_text(text: &str, ring: &KeyRing, at: Option<Timestamp>) -> Judged {
    let mut input = String::new();
    let text = if text == "-" {
        if std::io::stdin().take(TEXT_MAX).read_to_string(&mut input).is_err() {
            return unreadable("not_a_code");
        }
        input.as_str()
    } else {
        text
    };
    match seal::text::to_bytes(text) {
        Some(code) => {
            let judged = judge(&code, ring, &Circumstances { at, ..Circumstances::default() });
            (judged, Some(seal::text::from_bytes(&code)))
        }
        None => unreadable("not_a_code"),
    }
}

fn from_image(image: &Path, ring: &KeyRing, at: Option<Timestamp>) -> Judged {
    let Some(codes) = codes::read(image) else { return unreadable("not_a_picture") };
    // The one that reads as a door code; the other, if any, is its rebuild code.
    let Some(door) = codes.iter().find(|code| Door::read(code).is_some()) else {
        return unreadable(if codes.is_empty() { "no_code_found" } else { "not_a_door_code" });
    };
    let beside = codes.iter().find(|code| *code != door && code.first() == Some(&1));
    let circumstances =
        Circumstances { at, rebuild_code: beside.map(Vec::as_slice), ..Circumstances::default() };
    (judge(door, ring, &circumstances), Some(seal::text::from_bytes(door)))
}

/// A verdict and the code as text.
type Judged = (Verification, Option<String>);

fn unreadable(reason: &'static str) -> Judged {
    (Verification::unreadable(reason), None)
}
