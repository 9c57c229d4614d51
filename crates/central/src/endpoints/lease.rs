//! `POST /v1/lease`: fills the kiosk's lease to its shape. The slots arrive by pull,
//! each with a token central signed; they leave the free ones in this transaction.

use crate::device::{Device, SignedRequest};
use crate::lease_log::{self, Sent};
use crate::{Central, Refusal, chain, changes, dates, planted};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use domain::assign::LEAD_DAYS;
use domain::ids::{LeaseId, SlotId};
use domain::lease::{LeaseShape, Stratum};
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};
use sqlx::{PgConnection, Row};
use wire::messages::{Change, LeaseAnswer, LeaseRequest, LentSlot};

/// Days beyond the queue front where tail slots are taken: far enough that nobody
/// waiting today would have been given them.
const TAIL_DAYS: i32 = 14;
/// Days beyond the tail where backstops are taken: a person who holds one is practically
/// always given an earlier date.
const BACKSTOP_DAYS: i32 = 28;

pub(super) async fn fill(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<LeaseAnswer>, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let LeaseRequest { today, incarnation } = request.json()?;
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
    let lent = lend(&mut tx, &central, device, (incarnation, today)).await?;
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
            lent: Some(lease_log::Lent { lease, stratum: slot.stratum.key().to_owned(), incarnation }),
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
    (incarnation, today): (u32, Date),
) -> Result<Lent, Refusal> {
    let row = sqlx::query("SELECT lease_slots, zone FROM site WHERE id = $1")
        .bind(device.site.as_str())
        .fetch_one(&mut *tx)
        .await?;
    let (slots, zone): (i16, String) = (row.try_get(0)?, row.try_get(1)?);
    let shape = LeaseShape::of(u16::try_from(slots).unwrap_or(0));
    let unused = dates::unused_lent(&mut *tx, device.kiosk, incarnation, today).await?;
    let mut lent = Lent::default();
    let first_day = today.saturating_add(LEAD_DAYS.days());
    let mut front_end = first_day;
    for stratum in Stratum::ALL {
        let has = unused.iter().find(|(key, _)| key == stratum.key()).map_or(0, |(_, count)| *count);
        let from = match stratum {
            Stratum::Near | Stratum::Front => first_day,
            Stratum::Tail => front_end.saturating_add(TAIL_DAYS.days()),
            Stratum::Backstop => front_end.saturating_add((TAIL_DAYS + BACKSTOP_DAYS).days()),
        };
        let has = if planted::on("lease_without_bound") { 0 } else { has };
        for _ in has..i64::from(shape.wanted(stratum)) {
            let Some((slot, at)) = dates::first_free_from(&mut *tx, central, &device.site, from).await?
            else {
                break;
            };
            let lease = match lent.lease {
                Some(lease) => lease,
                None => *lent.lease.insert(open(&mut *tx, central, device, incarnation).await?),
            };
            put(&mut *tx, lease, slot, stratum).await?;
            lent.slots.push(lent_slot(central, device, &zone, slot, at, stratum)?);
            if stratum == Stratum::Front {
                front_end = front_end.max(at.date());
            }
        }
    }
    if lent.lease.is_some() {
        dates::may_sign(tx, central).await?;
    }
    Ok(lent)
}

fn lent_slot(
    central: &Central,
    device: &Device,
    zone: &str,
    slot: SlotId,
    at: DateTime,
    stratum: Stratum,
) -> Result<LentSlot, Refusal> {
    let token = dates::token(central, device.key, &device.site, zone, (slot, at))?;
    Ok(LentSlot { slot, at, stratum, token: token.to_bytes().into() })
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

async fn put(tx: &mut PgConnection, lease: LeaseId, slot: SlotId, stratum: Stratum) -> Result<(), Refusal> {
    if planted::on("lent_slot_left_free") {
        return Ok(());
    }
    sqlx::query("UPDATE slot SET lease = $2, stratum = $3 WHERE id = $1")
        .bind(i64::try_from(slot.0).map_err(|_| Refusal::Stored("slot id"))?)
        .bind(lease.0.as_slice())
        .bind(stratum.key())
        .execute(tx)
        .await?;
    Ok(())
}
