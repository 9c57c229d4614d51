//! The time this kiosk goes by: never before the last record it wrote or the last time
//! central told, and since then as long as the machine has been running, whatever its
//! clock says. When the clock is behind that, nobody here knows the day: the mediator is
//! asked for it, and what is kept says so.

use crate::contract::Problem;
use crate::kiosk::{Inner, Kiosk, lock};
use domain::planted;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use std::time::{Duration, Instant};

/// How far behind a machine's clock may be before its day is doubted: what clocks drift in
/// a few months without a network.
const BEHIND: SignedDuration = SignedDuration::from_mins(5);
/// How far ahead of the last known day a declared one may lie, in days: a kiosk that stood
/// in a cupboard for a year. Beyond it somebody mistyped the year.
const AHEAD_DAYS: i32 = 400;

/// The highest time there was reason to trust, and how long the machine had been running
/// then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeMark {
    at: Timestamp,
    ran: Duration,
}

impl TimeMark {
    pub const NONE: Self = Self { at: Timestamp::UNIX_EPOCH, ran: Duration::ZERO };

    /// What time it is at least, when the machine has been running for `ran`.
    fn now(self, ran: Duration) -> Timestamp {
        let since = SignedDuration::try_from(ran.saturating_sub(self.ran)).unwrap_or_default();
        self.at.checked_add(since).unwrap_or(self.at)
    }
}

/// How long this machine has been running, suspended or not.
#[must_use]
pub fn since_boot() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let here = START.get_or_init(Instant::now).elapsed();
    let uptime = std::fs::read_to_string("/proc/uptime").ok();
    let seconds = uptime.as_deref().and_then(|text| text.split(' ').next()?.parse().ok());
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(here)
}

impl Inner {
    pub fn now(&self) -> Timestamp {
        let least = self.least();
        let clock = self.clock();
        if planted::on("clock_trusted_backwards") { clock } else { clock.max(least) }
    }

    /// Raises the trusted time; it never goes back.
    pub(crate) fn trust_time(&self, at: Timestamp) {
        let ran = (self.world.since_boot)();
        let mut state = lock(&self.sync);
        if at > state.time_mark.now(ran) || planted::on("time_mark_falls") {
            state.time_mark = TimeMark { at, ran };
        }
    }

    /// The first day today can be, when the clock is behind what is known and central has
    /// not been heard since this program began. None when the day is known.
    pub(crate) fn day_is_in_doubt(&self) -> Option<Date> {
        let least = self.least();
        let heard = {
            let state = lock(&self.sync);
            state.last_contact.is_some() || state.day_declared
        };
        let behind = least.duration_since(self.clock()) > BEHIND;
        (behind && !heard).then(|| self.civil(least).date())
    }

    /// # Errors
    /// Nobody knows what day it is.
    pub(crate) fn day_is_known(&self) -> Result<(), Problem> {
        match self.day_is_in_doubt() {
            Some(_) => Err(Problem::new("today_unknown")),
            None => Ok(()),
        }
    }

    /// Does what is kept now rest on a day the mediator said?
    pub(crate) fn day_declared(&self) -> bool {
        let state = lock(&self.sync);
        state.day_declared && state.last_contact.is_none()
    }

    fn least(&self) -> Timestamp {
        let ran = (self.world.since_boot)();
        lock(&self.sync).time_mark.now(ran)
    }

    /// The machine's clock, to the second.
    fn clock(&self) -> Timestamp {
        Timestamp::from_second((self.world.clock)().as_second()).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl Kiosk {
    /// The mediator says what day it is, `YYYY-MM-DD`. It moves the trusted time forward to
    /// the beginning of that day, never back.
    ///
    /// # Errors
    /// Nobody has unlocked, the day is not in doubt, or it cannot be this one.
    pub async fn declare_today(&self, day: &str) -> Result<(), Problem> {
        let day = day.to_owned();
        self.off(move |inner| {
            inner.session()?;
            let first = inner.day_is_in_doubt().ok_or_else(|| Problem::new("today_known"))?;
            let day = Date::strptime("%Y-%m-%d", &day).map_err(|_| Problem::new("today_not_a_day"))?;
            let last = first.saturating_add(AHEAD_DAYS.days());
            if day < first || day > last {
                return Err(Problem::new("today_out_of_range").with("first", first).with("last", last));
            }
            let begins = day
                .to_zoned(inner.identity.told().zone.clone())
                .map_err(|_| Problem::new("today_not_a_day"))?;
            inner.trust_time(begins.timestamp());
            lock(&inner.sync).day_declared = true;
            Ok(())
        })
        .await
    }
}
