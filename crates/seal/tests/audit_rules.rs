//! Where each rule of the audit journal begins and ends: one millisecond, one entry, one witness.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use domain::audit::{Act, AuditHeader, Checkpoint, Entry, LATE_MS, LEAST_DAYS};
use domain::bytes::{Hash, Salt};
use domain::ids::{KioskId, SiteId};
use jiff::Timestamp;
use seal::audit::{BEFORE_FIRST, Reason, Tamper, Valid, Verifier, body_hash, cosign, head, sign};
use seal::certificate::DeviceCertificate;
use seal::keys::Signer;
use seal::ring::{KeyCertificate, KeyRing, Role};

const START_MS: i64 = 1_800_000_000_000;
const DAY_MS: i64 = 86_400_000;
const SALT: Salt = Salt([7; 16]);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(START_MS + ms).unwrap()
}

fn central() -> Signer {
    Signer::from_seed(&[3; 32])
}

fn ring() -> KeyRing {
    let root = Signer::from_seed(&[1; 32]);
    let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let certificate = KeyCertificate::issue(&root, Role::Acknowledgement, central().public(), from, until);
    KeyRing::new(root.public(), vec![certificate]).unwrap()
}

fn body(said: i64) -> Vec<u8> {
    let entry =
        Entry { who: "central".into(), act: Act::ALL[0].key().into(), about: None, count: 1, said: at(said) };
    serde_json::to_vec(&entry).unwrap()
}

/// A chain of entries, each chained at the first time and said at the second, in milliseconds.
struct Chain(Vec<(AuditHeader, Salt, Vec<u8>)>);

impl Chain {
    fn of(times: &[(i64, i64)]) -> Self {
        let mut chain = Self(Vec::new());
        for (chained, said) in times {
            chain.add(*chained, SALT, body(*said));
        }
        chain
    }

    fn add(&mut self, chained: i64, salt: Salt, body: Vec<u8>) {
        let prev = self.head(self.0.len());
        let n = u64::try_from(self.0.len()).unwrap() + 1;
        let header = AuditHeader { n, at: at(chained), prev, body_hash: body_hash(&salt, &body) };
        self.0.push((header, salt, body));
    }

    fn head(&self, size: usize) -> Hash {
        size.checked_sub(1).map_or(BEFORE_FIRST, |last| head(&self.0[last].0))
    }

    fn point(&self, size: usize, ms: i64) -> Checkpoint {
        Checkpoint { size: u64::try_from(size).unwrap(), head: self.head(size), at: at(ms) }
    }

    /// Held against these checkpoints, taken in this order.
    fn against(&self, points: &[Checkpoint]) -> Result<Valid, Tamper> {
        let ring = ring();
        let mut verifier = Verifier::new(&ring);
        for point in points {
            verifier.checkpoint(&sign(&central(), *point))?;
        }
        for (header, salt, body) in &self.0 {
            verifier.entry(header, salt, body)?;
        }
        verifier.end()
    }

    fn refused(&self, points: &[Checkpoint]) -> (Reason, u64, u64) {
        let tamper = self.against(points).unwrap_err();
        (tamper.reason, tamper.first, tamper.last)
    }
}

#[test]
fn time_stands_still_and_never_goes_back() {
    assert!(Chain::of(&[(5, 5), (5, 5)]).against(&[]).is_ok());
    assert_eq!(Chain::of(&[(5, 5), (4, 4)]).refused(&[]), (Reason::BackDated, 2, 2));
    // Nor behind the checkpoint it follows, whose own time may be later than its last entry's.
    let chain = Chain::of(&[(5, 5), (9, 9)]);
    assert!(chain.against(&[chain.point(1, 9)]).is_ok());
    assert_eq!(chain.refused(&[chain.point(1, 10)]), (Reason::BackDated, 2, 2));
    // A checkpoint knows no entry that is younger than itself.
    assert!(chain.against(&[chain.point(2, 9)]).is_ok());
    assert_eq!(chain.refused(&[chain.point(2, 8)]), (Reason::BackDated, 2, 2));
}

#[test]
fn checkpoints_that_do_not_go_together_tell_where() {
    let chain = Chain::of(&[(10, 10); 5]);
    let (one, four) = (chain.point(1, 10), chain.point(4, 10));
    for points in [[one, four], [four, one]] {
        assert!(chain.against(&points).is_ok(), "two in the same millisecond");
    }
    // Four were there before only one was: what followed was cut away.
    let (late, early) = (chain.point(1, 11), chain.point(4, 10));
    assert_eq!(chain.refused(&[late, early]), (Reason::Truncated, 2, 4));
    assert_eq!(chain.refused(&[early, late]), (Reason::Truncated, 2, 4));
    // Two histories of one length, and a history before the first entry.
    let other = Checkpoint { head: Hash([9; 32]), ..four };
    assert_eq!(chain.refused(&[four, other]), (Reason::Forked, 4, 4));
    assert!(chain.against(&[chain.point(0, 0)]).is_ok());
    let before = Checkpoint { head: Hash([9; 32]), ..chain.point(0, 0) };
    assert_eq!(chain.refused(&[before]), (Reason::Forked, 0, 0));
    // Written anew since the last checkpoint that agrees.
    assert_eq!(chain.refused(&[one, other]), (Reason::Forked, 2, 4));
    // Shorter than what was witnessed.
    let short = Chain(chain.0[..2].to_vec());
    assert_eq!(short.refused(&[four]), (Reason::Truncated, 3, 4));
}

#[test]
fn a_body_is_erased_in_its_time_and_not_a_millisecond_sooner() {
    let mut chain = Chain::of(&[]);
    chain.add(0, SALT, body(0));
    chain.add(1, SALT, body(1));
    for (_, salt, body) in &mut chain.0 {
        (*salt, *body) = (Salt([0; 16]), Vec::new());
    }
    let days = LEAST_DAYS * DAY_MS;
    assert_eq!(chain.against(&[chain.point(2, days + 1)]).unwrap().erased, 2);
    assert_eq!(chain.refused(&[chain.point(2, days)]), (Reason::ErasedTooEarly, 2, 2));
    assert_eq!(chain.refused(&[]), (Reason::ErasedTooEarly, 1, 1), "nothing shows that time has passed");
    // Emptied, and not as erasing does it.
    chain.0[0].1 = SALT;
    assert_eq!(chain.refused(&[chain.point(2, days + 1)]), (Reason::BodyChanged, 1, 1));
    // An empty body that was written so is no erased one.
    let mut empty = Chain::of(&[]);
    empty.add(0, SALT, Vec::new());
    assert_eq!(empty.against(&[]).unwrap().unread, 1);
}

#[test]
fn late_and_unread_entries_are_counted() {
    let mut chain = Chain::of(&[(LATE_MS, 0), (LATE_MS + 1, 0), (LATE_MS + 7, 6), (LATE_MS + 7, 5)]);
    chain.add(LATE_MS + 8, SALT, b"{\"later\":1}".to_vec());
    chain.add(LATE_MS + 8, SALT, b"{\"later\":2}".to_vec());
    let valid = chain.against(&[]).unwrap();
    assert_eq!((valid.entries, valid.late, valid.unread, valid.erased), (6, 3, 2, 0));
}

#[test]
fn each_kiosk_counts_once_and_the_largest_size_stands() {
    let chain = Chain::of(&[(1, 1), (2, 2), (3, 3)]);
    let ring = ring();
    let mut verifier = Verifier::new(&ring);
    let site = SiteId::parse("ONE").unwrap();
    for (seed, sizes) in [(4u8, [3, 2]), (5, [1, 1])] {
        let device = Signer::from_seed(&[seed; 32]);
        let kiosk = KioskId([seed; 16]);
        let stranger = cosign(&device, &chain.point(1, 1));
        assert!(verifier.cosignature(kiosk, chain.point(1, 1), &stranger).is_err(), "not certified yet");
        verifier.kiosk(&DeviceCertificate::issue(&central(), kiosk, device.public(), site.clone(), at(0)));
        for size in sizes {
            let point = chain.point(size, i64::try_from(size).unwrap());
            verifier.cosignature(kiosk, point, &cosign(&device, &point)).unwrap();
        }
    }
    for (header, salt, body) in &chain.0 {
        verifier.entry(header, salt, body).unwrap();
    }
    let valid = verifier.end().unwrap();
    assert_eq!((valid.kiosks, valid.cosigned, valid.witnessed), (2, 3, 3));
}

#[test]
fn programs_read_a_word_of_its_own_for_each_reason() {
    let words = [
        (Reason::Missing, "missing"),
        (Reason::OutOfPlace, "out_of_place"),
        (Reason::ChainBroken, "chain_broken"),
        (Reason::BodyChanged, "body_changed"),
        (Reason::ErasedTooEarly, "erased_too_early"),
        (Reason::BackDated, "back_dated"),
        (Reason::Forked, "forked"),
        (Reason::Truncated, "truncated"),
        (Reason::CheckpointForged, "checkpoint_forged"),
        (Reason::CosignatureForged, "cosignature_forged"),
    ];
    for (reason, word) in words {
        assert_eq!(reason.key(), word);
    }
}
