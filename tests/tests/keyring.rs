#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The vault's key in a real Secret Service (gnome-keyring), each story in a message bus
//! and a HOME of its own, so that no developer's keyring is ever touched.

use domain::ids::KioskId;
use journeys::own_session::{inside, note_daemons};
use std::time::{Duration, Instant};
use vault::{VaultFailure, VaultKey};

const KIOSK: KioskId = KioskId([7; 16]);

fn key() -> VaultKey {
    VaultKey::new([9; 32])
}

#[test]
fn a_key_is_made_once_and_opens_the_vault_again() {
    inside("a_key_is_made_once_and_opens_the_vault_again", true, |home| {
        let path = home.join("vault.db");
        vault::key::keeps(&VaultKey::new([1; 32])).unwrap();
        vault::key::put(KIOSK, &key()).unwrap();
        let vault = vault::Vault::create(&path, &key()).unwrap();
        vault.transact(|tx| tx.put("x", b"kept")).unwrap();
        drop(vault);
        assert!(vault::Vault::create(&path, &VaultKey::new([1; 32])).is_err(), "never over a vault");
        let vault = vault::key::open(&path, KIOSK).unwrap();
        assert_eq!(vault.read(|tx| tx.get("x")).unwrap().as_deref(), Some(b"kept".as_slice()));
        drop(vault);
        // Another kiosk's key is not there: a refusal, and not one byte changed.
        let before = std::fs::read(&path).unwrap();
        let other = vault::key::open(&path, KioskId([8; 16]));
        assert!(matches!(other, Err(VaultFailure::KeyMissing)));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        note_daemons(home).unwrap();
    });
}

#[test]
fn without_an_open_keyring_it_answers_in_time() {
    inside("without_an_open_keyring_it_answers_in_time", false, |home| {
        let from = Instant::now();
        assert!(vault::key::put(KIOSK, &key()).is_err());
        assert!(vault::key::keeps(&key()).is_err());
        assert!(from.elapsed() < Duration::from_secs(18), "three calls of at most five seconds each");
        note_daemons(home).unwrap();
    });
}
