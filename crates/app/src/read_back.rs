//! What is read back to the person, in their language, before anything is kept.

use crate::contract::{DraftFields, Problem};
use crate::contract::{ReadBackLine, ReadBackView};
use crate::kiosk::Kiosk;
use crate::{check, visit};
use domain::applicant::{Identity, Relation};
use domain::ids::RegistrationId;
use l10n::Lang;

impl Kiosk {
    /// # Errors
    /// There is no such open visit.
    pub async fn read_back(&self, visit: &str) -> Result<ReadBackView, Problem> {
        let id = visit::visit_id(visit)?;
        self.off(move |inner| {
            let (fields, judged, pages) = inner.vault.read(|tx| {
                let fields = visit::fields(&visit::ours(inner, tx, id)?);
                let judged = visit::judged(inner, tx, (id, &fields), RegistrationId([0; 16]))?;
                Ok::<_, Problem>((fields, judged, tx.pages(id)?.len()))
            })?;
            let lang = Lang::parse(&fields.lang).unwrap_or(Lang::FRENCH);
            let (lines, problems) = match judged {
                Ok((checked, _)) => (lines(&checked, &lang, pages), Vec::new()),
                Err(problems) => (typed(&fields), problems),
            };
            Ok(ReadBackView { lang: lang.code().to_owned(), lines, problems })
        })
        .await
    }
}

fn line(key: &str, value: impl Into<String>) -> ReadBackLine {
    ReadBackLine { key: key.to_owned(), value: value.into() }
}

/// In the person's language, and in French for the mediator who checks it.
fn both(lang: &Lang, key: &str) -> String {
    let (theirs, french) = (l10n::text(lang, key, &[]), l10n::text(&Lang::FRENCH, key, &[]));
    if theirs == french { theirs } else { format!("{theirs} · {french}") }
}

fn lines(checked: &check::Checked, lang: &Lang, pages: usize) -> Vec<ReadBackLine> {
    let applicant = &checked.applicant;
    let say = |area: &str, key: &str| l10n::text(lang, &format!("{area}-{}", key.replace('_', "-")), &[]);
    let mut lines =
        vec![line("name", applicant.name_as_printed()), line("birth", applicant.birth.to_string())];
    if let Some(place) = &applicant.birth_place {
        lines.push(line("birth_place", place));
    }
    let country = format!("country-{}", applicant.nationality.code());
    lines.push(line("nationality", both(lang, &country)));
    if let Some(agdref) = &applicant.agdref {
        lines.push(line("agdref", agdref.as_str()));
    }
    if applicant.identity == Identity::Declared {
        lines.push(line("declared", both(lang, "readback-none-shown")));
    }
    if let Some(representative) = &applicant.representative {
        let relation = match representative.relation {
            Relation::Parent => "parent",
            Relation::Guardian => "guardian",
            Relation::ChildWelfare => "child_welfare",
        };
        let given = representative.given_names.as_deref().unwrap_or_default();
        let name = format!("{} {given}", representative.family_names);
        lines.push(line("representative", format!("{} ({})", name.trim(), say("relation", relation))));
    }
    let contact = [&applicant.contact.phone, &applicant.contact.email, &applicant.contact.postal];
    let contact: Vec<&str> = contact.into_iter().flatten().map(String::as_str).collect();
    if !contact.is_empty() {
        lines.push(line("contact", contact.join(" · ")));
    }
    let procedure = format!("procedure-{}", checked.procedure.key().replace('_', "-"));
    lines.push(line("procedure", both(lang, &procedure)));
    if let Some(limit) = &checked.limit {
        let day = l10n::date_long(lang, &limit.last_day);
        lines.push(line("limit", format!("{} · {day}", say("limit", limit.right.key()))));
    }
    if let Some(renewal) = &checked.renewal {
        lines.push(line("renewal", l10n::date_long(lang, &renewal.expires_on)));
    }
    if let Some(notice) = checked.accepts_earlier {
        lines.push(line("accepts_earlier", notice.days().to_string()));
    }
    if checked.department_wide {
        lines.push(line("department_wide", both(lang, "department-choice")));
    }
    if let Some(moved) = checked.moved {
        lines.push(line("moved", moved.to_string()));
    }
    if checked.witness.is_some() {
        lines.push(line("renamed", both(lang, "readback-renamed-seen")));
    }
    if let Some(coming) = checked.coming {
        let before = coming.with.map(|code| format!(" · {code}")).unwrap_or_default();
        lines.push(line("party", format!("{}{before}", coming.people)));
    }
    if pages > 0 {
        lines.push(line("pages", pages.to_string()));
    }
    lines
}

/// An incomplete draft: what is typed so far.
fn typed(fields: &DraftFields) -> Vec<ReadBackLine> {
    let name = format!("{} {}", fields.family_names, fields.given_names);
    vec![line("name", name.trim())]
}
