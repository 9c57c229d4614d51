//! Registrations made offline come many at once, one after the other: those of a run are
//! written by the same statements, to the same end as one by one. Where a single one is not
//! plain, none of this holds, and each is applied by itself.

use super::{Done, Held, Step};
use crate::device::Device;
use crate::{Central, Refusal, busy, claim, dates, registered};
use domain::registration::Registration;
use domain::token::SignedToken;
use sqlx::{Connection, PgConnection};
use std::collections::BTreeSet;
use wire::body::{Body, Outcome, Registered};
use wire::messages::Change;

/// How many of these, from the first on, may go together: new registrations of this site,
/// dated from a lease or ranked without a day they hold.
pub(super) fn length(device: &Device, held: &[Held]) -> usize {
    let mut ids = BTreeSet::new();
    held.iter()
        .map_while(plain)
        .take_while(|told| told.registration.site == device.site && ids.insert(told.registration.id))
        .count()
}

fn plain(held: &Held) -> Option<&Registered> {
    match &held.body {
        // Whoever follows a registration of another site is looked up one by one.
        Some(Body::Registration(told)) if told.registration.moved.is_none() => match &told.outcome {
            Outcome::Lease { .. } | Outcome::Rank { held: None, .. } => Some(told),
            Outcome::Online { .. } | Outcome::Rank { held: Some(_), .. } => None,
        },
        _ => None,
    }
}

/// Applies a run; none, and nothing changed, when it has to be gone through one by one.
pub(super) async fn apply<'a>(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    run: &'a [Held],
) -> Result<Option<Vec<Done<'a>>>, Refusal> {
    // An extra slot is made for each, with a number drawn for it.
    if run.len() < 2 || central.extras_only() {
        return Ok(None);
    }
    let mut step = tx.begin().await?;
    match together(&mut step, central, device, run).await {
        Ok(Some(done)) => {
            step.commit().await?;
            Ok(Some(done))
        }
        Ok(None) | Err(Refusal::Conflict) => {
            step.rollback().await?;
            Ok(None)
        }
        Err(refusal) if refusal.is_of_the_record() => {
            step.rollback().await?;
            Ok(None)
        }
        Err(refusal) => Err(refusal),
    }
}

async fn together<'a>(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    run: &'a [Held],
) -> Result<Option<Vec<Done<'a>>>, Refusal> {
    let told: Vec<&Registered> = run.iter().filter_map(plain).collect();
    let (mut ranked, mut leased): (Vec<&Registration>, Vec<(SignedToken, &Registration)>) =
        Default::default();
    for told in &told {
        match &told.outcome {
            Outcome::Lease { token, .. } => match claim::own_token(central, device, token) {
                Ok(signed) => leased.push((signed, &told.registration)),
                Err(_) => return Ok(None),
            },
            Outcome::Rank { .. } | Outcome::Online { .. } => ranked.push(&told.registration),
        }
    }
    let all: Vec<&Registration> = told.iter().map(|told| &told.registration).collect();
    let new = registered::remember(&mut *tx, central, device, &all).await?;
    if new.len() != all.len() || busy::may_be(&mut *tx, device, &all).await? {
        return Ok(None);
    }
    if told.iter().any(|told| matches!(told.outcome, Outcome::Rank { busy: Some(_), .. }))
        || !claim::settle_lent(&mut *tx, device, &leased).await?
    {
        return Ok(None);
    }
    for (signed, registration) in &leased {
        dates::escalate_late(&mut *tx, central, registration, signed.token.at).await?;
    }
    let given = dates::give_new(&mut *tx, central, device, &ranked).await?;
    if given.len() != ranked.len() {
        return Ok(None);
    }
    registered::keep(tx, central, &all.iter().map(|one| one.id).collect::<Vec<_>>()).await?;
    let mut given = given.into_iter();
    Ok(Some(
        run.iter()
            .zip(told)
            .map(|(held, told)| {
                let changes = match told.outcome {
                    Outcome::Rank { .. } => given.next().map(|given| Change::Dated {
                        registration: told.registration.id,
                        token: given.token.to_bytes().into(),
                    }),
                    Outcome::Lease { .. } | Outcome::Online { .. } => None,
                };
                Done { held, step: Step::Applied(changes.into_iter().collect()) }
            })
            .collect(),
    ))
}
