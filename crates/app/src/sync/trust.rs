//! What central's answers may be believed to say: only what its keys signed, for this
//! kiosk, under this root.

use crate::kiosk::Identity;
use domain::planted;
use domain::token::{KeyId, SignedToken};
use seal::keys::{self, Context};
use seal::ring::Role;
use wire::messages::{Roster, SignedList, SignedRoster};
use wire::record::Acknowledgement;

/// A slot token for this kiosk, at its site or another of the département that it knows; or none.
pub(crate) fn token(identity: &Identity, bytes: &[u8]) -> Option<SignedToken> {
    let signed = SignedToken::from_bytes(bytes)?;
    let ours = (signed.token.kiosk == identity.device.public() || planted::on("token_not_bound"))
        && identity.told().site_of(&signed.token.site).is_some()
        && seal::token::check(&identity.told().ring, &signed).is_ok();
    ours.then_some(signed)
}

/// The roster of this site, or none.
pub(crate) fn roster(identity: &Identity, signed: &SignedRoster) -> Option<Roster> {
    let key = key(identity, &signed.key)?;
    if !keys::verify(&key, Context::Roster, &signed.roster.0, &signed.signature) {
        return None;
    }
    let roster: Roster = serde_json::from_slice(&signed.roster.0).ok()?;
    (roster.site == identity.site_id).then_some(roster)
}

/// Does this kiosk know the key of this id? Central may have begun to sign with a new one.
pub(super) fn knows(identity: &Identity, key_id: &str) -> bool {
    key(identity, key_id).is_some()
}

/// A list in its signed form, or none.
pub(super) fn list<T: serde::de::DeserializeOwned>(
    identity: &Identity,
    signed: &SignedList,
    context: Context,
) -> Option<T> {
    seal::lists::read(&identity.told().ring, context, &signed.list.0, &signed.key, &signed.signature)
}

/// Is this acknowledgement central's, about this kiosk?
pub(crate) fn acknowledged(identity: &Identity, acknowledgement: &Acknowledgement) -> bool {
    planted::on("acknowledgement_of_anyone")
        || is_by_central(identity, acknowledgement, Context::Acknowledgement)
}

/// Is this central's word that these records are on other storage too?
pub(crate) fn durable(identity: &Identity, word: &Acknowledgement) -> bool {
    is_by_central(identity, word, Context::Durable)
}

fn is_by_central(identity: &Identity, acknowledgement: &Acknowledgement, context: Context) -> bool {
    acknowledgement.kiosk == identity.kiosk
        && key(identity, &acknowledgement.key).is_some_and(|key| {
            keys::verify(&key, context, &acknowledgement.to_bytes(), &acknowledgement.signature)
        })
}

fn key(identity: &Identity, id: &str) -> Option<domain::bytes::PublicKey> {
    let id: [u8; 4] = hex::decode(id).ok()?.try_into().ok()?;
    identity.told().ring.find(Role::Acknowledgement, KeyId(id)).map(|certificate| certificate.key)
}
