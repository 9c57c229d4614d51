//! What is around this kiosk: central and its certificate, the clock, printer and scanner. Each
//! is asked a question that changes nothing, and has its time to answer.

use super::own::Found;
use super::{Check, State};
use crate::kiosk::World;
use crate::settings::KioskFile;
use crate::sync::transfer::HttpRemote;
use jiff::Timestamp;
use print::{AnyPrinter, Printer as _};
use reqwest::tls::TlsInfo;
use reqwest::{Certificate, Client};
use scan::AnyScanner;
use std::time::Duration;
use wire::limits::CLOCK_SLACK_S;
use wire::request;
use x509_parser::parse_x509_certificate;

const CENTRAL_LIMIT: Duration = Duration::from_secs(10);
const PRINTER_LIMIT: Duration = Duration::from_secs(10);
/// SANE asks every driver it is set up with.
const SCANNER_LIMIT: Duration = Duration::from_secs(30);
/// A certificate that ends within so many days is to be renewed now.
const RENEW_DAYS: i64 = 30;
const DAY_S: i64 = 86_400;
/// The name of a job nobody has sent.
const NO_JOB: &str = "00000000000000000000000000000000";

pub(super) async fn checks(found: &Found, world: &World) -> Vec<Check> {
    let now = (world.clock)();
    let Some(file) = &found.file else {
        return ["central", "certificate", "clock", "printer", "scanner"]
            .map(|id| Check::new(id, State::Unknown))
            .into();
    };
    let ((central, certificate, told), printer, scanner) =
        tokio::join!(central(file, now), printer(file), scanner(file));
    vec![central, certificate, clock(now, found.time_mark, told), printer, scanner]
}

/// Whether it answers, how long its certificate lasts, and what time it says.
async fn central(file: &KioskFile, now: Timestamp) -> (Check, Check, Option<Timestamp>) {
    let failed = |code: &str| {
        (
            Check::new("central", State::Fail).with("code", code).with("file", file.ca.display()),
            Check::new("certificate", State::Unknown),
            None,
        )
    };
    if let Err(problem) = HttpRemote::open(&file.central, &file.ca) {
        return failed(&problem.code);
    }
    let client =
        std::fs::read(&file.ca).ok().and_then(|pem| Certificate::from_pem(&pem).ok()).and_then(|ca| {
            Client::builder()
                .tls_certs_only([ca])
                .https_only(true)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(CENTRAL_LIMIT)
                .tls_info(true)
                .build()
                .ok()
        });
    let Some(client) = client else { return failed("central_untrusted") };
    let answer = client.get(format!("{}/healthz", file.central.trim_end_matches('/'))).send().await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return failed(crate::sync::transfer::failure(&error).code()),
    };
    let told = answer
        .headers()
        .get(request::NOW)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    let days = answer
        .extensions()
        .get::<TlsInfo>()
        .and_then(TlsInfo::peer_certificate)
        .and_then(|der| Some(parse_x509_certificate(der).ok()?.1.validity().not_after.timestamp()))
        // By central's own clock, if it said: this machine's may be what is wrong.
        .map(|until| (until - told.unwrap_or(now).as_second()) / DAY_S);
    let certificate = match days {
        None => Check::new("certificate", State::Unknown),
        Some(days) => {
            let state = if days < RENEW_DAYS { State::Warn } else { State::Ok };
            Check::new("certificate", state).with("days", days)
        }
    };
    let central = match (answer.status().is_success(), told) {
        (true, Some(_)) => Check::new("central", State::Ok),
        // It is central, and its database does not answer.
        (false, Some(_)) => Check::new("central", State::Warn),
        (_, None) => failed("central_bad_answer").0,
    };
    (central, certificate, told)
}

/// The machine's clock beside what this kiosk trusts and what central says.
fn clock(now: Timestamp, mark: Option<Timestamp>, central: Option<Timestamp>) -> Check {
    let behind = mark.is_some_and(|mark| now.as_second() + CLOCK_SLACK_S < mark.as_second());
    let off = central
        .is_some_and(|central| (now.as_second() - central.as_second()).saturating_abs() > CLOCK_SLACK_S);
    let state = match (behind || off, mark.is_some() || central.is_some()) {
        (true, _) => State::Fail,
        (false, true) => State::Ok,
        (false, false) => State::Unknown,
    };
    Check::new("clock", state)
}

async fn printer(file: &KioskFile) -> Check {
    let Some(address) = &file.printer else { return Check::new("printer", State::Warn) };
    let ca = std::fs::read(&file.ca).ok();
    let asked = async {
        let printer = AnyPrinter::open_with(address, ca.as_deref()).ok()?;
        let nobody = print::AttemptId::parse(NO_JOB).ok()?;
        printer.find(&nobody).await.ok()
    };
    let answers = tokio::time::timeout(PRINTER_LIMIT, asked).await.is_ok_and(|answer| answer.is_some());
    Check::new("printer", if answers { State::Ok } else { State::Fail })
}

async fn scanner(file: &KioskFile) -> Check {
    let Some(address) = &file.scanner else { return Check::new("scanner", State::Warn) };
    let answers = match AnyScanner::open(address) {
        Ok(scanner) => scanner.answers(SCANNER_LIMIT).await.is_ok(),
        Err(_) => false,
    };
    Check::new("scanner", if answers { State::Ok } else { State::Fail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_behind_what_is_trusted_or_off_from_centrals_is_told() {
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let now = at(1_000_000);
        assert_eq!(clock(now, None, None).state, State::Unknown);
        assert_eq!(clock(now, Some(at(1_000_200)), Some(at(999_900))).state, State::Ok);
        assert_eq!(clock(now, Some(at(1_000_400)), None).state, State::Fail);
        assert_eq!(clock(now, None, Some(at(990_000))).state, State::Fail);
    }
}
