//! What a rebuild code says of a person, written and read back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use domain::applicant::{Agdref, Applicant, Contact, Identity, Nationality, Relation, Representative};
use domain::birth::Birth;
use domain::code::FollowUpCode;
use domain::ids::{KioskId, MediatorId, RegistrationId, SiteId};
use domain::limit::{Right, TimeLimit};
use domain::offer::NoticeDays;
use domain::procedure::Procedure;
use domain::registration::Registration;
use domain::renewal::{Regime, Renewal};
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use seal::certificate::DeviceCertificate;
use seal::door::{Door, DoorParts, Ground};
use seal::keys::Signer;
use seal::rebuild::{CONTENT_MAX, Use, lock_as, open, open_as};
use seal::rebuilt::{content, registration};

fn told() -> Registration {
    Registration {
        id: RegistrationId([5; 16]),
        code: FollowUpCode::from_random([6; 8]),
        site: SiteId::parse("DEMO").unwrap(),
        procedure: Procedure::parse("renewal").unwrap(),
        limit: Some(TimeLimit {
            right: Right::CourtInjunction,
            last_day: date(2027, 4, 9),
            evidence: "TA 12".into(),
        }),
        renewal: Some(Renewal { expires_on: date(2027, 8, 9), regime: Regime::Other }),
        department_wide: true,
        party: None,
        moved: Some(FollowUpCode::from_random([9; 8])),
        witness: MediatorId::parse("second").ok(),
        accepts_earlier: NoticeDays::parse("14").unwrap(),
        applicant: Applicant {
            family_names: "TRAORÉ".into(),
            given_names: Some("Aïssata".into()),
            birth: Birth::Customary { year: 1991 },
            birth_place: Some("Kayes".into()),
            nationality: Nationality::parse("MLI").unwrap(),
            agdref: Agdref::parse("9912345678"),
            identity: Identity::Declared,
            contact: Contact {
                phone: Some("+33600000000".into()),
                email: Some("a@example.org".into()),
                postal: Some("1 rue X".into()),
            },
            representative: Some(Representative {
                family_names: "DIALLO".into(),
                given_names: Some("Fatou".into()),
                relation: Relation::Guardian,
            }),
        },
        lang: "fr".into(),
        registered_at: Timestamp::from_second(1_804_590_000).unwrap(),
        registered_on: date(2027, 3, 9),
        mediator: MediatorId::parse("m1").unwrap(),
    }
}

fn door(of: &Registration) -> Door {
    let (acknowledgement, device) = (Signer::from_seed(&[3; 32]), Signer::from_seed(&[4; 32]));
    let ground = Ground::Rank(DeviceCertificate::issue(
        &acknowledgement,
        KioskId([8; 16]),
        device.public(),
        of.site.clone(),
        of.registered_at,
    ));
    Door::new(DoorParts {
        ground,
        registration: of.id,
        code: of.code,
        birth: of.applicant.birth,
        issued_at: of.registered_at,
        rebuild_code: b"",
        name: "TRAORÉ Aïssata",
    })
}

fn paris() -> TimeZone {
    TimeZone::get("Europe/Paris").unwrap()
}

#[test]
fn everything_that_fits_is_read_back() {
    let told = told();
    let bytes = content(&told);
    assert!(bytes.len() <= CONTENT_MAX);
    assert_eq!(registration(&door(&told), &bytes, &paris()), Some(told));
}

#[test]
fn who_showed_a_document_is_not_told_as_declared() {
    let mut told = told();
    told.applicant.identity = Identity::Document;
    assert_eq!(registration(&door(&told), &content(&told), &paris()), Some(told));
}

/// The code is full to its last byte and not beyond it: what does not fit is left out, and what
/// comes after it and fits is not.
#[test]
fn what_does_not_fit_is_left_out_and_nothing_else() {
    let mut told = told();
    told.limit = None;
    told.applicant.representative = None;
    told.applicant.contact = Contact { phone: None, email: None, postal: Some("1 rue X".into()) };
    let without = |place: &str| {
        let mut told = told.clone();
        told.applicant.birth_place = (!place.is_empty()).then(|| place.to_owned());
        told
    };
    let room = CONTENT_MAX - content(&without("")).len() - 2;
    let fits = "x".repeat(room);
    assert_eq!(content(&without(&fits)).len(), CONTENT_MAX);
    let read = |told: &Registration| registration(&door(told), &content(told), &paris()).unwrap();
    assert_eq!(read(&without(&fits)).applicant.birth_place.as_deref(), Some(fits.as_str()));
    let read = read(&without(&"x".repeat(room + 10)));
    assert_eq!(read.applicant.birth_place, None);
    assert_eq!(read.applicant.contact.postal.as_deref(), Some("1 rue X"), "it still fits");
}

#[test]
fn a_word_said_twice_or_cut_is_no_content() {
    let told = told();
    let bytes = content(&told);
    let (door, zone) = (door(&told), paris());
    let twice = [bytes.as_slice(), &bytes[..2 + usize::from(bytes[1])]].concat();
    assert_eq!(registration(&door, &twice, &zone), None);
    assert_eq!(registration(&door, &bytes[..bytes.len() - 1], &zone), None);
    // A word of a later version is passed over.
    let later = [bytes.as_slice(), &[200, 1, b'x']].concat();
    assert_eq!(registration(&door, &later, &zone), Some(told));
}

#[test]
fn a_full_code_opens_and_a_longer_one_does_not() {
    let recovery = [7; 32];
    let public = seal::rebuild::public_of(&recovery).unwrap();
    let full = lock_as(Use::Paper, &public, b"paper", &[9; CONTENT_MAX], [1; 32]).unwrap();
    assert_eq!(full.len(), seal::door::MAX_BYTES);
    assert_eq!(open(&recovery, b"paper", &full).unwrap().as_slice(), [9; CONTENT_MAX]);
    let longer = [full.as_slice(), &[0]].concat();
    assert!(open_as(Use::Paper, &recovery, b"paper", &longer).is_err());
}
