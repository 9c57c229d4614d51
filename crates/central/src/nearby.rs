//! The sites of one département. Whoever accepts any of them is received at the one with the earliest
//! date, on whose waitlist their place then stands. Only when they register and central can be asked:
//! leases and backstops are of a kiosk's own site, and a date that was given stays at its site.

use crate::dates::Given;
use crate::device::Device;
use crate::pick::Free;
use crate::{Central, Refusal, calendar, dates, extra, lists};
use domain::department::{SITES_MAX, first_site};
use domain::ids::{RegistrationId, SiteId};
use domain::registration::Registration;
use jiff::Timestamp;
use sqlx::{PgConnection, Row};
use wire::body::{
    AdvanceRequest, AnnulmentTold, Body, Cancellation, Correction, LimitDeclared, Reinstatement,
};
use wire::messages::ListKind;

/// The other sites of this one's département, in the order of their ids. Their hours are this one's
/// too: one of another time zone is none of them.
pub(crate) async fn of(db: &mut PgConnection, site: &SiteId) -> Result<Vec<SiteId>, Refusal> {
    let rows = sqlx::query(
        "SELECT other.id FROM site JOIN site AS other USING (department, zone) \
         WHERE site.id = $1 AND other.id <> $1 ORDER BY other.id LIMIT $2",
    )
    .bind(site.as_str())
    .bind(i64::try_from(SITES_MAX).unwrap_or(i64::MAX))
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))).collect()
}

/// A person's date at the site that receives them: the kiosk's own, or another of the département where
/// they accept any and it has an earlier day for them. Asked again, it is the date they have.
pub(crate) async fn give(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
) -> Result<Option<Given>, Refusal> {
    if !registration.department_wide {
        return dates::give(db, central, device, registration).await;
    }
    let there = match dates::slot_of(&mut *db, registration.id).await? {
        Some(_) => of_place(&mut *db, device, registration.id).await?,
        None => first(&mut *db, central, device, registration).await?,
    };
    let given = dates::give(&mut *db, central, &there, registration).await?;
    if given.is_some() {
        stands_at(db, registration.id, &there.site).await?;
    }
    Ok(given)
}

/// The kiosk, acting for the site with the earliest day.
async fn first(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    registration: &Registration,
) -> Result<Device, Refusal> {
    // Where what left central is not known, a date is an extra one beside those of the kiosk's site.
    if central.extras_only() {
        return Ok(device.clone());
    }
    let mut sites = of(&mut *db, &device.site).await?;
    sites.push(device.site.clone());
    // What a site keeps is counted once a day by whoever asks first, and days are made by whoever needs
    // them: in one order, two kiosks of two sites never wait for each other crosswise.
    sites.sort();
    // Of one time zone, they have one day.
    let today = dates::today(&mut *db, central, &device.site).await?;
    let window = dates::window(registration, today);
    let mut days = Vec::with_capacity(sites.len());
    for site in &sites {
        calendar::hold(&mut *db, site).await?;
        let mut free = Free::from(&mut *db, central, site, (today, window.earliest)).await?;
        days.push(free.day(&mut *db, &window).await?);
    }
    // Their own comes first where two have the same day.
    let mut all: Vec<_> = sites.iter().zip(days).collect();
    all.sort_by_key(|(site, _)| **site != device.site);
    let first = first_site(all.iter().map(|(_, day)| *day)).and_then(|n| all.get(n));
    // Where none of them serves the time limit, the one that can receive one person more the soonest.
    let found = first.and_then(|(_, day)| *day);
    let mut beside = Vec::new();
    if let Some(days) = domain::extra::days(&window, found) {
        for (site, _) in &all {
            beside.push(extra::room(&mut *db, site, &window, days).await?);
        }
    }
    let first = first_site(beside).and_then(|n| all.get(n)).or(first);
    Ok(first.map_or_else(|| device.clone(), |(site, _)| device.at(site)))
}

/// A registration's place is at the site where its date is.
pub(crate) async fn stands_at(
    db: &mut PgConnection,
    id: RegistrationId,
    site: &SiteId,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE registration SET site = $2 WHERE id = $1 AND site <> $2")
        .bind(id.0.as_slice())
        .bind(site.as_str())
        .execute(db)
        .await?;
    Ok(())
}

/// The kiosk, acting for the site whose place its record speaks of: what it says of an appointment is
/// for where that is.
pub(crate) async fn spoken_of(
    db: &mut PgConnection,
    device: &Device,
    said: Option<&Body>,
) -> Result<Device, Refusal> {
    match said {
        Some(
            Body::Cancellation(Cancellation { registration, .. })
            | Body::Reinstatement(Reinstatement { registration, .. })
            | Body::Limit(LimitDeclared { registration, .. })
            | Body::Correction(Correction { registration, .. })
            | Body::AdvanceRequest(AdvanceRequest { registration, .. })
            | Body::AnnulmentTold(AnnulmentTold { registration, .. }),
        ) => of_place(db, device, *registration).await,
        _ => Ok(device.clone()),
    }
}

/// The kiosk, acting for the site that dates a rank: its own. A date elsewhere that was asked for online and
/// came too late for the counter is nobody's; one on a paper stands.
pub(crate) async fn of_rank(
    db: &mut PgConnection,
    device: &Device,
    registration: &Registration,
) -> Result<Device, Refusal> {
    let id = registration.id;
    if !registration.department_wide {
        return Ok(device.clone());
    }
    let place = of_place(&mut *db, device, id).await?;
    if place.site == device.site || dates::is_kept(&mut *db, id).await? {
        return Ok(place);
    }
    dates::free(&mut *db, id).await?;
    stands_at(db, id, &device.site).await?;
    Ok(device.clone())
}

/// The kiosk, acting for the site a registration's place is at.
async fn of_place(db: &mut PgConnection, device: &Device, id: RegistrationId) -> Result<Device, Refusal> {
    let row = sqlx::query("SELECT site FROM registration WHERE id = $1 AND kiosk = $2")
        .bind(id.0.as_slice())
        .bind(device.kiosk.0.as_slice())
        .fetch_optional(db)
        .await?;
    match row {
        None => Ok(device.clone()),
        Some(row) => Ok(device.at(&SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))?)),
    }
}

/// Something on this list changes that kiosks of the whole département have to know: papers of one
/// site's kiosks are shown at another's doors.
pub(crate) async fn raise(
    db: &mut PgConnection,
    site: &SiteId,
    kind: ListKind,
    now: Timestamp,
) -> Result<(), Refusal> {
    let mut all = of(&mut *db, site).await?;
    all.push(site.clone());
    // In one order for all who raise them.
    all.sort();
    for site in &all {
        lists::raise(&mut *db, site, kind, now).await?;
    }
    Ok(())
}
