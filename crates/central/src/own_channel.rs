//! Cancellations by a person's own telephone or mail, as the central that runs carries them out a day
//! after an agent wrote them down (see [`crate::admin`]). Until then the date holds: who comes is
//! received, and what the person says at a counter withdraws it.

use crate::each_site::{Due, each_row};
use crate::words::{self, OWN_CHANNEL};
use crate::{Central, Refusal, changes, dates, offers};
use domain::ids::{RegistrationId, SiteId, WordId};
use domain::own_channel::{Channel, Standing, WAIT, due, standing};
use jiff::{Timestamp, tz::TimeZone};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use wire::messages::{CancelAsked, Change};

/// The request that waits, if there is one.
pub(crate) async fn open_of(
    db: &mut PgConnection,
    id: RegistrationId,
) -> Result<Option<CancelAsked>, Refusal> {
    let row = sqlx::query(
        "SELECT id, channel, asked_s FROM asked_cancel WHERE registration = $1 AND state = 'open'",
    )
    .bind(id.0.as_slice())
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let at = Timestamp::from_second(row.try_get(2)?).map_err(|_| Refusal::Stored("moment"))?;
        Ok(CancelAsked {
            word: word_id(&row, 0)?,
            channel: Channel::parse(row.try_get(1)?).ok_or(Refusal::Stored("channel"))?,
            at,
            due: due(at),
        })
    })
    .transpose()
}

/// Nothing is left to carry out: the person came, gave it up at a counter, or said that they will come.
/// Answers what their kiosk is to hear of it.
pub(crate) async fn withdraw(
    db: &mut PgConnection,
    id: RegistrationId,
    now: Timestamp,
) -> Result<Vec<Change>, Refusal> {
    end(db, id, ("withdrawn", now)).await
}

/// The same for what was asked until then: the person said that they come, perhaps long ago.
pub(crate) async fn withdraw_until(
    db: &mut PgConnection,
    id: RegistrationId,
    (until, now): (Timestamp, Timestamp),
) -> Result<Vec<Change>, Refusal> {
    end_until(db, id, ("withdrawn", now), until).await
}

async fn end(
    db: &mut PgConnection,
    id: RegistrationId,
    (state, now): (&str, Timestamp),
) -> Result<Vec<Change>, Refusal> {
    end_until(db, id, (state, now), Timestamp::MAX).await
}

async fn end_until(
    db: &mut PgConnection,
    id: RegistrationId,
    (state, now): (&str, Timestamp),
    until: Timestamp,
) -> Result<Vec<Change>, Refusal> {
    let row = sqlx::query(
        "UPDATE asked_cancel SET state = $2, ended_s = $3 \
         WHERE registration = $1 AND state = 'open' AND asked_s <= $4 RETURNING id",
    )
    .bind(id.0.as_slice())
    .bind(state)
    .bind(now.as_second())
    .bind(until.as_second())
    .fetch_optional(db)
    .await?;
    let over = |row: PgRow| Ok(Change::CancelWithdrawn { registration: id, word: word_id(&row, 0)? });
    row.map(over).into_iter().collect()
}

/// Was this place, given up now, given up by a request of its person's own channel, made until then?
pub(crate) async fn ended(
    db: &mut PgConnection,
    id: RegistrationId,
    until: Timestamp,
) -> Result<bool, Refusal> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM asked_cancel JOIN registration ON registration.id = asked_cancel.registration \
         WHERE registration = $1 AND asked_cancel.state = 'done' AND ended_s = cancelled_s AND asked_s <= $2)",
    )
    .bind(id.0.as_slice())
    .bind(until.as_second())
    .fetch_one(db)
    .await?;
    Ok(row.try_get(0)?)
}

impl Central {
    /// Carries out the requests whose day is over; answers how many came to an end.
    ///
    /// # Errors
    /// The database or the lease log fails; what was carried out stays so.
    pub async fn carry_out_cancellations(&self) -> Result<usize, Refusal> {
        let sites = "SELECT DISTINCT site FROM asked_cancel WHERE state = 'open' ORDER BY site";
        let asked_until = self.now().as_second().saturating_sub(WAIT.as_secs());
        let due = |site: &SiteId| -> Due {
            sqlx::query(
                "SELECT asked_cancel.registration, asked_s, slot.at::text, site.zone FROM asked_cancel \
                 JOIN site ON site.id = asked_cancel.site LEFT JOIN slot ON slot.registration = asked_cancel.registration \
                 WHERE asked_cancel.site = $1 AND asked_cancel.state = 'open' AND asked_s <= $2 \
                 ORDER BY asked_s, asked_cancel.id LIMIT $3 OFFSET $4",
            )
            .bind(site.as_str().to_owned())
            .bind(asked_until)
        };
        let cannot = "a cancellation that was asked for cannot be carried out";
        each_row(self, (sites, cannot), due, carry_out).await
    }
}

async fn carry_out(
    db: &mut PgConnection,
    central: &Central,
    _: &SiteId,
    row: &PgRow,
) -> Result<bool, Refusal> {
    let id = row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| Refusal::Stored("registration id"))?;
    let id = RegistrationId(id);
    let asked = Timestamp::from_second(row.try_get(1)?).map_err(|_| Refusal::Stored("moment"))?;
    let at = row.try_get::<Option<&str>, _>(2)?.map(dates::civil).transpose()?;
    let zone = TimeZone::get(row.try_get(3)?).map_err(|_| Refusal::Stored("time zone"))?;
    let Some(registrar) = words::registrar(&mut *db, id).await? else { return Ok(false) };
    let now = Timestamp::from_second(central.now().as_second()).map_err(|_| Refusal::Stored("moment"))?;
    let begins = at.map(|at| zone.to_timestamp(at)).transpose().map_err(|_| Refusal::Stored("hour"))?;
    let told = match standing(asked, now, begins) {
        Standing::Waits => return Ok(false),
        Standing::Over => end(&mut *db, id, ("over", now)).await?,
        Standing::Due => {
            end(&mut *db, id, ("done", now)).await?;
            match offers::cancel(&mut *db, central, &registrar, (id, now)).await? {
                Ok(follows) => {
                    let because = OWN_CHANNEL.to_owned();
                    let mut told = vec![Change::Ended { registration: id, at: now, because, site: None }];
                    told.extend(follows);
                    told
                }
                // They came, or it ended by another way, and that was told.
                Err(_) => Vec::new(),
            }
        }
    };
    changes::append(db, central, registrar.kiosk, &told).await?;
    Ok(true)
}

fn word_id(row: &PgRow, at: usize) -> Result<WordId, Refusal> {
    row.try_get::<&[u8], _>(at)?.try_into().map(WordId).map_err(|_| Refusal::Stored("word"))
}
