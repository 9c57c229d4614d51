//! What a rebuild code says: a registration in few bytes, and the registration read back
//! from them and the door code beside it. Locks and opens nothing.

use crate::door::{Door, Ground};
use crate::rebuild::CONTENT_MAX;
use domain::applicant::{Agdref, Applicant, Contact, Identity, Nationality, Relation, Representative};
use domain::bytes::{put_text, take_array, take_text};
use domain::code::FollowUpCode;
use domain::ids::MediatorId;
use domain::limit::{Right, TimeLimit};
use domain::offer::NoticeDays;
use domain::procedure::Procedure;
use domain::registration::Registration;
use domain::renewal::{Regime, Renewal};
use jiff::{Timestamp, tz::TimeZone};
use std::collections::BTreeMap;

const PROCEDURE: u8 = 1;
const LIMIT: u8 = 2;
const REGISTERED_AT: u8 = 3;
const NATIONALITY: u8 = 4;
const AGDREF: u8 = 5;
const LANG: u8 = 6;
const MEDIATOR: u8 = 7;
const DECLARED: u8 = 8;
const FAMILY_NAMES: u8 = 9;
const GIVEN_NAMES: u8 = 10;
const PHONE: u8 = 11;
const EMAIL: u8 = 12;
const BIRTH_PLACE: u8 = 13;
const REPRESENTATIVE: u8 = 14;
const EVIDENCE: u8 = 15;
const POSTAL: u8 = 16;
const RELATION: u8 = 17;
const REPRESENTATIVE_GIVEN: u8 = 18;
const RENEWAL: u8 = 19;
const NOTICE: u8 = 20;
const DEPARTMENT_WIDE: u8 = 21;
const MOVED: u8 = 22;
const WITNESS: u8 = 23;

/// What the door code leaves out, most needed first, as `tag u8 · len u8 · UTF-8`. What
/// no longer fits is left out: the person can say it again, a date they cannot.
#[must_use]
pub fn content(registration: &Registration) -> Vec<u8> {
    let applicant = &registration.applicant;
    let limit = registration.limit.as_ref();
    let representative = applicant.representative.as_ref();
    let renewal = registration.renewal.as_ref();
    let parts: [(u8, Option<String>); 23] = [
        (PROCEDURE, Some(registration.procedure.key().to_owned())),
        (LIMIT, limit.map(|limit| format!("{} {}", limit.right.key(), limit.last_day))),
        (RENEWAL, renewal.map(|renewal| format!("{} {}", renewal.regime.key(), renewal.expires_on))),
        (NOTICE, registration.accepts_earlier.map(|notice| notice.days().to_string())),
        (DEPARTMENT_WIDE, registration.department_wide.then(String::new)),
        (REGISTERED_AT, Some(registration.registered_at.as_second().to_string())),
        (MOVED, registration.moved.map(|code| code.to_string())),
        (WITNESS, registration.witness.as_ref().map(|second| second.as_str().to_owned())),
        (NATIONALITY, Some(applicant.nationality.code().to_owned())),
        (AGDREF, applicant.agdref.as_ref().map(|agdref| agdref.as_str().to_owned())),
        (LANG, Some(registration.lang.clone())),
        (MEDIATOR, Some(registration.mediator.as_str().to_owned())),
        (DECLARED, (applicant.identity == Identity::Declared).then(String::new)),
        (FAMILY_NAMES, Some(applicant.family_names.clone())),
        (GIVEN_NAMES, applicant.given_names.clone()),
        (PHONE, applicant.contact.phone.clone()),
        (EMAIL, applicant.contact.email.clone()),
        (BIRTH_PLACE, applicant.birth_place.clone()),
        (REPRESENTATIVE, representative.map(|r| r.family_names.clone())),
        (RELATION, representative.map(|r| r.relation.key().to_owned())),
        (REPRESENTATIVE_GIVEN, representative.and_then(|r| r.given_names.clone())),
        (EVIDENCE, limit.map(|limit| limit.evidence.clone())),
        (POSTAL, applicant.contact.postal.clone()),
    ];
    let mut content = Vec::with_capacity(CONTENT_MAX);
    for (tag, value) in parts {
        let Some(value) = value else { continue };
        if content.len() + 2 + value.len() > CONTENT_MAX {
            continue;
        }
        content.push(tag);
        if put_text(&mut content, &value).is_none() {
            content.pop();
        }
    }
    content
}

/// The registration of this paper. What did not fit into the code is missing, and a name
/// that did not is the door code's. `zone` is the site's. None when the content is not one.
#[must_use]
pub fn registration(door: &Door, content: &[u8], zone: &TimeZone) -> Option<Registration> {
    let mut parts = read(content)?;
    let registered_at = match parts.remove(&REGISTERED_AT) {
        Some(seconds) => Timestamp::from_second(seconds.parse().ok()?).ok()?,
        None => door.issued_at,
    };
    let evidence = parts.remove(&EVIDENCE).unwrap_or_default();
    let limit = match parts.remove(&LIMIT) {
        Some(text) => {
            let (right, day) = text.split_once(' ')?;
            Some(TimeLimit { right: Right::parse(right)?, last_day: day.parse().ok()?, evidence })
        }
        None => None,
    };
    let renewal = parts.remove(&RENEWAL).and_then(|text| {
        let (regime, day) = text.split_once(' ')?;
        Some(Renewal { expires_on: day.parse().ok()?, regime: Regime::parse(regime)? })
    });
    let (given, relation) = (parts.remove(&REPRESENTATIVE_GIVEN), parts.remove(&RELATION));
    let representative = parts.remove(&REPRESENTATIVE).map(|family_names| Representative {
        family_names,
        given_names: given,
        relation: relation.as_deref().and_then(Relation::parse).unwrap_or(Relation::Parent),
    });
    let (family_names, given_names) = match parts.remove(&FAMILY_NAMES) {
        Some(family) => (family, parts.remove(&GIVEN_NAMES)),
        None => (door.name.clone(), None),
    };
    let applicant = Applicant {
        family_names,
        given_names,
        birth: door.birth,
        birth_place: parts.remove(&BIRTH_PLACE),
        nationality: Nationality::parse(&parts.remove(&NATIONALITY)?)?,
        agdref: parts.remove(&AGDREF).as_deref().and_then(Agdref::parse),
        identity: if parts.contains_key(&DECLARED) { Identity::Declared } else { Identity::Document },
        contact: Contact {
            phone: parts.remove(&PHONE),
            email: parts.remove(&EMAIL),
            postal: parts.remove(&POSTAL),
        },
        representative,
    };
    Some(Registration {
        id: door.registration,
        code: door.code,
        site: match &door.ground {
            Ground::Slot(signed) | Ground::Held(signed) => signed.token.site.clone(),
            Ground::Rank(certificate) => certificate.site.clone(),
        },
        procedure: Procedure::parse(&parts.remove(&PROCEDURE)?)?,
        limit,
        renewal,
        department_wide: parts.contains_key(&DEPARTMENT_WIDE),
        party: None,
        moved: parts.remove(&MOVED).as_deref().and_then(FollowUpCode::parse),
        witness: parts.remove(&WITNESS).and_then(|second| MediatorId::parse(&second).ok()),
        accepts_earlier: parts.remove(&NOTICE).and_then(|days| NoticeDays::parse(&days).ok()?),
        applicant,
        lang: parts.remove(&LANG)?,
        registered_at,
        registered_on: zone.to_datetime(registered_at).date(),
        mediator: MediatorId::parse(&parts.remove(&MEDIATOR)?).ok()?,
    })
}

/// Each tag at most once; tags of a later version are passed over.
fn read(mut content: &[u8]) -> Option<BTreeMap<u8, String>> {
    let mut parts = BTreeMap::new();
    while !content.is_empty() {
        let [tag] = take_array(&mut content)?;
        if parts.insert(tag, take_text(&mut content)?.to_owned()).is_some() {
            return None;
        }
    }
    Some(parts)
}
