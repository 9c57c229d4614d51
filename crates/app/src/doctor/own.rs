//! What is this kiosk's own: its enrolment, vault, keyring, room on the disk, and the key that
//! locks export files.

use super::{Check, State};
use crate::kiosk::{Kiosk, World, blocking};
use crate::settings::{KioskFile, Settings};
use crate::storage;
use jiff::Timestamp;
use seal::ring::Role;

/// Below this much free room somebody should look; below the next no visit begins.
const LOW_MIB: u64 = 1_024;
const FULL_MIB: u64 = 256;
const MIB: u64 = 1_024 * 1_024;

/// What the other checks go on from.
pub(super) struct Found {
    pub file: Option<KioskFile>,
    /// The highest time this kiosk has reason to trust, when the vault opened.
    pub time_mark: Option<Timestamp>,
}

pub(super) async fn checks(settings: &Settings, world: &World) -> (Vec<Check>, Found) {
    let storage = room(settings);
    let Ok(file) = settings.read() else {
        let unseen = ["vault", "keyring", "export_key"].map(|id| Check::new(id, State::Unknown));
        let mut checks = vec![Check::new("enrolled", State::Fail)];
        checks.extend(unseen);
        checks.push(storage);
        return (checks, Found { file: None, time_mark: None });
    };
    let mut checks = vec![Check::new("enrolled", State::Ok)];
    let kiosk = file.kiosk;
    let key = blocking(move || Ok(vault::key::find(kiosk).map(|_| ()))).await;
    let keyring = match key {
        Ok(Ok(())) => State::Ok,
        _ => State::Fail,
    };
    let mut time_mark = None;
    let (vault, export_key) = match Kiosk::open_in(settings.clone(), world.clone()).await {
        Ok(open) => {
            time_mark = open
                .inner
                .vault
                .read(crate::sync::time_mark)
                .ok()
                .and_then(|mark| Timestamp::from_second(mark).ok());
            let known = open.inner.identity.told().ring.latest(Role::Delivery).is_some();
            let whole = match open.check_vault().await {
                Ok(()) => Check::new("vault", State::Ok),
                Err(problem) => Check::new("vault", State::Fail).with("code", problem.code),
            };
            (whole, if known { State::Ok } else { State::Warn })
        }
        // The window has it: that it runs says that the vault opens.
        Err(problem) if problem.code == "vault_busy" => (Check::new("vault", State::Unknown), State::Unknown),
        Err(problem) => (Check::new("vault", State::Fail).with("code", problem.code), State::Unknown),
    };
    checks.extend([vault, Check::new("keyring", keyring), Check::new("export_key", export_key), storage]);
    (checks, Found { file: Some(file), time_mark })
}

fn room(settings: &Settings) -> Check {
    // The nearest folder that is there: before enrolment there is none yet.
    let there = settings.home.ancestors().find(|folder| folder.exists());
    match there.and_then(storage::room) {
        None => Check::new("storage", State::Unknown),
        Some((free, total)) => {
            let state = match free / MIB {
                mib if mib < FULL_MIB => State::Fail,
                mib if mib < LOW_MIB => State::Warn,
                _ => State::Ok,
            };
            Check::new("storage", state).with("free", free / MIB).with("total", total / MIB)
        }
    }
}
