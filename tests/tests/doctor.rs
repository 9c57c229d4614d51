#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! `jalonctl doctor` on real parts: a kiosk that is well, and one thing after the other that is
//! not. What a system must provide is tested on furnished ones, in `app::doctor::machine`.

use app::World;
use app::doctor::{Machine, Report, State, examine};
use app::settings::{KioskFile, Mode, Settings};
use domain::ids::KioskId;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};
use journeys::counter::{Counter, Listening};
use journeys::own_session::{inside, note_daemons};
use journeys::programs::{built, command};
use journeys::stand::SITE;
use journeys::tls;
use l10n::Lang;
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
            write("https://localhost:1".into(), &counter.folder.path().join(tls::CA));
            assert_eq!(state(&look(&settings).await, "central"), State::Fail);

            // The disk has gone bad.
            let vault = settings.vault();
            let mut bytes = std::fs::read(&vault).unwrap();
            bytes.iter_mut().take(4096).for_each(|byte| *byte ^= 0x5a);
            std::fs::write(&vault, &bytes).unwrap();
            let report = look(&settings).await;
            assert_eq!((state(&report, "vault"), state(&report, "keyring")), (State::Fail, State::Ok));
            // Another kiosk's folder, whose key this keyring has not.
            settings.write(&KioskFile { kiosk: KioskId([7; 16]), ..file.clone() }).unwrap();
            assert_eq!(state(&look(&settings).await, "keyring"), State::Fail);
        });
        note_daemons(home).unwrap();
    });
}
