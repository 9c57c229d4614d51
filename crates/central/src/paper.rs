//! A paper shown at a counter whose registration never arrived, because the kiosk that
//! made it is lost: its sealed door code saves the date, and its rebuild code, opened by
//! an administrator, the rest. The record that brings it is a delivery, never a proof:
//! only the paper's own seal counts.

use crate::claim::Before;
use crate::device::Device;
use crate::{Central, Refusal, claim, dates, offers, registered, transfer};
use domain::bytes::PublicKey;
use domain::ids::{KioskId, SiteId};
use domain::registration::Registration;
use domain::set_aside::Reason;
use domain::token::{SignedToken, SlotToken};
use seal::door::{Door, Ground};
use seal::verify::{Circumstances, Verdict};
use sqlx::{Connection as _, PgConnection, Row};
use wire::body::Paper;

/// Takes what the paper says. Answers the reason when it is not one of ours.
pub(crate) async fn bring(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    paper: &Paper,
) -> Result<Option<Reason>, Refusal> {
    let rebuild = paper.rebuild.as_ref().map(|code| code.0.as_slice());
    let circumstances = Circumstances { rebuild_code: rebuild, ..Circumstances::default() };
    match seal::verify::verify(&paper.door.0, &central.keys.ring, &circumstances).verdict {
        Verdict::Valid => {}
        Verdict::Unreadable => return Ok(Some(Reason::PaperUnreadable)),
        _ => return Ok(Some(Reason::PaperNotOurs)),
    }
    let Some((door, ..)) = Door::read(&paper.door.0) else { return Ok(Some(Reason::PaperUnreadable)) };
    let Some(author) = author(&mut *tx, &door).await? else { return Ok(Some(Reason::KioskUnknown)) };
    let row = sqlx::query("SELECT state = 'kept', body::text FROM registration WHERE id = $1 AND kiosk = $2")
        .bind(door.registration.0.as_slice())
        .bind(author.kiosk.0.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
    match row {
        // The kiosk's own record is here already, and says more.
        Some(row) if row.try_get(0)? => return Ok(None),
        // Central was asked for a date; the paper says which one the person holds.
        Some(row) => {
            let asked: Registration =
                serde_json::from_str(row.try_get(1)?).map_err(|_| Refusal::Stored("registration"))?;
            if let Some(token) = token(&door)
                && let Some(reason) = take(&mut *tx, central, &author, token, &asked).await?
            {
                return Ok(Some(reason));
            }
            registered::keep(tx, central, &[door.registration]).await?;
            return Ok(None);
        }
        None => {}
    }
    if let Some(token) = token(&door) {
        withhold(&mut *tx, &author, token).await?;
    }
    store(tx, central, device, &author, &door, paper).await?;
    Ok(None)
}

/// Registrations of a site that an administrator has read back from papers since: they
/// take their place in the waitlist, with the date on the paper.
pub(crate) async fn take_up(db: &mut PgConnection, central: &Central, site: &SiteId) -> Result<(), Refusal> {
    let rows = sqlx::query(
        "SELECT body::text, door FROM paper WHERE site = $1 AND body IS NOT NULL AND NOT whole ORDER BY issued_s",
    )
    .bind(site.as_str())
    .fetch_all(&mut *db)
    .await?;
    for row in &rows {
        let registration: Registration =
            serde_json::from_str(row.try_get(0)?).map_err(|_| Refusal::Stored("registration of a paper"))?;
        let door = Door::read(row.try_get(1)?).ok_or(Refusal::Stored("door code"))?.0;
        let mut tx = db.begin().await?;
        let Some(author) = author(&mut tx, &door).await? else { continue };
        match enter(&mut tx, central, &author, &registration, &door).await {
            Ok(()) => tx.commit().await?,
            // Another registration has its code: the paper stays for a person to look at.
            Err(Refusal::Conflict) => {
                tracing::error!(registration = %registration.id, "a rebuilt registration cannot be entered");
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(())
}

async fn enter(
    tx: &mut PgConnection,
    central: &Central,
    author: &Device,
    registration: &Registration,
    door: &Door,
) -> Result<(), Refusal> {
    let known = sqlx::query("SELECT 1 FROM registration WHERE id = $1")
        .bind(registration.id.0.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
    if known.is_none() {
        registered::remember(&mut *tx, central, author, &[registration]).await?;
        sqlx::query("UPDATE registration SET rebuilt = true WHERE id = $1")
            .bind(registration.id.0.as_slice())
            .execute(&mut *tx)
            .await?;
        match token(door) {
            Some(token) => {
                if take(&mut *tx, central, author, token, registration).await?.is_some() {
                    return Err(Refusal::Conflict);
                }
            }
            None => {
                dates::give(&mut *tx, central, author, registration).await?;
            }
        }
        registered::keep(&mut *tx, central, &[registration.id]).await?;
        transfer::follow(&mut *tx, central, author, registration).await?;
    }
    sqlx::query("UPDATE paper SET whole = true WHERE registration = $1")
        .bind(registration.id.0.as_slice())
        .execute(tx)
        .await?;
    Ok(())
}

/// The date on the paper is the date; the desk is told when it lies after a time limit.
async fn take(
    tx: &mut PgConnection,
    central: &Central,
    author: &Device,
    token: &SlotToken,
    registration: &Registration,
) -> Result<Option<Reason>, Refusal> {
    let settled = claim::settle(&mut *tx, central, author, token, registration.id, Before::Free).await?;
    if settled.is_none() {
        dates::escalate_late(tx, central, registration, token.at).await?;
    }
    Ok(settled)
}

fn token(door: &Door) -> Option<&SlotToken> {
    match &door.ground {
        Ground::Slot(SignedToken { token, .. }) | Ground::Held(SignedToken { token, .. }) => Some(token),
        Ground::Rank(_) => None,
    }
}

/// The kiosk whose device key sealed the paper.
async fn author(db: &mut PgConnection, door: &Door) -> Result<Option<Device>, Refusal> {
    let key = match &door.ground {
        Ground::Slot(signed) | Ground::Held(signed) => signed.token.kiosk,
        Ground::Rank(certificate) => certificate.key,
    };
    let row = sqlx::query("SELECT id, site, key FROM kiosk WHERE key = $1")
        .bind(key.0.as_slice())
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Device {
        kiosk: row
            .try_get::<&[u8], _>(0)?
            .try_into()
            .map(KioskId)
            .map_err(|_| Refusal::Stored("kiosk id"))?,
        site: SiteId::parse(row.try_get(1)?).ok_or(Refusal::Stored("site id"))?,
        key: PublicKey::from_slice(row.try_get(2)?).ok_or(Refusal::Stored("device key"))?,
    }))
}

/// The slot on the paper is nobody else's, until its registration is whole.
async fn withhold(tx: &mut PgConnection, author: &Device, token: &SlotToken) -> Result<(), Refusal> {
    let Some(place) = claim::place(&mut *tx, token.slot, &token.site, token.at).await? else {
        return Ok(());
    };
    if place.holder.is_none() && place.lent_to.is_none_or(|kiosk| kiosk == author.kiosk) {
        sqlx::query("UPDATE slot SET withheld = true, lease = NULL, stratum = NULL WHERE id = $1")
            .bind(i64::try_from(token.slot.0).map_err(|_| Refusal::BadRecord)?)
            .execute(&mut *tx)
            .await?;
        // Not offered to anybody meanwhile either.
        offers::taken(tx, token.slot).await?;
    }
    Ok(())
}

/// The latest paper of a registration counts: a convocation follows a receipt.
async fn store(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    author: &Device,
    door: &Door,
    paper: &Paper,
) -> Result<(), Refusal> {
    let name = if door.name_cut { format!("{}…", door.name) } else { door.name.clone() };
    sqlx::query(
        "INSERT INTO paper (registration, kiosk, site, code, name, birth, at, issued_s, door, rebuild, brought_by, brought_s) \
         VALUES ($1, $2, $3, $4, $5, $6, $7::text::timestamp, $8, $9, $10, $11, $12) \
         ON CONFLICT (registration) DO UPDATE SET site = excluded.site, at = excluded.at, issued_s = excluded.issued_s, \
         door = excluded.door, rebuild = excluded.rebuild, body = NULL, whole = false \
         WHERE paper.issued_s < excluded.issued_s",
    )
    .bind(door.registration.0.as_slice())
    .bind(author.kiosk.0.as_slice())
    // Where it convenes to: another site of the département knows it then, and takes it up.
    .bind(token(door).map_or(&author.site, |token| &token.site).as_str())
    .bind(i64::try_from(door.code.to_bits()).map_err(|_| Refusal::BadRecord)?)
    .bind(name)
    .bind(door.birth.to_string())
    .bind(token(door).map(|token| token.at.to_string()))
    .bind(door.issued_at.as_second())
    .bind(&paper.door.0)
    .bind(paper.rebuild.as_ref().map(|code| &code.0))
    .bind(device.kiosk.0.as_slice())
    .bind(central.now().as_second())
    .execute(tx)
    .await
    .map_err(|error| match &error {
        sqlx::Error::Database(cause) if cause.is_unique_violation() => Refusal::Conflict,
        _ => Refusal::Database(error),
    })?;
    Ok(())
}
