//! What may be typed after `central admin annul`.

use crate::command_line::{Database, day};
use crate::database;
use crate::stop::Stop;
use central::admin::{self, AnnulStep};
use central::system_random;
use clap::{Args, ValueEnum};
use domain::annulment::REASONS_MAX;
use jiff::civil::Date;
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Most bytes read of a file: the longest text, four bytes a character, and room for line breaks.
const FILE_BYTES: u64 = 8 * REASONS_MAX as u64;

#[derive(Args)]
#[group(id = "step", multiple = false)]
pub(crate) struct Step {
    /// Propose it: with --reasons, --answer-by and --agent.
    #[arg(long, requires_all = ["reasons", "answer_by"])]
    propose: bool,
    /// Write what the person answered, with --answer or --no-answer and --agent.
    #[arg(long)]
    heard: bool,
    /// Another agent decides: with --reasons and --agent.
    #[arg(long, value_name = "annul|keep", requires = "reasons")]
    decide: Option<Decision>,
    /// Undo it, within 30 days of the decision: with --reasons and --agent.
    #[arg(long, requires = "reasons")]
    undo: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Decision {
    Annul,
    Keep,
}

#[derive(Args)]
pub(crate) struct Annul {
    #[command(flatten)]
    database: Database,
    /// The follow-up code on the paper.
    #[arg(long, value_name = "CODE")]
    code: String,
    #[command(flatten)]
    step: Step,
    /// A text of at most 1000 characters; the person is handed those of a proposal on paper.
    #[arg(long, value_name = "FILE")]
    reasons: Option<PathBuf>,
    /// The last day for the person's answer, ten working days ahead at the least.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day, requires = "propose")]
    answer_by: Option<Date>,
    /// What the person answered; again, it is added.
    #[arg(long, value_name = "FILE", requires = "heard", conflicts_with = "no_answer")]
    answer: Option<PathBuf>,
    /// No answer came, and the day is over.
    #[arg(long, requires = "heard")]
    no_answer: bool,
    /// Do it. Without it, what would be done is checked and told.
    #[arg(long)]
    apply: bool,
}

impl Annul {
    pub async fn run(self) -> Result<Value, Stop> {
        let Self { database, code, step, reasons, answer_by, answer, no_answer, apply } = self;
        let reasons = reasons.as_deref().map(read).transpose()?;
        let step = match (step, reasons, answer_by) {
            (Step { propose: true, .. }, Some(reasons), Some(answer_by)) => {
                Some(AnnulStep::Propose { reasons, answer_by })
            }
            (Step { heard: true, .. }, ..) => {
                if answer.is_none() && !no_answer {
                    return Err(Stop::refused("--heard takes --answer FILE, or --no-answer; add one"));
                }
                Some(AnnulStep::Heard { answer: answer.as_deref().map(read).transpose()? })
            }
            (Step { decide: Some(decision), .. }, Some(reasons), _) => {
                Some(AnnulStep::Decide { annul: matches!(decision, Decision::Annul), reasons })
            }
            (Step { undo: true, .. }, Some(reasons), _) => Some(AnnulStep::Undo { reasons }),
            _ => None,
        };
        let ask = admin::Annul { code, step, apply };
        let pool = database::ready(&database.url).await?;
        Ok(admin::annul(&pool, &ask, jiff::Timestamp::now(), &system_random()).await?)
    }
}

fn read(file: &Path) -> Result<String, Stop> {
    let shown = file.display();
    let cannot = |error| Stop::missing(format!("cannot read {shown}; correct its path")).because(error);
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(cannot)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(Stop::refused(format!("{shown} is too long; write at most {REASONS_MAX} characters")));
    }
    String::from_utf8(bytes)
        .map_err(|_| Stop::refused(format!("{shown} is not text in UTF-8; save it again as that")))
}
