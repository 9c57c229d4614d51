//! The hours that may be typed after `central admin`, and the same as the calendar knows them;
//! what to type when something is missing. Never acts.

use crate::command_line::day;
use crate::stop::Stop;
use central::admin::Ask;
use clap::Args;
use domain::calendar::{Opening, Pattern, PatternChange};
use domain::procedure::{self, Procedure, ProcedureSet};
use jiff::ToSpan as _;
use jiff::civil::{Date, Time};

/// When a counter is open on a day.
#[derive(Args)]
pub(crate) struct Hours {
    #[arg(long, value_name = "HH:MM", value_parser = time, requires_all = ["closes", "every_minutes"])]
    pub opens: Option<Time>,
    /// The last appointment ends by then.
    #[arg(long, value_name = "HH:MM", value_parser = time, requires = "opens")]
    pub closes: Option<Time>,
    /// Minutes from one appointment to the next, 5 to 480.
    #[arg(long, value_name = "MINUTES", requires = "opens")]
    pub every_minutes: Option<u16>,
    /// People received at once, 1 to 20.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub capacity: u8,
    /// The procedures it serves; all if not given.
    #[arg(long, value_name = "NAME,NAME,…", value_delimiter = ',', value_parser = procedure)]
    pub procedures: Option<Vec<Procedure>>,
}

/// When it is open in a week, and from when to when.
#[derive(Args)]
pub(crate) struct Weekly {
    /// 1 is Monday, 7 Sunday; e.g. 1,2,3,4,5
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = weekday, requires = "opens")]
    pub weekdays: Vec<u8>,
    #[command(flatten)]
    pub hours: Hours,
    /// First day it holds; today if not given, for a change tomorrow.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub from: Option<Date>,
    /// Last day it holds.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub until: Option<Date>,
}

/// A change is looked at, then made.
#[derive(Args)]
pub(crate) struct Seen {
    /// Tell what it would do to the dates given, and do nothing.
    #[arg(long, conflicts_with = "token")]
    pub preview: bool,
    /// The token a preview answered: what it told is to be done.
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,
}

impl Seen {
    pub fn ask(self) -> Ask {
        Ask {
            preview: self.preview,
            token: self.token,
            now: jiff::Timestamp::now(),
            random: central::system_random(),
        }
    }
}

/// The pattern typed for a new counter; none when no weekday is given.
pub(crate) fn pattern(weekly: Weekly, today: Date) -> Result<Option<Pattern>, Stop> {
    if weekly.weekdays.is_empty() && weekly.hours.opens.is_none() {
        return Ok(None);
    }
    typed(weekly, today).map(Some)
}

pub(crate) fn change(
    weekly: Weekly,
    add: bool,
    end: Option<Date>,
    today: Date,
) -> Result<PatternChange, Stop> {
    if let Some(day) = end {
        no_hours(&weekly.hours)?;
        return Ok(PatternChange::End(day));
    }
    let pattern = typed(weekly, today.saturating_add(1.days()))?;
    Ok(if add { PatternChange::Add(pattern) } else { PatternChange::Replace(pattern) })
}

pub(crate) fn openings(hours: &Hours, days: &[Date]) -> Result<Vec<Opening>, Stop> {
    let (opens, closes, every_minutes) = whole(hours)?;
    let procedures = served(hours);
    let opening = |day: &Date| Opening {
        day: *day,
        opens,
        closes,
        every_minutes,
        capacity: hours.capacity,
        procedures,
    };
    Ok(days.iter().map(opening).collect())
}

pub(crate) fn no_hours(hours: &Hours) -> Result<(), Stop> {
    if hours.opens.is_some() {
        return Err(Stop::refused("hours are given for what is taken away; leave --opens and the rest out"));
    }
    Ok(())
}

fn typed(weekly: Weekly, from: Date) -> Result<Pattern, Stop> {
    let (opens, closes, every_minutes) = whole(&weekly.hours)?;
    Ok(Pattern {
        weekdays: weekly.weekdays,
        opens,
        closes,
        every_minutes,
        capacity: weekly.hours.capacity,
        procedures: served(&weekly.hours),
        from: weekly.from.unwrap_or(from),
        until: weekly.until,
    })
}

fn whole(hours: &Hours) -> Result<(Time, Time, u16), Stop> {
    match (hours.opens, hours.closes, hours.every_minutes) {
        (Some(opens), Some(closes), Some(every_minutes)) => Ok((opens, closes, every_minutes)),
        _ => Err(Stop::refused(
            "the hours are missing; add for example --opens 09:00 --closes 16:00 --every-minutes 20",
        )),
    }
}

fn served(hours: &Hours) -> ProcedureSet {
    hours.procedures.as_ref().map_or(ProcedureSet::ALL, |named| ProcedureSet::of(named.iter().copied()))
}

fn weekday(text: &str) -> Result<u8, &'static str> {
    match text.trim().parse() {
        Ok(day @ 1..=7) => Ok(day),
        _ => Err("a weekday is a number from 1 (Monday) to 7 (Sunday), for example --weekdays 1,2,3,4,5"),
    }
}

fn procedure(text: &str) -> Result<Procedure, String> {
    let known = || procedure::all().iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>().join(", ");
    Procedure::parse(text.trim()).ok_or_else(|| format!("the procedures are {}", known()))
}

fn time(text: &str) -> Result<Time, &'static str> {
    Time::strptime("%H:%M", text).map_err(|_| "write the time as HH:MM, for example 09:00")
}
