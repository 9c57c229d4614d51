//! A slot beside those of the others of a visit. Where it lies, `domain::party` says; one slot alone
//! is locked, so that a family that is being dated holds no day from others.

use super::{Free, free, free_slot, keys, of_day};
use crate::Refusal;
use crate::calendar::{self, Wanted};
use crate::dates::slot_key;
use domain::assign::{FreeSlot, Pick, Window};
use domain::party::{self, Party};
use domain::procedure::Procedure;
use jiff::ToSpan as _;
use jiff::civil::Date;
use sqlx::PgConnection;

/// Slots of a day looked at: more than the largest site has free on one.
const OF_DAY: i64 = 1_000;

impl Free<'_> {
    /// The slot a member of a party gets with the others; none where they are dated as if alone.
    pub async fn beside(
        &mut self,
        db: &mut PgConnection,
        window: &Window,
        party: &Party,
    ) -> Result<Option<FreeSlot>, Refusal> {
        if self.central.extras_only() {
            return Ok(None);
        }
        loop {
            let Some(alone) = self.pick(&mut *db, window).await? else { return Ok(None) };
            let Some(last) = party::last_day(window, alone.day) else { return Ok(None) };
            self.count_to(&mut *db, window, last).await?;
            let all = self.buckets.as_ref().map(|buckets| buckets.all.as_slice()).unwrap_or_default();
            let Some(pick) = party::day(all, window, &self.reserve, (party, alone.day)) else {
                return Ok(None);
            };
            let of_day = self.unlocked(&mut *db, &pick, window).await?;
            let Some(slot) = party::beside(&of_day, party) else {
                self.none_left(&pick);
                continue;
            };
            let locked = self.lock_one(&mut *db, &slot).await?;
            // Not there for us either where another transaction is taking it.
            self.take(&slot);
            if locked {
                return Ok(Some(slot));
            }
        }
    }

    /// Counts, and makes, days until this one is among them.
    async fn count_to(&mut self, db: &mut PgConnection, window: &Window, last: Date) -> Result<(), Refusal> {
        while let Some(buckets) = &self.buckets {
            if buckets.all.last().is_some_and(|bucket| bucket.day > last) {
                break;
            }
            let counted = buckets.counted;
            if !buckets.whole {
                self.buckets = Some(self.count(&mut *db, counted.saturating_mul(4)).await?);
            } else if calendar::extend(&mut *db, self.site, Wanted::of(window.procedure)).await? {
                self.buckets = Some(self.count(&mut *db, counted).await?);
            } else {
                break;
            }
        }
        Ok(())
    }

    async fn unlocked(
        &self,
        db: &mut PgConnection,
        pick: &Pick,
        window: &Window,
    ) -> Result<Vec<FreeSlot>, Refusal> {
        let (for_everybody, named) = self.stored_sets(pick);
        let rows = sqlx::query(of_day!(""))
            .bind(self.site.as_str())
            .bind(pick.day.to_string())
            .bind(self.fresh)
            .bind(pick.day.saturating_add(1.days()).to_string())
            .bind(keys(&self.taken)?)
            .bind(for_everybody)
            .bind(named)
            .bind(window.procedure.map(Procedure::key))
            .bind(OF_DAY)
            .fetch_all(db)
            .await?;
        rows.iter().map(free_slot).collect()
    }

    /// Locks a slot that is still free.
    async fn lock_one(&self, db: &mut PgConnection, slot: &FreeSlot) -> Result<bool, Refusal> {
        let row = sqlx::query(free!("SELECT 1", "AND id = $4 FOR UPDATE SKIP LOCKED"))
            .bind(self.site.as_str())
            .bind(slot.at.to_string())
            .bind(self.fresh)
            .bind(slot_key(slot.slot)?)
            .fetch_optional(db)
            .await?;
        Ok(row.is_some())
    }
}
