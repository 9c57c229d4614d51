//! `appointment`: a person comes back with their paper, as at the counter. The follow-up code and the birth
//! date open it, at the kiosk that made it or, with a network, at another; then what the person says is done.

use crate::answer::{answer, refuse};
use crate::register::{pin, who};
use app::contract::{BirthFields, DateView, ElsewhereView, FollowUpView, Problem, WordKind, WordView};
use app::{Kiosk, Settings};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// How long central is waited for once something was said: what it answers is told with it.
const EXCHANGE_LIMIT: Duration = Duration::from_secs(10);

/// Whose appointment, and what they say.
#[derive(Args)]
pub(crate) struct Appointment {
    /// The follow-up code on the paper.
    code: String,
    /// The birth date as far as the paper has it: YYYY, YYYY-MM or YYYY-MM-DD.
    #[arg(long, value_name = "DATE", value_parser = born)]
    born: BirthFields,
    /// What the person says; nothing is changed when not given.
    #[arg(long, value_enum)]
    say: Option<Say>,
    /// The mediator has seen an identity document: to give up or to take back an appointment whose
    /// paper another kiosk made.
    #[arg(long, requires = "say")]
    document_seen: bool,
    /// Who serves the person; the only mediator of the site when not given.
    #[arg(long, value_name = "ID")]
    mediator: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Say {
    /// They give the appointment up.
    Cancel,
    /// They take that back, within 30 days.
    TakeBack,
    /// They will come.
    Come,
    /// They take the earlier date they are offered.
    Accept,
    /// They keep the date they have.
    Decline,
    /// They ask for an earlier date: at the kiosk that made the paper.
    Earlier,
}

pub(crate) async fn appointment(asked: &Appointment) -> ExitCode {
    match said(asked).await {
        Ok(told) => answer(&told),
        Err(problem) => refuse(&problem),
    }
}

/// The person is here with their paper: noted as at the door. Answers what the paper is.
pub(crate) async fn arrive(door: &str, mediator: Option<&str>) -> ExitCode {
    let done = async {
        let kiosk = unlocked(mediator).await?;
        kiosk.arrive(door).await
    };
    match done.await {
        Ok(paper) => answer(&json!({
            "verdict": paper.verdict,
            "reason": paper.reason,
            "code": paper.code,
            "slot_at": paper.slot_at,
            "site": paper.site,
            "arrived_at": paper.arrived_at,
        })),
        Err(problem) => refuse(&problem),
    }
}

async fn unlocked(mediator: Option<&str>) -> Result<Kiosk, Problem> {
    let kiosk = Kiosk::open(Settings::from_env()?).await?;
    let mediator = who(&kiosk, mediator).await?;
    kiosk.unlock(&mediator, &pin()?).await?;
    Ok(kiosk)
}

async fn said(asked: &Appointment) -> Result<Value, Problem> {
    let kiosk = unlocked(asked.mediator.as_deref()).await?;
    match kiosk.follow_up(&asked.code, asked.born.clone()).await? {
        FollowUpView { visit: Some(visit), .. } => Ok(shown(&here(&kiosk, &visit, asked.say).await?)),
        FollowUpView { elsewhere: Some(paper), .. } => elsewhere(&kiosk, asked, paper).await,
        FollowUpView { .. } => Err(Problem::new("follow_up_unknown")),
    }
}

/// At the kiosk that made the paper.
async fn here(kiosk: &Kiosk, visit: &str, say: Option<Say>) -> Result<DateView, Problem> {
    match say {
        None => return kiosk.date(visit).await,
        Some(Say::Accept) => return kiosk.answer_offer(visit, true).await,
        Some(Say::Decline) => return kiosk.answer_offer(visit, false).await,
        Some(Say::Cancel) => drop(kiosk.cancel(visit).await?),
        Some(Say::TakeBack) => drop(kiosk.reinstate(visit).await?),
        Some(Say::Come) => drop(kiosk.say_coming(visit).await?),
        Some(Say::Earlier) => drop(kiosk.ask_earlier(visit).await?),
    }
    // It is kept; without a network it goes with the next exchange, and the answer says so.
    let _ = tokio::time::timeout(EXCHANGE_LIMIT, kiosk.exchange()).await;
    kiosk.date(visit).await
}

fn shown(date: &DateView) -> Value {
    json!({
        "code": date.code,
        "made_here": true,
        "site": date.site,
        "slot_at": date.slot_at,
        "no_later_than": date.no_later_than,
        "zone": date.zone,
        "after_limit": date.after_limit,
        "limit_letter": date.limit_letter,
        "cancelled": date.cancelled,
        "cancel_asked": date.cancel_asked,
        "reconfirm": date.reconfirm,
        "offer": date.offer,
        "earlier": date.advance,
        "annulment": date.annulment,
        "transfer": date.transfer,
        "only_here": date.only_here,
    })
}

/// At another kiosk: central does it at once, or nothing is changed.
async fn elsewhere(kiosk: &Kiosk, asked: &Appointment, paper: ElsewhereView) -> Result<Value, Problem> {
    let (code, birth) = (&asked.code, asked.born.clone());
    let word = async |word: WordKind| {
        kiosk.say_elsewhere(code, birth.clone(), word, paper.slot_at.clone(), asked.document_seen).await
    };
    let answered = async |accept: bool| {
        let offer = paper.offer.as_ref().ok_or_else(|| Problem::new("no_offer"))?;
        kiosk.answer_offer_elsewhere(code, birth.clone(), &offer.offer, accept).await
    };
    let mut told = serde_json::to_value(&paper).map_err(|_| Problem::new("unknown"))?;
    let now = match asked.say {
        None => json!({}),
        Some(Say::Earlier) => return Err(Problem::new("paper_not_here")),
        Some(Say::Cancel) => noted(&word(WordKind::Cancel).await?),
        Some(Say::TakeBack) => noted(&word(WordKind::TakeBack).await?),
        Some(Say::Come) => noted(&word(WordKind::Come).await?),
        Some(Say::Accept) => json!({ "slot_at": answered(true).await?.slot_at, "offer": null }),
        Some(Say::Decline) => json!({ "slot_at": answered(false).await?.slot_at, "offer": null }),
    };
    if let (Value::Object(told), Value::Object(now)) = (&mut told, now) {
        told.extend(now);
        told.insert("made_here".into(), false.into());
    }
    Ok(told)
}

fn noted(done: &WordView) -> Value {
    let mut now = json!({ "slot_at": done.slot_at, "until": done.until, "cancel_asked": null });
    if done.word != WordKind::Come
        && let Value::Object(now) = &mut now
    {
        now.insert("cancelled".into(), (done.word == WordKind::Cancel).into());
    }
    now
}

/// What is not a date at all is told here; whether it is theirs, the counter's own rule says.
fn born(text: &str) -> Result<BirthFields, String> {
    let parts: Vec<&str> = text.trim().split('-').collect();
    let digits = |part: &&str, n: std::ops::RangeInclusive<usize>| {
        n.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut given = parts.iter();
    let year = given.next().filter(|year| digits(year, 4..=4));
    let rest: Vec<&str> = given.copied().collect();
    match year {
        Some(year) if rest.len() <= 2 && rest.iter().all(|part| digits(part, 1..=2)) => {
            let part = |n: usize| rest.get(n).copied().unwrap_or_default().to_owned();
            Ok(BirthFields {
                year: (*year).to_owned(),
                month: part(0),
                day: part(1),
                ..BirthFields::default()
            })
        }
        _ => Err("write the birth date as YYYY, YYYY-MM or YYYY-MM-DD".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test that fails here has failed
    use super::*;

    #[test]
    fn a_birth_date_is_taken_as_far_as_it_is_known() {
        let read = |text| born(text).map(|born| (born.year, born.month, born.day));
        assert_eq!(read("1990"), Ok(("1990".into(), String::new(), String::new())));
        assert_eq!(read("1990-5"), Ok(("1990".into(), "5".into(), String::new())));
        assert_eq!(read("1990-05-02"), Ok(("1990".into(), "05".into(), "02".into())));
        for wrong in ["", "90", "1990-", "1990-05-02-1", "02/05/1990", "1990-005", "١٩٩٠"] {
            assert!(born(wrong).is_err(), "{wrong}");
        }
    }
}
