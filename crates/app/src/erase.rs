//! What this kiosk no longer needs of people is erased: see `docs/retention.md`. Never
//! before central has it on other storage, and never while the paper may be asked for
//! again.

use crate::contract::Problem;
use crate::kiosk::{Inner, lock};
use crate::sync::DURABLE;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

/// Days a kept registration stays after its date was given, however early its appointment.
const KEPT_DAYS: i32 = 35;
/// Days a draft nobody came back for stays.
const DRAFT_DAYS: i32 = 30;
/// Registrations erased in one transaction: the counter never waits for more.
const AT_ONCE: usize = 20;

impl Inner {
    /// Erases what is due, once a day of trusted time.
    pub(crate) fn erase_due(&self) -> Result<(), Problem> {
        let today = self.today();
        if lock(&self.erased_on).replace(today) == Some(today) {
            return Ok(());
        }
        self.erase(today)
    }

    fn erase(&self, today: Date) -> Result<(), Problem> {
        let before = |days: i32| -> Result<Timestamp, Problem> {
            let day = today.saturating_sub(days.days());
            let at = day.to_zoned(self.identity.told().zone.clone()).map_err(|_| Problem::new("unknown"))?;
            Ok(at.timestamp())
        };
        let drafts = before(DRAFT_DAYS)?;
        let kept = before(KEPT_DAYS)?;
        self.vault.transact(|tx| Ok::<_, Problem>(tx.erase_drafts(drafts)?))?;
        loop {
            let erased = self.vault.transact(|tx| {
                let durable: u64 = tx.get_json(DURABLE)?.unwrap_or(0);
                let due = tx.erasable(durable, kept, today, AT_ONCE)?;
                for registration in &due {
                    tx.erase(*registration)?;
                }
                Ok::<_, Problem>(due.len())
            })?;
            if erased < AT_ONCE {
                return Ok(());
            }
        }
    }
}
