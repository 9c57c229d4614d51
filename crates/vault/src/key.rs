//! The vault's key in the system's keyring (Secret Service): service `jalon`, user =
//! kiosk id. Only the 32-byte key is kept there.
//!
//! A key is made only when there is no vault. A vault whose key is gone is refused and
//! left untouched: making a new key would hide what it holds for ever.

use crate::{Vault, VaultFailure, VaultKey};
use domain::ids::KioskId;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;
use zeroize::Zeroizing;

const SERVICE: &str = "jalon";
/// A locked collection may wait for a dialog for ever; the counter does not.
const LIMIT: Duration = Duration::from_secs(5);

/// This kiosk's key, from the keyring.
///
/// # Errors
/// The key is missing, or the keyring does not answer within five seconds.
pub fn find(kiosk: KioskId) -> Result<VaultKey, VaultFailure> {
    read(kiosk)?.ok_or(VaultFailure::KeyMissing)
}

/// Opens this kiosk's vault with the key from the keyring.
///
/// # Errors
/// As [`find`], or the vault does not open.
pub fn open(path: &Path, kiosk: KioskId) -> Result<Vault, VaultFailure> {
    Vault::open(path, &find(kiosk)?)
}

/// Puts a key into the keyring and reads it back: a recovered one, or a new one.
///
/// # Errors
/// The keyring refuses, or does not give back what it took.
pub fn put(kiosk: KioskId, key: &VaultKey) -> Result<(), VaultFailure> {
    let stored = key.clone();
    within_limit(move || entry(kiosk)?.set_secret(stored.as_slice()).map_err(|_| VaultFailure::Keyring))?;
    match read(kiosk)? {
        Some(back) if back == *key => Ok(()),
        _ => Err(VaultFailure::Keyring),
    }
}

/// Stores a new key, reads it back, and only then makes the vault.
///
/// # Errors
/// There is a vault already, the keyring refuses, or it does not give back what it took.
pub fn create(path: &Path, kiosk: KioskId, key: VaultKey) -> Result<Vault, VaultFailure> {
    if path.exists() {
        return Err(VaultFailure::Io(std::io::ErrorKind::AlreadyExists.into()));
    }
    put(kiosk, &key)?;
    Vault::create(path, &key)
}

fn read(kiosk: KioskId) -> Result<Option<VaultKey>, VaultFailure> {
    within_limit(move || match entry(kiosk)?.get_secret() {
        Ok(secret) => {
            let secret = Zeroizing::new(secret);
            let key = secret.as_slice().try_into().map_err(|_| VaultFailure::Keyring)?;
            Ok(Some(Zeroizing::new(key)))
        }
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(_) => Err(VaultFailure::Keyring),
    })
}

fn entry(kiosk: KioskId) -> Result<keyring::Entry, VaultFailure> {
    keyring::Entry::new(SERVICE, &kiosk.to_string()).map_err(|_| VaultFailure::Keyring)
}

/// Keyring calls block, so each has a thread of its own and a time limit. A thread that
/// never comes back is left behind; the process goes on.
fn within_limit<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, VaultFailure> + Send + 'static,
) -> Result<T, VaultFailure> {
    let (send, receive) = mpsc::channel();
    std::thread::Builder::new().name("keyring".into()).spawn(move || {
        let _ = send.send(call());
    })?;
    receive.recv_timeout(LIMIT).map_err(|_| VaultFailure::Keyring)?
}
