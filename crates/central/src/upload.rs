//! Storing locked pages in parts, in any number of tries: what tus brings and what an export
//! file brings alike. Opens nothing.

use crate::Refusal;
use domain::bytes::Hash;
use domain::ids::{KioskId, PageId, RegistrationId};
use seal::keys::sha256;
use sqlx::{PgConnection, PgPool, Row};
use wire::limits::{CHUNK_BYTES, PAGE_BYTES};
use wire::messages::PieceMetadata;

/// Where the upload of one page stands.
pub(crate) struct Upload {
    pub page: PageId,
    pub sha256: Hash,
    pub length: i64,
    pub received: i64,
    pub complete: bool,
    pub registration: RegistrationId,
}

impl Upload {
    /// Begins the upload of a page of this kiosk, or finds the one already begun.
    pub async fn begin(
        db: &mut PgConnection,
        kiosk: KioskId,
        metadata: &PieceMetadata,
        length: u64,
    ) -> Result<Self, Refusal> {
        if length == 0 || length > PAGE_BYTES {
            return Err(Refusal::TooLarge);
        }
        let length = i64::try_from(length).map_err(|_| Refusal::TooLarge)?;
        sqlx::query(
            "INSERT INTO upload (page, kiosk, registration, sha256, length) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (page) DO NOTHING",
        )
        .bind(metadata.page.0.as_slice())
        .bind(kiosk.0.as_slice())
        .bind(metadata.registration.0.as_slice())
        .bind(metadata.sha256.0.as_slice())
        .bind(length)
        .execute(&mut *db)
        .await?;
        let upload = Self::find(db, kiosk, metadata.page, false).await?;
        if upload.sha256 == metadata.sha256 && upload.length == length {
            Ok(upload)
        } else {
            Err(Refusal::Conflict)
        }
    }

    /// Another kiosk's upload does not exist for this one.
    pub async fn find(
        db: &mut PgConnection,
        kiosk: KioskId,
        page: PageId,
        lock: bool,
    ) -> Result<Self, Refusal> {
        const FIND: &str = "SELECT sha256, length, received, complete, registration FROM upload WHERE page = $1 AND kiosk = $2";
        const FIND_AND_LOCK: &str = "SELECT sha256, length, received, complete, registration FROM upload WHERE page = $1 AND kiosk = $2 FOR UPDATE";
        let row = sqlx::query(if lock { FIND_AND_LOCK } else { FIND })
            .bind(page.0.as_slice())
            .bind(kiosk.0.as_slice())
            .fetch_optional(db)
            .await?
            .ok_or(Refusal::NoUpload)?;
        Ok(Self {
            page,
            sha256: Hash::from_slice(row.try_get(0)?).ok_or(Refusal::Stored("page hash"))?,
            length: row.try_get(1)?,
            received: row.try_get(2)?,
            complete: row.try_get(3)?,
            registration: RegistrationId(
                row.try_get::<&[u8], _>(4)?.try_into().map_err(|_| Refusal::Stored("registration id"))?,
            ),
        })
    }

    /// One part at the offset where the upload stands. With the last one the whole is
    /// compared with what was announced; if it is not that, all parts are dropped.
    pub async fn append(
        pool: &PgPool,
        kiosk: KioskId,
        page: PageId,
        offset: i64,
        part: &[u8],
    ) -> Result<Self, Refusal> {
        if part.is_empty() || part.len() > CHUNK_BYTES {
            return Err(Refusal::TooLarge);
        }
        let mut tx = pool.begin().await?;
        let mut upload = Self::find(&mut tx, kiosk, page, true).await?;
        if upload.complete || offset != upload.received {
            return Err(Refusal::BadOffset);
        }
        let length = i64::try_from(part.len()).map_err(|_| Refusal::TooLarge)?;
        if upload.received + length > upload.length {
            return Err(Refusal::TooLarge);
        }
        sqlx::query("INSERT INTO upload_part (page, start, bytes) VALUES ($1, $2, $3)")
            .bind(page.0.as_slice())
            .bind(offset)
            .bind(part)
            .execute(&mut *tx)
            .await?;
        upload.received += length;
        upload.complete = upload.received == upload.length;
        if upload.complete && sha256(&[&whole(&mut tx, page).await?]) != upload.sha256 {
            // Begin again: what came is not what was announced.
            sqlx::query("DELETE FROM upload_part WHERE page = $1")
                .bind(page.0.as_slice())
                .execute(&mut *tx)
                .await?;
            sqlx::query("UPDATE upload SET received = 0 WHERE page = $1")
                .bind(page.0.as_slice())
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            return Err(Refusal::Checksum);
        }
        sqlx::query("UPDATE upload SET received = $2, complete = $3 WHERE page = $1")
            .bind(page.0.as_slice())
            .bind(upload.received)
            .bind(upload.complete)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(upload)
    }
}

/// Every part of a page, in order.
pub(crate) async fn whole(db: &mut PgConnection, page: PageId) -> Result<Vec<u8>, Refusal> {
    let rows = sqlx::query("SELECT bytes FROM upload_part WHERE page = $1 ORDER BY start")
        .bind(page.0.as_slice())
        .fetch_all(db)
        .await?;
    let mut bytes = Vec::new();
    for row in &rows {
        bytes.extend_from_slice(row.try_get(0)?);
    }
    Ok(bytes)
}
