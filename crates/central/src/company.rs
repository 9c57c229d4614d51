//! Who comes with whom, as central knows it: a kiosk may have dated none of them when it registered
//! the next one. Gives no date; that is [`crate::dates`]'s.

use crate::{Refusal, dates};
use domain::party::{PEOPLE_MAX, Party};
use domain::registration::Registration;
use jiff::civil::DateTime;
use sqlx::{PgConnection, Row};

/// The party of a registration, with the hours of all of them who hold one now. `taken` are hours that
/// are being given in this transaction, with whose they are.
pub(crate) async fn of(
    db: &mut PgConnection,
    registration: &Registration,
    taken: impl Iterator<Item = (&Registration, DateTime)>,
) -> Result<Option<Party>, Refusal> {
    let Some(party) = &registration.party else { return Ok(None) };
    let with = |other: &Registration| {
        other.id == party.first || other.party.as_ref().is_some_and(|theirs| theirs.first == party.first)
    };
    let taken: Vec<DateTime> = taken.filter(|(other, _)| with(other)).map(|(_, at)| at).collect();
    let rows = sqlx::query(
        "SELECT slot.at::text FROM registration JOIN slot ON slot.registration = registration.id \
         WHERE registration.site = $1 AND registration.id <> $2 AND registration.cancelled_s IS NULL \
         AND (registration.id = $3 OR registration.body -> 'party' ->> 'first' = $4) ORDER BY slot.at LIMIT $5",
    )
    .bind(registration.site.as_str())
    .bind(registration.id.0.as_slice())
    .bind(party.first.0.as_slice())
    .bind(party.first.to_string())
    .bind(i64::from(PEOPLE_MAX))
    .fetch_all(db)
    .await?;
    let held = rows.iter().map(|row| dates::civil(row.try_get(0)?)).collect::<Result<Vec<_>, Refusal>>()?;
    Ok(Some(party.knowing(held.into_iter().chain(taken))))
}
