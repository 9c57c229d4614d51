//! A paper shown at this counter, whoever made it: judged by its seal, offline. One of a
//! lost kiosk is brought to central, which takes the date from it. Nothing of it is
//! believed beyond its seal, and nothing is shown of a forged one.

use crate::arrive::{Appointment, expected};
use crate::contract::{PaperKind, Problem, ShownPaperView};
use crate::kiosk::{Inner, Kiosk, blocking};
use crate::sync;
use scan::{ScanRequest, Scanner as _};
use seal::door::{Door, Ground, rebuild_mark};
use seal::verify::{Circumstances, Verdict, Verification, verify};
use vault::Tx;
use wire::body::{Body, Paper};

/// Most characters a hand scanner sends for both codes.
const TEXT_MAX: usize = 4_096;

/// The codes of one paper, as read.
pub(crate) struct Codes {
    pub door: Vec<u8>,
    rebuild: Option<Vec<u8>>,
}

impl Kiosk {
    /// Reads the codes of a paper and judges it. `text` is what a hand scanner sent; when
    /// it is blank the page in the scanner is read instead.
    ///
    /// # Errors
    /// Nobody has unlocked, the scanner refuses, or no code of ours is there.
    pub async fn show_paper(&self, text: &str) -> Result<ShownPaperView, Problem> {
        self.off(|inner| inner.session().map(|_| ())).await?;
        let codes = if text.trim().is_empty() { self.scan_codes().await? } else { typed(text)? };
        self.off(move |inner| inner.vault.read(|tx| Ok::<_, Problem>(judge(inner, tx, &codes)?.0))).await
    }

    /// Keeps a paper of another kiosk in this one's journal: central takes it from there.
    ///
    /// # Errors
    /// Its seal does not hold, or it is one of this kiosk's own.
    pub async fn bring_paper(&self, door: &str, rebuild: Option<&str>) -> Result<(), Problem> {
        let codes = typed(&[door, rebuild.unwrap_or_default()].join(" "))?;
        self.off(move |inner| {
            let session = inner.session()?;
            let at = inner.now();
            inner.vault.transact(|tx| {
                let (shown, _) = judge(inner, tx, &codes)?;
                if shown.door.is_none() {
                    return Err(Problem::new("paper_not_to_bring"));
                }
                let paper = Paper {
                    door: codes.door.into(),
                    rebuild: codes.rebuild.map(Into::into),
                    mediator: session.mediator,
                    at,
                };
                inner.append(tx, &Body::Paper(paper), at)?;
                Ok::<_, Problem>(())
            })?;
            inner.trust_time(at);
            Ok(())
        })
        .await?;
        self.inner.wake.notify_one();
        Ok(())
    }

    async fn scan_codes(&self) -> Result<Codes, Problem> {
        let scanner = self.inner.scanner.as_ref().ok_or_else(|| Problem::new("no_scanner"))?;
        let request = ScanRequest { max_pages: 1, ..ScanRequest::default() };
        let pages = scanner.scan(&request).await.map_err(Problem::from)?;
        let page = pages.into_iter().next().ok_or_else(|| Problem::new("scanner_no_document"))?;
        let codes = blocking(move || Ok(scan::codes::read(&page.jpeg).unwrap_or_default())).await?;
        pick(codes)
    }
}

/// The door code among those read, and the rebuild code that belongs to it.
fn pick(codes: Vec<Vec<u8>>) -> Result<Codes, Problem> {
    let found = codes.iter().find_map(|code| Some((code, Door::read(code)?.0)));
    let (door, read) = found.ok_or_else(|| Problem::new("paper_no_code"))?;
    let rebuild = codes.iter().find(|code| rebuild_mark(code) == read.rebuild);
    Ok(Codes { door: door.clone(), rebuild: rebuild.cloned() })
}

/// What a hand scanner sends: the text form of one code or of both, in any order.
pub(crate) fn typed(text: &str) -> Result<Codes, Problem> {
    if text.len() > TEXT_MAX {
        return Err(Problem::new("paper_no_code"));
    }
    let codes = text
        .split(seal::text::PREFIX)
        .skip(1)
        .filter_map(|rest| seal::text::to_bytes(&format!("{}{rest}", seal::text::PREFIX)))
        .collect();
    pick(codes)
}

/// What is said of a paper, and the appointment its person came for, where they may be noted as come.
pub(crate) fn judge(
    inner: &Inner,
    tx: &Tx<'_>,
    codes: &Codes,
) -> Result<(ShownPaperView, Option<Appointment>), Problem> {
    let read = Door::read(&codes.door).map(|(door, ..)| door);
    let listed = read.as_ref().map(|door| sync::listed(tx, door)).transpose()?;
    let circumstances = Circumstances {
        site: None,
        at: Some(inner.now()),
        rebuild_code: codes.rebuild.as_deref(),
        listed: listed.as_ref(),
    };
    let judged = verify(&codes.door, &inner.identity.told().ring, &circumstances);
    let registration = read.map(|door| door.registration);
    let own = match (judged.verdict, registration) {
        (Verdict::Valid | Verdict::Look | Verdict::Replaced | Verdict::Cancelled, Some(registration)) => {
            match (tx.visit_of(registration)?, tx.paper(registration)?) {
                (Some(visit), Some(paper)) => Some((visit, paper.registered.registration.lang, paper.door)),
                _ => None,
            }
        }
        _ => None,
    };
    // This kiosk has printed another appointment since: a convocation in place of a receipt. A paper
    // made anew for the same one replaces nothing at a door.
    let replaced = own.as_ref().is_some_and(|(_, _, door)| !is_same_appointment(door, &codes.door));
    let mut view = view(judged, replaced, own.map(|(visit, lang, _)| (visit.to_string(), lang)), codes);
    let good = view.verdict == Verdict::Valid.key() && inner.day_is_in_doubt().is_none();
    let appointment = if good { expected(inner, tx, codes)? } else { None };
    if let Some(appointment) = &appointment {
        let came = tx.arrival(appointment.registration, appointment.at)?;
        view.arrived_at = came.map(|at| inner.civil(at).strftime("%Y-%m-%dT%H:%M").to_string());
        view.arrive = came.is_none().then(|| seal::text::from_bytes(&codes.door));
    }
    Ok((view, appointment))
}

fn is_same_appointment(one: &[u8], other: &[u8]) -> bool {
    let ground = |bytes: &[u8]| Door::read(bytes).map(|(door, ..)| door.ground);
    match (ground(one), ground(other)) {
        (Some(Ground::Slot(one)), Some(Ground::Slot(other)))
        | (Some(Ground::Held(one)), Some(Ground::Held(other))) => one.token.slot == other.token.slot,
        (Some(Ground::Rank(_)), Some(Ground::Rank(_))) => true,
        _ => one == other,
    }
}

fn view(
    judged: Verification,
    replaced: bool,
    own: Option<(String, String)>,
    codes: &Codes,
) -> ShownPaperView {
    // Its seal holds: of a lost kiosk above all, and where this kiosk's own clock is behind.
    let sealed = matches!(judged.verdict, Verdict::Valid | Verdict::Look);
    let bring = sealed && own.is_none();
    let (visit, lang) = own.unzip();
    ShownPaperView {
        reason: if replaced && judged.verdict == Verdict::Valid { "newer_paper" } else { judged.reason }
            .to_owned(),
        replaced_by: judged.replaced_by.map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string()),
        verdict: if replaced { "replaced" } else { judged.verdict.key() }.to_owned(),
        code: judged.code,
        name: judged.name,
        birth: judged.birth,
        kind: judged.paper.map(|paper| match paper {
            "convocation" => PaperKind::Convocation,
            _ => PaperKind::Receipt,
        }),
        slot_at: judged.slot_at.map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string()),
        site: judged.site.map(|site| site.to_string()),
        visit,
        lang,
        arrive: None,
        arrived_at: None,
        door: bring.then(|| seal::text::from_bytes(&codes.door)),
        rebuild: codes.rebuild.as_deref().filter(|_| bring).map(seal::text::from_bytes),
    }
}
