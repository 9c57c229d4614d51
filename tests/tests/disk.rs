#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! A disk that fills up, on a real small file system. The kiosk refuses what is new before it is
//! full, finishes what was begun (I5, I9), and tells nothing as kept that is not on the disk (I6).
//! Central whose database's disk is full answers *try again*; nothing acknowledged is lost.

use app::Kiosk;
use app::contract::{DateView, StorageState};
use journeys::counter::{Counter, installed, person};
use journeys::own_session;
use journeys::programs::{built, command, output};
use journeys::small_disk::{SmallDisk, inside};
use journeys::stand::{MEDIATOR, PIN, SITE};
use journeys::tls;
use std::path::Path;

/// A page that does not get smaller when it is stored: noise.
fn picture(folder: &Path) -> String {
    let file = folder.join("page.jpg");
    let mut seed = 1_u32;
    image::RgbImage::from_fn(900, 1200, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = seed.to_be_bytes();
        image::Rgb([a, b, c])
    })
    .save(&file)
    .unwrap();
    format!("file:{}", file.display())
}

async fn begin(kiosk: &Kiosk, name: &str) -> String {
    let visit = kiosk.start_visit("fr").await.unwrap().visit;
    kiosk.save_draft(&visit, person(name)).await.unwrap();
    visit
}

fn run(story: impl Future<Output = ()>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(story);
}

#[test]
fn a_full_disk_refuses_the_new_and_finishes_what_was_begun() {
    inside("a_full_disk_refuses_the_new_and_finishes_what_was_begun", 1_600, |disk| {
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let counter = Counter::start(None, None).await.unwrap();
            let kiosk = counter.another_in(disk.folder(), Some(picture(folder.path()))).await.unwrap();
            kiosk.exchange().await.unwrap();
            assert_eq!(kiosk.end_of_day().await.unwrap().storage.state, StorageState::Ok);
            let first = begin(&kiosk, "PREMIER").await;
            let second = begin(&kiosk, "DEUXIEME").await;

            disk.leave(700).unwrap();
            assert!(kiosk.home().await.unwrap().notices.contains(&"storage_low".to_owned()));
            disk.leave(200).unwrap();
            let refused = kiosk.start_visit("fr").await.unwrap_err();
            assert_eq!(refused.code, "storage_full");
            assert!(kiosk.home().await.unwrap().notices.contains(&"storage_full".to_owned()));
            assert_eq!(kiosk.status().await.unwrap()["storage"]["state"], "full");
            assert!(kiosk.end_of_day().await.unwrap().first.contains(&"storage".to_owned()));
            kiosk.scan_page(&first).await.expect("a visit that was begun may still scan");
            disk.leave(60).unwrap();
            assert_eq!(kiosk.scan_page(&first).await.unwrap_err().code, "storage_full_scan");
            let date = kiosk.confirm(&first).await.expect("what was begun can be finished");
            kiosk.finish_visit(&first).await.unwrap();
            kiosk.exchange().await.expect("sending goes on");
            kiosk.export(&folder.path().join("out.jalon"), true).await.expect("so does exporting");

            // Not a byte is left: nothing is told as kept, nothing is lost.
            disk.leave(0).unwrap();
            let mut typed = 0;
            let failed = loop {
                typed += 1;
                let text = format!("DEUXIEME {}", "x".repeat(typed % 100));
                match kiosk.save_draft(&second, person(&text)).await {
                    // The log's file had room of its own.
                    Ok(_) => assert!(typed < 5_000, "the disk never was full"),
                    Err(failed) => break failed,
                }
            };
            assert_eq!(failed.code, "disk_full");
            assert_eq!(kiosk.confirm(&second).await.unwrap_err().code, "disk_full");
            assert!(kiosk.date(&second).await.is_err(), "no date is shown");
            assert!(!kiosk.has_failed(), "a full disk is no broken one");
            assert_eq!(kiosk.date(&first).await.unwrap().slot_at, date.slot_at, "what was kept is there");
            disk.free().unwrap();
            kiosk.confirm(&second).await.expect("it goes on when there is room");
            kiosk.check_vault().await.unwrap();
            kiosk.exchange().await.unwrap();
            kiosk.start_visit("fr").await.unwrap();
        });
    });
}

fn jalonctl(home: &Path, words: &[&str]) -> (Option<i32>, serde_json::Value, String) {
    let mut run = command(built("jalonctl").unwrap(), words);
    let done = run.env("JALON_HOME", home).env("LC_ALL", "en_GB.UTF-8").output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    (done.status.code(), serde_json::from_slice(&done.stdout).unwrap_or_default(), said)
}

/// Enrolling on a full disk costs no code; a kiosk whose disk is full, or can only be read, is
/// looked at and exported all the same.
#[test]
fn a_disk_that_takes_nothing_is_read_and_costs_no_code() {
    const NAME: &str = "a_disk_that_takes_nothing_is_read_and_costs_no_code";
    // The keyring's bus is started where the disk is mounted.
    inside(NAME, 320, |_| {
        own_session::inside(NAME, true, |_| inside(NAME, 320, |disk| run(nothing_taken(disk))));
    });
}

async fn nothing_taken(disk: &SmallDisk) {
    let (counter, settings, _) = installed(disk.folder()).await.unwrap();
    let home = settings.home.as_path();
    let elsewhere = tempfile::tempdir().unwrap();
    let kiosk = Kiosk::open(settings.clone()).await.unwrap();
    kiosk.unlock(MEDIATOR, PIN).await.unwrap();
    kiosk.exchange().await.unwrap();
    let visit = begin(&kiosk, "SEULE").await;
    let date = kiosk.confirm(&visit).await.unwrap();
    drop(kiosk);
    let looks = |word: &str, out: &str| {
        let said_why = |(code, answer, said): (Option<i32>, serde_json::Value, String), wanted: &[i32]| {
            assert!(code.is_some_and(|code| wanted.contains(&code)), "{code:?} {answer} {said}");
            assert!(said.contains(word), "{said}");
            answer
        };
        let status = said_why(jalonctl(home, &["status", "--json"]), &[0]);
        assert_eq!(status["registrations"][0]["code"], date.code.as_str());
        let checked = said_why(jalonctl(home, &["vault", "check"]), &[0]);
        assert_eq!(checked["vault"], "whole");
        let day = said_why(jalonctl(home, &["end-of-day"]), &[1]);
        assert!(day["first"].as_array().unwrap().contains(&"storage".into()), "{day}");
        let file = elsewhere.path().join(out).display().to_string();
        let exported = said_why(jalonctl(home, &["vault", "export", "--to", &file]), &[0]);
        assert_eq!((&exported["file"], &exported["records"]), (&file.as_str().into(), &1.into()));
        let (_, doctor, _) = jalonctl(home, &["--lang", "en", "doctor", "--json"]);
        let vault = doctor["checks"].as_array().unwrap().iter().find(|check| check["id"] == "vault").unwrap();
        assert!(vault["sentence"].as_str().unwrap().contains(word), "{vault}");
    };
    disk.leave(0).unwrap();
    looks("is full", "full.jalon");
    let target = disk.folder().display().to_string();
    let remount = |how: &str| output(&mut command("mount", ["-o", how, &target])).unwrap();
    remount("remount,ro");
    looks("can only be read", "read.jalon");
    remount("remount,rw");

    // A second kiosk on that disk: refused while the code is unused.
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let code = central::admin::code(&pool, SITE, central::system_clock()(), &central::system_random())
        .await
        .unwrap();
    let ca = counter.folder.path().join(tls::CA).display().to_string();
    let second = disk.folder().join("second");
    let words =
        ["enrol", "--central", &counter.central, "--ca", &ca, "--code", code["code"].as_str().unwrap()];
    let (exit, told, said) = jalonctl(&second, &words);
    assert_eq!((exit, &told["problem"]), (Some(3), &"enrol_disk_full".into()), "{said}");
    disk.leave(2).unwrap();
    let (exit, told, said) = jalonctl(&second, &words);
    assert_eq!((exit, &told["problem"]), (Some(3), &"enrol_disk_full".into()), "{said}");
    assert!(std::fs::read_dir(&second).map_or(0, Iterator::count) == 0, "nothing is left behind");
    disk.free().unwrap();
    let (exit, _, said) = jalonctl(&second, &words);
    assert_eq!(exit, Some(0), "{said}");
    let kiosks = central::admin::kiosks(&pool, SITE).await.unwrap();
    assert!(!std::fs::exists(second.join("new-room")).unwrap());
    assert!(second.join("central-ca.pem").exists(), "{kiosks}");
}

#[test]
fn central_on_a_full_disk_says_try_again_and_loses_nothing_it_acknowledged() {
    inside("central_on_a_full_disk_says_try_again_and_loses_nothing_it_acknowledged", 300, |disk| {
        run(full_central(disk));
    });
}

async fn full_central(disk: &SmallDisk) {
    let folder = tempfile::tempdir().unwrap();
    let scanner = Some(picture(folder.path()));
    let mut counter = Counter::start_on(Some(disk.folder()), scanner.clone(), None).await.unwrap();
    let kiosk = counter.kiosk.clone();
    let other = counter.another(scanner).await.unwrap();
    for one in [&kiosk, &other] {
        one.exchange().await.unwrap();
        one.exchange().await.unwrap();
    }
    disk.leave(0).unwrap();
    let mut dates: Vec<DateView> = Vec::new();
    let mut refused = false;
    for n in 0..40 {
        let one = if n % 2 == 0 { &kiosk } else { &other };
        let visit = begin(one, &format!("PERSONNE {n}")).await;
        one.scan_page(&visit).await.unwrap();
        dates.push(one.confirm(&visit).await.expect("the counter goes on"));
        if let Err(problem) = one.exchange().await {
            assert_eq!(problem.code, "central_unreachable", "central said something else");
            refused = true;
        }
        if refused && n > 4 {
            break;
        }
    }
    assert!(refused, "the disk never was full");
    let waits = |status: &serde_json::Value| {
        status["journal"]["waiting"].as_u64().unwrap() + status["pages_waiting"].as_u64().unwrap()
    };
    assert!(waits(&kiosk.status().await.unwrap()) + waits(&other.status().await.unwrap()) > 0);

    // Somebody makes room; a server that a full disk has ended is started again.
    disk.free().unwrap();
    counter.database_again().unwrap();
    for one in [&kiosk, &other] {
        one.exchange().await.unwrap();
        one.exchange().await.unwrap();
        assert_eq!(waits(&one.status().await.unwrap()), 0);
        assert!(
            !one.home().await.unwrap().notices.contains(&"central_forgot".to_owned()),
            "nothing it acknowledged"
        );
    }
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let listed = central::admin::registrations(&pool, SITE).await.unwrap();
    let rows = listed["registrations"].as_array().unwrap();
    for date in &dates {
        let row = rows.iter().find(|row| row["code"] == date.code).expect("not at central");
        let slot = date.slot.as_ref().map_or("null", |slot| slot.as_str());
        assert!(date.slot.is_none() || row["slot"] == slot.parse::<u64>().unwrap_or(0), "{row}");
    }
    assert_eq!((&listed["records_set_aside"], &listed["records_not_applied"]), (&0.into(), &0.into()));
}
