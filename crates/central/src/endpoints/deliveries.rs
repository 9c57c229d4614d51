//! `/v1/deliveries`: another kiosk's export file, carried by one that cannot read it. Sent in
//! parts as pages are; taken once it is whole, one file at a time, while the kiosk asks.

use crate::delivery::{self, Bytes, Taken};
use crate::device::SignedRequest;
use crate::tus;
use crate::{Central, Refusal};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::audit::{Act, Who};
use domain::bytes::Hash;
use domain::ids::KioskId;
use sqlx::{PgConnection, PgPool, Row};
use std::io::Read;
use tokio::sync::mpsc;
use wire::limits::DELIVERY_BYTES;
use wire::messages::{Counted, DeliveryAnswer, DeliveryState};

/// Names the lock that lets one file be taken at a time, whatever central does it.
const ONE_AT_A_TIME: i64 = 0x6a61_6c6f_6e00_0001;
/// Parts read ahead of the reader.
const AHEAD: usize = 2;

/// Begins the upload of a file, or finds the one already begun.
pub(super) async fn create(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let headers = &request.parts.headers;
    let length: u64 = tus::number(headers, "upload-length")?;
    if length == 0 || length > DELIVERY_BYTES {
        return Err(Refusal::TooLarge);
    }
    let sha256 =
        tus::metadata(headers, "sha256").and_then(|text| Hash::from_hex(&text)).ok_or(Refusal::BadBody)?;
    let length = i64::try_from(length).map_err(|_| Refusal::TooLarge)?;
    let key = Key { carrier: request.device.kiosk, sha256 };
    let mut tx = central.pool.begin().await?;
    // One that was refused may be sent again; another that broke off is given up for this one.
    sqlx::query(
        "DELETE FROM delivery WHERE carrier = $1 AND ((sha256 = $2 AND state = 'refused') \
         OR (sha256 <> $2 AND state = 'uploading'))",
    )
    .bind(key.carrier.0.as_slice())
    .bind(key.sha256.0.as_slice())
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO delivery (carrier, sha256, length, state, begun_s) VALUES ($1, $2, $3, 'uploading', $4) \
         ON CONFLICT DO NOTHING",
    )
    .bind(key.carrier.0.as_slice())
    .bind(key.sha256.0.as_slice())
    .bind(length)
    .bind(central.now().as_second())
    .execute(&mut *tx)
    .await?;
    if Upload::find(&mut tx, &key, false).await?.length != length {
        return Err(Refusal::Conflict);
    }
    tx.commit().await?;
    tus::created(&format!("/v1/deliveries/{}", key.sha256))
}

/// `HEAD`: where the upload stands.
pub(super) async fn offset(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let mut db = central.pool.acquire().await?;
    let upload = Upload::find(&mut db, &Key::of(&request)?, false).await?;
    Ok((StatusCode::OK, tus::stands(upload.received, upload.length)).into_response())
}

/// `PATCH`: one part at the offset where the upload stands.
pub(super) async fn append(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let offset = tus::part(&request.parts.headers, &request.body)?;
    let key = Key::of(&request)?;
    let mut tx = central.pool.begin().await?;
    let mut upload = Upload::find(&mut tx, &key, true).await?;
    if upload.state != "uploading" || offset != upload.received {
        return Err(Refusal::BadOffset);
    }
    upload.received += i64::try_from(request.body.len()).map_err(|_| Refusal::TooLarge)?;
    if upload.received > upload.length {
        return Err(Refusal::TooLarge);
    }
    sqlx::query("INSERT INTO delivery_part (carrier, sha256, start, bytes) VALUES ($1, $2, $3, $4)")
        .bind(key.carrier.0.as_slice())
        .bind(key.sha256.0.as_slice())
        .bind(offset)
        .bind(&request.body)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE delivery SET received = $3, state = $4 WHERE carrier = $1 AND sha256 = $2")
        .bind(key.carrier.0.as_slice())
        .bind(key.sha256.0.as_slice())
        .bind(upload.received)
        .bind(if upload.received == upload.length { "whole" } else { "uploading" })
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok((StatusCode::NO_CONTENT, tus::stands(upload.received, upload.length)).into_response())
}

/// `GET`: what became of it. Asking is also what has a whole one taken: it goes on after the
/// answer, and a central that ended in the middle is followed by one that begins again.
pub(super) async fn outcome(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<DeliveryAnswer>, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let key = Key::of(&request)?;
    let mut db = central.pool.acquire().await?;
    let upload = Upload::find(&mut db, &key, false).await?;
    if upload.state == "whole" {
        tokio::spawn(take(central.clone(), key));
    }
    let answer = upload.result.and_then(|text| serde_json::from_str(&text).ok());
    let state = if upload.state == "whole" { DeliveryState::Reading } else { DeliveryState::Uploading };
    Ok(Json(answer.unwrap_or_else(|| DeliveryAnswer::still(state))))
}

/// Which file, and who carries it.
#[derive(Debug, Clone, Copy)]
struct Key {
    carrier: KioskId,
    sha256: Hash,
}

impl Key {
    /// Another kiosk's delivery does not exist for this one.
    fn of(request: &SignedRequest) -> Result<Self, Refusal> {
        let name = request.parts.uri.path().rsplit('/').next().unwrap_or_default();
        let sha256 = Hash::from_hex(name).ok_or(Refusal::NoUpload)?;
        Ok(Self { carrier: request.device.kiosk, sha256 })
    }
}

struct Upload {
    length: i64,
    received: i64,
    state: String,
    result: Option<String>,
}

impl Upload {
    async fn find(db: &mut PgConnection, key: &Key, lock: bool) -> Result<Self, Refusal> {
        const FIND: &str =
            "SELECT length, received, state, result::text FROM delivery WHERE carrier = $1 AND sha256 = $2";
        const FIND_AND_LOCK: &str = "SELECT length, received, state, result::text FROM delivery \
             WHERE carrier = $1 AND sha256 = $2 FOR UPDATE";
        let row = sqlx::query(if lock { FIND_AND_LOCK } else { FIND })
            .bind(key.carrier.0.as_slice())
            .bind(key.sha256.0.as_slice())
            .fetch_optional(db)
            .await?
            .ok_or(Refusal::NoUpload)?;
        Ok(Self {
            length: row.try_get(0)?,
            received: row.try_get(1)?,
            state: row.try_get(2)?,
            result: row.try_get(3)?,
        })
    }
}

/// Takes a whole file, unless one is being taken: the next question tries again.
async fn take(central: Central, key: Key) {
    if let Err(refusal) = take_one(&central, &key).await {
        tracing::error!(cause = ?refusal, "taking a delivery was put off");
    }
}

async fn take_one(central: &Central, key: &Key) -> Result<(), Refusal> {
    // Out of the pool: should this end in the middle, the lock ends with the connection.
    let mut alone = central.pool.acquire().await?.detach();
    let row =
        sqlx::query("SELECT pg_try_advisory_lock($1)").bind(ONE_AT_A_TIME).fetch_one(&mut alone).await?;
    if !row.try_get::<bool, _>(0)? || Upload::find(&mut alone, key, false).await?.state != "whole" {
        return Ok(());
    }
    let (pool, at) = (central.pool.clone(), *key);
    let by = (Who::Kiosk(key.carrier), Act::DeliveryTaken);
    let open = move || Ok(Box::new(Parts::read(pool.clone(), at)) as Bytes);
    let taken = delivery::take(central, by, open).await;
    let (state, answer) = match &taken {
        Ok(taken) => ("done", done(taken)),
        Err(failure) => match failure.code() {
            Some(code) => ("refused", DeliveryAnswer::refused(code)),
            None => {
                tracing::error!(cause = ?failure, "a delivery could not be taken now");
                return Ok(());
            }
        },
    };
    let answer = serde_json::to_string(&answer).map_err(|_| Refusal::Stored("delivery"))?;
    let mut tx = central.pool.begin().await?;
    sqlx::query(
        "UPDATE delivery SET state = $3, result = $4::text::jsonb WHERE carrier = $1 AND sha256 = $2",
    )
    .bind(key.carrier.0.as_slice())
    .bind(key.sha256.0.as_slice())
    .bind(state)
    .bind(answer)
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM delivery_part WHERE carrier = $1 AND sha256 = $2")
        .bind(key.carrier.0.as_slice())
        .bind(key.sha256.0.as_slice())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

fn done(taken: &Taken) -> DeliveryAnswer {
    let counted = |[received, known, refused]: [usize; 3]| {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Counted { received: number(received), known: number(known), refused: number(refused) }
    };
    let [records, pages] = taken.counts();
    DeliveryAnswer {
        records: counted(records),
        pages: counted(pages),
        ..DeliveryAnswer::still(DeliveryState::Done)
    }
}

/// The parts of a file one after the other, as the bytes they make.
struct Parts {
    coming: mpsc::Receiver<Result<Vec<u8>, sqlx::Error>>,
    part: std::io::Cursor<Vec<u8>>,
}

impl Parts {
    fn read(pool: PgPool, key: Key) -> Self {
        let (send, coming) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            let mut start: i64 = 0;
            loop {
                let part = part(&pool, &key, start).await.transpose();
                let Some(part) = part else { return };
                start += part.as_ref().map_or(0, |bytes| i64::try_from(bytes.len()).unwrap_or(0));
                let failed = part.is_err();
                if send.send(part).await.is_err() || failed {
                    return;
                }
            }
        });
        Self { coming, part: std::io::Cursor::default() }
    }
}

async fn part(pool: &PgPool, key: &Key, start: i64) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let row =
        sqlx::query("SELECT bytes FROM delivery_part WHERE carrier = $1 AND sha256 = $2 AND start = $3")
            .bind(key.carrier.0.as_slice())
            .bind(key.sha256.0.as_slice())
            .bind(start)
            .fetch_optional(pool)
            .await?;
    row.map(|row| row.try_get(0)).transpose()
}

impl Read for Parts {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let read = self.part.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            match self.coming.blocking_recv() {
                Some(Ok(bytes)) => self.part = std::io::Cursor::new(bytes),
                Some(Err(error)) => return Err(std::io::Error::other(error)),
                None => return Ok(0),
            }
        }
    }
}
