//! `kiosk.json` again, when it is gone, empty or cannot be read: from what the vault has kept of
//! it. Asks central nothing, uses no code, and changes nothing in the vault.

use crate::contract::Problem;
use crate::keepsake;
use crate::kiosk::{IDENTITY, StoredIdentity, blocking};
use crate::settings::{KioskFile, Mode, Settings};
use crate::sync::transfer::HttpRemote;
use domain::ids::KioskId;
use std::path::PathBuf;
use vault::{Vault, VaultFailure, VaultKey};
use zeroize::Zeroize as _;

/// What somebody says of this kiosk; each counts more than what the vault has kept.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub kiosk: Option<KioskId>,
    pub central: Option<String>,
    pub ca: Option<PathBuf>,
    pub printer: Option<String>,
    pub scanner: Option<String>,
}

/// Writes `kiosk.json` again, or takes the authority's file again. One that cannot be read is kept
/// beside it.
///
/// # Errors
/// It can be read and no authority is given; nothing is enrolled here; the keyring does not
/// give the key; the vault has not kept what is missing and `known` does not say it; or no central
/// service answers at an address that would take the place of the one the vault has kept.
pub async fn repair(settings: &Settings, known: Known) -> Result<KioskFile, Problem> {
    let from = settings.clone();
    let (file, instead) = blocking(move || match from.read() {
        // The authority's file alone may be gone or damaged.
        Ok(whole) => match known.ca.clone() {
            Some(ca) => {
                let central = known.central.unwrap_or(whole.central);
                let (printer, scanner) = (known.printer.or(whole.printer), known.scanner.or(whole.scanner));
                Ok((KioskFile { central, ca, printer, scanner, ..whole }, true))
            }
            None => Err(Problem::new("settings_whole")),
        },
        Err(problem) if problem.code == "not_enrolled" => Err(problem),
        Err(_) => mended(&from, &known),
    })
    .await?;
    if instead {
        HttpRemote::open(&file.central, &file.ca)?.is_central().await?;
    }
    let to = settings.clone();
    blocking(move || take(&to, file)).await
}

/// Reads it. One that is gone or empty is written again if the vault has kept it; one that
/// somebody has changed by hand and that cannot be read is theirs to correct.
pub(crate) fn read_or_mend(settings: &Settings) -> Result<KioskFile, Problem> {
    settings.read().or_else(|problem| {
        if problem.code != "settings_missing" {
            return Err(problem);
        }
        mended(settings, &Known::default())
            .and_then(|(file, _)| take(settings, file))
            .inspect(|_| tracing::error!("kiosk.json was gone: written again from what the vault has kept"))
            .map_err(|failed| match failed.code.as_str() {
                "keyring_unavailable" | "vault_busy" => failed,
                _ => problem,
            })
    })
}

/// What to write, and whether its address takes the place of another that the vault has kept. The
/// authority's file is still where it was given.
fn mended(settings: &Settings, known: &Known) -> Result<(KioskFile, bool), Problem> {
    let kiosk = known.kiosk.or_else(|| keepsake::kiosk_named(settings));
    let kiosk = kiosk.ok_or_else(|| Problem::new("settings_kiosk_unknown"))?;
    let key = vault::key::find(kiosk)?;
    let kept = kept(settings, &key, kiosk)?;
    let instead = kept.as_ref().zip(known.central.as_ref()).is_some_and(|(kept, new)| kept.central != *new);
    let file = match kept {
        Some(kept) => KioskFile {
            kiosk,
            central: known.central.clone().unwrap_or(kept.central),
            ca: known.ca.clone().unwrap_or(kept.ca),
            printer: known.printer.clone().or(kept.printer),
            scanner: known.scanner.clone().or(kept.scanner),
            ..kept
        },
        None => {
            let (Some(central), Some(ca)) = (known.central.clone(), known.ca.clone()) else {
                return Err(Problem::new("settings_not_kept"));
            };
            let (printer, scanner) = (known.printer.clone(), known.scanner.clone());
            KioskFile { kiosk, central, ca, printer, scanner, idle_s: 120, mode: Mode::Counter }
        }
    };
    Ok((file, instead))
}

fn take(settings: &Settings, mut file: KioskFile) -> Result<KioskFile, Problem> {
    // One that was there before enrolment kept a copy stays where it is; it may be gone for now.
    if file.ca.exists() && file.ca != settings.authority() {
        file.ca = settings.keep_authority(&file.ca)?;
    }
    if settings.read().is_err() {
        settings.keep_damaged()?;
    }
    settings.write(&file)?;
    Ok(file)
}

/// What the vault has kept, or the copy of the identity when the vault does not open. Either
/// proves that the key, and so the name, is this kiosk's.
fn kept(settings: &Settings, key: &VaultKey, kiosk: KioskId) -> Result<Option<KioskFile>, Problem> {
    let opened = match Vault::open(&settings.vault(), key) {
        Err(failure @ VaultFailure::Busy) => return Err(failure.into()),
        Err(failure) => Vault::open(&settings.identity_copy(), key).map_err(|_| Problem::from(failure))?,
        Ok(vault) => vault,
    };
    let stored: Option<StoredIdentity> = opened.read::<_, VaultFailure>(|tx| tx.get_json(IDENTITY))?;
    let mut stored = stored.ok_or_else(|| Problem::new("vault_damaged"))?;
    stored.device.zeroize();
    if stored.kiosk != kiosk {
        return Err(Problem::new("settings_kiosk_unknown"));
    }
    Ok(keepsake::kept(&opened)?.filter(|file| file.kiosk == kiosk))
}
