//! Making this machine a kiosk of a site: a new device key, a single-use code, and only
//! when central has answered a vault with its key in the keyring.

use crate::contract::Problem;
use crate::keepsake;
use crate::kiosk::{Identity, StoredIdentity, World, blocking};
use crate::settings::{KioskFile, Settings};
use crate::sync::transfer::HttpRemote;
use crate::sync::trust;
use domain::ids::KioskId;
use seal::keys::{Context, Signer};
use seal::ring::KeyRing;
use vault::Vault;
use wire::messages::{EnrolRequest, Roster};
use zeroize::Zeroizing;

/// Enrols with `code` at `file.central`; `file.kiosk` is replaced by the id central gives.
///
/// # Errors
/// There is a vault already, central refuses the code or is not the one `ca` vouches
/// for, or the keyring does not take the key. Nothing is left behind then.
pub async fn enrol(
    settings: &Settings,
    mut file: KioskFile,
    code: &str,
    world: &World,
) -> Result<KioskFile, Problem> {
    if settings.vault().exists() {
        return Err(Problem::new("already_enrolled"));
    }
    std::fs::create_dir_all(&settings.home).map_err(|_| Problem::new("disk_failed"))?;
    let remote = HttpRemote::open(&file.central, &file.ca)?;
    let enrolled = ask(&remote, code, world).await?;
    file.kiosk = enrolled.kiosk();
    let (place, kiosk) = (settings.clone(), enrolled.kiosk());
    let key = Zeroizing::new(world.bytes::<32>());
    let (written, world) = (file.clone(), world.clone());
    blocking(move || {
        // Made beside its place and moved there last: whatever a power cut leaves behind is
        // not taken for an enrolled kiosk, and enrolling again works.
        let staged = place.vault().with_file_name("new-vault.db");
        Settings::clear_vault(&staged);
        let vault = vault::key::create(&staged, kiosk, key.clone())?;
        enrolled.store(&vault)?;
        vault.checkpoint()?;
        // What another kiosk's vault has left here is nothing to this one.
        place.forget_keepsakes();
        keepsake::keep(&place, &vault, &key, &world)?;
        drop(vault);
        place.write(&written)?;
        place.take(&staged, &place.vault())?;
        Settings::clear_vault(&staged);
        Ok::<_, Problem>(())
    })
    .await?;
    Ok(file)
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
