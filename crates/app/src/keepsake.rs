//! What lies beside the vault for the day it does not open: this kiosk's identity and settings
//! under the same key, so that a fresh vault can take its place at once, and the vault's key
//! locked to the recovery key, so that a lost keyring is not a lost vault. Neither holds a
//! person.

use crate::contract::Problem;
use crate::kiosk::{IDENTITY, ROSTER, StoredIdentity, World};
use crate::settings::{KioskFile, Settings};
use domain::ids::KioskId;
use seal::rebuild::{self, Use};
use seal::ring::Role;
use serde::{Deserialize, Serialize};
use std::path::Path;
use vault::{Vault, VaultKey};
use wire::messages::Roster;
use zeroize::Zeroizing;

/// `kiosk.json` as it was last read, in the vault and in the copy of the identity.
const SETTINGS: &str = "settings";

/// The vault's key, locked to the recovery key (HPKE) and bound to the kiosk.
#[derive(Serialize, Deserialize)]
struct LockedKey {
    kiosk: KioskId,
    locked: wire::bytes::Bytes,
}

/// Makes what is missing of the two, and keeps `file` in the vault and beside it. `vault` is open
/// and this kiosk's.
///
/// # Errors
/// The folder cannot be written, or the vault holds no identity.
pub(crate) fn keep(
    settings: &Settings,
    (vault, key): (&Vault, &VaultKey),
    file: &KioskFile,
    world: &World,
) -> Result<(), Problem> {
    let (identity, locked) = (settings.identity_copy(), settings.locked_key());
    let staged = identity.with_file_name("new-identity.db");
    // Of a run that was ended here.
    Settings::clear_vault(&staged);
    let anew = kept(vault)?.as_ref() != Some(file);
    if anew {
        vault.transact(|tx| Ok::<_, Problem>(tx.put_json(SETTINGS, file)?))?;
    }
    if identity.exists() && locked.exists() && !anew {
        return Ok(());
    }
    let (stored, roster) = read(vault)?;
    if !locked.exists() {
        let recovery = stored.ring.latest(Role::Recovery).ok_or_else(|| Problem::new("vault_damaged"))?.key;
        let code = rebuild::lock_as(Use::VaultKey, &recovery, &stored.kiosk.0, key.as_slice(), world.bytes())
            .map_err(|_| Problem::new("vault_damaged"))?;
        let file = LockedKey { kiosk: stored.kiosk, locked: code.into() };
        let bytes = serde_json::to_vec(&file).map_err(|_| Problem::new("unknown"))?;
        settings.write_whole(&locked, &bytes)?;
    }
    if anew || !identity.exists() {
        let copy = Vault::create(&staged, key)?;
        write(&copy, &stored, &roster)?;
        copy.transact(|tx| Ok::<_, Problem>(tx.put_json(SETTINGS, file)?))?;
        copy.checkpoint()?;
        drop(copy);
        settings.take(&staged, &identity)?;
        Settings::clear_vault(&staged);
    }
    Ok(())
}

/// What a fresh vault begins with, read from the copy.
///
/// # Errors
/// There is no copy, or this key does not open it.
pub(crate) fn identity(settings: &Settings, key: &VaultKey) -> Result<(StoredIdentity, Roster), Problem> {
    let copy =
        Vault::open(&settings.identity_copy(), key).map_err(|_| Problem::new("vault_needs_enrolment"))?;
    read(&copy).map_err(|_| Problem::new("vault_needs_enrolment"))
}

/// The settings an open vault, or the copy, has kept.
///
/// # Errors
/// The vault fails.
pub(crate) fn kept(vault: &Vault) -> Result<Option<KioskFile>, Problem> {
    // Settings of a later version are not ours to write again.
    Ok(vault.read(|tx| tx.get(SETTINGS))?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Whose vault lies here, by the name on its locked key. Proves nothing by itself.
pub(crate) fn kiosk_named(settings: &Settings) -> Option<KioskId> {
    let bytes = std::fs::read(settings.locked_key()).ok()?;
    serde_json::from_slice::<LockedKey>(&bytes).ok().map(|locked| locked.kiosk)
}

pub(crate) fn write(vault: &Vault, stored: &StoredIdentity, roster: &Roster) -> Result<(), Problem> {
    vault.transact(|tx| {
        tx.put_json(IDENTITY, stored)?;
        tx.put_json(ROSTER, roster)?;
        Ok(())
    })
}

fn read(vault: &Vault) -> Result<(StoredIdentity, Roster), Problem> {
    vault.read(|tx| {
        let stored = tx.get_json(IDENTITY)?.ok_or_else(|| Problem::new("vault_damaged"))?;
        let roster = tx.get_json(ROSTER)?.ok_or_else(|| Problem::new("vault_damaged"))?;
        Ok((stored, roster))
    })
}

/// Puts the vault's key back into the keyring, opened with the recovery key. The vault is
/// tried with it first: a key that does not open it is never stored.
///
/// # Errors
/// The locked key is not there, is another recovery key's, or the vault does not open.
pub fn recover(settings: &Settings, recovery: &[u8; 32]) -> Result<KioskId, Problem> {
    let key = unlock(&settings.locked_key(), recovery)?;
    let told = |code: &str| Problem::new(code).with("file", settings.locked_key().display());
    // Without settings the name on the locked key counts: a key that opens the vault is its own.
    let kiosk = settings.read().map_or(key.1, |file| file.kiosk);
    if key.1 != kiosk {
        return Err(told("recovery_other_kiosk"));
    }
    drop(Vault::open(&settings.vault(), &key.0)?);
    vault::key::put(kiosk, &key.0)?;
    Ok(kiosk)
}

fn unlock(file: &Path, recovery: &[u8; 32]) -> Result<(VaultKey, KioskId), Problem> {
    let told = |code: &str| Problem::new(code).with("file", file.display());
    let bytes = std::fs::read(file).map_err(|_| told("locked_key_missing"))?;
    let locked: LockedKey = serde_json::from_slice(&bytes).map_err(|_| told("locked_key_missing"))?;
    let opened = rebuild::open_as(Use::VaultKey, recovery, &locked.kiosk.0, &locked.locked.0)
        .map_err(|_| told("recovery_other_vault"))?;
    let key: [u8; 32] = opened.as_slice().try_into().map_err(|_| told("recovery_other_vault"))?;
    Ok((Zeroizing::new(key), locked.kiosk))
}
