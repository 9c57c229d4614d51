//! What follows when an agent said that somebody did not come: their place is kept once, and a new
//! date comes by rank, in time to tell them; the second time it waits as after a cancellation. Never
//! guesses that somebody was absent: a kiosk without a network may know better.

use crate::device::Device;
use crate::each_site::{Due, each_row};
use crate::{Central, Refusal, changes, dates, lists, offers, task};
use domain::bytes::PublicKey;
use domain::ids::{KioskId, RegistrationId, SiteId};
use domain::registration::Registration;
use domain::task::TaskKind;
use domain::token::SignedToken;
use jiff::civil::DateTime;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use wire::messages::Change;

/// Why a date is another, or none.
const MISSED: &str = "missed";

/// Somebody who did not come.
struct Absent {
    device: Device,
    registration: Registration,
    slot: i64,
    at: DateTime,
    /// It happened before.
    again: bool,
}

impl Absent {
    fn read(row: &PgRow, site: &SiteId) -> Result<Self, Refusal> {
        let registration = serde_json::from_str(row.try_get(0)?);
        let kiosk = row.try_get::<&[u8], _>(1)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?;
        let key = PublicKey::from_slice(row.try_get(2)?).ok_or(Refusal::Stored("device key"))?;
        Ok(Self {
            device: Device { kiosk: KioskId(kiosk), site: site.clone(), key },
            registration: registration.map_err(|_| Refusal::Stored("registration"))?,
            slot: row.try_get(3)?,
            at: dates::civil(row.try_get(4)?)?,
            again: row.try_get(5)?,
        })
    }
}

impl Central {
    /// Sees to everybody an agent said did not come, in rank order; answers how many.
    ///
    /// # Errors
    /// The database or the lease log fails; who was seen to stays so.
    pub async fn date_missed(&self) -> Result<usize, Refusal> {
        let sites = "SELECT DISTINCT site FROM missed WHERE done_s IS NULL ORDER BY site";
        let due = |site: &SiteId| -> Due {
            sqlx::query(
                "SELECT registration.body::text, kiosk.id, kiosk.key, missed.slot, missed.at::text, \
                        EXISTS (SELECT 1 FROM missed AS other WHERE other.registration = missed.registration \
                                AND other.at <> missed.at) \
                 FROM missed JOIN registration ON registration.id = missed.registration \
                 JOIN kiosk ON kiosk.id = registration.kiosk WHERE missed.site = $1 AND missed.done_s IS NULL \
                 AND NOT EXISTS (SELECT 1 FROM arrival WHERE arrival.registration = missed.registration \
                                 AND arrival.at = missed.at AND due) \
                 ORDER BY class = 'ordinary', ranked_s, tie_break, registration.id, missed.at LIMIT $2 OFFSET $3",
            )
            .bind(site.as_str().to_owned())
        };
        each_row(self, (sites, "somebody who did not come cannot be seen to"), due, see_to).await
    }
}

async fn see_to(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    row: &PgRow,
) -> Result<bool, Refusal> {
    let absent = &Absent::read(row, site)?;
    let id = absent.registration.id;
    let held = dates::slot_of(&mut *db, id).await?;
    if held.map(|(slot, _)| dates::slot_key(slot)).transpose()? != Some(absent.slot) {
        // Given another date, or given up, since the agent said so: that stands.
        sqlx::query("DELETE FROM missed WHERE registration = $1 AND at = $2::text::timestamp")
            .bind(id.0.as_slice())
            .bind(absent.at.to_string())
            .execute(db)
            .await?;
        return Ok(true);
    }
    sqlx::query(
        "UPDATE missed SET done_s = $3, ended = $4 WHERE registration = $1 AND at = $2::text::timestamp",
    )
    .bind(id.0.as_slice())
    .bind(absent.at.to_string())
    .bind(central.now().as_second())
    .bind(absent.again)
    .execute(&mut *db)
    .await?;
    // Their day is over: the slot is nobody's any more.
    dates::withdraw(&mut *db, id).await?;
    match absent.again {
        true => end(db, central, absent).await?,
        false => date(db, central, absent).await?,
    }
    Ok(true)
}

/// A date for somebody who has none, as their kiosk takes it: after an absence it follows the one on
/// their paper.
pub(crate) async fn dated(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    id: RegistrationId,
    given: &SignedToken,
) -> Result<Change, Refusal> {
    let token = given.to_bytes().into();
    let Some(from) = before(&mut *db, id).await? else {
        return Ok(Change::Dated { registration: id, token });
    };
    let today = dates::today(&mut *db, central, &device.site).await?;
    lists::replace(db, central, id, (Some(given.token.at), Some(from)), today).await?;
    Ok(Change::Moved { registration: id, from, token, because: MISSED.to_owned() })
}

/// The appointment that somebody without a date was last said to have missed.
pub(crate) async fn before(db: &mut PgConnection, id: RegistrationId) -> Result<Option<DateTime>, Refusal> {
    let row = sqlx::query(
        "SELECT at::text FROM missed WHERE registration = $1 AND done_s IS NOT NULL ORDER BY at DESC LIMIT 1",
    )
    .bind(id.0.as_slice())
    .fetch_optional(db)
    .await?;
    row.map(|row| dates::civil(row.try_get(0)?)).transpose()
}

/// The first time: the rank is what it was, and so the first free slot they can be told of is theirs.
async fn date(db: &mut PgConnection, central: &Central, absent: &Absent) -> Result<(), Refusal> {
    let (device, id) = (&absent.device, absent.registration.id);
    // The others of the visit were received. With none to give the desk is told in the same transaction.
    let alone = absent.registration.alone();
    let Some(given) = dates::give_another(&mut *db, central, device, (&alone, absent.at)).await? else {
        return Ok(());
    };
    let told = dated(&mut *db, central, device, id, &given.token).await?;
    changes::append(db, central, device.kiosk, &[told]).await
}

/// The second time: no date follows by itself. The registration time waits as after a cancellation,
/// and the desk tries to reach the person.
async fn end(db: &mut PgConnection, central: &Central, absent: &Absent) -> Result<(), Refusal> {
    let (device, id) = (&absent.device, absent.registration.id);
    let now = central.now();
    sqlx::query(
        "UPDATE registration SET cancelled_s = $2, cancelled_slot = NULL, cancelled_at = $3::text::timestamp WHERE id = $1",
    )
    .bind(id.0.as_slice())
    .bind(now.as_second())
    .bind(absent.at.to_string())
    .execute(&mut *db)
    .await?;
    let over = task::settle_all(&mut *db, id, (MISSED, now)).await?;
    let today = dates::today(&mut *db, central, &device.site).await?;
    lists::replace(&mut *db, central, id, (None, Some(absent.at)), today).await?;
    let what = (TaskKind::MissedTwice, "");
    task::write(&mut *db, central, &device.site, id, what, now.as_second()).await?;
    let mut told = vec![Change::Ended { registration: id, at: now, because: MISSED.to_owned(), site: None }];
    told.extend(over);
    if let Some(offer) = offers::withdraw(&mut *db, central, id).await? {
        told.push(Change::OfferEnded { registration: id, offer });
    }
    changes::append(db, central, device.kiosk, &told).await
}
