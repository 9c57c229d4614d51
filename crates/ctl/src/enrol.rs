//! `enrol`: makes this machine a kiosk of a site, or its `kiosk.json` whole again. What was typed is looked at before
//! central is asked, so that a slip of the keyboard is never told as central's fault.

use crate::answer::{answer, refuse};
use crate::given_file;
use app::contract::Problem;
use app::settings::{KioskFile, Mode};
use app::{Known, Settings, World};
use domain::ids::KioskId;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Largest authority file read, in bytes: room for a whole system's bundle.
const CA_BYTES: u64 = 1 << 20;

/// With a code, central and its authority are given too; without one `kiosk.json` is repaired.
pub(crate) struct Enrolment {
    pub central: Option<String>,
    pub code: Option<String>,
    pub ca: Option<PathBuf>,
    pub printer: Option<String>,
    pub scanner: Option<String>,
    pub kiosk: Option<KioskId>,
}

pub(crate) async fn enrol(asked: Enrolment) -> ExitCode {
    match done(asked).await {
        Ok(file) => answer(&json!({ "kiosk": file.kiosk, "central": file.central })),
        Err(problem) => refuse(&problem),
    }
}

async fn done(asked: Enrolment) -> Result<KioskFile, Problem> {
    let Enrolment { central, code, ca, printer, scanner, kiosk } = asked;
    if central.as_deref().is_some_and(|url| !is_central_url(url)) {
        return Err(Problem::new("bad_central_url"));
    }
    if printer.as_deref().is_some_and(|address| !is_printer_address(address)) {
        return Err(Problem::new("bad_printer_address"));
    }
    if scanner.as_deref().is_some_and(|address| !is_scanner_address(address)) {
        return Err(Problem::new("bad_scanner_address"));
    }
    let ca = ca.as_deref().map(authority).transpose()?;
    let settings = Settings::from_env().map_err(|_| Problem::new("home_missing"))?;
    let (Some(code), Some(central), Some(ca)) = (code, central.clone(), ca.clone()) else {
        let asked_of = central.clone().unwrap_or_default();
        return app::repair(&settings, Known { kiosk, central, ca, printer, scanner })
            .await
            .map_err(|problem| while_enrolling(problem, &asked_of));
    };
    let kiosk = KioskId([0; 16]);
    let asked_of = central.clone();
    let file = KioskFile { kiosk, central, ca, printer, scanner, idle_s: 120, mode: Mode::Counter };
    app::enrol(&settings, file, &code, &World::system())
        .await
        .map_err(|problem| while_enrolling(problem, &asked_of))
}

/// A kiosk at work goes on without central; one being enrolled cannot.
fn while_enrolling(problem: Problem, central: &str) -> Problem {
    let own = match (problem.code.as_str(), problem.args.get("reason").map(String::as_str)) {
        ("central_refused", Some("bad_code")) => return Problem::new("enrol_code_refused"),
        ("central_unreachable", _) => "enrol_unreachable",
        ("central_untrusted", _) => "enrol_untrusted",
        // An answer that is not central's, or of a page it does not have: another server.
        ("central_bad_answer", _) | ("central_refused", Some("not_found")) => "enrol_not_central",
        _ => return problem,
    };
    Problem::new(own).with("central", central)
}

/// The whole path of the authority's file, once it is known to hold certificates: the
/// kiosk must find it from wherever it is started.
fn authority(ca: &Path) -> Result<PathBuf, Problem> {
    let told = |code: &str| Problem::new(code).with("file", ca.display());
    let pem = given_file::named(ca, CA_BYTES, ["ca_missing", "ca_unreadable", "ca_not_certificate"])?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| told("ca_not_certificate"))?;
        store.add(certificate).map_err(|_| told("ca_not_certificate"))?;
    }
    if store.is_empty() {
        return Err(told("ca_not_certificate"));
    }
    std::fs::canonicalize(ca).map_err(|_| told("ca_unreadable"))
}

/// `https://HOST[:PORT][/PATH]`: no name and password in it, no query.
fn is_central_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.strip_prefix('[').and_then(|six| six.split_once(']')) {
        Some((six, "")) => (six.parse::<std::net::Ipv6Addr>().is_ok(), None),
        Some((six, port)) => (six.parse::<std::net::Ipv6Addr>().is_ok(), Some(port.trim_start_matches(':'))),
        None => {
            let (host, port) = authority.split_once(':').map_or((authority, None), |(h, p)| (h, Some(p)));
            (!host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-')), port)
        }
    };
    let port = port.is_none_or(|port| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    let path =
        path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'.' | b'_' | b'~'));
    host && port && path
}

fn is_printer_address(address: &str) -> bool {
    let rest = address.strip_prefix("ipp://").or_else(|| address.strip_prefix("ipps://"));
    is_plain(address) && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']))
}

fn is_scanner_address(address: &str) -> bool {
    match address.split_once(':') {
        Some(("sane" | "file", rest)) => !rest.is_empty() && !address.chars().any(char::is_control),
        Some(("escl", url)) => is_plain(url) && (url.starts_with("http://") || url.starts_with("https://")),
        _ => false,
    }
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_an_address_is_asked() {
        for url in [
            "https://central.example",
            "https://central.example:8443/",
            "https://127.0.0.1:8443/jalon",
            "https://[::1]:8443",
            "https://préfecture.example:1",
        ] {
            assert!(is_central_url(url), "{url}");
        }
        for url in [
            "",
            "central.example:8443",
            "http://central.example",
            "https://",
            "https:///v1",
            "https://:8443",
            "https://central.example:",
            "https://central.example:0",
            "https://central.example:84430",
            "https://central.example:+443",
            "https://name:word@central.example",
            "https://central.example/?a=b",
            "https://cen tral.example",
            "https://[::1",
            "https://[no]:1",
        ] {
            assert!(!is_central_url(url), "{url}");
        }
        assert!(
            is_printer_address("ipp://localhost:631/ipp/print") && is_printer_address("ipps://p.example")
        );
        for address in ["", "HP", "http://p", "ipp://", "ipp:///x", "ipp://a b"] {
            assert!(!is_printer_address(address), "{address}");
        }
        for address in ["sane:airscan:e0:A B?mode=Gray", "escl:https://s/eSCL", "file:/tmp/pages"] {
            assert!(is_scanner_address(address), "{address}");
        }
        for address in ["", "sane", "sane:", "escl:s", "twain:x", "file:"] {
            assert!(!is_scanner_address(address), "{address}");
        }
    }
}
