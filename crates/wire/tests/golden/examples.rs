//! What the kept examples are made of, and how one is compared with its file.

use domain::audit::{Checkpoint, SignedCheckpoint};
use domain::bytes::{Hash, Signature};
use domain::ids::{KioskId, LeaseId, MediatorId, OfferId, RegistrationId, WordId};
use domain::word::Word;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use wire::body::{Outcome, Registered, Said};
use wire::messages::{EarlierDate, Offered, SignedRoster, Transferred};
use wire::record::{Acknowledgement, Head, Header};

/// Compares with the kept file; a file that is missing is a failure that says what to keep.
pub fn kept(name: &str, now: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("JALON_KEEP").is_some() {
        std::fs::write(&path, format!("{now}\n")).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(file.trim_end(), now, "{name}: changed on purpose? JALON_KEEP=1 keeps the new text");
}

/// The example as JSON is the kept one, and the kept one reads back to the same JSON.
pub fn example<T: Serialize + DeserializeOwned>(name: &str, value: &T) {
    let text = serde_json::to_string_pretty(value).unwrap();
    kept(&format!("{name}.json"), &text);
    let read: T = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string_pretty(&read).unwrap(), text);
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub fn said() -> Said {
    Said {
        id: WordId([4; 16]),
        registration: RegistrationId([6; 16]),
        code: registered().registration.code,
        says: Word::Cancel,
        appointment: Some(jiff::civil::date(2027, 2, 1).at(9, 20, 0, 0)),
        kiosk: KioskId([2; 16]),
        mediator: mediator(),
        at: at(),
    }
}

pub fn header() -> Header {
    Header {
        kiosk: KioskId([1; 16]),
        incarnation: 1,
        seq: 7,
        prev: Hash([2; 32]),
        kind: "registration".into(),
        schema: 1,
        body_len: 2,
        body_hash: Hash([3; 32]),
    }
}

pub fn acknowledgement() -> Acknowledgement {
    Acknowledgement {
        kiosk: KioskId([1; 16]),
        head: Head { incarnation: 1, seq: 7, hash: Hash([4; 32]) },
        epoch: "6f1a-1".into(),
        at: at(),
        key: "01020304".into(),
        signature: Signature([5; 64]),
    }
}

pub fn offered() -> Offered {
    Offered {
        offer: OfferId([3; 16]),
        at: jiff::civil::date(2027, 1, 20).at(10, 0, 0, 0),
        until: jiff::civil::date(2027, 1, 17),
    }
}

pub fn checkpoint() -> SignedCheckpoint {
    SignedCheckpoint {
        checkpoint: Checkpoint {
            size: 9,
            head: Hash([4; 32]),
            at: Timestamp::from_millisecond(1_800_000_000_250).unwrap(),
        },
        key: "01020304".into(),
        signature: Signature([5; 64]),
    }
}

pub fn mediator() -> MediatorId {
    MediatorId::parse("demo").unwrap()
}

pub fn registered() -> Registered {
    let registration = serde_json::json!({
        "id": "06".repeat(16), "code": domain::code::FollowUpCode::from_random([7; 8]), "site": "DEMO",
        "procedure": "renewal",
        "limit": { "right": "court_injunction", "last_day": "2027-03-01", "evidence": "TA 2700001" },
        "applicant": {
            "family_names": "Ngũgĩ 'x'; <b>", "given_names": "Amina", "birth": { "known": "whole", "date": "1991-03-09" },
            "birth_place": "Nyeri", "nationality": "KEN", "agdref": "9900000001", "identity": "document",
            "contact": { "phone": "06 00 00 00 00" },
            "representative": { "family_names": "Ngũgĩ", "relation": "parent" }
        },
        "lang": "en", "registered_at": at(), "registered_on": "2027-01-15", "mediator": "demo"
    });
    Registered {
        registration: serde_json::from_value(registration).unwrap(),
        outcome: Outcome::Lease { lease: LeaseId([8; 16]), token: vec![9; 12].into() },
        at: at(),
        day_declared: false,
    }
}

pub fn transferred() -> Transferred {
    let earlier =
        EarlierDate { at: Some(jiff::civil::date(2027, 5, 3).at(9, 20, 0, 0)), zone: "Europe/Paris".into() };
    Transferred { ranked_at: Some(at()), site: Some("Préfecture d'exemple".into()), earlier: Some(earlier) }
}

pub fn roster() -> SignedRoster {
    SignedRoster { roster: b"{}".to_vec().into(), key: "01020304".into(), signature: Signature([5; 64]) }
}
