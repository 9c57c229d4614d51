//! The same at a counter, with the real kiosk: whom to tell, the notice that is handed over, and what
//! the screen never shows.

use super::*;
use app::Kiosk;
use app::contract::{DateView, DraftFields, RenewalFields, ToTellKind};
use journeys::counter::{Counter, person};
use journeys::stand::SITE;
use sim::ipp_printer::IppPrinter;

/// Words of the reasons that no view may hold.
const REASONS: &str = "Le titre présenté est celui d'une autre personne.";

struct Desk {
    pool: central::Pool,
    central: central::Central,
    code: String,
}

impl Desk {
    async fn of(counter: &Counter, code: &str) -> Self {
        let pool = central::connect(&counter.pool_url).await.unwrap();
        let keys = central::keys::CentralKeys::load(counter.folder.path()).unwrap();
        let (clock, random) = (central::system_clock(), central::system_random());
        let central = central::Central::new(pool.clone(), keys, clock, random).await.unwrap();
        Self { pool, central, code: code.to_owned() }
    }

    async fn says(&self, agent: &str, step: AnnulStep) -> Value {
        let ask = Annul { code: self.code.clone(), step: Some(step), apply: true };
        let random = central::system_random();
        let asked = admin::annul(&self.pool, &ask, jiff::Timestamp::now(), &random);
        administered(Some(agent.to_owned()), asked).await.unwrap()
    }
}

/// Somebody whose renewal is filed from the 40th day on: their date lies after the day to answer,
/// whatever day it is.
async fn registers(kiosk: &Kiosk, name: &str) -> DateView {
    let expires_on = jiff::Zoned::now().date().saturating_add(160.days()).to_string();
    let renewal = Some(RenewalFields { expires_on, regime: "listed".into() });
    let visit = kiosk.start_visit("fr").await.unwrap().visit;
    kiosk.save_draft(&visit, DraftFields { renewal, ..person(name) }).await.unwrap();
    kiosk.confirm(&visit).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_person_is_told_on_paper_and_the_paper_they_have_holds_until_it_is_annulled() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let printer = IppPrinter::start().unwrap();
    let counter = Counter::start(None, Some(printer.uri())).await.unwrap();
    let kiosk = &counter.kiosk;
    let date = registers(kiosk, "DIALLO").await;
    kiosk.exchange().await.unwrap();
    let desk = Desk::of(&counter, &date.code).await;
    let refused = |answer: Result<app::contract::DateView, app::contract::Problem>| answer.unwrap_err().code;
    assert_eq!(refused(kiosk.print_notice(&date.visit).await), "no_annulment");

    let answer_by = jiff::Zoned::now().date().saturating_add(25.days());
    desk.says("Agente A", AnnulStep::Propose { reasons: REASONS.into(), answer_by }).await;
    kiosk.exchange().await.unwrap();
    let home = kiosk.home().await.unwrap();
    assert_eq!(home.to_tell.len(), 1);
    let one = &home.to_tell[0];
    assert_eq!(
        (one.kind, &one.visit, &one.until),
        (ToTellKind::Annulment, &date.visit, &answer_by.to_string())
    );
    assert_eq!(Some(&one.slot_at), date.slot_at.as_ref());
    let shown = kiosk.date(&date.visit).await.unwrap();
    let annulment = shown.annulment.clone().unwrap();
    assert_eq!((annulment.until, annulment.printed, annulment.told_at), (answer_by.to_string(), false, None));
    // The date holds, and so does the paper.
    assert_eq!((&shown.slot_at, &shown.cancelled), (&date.slot_at, &None));
    assert_eq!(kiosk.show_paper(&date.code_large).await.unwrap().verdict, "valid");
    // Nobody is told by a notice that is not printed.
    assert_eq!(refused(kiosk.hand_notice(&date.visit).await), "notice_not_printed");

    let shown = kiosk.print_notice(&date.visit).await.unwrap();
    assert!(shown.annulment.as_ref().unwrap().printed);
    assert_eq!(shown.annulment.unwrap().told_at, None, "printed is not told");
    let landed = printer.received().unwrap();
    let page = std::fs::read(landed.last().unwrap()).unwrap();
    let text = text(&page);
    for wanted in [REASONS, "DIALLO", &date.code, "Rien n'est décidé"] {
        assert!(text.contains(wanted), "`{wanted}` is not in:\n{text}");
    }
    let shown = kiosk.hand_notice(&date.visit).await.unwrap();
    let told_at = shown.annulment.unwrap().told_at;
    assert!(told_at.is_some());
    assert_eq!(kiosk.hand_notice(&date.visit).await.unwrap().annulment.unwrap().told_at, told_at);
    let records = |kind: &str, outbox: app::contract::OutboxView| {
        outbox.items.into_iter().filter(|item| item.kind == kind).count()
    };
    assert_eq!(records("annulment_told", kiosk.outbox().await.unwrap()), 1, "twice is once");
    // No view holds the reasons: a screen may be seen by whoever stands there.
    let home = kiosk.home().await.unwrap();
    assert!(home.to_tell.is_empty());
    let date_now = kiosk.date(&date.visit).await.unwrap();
    for view in [serde_json::to_string(&home).unwrap(), serde_json::to_string(&date_now).unwrap()] {
        assert!(!view.contains("autre personne"), "{view}");
    }

    kiosk.exchange().await.unwrap();
    desk.says("Agente A", AnnulStep::Heard { answer: Some("C'est mon titre.".into()) }).await;
    desk.says("Agent B", decide(true)).await;
    assert_eq!(desk.central.carry_out_annulments().await.unwrap(), 1);
    kiosk.exchange().await.unwrap();
    let shown = kiosk.date(&date.visit).await.unwrap();
    let cancelled = shown.cancelled.unwrap();
    assert!(cancelled.annulled && cancelled.until.is_none() && shown.annulment.is_none());
    assert_eq!(kiosk.show_paper(&date.code_large).await.unwrap().verdict, "cancelled");
    assert_eq!(kiosk.reprint(&date.visit).await.unwrap_err().code, "cancelled");
    assert_eq!(refused(kiosk.reinstate(&date.visit).await), "annulled");
    assert!(kiosk.home().await.unwrap().notices.contains(&"place_annulled".to_owned()));

    // Undone: the very slot again, and the paper they have is good.
    desk.says("Agente C", undo()).await;
    assert_eq!(desk.central.carry_out_annulments().await.unwrap(), 1);
    for _ in 0..2 {
        kiosk.exchange().await.unwrap();
    }
    let shown = kiosk.date(&date.visit).await.unwrap();
    assert_eq!((&shown.cancelled, &shown.slot_at), (&None, &date.slot_at));
    let notices = kiosk.home().await.unwrap().notices;
    assert!(notices.contains(&"annulment_undone".to_owned()), "they are called: {notices:?}");
    assert_eq!(kiosk.show_paper(&shown.code_large).await.unwrap().verdict, "valid");
    let row =
        sqlx::query("SELECT count(*) FROM record WHERE state = 'set_aside'").fetch_one(&desk.pool).await;
    assert_eq!(row.unwrap().get::<i64, _>(0), 0);
}

fn text(pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notice.pdf");
    std::fs::write(&path, pdf).unwrap();
    let read = std::process::Command::new("pdftotext").arg(&path).arg("-").output().unwrap();
    String::from_utf8(read.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Given up, nobody is handed a notice; taken back, the proposal is there as before. Annulled while it was
/// given up, the kiosk says so, and undone it shows what stood before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_outlives_a_cancellation_at_the_counter() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let kiosk = &counter.kiosk;
    let date = registers(kiosk, "DIALLO").await;
    kiosk.exchange().await.unwrap();
    let desk = Desk::of(&counter, &date.code).await;
    let answer_by = jiff::Zoned::now().date().saturating_add(25.days());
    desk.says("Agente A", AnnulStep::Propose { reasons: REASONS.into(), answer_by }).await;
    kiosk.exchange().await.unwrap();
    kiosk.cancel(&date.visit).await.unwrap();
    kiosk.exchange().await.unwrap();
    let shown = kiosk.date(&date.visit).await.unwrap();
    assert!(shown.annulment.is_none() && shown.cancelled.is_some_and(|gone| gone.until.is_some()));
    assert!(kiosk.home().await.unwrap().to_tell.is_empty());
    kiosk.reinstate(&date.visit).await.unwrap();
    for _ in 0..2 {
        kiosk.exchange().await.unwrap();
    }
    let shown = kiosk.date(&date.visit).await.unwrap();
    assert_eq!((&shown.cancelled, &shown.slot_at), (&None, &date.slot_at));
    assert!(shown.annulment.is_some());
    assert_eq!(kiosk.home().await.unwrap().to_tell.len(), 1);

    // Told and heard by the table's own hand: the story is of what is given up.
    sqlx::query("UPDATE annulment SET told_s = 0, until = answer_by, heard_s = 0, heard_by = 'A'")
        .execute(&desk.pool)
        .await
        .unwrap();
    let gone = kiosk.cancel(&date.visit).await.unwrap().cancelled.unwrap();
    kiosk.exchange().await.unwrap();
    desk.says("Agent B", decide(true)).await;
    assert_eq!(desk.central.carry_out_annulments().await.unwrap(), 1);
    kiosk.exchange().await.unwrap();
    let cancelled = kiosk.date(&date.visit).await.unwrap().cancelled.unwrap();
    assert!(cancelled.annulled && cancelled.until.is_none());
    assert_eq!(kiosk.reinstate(&date.visit).await.unwrap_err().code, "annulled");
    desk.says("Agente C", undo()).await;
    assert_eq!(desk.central.carry_out_annulments().await.unwrap(), 1);
    kiosk.exchange().await.unwrap();
    assert_eq!(kiosk.date(&date.visit).await.unwrap().cancelled, Some(gone));
    kiosk.reinstate(&date.visit).await.unwrap();
    for _ in 0..2 {
        kiosk.exchange().await.unwrap();
    }
    let shown = kiosk.date(&date.visit).await.unwrap();
    assert_eq!((shown.cancelled, shown.slot_at), (None, date.slot_at));
}

/// A database put back to before the proposal says nothing of it: nor does the kiosk, once it hears.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_central_that_forgot_an_annulment_leaves_the_person_their_date() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let kiosk = &counter.kiosk;
    let date = registers(kiosk, "DIALLO").await;
    kiosk.exchange().await.unwrap();
    let desk = Desk::of(&counter, &date.code).await;
    let site = journeys::archive::SiteRows(desk.pool.clone());
    let backup = sim::simulation::Archive::back_up(&site, SITE).await.unwrap();
    // Something the kiosk said since: its absence tells that central forgot.
    let other = registers(kiosk, "TRAORÉ").await;
    let answer_by = jiff::Zoned::now().date().saturating_add(25.days());
    desk.says("Agente A", AnnulStep::Propose { reasons: REASONS.into(), answer_by }).await;
    kiosk.exchange().await.unwrap();
    assert!(kiosk.date(&date.visit).await.unwrap().annulment.is_some());
    // Told and heard by the table's own hand: the story is of what is forgotten.
    sqlx::query("UPDATE annulment SET told_s = 0, until = answer_by, heard_s = 0, heard_by = 'A'")
        .execute(&desk.pool)
        .await
        .unwrap();
    desk.says("Agent B", decide(true)).await;
    desk.central.carry_out_annulments().await.unwrap();
    kiosk.exchange().await.unwrap();
    assert!(kiosk.date(&date.visit).await.unwrap().cancelled.unwrap().annulled);

    sim::simulation::Archive::restore(&site, SITE, &backup).await.unwrap();
    for _ in 0..3 {
        kiosk.exchange().await.unwrap();
    }
    let shown = kiosk.date(&date.visit).await.unwrap();
    assert_eq!((shown.cancelled, shown.annulment, shown.slot_at), (None, None, date.slot_at));
    assert!(kiosk.date(&other.visit).await.unwrap().slot_at.is_some());
    assert!(kiosk.home().await.unwrap().to_tell.is_empty());
}
