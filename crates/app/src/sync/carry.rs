//! Sending a file this kiosk cannot read: another's export file, in parts and from wherever
//! an earlier try broke off; then asking what became of it.

use super::transfer::{Caller, FIRST_PART, HttpRemote, PAGE_TRIES, RemoteFailure, next_size, read};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::bytes::Hash;
use seal::keys::sha256;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use tokio::time::Instant;
use wire::messages::DeliveryAnswer;

/// Why a file does not get across.
pub(crate) enum CarryFailure {
    Remote(RemoteFailure),
    /// It cannot be read here.
    File,
}

impl From<RemoteFailure> for CarryFailure {
    fn from(failure: RemoteFailure) -> Self {
        Self::Remote(failure)
    }
}

impl HttpRemote {
    /// Sends the whole file; what central has of it already is not sent again.
    pub(crate) async fn carry(
        &self,
        caller: Caller<'_>,
        file: &mut File,
        length: u64,
        hash: Hash,
    ) -> Result<(), CarryFailure> {
        let headers = vec![
            ("tus-resumable", "1.0.0".to_owned()),
            ("upload-length", length.to_string()),
            ("upload-metadata", format!("sha256 {}", STANDARD.encode(hash.to_string()))),
        ];
        self.signed(caller, "POST", "/v1/deliveries", headers, Vec::new()).await?;
        let target = format!("/v1/deliveries/{hash}");
        let (mut tries, mut size) = (0, FIRST_PART);
        let mut offset = self.offset(caller, &target).await?;
        loop {
            let part = part(file, offset, size).map_err(|_| CarryFailure::File)?;
            if part.is_empty() {
                return Ok(());
            }
            let from = Instant::now();
            let headers = vec![
                ("tus-resumable", "1.0.0".to_owned()),
                ("upload-offset", offset.to_string()),
                ("upload-checksum", format!("sha256 {}", STANDARD.encode(sha256(&[&part]).0))),
            ];
            let sent = part.len();
            match self.signed(caller, "PATCH", &target, headers, part).await {
                Ok(_) => {
                    offset += sent;
                    size = next_size(size, from.elapsed());
                }
                Err(RemoteFailure::Refused { code, .. })
                    if tries < PAGE_TRIES && matches!(code.as_str(), "bad_offset" | "checksum") =>
                {
                    tries += 1;
                    offset = self.offset(caller, &target).await?;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// What became of a file that was sent whole.
    pub(crate) async fn delivered(
        &self,
        caller: Caller<'_>,
        hash: Hash,
    ) -> Result<DeliveryAnswer, RemoteFailure> {
        read(&self.signed(caller, "GET", &format!("/v1/deliveries/{hash}"), Vec::new(), Vec::new()).await?)
    }
}

fn part(file: &mut File, offset: usize, size: usize) -> std::io::Result<Vec<u8>> {
    let from = u64::try_from(offset).map_err(std::io::Error::other)?;
    let most = u64::try_from(size).map_err(std::io::Error::other)?;
    file.seek(SeekFrom::Start(from))?;
    let mut part = Vec::with_capacity(size);
    file.take(most).read_to_end(&mut part)?;
    Ok(part)
}
