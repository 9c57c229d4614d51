//! The paper of a kept registration: its codes, made once and kept, and its page, made
//! from them each time it is printed, byte for byte the same.

use crate::contract::Problem;
use crate::kiosk::{Inner, lock};
use domain::applicant::{Identity, Nationality};
use domain::offer::NoticeDays;
use domain::place::{Class, RULE_VERSION};
use domain::token::SignedToken;
use jiff::Timestamp;
use l10n::Lang;
use letter::{Fonts, Kind, Letter};
use seal::door::{Door, DoorParts, Ground};
use seal::{rebuild, rebuilt};
use vault::Paper;
use wire::body::{Outcome, Registered};

/// Makes the two codes. `random` must be fresh.
pub(crate) fn make(
    inner: &Inner,
    registered: Registered,
    token: Option<SignedToken>,
    issued_at: Timestamp,
    random: [u8; 32],
) -> Result<Paper, Problem> {
    let registration = &registered.registration;
    let recovery = inner.identity.recovery().ok_or_else(|| Problem::new("vault_damaged"))?;
    let rebuild = rebuild::lock(&recovery, &registration.id.0, &rebuilt::content(registration), random)
        .map_err(|_| Problem::new("vault_damaged"))?;
    let held = registered.outcome.held().and_then(|held| SignedToken::from_bytes(&held.token.0));
    let ground = match (&token, held) {
        (Some(token), _) => Ground::Slot(token.clone()),
        (None, Some(held)) => Ground::Held(held),
        (None, None) => Ground::Rank(inner.identity.certificate.clone()),
    };
    let name = registration.applicant.name_as_printed();
    let door = Door::new(DoorParts {
        ground,
        registration: registration.id,
        code: registration.code,
        birth: registration.applicant.birth,
        issued_at,
        rebuild_code: &rebuild,
        name: &name,
    })
    .seal(&inner.identity.device);
    let token = token.map(|token| token.to_bytes());
    Ok(Paper { registered, token, door, rebuild, issued_at, transfer: None })
}

/// May it be made anew? One sealed after the hour it names would verify as forged.
pub(crate) fn may_seal(paper: &Paper, at: Timestamp) -> bool {
    let held = paper.registered.outcome.held().map(|held| held.token.0.as_slice());
    let named = paper.token.as_deref().or(held).and_then(SignedToken::from_bytes);
    named.is_none_or(|named| at <= named.token.last_issue)
}

/// The bug `resealed_on_print`.
pub(crate) fn again(inner: &Inner, paper: Paper) -> Result<Paper, Problem> {
    let token = paper.token.as_deref().and_then(SignedToken::from_bytes);
    let paper = make(inner, paper.registered, token, inner.now(), inner.world.bytes())?;
    inner.vault.transact(|tx| Ok::<_, Problem>(tx.keep_paper(&paper)?))?;
    Ok(paper)
}

/// The page as PDF.
pub(crate) fn render(inner: &Inner, paper: &Paper) -> Result<Vec<u8>, Problem> {
    let letter = letter(inner, paper)?;
    let mut fonts = lock(&inner.fonts);
    Ok(letter::render(fonts.get_or_insert_with(Fonts::new), &letter)?)
}

fn letter(inner: &Inner, paper: &Paper) -> Result<Letter, Problem> {
    let registration = &paper.registered.registration;
    let applicant = &registration.applicant;
    let told = inner.identity.told();
    let token = match &paper.token {
        Some(bytes) => {
            let signed = SignedToken::from_bytes(bytes).ok_or_else(|| Problem::new("vault_damaged"))?;
            Some(signed.token)
        }
        None => None,
    };
    let date = token.as_ref().map(|token| token.at.date());
    let site = match &token {
        // Central goes on telling of every site it has given dates at.
        Some(token) => told.site_of(&token.site).ok_or_else(|| Problem::new("site_unknown"))?,
        None => &told.site,
    };
    let kind = match token {
        Some(token) => Kind::Convocation { at: token.at, zone: site.zone.clone(), counter: None },
        None => {
            let outcome = &paper.registered.outcome;
            let held = outcome.held().and_then(|held| SignedToken::from_bytes(&held.token.0));
            let told_at = match outcome {
                Outcome::Rank { told, .. } => *told,
                Outcome::Online { .. } | Outcome::Lease { .. } => None,
            };
            Kind::Receipt {
                no_later_than: held.map(|held| held.token.at),
                told: told_at.map(|at| inner.civil(at)),
                zone: site.zone.clone(),
            }
        }
    };
    let place = registration.place();
    let taken_over = paper.transfer.as_ref().filter(|taken| taken.ranked_at.is_some());
    let lang = Lang::parse(&registration.lang).unwrap_or(Lang::FRENCH);
    Ok(Letter {
        kind,
        lang,
        name: applicant.name_as_printed(),
        birth: applicant.birth.to_string(),
        birth_place: applicant.birth_place.clone().unwrap_or_default(),
        nationality: nationality(applicant.nationality, &lang),
        agdref: applicant.agdref.as_ref().map(|agdref| agdref.as_str().to_owned()),
        declared: applicant.identity == Identity::Declared,
        representative: applicant.representative.as_ref().map(|r| match &r.given_names {
            Some(given) => format!("{} {given}", r.family_names),
            None => r.family_names.clone(),
        }),
        procedures: vec![registration.procedure.key().to_owned()],
        site_name: site.name.clone(),
        site_address: site.address.clone(),
        site_phone: site.phone.clone(),
        elsewhere: site.id != told.site.id,
        code: registration.code.to_string(),
        issued_at: inner.civil(paper.issued_at),
        rule_version: RULE_VERSION.to_owned(),
        class: match registration.class() {
            Class::WithTimeLimit => letter::Class::WithTimeLimit,
            Class::Ordinary => letter::Class::Ordinary,
        },
        opens: crate::renewal::told(registration, date),
        accepts_earlier: registration.accepts_earlier.map(NoticeDays::days),
        confirm_from: paper.asking().map(|(_, asking)| asking.first),
        registered_at: inner
            .civil(taken_over.and_then(|taken| taken.ranked_at).unwrap_or(registration.registered_at)),
        taken_over: taken_over.and_then(|taken| taken.site.clone()),
        tie_break: place.tie_break_text(),
        door: paper.door.clone(),
        rebuild: paper.rebuild.clone(),
    })
}

/// The country in French, and in the person's language when that is another.
fn nationality(nationality: Nationality, lang: &Lang) -> String {
    let key = format!("country-{}", nationality.code());
    let (french, theirs) = (l10n::text(&Lang::FRENCH, &key, &[]), l10n::text(lang, &key, &[]));
    if french == theirs { french } else { format!("{french} · {theirs}") }
}
