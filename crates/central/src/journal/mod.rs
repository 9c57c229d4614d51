//! Applying what kiosks have pushed: a second, repeatable step after [`crate::chain`] has
//! stored it. One record that cannot be applied is set aside and never blocks the rest.

mod note;
mod paper_work;
pub(crate) mod ranked;
mod release;
mod run;

use crate::claim::Before;
use crate::device::Device;
use crate::{
    Central, Refusal, annulment, arrivals, busy, chain, claim, correction, dates, lists, nearby, offers,
    paper, planted, redate, registered, task, transfer, words,
};
use domain::bytes::{Hash, PublicKey};
use domain::ids::KioskId;
use domain::set_aside::Reason;
use domain::task::TaskKind;
use domain::token::SignedToken;
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, PgPool, Row};
use wire::body::{AdvanceRequest, Body, Dated, KINDS, Outcome, Registered, SCHEMA};
use wire::messages::Change;

/// Records applied in one transaction: so many share one sync of the database, and what they
/// lock is held for some tens of milliseconds.
const AT_ONCE: i64 = 64;

/// Applies every held record of this kiosk in order; then what a file brought of another
/// kiosk of the site.
pub(crate) async fn apply_held(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
) -> Result<(), Refusal> {
    apply_of(db, central, device).await?;
    let site = device.site.as_str();
    let rows = sqlx::query("SELECT id, key FROM kiosk WHERE site = $1 AND delivered")
        .bind(site)
        .fetch_all(&mut *db)
        .await?;
    for row in &rows {
        let kiosk = KioskId(row.try_get(0)?);
        let key = PublicKey::from_slice(row.try_get(1)?).ok_or(Refusal::Stored("device key"))?;
        apply_of(db, central, &Device { kiosk, site: device.site.clone(), key }).await?;
        sqlx::query(
            "UPDATE kiosk SET delivered = EXISTS (SELECT 1 FROM record WHERE kiosk = $1 AND state = 'held') \
             WHERE id = $1",
        )
        .bind(kiosk.0.as_slice())
        .execute(&mut *db)
        .await?;
    }
    paper::take_up(db, central, &device.site).await?;
    redate::in_passing(db, central, &device.site).await;
    Ok(())
}

/// What a file brought of this kiosk stays held; the next exchange of its site applies it.
pub(crate) async fn leave_held(db: &mut PgConnection, kiosk: KioskId) -> Result<(), Refusal> {
    sqlx::query("UPDATE kiosk SET delivered = true WHERE id = $1")
        .bind(kiosk.0.as_slice())
        .execute(db)
        .await?;
    Ok(())
}

async fn apply_of(db: &mut PgConnection, central: &Central, device: &Device) -> Result<(), Refusal> {
    let mut at_once = AT_ONCE;
    loop {
        match apply_next(db, central, device, at_once).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // What fails would take those before it along, each time anew: alone, they stand.
            Err(_) if at_once > 1 => at_once = 1,
            Err(refusal) => return Err(refusal),
        }
    }
}

/// Applies the next held records of this kiosk in one transaction; answers how many.
async fn apply_next(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    at_once: i64,
) -> Result<usize, Refusal> {
    let mut tx = db.begin().await?;
    chain::lock(&mut tx, device.kiosk).await?;
    let rows = sqlx::query(
        "SELECT chain, seq, body, incarnation, hash, kind, schema FROM record WHERE kiosk = $1 AND state = 'held' \
         ORDER BY chain, seq LIMIT $2",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(at_once)
    .fetch_all(&mut *tx)
    .await?;
    let held = rows.iter().map(Held::read).collect::<Result<Vec<_>, _>>()?;
    let mut done = Vec::with_capacity(held.len());
    let mut left = held.as_slice();
    while !left.is_empty() {
        let (run, after) = left.split_at(run::length(device, left).clamp(1, left.len()));
        match run::apply(&mut tx, central, device, run).await? {
            Some(all) => done.extend(all),
            None => {
                for held in run {
                    done.push(apply_one(&mut tx, central, device, held).await?);
                }
            }
        }
        left = after;
    }
    if !done.is_empty() {
        note::note(&mut tx, central, device, done).await?;
    }
    tx.commit().await?;
    Ok(held.len())
}

/// Records of kinds and schemas an older version let wait, and this one knows, are held again: the
/// next exchange of their kiosk applies them.
///
/// # Errors
/// The database fails.
pub(crate) async fn take_up_waiting(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let kinds: Vec<&str> = KINDS.to_vec();
    let done = sqlx::query(
        "UPDATE record SET state = 'held' WHERE state = 'waits' AND kind = ANY ($1) AND schema <= $2",
    )
    .bind(&kinds)
    .bind(i32::from(SCHEMA))
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// A record as it waits, and where it stands.
struct Held {
    chain: i32,
    seq: i64,
    incarnation: u32,
    hash: Hash,
    /// None when its kind or schema is not known to this version, or its body is erased.
    body: Option<Body>,
    erased: bool,
}

impl Held {
    fn read(row: &PgRow) -> Result<Self, Refusal> {
        let body: &[u8] = row.try_get(2)?;
        let schema = u16::try_from(row.try_get::<i32, _>(6)?).map_err(|_| Refusal::Stored("schema"))?;
        Ok(Self {
            chain: row.try_get(0)?,
            seq: row.try_get(1)?,
            incarnation: u32::try_from(row.try_get::<i32, _>(3)?)
                .map_err(|_| Refusal::Stored("incarnation"))?,
            hash: Hash::from_slice(row.try_get(4)?).ok_or(Refusal::Stored("record hash"))?,
            body: Body::read(row.try_get(5)?, schema, body),
            erased: body.is_empty(),
        })
    }
}

/// What applying a record came to.
enum Step {
    Applied(Vec<Change>),
    SetAside(Reason),
    /// A kind this version does not know: kept for a later one.
    Waits,
}

impl Step {
    fn of(done: Result<Vec<Change>, Reason>) -> Self {
        match done {
            Ok(changes) => Self::Applied(changes),
            Err(reason) => Self::SetAside(reason),
        }
    }
}

/// A record whose step is done, to be noted with the others of its transaction.
struct Done<'a> {
    held: &'a Held,
    step: Step,
}

async fn apply_one<'a>(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    held: &'a Held,
) -> Result<Done<'a>, Refusal> {
    // A savepoint: what a set-aside record had begun to change is undone.
    let mut step = tx.begin().await?;
    let mut desk = None;
    let place = &nearby::spoken_of(&mut step, device, held.body.as_ref()).await?;
    let applied = match &held.body {
        // Sent again to a database that lost it, after its kiosk had rightly erased it.
        None if held.erased => Ok(Step::SetAside(Reason::Erased)),
        None => Ok(Step::Waits),
        Some(Body::Registration(registered)) => {
            match registration(&mut step, central, device, registered).await {
                Ok(Step::Applied(told)) => {
                    let followed = transfer::follow(&mut step, central, device, &registered.registration);
                    followed.await.map(|_| Step::Applied(told))
                }
                other => other,
            }
        }
        // The chain has it; nothing else changes.
        Some(Body::Incarnation(_)) => Ok(Step::Applied(Vec::new())),
        Some(Body::Dated(dated)) => self::dated(&mut step, central, device, dated).await,
        Some(Body::Piece(piece)) => paper_work::piece(&mut step, device, piece).await,
        Some(Body::Print(print)) => paper_work::print(&mut step, device, print).await,
        Some(Body::Release(release)) => release::apply(&mut step, device, release).await,
        Some(Body::AdvanceRequest(request)) => {
            self::advance_request(&mut step, central, place, request).await
        }
        Some(Body::Cancellation(said)) => {
            offers::cancel(&mut step, central, place, (said.registration, said.at)).await.map(Step::of)
        }
        Some(Body::Reinstatement(said)) => {
            offers::reinstate(&mut step, central, place, (said.registration, said.at)).await.map(Step::of)
        }
        Some(Body::Limit(said)) => offers::declare(&mut step, central, place, said).await.map(Step::of),
        Some(Body::Correction(said)) => {
            correction::apply(&mut step, central, place, said).await.map(|done| match done {
                Ok(()) => Step::Applied(Vec::new()),
                Err(why) => {
                    desk = Some((said, why));
                    Step::SetAside(why.reason())
                }
            })
        }
        Some(Body::Arrival(said)) => arrivals::apply(&mut step, central, device, said)
            .await
            .map(|done| Step::of(done.map(|()| Vec::new()))),
        Some(Body::AnnulmentTold(said)) => {
            annulment::told(&mut step, central, place, said).await.map(Step::of)
        }
        Some(Body::Word(noted)) => words::bring(&mut step, central, &noted.said, device.kiosk)
            .await
            .map(|done| Step::of(done.map(|()| Vec::new()))),
        Some(Body::Transfer(said)) => transfer::keep(&mut step, central, device, said).await.map(Step::of),
        Some(Body::Paper(paper)) => match paper::bring(&mut step, central, device, paper).await {
            Ok(Some(reason)) => Ok(Step::SetAside(reason)),
            Ok(None) => Ok(Step::Applied(Vec::new())),
            Err(refusal) => Err(refusal),
        },
    };
    let applied = match applied {
        Ok(Step::SetAside(_)) if planted::on("set_aside_blocks") => return Err(Refusal::Conflict),
        Err(Refusal::Conflict) if !planted::on("set_aside_blocks") => Step::SetAside(Reason::Conflict),
        Err(refusal) if refusal.is_of_the_record() => Step::SetAside(Reason::ValueRefused),
        other => other?,
    };
    match &applied {
        Step::Applied(_) => {
            note::at_once(&mut step, device, held).await?;
            step.commit().await?;
        }
        Step::SetAside(_) | Step::Waits => step.rollback().await?,
    }
    if let Some((said, why)) = desk {
        correction::tell_desk(tx, central, place, said, why).await?;
    }
    Ok(Done { held, step: applied })
}

async fn registration(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    registered: &Registered,
) -> Result<Step, Refusal> {
    let registration = &registered.registration;
    if registration.site != device.site {
        return Ok(Step::SetAside(Reason::OtherSite));
    }
    registered::remember(&mut *tx, central, device, &[registration]).await?;
    let token = match &registered.outcome {
        Outcome::Rank { held: None, .. } => None,
        Outcome::Rank { held: Some(held), .. } => Some(&held.token),
        Outcome::Online { token } | Outcome::Lease { token, .. } => Some(token),
    };
    let signed = match token.map(|token| claim::own_token(central, device, token)) {
        Some(Err(reason)) => return Ok(Step::SetAside(reason)),
        Some(Ok(signed)) => Some(signed),
        None => None,
    };
    if let Some(step) = given_up_before(&mut *tx, central, device, (registered, signed.as_ref())).await? {
        return Ok(step);
    }
    let full = busy::of(&mut *tx, device, registration).await?;
    let said = match &registered.outcome {
        Outcome::Rank { busy, .. } => *busy,
        Outcome::Online { .. } | Outcome::Lease { .. } => None,
    };
    let task = match full.or(said) {
        Some(busy) => busy::tell(&mut *tx, central, device, registration, busy).await?,
        None => None,
    };
    let given = match (&registered.outcome, signed) {
        (Outcome::Rank { .. }, held) => {
            let undated = dates::slot_of(&mut *tx, registration.id).await?.is_none();
            if let Some(task) = task.filter(|_| undated && busy::may_wait(registration)) {
                busy::wait(&mut *tx, registration, task).await?;
                registered::keep(tx, central, &[registration.id]).await?;
                return Ok(Step::Applied(Vec::new()));
            }
            let place = nearby::of_rank(&mut *tx, device, registration).await?;
            match ranked::date(&mut *tx, central, &place, registration, held).await? {
                Ok(given) => given,
                Err(reason) => return Ok(Step::SetAside(reason)),
            }
        }
        // What was printed is the date: an online date whose answer came too late goes
        // back, and the leased slot stands.
        (Outcome::Online { .. } | Outcome::Lease { .. }, Some(signed)) => {
            if let Some(reason) =
                claim::settle(&mut *tx, central, device, &signed.token, registration.id, Before::Free).await?
            {
                return Ok(Step::SetAside(reason));
            }
            dates::escalate_late(&mut *tx, central, registration, signed.token.at).await?;
            dates::in_time(&mut *tx, central, registration, (signed.token.at, dates::IN_TIME)).await?;
            None
        }
        (Outcome::Online { .. } | Outcome::Lease { .. }, None) => None,
    };
    registered::keep(tx, central, &[registration.id]).await?;
    let changed =
        |token: SignedToken| Change::Dated { registration: registration.id, token: token.to_bytes().into() };
    Ok(Step::Applied(given.map(changed).into_iter().collect()))
}

/// The person gave the place up, at another kiosk or by telephone, before the record of their paper came:
/// central knew them by their kiosk's question. What the paper names goes to whoever is next.
async fn given_up_before(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    (registered, signed): (&Registered, Option<&SignedToken>),
) -> Result<Option<Step>, Refusal> {
    let id = registered.registration.id;
    let row = sqlx::query(
        "SELECT cancelled_s, cancelled_slot FROM registration WHERE id = $1 AND cancelled_s IS NOT NULL",
    )
    .bind(id.0.as_slice())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let at = Timestamp::from_second(row.try_get(0)?).map_err(|_| Refusal::Stored("cancellation"))?;
    let freed: Option<i64> = row.try_get(1)?;
    // What a receipt holds its kiosk gives back, when it hears of it.
    let printed = signed.filter(|_| registered.outcome.token().is_some()).map(|signed| &signed.token);
    let mut told = Vec::new();
    if let Some(token) = printed
        && freed != Some(dates::slot_key(token.slot)?)
    {
        // Dated from the lease in the end: another slot than central's answer that came too late.
        let settled = claim::settle(&mut *tx, central, device, token, id, Before::Free).await?;
        if let Some(reason) = settled {
            return Ok(Some(Step::SetAside(reason)));
        }
        told = offers::end(&mut *tx, central, &token.site, (id, at), "cancelled").await?;
    }
    registered::keep(tx, central, &[id]).await?;
    Ok(Some(Step::Applied(told)))
}

/// The date a new paper carries: a ranked person's, or one in the place of a date the calendar no
/// longer has. Central gave it; one that was restored to before that learns it here.
async fn dated(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    dated: &Dated,
) -> Result<Step, Refusal> {
    let signed = match claim::own_token(central, device, &dated.token) {
        Ok(signed) => signed,
        Err(reason) => return Ok(Step::SetAside(reason)),
    };
    let known = sqlx::query("SELECT cancelled_s IS NULL FROM registration WHERE id = $1 AND kiosk = $2")
        .bind(dated.registration.0.as_slice())
        .bind(device.kiosk.0.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
    match known.map(|row| row.try_get(0)).transpose()? {
        None => return Ok(Step::SetAside(Reason::RegistrationUnknown)),
        // Made of a change that was on its way when they gave it up elsewhere: nothing follows from it.
        Some(false) if words::ended(&mut *tx, dated.registration, central.now()).await? => {
            return Ok(Step::Applied(Vec::new()));
        }
        Some(false) => return Ok(Step::SetAside(Reason::Cancelled)),
        Some(true) => {}
    }
    // Made of a change that was on its way when they were received: nothing follows from it.
    if arrivals::is_honoured(&mut *tx, dated.registration).await? {
        return Ok(Step::Applied(Vec::new()));
    }
    // Two machines of one vault, and a central restored between, may have dated one person
    // twice: both dates stand.
    let before = Before::MayBePrinted;
    let settled = claim::settle(&mut *tx, central, device, &signed.token, dated.registration, before).await?;
    if let Some(reason) = settled {
        return Ok(Step::SetAside(reason));
    }
    redate::taken(&mut *tx, central, dated.registration, signed.token.slot).await?;
    // The receipt this convocation follows is red at every door that has the list. A date moved
    // since is the one that stands.
    let held = dates::slot_of(&mut *tx, dated.registration).await?;
    let at = held.map_or(signed.token.at, |(_, at)| at);
    let today = dates::today(&mut *tx, central, &device.site).await?;
    lists::replace(tx, central, dated.registration, (Some(at), None), today).await?;
    Ok(Step::Applied(Vec::new()))
}

/// The desk has it as a task from now on. Asked again while it is open, it is the same one.
async fn advance_request(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    request: &AdvanceRequest,
) -> Result<Step, Refusal> {
    let known = sqlx::query("SELECT 1 FROM registration WHERE id = $1 AND kiosk = $2")
        .bind(request.registration.0.as_slice())
        .bind(device.kiosk.0.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
    if known.is_none() {
        return Ok(Step::SetAside(Reason::RegistrationUnknown));
    }
    let what = (TaskKind::AdvanceRequest, "");
    task::write(tx, central, &device.site, request.registration, what, request.at.as_second()).await?;
    Ok(Step::Applied(Vec::new()))
}
