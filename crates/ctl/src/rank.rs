//! `rank explain`: a place recomputed from what its paper prints, and where it stands in a
//! site's published queue, with a sentence beside the answer. Asks nobody: no kiosk, no central.

use crate::answer::{REFUSED, answer, answer_with, lang, refuse, say};
use crate::given_file;
use crate::seal_verify::key_ring;
use app::contract::Problem;
use clap::Args;
use domain::code::FollowUpCode;
use domain::place::{PlaceKey, RULE_VERSION};
use domain::queue::{QueueExtract, QueueHead};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use seal::queue::{Position, QueueRefusal, find, place_mark};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Largest queue file, in bytes: a million places.
const QUEUE_BYTES: u64 = 40 << 20;

/// What stands under *order of the list* on a paper.
#[derive(Args)]
pub(crate) struct Printed {
    /// The follow-up code.
    #[arg(long)]
    code: String,
    /// ordinary | with_time_limit
    #[arg(long)]
    class: String,
    /// The registration time to the second, as printed: YYYY-MM-DDThh:mm:ss.
    #[arg(long, value_name = "TIME")]
    registered: String,
    /// The site's time zone.
    #[arg(long, default_value = "Europe/Paris")]
    zone: String,
    /// The tie-break: 8 hexadecimal digits.
    #[arg(long)]
    tie_break: String,
    /// The version of the rule.
    #[arg(long, default_value = RULE_VERSION)]
    rule: String,
    /// A site's queue, as central admin queue wrote it.
    #[arg(long, value_name = "FILE", requires = "root")]
    queue: Option<PathBuf>,
    /// The key ring file, root.pub.json out of the folder of central's keys.
    #[arg(long, value_name = "root.pub.json")]
    root: Option<PathBuf>,
}

pub(crate) fn explain(printed: &Printed) -> ExitCode {
    match explained(printed) {
        Ok(Explained { told, sentences, found }) => {
            say(&sentences);
            if found { answer(&told) } else { answer_with(&told, ExitCode::from(REFUSED)) }
        }
        Err(problem) => refuse(&problem),
    }
}

/// What there is to say, and whether the place is where it should be.
struct Explained {
    told: Value,
    sentences: Vec<String>,
    found: bool,
}

/// Where the place stands in a queue that was given.
struct Looked {
    head: QueueHead,
    /// Of the readings of the printed time, the one that is listed, and where.
    listed: Option<(usize, Position)>,
}

fn explained(printed: &Printed) -> Result<Explained, Problem> {
    if printed.rule != RULE_VERSION {
        return Err(Problem::new("rule_unknown").with("rule", &printed.rule).with("known", RULE_VERSION));
    }
    let code = FollowUpCode::parse(&printed.code).ok_or_else(|| Problem::new("bad_follow_up_code"))?;
    let readings = Readings::of(printed)?;
    let looked = match (&printed.queue, &printed.root) {
        (Some(file), Some(root)) => Some(looked(printed, (code, &readings.places), (file, root))?),
        _ => None,
    };
    let which = looked.as_ref().and_then(|looked| looked.listed).map_or(0, |(which, _)| which);
    let place = readings.places.get(which).ok_or_else(|| Problem::new("place_unreadable"))?;
    let mut told = told(code, place);
    if let Some(fields) = told.as_object_mut() {
        if readings.places.len() > 1 {
            // Which moment the rest of the answer is about; and the marks of all.
            fields.insert("reading".to_owned(), ["first", "second"].get(which).copied().into());
            let all = readings
                .places
                .iter()
                .map(|place| json!({ "registered_s": place.registered_s, "mark": place_mark(code, place) }));
            fields.insert("readings".to_owned(), all.collect());
        }
        if let Some(Looked { head, listed }) = &looked {
            let queue = json!({ "site": head.site, "procedure": head.procedure, "made_at": head.made_at,
                                "with_time_limit": head.with_time_limit, "ordinary": head.ordinary });
            fields.insert("queue".to_owned(), queue);
            fields.insert("listed".to_owned(), listed.is_some().into());
            if let Some((_, position)) = listed {
                let position = json!({ "in_class": position.in_class, "of_class": position.of_class,
                                       "of_all": position.of_all });
                fields.insert("position".to_owned(), position);
            }
        }
    }
    let sentences = sentences(printed, (&readings, place), looked.as_ref());
    Ok(Explained { told, sentences, found: looked.is_none_or(|looked| looked.listed.is_some()) })
}

fn looked(
    printed: &Printed,
    (code, places): (FollowUpCode, &[PlaceKey]),
    (file, root): (&Path, &Path),
) -> Result<Looked, Problem> {
    let (ring, extract) = (key_ring(root)?, extract(file)?);
    let refused = |refusal| {
        let code = match refusal {
            QueueRefusal::Forged => "queue_forged",
            QueueRefusal::Changed => "queue_changed",
        };
        Problem::new(code).with("file", file.display())
    };
    let mut head = None;
    // In the hour a clock goes through twice, the paper means one of two moments.
    for (which, place) in places.iter().enumerate() {
        let (found, position) = find(&ring, &extract, (code, place)).map_err(refused)?;
        if let Some(position) = position {
            return Ok(Looked { head: found, listed: Some((which, position)) });
        }
        head = Some(found);
    }
    let head = head.ok_or_else(|| Problem::new("place_unreadable").with("class", &printed.class))?;
    Ok(Looked { head, listed: None })
}

/// What the answer means, for whoever reads the terminal.
fn sentences(
    printed: &Printed,
    (readings, place): (&Readings, &PlaceKey),
    looked: Option<&Looked>,
) -> Vec<String> {
    let lang = lang();
    let at = |moment: DateTime| l10n::date_time_to_second(&lang, &moment);
    let class = l10n::text(&lang, &format!("paper-class-{}", place.class.key().replace('_', "-")), &[]);
    let (time, tie) = (at(readings.at), place.tie_break_text());
    let mut said = vec![l10n::text(&lang, "rank-key", &[("class", &class), ("time", &time), ("tie", &tie)])];
    if readings.places.len() > 1 {
        let key = match looked.map(|looked| looked.listed) {
            None => "rank-twice-unknown",
            Some(None) => "rank-twice-neither",
            Some(Some((0, _))) => "rank-twice-first",
            Some(Some(_)) => "rank-twice-second",
        };
        said.push(l10n::text(&lang, key, &[]));
    }
    let Some(Looked { head, listed }) = looked else {
        said.push(l10n::text(&lang, "rank-no-queue", &[]));
        return said;
    };
    let zone = TimeZone::get(&printed.zone).unwrap_or(TimeZone::UTC);
    let made = at(zone.to_datetime(head.made_at));
    said.push(match listed {
        None => l10n::text(&lang, "rank-not-listed", &[("made", &made)]),
        Some((_, position)) => l10n::text(
            &lang,
            "rank-position",
            &[
                ("made", &made),
                ("in_class", &position.in_class.to_string()),
                ("of_class", &position.of_class.to_string()),
                ("before", &position.of_all.saturating_sub(1).to_string()),
            ],
        ),
    });
    said
}

/// The time on the paper, and the place at each moment it can mean: two in the hour the clocks go
/// through twice.
struct Readings {
    at: DateTime,
    places: Vec<PlaceKey>,
}

impl Readings {
    fn of(printed: &Printed) -> Result<Self, Problem> {
        let zone = TimeZone::get(&printed.zone)
            .map_err(|_| Problem::new("zone_unknown").with("zone", &printed.zone))?;
        let at = time(&printed.registered)?;
        let moments = zone.to_ambiguous_timestamp(at);
        if matches!(moments.offset(), AmbiguousOffset::Gap { .. }) {
            return Err(Problem::new("time_never_was").with("time", at));
        }
        let unreadable = |_| Problem::new("place_unreadable");
        let (earlier, later) = (moments.earlier().map_err(unreadable)?, moments.later().map_err(unreadable)?);
        let place = |at: jiff::Timestamp| {
            PlaceKey::printed(&printed.class, at.as_second(), &printed.tie_break)
                .ok_or_else(|| Problem::new("place_unreadable"))
        };
        let mut places = vec![place(earlier)?];
        if later != earlier {
            places.push(place(later)?);
        }
        Ok(Self { at, places })
    }
}

/// To the second, as the paper has it: a mark is of one second.
fn time(text: &str) -> Result<DateTime, Problem> {
    let text = text.trim().replacen(' ', "T", 1);
    DateTime::strptime("%Y-%m-%dT%H:%M:%S", &text).map_err(|_| {
        let short = DateTime::strptime("%Y-%m-%dT%H:%M", &text).is_ok();
        Problem::new(if short { "time_without_seconds" } else { "time_unreadable" }).with("time", &text)
    })
}

fn told(code: FollowUpCode, place: &PlaceKey) -> Value {
    json!({
        "rule": RULE_VERSION,
        "class": place.class,
        "registered_s": place.registered_s,
        "tie_break": place.tie_break_text(),
        "mark": place_mark(code, place),
    })
}

fn extract(file: &Path) -> Result<QueueExtract, Problem> {
    let told = |code: &str| Problem::new(code).with("file", file.display());
    let bytes =
        given_file::named(file, QUEUE_BYTES, ["queue_missing", "queue_unreadable", "queue_not_queue"])?;
    serde_json::from_slice(&bytes).map_err(|_| told("queue_not_queue"))
}
