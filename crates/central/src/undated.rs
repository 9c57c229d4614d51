//! People who were told that no date exists: when their site has room again, a counter more, a
//! closure taken back, each is given a date, time limits first, in rank order. Moves nobody who
//! has one.

use crate::calendar::change::lock;
use crate::device::Device;
use crate::{Central, Refusal, changes, dates, missed, nearby, offers, reserve, task};
use domain::bytes::PublicKey;
use domain::ids::{KioskId, RegistrationId, SiteId};
use domain::registration::Registration;
use domain::task::TaskKind;
use jiff::civil::{Date, DateTime};
use sqlx::{Connection as _, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often a central that runs looks.
const EVERY: Duration = Duration::from_secs(60);
/// People dated in one transaction: the site's others wait for it.
const AT_ONCE: i64 = 50;

/// For whom the site has no date, to be passed over from then on.
#[derive(Default)]
struct NoneFor {
    /// Everybody who comes for one of these.
    procedures: BTreeSet<&'static str>,
    /// These alone: their renewal is not filed before a day on which the site receives nobody, and
    /// others who come for the same may have a date.
    people: BTreeSet<RegistrationId>,
    /// The earliest such day, by procedure: from then on the site receives nobody for it.
    from: BTreeMap<&'static str, Date>,
}

impl NoneFor {
    fn add(&mut self, registration: &Registration, absent: bool) {
        if absent {
            // Others may have a date on the days left out for the time it takes to tell them.
            self.people.insert(registration.id);
        } else if let Some(opens) = registration.waits_for() {
            self.people.insert(registration.id);
            let from = self.from.entry(registration.procedure.key()).or_insert(opens);
            *from = opens.min(*from);
        } else {
            self.procedures.insert(registration.procedure.key());
        }
    }

    /// Is it known already that there is none for this one?
    fn holds(&self, registration: &Registration) -> bool {
        let key = registration.procedure.key();
        let beyond = |opens: Date| self.from.get(key).is_some_and(|from| *from <= opens);
        self.procedures.contains(key) || registration.waits_for().is_some_and(beyond)
    }

    fn count(&self) -> usize {
        self.procedures.len() + self.people.len()
    }
}

/// Dates the next of a site's people without a date; answers how many, and how many were looked at.
async fn turn(central: &Central, site: &SiteId, none_for: &mut NoneFor) -> Result<(usize, usize), Refusal> {
    let mut tx = central.pool.begin().await?;
    lock(&mut tx, site).await?;
    let rows = sqlx::query(
        "SELECT registration.body::text, kiosk.id, kiosk.key FROM escalation \
         JOIN registration ON registration.id = escalation.registration \
         JOIN kiosk ON kiosk.id = registration.kiosk \
         LEFT JOIN slot ON slot.registration = registration.id \
         WHERE escalation.site = $1 AND escalation.reason = 'no_capacity' AND registration.state = 'kept' \
         AND registration.cancelled_s IS NULL AND slot.id IS NULL AND NOT (registration.procedure = ANY ($3)) \
         AND NOT (registration.id = ANY ($4)) \
         ORDER BY class = 'ordinary', ranked_s, tie_break, registration.id LIMIT $2",
    )
    .bind(site.as_str())
    .bind(AT_ONCE)
    .bind(none_for.procedures.iter().copied().collect::<Vec<_>>())
    .bind(none_for.people.iter().map(|id| id.0.as_slice()).collect::<Vec<_>>())
    .fetch_all(&mut *tx)
    .await?;
    if rows.is_empty() {
        return Ok((0, 0));
    }
    if !central.extras_only() {
        let today = dates::today(&mut tx, central, site).await?;
        // Counted here, a count is kept though nobody can be dated.
        reserve::of(&mut tx, central, site, today).await?;
        offers::at_hand(&mut tx, site, today).await?;
    }
    let mut dated = 0;
    for row in &rows {
        // One that cannot be read never holds up the others.
        let Ok(registration) = serde_json::from_str::<Registration>(row.try_get(0)?) else {
            tracing::error!("a registration without a date cannot be read");
            continue;
        };
        let kiosk = KioskId(row.try_get::<&[u8], _>(1)?.try_into().map_err(|_| Refusal::Stored("kiosk id"))?);
        let key = PublicKey::from_slice(row.try_get(2)?).ok_or(Refusal::Stored("device key"))?;
        let device = Device { kiosk, site: site.clone(), key };
        if none_for.holds(&registration) {
            none_for.add(&registration, false);
            continue;
        }
        let missed = missed::before(&mut tx, registration.id).await?;
        match date(&mut tx, central, &device, (&registration, missed)).await? {
            true => dated += 1,
            false => none_for.add(&registration, missed.is_some()),
        }
    }
    offers::kept_apart(&mut tx, site).await?;
    tx.commit().await?;
    Ok((dated, rows.len()))
}

/// Gives one person a date, and tells their kiosk; in time to tell who missed one. False when the site
/// has none for them.
async fn date(
    tx: &mut PgConnection,
    central: &Central,
    device: &Device,
    (registration, missed): (&Registration, Option<DateTime>),
) -> Result<bool, Refusal> {
    let mut step = tx.begin().await?;
    // Who has no date any more is dated where they registered.
    nearby::stands_at(&mut step, registration.id, &device.site).await?;
    let given = match missed {
        Some(held) => dates::give_another(&mut step, central, device, (&registration.alone(), held)).await?,
        None => dates::give_new(&mut step, central, device, &[registration]).await?.pop(),
    };
    let Some(given) = given else {
        step.rollback().await?;
        return Ok(false);
    };
    task::settle(&mut step, central, registration.id, (TaskKind::Escalation, "no_capacity"), "dated").await?;
    let told = missed::dated(&mut step, central, device, registration.id, &given.token).await?;
    changes::append(&mut step, central, device.kiosk, &[told]).await?;
    step.commit().await?;
    Ok(true)
}

impl Central {
    /// Dates who can be dated, every minute from now on. Ends with the process; several centrals
    /// take turns.
    pub fn keep_dating(&self) {
        let central = self.clone();
        tokio::spawn(async move {
            loop {
                if let Err(refusal) = central.date_undated().await {
                    // They are due again next time.
                    tracing::error!(cause = ?refusal, "people without a date could not be dated");
                }
                if let Err(refusal) = central.date_waiting().await {
                    tracing::error!(cause = ?refusal, "people who waited for the desk could not be dated");
                }
                if let Err(refusal) = central.carry_out_arrivals().await {
                    tracing::error!(cause = ?refusal, "arrivals agents told of could not be carried out");
                }
                if let Err(refusal) = central.date_missed().await {
                    tracing::error!(cause = ?refusal, "people who did not come could not be dated");
                }
                if let Err(refusal) = central.carry_out_annulments().await {
                    tracing::error!(cause = ?refusal, "annulments that were decided could not be carried out");
                }
                if let Err(refusal) = central.carry_out_cancellations().await {
                    tracing::error!(cause = ?refusal, "cancellations that were asked for could not be carried out");
                }
                if let Err(refusal) = central.carry_out_words().await {
                    tracing::error!(cause = ?refusal, "what people said at other kiosks could not be carried out");
                }
                tokio::time::sleep(EVERY).await;
            }
        });
    }

    /// Dates everybody without a date whose site has one now; answers how many.
    ///
    /// # Errors
    /// The database or the lease log fails; who was dated stays dated.
    pub async fn date_undated(&self) -> Result<usize, Refusal> {
        let rows = sqlx::query(
            "SELECT DISTINCT escalation.site FROM escalation \
             JOIN registration ON registration.id = escalation.registration \
             LEFT JOIN slot ON slot.registration = registration.id \
             WHERE reason = 'no_capacity' AND slot.id IS NULL AND state = 'kept' AND cancelled_s IS NULL \
             ORDER BY escalation.site",
        )
        .fetch_all(&self.pool)
        .await?;
        let (mut all, mut failed) = (0, None);
        for row in &rows {
            let site = SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))?;
            let mut none_for = NoneFor::default();
            loop {
                let before = none_for.count();
                match turn(self, &site, &mut none_for).await {
                    Ok((dated, looked_at)) => {
                        all += dated;
                        // Nobody left, or nobody who could be dated.
                        if looked_at == 0 || dated == 0 && none_for.count() == before {
                            break;
                        }
                    }
                    // The other sites are not held up.
                    Err(refusal) => {
                        failed = Some(refusal);
                        break;
                    }
                }
            }
        }
        failed.map_or(Ok(all), Err)
    }
}
