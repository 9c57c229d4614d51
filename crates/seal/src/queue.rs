//! The published queue: made by central, read by whoever holds a paper. The position is
//! recomputed from what the paper prints; nothing else finds it.

use crate::keys::{Context, Signer, sha256};
use crate::lists;
use crate::ring::KeyRing;
use domain::bytes::{Hash, Mark};
use domain::code::FollowUpCode;
use domain::place::{Class, PlaceKey};
use domain::queue::{PLACES_MAX, QueueExtract, QueueHead};

/// Names a place in a published queue. Bound to everything the rank is made of, so that a
/// place whose time or class was changed since is not found under its paper's; and to the
/// follow-up code, whose 60 random bits nobody guesses.
#[must_use]
pub fn place_mark(code: FollowUpCode, place: &PlaceKey) -> Mark {
    let Hash(hash) = sha256(&[
        b"jalon/queued-place/1",
        &code.to_bits().to_be_bytes(),
        place.class.key().as_bytes(),
        &place.registered_s.to_be_bytes(),
        &place.tie_break.to_be_bytes(),
    ]);
    Mark(hash.first_chunk::<{ Mark::LEN }>().copied().unwrap_or([0; Mark::LEN]))
}

/// SHA-256 over the marks in their order.
#[must_use]
pub fn root(places: &[Mark]) -> Hash {
    let mut bytes = b"jalon/queue-root/1".to_vec();
    bytes.extend(places.iter().flat_map(|place| place.0));
    sha256(&[&bytes])
}

/// Signs an extract. None when its head cannot be written.
#[must_use]
pub fn publish(signer: &Signer, head: &QueueHead, places: Vec<Mark>) -> Option<QueueExtract> {
    let head = serde_json::to_string(head).ok()?;
    let signature = signer.sign(Context::Queue, head.as_bytes());
    let key = signer.key_id().0.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(QueueExtract { head, key, signature, places })
}

/// Why an extract counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueRefusal {
    /// No acknowledgement key of this ring signed it.
    Forged,
    /// The places are not those that were signed.
    Changed,
}

/// Where a place stands in an extract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// From 1, among the places of its class.
    pub in_class: u64,
    pub of_class: u64,
    /// From 1, among all: those with a time limit come first.
    pub of_all: u64,
}

/// Reads an extract, and where this place stands in it; none when it is not there.
///
/// # Errors
/// See [`QueueRefusal`].
pub fn find(
    ring: &KeyRing,
    extract: &QueueExtract,
    (code, place): (FollowUpCode, &PlaceKey),
) -> Result<(QueueHead, Option<Position>), QueueRefusal> {
    let QueueExtract { head, key, signature, places } = extract;
    let head: QueueHead =
        lists::read(ring, Context::Queue, head.as_bytes(), key, signature).ok_or(QueueRefusal::Forged)?;
    let count = u64::try_from(places.len()).unwrap_or(u64::MAX);
    let told = head.with_time_limit.checked_add(head.ordinary);
    if places.len() > PLACES_MAX || told != Some(count) || head.root != root(places) {
        return Err(QueueRefusal::Changed);
    }
    let mark = place_mark(code, place);
    let at = places.iter().position(|other| *other == mark).and_then(|at| u64::try_from(at).ok());
    let position = at.and_then(|at| {
        let (before, of_class) = match place.class {
            Class::WithTimeLimit => (0, head.with_time_limit),
            Class::Ordinary => (head.with_time_limit, head.ordinary),
        };
        let in_class = at.checked_sub(before)? + 1;
        (in_class <= of_class).then_some(Position { in_class, of_class, of_all: at + 1 })
    });
    Ok((head, position))
}
