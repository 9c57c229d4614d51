//! Making this machine a kiosk of a site: a vault and a keyring that are ready, a new device key,
//! and only then the code, which serves once.

use crate::contract::Problem;
use crate::keepsake;
use crate::kiosk::{Identity, StoredIdentity, World, blocking};
use crate::settings::{KioskFile, Settings};
use crate::sync::transfer::HttpRemote;
use crate::sync::trust;
use domain::ids::KioskId;
use seal::keys::{Context, Signer};
use seal::ring::KeyRing;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use vault::{Vault, VaultFailure, VaultKey};
use wire::messages::{EnrolRequest, Roster};
use zeroize::Zeroizing;

/// Enrols with `code` at `file.central`; `file.kiosk` is replaced by the id central gives.
///
/// # Errors
/// There is a vault already, this machine cannot keep one, central refuses the code or is not
/// the one `ca` vouches for. Nothing is left behind then. What this machine lacks is found before
/// the code is sent: it serves once.
pub async fn enrol(
    settings: &Settings,
    mut file: KioskFile,
    code: &str,
    world: &World,
) -> Result<KioskFile, Problem> {
    if settings.vault().exists() {
        settings.read()?;
        return Err(Problem::new("already_enrolled"));
    }
    let remote = HttpRemote::open(&file.central, &file.ca)?;
    let (place, key) = (settings.clone(), Zeroizing::new(world.bytes::<32>()));
    let (own, nothing) = (key.clone(), Zeroizing::new(world.bytes::<32>()));
    let given = file.ca.clone();
    let mut prepared = blocking(move || prepare(&place, &given, &own, &nothing)).await?;
    let enrolled = ask(&remote, code, world).await?;
    file.kiosk = enrolled.kiosk();
    file.ca = settings.authority();
    let (place, kiosk) = (settings.clone(), enrolled.kiosk());
    let (written, world) = (file.clone(), world.clone());
    blocking(move || {
        let vault = prepared.vault.as_ref().ok_or_else(|| Problem::new("unknown"))?;
        vault::key::put(kiosk, &key)?;
        // What was held for this.
        let _ = std::fs::remove_file(&prepared.held);
        enrolled.store(vault)?;
        // What another kiosk's vault has left here is nothing to this one.
        place.forget_keepsakes();
        keepsake::keep(&place, (vault, &key), &written, &world)?;
        vault.checkpoint()?;
        prepared.vault = None;
        place.write(&written)?;
        place.take(&prepared.staged, &place.vault())?;
        prepared.settle();
        Ok(())
    })
    .await?;
    Ok(file)
}

/// Room held while central is asked, in bytes: many times what is written after its answer (the
/// identity, twice, each in a vault of its own with its log; the roster; a few small files).
const HELD_BYTES: usize = 8 << 20;

/// A folder, a vault in it, room, the authority and a keyring that keeps keys: all an enrolment
/// needs of this machine. Dropped, what was not moved to its place is removed.
struct Prepared {
    vault: Option<Vault>,
    staged: PathBuf,
    held: PathBuf,
    /// The authority's file here, until the enrolment holds.
    authority: Option<PathBuf>,
    /// One enrolment at a time in one folder.
    _folder: File,
}

impl Prepared {
    /// Enrolled: the authority's file stays.
    fn settle(&mut self) {
        self.authority = None;
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.vault = None;
        Settings::clear_vault(&self.staged);
        let _ = std::fs::remove_file(&self.held);
        if let Some(authority) = &self.authority {
            let _ = std::fs::remove_file(authority);
        }
    }
}

fn prepare(
    place: &Settings,
    authority: &Path,
    key: &VaultKey,
    nothing: &VaultKey,
) -> Result<Prepared, Problem> {
    let told = || Problem::new("home_unwritable").with("folder", place.home.display());
    std::fs::create_dir_all(&place.home).map_err(|_| told())?;
    let folder = File::open(&place.home).map_err(|_| told())?;
    match folder.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Problem::new("vault_busy")),
        Err(TryLockError::Error(_)) => return Err(told()),
    }
    if place.vault().exists() {
        return Err(Problem::new("already_enrolled"));
    }
    // Made beside its place and moved there last: whatever a power cut leaves behind is not taken
    // for an enrolled kiosk, and enrolling again works.
    let staged = place.vault().with_file_name("new-vault.db");
    Settings::clear_vault(&staged);
    let held = place.home.join("new-room");
    let mut prepared = Prepared { vault: None, staged, held, authority: None, _folder: folder };
    hold(&prepared.held).map_err(|error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Problem::new("enrol_disk_full").with("folder", place.home.display())
        }
        _ => told(),
    })?;
    let vault = Vault::create(&prepared.staged, key).map_err(|failure| match failure {
        VaultFailure::Io(_) => told(),
        VaultFailure::Full | VaultFailure::Disk => {
            Problem::new("enrol_disk_full").with("folder", place.home.display())
        }
        failure => failure.into(),
    });
    prepared.vault = Some(vault?);
    prepared.authority = Some(place.keep_authority(authority)?);
    vault::key::keeps(nothing)?;
    Ok(prepared)
}

/// Takes the room with bytes of its own: a file system may promise more than it has.
fn hold(held: &Path) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut file = File::create(held)?;
    let bytes: Vec<u8> = (0..1_u32 << 18).flat_map(u32::to_le_bytes).collect();
    for _ in 0..HELD_BYTES / bytes.len() {
        file.write_all(&bytes)?;
    }
    file.sync_all()
}

/// An identity central has given, not yet kept anywhere.
pub struct Enrolled {
    stored: StoredIdentity,
    roster: Roster,
}

impl Enrolled {
    #[must_use]
    pub fn kiosk(&self) -> KioskId {
        self.stored.kiosk
    }

    /// Writes it into a new vault.
    ///
    /// # Errors
    /// The vault fails.
    pub fn store(&self, vault: &Vault) -> Result<(), Problem> {
        keepsake::write(vault, &self.stored, &self.roster)
    }
}

/// Makes a device key and asks central to enrol it; believes only what the ring central
/// answers with vouches for.
///
/// # Errors
/// Central is out of reach, refuses the code, or its answer does not hold together.
pub async fn ask(remote: &HttpRemote, code: &str, world: &World) -> Result<Enrolled, Problem> {
    let seed = Zeroizing::new(world.bytes::<32>());
    let device = Signer::from_seed(&seed);
    let request = EnrolRequest {
        code: code.to_owned(),
        key: device.public(),
        proof: device.sign(Context::Enrolment, code.as_bytes()),
    };
    let answer = remote.enrol(&request).await?;
    let ring: KeyRing =
        serde_json::from_value(answer.ring).map_err(|_| Problem::new("central_bad_answer"))?;
    let stored = StoredIdentity {
        kiosk: answer.kiosk,
        device: hex::encode(seed.as_slice()),
        certificate: answer.certificate,
        ring,
        site: answer.site,
        nearby: Vec::new(),
        site_key: answer.site_key,
    };
    let identity = Identity::from_stored(&stored).ok_or_else(|| Problem::new("central_bad_answer"))?;
    if identity.certificate.is_by(&identity.told().ring) != Some(true)
        || identity.certificate.key != device.public()
    {
        return Err(Problem::new("central_bad_answer"));
    }
    let roster =
        trust::roster(&identity, &answer.roster).ok_or_else(|| Problem::new("central_bad_answer"))?;
    Ok(Enrolled { stored, roster })
}
