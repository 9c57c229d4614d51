//! What central knows of the people registered: written once whoever tells it first, linked
//! with the same person's other registrations, kept once a paper names them. Gives no date.

use crate::device::Device;
use crate::{Central, Refusal, nearby, planted, task};
use domain::birth::Birth;
use domain::ids::{RegistrationId, SiteId};
use domain::registration::Registration;
use seal::keys::sha256;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use wire::messages::ListKind;

/// Writes the registrations central has not seen yet and keeps those it has; answers which
/// are new. Each id stands once among them. A different registration under an id it has is
/// a conflict.
pub(crate) async fn remember(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registrations: &[&Registration],
) -> Result<BTreeSet<RegistrationId>, Refusal> {
    let all = registrations.iter().map(|told| Told::new(central, told)).collect::<Result<Vec<_>, _>>()?;
    let inserted = sqlx::query(
        "INSERT INTO registration (id, code, site, kiosk, procedure, class, registered_s, ranked_s, tie_break, body, person, earliest, state) \
         SELECT id, code, site, $1, procedure, class, registered_s, registered_s, tie_break, body::jsonb, person, earliest::date, 'asked' \
         FROM unnest($2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], \
                     $9::text[], $10::bytea[], $11::text[]) \
              AS told (id, code, site, procedure, class, registered_s, tie_break, body, person, earliest) \
         ON CONFLICT (id) DO NOTHING RETURNING id",
    )
    .bind(device.kiosk.0.as_slice())
    .bind(column(&all, |told| told.id.0.as_slice()))
    .bind(column(&all, |told| told.code))
    .bind(column(&all, |told| told.site))
    .bind(column(&all, |told| told.procedure))
    .bind(column(&all, |told| told.class))
    .bind(column(&all, |told| told.registered_s))
    .bind(column(&all, |told| told.tie_break))
    .bind(column(&all, |told| told.body.as_str()))
    .bind(column(&all, |told| told.person.as_ref().map(<[u8; 32]>::as_slice)))
    .bind(column(&all, |told| told.earliest.as_deref()))
    .fetch_all(&mut *db)
    .await
    .map_err(|error| match &error {
        // Another registration with the same 60-bit code: the kiosk draws a new one.
        sqlx::Error::Database(cause) if cause.is_unique_violation() => Refusal::Conflict,
        _ => error.into(),
    })?;
    let new = inserted
        .iter()
        .map(|row| Ok(RegistrationId(row.try_get(0)?)))
        .collect::<Result<BTreeSet<_>, Refusal>>()?;
    for told in all.iter().filter(|told| !new.contains(&told.id)) {
        same_as_known(&mut *db, device, told).await?;
    }
    let people: Vec<_> = all
        .iter()
        .filter(|told| new.contains(&told.id))
        .filter_map(|told| Some((told.person.as_ref()?.as_slice(), told.procedure)))
        .collect();
    link_duplicates(db, central, &people).await?;
    Ok(new)
}

/// A row to be.
struct Told<'a> {
    id: RegistrationId,
    code: i64,
    site: &'a str,
    procedure: &'static str,
    class: &'static str,
    registered_s: i64,
    tie_break: i64,
    body: String,
    person: Option<[u8; 32]>,
    earliest: Option<String>,
}

/// The first day a date may lie on, as the database has it; none for one before any calendar of it.
pub(crate) fn earliest(registration: &Registration) -> Option<String> {
    Some(registration.window().earliest).filter(|day| day.year() > 0).map(|day| day.to_string())
}

impl<'a> Told<'a> {
    fn new(central: &Central, registration: &'a Registration) -> Result<Self, Refusal> {
        let place = registration.place();
        Ok(Self {
            id: registration.id,
            code: i64::try_from(registration.code.to_bits()).map_err(|_| Refusal::BadBody)?,
            site: registration.site.as_str(),
            procedure: registration.procedure.key(),
            class: if planted::on("class_dropped") { "ordinary" } else { place.class.key() },
            registered_s: if planted::on("place_by_arrival") {
                central.now().as_second()
            } else {
                place.registered_s
            },
            tie_break: if planted::on("tie_break_dropped") { 0 } else { i64::from(place.tie_break) },
            body: serde_json::to_string(registration).map_err(|_| Refusal::BadBody)?,
            person: person_key(registration),
            earliest: earliest(registration),
        })
    }
}

fn column<'a, T>(all: &'a [Told], of: impl Fn(&'a Told) -> T) -> Vec<T> {
    all.iter().map(of).collect()
}

/// What central has under this id is this very registration, from this kiosk.
async fn same_as_known(db: &mut PgConnection, device: &Device, told: &Told<'_>) -> Result<(), Refusal> {
    // With the limit and the details it came with, where others were said since.
    let row = sqlx::query(
        "SELECT kiosk, CASE WHEN limit_said_s IS NULL THEN came = $2::text::jsonb \
                ELSE came - 'limit' = $2::text::jsonb - 'limit' \
                     AND first_limit = coalesce($2::text::jsonb -> 'limit', 'null') END, rebuilt \
         FROM (SELECT *, body || coalesce(first_details, '{}') AS came FROM registration WHERE id = $1) AS known",
    )
    .bind(told.id.0.as_slice())
    .bind(&told.body)
    .fetch_one(&mut *db)
    .await?;
    let (kiosk, same, rebuilt): (&[u8], bool, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if kiosk != device.kiosk.0 || !(same || rebuilt) {
        return Err(Refusal::Conflict);
    }
    if rebuilt {
        // The kiosk lives: its own record says what the paper had no room for. A limit the paper
        // has beyond that was declared later, and its record is to come. A corrected name stays.
        sqlx::query(
            "UPDATE registration SET rebuilt = false, earliest = NULL, body = CASE WHEN later \
                    THEN jsonb_set($2::text::jsonb, '{limit}', body -> 'limit') ELSE $2::text::jsonb END \
                    || CASE WHEN first_details IS NULL THEN '{}' \
                       ELSE jsonb_build_object('applicant', body -> 'applicant', 'lang', body -> 'lang') END, \
             first_details = CASE WHEN first_details IS NOT NULL \
                    THEN jsonb_build_object('applicant', $2::text::jsonb -> 'applicant', 'lang', $2::text::jsonb -> 'lang') END, \
             limit_said_s = CASE WHEN later THEN coalesce(limit_said_s, 0) END, \
             limit_heard_s = CASE WHEN later THEN coalesce(limit_heard_s, 0) END, \
             first_limit = CASE WHEN later THEN coalesce($2::text::jsonb -> 'limit', 'null') END \
             FROM (SELECT limit_said_s IS NOT NULL OR body ? 'limit' AND NOT $2::text::jsonb ? 'limit' AS later \
                   FROM registration WHERE id = $1) AS known WHERE id = $1",
        )
        .bind(told.id.0.as_slice())
        .bind(&told.body)
        .execute(db)
        .await?;
    }
    Ok(())
}

/// *Certain* needs the same AGDREF number and name and whole birth date (I2).
fn person_key(registration: &Registration) -> Option<[u8; 32]> {
    let applicant = &registration.applicant;
    if planted::on("duplicate_missed") {
        return None;
    }
    if planted::on("duplicate_by_name") {
        return Some(sha256(&[registration.site.as_str().as_bytes(), applicant.name_folded().as_bytes()]).0);
    }
    let agdref = applicant.agdref.as_ref()?;
    let Birth::Whole { date } = applicant.birth else { return None };
    let name = applicant.name_folded();
    Some(sha256(&[agdref.as_str().as_bytes(), b"\n", name.as_bytes(), b"\n", date.to_string().as_bytes()]).0)
}

/// Links every registration of a certain duplicate, a person for one procedure, to the
/// earliest one, whatever the order in which central came to know them. All dates stand, and
/// the kiosk is told nothing: what the counter shows never depends on another file.
async fn link_duplicates(
    db: &mut PgConnection,
    central: &Central,
    people: &[(&[u8], &str)],
) -> Result<(), Refusal> {
    if people.is_empty() {
        return Ok(());
    }
    let (persons, procedures): (Vec<&[u8]>, Vec<&str>) = people.iter().copied().unzip();
    meet(&mut *db, (&persons, &procedures)).await?;
    macro_rules! link {
        ($order:literal) => {
            concat!(
                "WITH met AS (SELECT DISTINCT person, procedure \
                              FROM unnest($1::bytea[], $2::text[]) AS met (person, procedure)), \
                      same AS (SELECT id, person, procedure, \
                                      row_number() OVER (PARTITION BY person, procedure ORDER BY ", $order, ") AS place \
                               FROM registration JOIN met USING (person, procedure)), \
                      unlinked AS (DELETE FROM merge_link USING same WHERE later = same.id AND place = 1) \
                 INSERT INTO merge_link (later, earlier, made_s) \
                 SELECT other.id, first.id, $3 FROM same AS first JOIN same AS other USING (person, procedure) \
                 WHERE first.place = 1 AND other.place > 1 \
                 ON CONFLICT (later) DO UPDATE SET earlier = excluded.earlier",
            )
        };
    }
    sqlx::query(if planted::on("duplicate_linked_to_the_later") {
        link!("registered_s DESC")
    } else if planted::on("duplicate_linked_on_arrival") {
        link!("registration.ctid")
    } else {
        link!("registered_s, tie_break, id")
    })
    .bind(&persons)
    .bind(&procedures)
    .bind(central.now().as_second())
    .execute(db)
    .await?;
    Ok(())
}

/// Two that arrive at once must see each other: the second waits for the first here. In one order for
/// all, so that two who bring many never wait for each other; and before any link is touched.
async fn meet(db: &mut PgConnection, (persons, procedures): (&[&[u8]], &[&str])) -> Result<(), Refusal> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(lock) FROM \
         (SELECT DISTINCT hashtextextended(encode(person, 'hex') || procedure, 0) AS lock \
          FROM unnest($1::bytea[], $2::text[]) AS met (person, procedure) ORDER BY lock) AS locks",
    )
    .bind(persons)
    .bind(procedures)
    .execute(db)
    .await?;
    Ok(())
}

/// The registration's person is another writing of them: linked with whom that is, and no more with
/// whom it was.
pub(crate) async fn known_as(
    db: &mut PgConnection,
    central: &Central,
    registration: &Registration,
) -> Result<(), Refusal> {
    let (id, now) = (registration.id.0.as_slice(), person_key(registration));
    let row =
        sqlx::query("SELECT person FROM registration WHERE id = $1").bind(id).fetch_one(&mut *db).await?;
    let before: Option<Vec<u8>> = row.try_get(0)?;
    let now = now.as_ref().map(<[u8; 32]>::as_slice);
    if before.as_deref() == now {
        return Ok(());
    }
    let procedure = registration.procedure.key();
    let people: Vec<_> =
        [before.as_deref(), now].into_iter().flatten().map(|person| (person, procedure)).collect();
    let (persons, procedures): (Vec<&[u8]>, Vec<&str>) = people.iter().copied().unzip();
    meet(&mut *db, (&persons, &procedures)).await?;
    sqlx::query("DELETE FROM merge_link WHERE later = $1").bind(id).execute(&mut *db).await?;
    sqlx::query("UPDATE registration SET person = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .execute(&mut *db)
        .await?;
    link_duplicates(db, central, &people).await
}

/// Papers name these registrations: their dates are no longer only asked about. When their
/// kiosk is lost, its papers are good from now on wherever the list is known.
pub(crate) async fn keep(
    db: &mut PgConnection,
    central: &Central,
    ids: &[RegistrationId],
) -> Result<(), Refusal> {
    let ids: Vec<&[u8]> = ids.iter().map(|id| id.0.as_slice()).collect();
    let rows = sqlx::query(
        "UPDATE registration SET state = 'kept' FROM kiosk WHERE registration.id = ANY ($1) \
         AND kiosk.id = registration.kiosk \
         RETURNING kiosk.site, kiosk.lost_s IS NOT NULL, registration.id, class <> 'ordinary'",
    )
    .bind(&ids)
    .fetch_all(&mut *db)
    .await?;
    if rows.len() != ids.len() {
        return Err(Refusal::Stored("registration"));
    }
    let (mut lost, mut limits) = (BTreeSet::new(), BTreeMap::<SiteId, Vec<&[u8]>>::new());
    for row in &rows {
        let site = SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))?;
        if row.try_get(3)? {
            limits.entry(site.clone()).or_default().push(row.try_get(2)?);
        }
        if row.try_get(1)? {
            lost.insert(site);
        }
    }
    for (site, registrations) in &limits {
        task::check_limits(&mut *db, central, site, registrations).await?;
    }
    for site in &lost {
        nearby::raise(&mut *db, site, ListKind::Issuers, central.now()).await?;
    }
    Ok(())
}
