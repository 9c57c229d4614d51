#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Bytes both sides have agreed on. A change here is a change of the protocol: what
//! kiosks in the field have written must always be read, and sign to the same bytes.

use domain::applicant::Nationality;
use domain::audit::AuditHeader;
use domain::birth::Birth;
use domain::bytes::{Hash, PublicKey, Salt, Signature};
use domain::correction::Details;
use domain::ids::{
    AnnulmentId, AttemptId, KioskId, LeaseId, OfferId, PageId, RegistrationId, SlotId, WordId,
};
use domain::limit::{Right, TimeLimit};
use domain::offer::NoticeDays;
use domain::own_channel::Channel;
use domain::party::Party;
use domain::renewal::{Regime, Renewal};
use domain::word::Word;
use wire::body::{
    AdvanceRequest, AnnulmentTold, Arrival, Begun, Body, Cancellation, Correction, Dated, Held,
    LimitDeclared, Outcome, Page, Paper, Piece, Print, PrintOutcome, Reinstatement, Release, Transfer,
    WordNoted,
};
use wire::delivery::{Beginning, DeliveredPage, End, Frame};
use wire::messages::{
    Applied, CancelAsked, Change, ChangesAnswer, Counted, DateAnswer, DateRequest, DeliveryAnswer,
    DeliveryState, EnrolAnswer, EnrolRequest, FollowUpAnswer, FollowUpRequest, Followed, LeaseAnswer,
    LeaseRequest, LentSlot, ListKind, OfferAnswer, OfferRequest, OfferState, PushAnswer, PushRequest,
    Reconfirm, ReturnAnswer, ReturnRequest, SignedList, Site, Told, Transferred, WordAnswer, WordRequest,
    WordState,
};
use wire::problem::Problem;
use wire::record::Record;

#[path = "golden/examples.rs"]
mod examples;
use examples::*;

#[test]
fn what_is_signed() {
    kept("header.hex", &hex(&header().to_bytes()));
    kept("acknowledgement.hex", &hex(&acknowledgement().to_bytes()));
    kept("checkpoint.hex", &hex(&checkpoint().checkpoint.to_bytes()));
    let entry =
        AuditHeader { n: 9, at: checkpoint().checkpoint.at, prev: Hash([2; 32]), body_hash: Hash([3; 32]) };
    kept("audit-header.hex", &hex(&entry.to_bytes()));
    let request = wire::request::message(KioskId([1; 16]), "POST", "/v1/journal", &Hash([3; 32]), at());
    kept("request.txt", &String::from_utf8(request).unwrap());
}

#[test]
fn every_body() {
    example("body-registration", &Body::Registration(Box::new(registered())));
    // Written only where it was told: the body above is as it was before there was such a field.
    let mut renewing = registered();
    renewing.registration.renewal =
        Some(Renewal { expires_on: jiff::civil::date(2027, 6, 30), regime: Regime::Listed });
    example("body-registration-renewal", &Body::Registration(Box::new(renewing)));
    let mut ahead = registered();
    ahead.registration.accepts_earlier = NoticeDays::parse("14").unwrap();
    example("body-registration-ahead", &Body::Registration(Box::new(ahead)));
    let mut wide = registered();
    wide.registration.department_wide = true;
    example("body-registration-department", &Body::Registration(Box::new(wide)));
    let mut together = registered();
    let (first, beside) = (RegistrationId([7; 16]), vec![jiff::civil::date(2027, 3, 9).at(9, 20, 0, 0)]);
    together.registration.party = Some(Party { first, people: 2, beside });
    example("body-registration-party", &Body::Registration(Box::new(together)));
    let mut moved = registered();
    moved.registration.moved = Some(domain::code::FollowUpCode::from_random([9; 8]));
    example("body-registration-moved", &Body::Registration(Box::new(moved)));
    let page = Page { page: PageId([1; 16]), number: 1, rotation: 0, bytes: 5, sha256: Hash([2; 32]) };
    let registration = RegistrationId([6; 16]);
    example(
        "body-piece",
        &Body::Piece(Piece { registration, pages: vec![page], mediator: mediator(), at: at() }),
    );
    let attempt = AttemptId([7; 16]);
    let print = Print {
        registration,
        attempt,
        state: PrintOutcome::Printed,
        sha256: Hash([8; 32]),
        mediator: mediator(),
        at: at(),
    };
    example("body-print", &Body::Print(print));
    let dated = Dated { registration: RegistrationId([6; 16]), token: vec![9; 12].into(), at: at() };
    example("body-dated", &Body::Dated(dated));
    example("body-incarnation", &Body::Incarnation(Begun { because: "disk_older".into(), at: at() }));
    let held = Held { lease: LeaseId([8; 16]), token: vec![9; 12].into() };
    let busy = Outcome::Rank { held: None, told: None, busy: Some(domain::busy::Busy::Mediator) };
    example("outcome-rank-busy", &busy);
    example("outcome-rank-held", &Outcome::Rank { held: Some(held), told: Some(at()), busy: None });
    example(
        "body-release",
        &Body::Release(Release { lease: LeaseId([8; 16]), slots: vec![SlotId(41)], at: at() }),
    );
    let paper =
        Paper { door: vec![9; 12].into(), rebuild: Some(vec![7; 12].into()), mediator: mediator(), at: at() };
    example("body-paper", &Body::Paper(paper));
    let request = AdvanceRequest { registration: RegistrationId([6; 16]), mediator: mediator(), at: at() };
    example("body-advance-request", &Body::AdvanceRequest(request));
    let registration = RegistrationId([6; 16]);
    let cancelled = Cancellation { registration, mediator: mediator(), at: at() };
    example("body-cancellation", &Body::Cancellation(cancelled));
    let reinstated = Reinstatement { registration, mediator: mediator(), at: at() };
    example("body-reinstatement", &Body::Reinstatement(reinstated));
    let limit = TimeLimit {
        right: Right::ProtectionOrder,
        last_day: "2027-09-08".parse().unwrap(),
        evidence: "Tribunal 27/00123".into(),
    };
    let learnt = LimitDeclared { registration, limit, mediator: mediator(), at: at() };
    example("body-limit", &Body::Limit(learnt));
    let details = Details {
        family_names: "DIALLO".into(),
        given_names: Some("Aïssata".into()),
        birth: Birth::Whole { date: jiff::civil::date(1991, 3, 14) },
        nationality: Nationality::parse("MLI").unwrap(),
    };
    let corrected = Correction { registration, details, lang: "fr".into(), mediator: mediator(), at: at() };
    example("body-correction", &Body::Correction(corrected));
    let (slot, appointment) = (SlotId(41), jiff::civil::date(2027, 2, 1).at(9, 20, 0, 0));
    let arrival = Arrival { registration, slot, appointment, mediator: mediator(), at: at() };
    example("body-arrival", &Body::Arrival(arrival));
    let (annulment, until) = (AnnulmentId([3; 16]), jiff::civil::date(2027, 2, 5));
    let told = AnnulmentTold { registration, annulment, until, mediator: mediator(), at: at() };
    example("body-annulment-told", &Body::AnnulmentTold(told));
    let transfer = Transfer { registration, mediator: mediator(), at: at() };
    example("body-transfer", &Body::Transfer(transfer));
    example("body-word", &Body::Word(WordNoted { said: said(), at: at() }));
    for outcome in
        [Outcome::Online { token: vec![9; 12].into() }, Outcome::Rank { held: None, told: None, busy: None }]
    {
        let name = if outcome.token().is_none() { "outcome-rank" } else { "outcome-online" };
        example(name, &outcome);
    }
}

#[test]
fn every_message() {
    let record = Record {
        header: header(),
        signature: Signature([5; 64]),
        salt: Salt([6; 16]),
        body: b"{}".to_vec().into(),
    };
    example("push-request", &PushRequest { records: vec![record] });
    example("acknowledgement", &acknowledgement());
    let enrol = EnrolRequest { code: "7K3Q".into(), key: PublicKey([1; 32]), proof: Signature([2; 64]) };
    example("enrol-request", &enrol);
    example("date-request", &DateRequest { registration: registered().registration });
    example("return-request", &ReturnRequest { certificate: vec![7; 12].into() });
    example("return-answer", &ReturnAnswer { kiosk: KioskId([1; 16]) });
    let code = registered().registration.code;
    example("follow-up-request", &FollowUpRequest { code, year: 1990, month: Some(3), day: Some(14) });
    let followed = Followed {
        at: Some(jiff::civil::date(2027, 2, 1).at(9, 20, 0, 0)),
        site: "Sous-préfecture d'exemple".into(),
        zone: "Europe/Paris".into(),
        lang: "ar".into(),
        cancelled: false,
        until: None,
        asked: None,
        reconfirm: None,
        offer: None,
    };
    example("follow-up-answer", &FollowUpAnswer { found: Some(followed.clone()) });
    let followed = Followed { offer: Some(offered()), ..followed };
    example("follow-up-answer-offer", &FollowUpAnswer { found: Some(followed.clone()) });
    let reconfirm = Some(Reconfirm { last: jiff::civil::date(2027, 1, 22), said: false });
    let (word, at, channel) = (WordId([4; 16]), self::at(), Channel::Email);
    let asked = Some(CancelAsked { word, channel, at, due: domain::own_channel::due(at) });
    let far = Followed { reconfirm, asked, ..followed.clone() };
    example("follow-up-answer-far", &FollowUpAnswer { found: Some(far) });
    let until = Some(jiff::civil::date(2027, 2, 14));
    let cancelled = Followed { at: None, cancelled: true, until, offer: None, ..followed };
    example("follow-up-answer-cancelled", &FollowUpAnswer { found: Some(cancelled) });
    let word = WordRequest {
        word: WordId([4; 16]),
        code,
        year: 1990,
        month: Some(3),
        day: Some(14),
        says: Word::Cancel,
        appointment: Some(jiff::civil::date(2027, 2, 1).at(9, 20, 0, 0)),
        mediator: mediator(),
        document_seen: true,
    };
    example("word-request", &word);
    let (registration, state) = (Some(RegistrationId([6; 16])), Some(WordState::Done));
    example("word-answer", &WordAnswer { state, registration, at: None, until });
    let (state, none) = (Some(WordState::Transferred), None);
    example("word-answer-transferred", &WordAnswer { state, registration: none, at: None, until: None });
    example("change-word", &Change::Word { said: said() });
    let (word, registration) = (WordId([4; 16]), RegistrationId([6; 16]));
    let at = self::at();
    let asked = CancelAsked { word, channel: Channel::Phone, at, due: domain::own_channel::due(at) };
    example("change-cancel-asked", &Change::CancelAsked { registration, asked });
    example("change-cancel-withdrawn", &Change::CancelWithdrawn { registration, word });
    let offer = OfferId([3; 16]);
    let said = OfferRequest { code, year: 1990, month: Some(3), day: Some(14), offer, accept: true };
    example("offer-request", &said);
    let at = Some(jiff::civil::date(2027, 1, 20).at(10, 0, 0, 0));
    example("offer-answer", &OfferAnswer { state: Some(OfferState::Accepted), at });
    let registration = RegistrationId([6; 16]);
    let token = Some(vec![9; 12].into());
    let date = DateAnswer { registration, token, after_limit: false, extra: false, transfer: None };
    example("date-answer", &date);
    example("date-answer-extra", &DateAnswer { extra: true, ..date.clone() });
    example("date-answer-transfer", &DateAnswer { transfer: Some(transferred()), ..date });
    example("change-transfer", &Change::Transfer { registration, transfer: transferred() });
    let none = Change::Transfer { registration, transfer: Transferred::default() };
    example("change-transfer-none", &none);
    example("lease-request", &LeaseRequest { today: jiff::civil::date(2027, 1, 15), incarnation: 1 });
    example("lease-answer", &LeaseAnswer { lent: 4 });
    let slot = LentSlot {
        slot: SlotId(41),
        at: jiff::civil::date(2027, 2, 1).at(9, 20, 0, 0),
        stratum: domain::lease::Stratum::Near,
        procedures: None,
        back: None,
        token: vec![9; 12].into(),
    };
    let back = LentSlot { back: Some(jiff::civil::date(2027, 1, 18)), ..slot.clone() };
    example("change-lease", &Change::Lease { lease: LeaseId([8; 16]), incarnation: 1, slots: vec![slot] });
    example(
        "change-lease-back",
        &Change::Lease { lease: LeaseId([8; 16]), incarnation: 1, slots: vec![back] },
    );
    let answered = Change::Answered { registration, asked: self::at(), answer: "Non".into(), at: self::at() };
    example("change-answered", &answered);
    example("change-offered", &Change::Offered { registration, offer: offered() });
    let ended = Change::Ended { registration, at: self::at(), because: "missed".into(), site: None };
    example("change-ended", &ended);
    let (because, site) = ("transferred".into(), Some("Préfecture d'exemple".into()));
    let transferred = Change::Ended { registration, at: self::at(), because, site };
    example("change-ended-transferred", &transferred);
    example("change-offer-ended", &Change::OfferEnded { registration, offer });
    let (annulment, answer_by) = (AnnulmentId([3; 16]), jiff::civil::date(2027, 2, 5));
    let reasons = "Le titre présenté n'est pas celui de la personne.".into();
    example("change-annulment", &Change::AnnulmentProposed { registration, annulment, answer_by, reasons });
    example("change-annulled", &Change::Annulled { registration, annulment, at: self::at() });
    example("change-annulment-over", &Change::AnnulmentOver { registration, annulment, date_follows: true });
    let slots = vec![SlotId(41), SlotId(42)];
    example("change-withdrawn", &Change::Withdrawn { lease: LeaseId([8; 16]), slots });
    example("change-dated", &Change::Dated { registration, token: vec![9; 12].into() });
    let (from, because) = (jiff::civil::date(2027, 2, 1).at(9, 20, 0, 0), "closed".into());
    let moved = Change::Moved { registration, from, token: vec![9; 12].into(), because };
    example("change-moved", &moved);
    example("signed-roster", &roster());
    let result = Applied::SetAside { reason: "slot_taken".into() };
    example("change-result", &Change::Result { incarnation: 1, seq: 7, hash: Hash([4; 32]), result });
}

#[test]
fn every_answer() {
    let site = Site {
        id: domain::ids::SiteId::parse("DEMO").unwrap(),
        name: "Sous-préfecture d'exemple".into(),
        address: vec!["12 rue de l'Exemple".into(), "99999 Ville-Modèle".into()],
        phone: Some("01 99 00 12 34".into()),
        zone: "America/Cayenne".into(),
        per_hour: domain::busy::PerHour::default(),
    };
    let enrolled = EnrolAnswer {
        kiosk: KioskId([1; 16]),
        site,
        certificate: vec![7; 12].into(),
        ring: serde_json::json!({ "root": "01".repeat(32), "certificates": [] }),
        site_key: "age1exampleexampleexample".into(),
        roster: roster(),
        epoch: "6f1a-1".into(),
        now: at(),
    };
    example("enrol-answer", &enrolled);
    let pushed = PushAnswer {
        epoch: "6f1a-1".into(),
        received: Some(acknowledgement()),
        durable: Some(acknowledgement()),
    };
    example("push-answer", &pushed);
    // A central that lost everything, or was never told anything.
    example("push-answer-nothing", &PushAnswer { epoch: "6f1a-2".into(), received: None, durable: None });
    example("delivery-answer", &delivered());
    let registration = RegistrationId([6; 16]);
    let slot = LentSlot {
        slot: SlotId(41),
        at: jiff::civil::date(2027, 2, 1).at(9, 20, 0, 0),
        stratum: domain::lease::Stratum::Tail,
        procedures: None,
        back: None,
        token: vec![9; 12].into(),
    };
    let result = |seq, result| Change::Result { incarnation: 1, seq, hash: Hash([4; 32]), result };
    let changes = vec![
        result(5, Applied::Applied),
        result(6, Applied::SetAside { reason: "slot_taken".into() }),
        Change::Lease { lease: LeaseId([8; 16]), incarnation: 1, slots: vec![slot] },
        Change::Answered { registration, asked: at(), answer: "Non".into(), at: at() },
        Change::Dated { registration, token: vec![9; 12].into() },
    ];
    for change in &changes {
        // A kind added later needs its example here.
        match change {
            Change::Result { .. }
            | Change::Lease { .. }
            | Change::Withdrawn { .. }
            | Change::Answered { .. }
            | Change::Moved { .. }
            | Change::Offered { .. }
            | Change::OfferEnded { .. }
            | Change::Ended { .. }
            | Change::Transfer { .. }
            | Change::AnnulmentProposed { .. }
            | Change::Annulled { .. }
            | Change::AnnulmentOver { .. }
            | Change::Word { .. }
            | Change::CancelAsked { .. }
            | Change::CancelWithdrawn { .. }
            | Change::Dated { .. } => {}
        }
    }
    let pulled = ChangesAnswer {
        epoch: "6f1a-1".into(),
        received: Some(acknowledgement()),
        durable: Some(acknowledgement()),
        cursor: 12,
        mark: "0a1b2c3d4e5f6071".into(),
        more: true,
        changes: changes.into_iter().map(Told::Known).collect(),
        lists: vec![SignedList {
            kind: ListKind::Issuers,
            list: b"{}".to_vec().into(),
            key: "01020304".into(),
            signature: Signature([5; 64]),
        }],
        ring: None,
        checkpoint: Some(checkpoint()),
        retired: false,
        roster: Some(roster()),
        quarantined: false,
        now: at(),
    };
    example("changes-answer", &pulled);
    // An older central says nothing of the roster.
    let mut older = serde_json::to_value(&pulled).unwrap();
    older.as_object_mut().unwrap().remove("roster");
    assert!(serde_json::from_value::<ChangesAnswer>(older).unwrap().roster.is_none());
}

#[test]
fn a_problem() {
    let problem = Problem {
        code: "too_many_registrations".into(),
        status: 429,
        args: [("max".to_owned(), "40".to_owned())].into(),
    };
    example("problem", &problem);
    // Without args it is read all the same: RFC 9457 lets a member be left out.
    let bare: Problem = serde_json::from_str(r#"{"code":"unknown_kiosk","status":401}"#).unwrap();
    assert!(bare.args.is_empty());
}

fn delivered() -> DeliveryAnswer {
    DeliveryAnswer {
        records: Counted { received: 12, known: 3, refused: 1 },
        pages: Counted { received: 7, known: 0, refused: 0 },
        ..DeliveryAnswer::still(DeliveryState::Done)
    }
}

/// What stands inside an export file, frame by frame.
#[test]
fn an_export_files_frames() {
    let salt = Salt([5; 16]);
    let record =
        Record { header: header(), signature: Signature([4; 64]), salt, body: b"{}".to_vec().into() };
    let page = DeliveredPage {
        page: PageId([6; 16]),
        registration: RegistrationId([7; 16]),
        sha256: Hash([8; 32]),
        locked: vec![9; 5],
    };
    let frames = [
        Frame::Beginning(Beginning { kiosk: KioskId([1; 16]), certificate: vec![7; 12].into(), at: at() }),
        Frame::Record(Box::new(record)),
        Frame::Page(page),
        Frame::End(End { records: 1, pages: 1 }),
    ];
    let mut bytes = Vec::new();
    for frame in &frames {
        frame.write(&mut bytes).unwrap();
    }
    kept("export-frames.hex", &hex(&bytes));
    let mut left = bytes.as_slice();
    let mut again = Vec::new();
    for _ in &frames {
        Frame::read(&mut left).unwrap().write(&mut again).unwrap();
    }
    assert!(left.is_empty());
    assert_eq!(again, bytes);
}
