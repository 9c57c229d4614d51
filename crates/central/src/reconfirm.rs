//! Far dates, asked about once before they come (`domain::reconfirm`). Whoever says nothing keeps theirs:
//! here it is only looked at, never acted upon.

use crate::{Refusal, dates};
use domain::ids::RegistrationId;
use domain::reconfirm::{Asking, asking};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use wire::messages::Reconfirm;

/// When the first paper was made that names the slot a registration holds, as its kiosk's records say, in
/// Unix seconds; none while no such record came. For a query of `registration` and `slot`.
pub(crate) const MADE: &str = "(SELECT min(floor(extract(epoch FROM (convert_from(record.body, 'UTF8')::jsonb ->> 'at')::timestamptz)))::bigint \
     FROM record WHERE record.registration = registration.id AND record.kind IN ('registration', 'dated') AND record.state = 'applied' \
     AND slot.id = ('x' || left(encode(decode(coalesce(convert_from(record.body, 'UTF8')::jsonb #>> '{outcome,token}', \
                   convert_from(record.body, 'UTF8')::jsonb ->> 'token'), 'base64'), 'hex'), 16))::bit(64)::bigint)";

/// Did the person say, at whatever kiosk, that they come to the hour they have? For such a query.
pub(crate) const SAID: &str = "EXISTS (SELECT 1 FROM word WHERE word.registration = registration.id AND says = 'come' \
     AND word.appointment = slot.at AND word.state <> 'waits')";

/// What whoever has this paper is asked today; none where nothing is.
pub(crate) async fn of(
    db: &mut PgConnection,
    id: RegistrationId,
    today: Date,
) -> Result<Option<Reconfirm>, Refusal> {
    let asked = format!(
        "SELECT {MADE}, slot.at::text, {SAID} FROM registration JOIN slot ON slot.registration = registration.id \
         WHERE registration.id = $1 AND cancelled_s IS NULL"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(asked)).bind(id.0.as_slice()).fetch_optional(db).await?;
    let Some(row) = row else { return Ok(None) };
    let asking = read(&row)?.filter(|(asking, _)| asking.is_on(today));
    let said = row.try_get(2)?;
    Ok(asking.map(|(asking, _)| Reconfirm { last: asking.last, said }))
}

/// The days on which a date is asked about, and the date, of a row that begins with [`MADE`] and its hour.
pub(crate) fn read(row: &PgRow) -> Result<Option<(Asking, DateTime)>, Refusal> {
    let at = dates::civil(row.try_get(1)?)?;
    let made = row.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_second).transpose();
    let made = made.map_err(|_| Refusal::Stored("moment"))?;
    Ok(made.and_then(|made| asking(made, at)).map(|asking| (asking, at)))
}
