//! Where bytes from outside come in, one function a target: whatever they are, nothing panics,
//! and what was read says the same when it is written and read again. Called by the fuzz targets
//! and, on every file of the corpus, by the test run.

use domain::birth::Birth;
use domain::code::FollowUpCode;
use domain::ids::{KioskId, RegistrationId, SiteId, SlotId};
use domain::token::{SignedToken, SlotToken};
use jiff::{Timestamp, civil::datetime};
use seal::certificate::DeviceCertificate;
use seal::door::{Door, DoorParts, Ground};
use seal::keys::Signer;
use seal::ring::{KeyCertificate, KeyRing, Role};
use seal::verify::{Circumstances, Verdict};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::OnceLock;
use wire::body::Body;
use wire::record::{Acknowledgement, Header, Record};
use wire::{messages, problem};

/// Messages either way, records and their bodies.
pub fn wire(bytes: &[u8]) {
    same_again::<messages::EnrolRequest>(bytes);
    same_again::<messages::EnrolAnswer>(bytes);
    same_again::<messages::ReturnRequest>(bytes);
    same_again::<messages::DateRequest>(bytes);
    same_again::<messages::DateAnswer>(bytes);
    same_again::<messages::PushRequest>(bytes);
    same_again::<messages::PushAnswer>(bytes);
    same_again::<messages::ChangesAnswer>(bytes);
    same_again::<messages::FollowUpRequest>(bytes);
    same_again::<messages::FollowUpAnswer>(bytes);
    same_again::<messages::LeaseRequest>(bytes);
    same_again::<messages::LeaseAnswer>(bytes);
    same_again::<messages::Roster>(bytes);
    same_again::<messages::SignedRoster>(bytes);
    same_again::<messages::DeliveryAnswer>(bytes);
    // What stands inside an export file is outside data too: whoever has the public key can
    // lock anything.
    let mut frames = bytes;
    while let Ok(frame) = wire::delivery::Frame::read(&mut frames) {
        let mut again = Vec::new();
        frame.write(&mut again).expect("what was read is within its limits");
        assert!(wire::delivery::Frame::read(&mut again.as_slice()).is_ok());
    }
    same_again::<problem::Problem>(bytes);
    same_again::<Body>(bytes);
    if let Some(header) = same_again::<Header>(bytes) {
        assert!(header.to_bytes().len() < 500);
    }
    if let Some(acknowledgement) = same_again::<Acknowledgement>(bytes) {
        let _ = acknowledgement.to_bytes();
    }
    if let Some(record) = same_again::<Record>(bytes)
        && record.is_sound()
    {
        assert_eq!(record.header.body_len as usize, record.body.0.len());
    }
    for kind in wire::body::KINDS {
        if let Some(body) = Body::read(kind, wire::body::SCHEMA, bytes) {
            assert_eq!(body.kind(), kind);
            let _ = body.registration();
        }
    }
}

/// Door and rebuild codes, tokens, certificates, key rings, and their text form.
pub fn seal(bytes: &[u8]) {
    let world = world();
    for rebuild_code in [None, Some(world.rebuild.as_slice())] {
        let at = Timestamp::from_second(1_800_000_100).ok();
        let circumstances = Circumstances { at, rebuild_code, ..Circumstances::default() };
        let said = seal::verify::verify(bytes, &world.ring, &circumstances);
        let ours = world.doors.iter().any(|door| door == bytes);
        assert_eq!(said.verdict == Verdict::Valid, ours, "only what was sealed verifies");
    }
    if let Some((door, _, message)) = Door::read(bytes) {
        assert!(bytes.starts_with(message) && door.name.len() <= 76);
    }
    let opened = seal::rebuild::open(&RECOVERY, &PAPER, bytes);
    assert_eq!(opened.is_ok(), bytes == world.rebuild, "only what was locked opens");
    if let Ok(mut content) = seal::delivery::open(&RECOVERY, bytes) {
        let mut read = Vec::new();
        let whole = std::io::Read::read_to_end(&mut content, &mut read).is_ok();
        assert!(!whole || bytes == world.export, "only what was locked opens");
    }
    if let Some(token) = SignedToken::from_bytes(bytes) {
        assert_eq!(token.to_bytes(), bytes);
        let _ = seal::token::check(&world.ring, &token);
    }
    if let Some(certificate) = DeviceCertificate::from_bytes(bytes) {
        assert_eq!(certificate.to_bytes(), bytes);
        let _ = certificate.is_by(&world.ring);
    }
    if let Ok(ring) = KeyRing::from_json(bytes) {
        let json = serde_json::to_vec(&ring).expect("a ring is JSON");
        assert_eq!(KeyRing::from_json(&json).as_ref(), Ok(&ring));
        let _ = ring.latest(Role::Recovery);
    }
    if let Some(code) = std::str::from_utf8(bytes).ok().and_then(seal::text::to_bytes) {
        assert_eq!(seal::text::to_bytes(&seal::text::from_bytes(&code)), Some(code));
    }
}

/// An eSCL device's XML, and its pictures.
pub fn escl(bytes: &[u8]) {
    let _ = scan::escl_xml::elements(bytes);
    if let Ok(page) = scan::page::normalise(bytes.to_vec(), 300) {
        assert!(page.width > 0 && page.height > 0 && page.jpeg.starts_with(&[0xff, 0xd8]));
    }
}

fn same_again<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(bytes).ok()?;
    let once = serde_json::to_vec(&read).expect("what was read is written");
    let again: T = serde_json::from_slice(&once).expect("what was written is read");
    assert_eq!(once, serde_json::to_vec(&again).expect("as before"));
    Some(read)
}

pub const RECOVERY: [u8; 32] = [9; 32];
const PAPER: [u8; 16] = [5; 16];

/// Fixed keys, and everything honest there is under them.
pub struct World {
    ring: KeyRing,
    pub doors: Vec<Vec<u8>>,
    pub rebuild: Vec<u8>,
    /// An export file's envelope.
    pub export: &'static [u8],
    pub token: Vec<u8>,
    pub certificate: Vec<u8>,
    pub ring_json: Vec<u8>,
}

pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(make)
}

fn make() -> World {
    let [root, slot, acknowledgement, device] = [1, 2, 3, 4].map(|n| Signer::from_seed(&[n; 32]));
    let certify = |role, key| KeyCertificate::issue(&root, role, key, Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let recovery = seal::rebuild::public_of(&RECOVERY).expect("a key");
    let certificates = vec![
        certify(Role::Slot, slot.public()),
        certify(Role::Acknowledgement, acknowledgement.public()),
        certify(Role::Recovery, recovery),
    ];
    let ring = KeyRing::new(root.public(), certificates).expect("signed by its root");
    let site = SiteId::parse("PREF-93-BOBIGNY1").expect("a site id");
    let at = Timestamp::from_second(1_800_000_000).expect("a time");
    let token = seal::token::sign(
        &slot,
        SlotToken {
            slot: SlotId(7),
            site: site.clone(),
            at: datetime(2027, 3, 8, 9, 20, 0, 0),
            kiosk: device.public(),
            last_issue: Timestamp::from_second(1_804_490_400).expect("a time"),
        },
    );
    let certificate = DeviceCertificate::issue(&acknowledgement, KioskId([8; 16]), device.public(), site, at);
    let rebuild = seal::rebuild::lock(&recovery, &PAPER, b"\x01\x07renewal", [6; 32]).expect("short");
    let grounds =
        [Ground::Slot(token.clone()), Ground::Held(token.clone()), Ground::Rank(certificate.clone())];
    let doors = grounds.into_iter().map(|ground| {
        let parts = DoorParts {
            ground,
            registration: RegistrationId(PAPER),
            code: FollowUpCode::from_random([6; 8]),
            birth: Birth::Customary { year: 1991 },
            issued_at: at,
            rebuild_code: &rebuild,
            name: "DIALLO Awa",
        };
        Door::new(parts).seal(&device)
    });
    World {
        doors: doors.collect(),
        token: token.to_bytes(),
        certificate: certificate.to_bytes(),
        ring_json: serde_json::to_vec(&ring).expect("a ring is JSON"),
        rebuild,
        export: include_bytes!("corpus/seal/export"),
        ring,
    }
}
