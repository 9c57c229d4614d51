//! What is this kiosk's own: its enrolment and settings, vault, keyring, room on the disk, the key
//! that locks export files, and whether central takes it.

use super::{Check, State};
use crate::contract::Problem;
use crate::kiosk::{Kiosk, World, blocking};
use crate::settings::{KioskFile, Settings};
use crate::{storage, sync};
use jiff::Timestamp;
use seal::ring::Role;
use std::time::Duration;

/// Below this much free room somebody should look; below the next no visit begins.
const LOW_MIB: u64 = 1_024;
const FULL_MIB: u64 = 256;
const MIB: u64 = 1_024 * 1_024;
/// Longest wait for central's word on this kiosk.
const STANDING_LIMIT: Duration = Duration::from_secs(10);

/// What the other checks go on from.
pub(super) struct Found {
    pub file: Option<KioskFile>,
    /// The highest time this kiosk has reason to trust, when the vault opened.
    pub time_mark: Option<Timestamp>,
}

pub(super) async fn checks(settings: &Settings, world: &World) -> (Vec<Check>, Found) {
    let storage = room(settings);
    let file = match settings.read() {
        Ok(file) => file,
        Err(problem) => {
            let there = problem.code != "not_enrolled";
            let mut checks = vec![Check::new("enrolled", if there { State::Ok } else { State::Fail })];
            checks.push(match problem.args.get("file") {
                Some(file) => Check::new("settings", State::Fail).with("file", file),
                None => Check::new("settings", State::Unknown),
            });
            checks.extend(
                ["vault", "keyring", "export_key", "standing"].map(|id| Check::new(id, State::Unknown)),
            );
            checks.push(storage);
            return (checks, Found { file: None, time_mark: None });
        }
    };
    let mut checks = vec![Check::new("enrolled", State::Ok), Check::new("settings", State::Ok)];
    let kiosk = file.kiosk;
    let keyring = match blocking(move || Ok(vault::key::find(kiosk).map(|_| ())?)).await {
        Ok(()) => Check::new("keyring", State::Ok),
        Err(problem) => Check::new("keyring", State::Fail).with("code", problem.code),
    };
    let mut time_mark = None;
    let mut standing = Check::new("standing", State::Unknown);
    let (vault, export_key) = match Kiosk::open_to_read_in(settings.clone(), world.clone()).await {
        Ok(open) => {
            time_mark = open
                .inner
                .vault
                .read(crate::sync::time_mark)
                .ok()
                .and_then(|mark| Timestamp::from_second(mark).ok());
            let known = open.inner.identity.told().ring.latest(Role::Delivery).is_some();
            if open.unwritable().is_none() {
                standing = stands(&open).await;
            }
            let read = open.check_vault().await.err();
            let whole = match read.or_else(|| open.unwritable()) {
                None => Check::new("vault", State::Ok),
                Some(problem) => Check::new("vault", State::Fail).with("code", problem.code),
            };
            (whole, if known { State::Ok } else { State::Warn })
        }
        // The window has it: that it runs says that the vault opens.
        Err(problem) if problem.code == "vault_busy" => (Check::new("vault", State::Unknown), State::Unknown),
        Err(problem) => (Check::new("vault", State::Fail).with("code", problem.code), State::Unknown),
    };
    checks.extend([vault, keyring, Check::new("export_key", export_key), storage, standing]);
    (checks, Found { file: Some(file), time_mark })
}

/// Does central take this kiosk, by its own word now or by its last one?
async fn stands(open: &Kiosk) -> Check {
    let now = tokio::time::timeout(STANDING_LIMIT, open.is_taken()).await;
    let told = open.standing().await.ok().flatten();
    let failed = |code: &str| Check::new("standing", State::Fail).with("code", code);
    match (now, told) {
        (Ok(Err(problem)), _) if sync::refuses(&problem) => failed(&problem.code),
        // Its last refusal is over; that nothing is lent is told by an exchange alone.
        (Ok(Ok(())), Some(told)) if !sync::refuses(&Problem::new(&told)) => failed(&told),
        (Ok(Ok(())), _) => Check::new("standing", State::Ok),
        (_, Some(told)) => failed(&told),
        (_, None) => Check::new("standing", State::Unknown),
    }
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
