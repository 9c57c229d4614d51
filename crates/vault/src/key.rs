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
/// Stands for a kiosk that has no id yet.
const TRIED: &str = "tried";
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

/// Does the keyring keep a key and give it back? Tried with one that opens nothing, under a name of
/// its own, and taken out again: for the moment before a kiosk has a name.
///
/// # Errors
/// It does not answer, is locked, or gives back something else.
pub fn keeps(nothing: &VaultKey) -> Result<(), VaultFailure> {
    let tried = nothing.clone();
    within_limit(move || {
        let entry = keyring::Entry::new(SERVICE, TRIED).map_err(|_| VaultFailure::Keyring)?;
        entry.set_secret(tried.as_slice()).map_err(|_| VaultFailure::Keyring)?;
        let back = entry.get_secret().map(Zeroizing::new);
        let _ = entry.delete_credential();
        match back {
            Ok(back) if back.as_slice() == tried.as_slice() => Ok(()),
            _ => Err(VaultFailure::Keyring),
        }
    })
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
