//! `POST /v1/enrol`: a single-use code makes a new key a kiosk of one site.

use crate::device::read_body;
use crate::{Central, Refusal, audit, sites, store};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use domain::audit::Act;
use domain::ids::{KioskId, SiteId};
use seal::certificate::DeviceCertificate;
use seal::keys::{self, Context, sha256};
use sqlx::Row;
use wire::messages::{EnrolAnswer, EnrolRequest};

/// Longest code looked at, in bytes.
const CODE_MAX: usize = 64;

pub(super) async fn enrol(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<EnrolAnswer>, Refusal> {
    let body = read_body(request.into_body()).await?;
    let asked: EnrolRequest = serde_json::from_slice(&body).map_err(|_| Refusal::BadBody)?;
    if asked.code.len() > CODE_MAX {
        return Err(Refusal::BadCode);
    }
    if !keys::verify(&asked.key, Context::Enrolment, asked.code.as_bytes(), &asked.proof) {
        return Err(Refusal::BadSignature);
    }
    let now = central.now();
    let code_hash = sha256(&[crate::admin::normal_code(&asked.code).as_bytes()]);
    let mut tx = central.pool.begin().await?;
    let row = sqlx::query("SELECT site, kiosk, expires_s FROM enrol_code WHERE code_hash = $1 FOR UPDATE")
        .bind(code_hash.0.as_slice())
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Refusal::BadCode)?;
    let site = SiteId::parse(row.try_get("site")?).ok_or(Refusal::Stored("site id"))?;
    let used: Option<&[u8]> = row.try_get("kiosk")?;
    let expires: i64 = row.try_get("expires_s")?;
    let kiosk = match used {
        // The same key again: its answer was lost on the way.
        Some(id) => {
            let kiosk = KioskId(id.try_into().map_err(|_| Refusal::Stored("kiosk id"))?);
            let row = sqlx::query("SELECT key FROM kiosk WHERE id = $1").bind(id).fetch_one(&mut *tx).await?;
            if row.try_get::<&[u8], _>(0)? != asked.key.0 {
                return Err(Refusal::BadCode);
            }
            kiosk
        }
        None if expires < now.as_second() => return Err(Refusal::BadCode),
        None => KioskId(central.random_16()),
    };
    let certificate =
        DeviceCertificate::issue(&central.keys.acknowledgement, kiosk, asked.key, site.clone(), now);
    if used.is_none() {
        sqlx::query("INSERT INTO kiosk (id, site, key, certificate, enrolled_s) VALUES ($1, $2, $3, $4, $5)")
            .bind(kiosk.0.as_slice())
            .bind(site.as_str())
            .bind(asked.key.0.as_slice())
            .bind(certificate.to_bytes())
            .bind(now.as_second())
            .execute(&mut *tx)
            .await
            .map_err(|error| match &error {
                // A key belongs to one kiosk for ever.
                sqlx::Error::Database(cause) if cause.is_unique_violation() => Refusal::Conflict,
                _ => error.into(),
            })?;
        sqlx::query("UPDATE enrol_code SET kiosk = $2 WHERE code_hash = $1")
            .bind(code_hash.0.as_slice())
            .bind(kiosk.0.as_slice())
            .execute(&mut *tx)
            .await?;
        audit::by_kiosk(&mut tx, kiosk, Act::KioskEnrolled, Some(&site), 1).await?;
    }
    let answer = EnrolAnswer {
        kiosk,
        site: sites::site(&mut tx, &site).await?,
        certificate: certificate.to_bytes().into(),
        ring: serde_json::to_value(&central.keys.ring).map_err(|_| Refusal::Stored("key ring"))?,
        site_key: sites::site_key(&mut tx, &site).await?,
        roster: sites::roster(&mut tx, &central.keys, &site).await?,
        epoch: store::epoch(&mut tx).await?,
        now,
    };
    tx.commit().await?;
    Ok(Json(answer))
}
