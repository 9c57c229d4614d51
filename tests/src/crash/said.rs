//! What a kiosk under test says, one line each, only after its core has said so; and what
//! all lines up to a moment promise. Every line is checked after every crash.

use app::contract::{BirthFields, ContactFields, DateView, DraftFields};
use domain::ids::VisitId;
use seal::keys::sha256;
use std::collections::BTreeMap;
use std::io::Write as _;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// The vault is there, with who the kiosk is.
    Made,
    /// The log has been full once.
    Filled,
    Begun {
        visit: VisitId,
    },
    /// A draft is saved, as [`typed`] makes it.
    Saved {
        visit: VisitId,
        who: u64,
        revision: u64,
    },
    Scanned {
        visit: VisitId,
        pages: usize,
    },
    Kept {
        visit: VisitId,
        paper: Paper,
    },
    Finished {
        visit: VisitId,
    },
    /// Said before a draft is thrown away: nothing is promised of it any more.
    Discarding {
        visit: VisitId,
    },
}

/// What stands on the paper, as the screen showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    pub code: String,
    /// Slot and civil start, or `-`.
    pub slot: String,
    pub slot_at: String,
    /// SHA-256 of the sealed code.
    pub seal: String,
}

impl Paper {
    pub fn shown(view: &DateView) -> Self {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        Self {
            code: view.code.clone(),
            slot: or_none(&view.slot),
            slot_at: or_none(&view.slot_at),
            seal: sha256(&[view.code_large.as_bytes()]).to_string(),
        }
    }
}

impl Word {
    /// Writes the line with one call, so that a kill cuts no line in two.
    ///
    /// # Errors
    /// Nobody listens any more.
    pub fn say(&self) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(self.line().as_bytes())?;
        out.flush()
    }

    fn line(&self) -> String {
        match self {
            Self::Made => "made\n".to_owned(),
            Self::Filled => "filled\n".to_owned(),
            Self::Begun { visit } => format!("begun {visit}\n"),
            Self::Saved { visit, who, revision } => format!("saved {visit} {who} {revision}\n"),
            Self::Scanned { visit, pages } => format!("scanned {visit} {pages}\n"),
            Self::Kept { visit, paper: Paper { code, slot, slot_at, seal } } => {
                format!("kept {visit} {code} {slot} {slot_at} {seal}\n")
            }
            Self::Finished { visit } => format!("finished {visit}\n"),
            Self::Discarding { visit } => format!("discarding {visit}\n"),
        }
    }

    pub fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let visit = |text: &str| VisitId::parse(text);
        Some(match words.as_slice() {
            ["made"] => Self::Made,
            ["filled"] => Self::Filled,
            ["begun", id] => Self::Begun { visit: visit(id)? },
            ["saved", id, who, revision] => {
                Self::Saved { visit: visit(id)?, who: who.parse().ok()?, revision: revision.parse().ok()? }
            }
            ["scanned", id, pages] => Self::Scanned { visit: visit(id)?, pages: pages.parse().ok()? },
            ["kept", id, code, slot, slot_at, seal] => Self::Kept {
                visit: visit(id)?,
                paper: Paper {
                    code: (*code).to_owned(),
                    slot: (*slot).to_owned(),
                    slot_at: (*slot_at).to_owned(),
                    seal: (*seal).to_owned(),
                },
            },
            ["finished", id] => Self::Finished { visit: visit(id)? },
            ["discarding", id] => Self::Discarding { visit: visit(id)? },
            _ => return None,
        })
    }
}

/// What was said of one visit.
#[derive(Debug, Clone, Default)]
pub struct Promise {
    /// Who and which revision.
    pub saved: Option<(u64, u64)>,
    pub pages: usize,
    pub kept: Option<Paper>,
    pub finished: bool,
}

/// Everything said up to a moment.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub made: bool,
    pub visits: BTreeMap<VisitId, Promise>,
    /// Visits said to be kept, oldest first.
    pub kept: Vec<VisitId>,
    /// The visit of the newest line, while it is not finished.
    pub at_work: Option<VisitId>,
}

impl Said {
    pub fn hear(&mut self, word: Word) {
        let mut at_work = None;
        match word {
            Word::Made => self.made = true,
            Word::Filled => {}
            Word::Begun { visit } => {
                self.visits.entry(visit).or_default();
                at_work = Some(visit);
            }
            Word::Saved { visit, who, revision } => {
                self.visits.entry(visit).or_default().saved = Some((who, revision));
                at_work = Some(visit);
            }
            Word::Scanned { visit, pages } => {
                self.visits.entry(visit).or_default().pages = pages;
                at_work = Some(visit);
            }
            Word::Kept { visit, paper } => {
                // Said again, the first word counts.
                let kept = &mut self.visits.entry(visit).or_default().kept;
                if kept.is_none() {
                    *kept = Some(paper);
                    self.kept.push(visit);
                }
                at_work = Some(visit);
            }
            Word::Finished { visit } => self.visits.entry(visit).or_default().finished = true,
            Word::Discarding { visit } => {
                self.visits.remove(&visit);
            }
        }
        self.at_work = at_work;
    }
}

const NAMES: [&str; 6] = ["Diallo", "Nguyễn", "O'Brien", "El Amrani", "بن عيسى", "Kovač"];

/// What is typed for a person, at each pause a little more: anyone can make it again and
/// compare.
pub fn typed(who: u64, revision: u64) -> DraftFields {
    let name = usize::try_from(who).ok().and_then(|who| NAMES.get(who % NAMES.len())).copied();
    DraftFields {
        lang: "fr".into(),
        family_names: name.unwrap_or("Silva").into(),
        given_names: "Awa".into(),
        birth: BirthFields {
            day: "9".into(),
            month: "4".into(),
            year: (1950 + who % 50).to_string(),
            ..BirthFields::default()
        },
        nationality: "MLI".into(),
        contact: ContactFields {
            postal: format!("{who} rue de la Paix, {revision}"),
            ..ContactFields::default()
        },
        procedure: "renewal".into(),
        ..DraftFields::default()
    }
}

/// The revision of what [`typed`] made for `who`.
pub fn revision(who: u64, fields: &DraftFields) -> Option<u64> {
    let revision = fields.contact.postal.rsplit_once(' ')?.1.parse().ok()?;
    (typed(who, revision) == *fields).then_some(revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_said() {
        let visit = VisitId([7; 16]);
        let paper = Paper { code: "C".into(), slot: "-".into(), slot_at: "-".into(), seal: "00".into() };
        for word in [
            Word::Made,
            Word::Filled,
            Word::Begun { visit },
            Word::Saved { visit, who: 3, revision: 2 },
            Word::Scanned { visit, pages: 1 },
            Word::Kept { visit, paper },
            Word::Finished { visit },
            Word::Discarding { visit },
        ] {
            assert_eq!(Word::parse(&word.line()), Some(word));
        }
        assert_eq!(Word::parse("kept"), None);
        assert_eq!(revision(3, &typed(3, 2)), Some(2));
        assert_eq!(revision(4, &typed(3, 2)), None);
    }
}
