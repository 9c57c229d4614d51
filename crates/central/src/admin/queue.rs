//! A site's queue, published: the live places of one procedure in rank order, as marks. What
//! anybody can hold a paper against; nobody is found in it without one.

use super::{AdminRefusal, known_site, refused, write_new};
use crate::keys::CentralKeys;
use crate::{audit, dates};
use domain::audit::Act;
use domain::code::FollowUpCode;
use domain::place::{Class, PlaceKey, RULE_VERSION};
use domain::procedure::Procedure;
use domain::queue::{PLACES_MAX, QueueHead};
use jiff::Timestamp;
use seal::queue::{place_mark, publish, root};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use std::path::Path;

/// Writes the queue of a site for one procedure to `out`, as JSON: every registration whose
/// appointment is still to come, or that has none.
///
/// # Errors
/// The site or procedure is unknown, or the file cannot be written.
pub async fn queue(
    pool: &PgPool,
    keys: &CentralKeys,
    (site, procedure): (&str, &str),
    out: &Path,
    now: Timestamp,
) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let procedure = Procedure::parse(procedure)
        .ok_or_else(|| refused(format!("{procedure} is no procedure; correct --procedure")))?;
    let mut db = pool.acquire().await?;
    let today = dates::day(&mut db, &site, now).await?;
    let rows = sqlx::query(
        "SELECT registration.code, class, ranked_s, tie_break FROM registration \
         LEFT JOIN slot ON slot.registration = registration.id \
         WHERE registration.site = $1 AND procedure = $2 AND cancelled_s IS NULL AND (slot.at IS NULL OR slot.at >= $3::text::timestamp) \
         LIMIT $4",
    )
    .bind(site.as_str())
    .bind(procedure.key())
    .bind(today.to_string())
    .bind(i64::try_from(PLACES_MAX).unwrap_or(i64::MAX) + 1)
    .fetch_all(&mut *db)
    .await?;
    if rows.len() > PLACES_MAX {
        return Err(refused(format!("the queue has more than {PLACES_MAX} places; none is published")));
    }
    let mut places = Vec::with_capacity(rows.len());
    for row in &rows {
        let code: i64 = row.try_get(0)?;
        let code = u64::try_from(code).ok().map(|bits| FollowUpCode::from_random(bits.to_be_bytes()));
        let tie_break: i64 = row.try_get(3)?;
        let tie_break = u32::try_from(tie_break).ok().map(|tie_break| format!("{tie_break:08X}"));
        let place =
            tie_break.and_then(|text| PlaceKey::printed(row.try_get(1).ok()?, row.try_get(2).ok()?, &text));
        places.push(place.zip(code).ok_or_else(|| refused("a stored place cannot be read"))?);
    }
    places.sort_unstable_by_key(|(place, code)| (*place, code.to_bits()));
    let limited = places.iter().filter(|(place, _)| place.class == Class::WithTimeLimit).count();
    let marks: Vec<_> = places.iter().map(|(place, code)| place_mark(*code, place)).collect();
    let head = QueueHead {
        rule: RULE_VERSION.to_owned(),
        site: site.clone(),
        procedure: procedure.key().to_owned(),
        made_at: Timestamp::from_second(now.as_second()).unwrap_or(now),
        with_time_limit: limited as u64,
        ordinary: (marks.len() - limited) as u64,
        root: root(&marks),
    };
    let extract = publish(&keys.acknowledgement, &head, marks);
    let text = extract.and_then(|extract| serde_json::to_vec(&extract).ok());
    let text = text.ok_or_else(|| refused("the queue cannot be written as JSON"))?;
    // Before it leaves.
    audit::by_us(&mut db, Act::QueueRead, Some(&site), rows.len()).await?;
    write_new(out, &text)?;
    Ok(json!({ "site": site, "procedure": head.procedure, "rule": head.rule, "made_at": head.made_at,
               "with_time_limit": head.with_time_limit, "ordinary": head.ordinary, "root": head.root,
               "file": out.display().to_string() }))
}
