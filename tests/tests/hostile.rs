#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The table of hostile values, crossed with every field of every message central takes:
//! refused with a code, or kept exactly; never a failure, and never in the way of the rest.

use axum::body::Body;
use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::applicant::{Agdref, Applicant, Contact, Identity, Relation, Representative};
use domain::birth::Birth;
use domain::code::FollowUpCode;
use domain::correction::Details;
use domain::ids::{AnnulmentId, AttemptId, LeaseId, OfferId, PageId, RegistrationId, SlotId, WordId};
use domain::limit::{Right, TimeLimit};
use domain::offer::NoticeDays;
use domain::party::Party;
use domain::registration::Registration;
use domain::renewal::{Regime, Renewal};
use domain::word::Word;
use jiff::ToSpan;
use journeys::device::{Device, Said, Service};
use journeys::hostile::{places, texts, values, with};
use serde_json::{Value, json};
use sqlx::Row;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use wire::body::{
    self, AdvanceRequest, Begun, Dated, Held, Outcome, Page, Paper, Piece, Print, PrintOutcome, Registered,
    Release,
};
use wire::messages::{
    DateRequest, EnrolRequest, FollowUpRequest, LeaseRequest, OfferRequest, PushRequest, ReturnRequest,
    WordRequest,
};

/// A registration with every field it may have: a new one is asked for by the compiler.
fn registration(device: &Device, service: &Service) -> Registration {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut id = [0x5a; 16];
    id[..4].copy_from_slice(&COUNT.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    let Registration {
        id,
        code,
        site,
        procedure,
        lang,
        registered_at,
        registered_on,
        mediator,
        applicant,
        ..
    } = device.registration_at(service.now(), id, "Diallo").unwrap();
    let Applicant { nationality, .. } = applicant;
    Registration {
        id,
        code,
        site,
        procedure,
        limit: Some(TimeLimit {
            right: Right::CourtInjunction,
            last_day: registered_on.saturating_add(40.days()),
            evidence: "TA 1".into(),
        }),
        renewal: Some(Renewal {
            expires_on: registered_on.saturating_add(150.days()),
            regime: Regime::Listed,
        }),
        party: Some(Party {
            first: RegistrationId([8; 16]),
            people: 3,
            beside: vec![registered_on.saturating_add(9.days()).at(9, 0, 0, 0)],
        }),
        moved: Some(FollowUpCode::from_random([9; 8])),
        witness: domain::ids::MediatorId::parse("second").ok(),
        accepts_earlier: NoticeDays::parse("14").unwrap(),
        department_wide: true,
        applicant: Applicant {
            family_names: "Diallo".into(),
            given_names: Some("Awa".into()),
            birth: Birth::Whole { date: "1991-03-14".parse().unwrap() },
            birth_place: Some("Kayes".into()),
            nationality,
            agdref: Agdref::parse("1234567890"),
            identity: Identity::Declared,
            contact: Contact {
                phone: Some("0612345678".into()),
                email: Some("a@b.fr".into()),
                postal: Some("1 rue".into()),
            },
            representative: Some(Representative {
                family_names: "Diallo".into(),
                given_names: Some("B".into()),
                relation: Relation::Parent,
            }),
        },
        lang,
        registered_at,
        registered_on,
        mediator,
    }
}

/// One body of every kind, with every field.
fn bodies(device: &Device, service: &Service) -> Vec<body::Body> {
    let (at, id, mediator) = (service.now(), RegistrationId([1; 16]), registration(device, service).mediator);
    let (lease, hash) = (LeaseId([2; 16]), device.prev);
    let token = || vec![1; 120].into();
    let registered = |outcome| {
        body::Body::Registration(Box::new(Registered {
            registration: registration(device, service),
            outcome,
            at,
            day_declared: false,
        }))
    };
    let page = Page { page: PageId([3; 16]), number: 1, rotation: 90, bytes: 10, sha256: hash };
    let print = PrintOutcome::Printed;
    vec![
        registered(Outcome::Rank { held: None, told: Some(at), busy: None }),
        registered(Outcome::Rank { held: Some(Held { lease, token: token() }), told: None, busy: None }),
        registered(Outcome::Online { token: token() }),
        registered(Outcome::Lease { lease, token: token() }),
        body::Body::Dated(Dated { registration: id, token: token(), at }),
        body::Body::Incarnation(Begun { because: "disk_older".into(), at }),
        body::Body::Piece(Piece { registration: id, pages: vec![page], mediator: mediator.clone(), at }),
        body::Body::Print(Print {
            registration: id,
            attempt: AttemptId([4; 16]),
            state: print,
            sha256: hash,
            mediator,
            at,
        }),
        body::Body::Release(Release { lease, slots: vec![SlotId(5)], at }),
        body::Body::Paper(Paper {
            door: vec![1; 200].into(),
            rebuild: Some(vec![1; 100].into()),
            mediator: registration(device, service).mediator,
            at,
        }),
        body::Body::AdvanceRequest(AdvanceRequest {
            registration: id,
            mediator: registration(device, service).mediator,
            at,
        }),
        body::Body::Cancellation(body::Cancellation {
            registration: id,
            mediator: registration(device, service).mediator,
            at,
        }),
        body::Body::Reinstatement(body::Reinstatement {
            registration: id,
            mediator: registration(device, service).mediator,
            at,
        }),
        body::Body::Limit(body::LimitDeclared {
            registration: id,
            limit: TimeLimit {
                right: Right::ProtectionOrder,
                last_day: "2027-09-08".parse().unwrap(),
                evidence: "TJ 1".into(),
            },
            mediator: registration(device, service).mediator,
            at,
        }),
        body::Body::Correction(body::Correction {
            registration: id,
            details: Details::of(&registration(device, service).applicant),
            lang: "ar".into(),
            mediator: registration(device, service).mediator,
            at,
        }),
        body::Body::Arrival(body::Arrival {
            registration: id,
            slot: SlotId(5),
            appointment: jiff::civil::date(2027, 3, 9).at(9, 0, 0, 0),
            mediator: registration(device, service).mediator,
            at,
        }),
        body::Body::Transfer(body::Transfer {
            registration: id,
            mediator: registration(device, service).mediator,
            at,
        }),
        body::Body::AnnulmentTold(body::AnnulmentTold {
            registration: id,
            annulment: AnnulmentId([5; 16]),
            until: jiff::civil::date(2027, 3, 30),
            mediator: registration(device, service).mediator,
            at,
        }),
        body::Body::Word(body::WordNoted {
            said: body::Said {
                id: WordId([5; 16]),
                registration: id,
                code: registration(device, service).code,
                says: Word::Come,
                appointment: Some(jiff::civil::date(2027, 3, 9).at(9, 0, 0, 0)),
                kiosk: device.kiosk,
                mediator: registration(device, service).mediator,
                at,
            },
            at,
        }),
    ]
}

/// Refused by name, or done.
#[track_caller]
fn clear(said: &Said, what: &str) {
    assert!(said.status < 500, "{what}: {} {}", said.status, said.json);
    assert!(said.status < 400 || !said.code().is_empty(), "{what}: a code says why: {}", said.status);
}

#[tokio::test]
async fn every_field_of_every_record_is_kept_or_set_aside_and_never_in_the_way() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let kinds: BTreeSet<&str> = bodies(&device, &service).iter().map(body::Body::kind).collect();
    assert_eq!(kinds, BTreeSet::from(body::KINDS), "a body of every kind");
    let mut records = 0;
    for n in 0..bodies(&device, &service).len() {
        let sample = serde_json::to_value(&bodies(&device, &service)[n]).unwrap();
        // The person is in four of them: crossed in the first.
        let elsewhere = |place: &String| !(1..4).contains(&n) || !place.starts_with("/registration/");
        for place in places(&sample).into_iter().filter(elsewhere) {
            let mut push = Vec::new();
            for (m, value) in values().iter().enumerate() {
                // Another person each time, so that one never stands in for another.
                let sample = serde_json::to_value(&bodies(&device, &service)[n]).unwrap();
                let text = serde_json::to_vec(&with(&sample, &place, value)).unwrap();
                // What cannot be read waits, whatever it is: one in eight shows it.
                let telling =
                    body::Body::read(bodies(&device, &service)[n].kind(), 1, &text).is_some() || m % 8 == 0;
                if telling && text.len() <= wire::limits::BODY_BYTES {
                    push.push(device.record(bodies(&device, &service)[n].kind(), text).unwrap());
                }
            }
            records += push.len();
            let said = device.push(&service, push).await.unwrap();
            assert_eq!(said.status, 200, "{place} of {sample}: {}", said.json);
        }
    }
    // Nothing is held up, and the next honest record is applied.
    let honest = body::Body::Registration(Box::new(Registered {
        registration: registration(&device, &service),
        outcome: Outcome::Rank { held: None, told: None, busy: None },
        at: service.now(),
        day_declared: false,
    }));
    let record = device.says(&honest).unwrap();
    device.push(&service, vec![record]).await.unwrap();
    let states = "SELECT state, coalesce(reason, ''), count(*) FROM record GROUP BY 1, 2 ORDER BY 1, 2";
    let rows = sqlx::query(states).fetch_all(&service.pool).await.unwrap();
    let states: Vec<(String, String, i64)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    println!("{records} records: {states:?}");
    assert!(states.iter().all(|(state, _, _)| state != "held"), "{states:?}");
    assert!(states.iter().any(|(_, reason, _)| reason == "value_refused"), "{states:?}");
    let last = sqlx::query("SELECT state FROM record ORDER BY seq DESC LIMIT 1");
    assert_eq!(last.fetch_one(&service.pool).await.unwrap().get::<&str, _>(0), "applied");
    device.pull(&service, 0).await.unwrap();
    // What was taken is what was written.
    let taken = sqlx::query("SELECT body FROM record WHERE state = 'applied' AND kind = 'registration'");
    let taken = taken.fetch_all(&service.pool).await.unwrap();
    assert!(taken.len() > 100, "{}", taken.len());
    for row in taken {
        let wrote: body::Body = serde_json::from_slice(row.get(0)).unwrap();
        let body::Body::Registration(wrote) = wrote else { continue };
        // As it came, where a limit was declared or a detail corrected since.
        let kept = sqlx::query(
            "SELECT (CASE WHEN limit_said_s IS NULL THEN body \
             ELSE jsonb_strip_nulls(jsonb_set(body, '{limit}', first_limit)) END || coalesce(first_details, '{}'))::text \
             FROM registration WHERE id = $1",
        );
        let kept = kept.bind(wrote.registration.id.0.as_slice()).fetch_one(&service.pool).await.unwrap();
        assert_eq!(wrote.registration, serde_json::from_str(kept.get(0)).unwrap());
    }
}

/// A path and method of central, and a whole message to it.
async fn messages(device: &mut Device, service: &Service) -> Vec<(&'static str, &'static str, Value)> {
    let code = service.code("ONE").await.unwrap();
    let key = seal::keys::Signer::from_seed(&[77; 32]);
    let proof = key.sign(seal::keys::Context::Enrolment, code.as_bytes());
    let record = device.copy().record("from_the_future", b"{}".to_vec()).unwrap();
    let certificate = serde_json::from_value(device.certificate.clone()).unwrap();
    let person = registration(device, service);
    let today = person.registered_on;
    let offered = OfferRequest {
        code: person.code,
        year: 1991,
        month: Some(3),
        day: Some(14),
        offer: OfferId([3; 16]),
        accept: true,
    };
    let followed = FollowUpRequest { code: person.code, year: 1991, month: Some(3), day: Some(14) };
    let word = WordRequest {
        word: WordId([3; 16]),
        code: person.code,
        year: 1991,
        month: Some(3),
        day: Some(14),
        says: Word::Cancel,
        appointment: None,
        mediator: person.mediator.clone(),
        document_seen: true,
    };
    vec![
        ("post", "/v1/words", serde_json::to_value(word).unwrap()),
        ("post", "/v1/follow-up", serde_json::to_value(followed).unwrap()),
        ("post", "/v1/offers", serde_json::to_value(offered).unwrap()),
        ("post", "/v1/enrol", serde_json::to_value(EnrolRequest { code, key: key.public(), proof }).unwrap()),
        ("post", "/v1/return", serde_json::to_value(ReturnRequest { certificate }).unwrap()),
        ("post", "/v1/registrations", serde_json::to_value(DateRequest { registration: person }).unwrap()),
        ("post", "/v1/journal", serde_json::to_value(PushRequest { records: vec![record] }).unwrap()),
        ("post", "/v1/lease", serde_json::to_value(LeaseRequest { today, incarnation: 1 }).unwrap()),
    ]
}

/// What an agent sends, every field of it.
async fn at_the_desk(service: &Service) -> [(&'static str, &'static str); 3] {
    let (now, random) = (service.now(), central::system_random());
    let made = central::admin::add_agent(&service.pool, ("ONE", "Agent"), 1, now, &random).await.unwrap();
    let key = made["key"].as_str().unwrap();
    let asked = json!({ "code": "7K3Q9MZT4XW2P", "channel": "phone", "question": "When?" });
    let told = json!({ "answer": "Then." });
    for (target, message) in [("/v1/tasks", asked), ("/v1/tasks/1", told)] {
        for place in places(&message) {
            for value in values() {
                let sent = with(&message, &place, &value);
                let said = service.desk(key, ("POST", target), Some("k"), &sent).await.unwrap();
                clear(&said, &format!("{target} {place} {value:.60}"));
            }
        }
    }
    for text in texts() {
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for (method, target) in [
            ("GET", format!("/v1/tasks?all={escaped}")),
            ("GET", format!("/v1/tasks?{escaped}=1")),
            ("POST", format!("/v1/tasks/{escaped}")),
        ] {
            let said = service.desk(key, (method, &target), None, &json!({ "answer": "x" })).await.unwrap();
            clear(&said, &target);
        }
        for header in ["authorization", "idempotency-key"] {
            let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { continue };
            let body = Body::from(r#"{"code":"7K3Q9MZT4XW2P","channel":"phone","question":"When?"}"#);
            let mut request = axum::http::Request::post("/v1/tasks").body(body).unwrap();
            request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
            request.headers_mut().insert(header, value);
            clear(&service.ask(request).await.unwrap(), &format!("{header}: {text:.40}"));
        }
    }
    [("/v1/tasks", "get"), ("/v1/tasks", "post"), ("/v1/tasks/{task}", "post")]
}

#[tokio::test]
async fn every_field_of_every_endpoint_is_refused_by_name_or_kept() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let mut covered: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (method, path, message) in messages(&mut device, &service).await {
        covered.insert((path, method));
        for place in places(&message) {
            for value in values() {
                let sent = with(&message, &place, &value);
                let said = device.say(&service, "POST", path, &sent).await.unwrap();
                clear(&said, &format!("{path} {place} {value:.60}"));
            }
        }
        // Not JSON at all, or JSON that says a thing twice.
        let text = message.to_string();
        let twice = text.replacen('{', &format!("{{{},", text.trim_matches(['{', '}'])), 1);
        let mut torn = text.clone().into_bytes();
        torn.insert(text.len() / 2, 0xff);
        for body in [
            twice.into_bytes(),
            torn,
            text.replacen(':', ":1e999", 1).into_bytes(),
            format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000)).into_bytes(),
            format!("{text}{text}").into_bytes(),
            format!("\u{feff}{text}").into_bytes(),
        ] {
            let request = device.request(service.now(), "POST", path, body).unwrap();
            let said = service.ask(request).await.unwrap();
            assert_eq!(said.code(), "bad_body", "{path}: {}", said.status);
        }
    }
    // Words in addresses and headers.
    let page = "ab".repeat(16);
    covered.extend([("/healthz", "get"), ("/v1/openapi.json", "get"), ("/v1/pieces", "options")]);
    for text in texts().iter().chain([&page]) {
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for name in ["cursor", "mark", "roster", "head", "other", ""] {
            let target = format!("/v1/changes?{name}={escaped}");
            clear(&device.say(&service, "GET", &target, &Value::Null).await.unwrap(), &target);
            covered.insert(("/v1/changes", "get"));
        }
        for method in ["get", "head", "patch"] {
            let target = format!("/v1/pieces/{escaped}");
            let said = device.say(&service, &method.to_uppercase(), &target, &Value::Null).await.unwrap();
            assert!((400..500).contains(&said.status), "{method} {target}: {}", said.status);
            covered.insert(("/v1/pieces/{page}", method));
            let target = format!("/v1/deliveries/{escaped}");
            let said = device.say(&service, &method.to_uppercase(), &target, &Value::Null).await.unwrap();
            assert!((400..500).contains(&said.status), "{method} {target}: {}", said.status);
            covered.insert(("/v1/deliveries/{sha256}", method));
        }
        let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { continue };
        let locked = STANDARD.encode(text);
        let metadata = format!("registration {locked},page {locked},sha256 {locked}");
        for (method, target) in [
            ("POST", "/v1/pieces".to_owned()),
            ("PATCH", format!("/v1/pieces/{page}")),
            ("POST", "/v1/deliveries".to_owned()),
            ("PATCH", format!("/v1/deliveries/{page}{page}")),
        ] {
            let names =
                ["upload-length", "upload-metadata", "upload-offset", "upload-checksum", "jalon-kiosk"];
            for name in names.into_iter().chain(["jalon-time", "jalon-signature", "idempotency-key"]) {
                let mut request = device.request(service.now(), method, &target, vec![1]).unwrap();
                request.headers_mut().insert("upload-length", 10.into());
                request.headers_mut().insert("upload-offset", 0.into());
                request.headers_mut().insert("upload-metadata", metadata.parse().unwrap());
                request.headers_mut().insert(name, value.clone());
                *request.body_mut() = Body::from(vec![1]);
                clear(&service.ask(request).await.unwrap(), &format!("{method} {target} {name}: {text:.40}"));
            }
        }
        covered.insert(("/v1/pieces", "post"));
        covered.insert(("/v1/deliveries", "post"));
    }
    covered.extend(at_the_desk(&service).await);
    let all =
        central::ROUTES.iter().flat_map(|(path, methods)| methods.iter().map(move |method| (*path, *method)));
    assert_eq!(covered, all.collect(), "every method of every path");
    // Central goes on as if nothing had been.
    let person = json!({ "registration": registration(&device, &service) });
    assert_eq!(device.say(&service, "POST", "/v1/registrations", &person).await.unwrap().status, 200);
    assert_eq!(
        service.ask(axum::http::Request::get("/healthz").body(Body::empty()).unwrap()).await.unwrap().status,
        200
    );
}
