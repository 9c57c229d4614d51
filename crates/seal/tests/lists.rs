//! What signed lists say of a paper whose seal holds, and that nobody else can say it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use domain::birth::Birth;
use domain::code::FollowUpCode;
use domain::ids::{KioskId, RegistrationId, SiteId, SlotId};
use domain::lists::{IssuersList, LostKiosk, PapersList, RetiredKey, Standing};
use domain::token::{SignedToken, SlotToken};
use jiff::{
    Timestamp,
    civil::{Date, DateTime, date},
};
use seal::certificate::DeviceCertificate;
use seal::door::{Door, DoorParts, Ground};
use seal::keys::{Context, Signer};
use seal::lists::{Listed, code_mark, held_mark, read};
use seal::ring::{KeyCertificate, KeyRing, Role};
use seal::verify::{Circumstances, Verdict, verify};

const ID: RegistrationId = RegistrationId([5; 16]);
const SLOT: SlotId = SlotId(7);

fn slot_key() -> Signer {
    Signer::from_seed(&[2; 32])
}

fn acknowledgement_key() -> Signer {
    Signer::from_seed(&[3; 32])
}

fn device() -> Signer {
    Signer::from_seed(&[4; 32])
}

fn ring() -> KeyRing {
    let root = Signer::from_seed(&[1; 32]);
    let certify = |role, key: Signer| {
        KeyCertificate::issue(&root, role, key.public(), Timestamp::UNIX_EPOCH, Timestamp::MAX)
    };
    let certificates =
        vec![certify(Role::Slot, slot_key()), certify(Role::Acknowledgement, acknowledgement_key())];
    KeyRing::new(root.public(), certificates).unwrap()
}

fn code() -> FollowUpCode {
    FollowUpCode::from_random([6; 8])
}

fn at() -> DateTime {
    date(2027, 3, 8).at(9, 20, 0, 0)
}

fn token() -> SignedToken {
    let last_issue = Timestamp::from_second(1_900_000_000).unwrap();
    let site = SiteId::parse("DEMO").unwrap();
    seal::token::sign(
        &slot_key(),
        SlotToken { slot: SLOT, site, at: at(), kiosk: device().public(), last_issue },
    )
}

fn paper(ground: Ground, name: &str) -> Vec<u8> {
    Door::new(DoorParts {
        ground,
        registration: ID,
        code: code(),
        birth: Birth::Year { year: 1991 },
        issued_at: Timestamp::from_second(1_800_000_000).unwrap(),
        rebuild_code: b"rebuild",
        name,
    })
    .seal(&device())
}

fn said(
    paper: &[u8],
    papers: &[Standing],
    issuers: &IssuersList,
) -> (Verdict, &'static str, Option<DateTime>) {
    let door = Door::read(paper).unwrap().0;
    let list =
        PapersList { site: SiteId::parse("DEMO").unwrap(), since: 0, version: 1, papers: papers.to_vec() };
    let listed = Listed::of(&door, &[list], issuers.clone());
    let answer = verify(paper, &ring(), &Circumstances { listed: Some(&listed), ..Circumstances::default() });
    (answer.verdict, answer.reason, answer.replaced_by)
}

fn stands(at: Option<DateTime>) -> Standing {
    Standing { code: code_mark(code()), at, until: Date::MAX }
}

#[test]
fn the_paper_that_stands_stays_good_and_every_other_of_that_code_does_not() {
    let none = IssuersList::default();
    let (convocation, receipt) = (paper(Ground::Slot(token()), "A"), paper(Ground::Held(token()), "A"));
    assert_eq!(said(&convocation, &[stands(Some(at()))], &none).0, Verdict::Valid);
    // A receipt that held this very slot is replaced by the convocation for it.
    assert_eq!(said(&receipt, &[stands(Some(at()))], &none), (Verdict::Replaced, "newer_paper", Some(at())));
    let earlier = date(2027, 2, 1).at(9, 0, 0, 0);
    assert_eq!(said(&convocation, &[stands(Some(earlier))], &none).2, Some(earlier));
    assert_eq!(said(&convocation, &[stands(None)], &none).0, Verdict::Cancelled);
    // The last word on a registration counts, and a list that has others says nothing of it.
    assert_eq!(said(&convocation, &[stands(None), stands(Some(at()))], &none).0, Verdict::Valid);
    let other = Standing { code: code_mark(FollowUpCode::from_random([9; 8])), ..stands(None) };
    assert_eq!(said(&convocation, &[other], &none).0, Verdict::Valid);
}

#[test]
fn of_a_lost_kiosk_the_very_paper_central_holds_is_good_and_no_other() {
    let held = held_mark(ID, code(), Some(SLOT), (1991, 0, 0), "A");
    let lost = LostKiosk {
        kiosk: KioskId([1; 16]),
        key: device().public(),
        since: Timestamp::UNIX_EPOCH,
        held: [held].into(),
    };
    let issuers = IssuersList { lost: vec![lost], ..IssuersList::default() };
    assert_eq!(said(&paper(Ground::Slot(token()), "A"), &[], &issuers).0, Verdict::Valid);
    // The thief has the key and writes another name on the same paper.
    let forged = paper(Ground::Slot(token()), "B");
    assert_eq!(said(&forged, &[], &issuers), (Verdict::Look, "kiosk_lost", None));
    // Being replaced is said before being of a lost kiosk.
    assert_eq!(said(&forged, &[stands(None)], &issuers).0, Verdict::Cancelled);
}

/// A receipt without a day names its kiosk by its certificate, not by a token.
#[test]
fn a_receipt_without_a_day_is_judged_by_its_certificate() {
    let issued = Timestamp::from_second(1_800_000_000).unwrap();
    let certificate = |kiosk: u8| {
        let site = SiteId::parse("DEMO").unwrap();
        let by = acknowledgement_key();
        DeviceCertificate::issue(&by, KioskId([kiosk; 16]), device().public(), site, issued)
    };
    let receipt = |kiosk| paper(Ground::Rank(certificate(kiosk)), "A");
    let lost = LostKiosk {
        kiosk: KioskId([1; 16]),
        key: device().public(),
        since: Timestamp::UNIX_EPOCH,
        held: [].into(),
    };
    let issuers = IssuersList { lost: vec![lost], ..IssuersList::default() };
    assert_eq!(said(&receipt(1), &[], &issuers), (Verdict::Look, "kiosk_lost", None));
    assert_eq!(said(&receipt(2), &[], &issuers).0, Verdict::Valid);
    // The day of the certificate is what the retired key signed for.
    let day = issued.to_zoned(jiff::tz::TimeZone::UTC).date();
    let retired = |last_day| IssuersList {
        retired: vec![RetiredKey { key: acknowledgement_key().key_id(), last_day }],
        ..IssuersList::default()
    };
    assert_eq!(said(&receipt(2), &[], &retired(day)).0, Verdict::Valid);
    assert_eq!(said(&receipt(2), &[], &retired(day.yesterday().unwrap())).0, Verdict::Forged);
    // And nobody else can have certified it.
    let mut forged = certificate(2);
    assert_eq!(forged.is_by(&ring()), Some(true));
    forged.kiosk = KioskId([9; 16]);
    assert_eq!(forged.is_by(&ring()), Some(false));
    forged.issuer = slot_key().key_id();
    assert_eq!(forged.is_by(&ring()), None);
}

#[test]
fn a_key_that_ended_signs_for_no_later_day() {
    let retired = |last_day| IssuersList {
        retired: vec![RetiredKey { key: slot_key().key_id(), last_day }],
        ..IssuersList::default()
    };
    let convocation = paper(Ground::Slot(token()), "A");
    assert_eq!(said(&convocation, &[], &retired(at().date())).0, Verdict::Valid);
    let before = retired(at().date().yesterday().unwrap());
    assert_eq!(said(&convocation, &[], &before), (Verdict::Forged, "key_retired", None));
}

#[test]
fn a_list_counts_only_as_its_key_signed_it_and_for_what() {
    let bytes = serde_json::to_vec(&IssuersList::default()).unwrap();
    let signer = acknowledgement_key();
    let id = hex(signer.key_id().0);
    let signature = signer.sign(Context::Issuers, &bytes);
    let taken =
        |bytes: &[u8], key: &str, context| read::<IssuersList>(&ring(), context, bytes, key, &signature);
    assert!(taken(&bytes, &id, Context::Issuers).is_some());
    assert!(taken(&bytes, &id, Context::Papers).is_none(), "signed for another purpose");
    assert!(taken(&bytes, &hex(slot_key().key_id().0), Context::Issuers).is_none(), "another key");
    assert!(taken(&bytes, "+1020304", Context::Issuers).is_none());
    for turned in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[turned] ^= 1;
        assert!(taken(&bytes, &id, Context::Issuers).is_none());
    }
}

#[test]
fn a_ring_grows_under_its_own_root_only() {
    let (ring, other) = (ring(), Signer::from_seed(&[9; 32]));
    let root = Signer::from_seed(&[1; 32]);
    let next = |by: &Signer| {
        let key = Signer::from_seed(&[8; 32]).public();
        let one = KeyCertificate::issue(by, Role::Slot, key, Timestamp::UNIX_EPOCH, Timestamp::MAX);
        KeyRing::new(by.public(), vec![one]).unwrap()
    };
    let grown = ring.joined(&next(&root)).unwrap();
    assert_eq!(grown.len(), ring.len() + 1);
    assert_eq!(grown.joined(&ring).unwrap().len(), grown.len(), "what it has it does not take twice");
    assert!(ring.joined(&next(&other)).is_err());
}

fn hex(bytes: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(bytes))
}
