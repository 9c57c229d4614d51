//! Central's own keys: a folder with the slot key, the acknowledgement key and the ring
//! that certifies them, and the key that opens export files. The root and the recovery key are
//! files beside it, to be taken away.

use domain::bytes::PublicKey;
use domain::token::KeyId;
use jiff::Timestamp;
use seal::keys::Signer;
use seal::ring::{KeyCertificate, KeyRing, Role};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::Zeroizing;

pub struct CentralKeys {
    pub(crate) slot: Signer,
    pub(crate) acknowledgement: Signer,
    /// Opens export files; none in a folder made before there were any.
    pub(crate) delivery: Option<Zeroizing<[u8; 32]>>,
    pub(crate) ring: KeyRing,
}

#[derive(Debug, thiserror::Error)]
pub enum KeysFailure {
    #[error("cannot read or write {file}")]
    Io { file: String, source: std::io::Error },
    #[error("{0} is not a key file")]
    Unreadable(String),
    #[error("the ring does not certify this central's keys")]
    NotCertified,
    #[error("this root key did not certify this ring, or the ring is full")]
    OtherRoot,
    #[error("this role signs nothing")]
    NotSigning,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    /// RFC 8032 seed in hexadecimal.
    slot: String,
    acknowledgement: String,
    /// X25519 seed in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<String>,
}

/// The file names inside a key folder.
pub const CENTRAL_KEYS: &str = "central.keys.json";
pub const RING: &str = "root.pub.json";
pub const ROOT: &str = "root.key";
pub const RECOVERY: &str = "recovery.key";

impl CentralKeys {
    /// # Errors
    /// The slot or acknowledgement key is not certified by the ring.
    pub fn new(slot: Signer, acknowledgement: Signer, ring: KeyRing) -> Result<Self, KeysFailure> {
        let certified = ring.find(Role::Slot, slot.key_id()).is_some()
            && ring.find(Role::Acknowledgement, acknowledgement.key_id()).is_some();
        if !certified {
            return Err(KeysFailure::NotCertified);
        }
        Ok(Self { slot, acknowledgement, delivery: None, ring })
    }

    /// The same, opening export files too.
    ///
    /// # Errors
    /// The key is not certified by the ring.
    pub fn opening(self, delivery: Zeroizing<[u8; 32]>) -> Result<Self, KeysFailure> {
        let certified = seal::delivery::public_of(&delivery)
            .is_some_and(|public| self.ring.find(Role::Delivery, seal::keys::key_id(&public)).is_some());
        if certified { Ok(Self { delivery: Some(delivery), ..self }) } else { Err(KeysFailure::NotCertified) }
    }

    /// Reads a folder made by [`make`].
    ///
    /// # Errors
    /// See [`KeysFailure`].
    pub fn load(folder: &Path) -> Result<Self, KeysFailure> {
        let file: KeyFile = serde_json::from_slice(&read(folder, CENTRAL_KEYS)?)
            .map_err(|_| KeysFailure::Unreadable(CENTRAL_KEYS.into()))?;
        let ring =
            KeyRing::from_json(&read(folder, RING)?).map_err(|_| KeysFailure::Unreadable(RING.into()))?;
        let keys = Self::new(signer(&file.slot)?, signer(&file.acknowledgement)?, ring)?;
        match &file.delivery {
            Some(delivery) => keys.opening(seed(delivery)?),
            None => Ok(keys),
        }
    }

    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// May both keys sign at this moment? Their certificates say from when to when.
    #[must_use]
    pub fn sign_at(&self, now: Timestamp) -> bool {
        let within = |role, key: &Signer| {
            self.ring
                .find(role, key.key_id())
                .is_some_and(|certificate| certificate.from <= now && now < certificate.until)
        };
        within(Role::Slot, &self.slot) && within(Role::Acknowledgement, &self.acknowledgement)
    }
}

/// The ids of the key that signed until now and of the one that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewed {
    pub old: KeyId,
    pub new: KeyId,
}

/// Makes a new key for `role` and certifies it with the root key in `root`. The ring grows by
/// it, and is written first: a central that starts in between still has its keys.
///
/// # Errors
/// A file cannot be read or written, the root is another one, or the role does not sign.
pub fn renew(
    folder: &Path,
    root: &Path,
    role: Role,
    now: Timestamp,
    random: &crate::Random,
) -> Result<Renewed, KeysFailure> {
    let mut file: KeyFile = serde_json::from_slice(&read(folder, CENTRAL_KEYS)?)
        .map_err(|_| KeysFailure::Unreadable(CENTRAL_KEYS.into()))?;
    let ring = CentralKeys::load(folder)?.ring;
    let named = root.display().to_string();
    let seed =
        std::fs::read_to_string(root).map_err(|source| KeysFailure::Io { file: named.clone(), source })?;
    let root = signer(&seed).map_err(|_| KeysFailure::Unreadable(named))?;
    let mut seed = [0; 32];
    random(&mut seed);
    let next = Signer::from_seed(&seed);
    let place = match role {
        Role::Slot => &mut file.slot,
        Role::Acknowledgement => &mut file.acknowledgement,
        Role::Recovery | Role::Delivery => return Err(KeysFailure::NotSigning),
    };
    let old = signer(place)?.key_id();
    *place = hex::encode(seed);
    let (from, until) = signing_time(now);
    let grown =
        KeyRing::new(root.public(), vec![KeyCertificate::issue(&root, role, next.public(), from, until)])
            .and_then(|new| ring.joined(&new))
            .map_err(|_| KeysFailure::OtherRoot)?;
    replace(folder, RING, &pretty(&grown, RING)?)?;
    replace(folder, CENTRAL_KEYS, &pretty(&file, CENTRAL_KEYS)?)?;
    Ok(Renewed { old, new: next.key_id() })
}

/// Five years of signing, from yesterday on for clocks that are behind; verifying has no end.
fn signing_time(now: Timestamp) -> (Timestamp, Timestamp) {
    let until = Timestamp::from_second(now.as_second() + 5 * 365 * 86_400).unwrap_or(Timestamp::MAX);
    (Timestamp::from_second(now.as_second() - 86_400).unwrap_or(now), until)
}

/// Makes a root, a recovery key and central's keys, each in its own file of `folder`:
/// for the demonstration and for tests. In service the root stays with its holders.
///
/// # Errors
/// A file cannot be written.
pub fn make(folder: &Path, now: Timestamp, random: &crate::Random) -> Result<(), KeysFailure> {
    let seed = || drawn(random);
    let (root_seed, slot_seed, acknowledgement_seed, recovery_seed) = (seed(), seed(), seed(), seed());
    let delivery_seed = seed();
    let root = Signer::from_seed(&root_seed);
    let recovery =
        seal::rebuild::public_of(&recovery_seed).ok_or_else(|| KeysFailure::Unreadable(RECOVERY.into()))?;
    let delivery = seal::delivery::public_of(&delivery_seed)
        .ok_or_else(|| KeysFailure::Unreadable(CENTRAL_KEYS.into()))?;
    let certify = |role, key| certificate(&root, role, key, now);
    let ring = KeyRing::new(
        root.public(),
        vec![
            certify(Role::Slot, Signer::from_seed(&slot_seed).public()),
            certify(Role::Acknowledgement, Signer::from_seed(&acknowledgement_seed).public()),
            certify(Role::Recovery, recovery),
            certify(Role::Delivery, delivery),
        ],
    )
    .map_err(|_| KeysFailure::NotCertified)?;
    let keys = KeyFile {
        slot: hex::encode(slot_seed),
        acknowledgement: hex::encode(acknowledgement_seed),
        delivery: Some(hex::encode(delivery_seed)),
    };
    write(folder, CENTRAL_KEYS, &pretty(&keys, CENTRAL_KEYS)?)?;
    write(folder, RING, &pretty(&ring, RING)?)?;
    write(folder, ROOT, hex::encode(root_seed).as_bytes())?;
    write(folder, RECOVERY, hex::encode(recovery_seed).as_bytes())
}

/// Adds a delivery key to a folder made before there were any, with its root. A kiosk
/// learns of it by its next exchange.
///
/// # Errors
/// The folder has one already, or no root, or cannot be written.
pub fn add_delivery(folder: &Path, now: Timestamp, random: &crate::Random) -> Result<(), KeysFailure> {
    let mut keys: KeyFile = serde_json::from_slice(&read(folder, CENTRAL_KEYS)?)
        .map_err(|_| KeysFailure::Unreadable(CENTRAL_KEYS.into()))?;
    if keys.delivery.is_some() {
        let source = std::io::ErrorKind::AlreadyExists.into();
        return Err(KeysFailure::Io { file: CENTRAL_KEYS.into(), source });
    }
    let root = Zeroizing::new(String::from_utf8_lossy(&read(folder, ROOT)?).into_owned());
    let root = Signer::from_seed(&*seed(&root).map_err(|_| KeysFailure::Unreadable(ROOT.into()))?);
    let ring = KeyRing::from_json(&read(folder, RING)?).map_err(|_| KeysFailure::Unreadable(RING.into()))?;
    let drawn = drawn(random);
    let public = seal::delivery::public_of(&drawn).ok_or(KeysFailure::NotCertified)?;
    let ring = KeyRing::new(root.public(), vec![certificate(&root, Role::Delivery, public, now)])
        .and_then(|new| ring.joined(&new))
        .map_err(|_| KeysFailure::OtherRoot)?;
    keys.delivery = Some(hex::encode(drawn));
    // The ring first: a key nobody certified would keep central from starting.
    replace(folder, RING, &pretty(&ring, RING)?)?;
    replace(folder, CENTRAL_KEYS, &pretty(&keys, CENTRAL_KEYS)?)
}

fn drawn(random: &crate::Random) -> [u8; 32] {
    let mut seed = [0; 32];
    random(&mut seed);
    seed
}

/// Five years of use; verifying and opening have no end.
fn certificate(root: &Signer, role: Role, key: PublicKey, now: Timestamp) -> KeyCertificate {
    let (from, until) = signing_time(now);
    KeyCertificate::issue(root, role, key, from, until)
}

fn seed(text: &str) -> Result<Zeroizing<[u8; 32]>, KeysFailure> {
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), seed.as_mut())
        .map_err(|_| KeysFailure::Unreadable(CENTRAL_KEYS.into()))?;
    Ok(seed)
}

fn pretty(value: &impl Serialize, file: &str) -> Result<Vec<u8>, KeysFailure> {
    serde_json::to_vec_pretty(value).map_err(|_| KeysFailure::Unreadable(file.into()))
}

fn signer(seed: &str) -> Result<Signer, KeysFailure> {
    Ok(Signer::from_seed(&*self::seed(seed)?))
}

fn read(folder: &Path, file: &str) -> Result<Vec<u8>, KeysFailure> {
    std::fs::read(folder.join(file)).map_err(|source| KeysFailure::Io { file: file.into(), source })
}

/// The new file whole, or the old one: whatever happens in between.
fn replace(folder: &Path, file: &str, bytes: &[u8]) -> Result<(), KeysFailure> {
    let staged = format!("{file}.new");
    let io = |source| KeysFailure::Io { file: file.into(), source };
    // Left by a run that was ended.
    let _ = std::fs::remove_file(folder.join(&staged));
    write(folder, &staged, bytes)?;
    std::fs::rename(folder.join(&staged), folder.join(file)).map_err(io)?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
}

fn write(folder: &Path, file: &str, bytes: &[u8]) -> Result<(), KeysFailure> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let io = |source| KeysFailure::Io { file: file.into(), source };
    // create_new: a key is never overwritten.
    let mut out = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(folder.join(file))
        .map_err(io)?;
    out.write_all(bytes).and_then(|()| out.sync_all()).map_err(io)
}
