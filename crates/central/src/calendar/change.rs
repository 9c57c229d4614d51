//! A change of a site's calendar: what it does to the slots there are, found before it is
//! made, and written. The rule is `domain::calendar::fate`'s: a slot somebody may hold is never
//! taken away or moved.

use super::{Calendar, Slot, insert, procedures};
use crate::{Random, Refusal, changes, dates, offers, reserve, task};
use domain::calendar::{Fate, Hold, Standing, fate};
use domain::ids::{KioskId, LeaseId, SiteId, SlotId};
use domain::procedure::{Procedure, ProcedureSet};
use domain::task::TaskKind;
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
};
use seal::keys::sha256;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use wire::messages::Change;

/// Characters of a preview's token: 64 bits say that it is the same dates.
const TOKEN_CHARS: usize = 16;

/// Which slots a change may touch.
pub(crate) struct Scope {
    /// One counter's, or all.
    pub counter: Option<i64>,
    pub first: Date,
    pub last: Date,
}

/// A slot that somebody may hold and that the calendar no longer has as it was.
pub(crate) struct Affected {
    pub slot: i64,
    pub at: DateTime,
    pub holder: Holder,
    /// `closed` or `not_served`.
    pub reason: &'static str,
}

pub(crate) enum Holder {
    /// A date given, and whether out of a lease.
    Date { registration: Vec<u8>, from_lease: bool },
    /// A kiosk may have given it.
    Kiosk { kiosk: KioskId, lease: LeaseId, heard_s: Option<i64> },
    /// It left central in a history that is gone.
    Unknown,
}

/// What a change does.
pub(crate) struct Effect {
    pub affected: Vec<Affected>,
    pub appear: Vec<Slot>,
    pub vanish: Vec<i64>,
    /// Slots that stay and serve something else, or are inside the calendar again.
    serves: BTreeMap<ProcedureSet, Vec<i64>>,
    outside: Vec<i64>,
    /// Registrations whose date is one to keep: an open task to change it is settled.
    inside: Vec<Vec<u8>>,
}

/// Nobody takes a slot of this site until the transaction ends: see [`super::hold`]. Its kiosks
/// first, as whoever fills a lease has them in this order.
pub(crate) async fn lock(db: &mut PgConnection, site: &SiteId) -> Result<(), Refusal> {
    sqlx::query("SELECT 1 FROM kiosk WHERE site = $1 ORDER BY id FOR NO KEY UPDATE")
        .bind(site.as_str())
        .execute(&mut *db)
        .await?;
    sqlx::query("SELECT 1 FROM site WHERE id = $1 FOR UPDATE").bind(site.as_str()).execute(db).await?;
    Ok(())
}

/// Holds the slots of `scope` against the calendar as it is in this transaction.
pub(crate) async fn effect(db: &mut PgConnection, site: &SiteId, scope: &Scope) -> Result<Effect, Refusal> {
    let calendar = Calendar::read(&mut *db, site).await?;
    let mut effect = Effect {
        affected: Vec::new(),
        appear: Vec::new(),
        vanish: Vec::new(),
        serves: BTreeMap::new(),
        outside: Vec::new(),
        inside: Vec::new(),
    };
    for counter in calendar.counters.iter().filter(|one| scope.counter.is_none_or(|id| id == one.id)) {
        let mut there = BTreeSet::new();
        let mut now: BTreeMap<(DateTime, i32), Slot> = BTreeMap::new();
        let rows = stored(&mut *db, counter.id, scope).await?;
        let last = rows.iter().map(|row| row.at.date()).max();
        let made = scope.last.min(calendar.until.max(last.unwrap_or(calendar.until)));
        let days = scope.first.series(1.days()).take_while(|day| *day <= made);
        for slot in days.flat_map(|day| calendar.slots(counter, day)) {
            now.insert((slot.at, slot.number), slot);
        }
        for row in rows {
            let serves = match row.number {
                ..=0 => now.get(&(row.at, row.number)).map(|slot| slot.serves),
                _ => calendar.serves(counter, row.at, row.number),
            };
            there.insert((row.at, row.number));
            effect.add(row, serves);
        }
        // Days not made yet are made when somebody needs them.
        let free = now.into_values().filter(|slot| !there.contains(&(slot.at, slot.number)));
        effect.appear.extend(free.filter(|slot| slot.at.date() <= calendar.until));
    }
    effect.affected.sort_by_key(|one| (one.at, one.slot));
    Ok(effect)
}

impl Effect {
    fn add(&mut self, row: Stored, serves: Option<ProcedureSet>) {
        let Stored { id, at, standing, holder, .. } = row;
        let fate = fate(&standing, serves);
        let given = match &holder {
            Some(Holder::Date { registration, .. }) => Some(registration.clone()),
            _ => None,
        };
        match fate {
            Fate::Vanishes => self.vanish.push(id),
            Fate::Outside if !standing.outside => self.outside.push(id),
            Fate::Outside => {}
            Fate::Stays(serves) | Fate::NotServed(serves) => {
                if standing.outside || serves != standing.serves {
                    self.serves.entry(serves).or_default().push(id);
                }
                if matches!(fate, Fate::Stays(_)) {
                    self.inside.extend(given);
                }
            }
        }
        if let (true, Some(holder)) = (standing.newly(fate), holder) {
            let reason = if fate == Fate::Outside { task::CLOSED } else { task::NOT_SERVED };
            self.affected.push(Affected { slot: id, at, holder, reason });
        }
    }

    /// Stands for exactly these dates and this act: another date given meanwhile is another token.
    pub fn token(&self, act: &str) -> String {
        let mut lines = vec![act.to_owned()];
        for one in &self.affected {
            let holder = match &one.holder {
                Holder::Date { registration, .. } => hex::encode(registration),
                Holder::Kiosk { kiosk, .. } => kiosk.to_string(),
                Holder::Unknown => String::new(),
            };
            lines.push(format!("{} {} {holder}", one.slot, one.reason));
        }
        let mut token = sha256(&[b"jalon/calendar/1\n", lines.join("\n").as_bytes()]).to_string();
        token.truncate(TOKEN_CHARS);
        token
    }

    /// Writes it: free slots come and go, the new ones to whoever waits longest, what somebody may
    /// hold stays where it is and is marked, each date outside is a task, and kiosks are told what
    /// to give back. Answers how many tasks.
    pub async fn write(
        &self,
        db: &mut PgConnection,
        site: &SiteId,
        (now, today): (Timestamp, Date),
        random: &Random,
    ) -> Result<usize, Refusal> {
        let tasks = self.tell_desk(&mut *db, site, now, today).await?;
        self.tell_kiosks(&mut *db, random).await?;
        sqlx::query("DELETE FROM slot WHERE id = ANY ($1)").bind(&self.vanish).execute(&mut *db).await?;
        sqlx::query("UPDATE slot SET outside = true WHERE id = ANY ($1)")
            .bind(&self.outside)
            .execute(&mut *db)
            .await?;
        for (serves, slots) in &self.serves {
            sqlx::query("UPDATE slot SET outside = false, procedures = $2 WHERE id = ANY ($1)")
                .bind(slots)
                .bind(serves.keys())
                .execute(&mut *db)
                .await?;
        }
        sqlx::query(
            "UPDATE task SET answer = 'inside again', answered_by = 'central', answered_s = $3 \
             WHERE registration = ANY ($1) AND kind = $2 AND answer IS NULL",
        )
        .bind(&self.inside)
        .bind(TaskKind::DateOutside.key())
        .bind(now.as_second())
        .execute(&mut *db)
        .await?;
        insert(&mut *db, site, &self.appear).await?;
        reserve::forget(&mut *db, site, today).await?;
        let appear = self.appear.iter().map(|slot| dates::slot_key(slot.id));
        offers::set_apart(db, site, &appear.collect::<Result<Vec<_>, _>>()?, today).await?;
        Ok(tasks)
    }

    /// A kiosk that hears of it gives none of them any more, and gives them back by its own record.
    async fn tell_kiosks(&self, db: &mut PgConnection, random: &Random) -> Result<(), Refusal> {
        let mut told: BTreeMap<(KioskId, LeaseId), Vec<SlotId>> = BTreeMap::new();
        for one in &self.affected {
            if let Holder::Kiosk { kiosk, lease, .. } = one.holder {
                told.entry((kiosk, lease)).or_default().push(dates::slot_number(one.slot)?);
            }
        }
        for ((kiosk, lease), slots) in told {
            changes::append_drawn(&mut *db, random, kiosk, &[Change::Withdrawn { lease, slots }]).await?;
        }
        Ok(())
    }

    async fn tell_desk(
        &self,
        db: &mut PgConnection,
        site: &SiteId,
        now: Timestamp,
        today: Date,
    ) -> Result<usize, Refusal> {
        let due = task::due(&mut *db, site, TaskKind::DateOutside, today).await?;
        let (mut people, mut reasons, mut dues) = (Vec::new(), Vec::new(), Vec::new());
        for one in &self.affected {
            if let Holder::Date { registration, .. } = &one.holder {
                people.push(registration.as_slice());
                reasons.push(one.reason);
                dues.push(task::before(due, one.at, today).to_string());
            }
        }
        let written = sqlx::query(
            "INSERT INTO task (site, kind, reason, registration, made_s, due) \
             SELECT $1, $2, reason, registration, $3, due::date \
             FROM unnest($4::bytea[], $5::text[], $6::text[]) AS one (registration, reason, due) \
             ON CONFLICT DO NOTHING",
        )
        .bind(site.as_str())
        .bind(TaskKind::DateOutside.key())
        .bind(now.as_second())
        .bind(&people)
        .bind(&reasons)
        .bind(&dues)
        .execute(db)
        .await?;
        Ok(usize::try_from(written.rows_affected()).unwrap_or(usize::MAX))
    }
}

/// A slot as the database has it.
struct Stored {
    id: i64,
    at: DateTime,
    number: i32,
    standing: Standing,
    /// Who may hold it; nobody for a free one.
    holder: Option<Holder>,
}

async fn stored(db: &mut PgConnection, counter: i64, scope: &Scope) -> Result<Vec<Stored>, Refusal> {
    let rows = sqlx::query(
        "SELECT slot.id, slot.at::text, slot.extra, slot.procedures, slot.outside, \
                slot.withheld AND NOT EXISTS (SELECT 1 FROM freed_slot WHERE freed_slot.slot = slot.id), \
                slot.registration, registration.procedure, lease.kiosk, kiosk.heard_s, lease.id \
         FROM slot LEFT JOIN registration ON registration.id = slot.registration \
         LEFT JOIN lease ON lease.id = slot.lease LEFT JOIN kiosk ON kiosk.id = lease.kiosk \
         WHERE slot.counter = $1 AND slot.at >= $2::text::timestamp AND slot.at < $3::text::timestamp ORDER BY slot.id",
    )
    .bind(counter)
    .bind(scope.first.to_string())
    .bind(scope.last.saturating_add(1.days()).to_string())
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let registration: Option<Vec<u8>> = row.try_get(6)?;
            let procedure: Option<&str> = row.try_get(7)?;
            let kiosk = id(row.try_get(8)?)?.map(KioskId);
            let lease = id(row.try_get(10)?)?.map(LeaseId);
            let number: i32 = row.try_get(2)?;
            let from_lease = kiosk.is_some();
            let (hold, holder) = match (registration, kiosk.zip(lease)) {
                (Some(registration), _) => {
                    let hold = Hold::Given(procedure.and_then(Procedure::parse));
                    (hold, Some(Holder::Date { registration, from_lease }))
                }
                (None, Some((kiosk, lease))) => {
                    (Hold::Lent, Some(Holder::Kiosk { kiosk, lease, heard_s: row.try_get(9)? }))
                }
                // An extra slot was made for somebody.
                (None, None) if row.try_get(5)? || number > 0 => (Hold::Unknown, Some(Holder::Unknown)),
                (None, None) => (Hold::Nobody, None),
            };
            let standing = Standing { hold, serves: procedures(row, 3)?, outside: row.try_get(4)? };
            let at = dates::civil(row.try_get(1)?)?;
            Ok(Stored { id: row.try_get(0)?, at, number, standing, holder })
        })
        .collect()
}

fn id(bytes: Option<&[u8]>) -> Result<Option<[u8; 16]>, Refusal> {
    bytes.map(|bytes| bytes.try_into().map_err(|_| Refusal::Stored("id"))).transpose()
}
