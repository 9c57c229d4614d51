//! `seal verify`: is this paper's door code good? Needs the key ring and nothing else.

use crate::answer::{REFUSED, answer_with, refuse};
use crate::given_file::{self, FileRefusal};
use crate::signed_lists::Lists;
use app::contract::Problem;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil::DateTime};
use seal::door::Door;
use seal::ring::KeyRing;
use seal::verify::{Circumstances, Verdict, Verification, verify as judge};
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

/// Most characters read from standard input.
const TEXT_MAX: u64 = 4_096;
/// Largest key ring file, in bytes: far more than its most certificates take.
const RING_BYTES: u64 = 1 << 20;
/// Largest picture, in MiB: an A4 page at 600 dpi in colour, as PNG.
const PICTURE_MIB: u64 = 64;
/// How far behind UTC a site's clock can be. The code has the civil day and no zone.
const WEST: SignedDuration = SignedDuration::from_hours(12);

/// What a paper is held against.
pub(crate) struct Against<'a> {
    /// The key ring file.
    pub root: &'a Path,
    /// A file of signed lists.
    pub lists: Option<&'a Path>,
    /// When the paper is shown; without it `now` tells whether its day is over.
    pub at: Option<Timestamp>,
    pub now: Timestamp,
}

pub(crate) fn verify(text: Option<&str>, image: Option<&Path>, against: &Against<'_>) -> ExitCode {
    let Against { root, lists, at, now } = *against;
    let judged = key_ring(root).and_then(|ring| {
        let lists = lists.map(|file| Lists::read(file, &ring)).transpose()?.unwrap_or_default();
        let known = Known { ring, lists, at };
        Ok(match image {
            Some(image) => from_image(&picture(image)?, &known),
            None => from_text(text.unwrap_or("-"), &known),
        })
    });
    let (mut verification, text) = match judged {
        Ok(judged) => judged,
        Err(problem) => return refuse(&problem),
    };
    if verification.verdict == Verdict::Valid
        && verification.slot_at.is_some_and(|slot| day_is_over(slot, at.unwrap_or(now)))
    {
        verification.verdict = Verdict::Look;
        verification.reason = "day_passed";
    }
    let Ok(mut json) = serde_json::to_value(&verification) else { return refuse(&Problem::new("unknown")) };
    // What was read, so that it can be kept or checked again without the picture.
    if let Some(fields) = json.as_object_mut() {
        fields.insert("text".to_owned(), text.into());
    }
    let valid = verification.verdict == Verdict::Valid;
    answer_with(&json, if valid { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

/// Is the day of this slot over wherever on earth the site is? At a site east of the
/// farthest west this is told some hours late, and never early.
fn day_is_over(slot: DateTime, at: Timestamp) -> bool {
    at.checked_sub(WEST).is_ok_and(|west| TimeZone::UTC.to_datetime(west).date() > slot.date())
}

pub(crate) fn key_ring(root: &Path) -> Result<KeyRing, Problem> {
    let told = |code: &str| Problem::new(code).with("file", root.display());
    let file = given_file::named(root, RING_BYTES, ["root_missing", "root_unreadable", "root_not_ring"])?;
    KeyRing::from_json(&file).map_err(|_| told("root_not_ring"))
}

pub(crate) fn picture(image: &Path) -> Result<Vec<u8>, Problem> {
    given_file::read(image, PICTURE_MIB << 20).map_err(|refusal| {
        let code = match refusal {
            FileRefusal::Missing => "picture_missing",
            FileRefusal::Unreadable => "picture_unreadable",
            FileRefusal::NotAFile => "picture_not_a_file",
            FileRefusal::TooLarge => "picture_too_large",
        };
        Problem::new(code).with("file", image.display()).with("max", PICTURE_MIB)
    })
}

/// What the files and the flags gave.
struct Known {
    ring: KeyRing,
    lists: Lists,
    at: Option<Timestamp>,
}

impl Known {
    fn judge(&self, code: &[u8], rebuild_code: Option<&[u8]>) -> Verification {
        let listed = Door::read(code).map(|(door, ..)| self.lists.of(&door));
        let circumstances =
            Circumstances { at: self.at, rebuild_code, listed: listed.as_ref(), ..Circumstances::default() };
        let mut judged = judge(code, &self.ring, &circumstances);
        if judged.verdict == Verdict::Valid && self.lists.are_of_another(judged.site.as_ref()) {
            judged.verdict = Verdict::Look;
            judged.reason = "lists_of_another_site";
        }
        judged
    }
}

fn from_text(text: &str, known: &Known) -> Judged {
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
            let judged = known.judge(&code, None);
            (judged, Some(seal::text::from_bytes(&code)))
        }
        None => unreadable("not_a_code"),
    }
}

fn from_image(picture: &[u8], known: &Known) -> Judged {
    let Some(codes) = scan::codes::read(picture) else { return unreadable("not_a_picture") };
    // The one that reads as a door code; the other, if any, is its rebuild code.
    let Some(door) = codes.iter().find(|code| Door::read(code).is_some()) else {
        return unreadable(if codes.is_empty() { "no_code_found" } else { "not_a_door_code" });
    };
    let beside = codes.iter().find(|code| *code != door && code.first() == Some(&1));
    (known.judge(door, beside.map(Vec::as_slice)), Some(seal::text::from_bytes(door)))
}

/// A verdict and the code as text.
type Judged = (Verification, Option<String>);

fn unreadable(reason: &'static str) -> Judged {
    (Verification::unreadable(reason), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_when_it_is_over_everywhere() {
        let slot: DateTime = "2027-03-15T09:00".parse().unwrap();
        for (at, over) in [
            ("2027-03-15T08:00:00Z", false),
            ("2027-03-15T23:59:59Z", false),
            ("2027-03-16T11:59:59Z", false),
            ("2027-03-16T12:00:00Z", true),
            ("2027-06-01T00:00:00Z", true),
        ] {
            assert_eq!(day_is_over(slot, at.parse().unwrap()), over, "{at}");
        }
        assert!(!day_is_over(slot, Timestamp::MIN));
    }
}
