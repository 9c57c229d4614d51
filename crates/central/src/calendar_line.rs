//! The hours typed after `central admin`, as the calendar knows them; what to type when
//! something is missing. Never acts.

use crate::command_line::{Hours, Weekly};
use crate::stop::Stop;
use domain::calendar::{Opening, Pattern, PatternChange};
use domain::procedure::ProcedureSet;
use jiff::ToSpan as _;
use jiff::civil::{Date, Time};

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
