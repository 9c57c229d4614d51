//! The door code from outside: what is sealed verifies, every change is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use domain::birth::Birth;
use domain::code::FollowUpCode;
use domain::ids::{KioskId, RegistrationId, SiteId, SlotId};
use domain::token::{SignedToken, SlotToken};
use jiff::{Timestamp, civil::datetime};
use proptest::prelude::*;
use seal::certificate::DeviceCertificate;
use seal::door::{Door, DoorParts, Ground, MAX_BYTES};
use seal::keys::Signer;
use seal::ring::{KeyCertificate, KeyRing, Role};
use seal::verify::{Circumstances, Verdict, verify};

struct World {
    ring: KeyRing,
    slot: Signer,
    acknowledgement: Signer,
    device: Signer,
}

fn world() -> World {
    let root = Signer::from_seed(&[1; 32]);
    let (slot, acknowledgement) = (Signer::from_seed(&[2; 32]), Signer::from_seed(&[3; 32]));
    let certify = |role, key| KeyCertificate::issue(&root, role, key, Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let certificates =
        vec![certify(Role::Slot, slot.public()), certify(Role::Acknowledgement, acknowledgement.public())];
    let ring = KeyRing::new(root.public(), certificates).unwrap();
    World { ring, slot, acknowledgement, device: Signer::from_seed(&[4; 32]) }
}

fn at(s: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + s).unwrap()
}

impl World {
    fn token(&self, last_issue: Timestamp) -> Ground {
        Ground::Slot(self.slot_token(last_issue))
    }

    fn slot_token(&self, last_issue: Timestamp) -> SignedToken {
        seal::token::sign(
            &self.slot,
            SlotToken {
                slot: SlotId(7),
                site: SiteId::parse("PREF-93-BOBIGNY1").unwrap(),
                at: datetime(2027, 3, 8, 9, 20, 0, 0),
                kiosk: self.device.public(),
                last_issue,
            },
        )
    }

    fn rank(&self) -> Ground {
        Ground::Rank(DeviceCertificate::issue(
            &self.acknowledgement,
            KioskId([8; 16]),
            self.device.public(),
            SiteId::parse("PREF-93-BOBIGNY1").unwrap(),
            at(0),
        ))
    }

    fn sealed(&self, ground: Ground, name: &str) -> Vec<u8> {
        Door::new(DoorParts {
            ground,
            registration: RegistrationId([5; 16]),
            code: FollowUpCode::from_random([6; 8]),
            birth: Birth::Customary { year: 1991 },
            issued_at: at(10),
            rebuild_code: b"rebuild",
            name,
        })
        .seal(&self.device)
    }

    fn verdict(&self, code: &[u8]) -> Verdict {
        verify(code, &self.ring, &Circumstances::default()).verdict
    }
}

#[test]
fn a_sealed_paper_tells_who_when_where() {
    let world = world();
    let answer = verify(
        &world.sealed(world.token(at(100)), "ናይ TRAORÉ Aïssata"),
        &world.ring,
        &Circumstances::default(),
    );
    assert_eq!(answer.verdict, Verdict::Valid);
    assert_eq!(answer.name.as_deref(), Some("ናይ TRAORÉ Aïssata"));
    assert_eq!(answer.birth.as_deref(), Some("01/01/1991"));
    assert_eq!(answer.slot_at, Some(datetime(2027, 3, 8, 9, 20, 0, 0)));
    assert_eq!(world.verdict(&world.sealed(world.rank(), "A B")), Verdict::Valid);
}

#[test]
fn a_receipt_tells_the_slot_it_holds_and_never_passes_for_a_convocation() {
    let world = world();
    let held = world.sealed(Ground::Held(world.slot_token(at(1_000))), "DIALLO Mamadou");
    let seen = verify(&held, &world.ring, &Circumstances::default());
    assert_eq!((seen.verdict, seen.paper), (Verdict::Valid, Some("receipt")));
    assert_eq!(seen.slot_at, Some(datetime(2027, 3, 8, 9, 20, 0, 0)));
    // The kind is under the kiosk's seal.
    let mut turned = held.clone();
    turned[2] = 1;
    assert_eq!(world.verdict(&turned), Verdict::Forged);
    // A token signed by nobody we know makes no receipt either.
    let mut stranger = world.slot_token(at(1_000));
    stranger.signature.0[0] ^= 1;
    assert_eq!(world.verdict(&world.sealed(Ground::Held(stranger), "D")), Verdict::Forged);
    // Issued after the token's last issue: forged, as a convocation would be.
    assert_eq!(world.verdict(&world.sealed(Ground::Held(world.slot_token(at(5))), "D")), Verdict::Forged);
}

#[test]
fn the_longest_name_fits_and_is_marked_as_cut() {
    let world = world();
    for ground in [world.token(at(100)), world.rank()] {
        let code = world.sealed(ground, &"ሀ".repeat(200));
        assert!(code.len() <= MAX_BYTES, "{} bytes", code.len());
        let answer = verify(&code, &world.ring, &Circumstances::default());
        assert_eq!(answer.verdict, Verdict::Valid);
        assert!(answer.name.unwrap().ends_with("ሀ…"));
    }
}

#[test]
fn every_changed_byte_and_every_cut_is_refused() {
    let world = world();
    for ground in [world.token(at(100)), world.rank()] {
        let code = world.sealed(ground, "TRAORÉ Aïssata");
        for i in 0..code.len() {
            for bit in 0..8 {
                let mut changed = code.clone();
                changed[i] ^= 1 << bit;
                assert_ne!(world.verdict(&changed), Verdict::Valid, "byte {i} bit {bit}");
            }
            assert_eq!(world.verdict(&code[..i]), Verdict::Unreadable);
        }
    }
}

#[test]
fn what_others_try() {
    let world = world();
    let none = Circumstances::default();
    let late = world.sealed(world.token(at(9)), "A");
    assert_eq!(verify(&late, &world.ring, &none).reason, "issued_after_last_issue");

    let good = world.sealed(world.token(at(100)), "A");
    let beside = Circumstances { rebuild_code: Some(b"another"), ..none.clone() };
    assert_eq!(verify(&good, &world.ring, &beside).verdict, Verdict::Forged);
    let site = SiteId::parse("DEMO").unwrap();
    let elsewhere = Circumstances { site: Some(&site), ..none.clone() };
    assert_eq!(verify(&good, &world.ring, &elsewhere).verdict, Verdict::Look);

    let thief = World { device: Signer::from_seed(&[9; 32]), ..self::world() };
    assert_eq!(world.verdict(&thief.sealed(world.token(at(100)), "A")), Verdict::Forged);
    let forger = World { slot: Signer::from_seed(&[9; 32]), ..self::world() };
    assert_eq!(world.verdict(&forger.sealed(forger.token(at(100)), "A")), Verdict::UnknownIssuer);
}

proptest! {
    #[test]
    fn any_bytes_get_a_verdict(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_ne!(world().verdict(&bytes), Verdict::Valid);
    }

    #[test]
    fn codes_travel_as_text(bytes in prop::collection::vec(any::<u8>(), 0..330)) {
        let text = seal::text::from_bytes(&bytes);
        prop_assert_eq!(seal::text::to_bytes(&text), Some(bytes));
    }
}

/// The last second in which a token may still be sealed counts, and so does the second in which
/// the paper is read.
#[test]
fn the_last_second_still_counts() {
    let world = world();
    let sealed = world.sealed(world.token(at(10)), "A");
    assert_eq!(world.verdict(&sealed), Verdict::Valid);
    assert_eq!(world.verdict(&world.sealed(world.token(at(9)), "A")), Verdict::Forged);
    let read = |s| {
        let circumstances = Circumstances { at: Some(at(s)), ..Circumstances::default() };
        verify(&sealed, &world.ring, &circumstances).reason
    };
    assert_eq!((read(9), read(10), read(11)), ("issued_later_than_now", "", ""));
}

#[test]
fn programs_read_a_word_of_its_own_for_each_verdict() {
    let keys = [
        (Verdict::Valid, "valid"),
        (Verdict::Forged, "forged"),
        (Verdict::Replaced, "replaced"),
        (Verdict::Cancelled, "cancelled"),
        (Verdict::UnknownIssuer, "unknown_issuer"),
        (Verdict::Look, "look"),
        (Verdict::Unreadable, "unreadable"),
    ];
    for (verdict, key) in keys {
        assert_eq!(verdict.key(), key);
        assert_eq!(serde_json::to_value(verdict).unwrap(), key);
    }
}

#[test]
fn a_code_as_text_may_be_spread_out_and_not_without_end() {
    let bytes = [7; MAX_BYTES];
    let text = seal::text::from_bytes(&bytes);
    let spread = |len: usize| format!("{text}{}", " ".repeat(len - text.len()));
    assert_eq!(seal::text::to_bytes(&spread(MAX_BYTES * 4)).as_deref(), Some(bytes.as_slice()));
    assert_eq!(seal::text::to_bytes(&spread(MAX_BYTES * 4 + 1)), None);
    assert_eq!(seal::text::to_bytes(&seal::text::from_bytes(&[7; MAX_BYTES + 1])), None);
}

#[test]
fn a_seed_makes_the_same_key_again() {
    let signer = Signer::from_seed(&[42; 32]);
    assert_eq!(*signer.seed(), [42; 32]);
    assert_eq!(Signer::from_seed(&signer.seed()).public(), signer.public());
}
