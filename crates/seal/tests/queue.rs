//! A published queue: a place is found in it where it stands, and nothing of it can be touched.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use domain::bytes::Mark;
use domain::code::FollowUpCode;
use domain::ids::SiteId;
use domain::place::{Class, PlaceKey};
use domain::queue::{QueueExtract, QueueHead};
use jiff::Timestamp;
use seal::keys::Signer;
use seal::queue::{Position, QueueRefusal, find, place_mark, publish, root};
use seal::ring::{KeyCertificate, KeyRing, Role};

fn key() -> Signer {
    Signer::from_seed(&[3; 32])
}

fn ring() -> KeyRing {
    let root = Signer::from_seed(&[1; 32]);
    let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let certificate = KeyCertificate::issue(&root, Role::Acknowledgement, key().public(), from, until);
    KeyRing::new(root.public(), vec![certificate]).unwrap()
}

fn code(n: u8) -> FollowUpCode {
    FollowUpCode::from_random([n; 8])
}

/// Two with a time limit, then three others.
fn places() -> Vec<PlaceKey> {
    let place = |class, registered_s| PlaceKey { class, registered_s, tie_break: 7 };
    vec![
        place(Class::WithTimeLimit, 10),
        place(Class::WithTimeLimit, 20),
        place(Class::Ordinary, 5),
        place(Class::Ordinary, 15),
        place(Class::Ordinary, 25),
    ]
}

fn marks() -> Vec<Mark> {
    places().iter().enumerate().map(|(n, place)| place_mark(code(n as u8), place)).collect()
}

fn head(with_time_limit: u64, ordinary: u64) -> QueueHead {
    QueueHead {
        rule: "1".into(),
        site: SiteId::parse("DEMO").unwrap(),
        procedure: "renewal".into(),
        made_at: Timestamp::UNIX_EPOCH,
        with_time_limit,
        ordinary,
        root: root(&marks()),
    }
}

fn extract() -> QueueExtract {
    publish(&key(), &head(2, 3), marks()).unwrap()
}

#[test]
fn each_place_is_found_where_it_stands() {
    for (n, place) in places().iter().enumerate() {
        let (head, position) = find(&ring(), &extract(), (code(n as u8), place)).unwrap();
        let of_all = n as u64 + 1;
        let expected = match place.class {
            Class::WithTimeLimit => Position { in_class: of_all, of_class: 2, of_all },
            Class::Ordinary => Position { in_class: of_all - 2, of_class: 3, of_all },
        };
        assert_eq!((head.ordinary, position), (3, Some(expected)));
    }
}

#[test]
fn a_place_is_found_by_nothing_but_all_it_is_made_of() {
    let place = places()[3];
    let found = |code, place: PlaceKey| find(&ring(), &extract(), (code, &place)).unwrap().1;
    assert!(found(code(3), place).is_some());
    assert_eq!(found(code(4), place), None);
    assert_eq!(found(code(3), PlaceKey { registered_s: 14, ..place }), None);
    assert_eq!(found(code(3), PlaceKey { tie_break: 8, ..place }), None);
    assert_eq!(found(code(3), PlaceKey { class: Class::WithTimeLimit, ..place }), None);
    // An ordinary place that stands among those with a time limit has no position there.
    let swapped = vec![marks()[2], marks()[1], marks()[0], marks()[3], marks()[4]];
    let mixed = publish(&key(), &QueueHead { root: root(&swapped), ..head(2, 3) }, swapped).unwrap();
    assert_eq!(find(&ring(), &mixed, (code(2), &places()[2])).unwrap().1, None);
    assert_eq!(find(&ring(), &mixed, (code(0), &places()[0])).unwrap().1, None);
}

#[test]
fn what_was_touched_counts_for_nothing() {
    let place = places()[0];
    let said = |extract: &QueueExtract| find(&ring(), extract, (code(0), &place)).unwrap_err();
    let touched = |change: &dyn Fn(&mut QueueExtract)| {
        let mut extract = extract();
        change(&mut extract);
        said(&extract)
    };
    assert_eq!(touched(&|one| one.places.swap(0, 1)), QueueRefusal::Changed);
    assert_eq!(touched(&|one| one.places.truncate(4)), QueueRefusal::Changed);
    assert_eq!(touched(&|one| one.head = one.head.replace("renewal", "refugee")), QueueRefusal::Forged);
    assert_eq!(touched(&|one| one.signature.0[0] ^= 1), QueueRefusal::Forged);
    assert_eq!(touched(&|one| one.key = "00000000".into()), QueueRefusal::Forged);
    // Signed, and counting other places than it has.
    for (limited, ordinary) in [(2, 2), (3, 3), (u64::MAX, 1)] {
        assert_eq!(said(&publish(&key(), &head(limited, ordinary), marks()).unwrap()), QueueRefusal::Changed);
    }
    let other = publish(&Signer::from_seed(&[4; 32]), &head(2, 3), marks()).unwrap();
    assert_eq!(said(&other), QueueRefusal::Forged);
}
