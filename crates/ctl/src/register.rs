//! `register`: a person typed elsewhere, registered by the same core and under the same limits
//! as at the counter. Leaves no half visit behind: what is not complete is told and thrown away.

use crate::answer::{REFUSED, USAGE, answer, answer_with, refuse, tell};
use crate::given_file;
use crate::person::{self, NotFields};
use app::contract::{DateView, DraftFields, FieldProblem, Problem, RenewalView};
use app::{Kiosk, Settings};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _, Stdin, Take};
use std::path::Path;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// Largest file read, in bytes: a draft's own limit and room for how it is written.
const FILE_BYTES: u64 = 256 << 10;
/// Longest line read as a PIN.
const PIN_BYTES: u64 = 64;

/// What came of it.
enum Registered {
    /// The date is kept; where the day stood to the filing period of a renewal; and whether it was kept
    /// before this was said.
    Kept(Box<DateView>, Option<RenewalView>, Again),
    /// What stands in the way, field by field; nothing was kept.
    Incomplete(Vec<FieldProblem>),
}

/// Was the same said before, by a command that was ended or whose answer was lost?
type Again = bool;

/// Why the file is not taken.
enum Refused {
    Problem(Problem),
    /// Fields that are none, or not what they take.
    Fields(Vec<Problem>),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

pub(crate) async fn register(file: &Path, mediator: Option<&str>, second: Option<&str>) -> ExitCode {
    let kiosk = match Settings::from_env() {
        Ok(settings) => Kiosk::open(settings).await,
        Err(problem) => Err(problem),
    };
    let kiosk = match kiosk {
        Ok(kiosk) => kiosk,
        Err(problem) => return refuse(&problem),
    };
    match registered(&kiosk, file, (mediator, second)).await {
        Ok(Registered::Kept(date, renewal, again)) => {
            if again {
                tell(&Problem::new("register_again").with("code", &date.code));
            }
            let told = answer(&json!({
            "code": date.code,
            "again": again,
            "visit": date.visit,
            "source": date.source,
            "slot_at": date.slot_at,
            "no_later_than": date.no_later_than,
            "busy": date.busy,
            "zone": date.zone,
            "slot": date.slot,
            "site": date.site,
            "after_limit": date.after_limit,
            "limit_letter": date.limit_letter,
            "opens": date.opens,
            "transfer": date.transfer,
            "renewal": renewal,
            "only_here": date.only_here,
            }));
            if told == ExitCode::SUCCESS {
                // Not noted, it is only told once more when it is said again.
                let _ = kiosk.command_answered().await;
            }
            told
        }
        Ok(Registered::Incomplete(fields)) => {
            tell(&Problem::new("fields_incomplete"));
            answer_with(&json!({ "problem": "fields_incomplete", "fields": fields }), ExitCode::from(REFUSED))
        }
        Err(refused) => not_taken(file, &refused),
    }
}

fn not_taken(file: &Path, refused: &Refused) -> ExitCode {
    match refused {
        Refused::Fields(wrong) => {
            tell(&Problem::new("fields_wrong").with("file", file.display()));
            wrong.iter().for_each(tell);
            let fields: Vec<_> = wrong
                .iter()
                .map(|problem| json!({ "field": problem.args.get("field"), "code": problem.code, "max": "" }))
                .collect();
            answer_with(&json!({ "problem": "fields_wrong", "fields": fields }), ExitCode::from(USAGE))
        }
        Refused::Problem(problem) => refuse(problem),
    }
}

async fn registered(
    kiosk: &Kiosk,
    file: &Path,
    (mediator, second): (Option<&str>, Option<&str>),
) -> Result<Registered, Refused> {
    let fields = fields(file, person::read)?;
    let mediator = who(kiosk, mediator).await?;
    let mut pins = Pins::new();
    kiosk.unlock(&mediator, &pins.next()?).await?;
    let second = second.map(|id| Ok::<_, Problem>((id, pins.next()?))).transpose()?;
    let lang = if fields.lang.is_empty() { "fr".to_owned() } else { fields.lang.clone() };
    let fields = DraftFields { lang, ..fields };
    // Ended before it answered, it goes on where it was: nobody is registered twice by that.
    let visit = match kiosk.left_with(fields.clone()).await? {
        Some(left) if left.is_draft => left.visit,
        Some(left) => {
            let renewal = kiosk.open_visit(&left.visit).await?.renewal;
            return Ok(Registered::Kept(Box::new(kiosk.confirm(&left.visit).await?), renewal, true));
        }
        None => kiosk.start_command(&fields.lang).await?,
    };
    match kept(kiosk, &visit, (fields, second)).await {
        Ok(Registered::Kept(date, renewal, again)) => Ok(Registered::Kept(date, renewal, again)),
        other => {
            // Refused once it has its date: then it stays, and the home screen shows it.
            let _ = kiosk.discard_draft(&visit).await;
            Ok(other?)
        }
    }
}

/// A time limit of somebody who has a place already, declared as at the counter. Answers the date
/// that stands, and what is offered where central answered in time.
pub(crate) async fn declare_limit(code: &str, file: &Path, mediator: Option<&str>) -> ExitCode {
    let done = async {
        let limit = fields(file, person::limit)?;
        let kiosk = Kiosk::open(Settings::from_env()?).await?;
        let mediator = who(&kiosk, mediator).await?;
        kiosk.unlock(&mediator, &pin()?).await?;
        Ok(kiosk.declare_limit_of(code, limit).await?)
    };
    match done.await {
        Ok(DateView {
            code, slot_at, no_later_than, zone, limit, after_limit, limit_letter, offer, ..
        }) => answer(&json!({
            "code": code,
            "limit": limit,
            "slot_at": slot_at,
            "no_later_than": no_later_than,
            "zone": zone,
            "after_limit": after_limit,
            "limit_letter": limit_letter,
            "offer": offer.map(|offer| json!({ "slot_at": offer.slot_at, "until": offer.until })),
        })),
        Err(refused) => not_taken(file, &refused),
    }
}

/// A detail corrected as at the counter. Answers what was left as it is: the date.
pub(crate) async fn correct(code: &str, file: &Path, mediator: Option<&str>) -> ExitCode {
    let done = async {
        let told = fields(file, person::correction)?;
        let kiosk = Kiosk::open(Settings::from_env()?).await?;
        let mediator = who(&kiosk, mediator).await?;
        kiosk.unlock(&mediator, &pin()?).await?;
        Ok(kiosk.correct_of(code, told).await?)
    };
    match done.await {
        Ok(DateView { code, slot_at, no_later_than, zone, details, .. }) => answer(&json!({
            "code": code,
            "details": details,
            "slot_at": slot_at,
            "no_later_than": no_later_than,
            "zone": zone,
        })),
        Err(refused) => not_taken(file, &refused),
    }
}

/// The person keeps the appointment made here. Answers both as they stand: the other one ends with the
/// next exchange.
pub(crate) async fn keep_transfer(code: &str, mediator: Option<&str>) -> ExitCode {
    let done = async {
        let kiosk = Kiosk::open(Settings::from_env()?).await?;
        let mediator = who(&kiosk, mediator).await?;
        kiosk.unlock(&mediator, &pin()?).await?;
        kiosk.keep_transfer_of(code).await
    };
    match done.await {
        Ok(DateView { code, slot_at, zone, transfer, .. }) => answer(&json!({
            "code": code,
            "slot_at": slot_at,
            "zone": zone,
            "transfer": transfer,
        })),
        Err(problem) => refuse(&problem),
    }
}

/// A paper printed from its PDF is in the person's hands: said by a mediator, as at the counter.
pub(crate) async fn handed_over(code: &str, mediator: Option<&str>) -> ExitCode {
    let done = async {
        let kiosk = Kiosk::open(Settings::from_env()?).await?;
        let mediator = who(&kiosk, mediator).await?;
        kiosk.unlock(&mediator, &pin()?).await?;
        kiosk.handed_over(code).await
    };
    match done.await {
        Ok(()) => answer(&json!({ "code": code, "handed_over": true })),
        Err(problem) => refuse(&problem),
    }
}

async fn kept(
    kiosk: &Kiosk,
    visit: &str,
    (fields, second): (DraftFields, Option<(&str, Zeroizing<String>)>),
) -> Result<Registered, Problem> {
    let mut draft = kiosk.save_draft(visit, fields).await?;
    if let Some((mediator, pin)) = second {
        kiosk.unlock_second(visit, mediator, &pin).await?;
        draft = kiosk.open_visit(visit).await?;
    }
    if !draft.problems.is_empty() {
        return Ok(Registered::Incomplete(draft.problems));
    }
    Ok(Registered::Kept(Box::new(kiosk.confirm(visit).await?), draft.renewal, false))
}

/// The mediator named, or the only one there is.
pub(crate) async fn who(kiosk: &Kiosk, mediator: Option<&str>) -> Result<String, Problem> {
    if let Some(mediator) = mediator {
        return Ok(mediator.to_owned());
    }
    match kiosk.boot().await?.mediators.as_slice() {
        [only] => Ok(only.id.clone()),
        _ => Err(Problem::new("mediator_needed")),
    }
}

/// The first line of standard input.
pub(crate) fn pin() -> Result<Zeroizing<String>, Problem> {
    Pins::new().next()
}

/// Standard input, a PIN a line. No more is read than two of them take.
struct Pins {
    lines: BufReader<Take<Stdin>>,
    line: u32,
}

impl Pins {
    fn new() -> Self {
        Self { lines: BufReader::new(std::io::stdin().take(2 * PIN_BYTES)), line: 0 }
    }

    /// Nothing given is no wrong PIN: said apart, and not counted.
    fn next(&mut self) -> Result<Zeroizing<String>, Problem> {
        self.line += 1;
        let missing = Problem::new("pin_missing").with("line", self.line);
        let mut line = Zeroizing::new(String::new());
        if self.lines.read_line(&mut line).is_err() || line.trim().is_empty() {
            return Err(missing);
        }
        Ok(Zeroizing::new(line.trim().to_owned()))
    }
}

fn fields<T>(file: &Path, read: impl Fn(&[u8]) -> Result<T, NotFields>) -> Result<T, Refused> {
    let bytes =
        given_file::named(file, FILE_BYTES, ["fields_missing", "fields_unreadable", "fields_not_fields"])?;
    read(&bytes).map_err(|refusal| match refusal {
        // Which line, never what stands there: it may be a name.
        NotFields::NotJson(line, column) => Refused::Problem(
            Problem::new("fields_not_fields")
                .with("file", file.display())
                .with("line", line)
                .with("column", column),
        ),
        NotFields::Wrong(wrong) => Refused::Fields(wrong),
    })
}
