//! Kiosks' journals: storing what is pushed, then applying it as a second, repeatable
//! step. One record that cannot be applied is set aside and never blocks the rest.

use crate::device::Device;
use crate::{Central, Refusal, changes, dates};
use domain::bytes::Hash;
use domain::ids::{LeaseId, SlotId};
use domain::registration::Registration;
use domain::token::SignedToken;
use seal::keys::{self, Context};
use sqlx::{Connection, PgConnection, Row};
use wire::body::{Body, Outcome, Piece, Print, PrintOutcome, Registered, Release};
use wire::bytes::Bytes;
use wire::messages::{Applied, Change};
use wire::record::{Head, Record};

/// Stores records that follow the head, in order. What is already held is passed over,
/// so the same push may come again. Answers the new head.
pub(crate) async fn store(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    records: &[Record],
) -> Result<Head, Refusal> {
    let mut head = changes::lock(&mut *db, device.kiosk).await?;
    for record in records {
        let header = record.header.to_bytes();
        let hash = keys::sha256(&[&header]);
        check(device, record, &header)?;
        if record.header.seq <= head.seq {
            if held_hash(&mut *db, device, record).await? == Some(hash) {
                continue;
            }
            return Err(Refusal::Fork);
        }
        if record.header.seq != head.seq + 1 {
            return Err(Refusal::NotNext);
        }
        if record.header.prev != head.hash || record.header.incarnation != head.incarnation {
            return Err(Refusal::Fork);
        }
        insert(&mut *db, central, device, record, &header, &hash).await?;
        head = Head { seq: record.header.seq, hash, ..head };
    }
    sqlx::query("UPDATE kiosk SET head_seq = $2, head_hash = $3 WHERE id = $1")
        .bind(device.kiosk.0.as_slice())
        .bind(i64::try_from(head.seq).map_err(|_| Refusal::BadRecord)?)
        .bind(head.hash.0.as_slice())
        .execute(db)
        .await?;
    Ok(head)
}

fn check(device: &Device, record: &Record, header: &[u8]) -> Result<(), Refusal> {
    if record.header.kiosk != device.kiosk {
        return Err(Refusal::OtherSite);
    }
    let whole = record.is_sound()
        && keys::sha256(&[&record.salt.0, &record.body.0]) == record.header.body_hash
        && keys::verify(&device.key, Context::Record, header, &record.signature);
    if whole { Ok(()) } else { Err(Refusal::BadRecord) }
}

async fn held_hash(db: &mut PgConnection, device: &Device, record: &Record) -> Result<Option<Hash>, Refusal> {
    let row = sqlx::query("SELECT hash FROM record WHERE kiosk = $1 AND incarnation = $2 AND seq = $3")
        .bind(device.kiosk.0.as_slice())
        .bind(i32::try_from(record.header.incarnation).map_err(|_| Refusal::BadRecord)?)
        .bind(i64::try_from(record.header.seq).map_err(|_| Refusal::BadRecord)?)
        .fetch_optional(db)
        .await?;
    row.map(|row| Hash::from_slice(row.try_get(0)?).ok_or(Refusal::Stored("record hash"))).transpose()
}

async fn insert(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    record: &Record,
    header: &[u8],
    hash: &Hash,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO record (kiosk, incarnation, seq, hash, kind, schema, header, signature, salt, body, received_s, state) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'held')",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(i32::try_from(record.header.incarnation).map_err(|_| Refusal::BadRecord)?)
    .bind(i64::try_from(record.header.seq).map_err(|_| Refusal::BadRecord)?)
    .bind(hash.0.as_slice())
    .bind(&record.header.kind)
    .bind(i32::from(record.header.schema))
    .bind(header)
    .bind(record.signature.0.as_slice())
    .bind(record.salt.0.as_slice())
    .bind(record.body.0.as_slice())
    .bind(central.now().as_second())
    .execute(db)
    .await?;
    Ok(())
}

/// Applies every held record of this kiosk, each in a transaction of its own.
pub(crate) async fn apply_held(central: &Central, device: &Device) -> Result<(), Refusal> {
    let mut db = central.pool.acquire().await?;
    loop {
        let mut tx = db.begin().await?;
        changes::lock(&mut tx, device.kiosk).await?;
        let row = sqlx::query(
            "SELECT incarnation, seq, body FROM record WHERE kiosk = $1 AND state = 'held' \
             ORDER BY incarnation, seq LIMIT 1",
        )
        .bind(device.kiosk.0.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(()) };
        let (incarnation, seq): (i32, i64) = (row.try_get(0)?, row.try_get(1)?);
        let body: &[u8] = row.try_get(2)?;
        apply_one(&mut tx, central, device, (incarnation, seq), body).await?;
        tx.commit().await?;
    }
}

/// What applying a record came to.
enum Step {
    Applied(Vec<Change>),
    SetAside(&'static str),
    /// A kind this version does not know: kept for a later one.
    Waits,
}

async fn apply_one(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    at: (i32, i64),
    body: &[u8],
) -> Result<(), Refusal> {
    // A savepoint: what a set-aside record had begun to change is undone.
    let mut step = tx.begin().await?;
    let applied = match Body::read(body) {
        None => Ok(Step::Waits),
        Some(Body::Registration(registered)) => registration(&mut step, central, device, &registered).await,
        Some(Body::Piece(piece)) => self::piece(&mut step, device, &piece).await,
        Some(Body::Print(print)) => self::print(&mut step, device, &print).await,
        Some(Body::Release(release)) => self::release(&mut step, device, &release).await,
    };
    let (state, reason, mut changes) = match applied {
        Ok(Step::Applied(changes)) => {
            step.commit().await?;
            ("applied", None, changes)
        }
        Ok(Step::Waits) => {
            step.rollback().await?;
            ("waits", None, Vec::new())
        }
        Ok(Step::SetAside(reason)) => {
            step.rollback().await?;
            ("set_aside", Some(reason), Vec::new())
        }
        Err(Refusal::Conflict) => {
            step.rollback().await?;
            ("set_aside", Some("conflict"), Vec::new())
        }
        Err(refusal) => return Err(refusal),
    };
    sqlx::query(
        "UPDATE record SET state = $4, reason = $5 WHERE kiosk = $1 AND incarnation = $2 AND seq = $3",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(at.0)
    .bind(at.1)
    .bind(state)
    .bind(reason)
    .execute(&mut *tx)
    .await?;
    let result = match (state, reason) {
        ("applied", _) => Some(Applied::Applied),
        (_, Some(reason)) => Some(Applied::SetAside { reason: reason.to_owned() }),
        _ => None,
    };
    if let Some(result) = result {
        let incarnation = u32::try_from(at.0).map_err(|_| Refusal::Stored("incarnation"))?;
        let seq = u64::try_from(at.1).map_err(|_| Refusal::Stored("seq"))?;
        changes.push(Change::Result { incarnation, seq, result });
    }
    changes::append(tx, device.kiosk, &changes).await
}

async fn registration(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    registered: &Registered,
) -> Result<Step, Refusal> {
    let registration = &registered.registration;
    if registration.site != device.site {
        return Ok(Step::SetAside("other_site"));
    }
    dates::remember(&mut *tx, central, device, registration).await?;
    let held = dates::slot_of(&mut *tx, registration.id).await?.map(|(slot, _)| slot);
    let changes = match &registered.outcome {
        Outcome::Rank { held: None, .. } => dated(
            registration,
            dates::give(&mut *tx, central, device, registration).await?.map(|given| given.token),
        ),
        Outcome::Rank { held: Some(backstop), .. } => {
            let signed = match own_token(central, device, &backstop.token) {
                Ok(signed) => signed,
                Err(reason) => return Ok(Step::SetAside(reason)),
            };
            if held != Some(signed.token.slot)
                && let Some(refused) =
                    claim(&mut *tx, device, Some(backstop.lease), signed.token.slot).await?
            {
                return Ok(refused);
            }
            let given = dates::give_before(&mut *tx, central, device, registration, &signed.token).await?;
            match given {
                // The slot held stays lent: the kiosk releases it once the new paper is out.
                Some(given) => dated(registration, Some(given.token)),
                None => {
                    if held != Some(signed.token.slot) {
                        dates::take(&mut *tx, signed.token.slot, registration.id).await?;
                    }
                    dated(registration, Some(signed))
                }
            }
        }
        Outcome::Online { token } | Outcome::Lease { token, .. } => {
            let signed = match own_token(central, device, token) {
                Ok(signed) => signed,
                Err(reason) => return Ok(Step::SetAside(reason)),
            };
            let lease = match &registered.outcome {
                Outcome::Lease { lease, .. } => Some(*lease),
                _ => None,
            };
            // What was printed is the date: an online date whose answer came too late
            // goes back, and the leased slot stands.
            if held != Some(signed.token.slot) {
                dates::free(&mut *tx, registration.id).await?;
                if let Some(refused) = claim(&mut *tx, device, lease, signed.token.slot).await? {
                    return Ok(refused);
                }
                dates::take(&mut *tx, signed.token.slot, registration.id).await?;
            }
            Vec::new()
        }
    };
    sqlx::query("UPDATE registration SET state = 'kept' WHERE id = $1")
        .bind(registration.id.0.as_slice())
        .execute(tx)
        .await?;
    Ok(Step::Applied(changes))
}

fn dated(registration: &Registration, token: Option<SignedToken>) -> Vec<Change> {
    let changed =
        |token: SignedToken| Change::Dated { registration: registration.id, token: token.to_bytes().into() };
    token.map(changed).into_iter().collect()
}

/// A token central signed for this kiosk, or the reason it is none.
fn own_token(central: &Central, device: &Device, token: &Bytes) -> Result<SignedToken, &'static str> {
    let signed = SignedToken::from_bytes(&token.0).ok_or("token_unreadable")?;
    let ours = seal::token::check(&central.keys.ring, &signed).is_ok() && signed.token.kiosk == device.key;
    ours.then_some(signed).ok_or("token_not_ours")
}

/// May this kiosk say it gave this slot, out of this lease or online? Answers the reason
/// when not.
async fn claim(
    tx: &mut PgConnection,
    device: &Device,
    named: Option<LeaseId>,
    slot: SlotId,
) -> Result<Option<Step>, Refusal> {
    let row = sqlx::query(
        "SELECT slot.registration IS NULL, slot.lease, lease.kiosk FROM slot \
         LEFT JOIN lease ON lease.id = slot.lease WHERE slot.id = $1 AND slot.site = $2 FOR UPDATE OF slot",
    )
    .bind(i64::try_from(slot.0).map_err(|_| Refusal::BadRecord)?)
    .bind(device.site.as_str())
    .fetch_optional(tx)
    .await?;
    let Some(row) = row else { return Ok(Some(Step::SetAside("slot_unknown"))) };
    let free: bool = row.try_get(0)?;
    let (lease, kiosk): (Option<&[u8]>, Option<&[u8]>) = (row.try_get(1)?, row.try_get(2)?);
    if !free {
        return Ok(Some(Step::SetAside("slot_taken")));
    }
    let ours = match named {
        Some(named) => lease == Some(named.0.as_slice()) && kiosk == Some(device.kiosk.0.as_slice()),
        // Central gave it online, then took it back; nobody else has it yet.
        None => lease.is_none(),
    };
    Ok((!ours).then_some(Step::SetAside("slot_not_in_lease")))
}

async fn piece(tx: &mut PgConnection, device: &Device, piece: &Piece) -> Result<Step, Refusal> {
    if piece.pages.len() > wire::limits::PAGES {
        return Ok(Step::SetAside("too_many_pages"));
    }
    let row = sqlx::query("SELECT site FROM registration WHERE id = $1")
        .bind(piece.registration.0.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
    match row {
        None => return Ok(Step::SetAside("registration_unknown")),
        Some(row) if row.try_get::<&str, _>(0)? != device.site.as_str() => {
            return Ok(Step::SetAside("other_site"));
        }
        Some(_) => {}
    }
    for page in &piece.pages {
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

async fn print(tx: &mut PgConnection, device: &Device, print: &Print) -> Result<Step, Refusal> {
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

async fn release(tx: &mut PgConnection, device: &Device, release: &Release) -> Result<Step, Refusal> {
    if !holds_lease(&mut *tx, device, release.lease).await? {
        return Ok(Step::SetAside("slot_not_in_lease"));
    }
    for slot in &release.slots {
        sqlx::query(
            "UPDATE slot SET lease = NULL, stratum = NULL WHERE id = $1 AND lease = $2 AND registration IS NULL",
        )
        .bind(i64::try_from(slot.0).map_err(|_| Refusal::BadRecord)?)
        .bind(release.lease.0.as_slice())
        .execute(&mut *tx)
        .await?;
    }
    Ok(Step::Applied(Vec::new()))
}

async fn holds_lease(tx: &mut PgConnection, device: &Device, lease: LeaseId) -> Result<bool, Refusal> {
    let row = sqlx::query("SELECT 1 FROM lease WHERE id = $1 AND kiosk = $2")
        .bind(lease.0.as_slice())
        .bind(device.kiosk.0.as_slice())
        .fetch_optional(tx)
        .await?;
    Ok(row.is_some())
}
