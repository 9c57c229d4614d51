//! `POST /v1/follow-up`: a person stands at a kiosk with the code on a paper another kiosk
//! made, and their birth date. One answer for a wrong code and a wrong birth date; every
//! wrong try of a kiosk makes its next one wait longer.

use crate::device::{Device, SignedRequest};
use crate::{Central, Refusal, audit, dates, offers, own_channel, reconfirm, words};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use domain::audit::Act;
use domain::ids::RegistrationId;
use domain::registration::Registration;
use domain::tries::Tries;
use jiff::{Timestamp, civil::DateTime};
use sqlx::{PgConnection, Row};
use std::fmt::Display;
use wire::messages::{FollowUpAnswer, FollowUpRequest, Followed};

pub(super) async fn follow_up(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<FollowUpAnswer>, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let asked: FollowUpRequest = request.json()?;
    let found = find(&central, &request.device, &asked).await?;
    Ok(Json(FollowUpAnswer { found: found.map(|(_, followed)| followed) }))
}

/// The registration behind a code and a birth date; every wrong try makes the next one wait.
pub(super) async fn find(
    central: &Central,
    device: &Device,
    asked: &FollowUpRequest,
) -> Result<Option<(RegistrationId, Followed)>, Refusal> {
    let mut tx = central.pool.begin().await?;
    let tries = tries(&mut tx, device).await?;
    let now = central.now();
    tries.may_try(now).map_err(|seconds| Refusal::TooManyTries { seconds })?;
    let found = match registration(&mut tx, central, asked).await? {
        Some(found) => Some(found),
        None => paper(&mut tx, asked).await?,
    };
    let about = found.as_ref().map(|(id, _)| id as &(dyn Display + Sync));
    let act = if found.is_some() { Act::FollowUpRead } else { Act::FollowUpMissed };
    audit::by_kiosk(&mut tx, device.kiosk, act, about, 1).await?;
    let after = if found.is_some() { Tries::default() } else { tries.after_wrong(now) };
    remember(&mut tx, device, after).await?;
    tx.commit().await?;
    Ok(found)
}

async fn registration(
    db: &mut PgConnection,
    central: &Central,
    asked: &FollowUpRequest,
) -> Result<Option<(RegistrationId, Followed)>, Refusal> {
    let row = sqlx::query(
        "SELECT registration.body::text, slot.at::text, site.name, site.zone, registration.cancelled_s IS NOT NULL \
         FROM registration \
         JOIN site ON site.id = registration.site LEFT JOIN slot ON slot.registration = registration.id \
         WHERE registration.code = $1",
    )
    .bind(i64::try_from(asked.code.to_bits()).map_err(|_| Refusal::BadBody)?)
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let registration: Registration =
        serde_json::from_str(row.try_get(0)?).map_err(|_| Refusal::Stored("registration"))?;
    if !registration.applicant.birth.is_said(asked.year, asked.month, asked.day) {
        return Ok(None);
    }
    let today = dates::today(&mut *db, central, &registration.site).await?;
    let followed = Followed {
        at: civil(row.try_get(1)?)?,
        site: row.try_get(2)?,
        zone: row.try_get(3)?,
        lang: registration.lang,
        cancelled: row.try_get(4)?,
        until: words::until(&mut *db, central, &registration.site, registration.id).await?,
        asked: own_channel::open_of(&mut *db, registration.id).await?,
        reconfirm: reconfirm::of(&mut *db, registration.id, today).await?,
        offer: offers::open_of(db, registration.id, today).await?,
    };
    Ok(Some((registration.id, followed)))
}

/// A paper of a lost kiosk that was brought and is not read back yet.
async fn paper(
    db: &mut PgConnection,
    asked: &FollowUpRequest,
) -> Result<Option<(RegistrationId, Followed)>, Refusal> {
    let row = sqlx::query(
        "SELECT paper.door, paper.at::text, site.name, site.zone FROM paper \
         JOIN site ON site.id = paper.site WHERE paper.code = $1 AND NOT paper.whole",
    )
    .bind(i64::try_from(asked.code.to_bits()).map_err(|_| Refusal::BadBody)?)
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let door = seal::door::Door::read(row.try_get(0)?).ok_or(Refusal::Stored("door code"))?.0;
    if !door.birth.is_said(asked.year, asked.month, asked.day) {
        return Ok(None);
    }
    let followed = Followed {
        at: civil(row.try_get(1)?)?,
        site: row.try_get(2)?,
        zone: row.try_get(3)?,
        lang: "fr".to_owned(),
        cancelled: false,
        until: None,
        asked: None,
        reconfirm: None,
        offer: None,
    };
    Ok(Some((door.registration, followed)))
}

fn civil(text: Option<&str>) -> Result<Option<DateTime>, Refusal> {
    text.map(|text| text.parse().map_err(|_| Refusal::Stored("slot time"))).transpose()
}

/// The wrong tries of this kiosk so far, locked.
async fn tries(db: &mut PgConnection, device: &Device) -> Result<Tries, Refusal> {
    let row = sqlx::query("SELECT wrong_tries, next_try_s FROM kiosk WHERE id = $1 FOR UPDATE")
        .bind(device.kiosk.0.as_slice())
        .fetch_one(db)
        .await?;
    let wrong = u32::try_from(row.try_get::<i32, _>(0)?).map_err(|_| Refusal::Stored("tries"))?;
    let next = Timestamp::from_second(row.try_get(1)?).map_err(|_| Refusal::Stored("tries"))?;
    Ok(Tries { wrong, next })
}

async fn remember(db: &mut PgConnection, device: &Device, tries: Tries) -> Result<(), Refusal> {
    sqlx::query("UPDATE kiosk SET wrong_tries = $2, next_try_s = $3 WHERE id = $1")
        .bind(device.kiosk.0.as_slice())
        .bind(i32::try_from(tries.wrong).unwrap_or(i32::MAX))
        .bind(tries.next.as_second())
        .execute(db)
        .await?;
    Ok(())
}
