//! A vault that does not open is set aside, byte for byte as it is, and a fresh one takes
//! its place under the same identity: the counter goes on. What was in the old one comes
//! back from central, from papers, or from whoever mends it.

use crate::contract::{AsideView, Problem};
use crate::keepsake;
use crate::kiosk::{INCARNATION, Identity, World, blocking};
use crate::repair;
use crate::settings::Settings;
use crate::sync;
use domain::bytes::Salt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use vault::{Author, Vault, VaultFailure, VaultKey};
use wire::body::{Begun, Body};

/// 2020-01-01T00:00:00Z. A fresh vault does not know which incarnations its journal had:
/// it counts seconds since, which no kiosk ever raised its number to.
const INCARNATIONS_FROM: i64 = 1_577_836_800;

/// Begins the name of a folder a vault was set aside to; the rest is its incarnation's moment.
const ASIDE: &str = "set-aside-";

/// Sets the vault aside and puts a fresh one in its place; answers the folder it went to.
///
/// # Errors
/// The vault opens after all, is in use or of a newer version; the keyring does not give
/// the key; or no copy of the identity opens with it, and the kiosk must be enrolled again.
pub async fn set_aside(settings: &Settings, world: &World) -> Result<PathBuf, Problem> {
    let (settings, world) = (settings.clone(), world.clone());
    blocking(move || {
        let file = repair::read_or_mend(&settings)?;
        let key = vault::key::find(file.kiosk)?;
        replace(&settings, &key, &world)
    })
    .await
}

/// As [`set_aside`], with the key at hand.
///
/// # Errors
/// As [`set_aside`].
pub fn replace(settings: &Settings, key: &VaultKey, world: &World) -> Result<PathBuf, Problem> {
    let unsent = does_not_open(settings, key)?;
    let (stored, roster) = keepsake::identity(settings, key)?;
    let identity = Identity::from_stored(&stored).ok_or_else(|| Problem::new("vault_needs_enrolment"))?;
    let at = Timestamp::from_second((world.clock)().as_second()).unwrap_or(Timestamp::UNIX_EPOCH);
    // Its folder is named by it: two in one second, or a clock set back, are never taken for one.
    let clock = u32::try_from(at.as_second() - INCARNATIONS_FROM).unwrap_or(2).max(2);
    let incarnation = clock.max(latest_aside(settings).saturating_add(1));
    let folder = settings.home.join(format!("{ASIDE}{}", i64::from(incarnation) + INCARNATIONS_FROM));

    let staged = settings.vault().with_file_name("new-vault.db");
    Settings::clear_vault(&staged);
    let fresh = Vault::create(&staged, key)?;
    keepsake::write(&fresh, &stored, &roster)?;
    fresh.transact(|tx| {
        tx.put_json(INCARNATION, &incarnation)?;
        let author = Author { kiosk: identity.kiosk, incarnation, device: &identity.device };
        let because = "vault_set_aside".to_owned();
        tx.append(&author, &Body::Incarnation(Begun { because, at }), Salt(world.bytes()), at)?;
        sync::note_at(tx, "vault_set_aside", at)
    })?;
    fresh.checkpoint()?;
    drop(fresh);
    settings.move_vault(&folder)?;
    let about = serde_json::to_vec(&About { unsent }).map_err(|_| Problem::new("unknown"))?;
    settings.write_whole(&folder.join(ABOUT), &about)?;
    settings.take(&staged, &settings.vault())?;
    Settings::clear_vault(&staged);
    tracing::error!("the vault did not open: it is set aside, and a fresh one has taken its place");
    Ok(folder)
}

/// Beside a vault that was set aside: what it held that central had not received.
const ABOUT: &str = "about.json";
/// Longest such file, in bytes, and most folders of a kiosk that are looked at.
const ABOUT_BYTES: u64 = 4 << 10;
const LOOKED_AT: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct About {
    /// Records; none when the vault did not open far enough to count them.
    unsent: Option<u32>,
}

/// The vaults set aside beside this one that may hold what central never received.
pub(crate) fn unsent(home: &Path) -> Vec<AsideView> {
    let folders = std::fs::read_dir(home).into_iter().flatten().take(LOOKED_AT).flatten();
    let mut aside: Vec<AsideView> = folders
        .filter_map(|folder| {
            let name = folder.file_name().to_str().filter(|name| name.starts_with(ASIDE))?.to_owned();
            let holds = std::fs::metadata(folder.path().join("vault.db")).is_ok_and(|file| file.len() > 0);
            let unsent = about(&folder.path().join(ABOUT));
            (holds && unsent != Some(0)).then_some(AsideView { folder: name, unsent })
        })
        .collect();
    aside.sort_unstable_by(|one, other| one.folder.cmp(&other.folder));
    aside
}

fn about(file: &Path) -> Option<u32> {
    let mut text = Vec::new();
    std::fs::File::open(file).ok()?.take(ABOUT_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice::<About>(&text).ok()?.unsent
}

/// The newest incarnation that began when a vault was set aside here; 0 when none was.
fn latest_aside(settings: &Settings) -> u32 {
    let folders = std::fs::read_dir(&settings.home).into_iter().flatten().flatten();
    let moments =
        folders.filter_map(|folder| folder.file_name().to_str()?.strip_prefix(ASIDE)?.parse::<i64>().ok());
    moments.filter_map(|moment| u32::try_from(moment - INCARNATIONS_FROM).ok()).max().unwrap_or(0)
}

/// Only a vault that surely does not serve is set aside. Answers how many records in it central
/// has not received, where that can still be read.
fn does_not_open(settings: &Settings, key: &VaultKey) -> Result<Option<u32>, Problem> {
    if !settings.vault().exists() {
        return Ok(Some(0));
    }
    match Vault::open(&settings.vault(), key) {
        // A full or failing disk is not the vault's fault, and a fresh one would not mend it.
        Err(VaultFailure::DoesNotOpen | VaultFailure::Stored(_)) => Ok(None),
        Err(failure) => Err(failure.into()),
        Ok(vault) => {
            let device = keepsake::identity(settings, key)
                .ok()
                .and_then(|(stored, _)| Identity::from_stored(&stored))
                .map(|identity| identity.device.public());
            match device.map(|device| vault.check(&device)) {
                Some(Err(VaultFailure::DoesNotOpen | VaultFailure::Stored(_))) => {
                    let counts = vault.read::<_, VaultFailure>(|tx| tx.counts());
                    Ok(counts.ok().map(|[waiting, ..]| waiting))
                }
                _ => Err(Problem::new("vault_opens")),
            }
        }
    }
}
