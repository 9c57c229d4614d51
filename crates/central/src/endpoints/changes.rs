//! `GET /v1/changes`: what is new for this kiosk since what its query names, and what is held of
//! the chain on which its newest record stands. A list it does not name is not told.

use crate::device::SignedRequest;
use crate::lists::{self, Known};
use crate::{Central, Refusal, audit, chain, changes, journal, sites, store, transfer};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use changes::{Cursor, Pulled};
use domain::audit::Act;
use domain::bytes::{Hash, Signature};
use wire::messages::{Change, ChangesAnswer, Told};

pub(super) async fn pull(
    State(central): State<Central>,
    request: Request<Body>,
) -> Result<Json<ChangesAnswer>, Refusal> {
    let request = SignedRequest::check(&central, request).await?;
    let Asked { cursor, roster: known, head, lists: listed, ring, checkpoint, cosigned } =
        asked(request.parts.uri.query().unwrap_or_default()).ok_or(Refusal::BadBody)?;
    let mut db = central.pool.acquire().await?;
    journal::apply_held(&mut db, &central, &request.device).await?;
    transfer::tell(&mut db, &central, &request.device).await?;
    let epoch = store::epoch(&mut db).await?;
    let named = head;
    let head = chain::head(&mut db, request.device.kiosk, named.as_ref()).await?;
    if named.is_none() || head.is_some() {
        // Not before it has sent again what this database forgot.
        chain::heard(&mut db, &central, request.device.kiosk).await?;
    }
    let durable = match &head {
        Some(head) => chain::durable(&mut db, request.device.kiosk, head).await?,
        None => None,
    };
    let standing = chain::standing(&mut db, request.device.kiosk).await?;
    let Pulled { changes, cursor, more } = changes::after(&mut db, &request.device, cursor).await?;
    let site = &request.device.site;
    let roster = match sites::roster_version(&mut db, site).await? > known {
        true => Some(sites::roster(&mut db, &central.keys, site).await?),
        false => None,
    };
    let told = |change: &&Change| {
        matches!(
            change,
            Change::Dated { .. }
                | Change::Answered { .. }
                | Change::Moved { .. }
                | Change::Offered { .. }
                | Change::Transfer { .. }
        )
    };
    let told = changes.iter().filter(told).count();
    if told > 0 {
        let kiosk = request.device.kiosk;
        audit::by_kiosk(&mut db, kiosk, Act::ChangesRead, Some(&kiosk), told).await?;
    }
    if let (Some(head), Some(signature)) = (&checkpoint, &cosigned) {
        audit::cosigned(&mut db, &request.device, head, signature).await?;
    }
    let checkpoint = match checkpoint {
        Some(known) => audit::newest(&mut db).await?.filter(|newest| newest.checkpoint.head != known),
        None => None,
    };
    let (lists, more_listed) = lists::newer(&mut db, &central.keys, site, listed).await?;
    let ring = match ring.is_some_and(|known| known < central.keys.ring.len()) {
        true => Some(serde_json::to_value(&central.keys.ring).map_err(|_| Refusal::Stored("key ring"))?),
        false => None,
    };
    Ok(Json(ChangesAnswer {
        received: head.map(|head| changes::acknowledge(&central, &epoch, request.device.kiosk, head)),
        durable: durable.map(|head| changes::durable(&central, &epoch, request.device.kiosk, head)),
        epoch,
        cursor: cursor.n,
        mark: cursor.mark,
        more: more || more_listed,
        changes: changes.into_iter().map(Told::Known).collect(),
        roster,
        lists,
        ring,
        checkpoint,
        retired: standing.retired,
        quarantined: standing.quarantined,
        now: central.now(),
    }))
}

/// What the query names; what it does not counts from the beginning.
#[derive(Default)]
struct Asked {
    cursor: Cursor,
    roster: u64,
    head: Option<Hash>,
    lists: Known,
    /// How many certificates its key ring has.
    ring: Option<usize>,
    /// The head of the checkpoint it was shown last, and its signature over it.
    checkpoint: Option<Hash>,
    cosigned: Option<Signature>,
}

/// `name=value` pairs. A name this version does not know is passed over: a newer kiosk may
/// ask for more than an older central has.
fn asked(query: &str) -> Option<Asked> {
    let mut asked = Asked::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=')? {
            ("cursor", value) => asked.cursor.n = value.parse().ok()?,
            ("mark", value) => asked.cursor.mark = value.to_owned(),
            ("roster", value) => asked.roster = value.parse().ok()?,
            ("head", value) => asked.head = Some(Hash::from_hex(value)?),
            ("configuration", value) => asked.lists.configuration = Some(value.parse().ok()?),
            ("issuers", value) => asked.lists.issuers = Some(value.parse().ok()?),
            ("papers", value) => asked.lists.papers = Some(value.parse().ok()?),
            ("checkpoint", value) => asked.checkpoint = Some(Hash::from_hex(value)?),
            ("cosigned", value) => asked.cosigned = Some(Signature::from_hex(value)?),
            ("ring", value) => asked.ring = Some(value.parse().ok()?),
            _ => {}
        }
    }
    Some(asked)
}
