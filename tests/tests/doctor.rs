#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! `jalonctl doctor` on real parts: a kiosk that is well, and one thing after the other that is
//! not. What a system must provide is tested on furnished ones, in `app::doctor::machine`.

use app::World;
use app::doctor::{Machine, Report, State, examine};
use app::settings::{KioskFile, Mode, Settings};
use domain::ids::KioskId;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};
use journeys::counter::{Counter, Listening, register};
use journeys::own_session::{inside, note_daemons};
use journeys::programs::{built, command};
use journeys::stand::{MEDIATOR, PIN, SITE};
use journeys::tls;
use l10n::Lang;
use serde_json::{Value, json};
use sim::ipp_printer::IppPrinter;
use std::sync::Arc;

fn state(report: &Report, id: &str) -> State {
    report.checks.iter().find(|check| check.id == id).expect("no such check").state
}

/// Every check has its sentence, in every language.
fn said(report: &Report) {
    for check in &report.checks {
        for lang in Lang::ALL {
            let sentence = check.sentence(lang);
            assert!(!sentence.starts_with("doctor-") && !sentence.contains("{$"), "{check:?}: {sentence}");
        }
    }
}

/// What `jalonctl` answers of this kiosk: exit code, answer, what it said.
fn ctl(settings: &Settings, args: &[&str]) -> (Option<i32>, Value, String) {
    let mut ctl = command(built("jalonctl").unwrap(), args);
    let out = ctl.env("JALON_HOME", &settings.home).env("LC_ALL", "C").output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    (out.status.code(), serde_json::from_slice(&out.stdout).unwrap_or_default(), said)
}

/// A kiosk that was copied, lost, or sent to another central.
async fn stands_as_central_says(
    settings: &Settings,
    counter: &Counter,
    pool: &central::Pool,
    file: &KioskFile,
    look: impl AsyncFn(&Settings) -> Report,
) {
    let set = async |what: &str| {
        let text = format!("UPDATE kiosk SET {what} WHERE encode(id, 'hex') = '{}'", file.kiosk);
        sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(pool).await.unwrap();
    };
    let standing = async || {
        let report = look(settings).await;
        let check = report.checks.into_iter().find(|check| check.id == "standing").unwrap();
        check.args.get("code").cloned().unwrap_or_else(|| check.state.key().to_owned())
    };
    let (code, answer, said) = ctl(settings, &["sync"]);
    assert_eq!((code, &answer["standing"], said.as_str()), (Some(0), &json!("accepted"), ""));

    set("quarantined_s = 1").await;
    let (code, answer, said) = ctl(settings, &["sync"]);
    assert_eq!((code, &answer["standing"]), (Some(0), &json!("quarantined")));
    assert!(said.contains("--release"), "it says what to do: {said}");
    assert_eq!(standing().await, "quarantined");
    let (_, answer, said) = ctl(settings, &["status", "--json"]);
    assert_eq!((&answer["standing"], answer.get("connection")), (&json!("quarantined"), None));
    assert!(said.contains("--release"), "{said}");
    set("quarantined_s = NULL").await;
    assert_eq!(ctl(settings, &["sync"]).1["standing"], "accepted");

    // Not after an exchange alone: central is asked now.
    set("lost_s = 1").await;
    assert_eq!(standing().await, "kiosk_lost");
    let (code, answer, said) = ctl(settings, &["sync"]);
    assert_eq!((code, &answer["problem"]), (Some(1), &json!("kiosk_lost")));
    assert!(said.contains("autre poste") && said.contains("préfecture"), "{said}");
    let (_, answer, said) = ctl(settings, &["end-of-day"]);
    assert_eq!(answer["standing"], "kiosk_lost");
    assert!(said.contains("perdu"), "{said}");
    set("lost_s = NULL").await;
    assert_eq!(standing().await, "ok", "it was a slip, and is over");

    // A central of other keys, at the same certificate.
    let folder = tempfile::tempdir().unwrap();
    let random = central::system_random();
    central::keys::make(folder.path(), central::system_clock()(), &random).unwrap();
    for name in [tls::CERT, tls::KEY] {
        std::fs::copy(counter.folder.path().join(name), folder.path().join(name)).unwrap();
    }
    let other = counter.empty_database().await.unwrap();
    let other = Listening::start(other, folder.path()).await.unwrap();
    let there = format!("https://localhost:{}", other.address.port());
    settings.write(&KioskFile { central: there, ..file.clone() }).unwrap();
    assert_eq!(standing().await, "central_other");
    assert_eq!(ctl(settings, &["sync"]).1["problem"], "central_other");
    settings.write(file).unwrap();
    assert_eq!(ctl(settings, &["sync"]).1["standing"], "accepted");

    // Something to do is told apart from what keeps it from being known.
    assert_eq!(ctl(settings, &["end-of-day"]).0, Some(0));
    let kiosk = app::Kiosk::open(settings.clone()).await.unwrap();
    let (code, answer, _) = ctl(settings, &["end-of-day"]);
    assert_eq!((code, &answer["problem"]), (Some(4), &json!("vault_busy")));
    kiosk.unlock(MEDIATOR, PIN).await.unwrap();
    let code_here = register(&kiosk, "RESTEE").await.unwrap().code;
    drop(kiosk);
    let (code, answer, _) = ctl(settings, &["end-of-day"]);
    assert_eq!((code, &answer["reason"], &answer["first"]), (Some(1), &json!("to_do"), &json!(["papers"])));

    // A paper of this kiosk, of none, and no code at all.
    let out = folder.path().join("paper.pdf").display().to_string();
    let paper = |code: &str| ctl(settings, &["paper", code, "--out", &out]);
    assert_eq!(paper(&code_here).0, Some(0));
    let strange = domain::code::FollowUpCode::from_random([9; 8]).to_string();
    for (asked, problem) in [(strange.as_str(), "paper_not_here"), ("AAAA", "bad_follow_up_code")] {
        let (code, answer, said) = paper(asked);
        assert_eq!((code, &answer["problem"]), (Some(1), &json!(problem)));
        assert!(!said.contains("accueil"), "no word of the window: {said}");
    }
}

#[test]
fn a_kiosk_that_is_well_and_what_can_be_wrong_with_it() {
    inside("a_kiosk_that_is_well_and_what_can_be_wrong_with_it", true, |home| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let settings = Settings { home: home.join("kiosk") };
            let machine = Machine { root: home.join("nothing"), temp: home.join("temp") };
            let (world, look) = (World::system(), async |settings: &Settings| {
                let report = examine(settings, &machine, &World::system()).await;
                said(&report);
                report
            });

            // Nobody has made it a kiosk.
            let report = look(&settings).await;
            assert_eq!((state(&report, "enrolled"), state(&report, "vault")), (State::Fail, State::Unknown));
            assert!(!report.holds());

            let printer = IppPrinter::start().unwrap();
            let page = home.join("page.jpg");
            image::RgbImage::new(60, 80).save(&page).unwrap();
            let counter = Counter::start(None, None).await.unwrap();
            let pool = central::connect(&counter.pool_url).await.unwrap();
            let random = central::system_random();
            let code = central::admin::code(&pool, SITE, central::system_clock()(), &random).await.unwrap();
            let file = KioskFile {
                kiosk: KioskId([0; 16]),
                central: counter.central.clone(),
                ca: counter.folder.path().join(tls::CA),
                printer: Some(printer.uri()),
                scanner: Some(format!("file:{}", page.display())),
                idle_s: 120,
                mode: Mode::Counter,
            };
            let file = app::enrol(&settings, file, code["code"].as_str().unwrap(), &world).await.unwrap();
            let report = look(&settings).await;
            for id in [
                "enrolled",
                "settings",
                "standing",
                "vault",
                "keyring",
                "export_key",
                "storage",
                "central",
                "certificate",
                "clock",
                "printer",
                "scanner",
                "left_behind",
            ] {
                assert_eq!(state(&report, id), State::Ok, "{id}: {report:?}");
            }
            assert!(report.holds(), "{report:?}");

            // The same on the command line, on this machine as it is: its word and its exit agree.
            let mut ctl = command(built("jalonctl").unwrap(), ["doctor", "--json"]);
            let out = ctl.env("JALON_HOME", &settings.home).output().unwrap();
            let told: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
            assert_eq!(told["checks"].as_array().unwrap().len(), report.checks.len());
            assert_eq!(out.status.code(), Some(if told["ok"] == true { 0 } else { 1 }), "{told}");

            // Its settings are broken; the vault is there.
            let json = settings.home.join("kiosk.json");
            let whole = std::fs::read(&json).unwrap();
            std::fs::write(&json, b"{").unwrap();
            let report = look(&settings).await;
            assert_eq!((state(&report, "enrolled"), state(&report, "settings")), (State::Ok, State::Fail));
            assert_eq!(state(&report, "vault"), State::Unknown);
            std::fs::write(&json, whole).unwrap();

            stands_as_central_says(&settings, &counter, &pool, &file, look).await;

            // A machine a year behind: the vault knows better.
            let kiosk = app::Kiosk::open(settings.clone()).await.unwrap();
            kiosk.exchange().await.unwrap();
            let busy = look(&settings).await;
            assert_eq!(state(&busy, "vault"), State::Unknown, "the window has it");
            drop(kiosk);
            let year = SignedDuration::from_hours(24 * 365);
            let clock = Arc::new(move || Timestamp::now().checked_sub(year).unwrap());
            let behind = examine(&settings, &machine, &World { clock, ..World::system() }).await;
            assert_eq!(state(&behind, "clock"), State::Fail);

            // What is around it goes, one after the other.
            drop(printer);
            std::fs::remove_file(&page).unwrap();
            std::fs::write(settings.home.join("new-vault.db"), b"").unwrap();
            let ending = Zoned::now().date().checked_add(9.days()).unwrap();
            let short = tempfile::tempdir().unwrap();
            tls::make_until(short.path(), Some(ending)).unwrap();
            for name in [central::keys::CENTRAL_KEYS, central::keys::RING] {
                std::fs::copy(counter.folder.path().join(name), short.path().join(name)).unwrap();
            }
            let other = Listening::start(pool.clone(), short.path()).await.unwrap();
            let write = |central: String, ca: &std::path::Path| {
                let file = KioskFile { central, ca: ca.to_owned(), ..file.clone() };
                settings.write(&file).unwrap();
            };
            let there = format!("https://localhost:{}", other.address.port());
            write(there.clone(), &short.path().join(tls::CA));
            let report = look(&settings).await;
            for (id, wanted) in [
                ("printer", State::Fail),
                ("scanner", State::Fail),
                ("left_behind", State::Warn),
                ("central", State::Ok),
                ("certificate", State::Warn),
            ] {
                assert_eq!(state(&report, id), wanted, "{id}: {report:?}");
            }
            // Of another authority; then nobody there at all.
            write(there, &counter.folder.path().join(tls::CA));
            let report = look(&settings).await;
            let central = report.checks.iter().find(|check| check.id == "central").unwrap();
            assert_eq!((central.state, central.args["code"].as_str()), (State::Fail, "central_untrusted"));
            assert_eq!(state(&report, "certificate"), State::Unknown);
            write("https://localhost:1".into(), &counter.folder.path().join("gone.pem"));
            let report = look(&settings).await;
            let central = report.checks.iter().find(|check| check.id == "central").unwrap();
            assert_eq!((central.state, central.args["code"].as_str()), (State::Fail, "authority_missing"));
            assert!(central.sentence(&l10n::Lang::parse("en").unwrap()).contains("gone.pem"));
            write("https://localhost:1".into(), &counter.folder.path().join(tls::CA));
            assert_eq!(state(&look(&settings).await, "central"), State::Fail);

            // The disk has gone bad.
            let vault = settings.vault();
            let mut bytes = std::fs::read(&vault).unwrap();
            bytes.iter_mut().take(4096).for_each(|byte| *byte ^= 0x5a);
            std::fs::write(&vault, &bytes).unwrap();
            let report = look(&settings).await;
            assert_eq!((state(&report, "vault"), state(&report, "keyring")), (State::Fail, State::Ok));
            let said = |id: &str| {
                let check = report.checks.iter().find(|check| check.id == id).unwrap();
                check.sentence(&Lang::parse("en").unwrap())
            };
            assert!(said("vault").contains("jalonctl vault set-aside"), "{}", said("vault"));
            // Another kiosk's folder, whose key this keyring has not.
            settings.write(&KioskFile { kiosk: KioskId([7; 16]), ..file.clone() }).unwrap();
            let report = look(&settings).await;
            for id in ["vault", "keyring"] {
                let check = report.checks.iter().find(|check| check.id == id).unwrap();
                assert_eq!((check.state, &*check.args["code"]), (State::Fail, "vault_key_missing"));
                let said = check.sentence(&Lang::parse("en").unwrap());
                assert!(said.contains("vault recover") && !said.contains("set-aside"), "{said}");
            }
        });
        note_daemons(home).unwrap();
    });
}
