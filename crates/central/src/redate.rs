//! Another date for people whose own the calendar no longer has. An administrator says so, and
//! the slots that follow are set aside at once ([`say`]); the central that runs then moves the
//! dates, some hundreds in one transaction, in the order of `domain::batch` ([`carry_out`]). A
//! new date leaves central only then: after it stands in the lease log. Moves nobody whose date
//! the calendar has.

use crate::calendar::change;
use crate::calendar::{self, Wanted};
use crate::each_site::each_site;
use crate::lease_log::{self, Sent};
use crate::{Central, Refusal, audit, changes, dates, lists};
use domain::assign::FreeSlot;
use domain::audit::Act;
use domain::batch::{self, Person, Placed};
use domain::bytes::PublicKey;
use domain::ids::{KioskId, RegistrationId, SiteId, SlotId};
use domain::offer;
use domain::place::{Class, PlaceKey};
use domain::procedure::Procedure;
use domain::registration::Registration;
use domain::task::TaskKind;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};
use seal::keys::sha256;
use sqlx::postgres::PgRow;
use sqlx::{Connection as _, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use wire::messages::Change;

/// People moved in one transaction: the site's other dates wait for no more.
const AT_ONCE: i64 = 500;
/// How often a central that runs looks for what was said.
const EVERY: Duration = Duration::from_secs(1);
/// Characters of a preview's token: 64 bits say that it is the same moves.
const TOKEN_CHARS: usize = 16;

/// Somebody whose date the calendar no longer has.
pub(crate) struct Outside {
    pub registration: Registration,
    /// By the time that ranks.
    pub place: PlaceKey,
    pub slot: SlotId,
    pub at: DateTime,
    pub reason: String,
}

/// Who is to be moved where. In the order in which it is done.
pub(crate) struct Plan {
    pub moves: Vec<(Outside, Placed<FreeSlot>)>,
    /// The site has no slot for them, however far ahead.
    pub none: Vec<Outside>,
}

impl Plan {
    /// Finds a slot for everybody outside, making days as far ahead as they need. In a
    /// transaction that holds the site: see [`change::lock`].
    pub async fn make(db: &mut PgConnection, site: &SiteId, today: Date) -> Result<Self, Refusal> {
        let outside = outside(&mut *db, site).await?;
        let people: Vec<Person> = outside.iter().map(|one| person(one, today)).collect();
        let Some(from) = people.iter().map(|one| one.window.earliest).min() else {
            return Ok(Self { moves: Vec::new(), none: Vec::new() });
        };
        let mut wanted: BTreeMap<Procedure, usize> = BTreeMap::new();
        for one in &outside {
            *wanted.entry(one.registration.procedure).or_default() += 1;
        }
        let mut exhausted = BTreeSet::new();
        let given = loop {
            let free = free(&mut *db, site, from).await?;
            let serving = |procedure| free.iter().filter(|slot| slot.serves.includes(procedure)).count();
            // Not before there is one for each: then who still has none says which days to make.
            let mut short: BTreeSet<Procedure> = wanted
                .iter()
                .filter(|(procedure, people)| serving(**procedure) < **people)
                .map(|(procedure, _)| *procedure)
                .filter(|procedure| !exhausted.contains(procedure))
                .collect();
            if short.is_empty() {
                let given = batch::assign(&people, &free);
                let none = outside.iter().zip(&given).filter(|(_, given)| given.is_none());
                let none = none.map(|(one, _)| one.registration.procedure);
                short = none.filter(|procedure| !exhausted.contains(procedure)).collect();
                if short.is_empty() {
                    break given;
                }
            }
            for procedure in short {
                if !calendar::extend(&mut *db, site, Wanted::Procedure(procedure)).await? {
                    exhausted.insert(procedure);
                }
            }
        };
        let (mut moves, mut none) = (Vec::new(), Vec::new());
        for (one, given) in outside.into_iter().zip(given) {
            match given {
                Some(given) => moves.push((one, given)),
                None => none.push(one),
            }
        }
        moves.sort_by_key(|(one, given)| {
            (one.registration.class() == Class::Ordinary, given.late, one.place, one.slot)
        });
        Ok(Self { moves, none })
    }

    /// Stands for exactly these people and these dates.
    pub fn token(&self, site: &SiteId) -> String {
        let mut lines = vec![site.to_string()];
        for (one, given) in &self.moves {
            lines.push(format!("{} {} {}", one.registration.id, one.slot, given.what.slot));
        }
        let mut token = sha256(&[b"jalon/redate/1\n", lines.join("\n").as_bytes()]).to_string();
        token.truncate(TOKEN_CHARS);
        token
    }

    /// Sets the slots aside and writes who is to have them.
    pub async fn say(&self, db: &mut PgConnection, site: &SiteId, now: Timestamp) -> Result<(), Refusal> {
        let key = |slot: SlotId| dates::slot_key(slot);
        let before = self.moves.iter().map(|(one, _)| key(one.slot)).collect::<Result<Vec<_>, _>>()?;
        let slots =
            self.moves.iter().map(|(_, given)| key(given.what.slot)).collect::<Result<Vec<_>, _>>()?;
        sqlx::query("UPDATE slot SET withheld = true WHERE id = ANY ($1)")
            .bind(&slots)
            .execute(&mut *db)
            .await?;
        sqlx::query("DELETE FROM freed_slot WHERE slot = ANY ($1)").bind(&slots).execute(&mut *db).await?;
        sqlx::query(
            "INSERT INTO redate (registration, site, before, slot, reason, said_s, place) \
             SELECT registration, $1, before, slot, reason, $2, place::integer \
             FROM unnest($3::bytea[], $4::bigint[], $5::bigint[], $6::text[]) WITH ORDINALITY \
                  AS said (registration, before, slot, reason, place) \
             ON CONFLICT (registration, before) DO UPDATE SET slot = excluded.slot, reason = excluded.reason, \
             said_s = excluded.said_s, place = excluded.place, moved_s = NULL, taken_s = NULL",
        )
        .bind(site.as_str())
        .bind(now.as_second())
        .bind(self.moves.iter().map(|(one, _)| one.registration.id.0.as_slice()).collect::<Vec<_>>())
        .bind(before)
        .bind(slots)
        .bind(self.moves.iter().map(|(one, _)| one.reason.as_str()).collect::<Vec<_>>())
        .execute(db)
        .await?;
        Ok(())
    }
}

fn person(one: &Outside, today: Date) -> Person {
    let window = offer::moved_window(one.registration.window(), one.at, today);
    Person { place: one.place, window }
}

/// Those with an open task whose date is outside now, and who are not being moved already.
async fn outside(db: &mut PgConnection, site: &SiteId) -> Result<Vec<Outside>, Refusal> {
    let rows = sqlx::query(
        "SELECT DISTINCT ON (registration.id) registration.body::text, slot.id, slot.at::text, task.reason, registration.ranked_s \
         FROM task JOIN registration ON registration.id = task.registration \
         JOIN slot ON slot.registration = registration.id \
         WHERE task.site = $1 AND slot.site = $1 AND task.kind = $2 AND task.answer IS NULL \
         AND (slot.outside OR NOT coalesce(registration.procedure = ANY (slot.procedures), true)) \
         AND NOT EXISTS (SELECT 1 FROM redate WHERE redate.registration = registration.id AND moved_s IS NULL) \
         ORDER BY registration.id, task.id",
    )
    .bind(site.as_str())
    .bind(TaskKind::DateOutside.key())
    .fetch_all(db)
    .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        // One that cannot be read never holds up the others: its task stays open.
        let Ok(registration) = serde_json::from_str::<Registration>(row.try_get(0)?) else {
            tracing::error!("a registration whose date is outside cannot be read");
            continue;
        };
        let slot = dates::slot_number(row.try_get(1)?)?;
        let at = dates::civil(row.try_get(2)?)?;
        let place = registration.place().since(row.try_get(4)?);
        all.push(Outside { registration, place, slot, at, reason: row.try_get(3)? });
    }
    Ok(all)
}

/// Slots free to whom the calendar took the date from; of those that came free for others, as far
/// as nobody is being asked.
async fn free(db: &mut PgConnection, site: &SiteId, from: Date) -> Result<Vec<FreeSlot>, Refusal> {
    let rows = sqlx::query(
        "SELECT id, at::text, procedures FROM slot \
         WHERE site = $1 AND lease IS NULL AND registration IS NULL AND extra <= 0 \
         AND NOT outside AND at >= $2::text::timestamp AND (NOT withheld OR id IN \
         (SELECT slot FROM freed_slot WHERE site = $1 EXCEPT SELECT slot FROM offer WHERE site = $1 AND state = 'open'))",
    )
    .bind(site.as_str())
    .bind(from.to_string())
    .fetch_all(db)
    .await?;
    let slot = |row: &PgRow| -> Result<FreeSlot, Refusal> {
        let (slot, at) = (dates::slot_number(row.try_get(0)?)?, dates::civil(row.try_get(1)?)?);
        Ok(FreeSlot { slot, at, stratum: None, serves: calendar::procedures(row, 2)? })
    };
    rows.iter().map(slot).collect()
}

/// One move as it was said, and whether it can still be made.
struct Said {
    registration: Registration,
    before: i64,
    before_at: DateTime,
    slot: i64,
    at: DateTime,
    reason: String,
    kiosk: KioskId,
    key: PublicKey,
    stands: bool,
}

impl Said {
    fn read(row: &PgRow, today: Date) -> Result<Self, Refusal> {
        let at = dates::civil(row.try_get(3)?)?;
        Ok(Self {
            registration: serde_json::from_str(row.try_get(0)?)
                .map_err(|_| Refusal::Stored("registration"))?,
            before: row.try_get(1)?,
            before_at: dates::civil(row.try_get(8)?)?,
            slot: row.try_get(2)?,
            at,
            reason: row.try_get(4)?,
            kiosk: KioskId(row.try_get(5)?),
            key: PublicKey::from_slice(row.try_get(6)?).ok_or(Refusal::Stored("device key"))?,
            stands: row.try_get::<bool, _>(7)? && at.date() > today,
        })
    }
}

/// Moves the next of those an administrator has named at this site, in one transaction; answers
/// how many there were to look at. Whose date the calendar has again keeps it.
pub(crate) async fn carry_out(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
) -> Result<usize, Refusal> {
    let due = sqlx::query("SELECT 1 FROM redate WHERE site = $1 AND moved_s IS NULL LIMIT 1")
        .bind(site.as_str())
        .fetch_optional(&mut *db)
        .await?;
    // What left central is not known: no ordinary slot is given, see the lease log.
    if due.is_none() || central.extras_only() {
        return Ok(0);
    }
    let mut tx = db.begin().await?;
    change::lock(&mut tx, site).await?;
    let today = dates::today(&mut tx, central, site).await?;
    let rows = sqlx::query(
        "SELECT registration.body::text, redate.before, redate.slot, next.at::text, redate.reason, kiosk.id, kiosk.key, \
                held.registration IS NOT DISTINCT FROM redate.registration \
                AND (held.outside OR NOT coalesce(registration.procedure = ANY (held.procedures), true)) \
                AND next.registration IS NULL AND next.lease IS NULL AND NOT next.outside \
                AND coalesce(registration.procedure = ANY (next.procedures), true) \
                AND EXISTS (SELECT 1 FROM task WHERE task.registration = redate.registration AND task.kind = $2 \
                            AND task.answer IS NULL), coalesce(held.at, next.at)::text \
         FROM redate JOIN registration ON registration.id = redate.registration \
         JOIN kiosk ON kiosk.id = registration.kiosk JOIN slot AS next ON next.id = redate.slot \
         LEFT JOIN slot AS held ON held.id = redate.before \
         WHERE redate.site = $1 AND redate.moved_s IS NULL ORDER BY redate.said_s, redate.place LIMIT $3",
    )
    .bind(site.as_str())
    .bind(TaskKind::DateOutside.key())
    .bind(AT_ONCE)
    .fetch_all(&mut *tx)
    .await?;
    let all = rows.iter().map(|row| Said::read(row, today)).collect::<Result<Vec<_>, _>>()?;
    let (moves, gone): (Vec<Said>, Vec<Said>) = all.into_iter().partition(|said| said.stands);
    let looked_at = moves.len() + gone.len();
    drop_said(&mut tx, &gone).await?;
    if !moves.is_empty() {
        make(&mut tx, central, site, &moves, today).await?;
    }
    tx.commit().await?;
    Ok(looked_at)
}

/// The same in passing, as a kiosk of the site exchanges. Where it fails it is due again, and the
/// exchange goes on.
pub(crate) async fn in_passing(db: &mut PgConnection, central: &Central, site: &SiteId) {
    if let Err(refusal) = carry_out(db, central, site).await {
        tracing::error!(cause = ?refusal, "dates could not be moved");
    }
}

/// The slot set aside is free again; the date and its task stay as they are.
async fn drop_said(tx: &mut PgConnection, gone: &[Said]) -> Result<(), Refusal> {
    if gone.is_empty() {
        return Ok(());
    }
    let slots: Vec<i64> = gone.iter().map(|said| said.slot).collect();
    sqlx::query("DELETE FROM redate WHERE moved_s IS NULL AND slot = ANY ($1)")
        .bind(&slots)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "UPDATE slot SET withheld = false WHERE id = ANY ($1) AND registration IS NULL AND lease IS NULL",
    )
    .bind(&slots)
    .execute(tx)
    .await?;
    Ok(())
}

async fn make(
    tx: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    moves: &[Said],
    today: Date,
) -> Result<(), Refusal> {
    let now = central.now();
    let ids: Vec<&[u8]> = moves.iter().map(|said| said.registration.id.0.as_slice()).collect();
    let before: Vec<i64> = moves.iter().map(|said| said.before).collect();
    let slots: Vec<i64> = moves.iter().map(|said| said.slot).collect();
    // A paper names it: it is nobody else's, and goes back to no lease.
    sqlx::query(
        "UPDATE slot SET registration = NULL, withheld = true, lease = NULL, stratum = NULL WHERE id = ANY ($1)",
    )
    .bind(&before)
    .execute(&mut *tx)
    .await?;
    let taken = sqlx::query(
        "UPDATE slot SET registration = said.by, withheld = false FROM unnest($1::bigint[], $2::bytea[]) AS said (slot, by) \
         WHERE slot.id = said.slot AND slot.registration IS NULL AND slot.lease IS NULL",
    )
    .bind(&slots)
    .bind(&ids)
    .execute(&mut *tx)
    .await?;
    if taken.rows_affected() != moves.len() as u64 {
        return Err(Refusal::Conflict);
    }
    let sent = |said: &Said| -> Result<Sent, Refusal> {
        let slot = dates::slot_number(said.slot)?;
        Ok(Sent { site: site.clone(), slot, at: said.at, kiosk: said.kiosk, lent: None })
    };
    let sent = moves.iter().map(sent).collect::<Result<Vec<_>, _>>()?;
    lease_log::write(&mut *tx, central, sent).await?;
    dates::may_sign(&mut *tx, central).await?;
    let zone = dates::zone_of(&mut *tx, site).await?;
    let mut told: BTreeMap<KioskId, Vec<Change>> = BTreeMap::new();
    for said in moves {
        dates::escalate_late(&mut *tx, central, &said.registration, said.at).await?;
        let slot = (dates::slot_number(said.slot)?, said.at);
        let token = dates::token(central, said.key, site, &zone, slot)?;
        told.entry(said.kiosk).or_default().push(Change::Moved {
            registration: said.registration.id,
            from: said.before_at,
            token: token.to_bytes().into(),
            because: said.reason.clone(),
        });
    }
    sqlx::query(
        "UPDATE task SET answer = 'redated', answered_by = 'central', answered_s = $3 \
         WHERE registration = ANY ($1) AND kind = $2 AND answer IS NULL",
    )
    .bind(&ids)
    .bind(TaskKind::DateOutside.key())
    .bind(now.as_second())
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE redate SET moved_s = $2 WHERE moved_s IS NULL AND registration = ANY ($1)")
        .bind(&ids)
        .bind(now.as_second())
        .execute(&mut *tx)
        .await?;
    for (kiosk, changes) in told {
        changes::append(&mut *tx, central, kiosk, &changes).await?;
    }
    let about: Vec<Vec<u8>> = ids.iter().map(|id| id.to_vec()).collect();
    audit::by_us_each(&mut *tx, Act::Redated, &about).await?;
    let dated: Vec<(RegistrationId, DateTime, DateTime)> =
        moves.iter().map(|said| (said.registration.id, said.at, said.before_at)).collect();
    lists::replace_all(tx, central, site, &dated, today).await
}

/// Was this hour this registration's until it was moved from it?
pub(crate) async fn was_moved_from(
    db: &mut PgConnection,
    id: RegistrationId,
    at: DateTime,
) -> Result<bool, Refusal> {
    let row = sqlx::query(
        "SELECT 1 FROM redate JOIN slot ON slot.id = redate.before \
         WHERE redate.registration = $1 AND slot.at = $2::text::timestamp AND moved_s IS NOT NULL LIMIT 1",
    )
    .bind(id.0.as_slice())
    .bind(at.to_string())
    .fetch_optional(db)
    .await?;
    Ok(row.is_some())
}

/// Was this registration's date ever moved? Then its slot may have been told.
pub(crate) async fn was_moved(db: &mut PgConnection, id: RegistrationId) -> Result<bool, Refusal> {
    let row = sqlx::query("SELECT 1 FROM redate WHERE registration = $1 AND moved_s IS NOT NULL LIMIT 1")
        .bind(id.0.as_slice())
        .fetch_optional(db)
        .await?;
    Ok(row.is_some())
}

/// The kiosk has made the paper of this slot. Where the calendar has it, nothing is left to do
/// for the desk, in a restored database too.
pub(crate) async fn taken(
    db: &mut PgConnection,
    central: &Central,
    id: RegistrationId,
    slot: SlotId,
) -> Result<(), Refusal> {
    let now = central.now().as_second();
    sqlx::query("UPDATE redate SET taken_s = $3 WHERE registration = $1 AND slot = $2 AND taken_s IS NULL")
        .bind(id.0.as_slice())
        .bind(dates::slot_key(slot)?)
        .bind(now)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "UPDATE task SET answer = 'redated', answered_by = 'central', answered_s = $3 \
         FROM slot, registration WHERE task.registration = $1 AND task.kind = $2 AND task.answer IS NULL \
         AND slot.registration = $1 AND registration.id = $1 AND NOT slot.outside \
         AND coalesce(registration.procedure = ANY (slot.procedures), true)",
    )
    .bind(id.0.as_slice())
    .bind(TaskKind::DateOutside.key())
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

impl Central {
    /// Moves what administrators have said, every second from now on. Ends with the process;
    /// several centrals take turns.
    pub fn keep_redating(&self) {
        let central = self.clone();
        tokio::spawn(async move {
            loop {
                if let Err(refusal) = central.redate_due().await {
                    // It is due again next time.
                    tracing::error!(cause = ?refusal, "dates could not be moved");
                }
                tokio::time::sleep(EVERY).await;
            }
        });
    }

    /// Moves all that is to be moved now, at every site; answers how many were looked at.
    ///
    /// # Errors
    /// The database or the lease log fails; what was moved stays moved.
    pub async fn redate_due(&self) -> Result<usize, Refusal> {
        let due = "SELECT DISTINCT site FROM redate WHERE moved_s IS NULL ORDER BY site";
        let turn = async |central: &Central, site: &SiteId| {
            let mut db = central.pool.acquire().await?;
            carry_out(&mut db, central, site).await
        };
        each_site(self, due, turn).await
    }
}
