//! Reading the whole vault through; changes nothing.

use crate::{Vault, VaultFailure};
use domain::bytes::{Hash, PublicKey};
use seal::keys::{self, Context, sha256};

/// Records looked at in one go.
const STEP: usize = 500;

impl Vault {
    /// Every page of the file, then every record: its hash, its signature by `device`,
    /// and that it follows the one before.
    ///
    /// # Errors
    /// Something cannot be read or does not follow.
    pub fn check(&self, device: &PublicKey) -> Result<(), VaultFailure> {
        self.read(|tx| {
            let word: String = tx.sql.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
            if word != "ok" {
                return Err(VaultFailure::DoesNotOpen);
            }
            let (mut seq, mut prev, mut incarnation) = (0, Hash([0; 32]), 1);
            loop {
                let records = tx.records_after(seq, STEP)?;
                if records.is_empty() {
                    return Ok(());
                }
                for record in records {
                    let header = record.header.to_bytes();
                    let follows = record.header.seq == seq + 1
                        && record.header.prev == prev
                        && record.header.incarnation >= incarnation;
                    let body = record.is_erased()
                        || sha256(&[&record.salt.0, &record.body.0]) == record.header.body_hash;
                    let whole = body && keys::verify(device, Context::Record, &header, &record.signature);
                    if !follows || !whole {
                        return Err(VaultFailure::Stored("journal"));
                    }
                    seq = record.header.seq;
                    incarnation = record.header.incarnation;
                    prev = sha256(&[&header]);
                }
            }
        })
    }
}
