//! `POST /v1/lease`: fills the kiosk's lease to its shape. The slots arrive by pull,
//! each with a token central signed; they leave the free ones in this transaction.

use crate::calendar::{self, Calendar};
use crate::dates::Unused;
use crate::device::{Device, SignedRequest};
use crate::kiosk_seen::SEASON_DAYS;
use crate::lease_log::{self, Sent};
use crate::pick::Free;
use crate::{Central, Refusal, chain, changes, dates, kiosk_seen, planted};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use domain::assign::{FreeSlot, LEAD_DAYS, Window};
use domain::ids::LeaseId;
use domain::lease::{LeaseShape, Reach, Stratum, next_to_serve};
use domain::procedure::{Procedure, ProcedureSet};
use jiff::{ToSpan, civil::Date};
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;
use wire::messages::{Change, LeaseAnswer, LeaseRequest, LentSlot};

/// Seconds back of a kiosk's registrations that are its demand: a season.
const DEMAND_S: i64 = SEASON_DAYS as i64 * 86_400;
/// The query by which a kiosk says that it knows slots may serve some procedures only. One that
/// does not say it would give them to anybody.
const KNOWS_PROCEDURES: &str = "procedures=1";
/// The query by which a kiosk says that it gives slots back on the day told with them. Of one that
/// does not say it, every slot counts until its day.
const GIVES_BACK: &str = "back=1";

pub(super) async fn fill(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<LeaseAnswer>, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let LeaseRequest { today, incarnation } = request.json()?;
    let query = request.parts.uri.query().unwrap_or_default();
    let says = |word| query.split('&').any(|said| said == word);
    let (knows_procedures, gives_back) = (says(KNOWS_PROCEDURES), says(GIVES_BACK));
    let device = &request.device;
    let mut tx = central.pool.begin().await?;
    chain::lock(&mut tx, device.kiosk).await?;
    // Two machines write as this kiosk, or this is a disk its kiosk has left behind.
    let newest = chain::incarnation(&mut tx, device.kiosk).await?;
    let older = incarnation < newest && !planted::on("old_incarnation_lent");
    let standing = chain::standing(&mut tx, device.kiosk).await?;
    let quarantined = standing.quarantined && !planted::on("quarantine_ignored");
    if older || quarantined || standing.retired {
        return Ok(Json(LeaseAnswer { lent: 0 }));
    }
    // The later of the kiosk's day and central's own at the site.
    let ours = dates::today(&mut tx, &central, &device.site).await?;
    if today > ours.saturating_add(dates::AHEAD_DAYS.days()) {
        return Err(Refusal::ClockOff);
    }
    let today = today.max(ours);
    let asked_on = kiosk_seen::asks(&mut tx, &central, device, today).await?;
    let due = gives_back.then_some(Due { today, asked_on });
    let lent = lend(&mut tx, &central, device, (incarnation, today, ours), (knows_procedures, due)).await?;
    lease_log::write(&mut tx, &central, lent.for_the_log(device, incarnation)).await?;
    let answer = LeaseAnswer { lent: u32::try_from(lent.len()).unwrap_or(u32::MAX) };
    if let Some((lease, slots)) = lent.into_parts() {
        changes::append(&mut tx, &central, device.kiosk, &[Change::Lease { lease, incarnation, slots }])
            .await?;
    }
    tx.commit().await?;
    Ok(Json(answer))
}

/// The slots of one new lease.
#[derive(Default)]
struct Lent {
    lease: Option<LeaseId>,
    slots: Vec<LentSlot>,
}

impl Lent {
    fn len(&self) -> usize {
        self.slots.len()
    }

    fn for_the_log(&self, device: &Device, incarnation: u32) -> Vec<Sent> {
        let Some(lease) = self.lease else { return Vec::new() };
        let sent = |slot: &LentSlot| Sent {
            site: device.site.clone(),
            slot: slot.slot,
            at: slot.at,
            kiosk: device.kiosk,
            lent: Some(lease_log::Lent {
                lease,
                stratum: slot.stratum.key().to_owned(),
                incarnation,
                back: slot.back,
            }),
        };
        self.slots.iter().map(sent).collect()
    }

    fn into_parts(self) -> Option<(LeaseId, Vec<LentSlot>)> {
        self.lease.map(|lease| (lease, self.slots))
    }
}

async fn lend(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    (incarnation, today, ours): (u32, Date, Date),
    (knows_procedures, due): (bool, Option<Due>),
) -> Result<Lent, Refusal> {
    // Waits for a calendar that is being changed.
    let row = sqlx::query("SELECT lease_slots, zone FROM site WHERE id = $1 FOR KEY SHARE")
        .bind(device.site.as_str())
        .fetch_one(&mut *tx)
        .await?;
    let (fixed, zone): (Option<i16>, String) = (row.try_get(0)?, row.try_get(1)?);
    let (shape, reach) = match fixed {
        Some(slots) => (LeaseShape::of(u16::try_from(slots).unwrap_or(0)), Reach::FIXED),
        None => (LeaseShape::sized(kiosk_seen::of(&mut *tx, central, device, ours).await?), Reach::SIZED),
    };
    let unused = dates::unused_lent(&mut *tx, device.kiosk, incarnation, today).await?;
    let mut lent = Lent::default();
    let first_day = today.saturating_add(LEAD_DAYS.days());
    let (mut last_front, mut front, mut demand) = (None, None, None);
    for stratum in Stratum::ALL {
        let wanted = shape.wanted(stratum);
        let mut serve = counted(&unused, stratum, due);
        let has = i64::try_from(serve.len()).unwrap_or(i64::MAX);
        let has = if planted::on("lease_without_bound") { 0 } else { has };
        let wanted = i64::from(wanted);
        if has >= wanted {
            continue;
        }
        let asked = match &mut demand {
            Some(asked) => asked,
            None => demand.insert(Demand::read(&mut *tx, central, device, today, knows_procedures).await?),
        };
        let mut asked = asked.clone();
        let beyond = match (stratum, front) {
            (Stratum::Near | Stratum::Front, _) => first_day,
            (Stratum::Tail | Stratum::Backstop, Some(front)) => front,
            // Beyond where whoever registers now is dated, though this kiosk needs no slot there.
            (Stratum::Tail | Stratum::Backstop, None) => {
                let now = queue_front(&mut *tx, central, device, &asked, (ours, first_day), reach).await?;
                *front.insert(now.max(last_front.unwrap_or(now)))
            }
        };
        let from = reach.first_day(stratum, today, beyond);
        let mut free = Free::from(&mut *tx, central, &device.site, (ours, from)).await?;
        free.fresh_only(!reach.may_lend(stratum, Some(Stratum::Front)));
        // What is kept for near time limits is lent for them alone.
        let soon = stratum == Stratum::Near;
        let window = Window { earliest: from, soon, ..Window::new(from, None) };
        let mut found: Vec<FreeSlot> = Vec::new();
        for n in has..wanted {
            let more = usize::try_from(wanted - n).unwrap_or(1);
            let Some(slot) = asked.next(&mut *tx, &mut free, &window, more, &serve).await? else { break };
            serve.push(slot.serves);
            found.push(slot);
        }
        if stratum == Stratum::Front {
            last_front = found.iter().map(|slot| slot.at.date()).max();
            if reach == Reach::FIXED {
                front = last_front;
            }
        }
        if !found.is_empty() {
            let lease = match lent.lease {
                Some(lease) => lease,
                None => *lent.lease.insert(open(&mut *tx, central, device, incarnation).await?),
            };
            let mut slots = Vec::new();
            for slot in found {
                slots.push(lent_slot(central, device, &zone, slot, (stratum, reach, today))?);
            }
            put(&mut *tx, lease, &slots, stratum).await?;
            lent.slots.append(&mut slots);
        }
    }
    if lent.lease.is_some() {
        dates::may_sign(tx, central).await?;
    }
    Ok(lent)
}

/// Days by which a kiosk that gives slots back is known to do so.
#[derive(Clone, Copy)]
struct Due {
    today: Date,
    /// The day of its last exchange before.
    asked_on: Option<Date>,
}

impl Due {
    /// Does this slot go back in this exchange? One that was due in an earlier one and is still
    /// lent is a kiosk's that keeps it: it counts, or such a kiosk would be lent ever more.
    fn includes(self, slot: &Unused) -> bool {
        let now = |back: Date| back <= self.today && self.asked_on.is_none_or(|before| back > before);
        slot.back.is_some_and(now)
    }
}

/// What the unused slots of a stratum serve that count in a lease: those that go back in this
/// exchange are about to be free.
fn counted(unused: &[Unused], stratum: Stratum, due: Option<Due>) -> Vec<ProcedureSet> {
    let of = unused.iter().filter(|slot| slot.stratum == stratum.key());
    of.filter(|slot| !due.is_some_and(|due| due.includes(slot))).map(|slot| slot.serves).collect()
}

/// The day on which whoever registers now is dated, for the procedure of this kiosk's where that is
/// latest; the first day where it cannot be told.
async fn queue_front(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    demand: &Demand,
    (ours, first_day): (Date, Date),
    reach: Reach,
) -> Result<Date, Refusal> {
    // A central that gives extra slots only would make one to answer.
    if central.extras_only() {
        return Ok(first_day);
    }
    let mut free = Free::from(&mut *tx, central, &device.site, (ours, first_day)).await?;
    free.fresh_only(!reach.may_lend(Stratum::Front, Some(Stratum::Front)));
    let window = Window { earliest: first_day, ..Window::new(first_day, None) };
    let windows = match demand {
        Demand::Any | Demand::Everybody => vec![window],
        Demand::By(demand) => demand.iter().map(|(procedure, _)| window.for_procedure(*procedure)).collect(),
    };
    let mut front = first_day;
    for window in &windows {
        front = front.max(free.day(&mut *tx, window).await?.unwrap_or(first_day));
    }
    Ok(front)
}

fn lent_slot(
    central: &Central,
    device: &Device,
    zone: &str,
    FreeSlot { slot, at, serves, .. }: FreeSlot,
    (stratum, reach, today): (Stratum, Reach, Date),
) -> Result<LentSlot, Refusal> {
    let token = dates::token(central, device.key, &device.site, zone, (slot, at))?;
    let back = reach.back_on(stratum, at, today);
    Ok(LentSlot {
        slot,
        at,
        stratum,
        procedures: calendar::named(serves),
        back,
        token: token.to_bytes().into(),
    })
}

/// What the next slot lent to a kiosk is to serve.
#[derive(Clone)]
enum Demand {
    /// Every slot of the site serves everybody.
    Any,
    /// The kiosk would give any slot to anybody.
    Everybody,
    /// The kiosk's registrations of the last season by procedure, and one more for each the
    /// site serves: none is forgotten because it is rare.
    By(Vec<(Procedure, u32)>),
}

impl Demand {
    async fn read(
        tx: &mut PgConnection,
        central: &Central,
        device: &Device,
        today: Date,
        knows_procedures: bool,
    ) -> Result<Self, Refusal> {
        let calendar = Calendar::read(&mut *tx, &device.site).await?;
        let mut sets = calendar.counters.iter().flat_map(|counter| counter.calendar.served_from(today));
        if sets.all(|serves| serves.is_all()) {
            return Ok(Self::Any);
        }
        if !knows_procedures {
            return Ok(Self::Everybody);
        }
        let rows = sqlx::query(
            "SELECT procedure, count(*) FROM registration WHERE kiosk = $1 AND registered_s >= $2 GROUP BY procedure",
        )
        .bind(device.kiosk.0.as_slice())
        .bind(central.now().as_second().saturating_sub(DEMAND_S))
        .fetch_all(tx)
        .await?;
        let mut asked = BTreeMap::new();
        for row in &rows {
            asked.insert(row.try_get::<String, _>(0)?, row.try_get::<i64, _>(1)?);
        }
        let sets = calendar.counters.iter().flat_map(|counter| counter.calendar.served_from(today));
        let served = sets.fold(ProcedureSet::NONE, ProcedureSet::with);
        let demand = served.each().map(|procedure| {
            let asked = asked.get(procedure.key()).copied().unwrap_or(0);
            (procedure, u32::try_from(asked).unwrap_or(u32::MAX).saturating_add(1))
        });
        Ok(Self::By(demand.collect()))
    }

    /// The next slot to lend beside those that serve `lent`. A procedure that has
    /// none left is asked for no more.
    async fn next(
        &mut self,
        tx: &mut PgConnection,
        free: &mut Free<'_>,
        window: &Window,
        more: usize,
        lent: &[ProcedureSet],
    ) -> Result<Option<FreeSlot>, Refusal> {
        let demand = match self {
            Self::Any => return free.next(tx, window, more).await,
            Self::Everybody => return free.next_for_everybody(tx).await,
            Self::By(demand) => demand,
        };
        while let Some(procedure) = next_to_serve(demand, lent) {
            // One at a time: the next may be for another procedure.
            if let Some(found) = free.next(&mut *tx, &window.for_procedure(procedure), 1).await? {
                return Ok(Some(found));
            }
            demand.retain(|(other, _)| *other != procedure);
        }
        Ok(None)
    }
}

async fn open(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    incarnation: u32,
) -> Result<LeaseId, Refusal> {
    let lease = LeaseId(central.random_16());
    sqlx::query("INSERT INTO lease (id, kiosk, given_s, incarnation) VALUES ($1, $2, $3, $4)")
        .bind(lease.0.as_slice())
        .bind(device.kiosk.0.as_slice())
        .bind(central.now().as_second())
        .bind(i32::try_from(incarnation).map_err(|_| Refusal::BadBody)?)
        .execute(tx)
        .await?;
    Ok(lease)
}

async fn put(
    tx: &mut PgConnection,
    lease: LeaseId,
    slots: &[LentSlot],
    stratum: Stratum,
) -> Result<(), Refusal> {
    if planted::on("lent_slot_left_free") {
        return Ok(());
    }
    let ids = slots.iter().map(|slot| dates::slot_key(slot.slot)).collect::<Result<Vec<_>, _>>()?;
    let back: Vec<_> = slots.iter().map(|slot| slot.back.map(|day| day.to_string())).collect();
    sqlx::query(
        "UPDATE slot SET lease = $2, stratum = $3, back = lent.back::date, came_back = false \
         FROM unnest($1::bigint[], $4::text[]) AS lent (id, back) WHERE slot.id = lent.id",
    )
    .bind(&ids)
    .bind(lease.0.as_slice())
    .bind(stratum.key())
    .bind(&back)
    .execute(tx)
    .await?;
    Ok(())
}
