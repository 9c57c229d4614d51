//! The signed lists of a site: its configuration, the kiosks that are lost and the keys
//! that sign no more, the papers another has replaced. A version follows the clock and is
//! never used twice, so what a kiosk has seen stays true when the database is restored.

use crate::keys::CentralKeys;
use crate::{Central, Refusal, dates, nearby, sites};
use domain::applicant::Applicant;
use domain::bytes::{Mark, PublicKey};
use domain::correction::Details;
use domain::ids::{KioskId, RegistrationId, SiteId};
use domain::lists::{IssuersList, LISTED_DAYS, LostKiosk, PAPERS_MAX, PapersList, RetiredKey, Standing};
use domain::registration::Registration;
use domain::token::KeyId;
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime},
};
use seal::keys::Context;
use seal::lists::{code_mark, held_mark};
use serde::Serialize;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;
use wire::messages::{Configuration, ListKind, SignedList};

/// The versions a kiosk named; a list it does not name is not told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub configuration: Option<u64>,
    pub issuers: Option<u64>,
    pub papers: Option<u64>,
}

/// Lists newer than what is known, and whether there is more of them to ask for at once.
pub(crate) async fn newer(
    db: &mut PgConnection,
    keys: &CentralKeys,
    site: &SiteId,
    known: Known,
) -> Result<(Vec<SignedList>, bool), Refusal> {
    let rows = sqlx::query("SELECT kind, version FROM list WHERE site = $1")
        .bind(site.as_str())
        .fetch_all(&mut *db)
        .await?;
    let (mut lists, mut more) = (Vec::new(), false);
    for row in &rows {
        let version = number(row.try_get(1)?)?;
        match row.try_get(0)? {
            "configuration" if known.configuration.is_some_and(|known| known < version) => {
                lists.push(configuration(&mut *db, keys, site, version).await?);
            }
            "issuers" if known.issuers.is_some_and(|known| known < version) => {
                lists.push(issuers(&mut *db, keys, site, version).await?);
            }
            "papers" => {
                if let Some(since) = known.papers.filter(|since| *since < version) {
                    let (list, rest) = papers(&mut *db, keys, site, since).await?;
                    lists.push(list);
                    more = rest;
                }
            }
            _ => {}
        }
    }
    Ok((lists, more))
}

async fn configuration(
    db: &mut PgConnection,
    keys: &CentralKeys,
    site: &SiteId,
    version: u64,
) -> Result<SignedList, Refusal> {
    let mut nearby = Vec::new();
    for other in nearby::of(&mut *db, site).await? {
        nearby.push(sites::site(&mut *db, &other).await?);
    }
    let site = sites::site(db, site).await?;
    sign(keys, ListKind::Configuration, &Configuration { version, site, nearby })
}

async fn issuers(
    db: &mut PgConnection,
    keys: &CentralKeys,
    site: &SiteId,
    version: u64,
) -> Result<SignedList, Refusal> {
    // Papers of the other sites' kiosks are for this one too.
    let mut around = vec![site.to_string()];
    around.extend(nearby::of(&mut *db, site).await?.iter().map(SiteId::to_string));
    let rows = sqlx::query(
        "SELECT id, key, lost_s FROM kiosk WHERE site = ANY ($1) AND lost_s IS NOT NULL ORDER BY lost_s, id",
    )
    .bind(&around)
    .fetch_all(&mut *db)
    .await?;
    let mut lost = Vec::new();
    for row in &rows {
        let kiosk = KioskId(row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?);
        let key = PublicKey::from_slice(row.try_get(1)?).ok_or(Refusal::Stored("device key"))?;
        let since =
            Timestamp::from_second(row.try_get(2)?).map_err(|_| Refusal::Stored("moment of a loss"))?;
        lost.push(LostKiosk { kiosk, key, since, held: held(&mut *db, kiosk).await? });
    }
    let rows = sqlx::query("SELECT key, last_day::text FROM retired_key ORDER BY last_day, key")
        .fetch_all(db)
        .await?;
    let retired = rows
        .iter()
        .map(|row| {
            let key: &[u8] = row.try_get(0)?;
            let key = KeyId(key.try_into().map_err(|_| Refusal::Stored("key id"))?);
            let last_day: &str = row.try_get(1)?;
            Ok(RetiredKey { key, last_day: last_day.parse().map_err(|_| Refusal::Stored("date"))? })
        })
        .collect::<Result<_, Refusal>>()?;
    sign(keys, ListKind::Issuers, &IssuersList { site: Some(site.clone()), version, lost, retired })
}

/// Marks of the papers of one kiosk whose record is here, with the slot each holds now and
/// as the receipt without one it may have been.
async fn held(db: &mut PgConnection, kiosk: KioskId) -> Result<std::collections::BTreeSet<Mark>, Refusal> {
    let rows = sqlx::query(
        "SELECT registration.body::text, slot.id, (registration.first_details -> 'applicant')::text, \
         coalesce((SELECT jsonb_agg(details) FROM correction WHERE correction.registration = registration.id), '[]')::text \
         FROM registration LEFT JOIN slot ON slot.registration = registration.id \
         WHERE registration.kiosk = $1 AND registration.state = 'kept'",
    )
    .bind(kiosk.0.as_slice())
    .fetch_all(db)
    .await?;
    let mut held = std::collections::BTreeSet::new();
    for row in &rows {
        // One that cannot be read never blocks what the others are told.
        let Ok(body) = serde_json::from_str::<Registration>(row.try_get(0)?) else {
            tracing::error!(%kiosk, "a registration of a lost kiosk cannot be read");
            continue;
        };
        let slot = row.try_get::<Option<i64>, _>(1)?.map(dates::slot_number).transpose()?;
        // Papers from before a correction stay good.
        let first: Option<Applicant> =
            row.try_get::<Option<&str>, _>(2)?.and_then(|text| serde_json::from_str(text).ok());
        let since: Vec<Details> = serde_json::from_str(row.try_get(3)?).unwrap_or_default();
        let stood = [Some(Details::of(&body.applicant)), first.as_ref().map(Details::of)];
        for details in stood.into_iter().flatten().chain(since) {
            let name = details.name_as_printed();
            for slot in [None, slot] {
                held.insert(held_mark(body.id, body.code, slot, details.birth.to_parts(), &name));
            }
        }
    }
    Ok(held)
}

async fn papers(
    db: &mut PgConnection,
    keys: &CentralKeys,
    site: &SiteId,
    since: u64,
) -> Result<(SignedList, bool), Refusal> {
    let from = i64::try_from(since).unwrap_or(i64::MAX);
    let most = i64::try_from(PAPERS_MAX).unwrap_or(i64::MAX);
    let rows = sqlx::query(
        "SELECT code, replace(left(at::text, 19), ' ', 'T'), until::text, version FROM replaced_paper \
         WHERE site = $1 AND version > $2 ORDER BY version LIMIT $3",
    )
    .bind(site.as_str())
    .bind(from)
    .bind(most)
    .fetch_all(db)
    .await?;
    let mut version = since;
    let mut papers = Vec::with_capacity(rows.len());
    for row in &rows {
        version = number(row.try_get(3)?)?;
        let at: Option<&str> = row.try_get(1)?;
        let until: &str = row.try_get(2)?;
        papers.push(Standing {
            code: Mark::from_slice(row.try_get(0)?).ok_or(Refusal::Stored("code mark"))?,
            at: at.map(str::parse).transpose().map_err(|_| Refusal::Stored("slot time"))?,
            until: until.parse().map_err(|_| Refusal::Stored("date"))?,
        });
    }
    let more = papers.len() == PAPERS_MAX;
    let list = PapersList { site: site.clone(), since, version, papers };
    Ok((sign(keys, ListKind::Papers, &list)?, more))
}

/// The list of a site of which no paper was replaced yet.
pub(crate) fn no_papers(keys: &CentralKeys, site: &SiteId) -> Result<SignedList, Refusal> {
    let list = PapersList { site: site.clone(), since: 0, version: 0, papers: Vec::new() };
    sign(keys, ListKind::Papers, &list)
}

fn sign(keys: &CentralKeys, kind: ListKind, list: &impl Serialize) -> Result<SignedList, Refusal> {
    let bytes = serde_json::to_vec(list).map_err(|_| Refusal::Stored("list"))?;
    let context = match kind {
        ListKind::Configuration => Context::Configuration,
        ListKind::Issuers => Context::Issuers,
        ListKind::Papers => Context::Papers,
    };
    let signature = keys.acknowledgement.sign(context, &bytes);
    Ok(SignedList { kind, list: bytes.into(), key: hex::encode(keys.acknowledgement.key_id().0), signature })
}

/// Something on this list of a site changes: answers its new version. The row stays locked
/// until the transaction ends, so versions are seen in their order; taken last, after slots.
pub(crate) async fn raise(
    db: &mut PgConnection,
    site: &SiteId,
    kind: ListKind,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    raise_by(db, site, kind, now, 1).await
}

/// The same for so many changes at once; the last of as many versions.
async fn raise_by(
    db: &mut PgConnection,
    site: &SiteId,
    kind: ListKind,
    now: Timestamp,
    count: i64,
) -> Result<i64, sqlx::Error> {
    let kind = match kind {
        ListKind::Configuration => "configuration",
        ListKind::Issuers => "issuers",
        ListKind::Papers => "papers",
    };
    let row = sqlx::query(
        "INSERT INTO list (site, kind, version) VALUES ($1, $2, $3) ON CONFLICT (site, kind) \
         DO UPDATE SET version = greatest(list.version + $4, excluded.version) RETURNING version",
    )
    .bind(site.as_str())
    .bind(kind)
    .bind(now.as_millisecond().max(count))
    .bind(count)
    .fetch_one(db)
    .await?;
    row.try_get(0)
}

/// Earlier papers of a registration are replaced by the convocation for `at`, or, with
/// none, no paper of it is good any more. `left` is the hour on the newest of them: the list names
/// it for as long as anybody could come with it.
pub(crate) async fn replace(
    db: &mut PgConnection,
    central: &Central,
    registration: RegistrationId,
    (at, left): (Option<DateTime>, Option<DateTime>),
    today: Date,
) -> Result<(), Refusal> {
    let row = sqlx::query("SELECT site, code FROM registration WHERE id = $1")
        .bind(registration.0.as_slice())
        .fetch_one(&mut *db)
        .await?;
    let site = SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))?;
    let code = domain::code::FollowUpCode::from_random(row.try_get::<i64, _>(1)?.to_be_bytes());
    let until = listed_until([at, left], today);
    let version = raise(&mut *db, &site, ListKind::Papers, central.now()).await?;
    sqlx::query(
        "INSERT INTO replaced_paper (registration, site, code, at, until, version) \
         VALUES ($1, $2, $3, $4::text::timestamp, $5::text::date, $6) ON CONFLICT (registration) \
         DO UPDATE SET at = excluded.at, until = greatest(replaced_paper.until, excluded.until), version = excluded.version",
    )
    .bind(registration.0.as_slice())
    .bind(site.as_str())
    .bind(code_mark(code).0.as_slice())
    .bind(at.map(|at| at.to_string()))
    .bind(until.to_string())
    .bind(version)
    .execute(db)
    .await?;
    Ok(())
}

/// The same for many people of one site, each with the date that stands and the one they leave.
pub(crate) async fn replace_all(
    db: &mut PgConnection,
    central: &Central,
    site: &SiteId,
    dated: &[(RegistrationId, DateTime, DateTime)],
    today: Date,
) -> Result<(), Refusal> {
    let count = i64::try_from(dated.len()).map_err(|_| Refusal::TooLarge)?;
    if count == 0 {
        return Ok(());
    }
    let ids: Vec<&[u8]> = dated.iter().map(|(id, ..)| id.0.as_slice()).collect();
    let rows = sqlx::query("SELECT id, code FROM registration WHERE id = ANY ($1)")
        .bind(&ids)
        .fetch_all(&mut *db)
        .await?;
    let mut marks = BTreeMap::new();
    for row in &rows {
        let code = domain::code::FollowUpCode::from_random(row.try_get::<i64, _>(1)?.to_be_bytes());
        marks.insert(row.try_get::<Vec<u8>, _>(0)?, code_mark(code).0.to_vec());
    }
    let marks = ids.iter().map(|id| marks.remove(*id)).collect::<Option<Vec<_>>>();
    let marks = marks.ok_or(Refusal::Stored("registration"))?;
    let until = |at, left| listed_until([Some(at), Some(left)], today).to_string();
    let last = raise_by(&mut *db, site, ListKind::Papers, central.now(), count).await?;
    sqlx::query(
        "INSERT INTO replaced_paper (registration, site, code, at, until, version) \
         SELECT told.registration, $1, told.code, told.at::timestamp, told.until::date, $2 + told.n \
         FROM unnest($3::bytea[], $4::bytea[], $5::text[], $6::text[]) WITH ORDINALITY \
              AS told (registration, code, at, until, n) \
         ON CONFLICT (registration) \
         DO UPDATE SET at = excluded.at, until = greatest(replaced_paper.until, excluded.until), version = excluded.version",
    )
    .bind(site.as_str())
    .bind(last - count)
    .bind(&ids)
    .bind(marks)
    .bind(dated.iter().map(|(_, at, _)| at.to_string()).collect::<Vec<_>>())
    .bind(dated.iter().map(|(_, at, left)| until(*at, *left)).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// From this day on nobody can come with any of these papers, nor show one.
fn listed_until(hours: [Option<DateTime>; 2], today: Date) -> Date {
    let last = hours.into_iter().flatten().map(|at| at.date()).max();
    last.map_or(today, |last| last.max(today)).saturating_add(LISTED_DAYS.days())
}

/// Where the list names a date of this registration, it names the one that stands.
pub(crate) async fn follow(
    db: &mut PgConnection,
    central: &Central,
    registration: RegistrationId,
    at: DateTime,
) -> Result<(), Refusal> {
    let row = sqlx::query(
        "SELECT site FROM replaced_paper WHERE registration = $1 AND at IS DISTINCT FROM $2::text::timestamp",
    )
    .bind(registration.0.as_slice())
    .bind(at.to_string())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let site = SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))?;
    let today = dates::today(&mut *db, central, &site).await?;
    replace(db, central, registration, (Some(at), None), today).await
}

fn number(version: i64) -> Result<u64, Refusal> {
    u64::try_from(version).map_err(|_| Refusal::Stored("list version"))
}
