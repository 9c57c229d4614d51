//! What the central that runs does for every site in turn: what fails at one holds up no other.

use crate::{Central, Refusal};
use domain::ids::SiteId;
use sqlx::Row;

/// Takes turns at each site `due` names, until a turn does nothing more; answers how much was done in
/// all. The last failure is told once all had their turns; what was done stays done.
pub(crate) async fn each_site(
    central: &Central,
    due: &'static str,
    turn: impl AsyncFn(&Central, &SiteId) -> Result<usize, Refusal>,
) -> Result<usize, Refusal> {
    let rows = sqlx::query(due).fetch_all(&central.pool).await?;
    let (mut all, mut failed) = (0, None);
    for row in &rows {
        let site = SiteId::parse(row.try_get(0)?).ok_or(Refusal::Stored("site id"))?;
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
