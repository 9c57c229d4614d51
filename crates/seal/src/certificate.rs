//! A device certificate: central's word that this key belongs to a kiosk of this site.
//! Stands in the door code of a ranked receipt, where there is no slot token.

use crate::keys::{self, Context, Signer};
use crate::ring::{KeyRing, Role};
use domain::bytes::{self, PublicKey, Signature};
use domain::ids::{KioskId, SiteId};
use domain::token::{self, KeyId};
use jiff::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCertificate {
    pub kiosk: KioskId,
    pub key: PublicKey,
    pub site: SiteId,
    /// To the second.
    pub issued_at: Timestamp,
    pub issuer: KeyId,
    pub signature: Signature,
}

impl DeviceCertificate {
    /// Certifies a kiosk's key with an acknowledgement key.
    #[must_use]
    pub fn issue(by: &Signer, kiosk: KioskId, key: PublicKey, site: SiteId, at: Timestamp) -> Self {
        let mut certificate =
            Self { kiosk, key, site, issued_at: at, issuer: by.key_id(), signature: Signature([0; 64]) };
        certificate.signature = by.sign(Context::Device, &certificate.message());
        certificate
    }

    fn message(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(73);
        out.extend_from_slice(&self.kiosk.0);
        out.extend_from_slice(&self.key.0);
        // A site id is at most 16 bytes by construction.
        let _ = bytes::put_text(&mut out, self.site.as_str());
        out.extend_from_slice(&token::seconds(self.issued_at).to_be_bytes());
        out.extend_from_slice(&self.issuer.0);
        out
    }

    /// `kiosk 16 · key 32 · site text · issued u32 · issuer 4 · signature 64`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.message();
        out.extend_from_slice(&self.signature.0);
        out
    }

    /// Reads what [`Self::to_bytes`] wrote, from the front of `input`. Verifies nothing.
    pub fn take(input: &mut &[u8]) -> Option<Self> {
        Some(Self {
            kiosk: KioskId(bytes::take_array(input)?),
            key: PublicKey(bytes::take_array(input)?),
            site: SiteId::parse(bytes::take_text(input)?)?,
            issued_at: token::take_second(input)?,
            issuer: KeyId(bytes::take_array(input)?),
            signature: Signature(bytes::take_array(input)?),
        })
    }

    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let certificate = Self::take(&mut bytes)?;
        bytes.is_empty().then_some(certificate)
    }

    /// Does a key of this ring vouch for it? None when the ring does not know the issuer.
    #[must_use]
    pub fn is_by(&self, ring: &KeyRing) -> Option<bool> {
        let issuer = ring.find(Role::Acknowledgement, self.issuer)?;
        Some(keys::verify(&issuer.key, Context::Device, &self.message(), &self.signature))
    }
}
