//! What the central that runs does for every site in turn, and there row by row: what fails at one site
//! holds up no other, and a row that cannot be read none of those behind it.

use crate::calendar::change::lock;
use crate::{Central, Refusal};
use domain::ids::SiteId;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Connection as _, PgConnection, Postgres, Row};

/// Rows carried out in one transaction: the site's people wait for it.
const AT_ONCE: i64 = 50;

/// The rows due at a site, in an order that tells every two apart. The last two places of the statement
/// are how many are asked for (`LIMIT`) and how many stay behind (`OFFSET`), bound by [`each_row`].
pub(crate) type Due = Query<'static, Postgres, PgArguments>;

/// Takes turns at each site `due` names, until a turn does nothing more; answers how much was done in
/// all. The last failure is told once all had their turns; what was done stays done.
pub(crate) async fn each_site(
    central: &Central,
    due: &'static str,
    turn: impl AsyncFn(&Central, &SiteId) -> Result<usize, Refusal>,
) -> Result<usize, Refusal> {
    let (mut all, mut failed) = (0, None);
    for site in sites(central, due).await? {
        loop {
            match turn(central, &site).await {
                Ok(0) => break,
                Ok(done) => all += done,
                Err(refusal) => {
                    failed = Some(refusal);
                    break;
                }
            }
        }
    }
    failed.map_or(Ok(all), Err)
}

/// Carries out what is due at each of these sites, each row in a savepoint of its own. `carry_out` answers
/// whether the row is due no more. One that cannot be read is logged with this sentence and stays for the
/// next time; those behind it have their turn. Answers how many were carried out; a failure is told as by
/// [`each_site`].
pub(crate) async fn each_row(
    central: &Central,
    (due_at, cannot): (&'static str, &'static str),
    due: impl Fn(&SiteId) -> Due,
    carry_out: impl AsyncFn(&mut PgConnection, &Central, &SiteId, &PgRow) -> Result<bool, Refusal>,
) -> Result<usize, Refusal> {
    let (mut all, mut failed) = (0, None);
    for site in sites(central, due_at).await? {
        // Those that stay are due as before, at the head of the order: they are passed over.
        let mut stay = 0;
        loop {
            let rows = due(&site).bind(AT_ONCE).bind(stay);
            match page(central, (&site, cannot), rows, &carry_out).await {
                Ok(Page { done: 0, stay: 0 }) => break,
                Ok(page) => {
                    all += page.done;
                    stay += page.stay;
                }
                Err(refusal) => {
                    failed = Some(refusal);
                    break;
                }
            }
        }
    }
    failed.map_or(Ok(all), Err)
}

/// What became of the rows of one transaction.
struct Page {
    done: usize,
    stay: i64,
}

async fn page(
    central: &Central,
    (site, cannot): (&SiteId, &'static str),
    rows: Due,
    carry_out: &impl AsyncFn(&mut PgConnection, &Central, &SiteId, &PgRow) -> Result<bool, Refusal>,
) -> Result<Page, Refusal> {
    let mut tx = central.pool.begin().await?;
    lock(&mut tx, site).await?;
    let mut page = Page { done: 0, stay: 0 };
    for row in &rows.fetch_all(&mut *tx).await? {
        let mut step = tx.begin().await?;
        match carry_out(&mut step, central, site, row).await {
            Ok(true) => {
                step.commit().await?;
                page.done += 1;
            }
            Ok(false) => {
                step.commit().await?;
                page.stay += 1;
            }
            Err(Refusal::Stored(what)) => {
                tracing::error!(what, site = site.as_str(), "{cannot}");
                step.rollback().await?;
                page.stay += 1;
            }
            Err(refusal) => return Err(refusal),
        }
    }
    tx.commit().await?;
    Ok(page)
}

async fn sites(central: &Central, due: &'static str) -> Result<Vec<SiteId>, Refusal> {
    let rows = sqlx::query(due).fetch_all(&central.pool).await?;
    rows.iter().map(|row| SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))).collect()
}
