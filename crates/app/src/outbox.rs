//! What this kiosk has written and where it stands with central, item by item.

use crate::contract::{OutboxItem, OutboxState, OutboxView, Problem};
use crate::kiosk::{Kiosk, lock};
use vault::EntryState;

/// Lines the outbox shows.
const LINES: u32 = 200;

impl Kiosk {
    /// # Errors
    /// Nobody has unlocked, or the vault fails.
    pub async fn outbox(&self) -> Result<OutboxView, Problem> {
        self.off(|inner| {
            inner.session()?;
            let state = lock(&inner.sync).clone();
            inner.vault.read(|tx| {
                let mut items = Vec::new();
                for entry in tx.outbox(LINES)? {
                    let code = match entry.registration {
                        Some(id) => tx.paper(id)?.map(|paper| paper.registered.registration.code.to_string()),
                        None => None,
                    };
                    items.push(OutboxItem {
                        id: entry.seq.to_string(),
                        kind: entry.kind,
                        code,
                        at: inner.civil(entry.at).strftime("%Y-%m-%dT%H:%M").to_string(),
                        state: match entry.state {
                            EntryState::Waiting => OutboxState::Waiting,
                            EntryState::Held => OutboxState::Held,
                            EntryState::Applied => OutboxState::Applied,
                            EntryState::SetAside => OutboxState::SetAside,
                        },
                        tries: if entry.state == EntryState::Waiting { state.failures } else { 0 },
                        problem: entry.reason.as_deref().map(set_aside),
                    });
                }
                Ok(OutboxView { connection: state.connection, items, problem: state.problem.clone() })
            })
        })
        .await
    }

    /// Exchanges with central now, and answers how it went.
    ///
    /// # Errors
    /// Nobody has unlocked, or the vault fails.
    pub async fn sync_now(&self) -> Result<OutboxView, Problem> {
        self.inner.session()?;
        let _ = self.exchange().await;
        self.outbox().await
    }
}

/// Reasons with a sentence of their own: `error-set-aside-<reason>`.
const REASONS: [&str; 23] = [
    "other_site",
    "conflict",
    "token_unreadable",
    "token_not_ours",
    "slot_unknown",
    "slot_taken",
    "slot_not_in_lease",
    "too_many_pages",
    "registration_unknown",
    "paper_unreadable",
    "paper_not_ours",
    "kiosk_unknown",
    "erased",
    "too_late",
    "limit_refused",
    "correction_refused",
    "cancelled",
    "honoured",
    "annulled",
    "annulment_unknown",
    "transferred",
    "follows_none",
    "value_refused",
];

/// Why central set a record aside; a reason of a later central is named as it is.
fn set_aside(reason: &str) -> Problem {
    if REASONS.contains(&reason) {
        Problem::new(&format!("set_aside_{reason}"))
    } else {
        Problem::new("set_aside").with("reason", reason)
    }
}
