//! The pages that were scanned for a registration, and what became of printing its paper.

use super::Step;
use crate::device::Device;
use crate::{Refusal, planted};
use domain::set_aside::Reason;
use sqlx::{PgConnection, Row};
use wire::body::{Piece, Print, PrintOutcome};

pub(super) async fn piece(tx: &mut PgConnection, device: &Device, piece: &Piece) -> Result<Step, Refusal> {
    if piece.pages.len() > wire::limits::PAGES {
        return Ok(Step::SetAside(Reason::TooManyPages));
    }
    let row = sqlx::query(
        "SELECT kiosk.site FROM registration JOIN kiosk ON kiosk.id = registration.kiosk WHERE registration.id = $1",
    )
    .bind(piece.registration.0.as_slice())
    .fetch_optional(&mut *tx)
    .await?;
    match row {
        None => return Ok(Step::SetAside(Reason::RegistrationUnknown)),
        Some(row) if row.try_get::<&str, _>(0)? != device.site.as_str() => {
            return Ok(Step::SetAside(Reason::OtherSite));
        }
        Some(_) => {}
    }
    let listed = if planted::on("pages_listed_first_only") { 1 } else { piece.pages.len() };
    for page in piece.pages.iter().take(listed) {
        sqlx::query(
            "INSERT INTO piece_page (registration, page, number, rotation, sha256, length) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (registration, page) DO NOTHING",
        )
        .bind(piece.registration.0.as_slice())
        .bind(page.page.0.as_slice())
        .bind(i32::from(page.number))
        .bind(i32::from(page.rotation))
        .bind(page.sha256.0.as_slice())
        .bind(i64::try_from(page.bytes).unwrap_or(i64::MAX))
        .execute(&mut *tx)
        .await?;
    }
    Ok(Step::Applied(Vec::new()))
}

pub(super) async fn print(tx: &mut PgConnection, device: &Device, print: &Print) -> Result<Step, Refusal> {
    let state = match print.state {
        PrintOutcome::Attempted => "attempted",
        PrintOutcome::Printed => "printed",
        PrintOutcome::Failed => "failed",
        PrintOutcome::SaidPrinted => "said_printed",
        PrintOutcome::SaidNotPrinted => "said_not_printed",
    };
    sqlx::query(
        "INSERT INTO print (attempt, registration, kiosk, state, at_s) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (attempt) DO UPDATE SET state = excluded.state, at_s = excluded.at_s",
    )
    .bind(print.attempt.0.as_slice())
    .bind(print.registration.0.as_slice())
    .bind(device.kiosk.0.as_slice())
    .bind(state)
    .bind(print.at.as_second())
    .execute(tx)
    .await?;
    Ok(Step::Applied(Vec::new()))
}
