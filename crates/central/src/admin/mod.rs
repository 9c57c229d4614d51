//! What an administrator does, each act one function that answers JSON. Never prints and
//! never chooses an exit code: that is the command line's.

mod annul;
mod audit;
mod calendar;
mod cancel;
mod desk;
mod enrolment;
mod import;
mod keys;
mod kiosks;
mod lease_log;
mod lists;
mod no_show;
mod papers;
mod queue;
mod redate;
mod sites;
mod tasks;
mod unconfirmed;

pub use annul::{Annul, AnnulStep, annul};
pub use audit::{audit_erase, audit_export, audit_seal};
pub use calendar::{
    Ask, calendar, closure, counter_change, opening, remove_closure, remove_opening, site_days,
};
pub use cancel::{AskedCancel, CancelStep, cancel};
pub use desk::{erase, leases, links, pieces, registrations};
pub(crate) use enrolment::normal_code;
pub use enrolment::{NewMediator, code, mediator, mediators, remove_mediator};
pub use import::import;
pub use keys::retire_key;
pub use kiosks::{kiosks, lose_kiosk, preview_kiosk, release_kiosk, retire_kiosk};
pub use lease_log::{accept_lease_log, durable, lease_log};
pub use lists::signed_lists;
pub use no_show::{NoShow, no_show};
pub use papers::{open_papers, papers};
pub use queue::queue;
pub use redate::{redate, redated};
pub use sites::{NewSite, SiteChange, change_site, counter, site};
pub use tasks::{KEY_DAYS_MAX, add_agent, agents, answer_task, end_agent, question, tasks};
pub use unconfirmed::unconfirmed;

use crate::Refusal;
use domain::ids::SiteId;
use domain::text::{self, TextRefusal};
use sqlx::{PgPool, Row};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// Most sites named when one is asked for that is not there.
const SITES_NAMED: i64 = 12;

/// Writes an answer's file, never over one that is there: it may be a key.
fn write_new(out: &Path, bytes: &[u8]) -> Result<(), AdminRefusal> {
    let mut file = new_file(File::options().write(true), out)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|error| AdminRefusal::Io(out.display().to_string(), error))
}

/// Opens a file that is not there yet.
fn new_file(options: &mut OpenOptions, out: &Path) -> Result<File, AdminRefusal> {
    options.create_new(true).open(out).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            refused(format!("{} is there already; give --out a file that is not", out.display()))
        }
        _ => refused(format!("cannot write {} ({error}); correct --out", out.display())),
    })
}

/// What an administrator asked that cannot be done, or could not be done now.
#[derive(Debug, thiserror::Error)]
pub enum AdminRefusal {
    /// A value is not what it should be, or what it names is not there, or is there already;
    /// the sentence says what to type.
    #[error("{0}")]
    Refused(String),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("stored data cannot be read")]
    Stored(#[from] Refusal),
    #[error("the export file could not be taken now; try again")]
    Delivery(#[source] crate::delivery::DeliveryFailure),
    #[error("cannot read or write {0}")]
    Io(String, #[source] std::io::Error),
}

impl AdminRefusal {
    /// Was it refused (the asker can mend it), rather than failed?
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

fn refused(text: impl Into<String>) -> AdminRefusal {
    AdminRefusal::Refused(text.into())
}

/// The id of a site that exists.
async fn known_site(pool: &PgPool, id: &str) -> Result<SiteId, AdminRefusal> {
    let id = site_id(id)?;
    let known =
        sqlx::query("SELECT 1 FROM site WHERE id = $1").bind(id.as_str()).fetch_optional(pool).await?;
    if known.is_some() {
        return Ok(id);
    }
    let rows =
        sqlx::query("SELECT id FROM site ORDER BY id LIMIT $1").bind(SITES_NAMED).fetch_all(pool).await?;
    let there = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    let there = if there.is_empty() {
        "none has been added yet".to_owned()
    } else {
        format!("there is {}", there.join(", "))
    };
    Err(refused(format!(
        "there is no site {id} ({there}); correct --site, or add it with central admin site --id {id}"
    )))
}

fn site_id(id: &str) -> Result<SiteId, AdminRefusal> {
    SiteId::parse(id).ok_or_else(|| {
        refused(format!(
            "{id:?} is not a site id; write 1 to {} of A-Z, 0-9 and -, for example LYON-2",
            SiteId::MAX
        ))
    })
}

/// A line that stands on papers and screens: nothing in it changes how it reads.
fn line(what: &str, text: &str, max: usize) -> Result<String, AdminRefusal> {
    text::one_line(text, max).map_err(|refusal| refused(line_refusal(what, refusal)))
}

fn line_refusal(what: &str, refusal: TextRefusal) -> String {
    match refusal {
        TextRefusal::Empty => format!("{what} is empty; write at least one character"),
        TextRefusal::TooLong(max) => format!("{what} is too long; write at most {max} characters"),
        TextRefusal::Control => {
            format!("{what} holds a control character or a line break; write it again as one plain line")
        }
        TextRefusal::Bidi => {
            format!(
                "{what} holds a hidden character that changes the reading direction; write it again by hand"
            )
        }
    }
}
