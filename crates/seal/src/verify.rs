//! Judging a door code with nothing but the key ring: at the door, offline.

use crate::certificate::DeviceCertificate;
use crate::door::{Door, Ground, rebuild_mark};
use crate::keys::{self, Context};
use crate::lists::{Listed, Word};
use crate::ring::KeyRing;
use crate::token::{self, TokenRefusal};
use domain::ids::{KioskId, SiteId};
use jiff::{Timestamp, civil::DateTime};
use serde::Serialize;

/// What a person at the door is told. Red is only `Forged` and `Replaced`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Valid,
    Forged,
    Replaced,
    Cancelled,
    UnknownIssuer,
    /// Sealed rightly, yet a person must look.
    Look,
    Unreadable,
}

impl Verdict {
    /// The word programs read.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Forged => "forged",
            Self::Replaced => "replaced",
            Self::Cancelled => "cancelled",
            Self::UnknownIssuer => "unknown_issuer",
            Self::Look => "look",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The answer of `jalonctl seal verify`. Fields are told only from a code whose seal is
/// right: a forged paper names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    pub verdict: Verdict,
    /// Why, as a stable word; empty for `valid`.
    pub reason: &'static str,
    pub code: Option<String>,
    pub name: Option<String>,
    pub birth: Option<String>,
    /// `convocation`, or `receipt` for a ranked one.
    pub paper: Option<&'static str>,
    /// Civil date-time at the site. On a ranked receipt the slot it holds, the latest the
    /// person is received; none when it holds none.
    pub slot_at: Option<DateTime>,
    pub site: Option<SiteId>,
    pub issued_at: Option<Timestamp>,
    /// With `replaced`: the appointment that stands in this paper's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<DateTime>,
    /// The kiosk's device key (a convocation) or its id (a receipt).
    pub kiosk: Option<String>,
}

/// What else the verifier knows.
#[derive(Debug, Clone, Default)]
pub struct Circumstances<'a> {
    /// Where the paper is shown.
    pub site: Option<&'a SiteId>,
    /// The moment it is shown; a code issued later than this is from a clock ahead.
    pub at: Option<Timestamp>,
    /// The rebuild code read beside it.
    pub rebuild_code: Option<&'a [u8]>,
    /// What central's lists say of it, where the verifier has them.
    pub listed: Option<&'a Listed>,
}

/// Judges the bytes of a door code.
#[must_use]
pub fn verify(code: &[u8], ring: &KeyRing, circumstances: &Circumstances<'_>) -> Verification {
    let Some((door, signature, message)) = Door::read(code) else {
        return Verification::bare(Verdict::Unreadable, "not_a_door_code");
    };
    let device = match &door.ground {
        Ground::Slot(signed) | Ground::Held(signed) => match token::check(ring, signed) {
            Err(TokenRefusal::UnknownIssuer) => {
                return Verification::bare(Verdict::UnknownIssuer, "slot_key_unknown");
            }
            Err(TokenRefusal::Forged) => {
                return Verification::bare(Verdict::Forged, "token_not_by_central");
            }
            Ok(()) => signed.token.kiosk,
        },
        Ground::Rank(certificate) => match certificate.is_by(ring) {
            None => return Verification::bare(Verdict::UnknownIssuer, "issuer_unknown"),
            Some(false) => {
                return Verification::bare(Verdict::Forged, "certificate_not_by_central");
            }
            Some(true) => certificate.key,
        },
    };
    if !keys::verify(&device, Context::Door, message, &signature) {
        return Verification::bare(Verdict::Forged, "not_sealed_by_this_kiosk");
    }
    let (verdict, reason, replaced_by) = judge(&door, circumstances);
    Verification { replaced_by, ..Verification::of(&door, verdict, reason) }
}

/// A rightly sealed code against what the verifier knows. What makes it red comes first.
fn judge(door: &Door, circumstances: &Circumstances<'_>) -> (Verdict, &'static str, Option<DateTime>) {
    if let Ground::Slot(signed) | Ground::Held(signed) = &door.ground
        && door.issued_at > signed.token.last_issue
    {
        return (Verdict::Forged, "issued_after_last_issue", None);
    }
    if circumstances.rebuild_code.is_some_and(|code| rebuild_mark(code) != door.rebuild) {
        return (Verdict::Forged, "rebuild_code_of_another_paper", None);
    }
    match circumstances.listed.and_then(|listed| listed.judge(door)) {
        Some(Word::KeyRetired) => return (Verdict::Forged, "key_retired", None),
        Some(Word::Replaced(at)) => return (Verdict::Replaced, "newer_paper", Some(at)),
        Some(Word::Cancelled) => return (Verdict::Cancelled, "registration_cancelled", None),
        Some(Word::KioskLost) => return (Verdict::Look, "kiosk_lost", None),
        None => {}
    }
    if circumstances.site.is_some_and(|site| *site != *site_of(door)) {
        return (Verdict::Look, "other_site", None);
    }
    if circumstances.at.is_some_and(|at| door.issued_at > at) {
        return (Verdict::Look, "issued_later_than_now", None);
    }
    (Verdict::Valid, "", None)
}

fn site_of(door: &Door) -> &SiteId {
    match &door.ground {
        Ground::Slot(signed) | Ground::Held(signed) => &signed.token.site,
        Ground::Rank(certificate) => &certificate.site,
    }
}

impl Verification {
    fn bare(verdict: Verdict, reason: &'static str) -> Self {
        Self {
            verdict,
            reason,
            code: None,
            name: None,
            birth: None,
            paper: None,
            slot_at: None,
            site: None,
            issued_at: None,
            replaced_by: None,
            kiosk: None,
        }
    }

    fn of(door: &Door, verdict: Verdict, reason: &'static str) -> Self {
        if verdict == Verdict::Forged {
            return Self::bare(verdict, reason);
        }
        let (slot_at, kiosk) = match &door.ground {
            Ground::Slot(signed) | Ground::Held(signed) => {
                (Some(signed.token.at), signed.token.kiosk.to_string())
            }
            Ground::Rank(DeviceCertificate { kiosk, .. }) => (None, KioskId::to_string(kiosk)),
        };
        let name = if door.name_cut { format!("{}…", door.name) } else { door.name.clone() };
        Self {
            verdict,
            reason,
            code: Some(door.code.to_string()),
            name: Some(name),
            birth: Some(door.birth.to_string()),
            paper: Some(match door.ground {
                Ground::Slot(_) => "convocation",
                Ground::Held(_) | Ground::Rank(_) => "receipt",
            }),
            slot_at,
            site: Some(site_of(door).clone()),
            issued_at: Some(door.issued_at),
            replaced_by: None,
            kiosk: Some(kiosk),
        }
    }

    /// An answer for input that is not even bytes of a code.
    #[must_use]
    pub fn unreadable(reason: &'static str) -> Self {
        Self::bare(Verdict::Unreadable, reason)
    }
}
