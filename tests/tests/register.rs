#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! `jalonctl register` and `appointment`: a person typed elsewhere gets the date the counter would give, online
//! and without a network; what is wrong is told field by field and leaves nothing behind. And they come
//! back with their paper, to this kiosk or to another.

use app::World;
use journeys::counter::{Counter, installed};
use journeys::own_session::inside;
use journeys::programs::{built, command};
use journeys::stand::{MEDIATOR, PIN, SITE};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

fn jalonctl(home: &Path, words: &[&str], input: &str) -> (Option<i32>, Value, String) {
    let mut run = command(built("jalonctl").unwrap(), words);
    run.env("JALON_HOME", home).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = run.spawn().unwrap();
    // It may end without having read it.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    (done.status.code(), serde_json::from_slice(&done.stdout).unwrap_or(Value::Null), said)
}

fn only_folder(counter: Counter) -> tempfile::TempDir {
    counter.folder
}

#[test]
fn a_person_typed_elsewhere_is_registered_as_at_the_counter() {
    inside("a_person_typed_elsewhere_is_registered_as_at_the_counter", true, |home| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (counter, settings, _) = runtime.block_on(installed(home)).unwrap();
        let home = settings.home.as_path();
        let file = home.join("person.json");
        let path = file.display().to_string();
        let person = |name: &str| {
            json!({ "family_names": name, "birth": { "day": "2", "month": "5", "year": "1990" },
                    "nationality": "MLI", "procedure": "renewal" })
        };
        let write = |value: &Value| std::fs::write(&file, value.to_string()).unwrap();
        let register = |pin: &str| jalonctl(home, &["register", &path], pin);
        let kept = || jalonctl(home, &["status", "--json"], "").1["registrations"].clone();

        // Wrong in one way after the other: nothing is kept of it.
        let mut wrong = person("INCOMPLÈTE");
        wrong["nationality"] = json!("Atlantide");
        write(&wrong);
        let (exit, told, said) = register(PIN);
        assert_eq!((exit, &told["problem"]), (Some(1), &json!("fields_incomplete")), "{said}");
        assert_eq!(told["fields"][0]["field"], "nationality", "{told}");
        write(&person("DIALLO"));
        assert_eq!(register("000000").1["problem"], "bad_pin");
        let nobody = jalonctl(home, &["register", &path, "--mediator", "nobody"], PIN);
        assert_eq!(nobody.1["problem"], "bad_pin");
        assert_eq!(nobody.2, register("000000").2, "which of the two is wrong is told to nobody");
        // Nothing given is neither, and no try: it may be said any number of times.
        for n in 0..12 {
            let (exit, told, said) = register(["", "\n", "  \n"][n % 3]);
            assert_eq!((exit, &told["problem"]), (Some(2), &json!("pin_missing")), "{said}");
            assert_eq!(told["args"]["line"], "1");
        }
        std::fs::write(&file, "{\"family_names\": \"SECRET\", \"oops\": 1}").unwrap();
        let (exit, told, said) = register(PIN);
        assert_eq!((exit, &told["problem"]), (Some(2), &json!("fields_wrong")), "{said}");
        assert_eq!(told["fields"][0], json!({ "field": "oops", "code": "field_unknown", "max": "" }));
        assert!(said.contains("oops") && said.contains("birth_place"), "{said}");
        assert!(!said.contains("SECRET") && !told.to_string().contains("SECRET"), "{said}");
        for (renewal, exit, field, code, max) in [
            (json!({ "expires_on": 2031 }), 2, "renewal.expires_on", "field_not_text", ""),
            (json!({ "regime": "yes" }), 2, "renewal.regime", "field_not_one_of", ""),
            (json!({ "ends": "2031-01-01" }), 2, "renewal.ends", "field_unknown", ""),
            (json!({ "expires_on": "31 mai" }), 1, "renewal.expires_on", "bad_date", ""),
            (json!({ "expires_on": "9999-12-31" }), 1, "renewal.expires_on", "expiry_far", ""),
            (json!({ "regime": "listed" }), 1, "renewal.expires_on", "expiry_missing", ""),
        ] {
            let mut wrong = person("DIALLO");
            wrong["renewal"] = renewal;
            write(&wrong);
            let (done, told, said) = register(PIN);
            let fault = json!([{ "field": field, "code": code, "max": max }]);
            assert_eq!((done, &told["fields"]), (Some(exit), &fault), "{said}");
        }
        assert_eq!(jalonctl(home, &["register", "/nowhere.json"], PIN).0, Some(3));
        assert_eq!(kept(), json!([]));
        assert_eq!(jalonctl(home, &["end-of-day"], "").1["drafts"], json!([]), "no half visit is left");

        // Online, then with central gone: a date out of the lease.
        let mut renewing = person("DIALLO");
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let ends = jiff::civil::Date::saturating_add(today, jiff::ToSpan::days(180));
        renewing["renewal"] = json!({ "expires_on": ends.to_string(), "regime": "listed" });
        write(&renewing);
        // Its answer is lost: said again it is the same person, under one code.
        let mut lost = command(built("jalonctl").unwrap(), ["register", &path]);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        lost.env("JALON_HOME", home).stdin(Stdio::piped()).stdout(full).stderr(Stdio::null());
        let mut lost = lost.spawn().unwrap();
        std::io::Write::write_all(&mut lost.stdin.take().unwrap(), PIN.as_bytes()).unwrap();
        assert_eq!(lost.wait().unwrap().code(), Some(4));
        let (exit, online, said) = register(PIN);
        assert_eq!((exit, &online["source"]), (Some(0), &json!("online")), "{online} {said}");
        assert_eq!(online["again"], true);
        assert!(said.contains(online["code"].as_str().unwrap()), "{said}");
        assert_eq!(kept().as_array().unwrap().len(), 1);
        let opens = jiff::civil::Date::saturating_add(today, jiff::ToSpan::days(60)).to_string();
        assert_eq!(online["opens"], json!(opens));
        assert!(online["slot_at"].as_str().unwrap() >= opens.as_str(), "{online}");
        let (exit, _, said) = jalonctl(home, &["sync"], "");
        assert_eq!(exit, Some(0), "{said}");
        // They come back with a protection order: an earlier day is offered at once.
        let (limit, code) = (home.join("limit.json"), online["code"].as_str().unwrap());
        let declare = |said: &Value, code: &str| {
            std::fs::write(&limit, said.to_string()).unwrap();
            jalonctl(home, &["limit", code, &limit.display().to_string()], PIN)
        };
        let order = |last_day: String| json!({ "right": "protection_order", "last_day": last_day, "evidence": "TJ 1" });
        let (exit, told, said) = declare(&json!({ "right": "moon", "family_names": "SECRET" }), code);
        assert_eq!((exit, told["fields"].as_array().map(Vec::len)), (Some(2), Some(2)), "{said}");
        assert!(!said.contains("SECRET"), "{said}");
        let (exit, told, _) = declare(&order("2020-01-01".into()), code);
        assert_eq!(
            (exit, &told["problem"], &told["args"]["field"]),
            (Some(1), &json!("limit_passed"), &json!("limit.last_day"))
        );
        let good = order(ends.to_string());
        assert_eq!(declare(&good, "JLN").1["problem"], "bad_follow_up_code");
        let (exit, told, said) = declare(&good, code);
        assert_eq!(
            (exit, &told["slot_at"], &told["limit"]),
            (Some(0), &online["slot_at"], &json!(ends.to_string())),
            "{told} {said}"
        );
        assert!(told["offer"]["slot_at"].as_str().unwrap() < opens.as_str(), "{told}");
        assert_eq!(declare(&good, code).1, told, "said twice is said");
        // And their name was mistyped: what is not in the file stays, and so does the date.
        let correct = |said: &Value, code: &str| {
            std::fs::write(&limit, said.to_string()).unwrap();
            jalonctl(home, &["correct", code, &limit.display().to_string()], PIN)
        };
        let (exit, told, said) = correct(&json!({ "family_names": "SECRET", "agdref": "1" }), code);
        assert_eq!((exit, &told["fields"][0]["field"]), (Some(2), &json!("agdref")), "{said}");
        let (exit, told, said) = correct(&json!({ "family_names": "SECRET" }), code);
        assert_eq!((exit, &told["problem"]), (Some(1), &json!("correction_name")), "{said}");
        assert!(!said.contains("SECRET") && !told.to_string().contains("SECRET"), "{said}");
        assert_eq!(correct(&json!({}), "JLN").1["problem"], "bad_follow_up_code");
        let right = json!({ "family_names": "DIALO", "lang": "ar" });
        let (exit, told, said) = correct(&right, code);
        let details = &told["details"];
        assert_eq!(
            (exit, &details["family_names"], &details["lang"]),
            (Some(0), &json!("DIALO"), &json!("ar")),
            "{said}"
        );
        assert_eq!((&details["nationality"], &told["slot_at"]), (&json!("MLI"), &online["slot_at"]));
        assert_eq!(correct(&right, code).1, told, "said twice is said");
        // Central is gone; what the kiosk trusts it by stays.
        let folder = only_folder(counter);
        write(&person("KONATÉ"));
        // One was ended before it asked for a date: it goes on from there, and leaves no half visit.
        let begun = runtime.block_on(async {
            let kiosk = app::Kiosk::open_in(settings.clone(), World::system()).await.unwrap();
            kiosk.unlock(MEDIATOR, PIN).await.unwrap();
            let visit = kiosk.start_command("fr").await.unwrap();
            kiosk.save_draft(&visit, journeys::counter::person("KONATÉ")).await.unwrap();
            visit
        });
        let (exit, offline, said) = jalonctl(home, &["register", &path, "--mediator", MEDIATOR], PIN);
        assert_eq!((exit, &offline["source"]), (Some(0), &json!("lease")), "{offline} {said}");
        assert_ne!(online["slot"], offline["slot"]);
        assert_eq!((&offline["visit"], &offline["again"]), (&json!(begun), &json!(false)));
        assert_eq!(jalonctl(home, &["end-of-day"], "").1["drafts"], json!([]));
        assert_eq!(kept().as_array().unwrap().len(), 2);
        // Even what the kiosk trusts central by is gone: where it lay at enrolment, which is nothing
        // to it, and its own copy. The counter goes on.
        std::fs::remove_file(folder.path().join(journeys::tls::CA)).unwrap();
        assert_eq!(jalonctl(home, &["sync"], "").1["problem"], "central_unreachable");
        std::fs::remove_file(home.join("central-ca.pem")).unwrap();
        let mut numbers = person("TRAORÉ");
        numbers["birth"] = json!({ "day": 2, "month": 5, "year": 1990 });
        write(&numbers);
        let (exit, alone, said) = register(PIN);
        assert_eq!((exit, &alone["source"]), (Some(0), &json!("lease")), "{alone} {said}");
        assert_eq!(jalonctl(home, &["sync"], "").1["problem"], "authority_missing");
        // Its paper, as the printer would get it.
        let paper = home.join("paper.pdf");
        let words = ["paper", offline["code"].as_str().unwrap(), "--out", &paper.display().to_string()];
        assert_eq!(jalonctl(home, &words, "").0, Some(0));
        assert!(std::fs::read(&paper).unwrap().starts_with(b"%PDF"));
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&paper).unwrap().permissions())
                & 0o777,
            0o600
        );
        assert_eq!(jalonctl(home, &words, "").1["problem"], "out_exists");
        assert_eq!(jalonctl(home, &[&words[..], &["--force"]].concat(), "").0, Some(0));
        // No letter stands beside it: the person has no time limit.
        let beside = jalonctl(home, &[&words[..], &["--force", "--letter"]].concat(), "");
        assert_eq!((beside.0, &beside.1["problem"]), (Some(1), &json!("no_limit_letter")));
        // Said by whoever handed it over, who is asked for their PIN.
        let day = || jalonctl(home, &["end-of-day"], "").1;
        assert_eq!(day()["papers"].as_array().unwrap().len(), 3);
        let words = ["paper", offline["code"].as_str().unwrap(), "--handed-over"];
        assert_eq!(jalonctl(home, &words, "000000").1["problem"], "bad_pin");
        assert_eq!(day()["papers"].as_array().unwrap().len(), 3);
        assert_eq!(jalonctl(home, &words, PIN).0, Some(0));
        assert_eq!(jalonctl(home, &words, PIN).0, Some(0), "said twice is said");
        let left = day()["papers"].clone();
        assert_eq!(left.as_array().unwrap().len(), 2, "{left}");
        assert!(!left.to_string().contains(offline["code"].as_str().unwrap()));
        // Answered, the same again is somebody who comes anew.
        write(&person("KONATÉ"));
        let (exit, anew, said) = register(PIN);
        assert_eq!((exit, &anew["again"]), (Some(0), &json!(false)), "{said}");
        assert_ne!(anew["code"], offline["code"]);

        // Wrong PINs are counted from one run to the next, and at the counter too.
        let wait = (0..12).map(|_| register("000000").1["problem"].clone()).find(|told| *told != "bad_pin");
        assert_eq!(wait, Some(json!("pin_wait")));
        let ahead = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&ahead);
        let now =
            move || jiff::Timestamp::now() + jiff::SignedDuration::from_secs(clock.load(Ordering::SeqCst));
        let world = World { clock: Arc::new(now), ..World::system() };
        let counter = runtime.block_on(app::Kiosk::open_in(settings.clone(), world)).unwrap();
        let told = |pin: &str, later: i64| {
            ahead.fetch_add(later, Ordering::SeqCst);
            runtime.block_on(counter.unlock(MEDIATOR, pin)).unwrap_err().code
        };
        for _ in 0..12 {
            assert_eq!(told("000000", 1_000), "bad_pin");
        }
        assert_eq!(told(PIN, 0), "pin_wait");
        assert_eq!(told(PIN, 600), "pin_wait", "the longest wait");
        drop(counter);
        // Its clock was hours ahead: nobody waits for hours.
        let (_, told, _) = register(PIN);
        assert_eq!(told["problem"], "pin_wait");
        assert!(
            (600..=900).contains(&told["args"]["seconds"].as_str().unwrap().parse::<i64>().unwrap()),
            "{told}"
        );
    });
}

#[test]
fn a_person_comes_back_with_their_paper_here_and_at_another_kiosk() {
    inside("a_person_comes_back_with_their_paper_here_and_at_another_kiosk", true, |home| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (counter, settings, _) = runtime.block_on(installed(home)).unwrap();
        let own = settings.home.as_path();
        // Another kiosk of the site.
        let other = home.join("other");
        let code = runtime.block_on(async {
            let pool = central::connect(&counter.pool_url).await.unwrap();
            let (clock, random) = (central::system_clock(), central::system_random());
            central::admin::code(&pool, SITE, clock(), &random).await.unwrap()
        });
        let ca = counter.folder.path().join(journeys::tls::CA).display().to_string();
        let code = code["code"].as_str().unwrap();
        let enrol = ["enrol", "--central", &counter.central, "--ca", &ca, "--code", code];
        let (exit, _, said) = jalonctl(&other, &enrol, "");
        assert_eq!(exit, Some(0), "{said}");
        // A permit that ends in six months is filed in two, and an order made since is due at once.
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let ends = jiff::civil::Date::saturating_add(today, jiff::ToSpan::days(180)).to_string();
        let file = home.join("said.json");
        let path = file.display().to_string();
        let person = json!({ "family_names": "DIALLO", "birth": { "day": "2", "month": "5", "year": "1990" },
            "nationality": "MLI", "procedure": "renewal", "renewal": { "expires_on": ends, "regime": "listed" } });
        std::fs::write(&file, person.to_string()).unwrap();
        let (exit, date, said) = jalonctl(own, &["register", &path], PIN);
        assert_eq!(exit, Some(0), "{said}");
        let code = date["code"].as_str().unwrap().to_owned();
        let order = json!({ "right": "protection_order", "last_day": ends, "evidence": "TJ 1" });
        std::fs::write(&file, order.to_string()).unwrap();
        assert_eq!(jalonctl(own, &["limit", &code, &path], PIN).0, Some(0));

        let asked = |home: &Path, born: &str, more: &[&str]| {
            jalonctl(home, &[&["appointment", &code, "--born", born][..], more].concat(), PIN)
        };
        let said = |home: &Path, more: &[&str]| {
            let (exit, told, said) = asked(home, "1990-05-02", more);
            assert_eq!(exit, Some(0), "{more:?} {told} {said}");
            told
        };
        assert_eq!(asked(own, "2 May 1990", &[]).0, Some(2));
        assert_eq!(asked(own, "1991", &[]).1["problem"], "follow_up_unknown");
        assert_eq!(asked(&other, "1991", &[]).1["problem"], "follow_up_unknown");
        let here = said(own, &[]);
        assert_eq!((&here["made_here"], &here["slot_at"]), (&json!(true), &date["slot_at"]), "{here}");
        let there = said(&other, &[]);
        assert_eq!((&there["made_here"], &there["slot_at"]), (&json!(false), &date["slot_at"]), "{there}");
        assert_eq!(here["offer"], there["offer"]);
        // Taken elsewhere, and known where the paper was made after an exchange.
        let taken = said(&other, &["--say", "accept"]);
        assert_eq!(
            (&taken["slot_at"], &taken["offer"]),
            (&here["offer"]["slot_at"], &Value::Null),
            "{taken}"
        );
        assert_eq!(jalonctl(own, &["sync"], "").0, Some(0));
        assert_eq!(said(own, &[])["slot_at"], taken["slot_at"]);
        assert_eq!(asked(own, "1990-05-02", &["--say", "decline"]).1["problem"], "no_offer");
        // A found paper frees no slot: the mediator has to have seen a document.
        assert_eq!(asked(&other, "1990-05-02", &["--say", "cancel"]).1["problem"], "document_not_seen");
        let gone = said(&other, &["--say", "cancel", "--document-seen"]);
        assert_eq!(gone["cancelled"], true, "{gone}");
        assert_eq!(jalonctl(own, &["sync"], "").0, Some(0));
        assert_ne!(said(own, &[])["cancelled"], Value::Null);
        let back = said(own, &["--say", "take-back"]);
        assert_eq!(back["cancelled"], Value::Null, "{back}");
        assert_eq!(said(own, &["--say", "earlier"])["earlier"]["state"], "received");
        assert_eq!(asked(&other, "1990-05-02", &["--say", "earlier"]).1["problem"], "paper_not_here");
        let (exit, told, said) = jalonctl(own, &["arrive", "--text", "JALON1.x"], PIN);
        assert_eq!((exit, told["problem"].is_string()), (Some(1), true), "{told} {said}");
    });
}
