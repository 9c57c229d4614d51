//! Annulment of an appointment for fraud, as the central that runs carries it out: two agents have
//! said it beside it, see [`crate::admin`]. Until it is carried out the date holds, and nothing that
//! the person, a closure or an offer did in between is undone by it.

use crate::device::Device;
use crate::each_site::{Due, each_row};
use crate::{Central, Refusal, arrivals, audit, calendar, changes, dates, lists, offers, task, transfer};
use domain::annulment::until;
use domain::audit::Act;
use domain::bytes::PublicKey;
use domain::ids::{AnnulmentId, KioskId, RegistrationId, SiteId};
use domain::set_aside::Reason;
use domain::task::TaskKind;
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use wire::body::AnnulmentTold;
use wire::messages::Change;

/// Why a record of an annulled place is not applied, and what its tasks are answered by.
pub(crate) const ANNULLED: &str = "annulled";
/// Why a date is another: the place is the person's again.
const UNDONE: &str = "annulment_undone";

/// The kiosk's word that the person has the notice. Again, the later day on a notice counts.
pub(crate) async fn told(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    said: &AnnulmentTold,
) -> Result<Result<Vec<Change>, Reason>, Refusal> {
    calendar::hold(&mut *db, &device.site).await?;
    let row = sqlx::query(
        "SELECT answer_by::text, annulment.state, proposed_s FROM annulment JOIN registration ON registration.id = annulment.registration \
         WHERE annulment.id = $1 AND registration.id = $2 AND registration.kiosk = $3 FOR UPDATE OF annulment",
    )
    .bind(said.annulment.0.as_slice())
    .bind(said.registration.0.as_slice())
    .bind(device.kiosk.0.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    // Of a database that was restored to before the proposal: an agent proposes again.
    let Some(row) = row else { return Ok(Err(Reason::AnnulmentUnknown)) };
    if row.try_get::<&str, _>(1)? != "proposed" {
        return Ok(Ok(Vec::new()));
    }
    let answer_by: Date = row.try_get::<&str, _>(0)?.parse().map_err(|_| Refusal::Stored("date"))?;
    let zone = dates::zone_of(&mut *db, &device.site).await?;
    let zone = TimeZone::get(&zone).map_err(|_| Refusal::Stored("time zone"))?;
    let day = |at: Timestamp| zone.to_datetime(at).date();
    // A clock that is behind tells nobody before there was anything to tell.
    let proposed = Timestamp::from_second(row.try_get(2)?).map_err(|_| Refusal::Stored("proposal"))?;
    let (now, at) = (central.now(), said.at.min(central.now()).max(proposed));
    // What the notice says, as far as a notice of today can say it.
    let last = until(answer_by, day(at)).max(said.until.min(until(answer_by, day(now))));
    sqlx::query(
        "WITH told AS (UPDATE annulment SET told_s = coalesce(told_s, $2), until = greatest(until, $3::text::date) \
                       WHERE id = $1 RETURNING registration, until) \
         UPDATE task SET due = greatest(due, told.until) FROM told \
         WHERE task.registration = told.registration AND task.kind = $4 AND task.answer IS NULL",
    )
    .bind(said.annulment.0.as_slice())
    .bind(at.as_second())
    .bind(last.to_string())
    .bind(TaskKind::Annulment.key())
    .execute(&mut *db)
    .await?;
    audit::by_kiosk(&mut *db, device.kiosk, Act::AnnulmentTold, Some(&said.registration), 1).await?;
    Ok(Ok(Vec::new()))
}

/// Is this place annulled, and not the person's again?
pub(crate) async fn stands(db: &mut PgConnection, id: RegistrationId) -> Result<bool, Refusal> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM annulment WHERE registration = $1 AND state IN ('annulled', 'undoing'))",
    )
    .bind(id.0.as_slice())
    .fetch_one(db)
    .await?;
    Ok(row.try_get(0)?)
}

/// The appointment was honoured, or ended by another's word than its person's: there is nothing left to
/// annul, and its kiosk is to hear it.
pub(crate) async fn over(db: &mut PgConnection, id: RegistrationId) -> Result<Vec<Change>, Refusal> {
    let rows = sqlx::query(
        "UPDATE annulment SET state = 'over' WHERE registration = $1 AND state IN ('proposed', 'annulling') \
         RETURNING id",
    )
    .bind(id.0.as_slice())
    .fetch_all(db)
    .await?;
    let over = |row: &PgRow| {
        let annulment: [u8; 16] =
            row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| Refusal::Stored("annulment id"))?;
        let annulment = AnnulmentId(annulment);
        Ok(Change::AnnulmentOver { registration: id, annulment, date_follows: false })
    };
    rows.iter().map(over).collect()
}

impl Central {
    /// Carries out what agents have decided or undone since; answers how many.
    ///
    /// # Errors
    /// The database or the lease log fails; what was carried out stays so.
    pub async fn carry_out_annulments(&self) -> Result<usize, Refusal> {
        let sites =
            "SELECT DISTINCT site FROM annulment WHERE state IN ('annulling', 'undoing') ORDER BY site";
        let due = |site: &SiteId| -> Due {
            sqlx::query(
                "SELECT annulment.id, registration.id, kiosk.id, kiosk.key, annulment.state = 'undoing', \
                        cancelled_s IS NOT NULL AND annulment.at IS NULL FROM annulment \
                 JOIN registration ON registration.id = annulment.registration JOIN kiosk ON kiosk.id = registration.kiosk \
                 WHERE annulment.site = $1 AND annulment.state IN ('annulling', 'undoing') \
                 ORDER BY coalesce(undone_s, decided_s), annulment.id LIMIT $2 OFFSET $3",
            )
            .bind(site.as_str().to_owned())
        };
        let cannot = "a decision about an annulment cannot be carried out";
        each_row(self, (sites, cannot), due, carry_out).await
    }
}

/// A decision to be carried out.
struct Decided {
    id: AnnulmentId,
    registration: RegistrationId,
    device: Device,
    undo: bool,
    /// It was given up before: no hour was annulled.
    given_up: bool,
}

impl Decided {
    fn read(row: &PgRow, site: &SiteId) -> Result<Self, Refusal> {
        let id = |at: usize, what| -> Result<[u8; 16], Refusal> {
            row.try_get::<&[u8], _>(at)?.try_into().map_err(|_| Refusal::Stored(what))
        };
        let key = PublicKey::from_slice(row.try_get(3)?).ok_or(Refusal::Stored("device key"))?;
        Ok(Self {
            id: AnnulmentId(id(0, "annulment id")?),
            registration: RegistrationId(id(1, "registration id")?),
            device: Device { kiosk: KioskId(id(2, "kiosk id")?), site: site.clone(), key },
            undo: row.try_get(4)?,
            given_up: row.try_get(5)?,
        })
    }
}

async fn carry_out(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    row: &PgRow,
) -> Result<bool, Refusal> {
    let decided = Decided::read(row, site)?;
    match decided.undo {
        true => undo(db, central, &decided).await?,
        false => annul(db, central, &decided).await?,
    }
    Ok(true)
}

/// The place ends as with a cancellation, whatever date it has now: the slot goes to whoever is next,
/// and every door that has the list knows the paper. Of one given up since, the registration time is
/// annulled. Honoured, or its day come, it is left as it is.
async fn annul(db: &mut PgConnection, central: &Central, decided: &Decided) -> Result<(), Refusal> {
    let (device, id) = (&decided.device, decided.registration);
    let today = dates::today(&mut *db, central, &device.site).await?;
    let honoured = arrivals::is_honoured(&mut *db, id).await?;
    if decided.given_up && !honoured {
        return annul_time(db, central, decided).await;
    }
    let held = dates::slot_of(&mut *db, id).await?.filter(|(_, at)| at.date() > today);
    let (Some((slot, at)), false) = (held, honoured) else {
        let told = over(&mut *db, id).await?;
        return changes::append(db, central, device.kiosk, &told).await;
    };
    offers::set_free(&mut *db, central, slot).await?;
    let now = central.now();
    sqlx::query(
        "WITH done AS (UPDATE annulment SET state = 'annulled', at = $4::text::timestamp, done_s = $2 WHERE id = $5) \
         UPDATE registration SET cancelled_s = $2, cancelled_slot = $3, cancelled_at = $4::text::timestamp WHERE id = $1",
    )
    .bind(id.0.as_slice())
    .bind(now.as_second())
    .bind(dates::slot_key(slot)?)
    .bind(at.to_string())
    .bind(decided.id.0.as_slice())
    .execute(&mut *db)
    .await?;
    transfer::annulled(&mut *db, central, id).await?;
    // Of this annulment nothing is over: it is done.
    let mut told = task::settle_all(&mut *db, id, (ANNULLED, now)).await?;
    lists::replace(&mut *db, central, id, (None, Some(at)), today).await?;
    told.push(Change::Annulled { registration: id, annulment: decided.id, at: now });
    if let Some(offer) = offers::withdraw(&mut *db, central, id).await? {
        told.push(Change::OfferEnded { registration: id, offer });
    }
    changes::append(db, central, device.kiosk, &told).await
}

/// The person has given the appointment up, and its slot is nobody's already: they cannot take it back any
/// more, and whoever follows it ranks by their own time.
async fn annul_time(db: &mut PgConnection, central: &Central, decided: &Decided) -> Result<(), Refusal> {
    let (id, now) = (decided.registration, central.now());
    sqlx::query("UPDATE annulment SET state = 'annulled', done_s = $2 WHERE id = $1")
        .bind(decided.id.0.as_slice())
        .bind(now.as_second())
        .execute(&mut *db)
        .await?;
    transfer::annulled(&mut *db, central, id).await?;
    let told = Change::Annulled { registration: id, annulment: decided.id, at: now };
    changes::append(db, central, decided.device.kiosk, &[told]).await
}

/// The registration time counts as before, and the slot is theirs where nobody was asked about it. What
/// its person had given up before is given up as it was.
async fn undo(db: &mut PgConnection, central: &Central, decided: &Decided) -> Result<(), Refusal> {
    let (device, id) = (&decided.device, decided.registration);
    sqlx::query("UPDATE annulment SET state = 'undone' WHERE id = $1")
        .bind(decided.id.0.as_slice())
        .execute(&mut *db)
        .await?;
    if arrivals::is_honoured(&mut *db, id).await? {
        // A door without the list received them all the same: they need no other date, and nothing
        // of theirs is given up. The hour stays, for the day on which they are erased.
        sqlx::query("UPDATE registration SET cancelled_s = NULL, cancelled_slot = NULL WHERE id = $1")
            .bind(id.0.as_slice())
            .execute(&mut *db)
            .await?;
        return tell(db, central, decided, None).await;
    }
    if decided.given_up {
        return tell(db, central, decided, None).await;
    }
    let today = dates::today(&mut *db, central, &device.site).await?;
    let dated = offers::come_back(&mut *db, central, device, id, (today, UNDONE)).await?;
    tell(db, central, decided, Some(dated)).await
}

async fn tell(
    db: &mut PgConnection,
    central: &Central,
    decided: &Decided,
    dated: Option<Vec<Change>>,
) -> Result<(), Refusal> {
    let (registration, annulment) = (decided.registration, decided.id);
    let mut told = vec![Change::AnnulmentOver { registration, annulment, date_follows: dated.is_some() }];
    told.extend(dated.into_iter().flatten());
    changes::append(db, central, decided.device.kiosk, &told).await
}
