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

/// Why central set a record aside; a reason of a later central is named as it is.
fn set_aside(reason: &str) -> Problem {
    if domain::set_aside::Reason::parse(reason).is_some() {
        Problem::new(&format!("set_aside_{reason}"))
    } else {
        Problem::new("set_aside").with("reason", reason)
    }
}
