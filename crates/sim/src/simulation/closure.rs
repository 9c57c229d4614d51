//! The site closes for some weeks in some seeds: everybody outside is given another date, seen
//! first, and again for whose date central did not know yet. The one exception to I3.

use super::ledger::Fault;
use super::{World, setup};
use central::admin::Ask;
use domain::calendar::Closure;
use jiff::ToSpan as _;
use serde_json::Value;

impl World<'_> {
    /// From tomorrow on, for so many days.
    pub(super) async fn closes(&mut self, days: usize) -> Result<(), Fault> {
        let first = self.civil_now().date().saturating_add(1.days());
        let days = i32::try_from(days).map_err(setup)?;
        let closure = Closure { first, last: first.saturating_add(days.days()) };
        let (pool, site) = (&self.ground.pool, self.site.as_str());
        let told =
            central::admin::closure(pool, site, None, closure, &self.asks(None)).await.map_err(setup)?;
        let seen = self.asks(Some(&told));
        central::admin::closure(pool, site, None, closure, &seen).await.map_err(setup)?;
        self.ledger.closed = Some(closure);
        self.tell(format!("central: the site is closed from {} to {}", closure.first, closure.last));
        self.redate().await
    }

    /// Whoever is outside is to be moved, as far as central knows of them by now.
    pub(super) async fn redate(&mut self) -> Result<(), Fault> {
        if self.ledger.closed.is_none() {
            return Ok(());
        }
        let (pool, site) = (&self.ground.pool, self.site.as_str());
        let told = match central::admin::redate(pool, site, &self.asks(None)).await {
            Ok(told) => told,
            // What left central before a restore is not known: nobody is moved.
            Err(refusal) if refusal.is_refusal() => return Ok(()),
            Err(failure) => return Err(setup(failure)),
        };
        let seen = self.asks(Some(&told));
        let done = central::admin::redate(pool, site, &seen).await.map_err(setup)?;
        let said = done.get("said").and_then(Value::as_u64).unwrap_or(0);
        self.tell(format!("central: {said} people outside are to be moved"));
        Ok(())
    }

    fn asks(&self, seen: Option<&Value>) -> Ask {
        let token = seen.and_then(|told| told.get("token")?.as_str()).map(str::to_owned);
        Ask { preview: seen.is_none(), token, now: self.time.now(), random: self.random.fill() }
    }
}
