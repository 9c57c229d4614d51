//! One applicant's request for one procedure, complete and checked: what a kiosk keeps,
//! what central receives, what the papers are made from.

use crate::applicant::Applicant;
use crate::assign::Window;
use crate::code::FollowUpCode;
use crate::ids::{MediatorId, RegistrationId, SiteId};
use crate::limit::TimeLimit;
use crate::place::{Class, PlaceKey};
use crate::procedure::Procedure;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    pub id: RegistrationId,
    pub code: FollowUpCode,
    pub site: SiteId,
    pub procedure: Procedure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<TimeLimit>,
    pub applicant: Applicant,
    /// BCP 47 code of the language the person reads.
    pub lang: String,
    pub registered_at: Timestamp,
    /// The civil day at the site when it was registered.
    pub registered_on: Date,
    pub mediator: MediatorId,
}

impl Registration {
    #[must_use]
    pub fn class(&self) -> Class {
        if self.limit.is_some() { Class::WithTimeLimit } else { Class::Ordinary }
    }

    #[must_use]
    pub fn place(&self) -> PlaceKey {
        PlaceKey::new(self.class(), self.registered_at, self.id)
    }

    /// The days between which its date must lie, and what it must serve.
    #[must_use]
    pub fn window(&self) -> Window {
        Window::new(self.registered_on, self.limit.as_ref()).for_procedure(self.procedure)
    }
}
