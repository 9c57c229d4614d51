//! `rank explain`: a place recomputed from what its paper prints, and where it stands in a
//! site's published queue. Asks nobody: no kiosk, no central.

use crate::answer::{REFUSED, answer, answer_with, refuse};
use crate::given_file;
use crate::seal_verify::key_ring;
use app::contract::Problem;
use clap::Args;
use domain::code::FollowUpCode;
use domain::place::{PlaceKey, RULE_VERSION};
use domain::queue::QueueExtract;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use seal::queue::{QueueRefusal, find, place_mark};
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
    registered: DateTime,
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
        Ok((told, true)) => answer(&told),
        Ok((told, false)) => answer_with(&told, ExitCode::from(REFUSED)),
        Err(problem) => refuse(&problem),
    }
}

/// What there is to say, and whether the place is where it should be.
fn explained(printed: &Printed) -> Result<(Value, bool), Problem> {
    if printed.rule != RULE_VERSION {
        return Err(Problem::new("rule_unknown").with("rule", &printed.rule).with("known", RULE_VERSION));
    }
    let code = FollowUpCode::parse(&printed.code).ok_or_else(|| Problem::new("bad_follow_up_code"))?;
    let places = places(printed)?;
    let queue = match (&printed.queue, &printed.root) {
        (Some(file), Some(root)) => Some((key_ring(root)?, extract(file)?, file)),
        _ => None,
    };
    let first = places.first().ok_or_else(|| Problem::new("place_unreadable"))?;
    let Some((ring, extract, file)) = queue else { return Ok((told(code, first), true)) };
    // In the hour a clock goes through twice, the paper means one of two moments.
    for place in &places {
        let (head, position) = find(&ring, &extract, (code, place)).map_err(|refusal| {
            Problem::new(match refusal {
                QueueRefusal::Forged => "queue_forged",
                QueueRefusal::Changed => "queue_changed",
            })
            .with("file", file.display())
        })?;
        let mut told = told(code, position.map_or(first, |_| place));
        if let Some(fields) = told.as_object_mut() {
            let queue = json!({ "site": head.site, "procedure": head.procedure, "made_at": head.made_at,
                                "with_time_limit": head.with_time_limit, "ordinary": head.ordinary });
            fields.insert("queue".to_owned(), queue);
            fields.insert("listed".to_owned(), position.is_some().into());
            if let Some(position) = position {
                let position = json!({ "in_class": position.in_class, "of_class": position.of_class,
                                       "of_all": position.of_all });
                fields.insert("position".to_owned(), position);
            }
        }
        if position.is_some() || place == places.last().unwrap_or(first) {
            return Ok((told, position.is_some()));
        }
    }
    Err(Problem::new("place_unreadable"))
}

/// The place at each moment the printed time can mean.
fn places(printed: &Printed) -> Result<Vec<PlaceKey>, Problem> {
    let zone =
        TimeZone::get(&printed.zone).map_err(|_| Problem::new("zone_unknown").with("zone", &printed.zone))?;
    let moments = zone.to_ambiguous_timestamp(printed.registered);
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
    Ok(places)
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
