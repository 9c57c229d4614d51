#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The day the vault does not open: its bytes stay as they are, the counter goes on with a
//! fresh one, people lose nothing; and a lost keyring is not a lost vault (I9, I6).

use app::contract::{BirthFields, DateView};
use app::settings::{KioskFile, Settings};
use app::{Kiosk, Known, World};
use journeys::counter::{installed, register};
use journeys::own_session::{inside, note_daemons};
use journeys::stand::{MEDIATOR, PIN, SITE};
use serde_json::json;
use vault::VaultKey;

async fn opened(settings: &Settings) -> Kiosk {
    let kiosk = Kiosk::open(settings.clone()).await.unwrap();
    kiosk.unlock(MEDIATOR, PIN).await.unwrap();
    kiosk
}

async fn refused(settings: &Settings) -> String {
    match Kiosk::open(settings.clone()).await {
        Ok(_) => "it opened".into(),
        Err(problem) => problem.code,
    }
}

fn run(story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(story);
}

#[test]
fn a_vault_that_does_not_open_is_set_aside_and_the_counter_goes_on() {
    inside("a_vault_that_does_not_open_is_set_aside_and_the_counter_goes_on", true, |home| {
        run(async {
            let (counter, settings, _) = installed(home).await.unwrap();
            let kiosk = opened(&settings).await;
            kiosk.exchange().await.unwrap();
            let sent = register(&kiosk, "ENVOYE").await.unwrap();
            kiosk.exchange().await.unwrap();
            let unsent = register(&kiosk, "PASENVOYE").await.unwrap();
            drop(kiosk);
            let whole = app::set_aside(&settings, &World::system()).await.unwrap_err();
            assert_eq!(whole.code, "vault_opens", "a vault that opens is never set aside");

            // The disk has gone bad.
            let vault = settings.vault();
            let mut bytes = std::fs::read(&vault).unwrap();
            for byte in bytes.iter_mut().take(4096) {
                *byte ^= 0x5a;
            }
            std::fs::write(&vault, &bytes).unwrap();
            assert_eq!(refused(&settings).await, "vault_damaged");
            assert_eq!(std::fs::read(&vault).unwrap(), bytes, "a refusal changes nothing");
            let aside = app::set_aside(&settings, &World::system()).await.unwrap();
            assert_eq!(std::fs::read(aside.join("vault.db")).unwrap(), bytes, "kept byte for byte");

            let kiosk = opened(&settings).await;
            assert!(kiosk.home().await.unwrap().notices.contains(&"vault_set_aside".to_owned()));
            // Nobody has asked central yet, so nothing is said of the connection.
            let status = kiosk.status().await.unwrap();
            assert_eq!(status.get("connection"), None);
            let held = json!([{ "folder": aside.file_name().unwrap().to_str(), "unsent": null }]);
            assert_eq!(status["vaults_set_aside"], held, "it may hold what was never sent");
            assert_eq!(kiosk.end_of_day_counts().await.unwrap()["vaults_set_aside"], held);
            kiosk.exchange().await.unwrap();
            assert_eq!(kiosk.status().await.unwrap()["connection"], "online");
            let next = register(&kiosk, "SUIVANT").await.unwrap();
            assert!(next.slot_at.is_some());
            // Who was not sent yet comes back with the paper; who was sent is known to central.
            let birth = || BirthFields {
                day: "2".into(),
                month: "5".into(),
                year: "1990".into(),
                ..BirthFields::default()
            };
            let known = kiosk.follow_up(&sent.code, birth()).await.unwrap().elsewhere.unwrap();
            assert_eq!(known.slot_at, sent.slot_at);
            let shown = kiosk.show_paper(&unsent.code_large).await.unwrap();
            kiosk.bring_paper(&shown.door.unwrap(), None).await.unwrap();
            kiosk.exchange().await.unwrap();
            let home = kiosk.home().await.unwrap();
            assert!(!home.notices.contains(&"quarantined".to_owned()));
            assert!(home.lease.free > 0, "it is lent dates again");

            let pool = central::connect(&counter.pool_url).await.unwrap();
            let listed = central::admin::registrations(&pool, SITE).await.unwrap();
            let rows = listed["registrations"].as_array().unwrap();
            for date in [&sent, &unsent, &next] {
                let row = rows.iter().find(|row| row["code"] == date.code).expect("not at central");
                assert_eq!((&row["state"], &row["slot"]), (&json!("kept"), &slot(date)));
            }
            assert_eq!(
                (&listed["records_set_aside"], &listed["records_not_applied"]),
                (&json!(0), &json!(0))
            );
            drop(kiosk);

            // A vault that is gone altogether.
            for ending in ["db", "db-wal", "db-shm"] {
                let _ = std::fs::remove_file(vault.with_extension(ending));
            }
            assert_eq!(refused(&settings).await, "vault_missing");
            app::set_aside(&settings, &World::system()).await.unwrap();
            opened(&settings).await.exchange().await.unwrap();
        });
        note_daemons(home).unwrap();
    });
}

fn slot(date: &DateView) -> serde_json::Value {
    json!(date.slot.as_deref().unwrap().parse::<u64>().unwrap())
}

#[test]
fn a_lost_keyring_is_not_a_lost_vault() {
    inside("a_lost_keyring_is_not_a_lost_vault", true, |home| {
        run(async {
            let (counter, settings, file) = installed(home).await.unwrap();
            let kiosk = opened(&settings).await;
            let kept = register(&kiosk, "GARDEE").await.unwrap();
            drop(kiosk);
            // Another key stands where this kiosk's was.
            vault::key::put(file.kiosk, &VaultKey::new([7; 32])).unwrap();
            let before = std::fs::read(settings.vault()).unwrap();
            assert_eq!(refused(&settings).await, "vault_damaged");
            let cannot = app::set_aside(&settings, &World::system()).await.unwrap_err();
            assert_eq!(cannot.code, "vault_needs_enrolment", "nothing of this kiosk opens with that key");
            assert_eq!(std::fs::read(settings.vault()).unwrap(), before, "and nothing was moved");
            assert_eq!(app::recover(&settings, &[1; 32]).unwrap_err().code, "recovery_other_vault");
            assert_eq!(refused(&settings).await, "vault_damaged", "a wrong key is never stored");

            let text = std::fs::read_to_string(counter.folder.path().join(central::keys::RECOVERY)).unwrap();
            let recovery: [u8; 32] = hex::decode(text.trim()).unwrap().try_into().unwrap();
            assert_eq!(app::recover(&settings, &recovery).unwrap(), file.kiosk);
            let kiosk = opened(&settings).await;
            assert_eq!(kiosk.date(&kept.visit).await.unwrap().slot_at, kept.slot_at);
            drop(kiosk);
            std::fs::write(settings.home.join("vault-key.locked"), b"{}").unwrap();
            assert_eq!(app::recover(&settings, &recovery).unwrap_err().code, "locked_key_missing");
        });
        note_daemons(home).unwrap();
    });
}

#[test]
fn an_empty_file_is_no_vault_and_none_set_aside_takes_anothers_place() {
    inside("an_empty_file_is_no_vault_and_none_set_aside_takes_anothers_place", true, |home| {
        run(async {
            let (counter, settings, _) = installed(home).await.unwrap();
            let mut folders = std::collections::BTreeSet::new();
            // Within one second or two, as somebody in a hurry does.
            for n in 0u8..4 {
                let bytes = if n == 0 { Vec::new() } else { vec![n; 5000] };
                std::fs::write(settings.vault(), &bytes).unwrap();
                assert_eq!(refused(&settings).await, "vault_damaged");
                assert_eq!(std::fs::read(settings.vault()).unwrap(), bytes, "a refusal changes nothing");
                let aside = app::set_aside(&settings, &World::system()).await.unwrap();
                assert_eq!(std::fs::read(aside.join("vault.db")).unwrap(), bytes);
                assert!(folders.insert(aside));
                // One that was empty holds nothing.
                let told = app::Kiosk::open(settings.clone()).await.unwrap().status().await.unwrap();
                assert_eq!(told["vaults_set_aside"].as_array().unwrap().len(), usize::from(n));
                // Central hears of each incarnation, and of no two machines.
                let kiosk = opened(&settings).await;
                kiosk.exchange().await.unwrap();
                assert!(!kiosk.home().await.unwrap().notices.contains(&"quarantined".to_owned()));
            }
            drop(counter);
        });
    });
}

#[test]
fn settings_that_are_gone_are_written_again_and_nothing_is_lost() {
    inside("settings_that_are_gone_are_written_again_and_nothing_is_lost", true, |home| {
        run(async {
            let (counter, settings, file) = installed(home).await.unwrap();
            let (json, lock) = (settings.home.join("kiosk.json"), settings.home.join("vault-key.locked"));
            let kiosk = opened(&settings).await;
            let kept = register(&kiosk, "GARDEE").await.unwrap();
            drop(kiosk);
            let enrolling = async || {
                let refused = app::enrol(&settings, file.clone(), "7K3Q-9MZT-4XW2-P", &World::system()).await;
                refused.unwrap_err().code
            };
            let repair = async |known: Known| app::repair(&settings, known).await.map_err(|told| told.code);
            assert_eq!(enrolling().await, "already_enrolled");
            assert_eq!(repair(Known::default()).await.unwrap_err(), "settings_whole");

            // As a power cut leaves it: the vault writes it again, and the counter goes on.
            for left in [None, Some(b"".as_slice()), Some([0; 300].as_slice())] {
                let _ = std::fs::remove_file(&json);
                if let Some(bytes) = left {
                    std::fs::write(&json, bytes).unwrap();
                }
                assert_eq!(enrolling().await, "settings_missing");
                let kiosk = opened(&settings).await;
                assert_eq!(kiosk.date(&kept.visit).await.unwrap().slot_at, kept.slot_at);
                assert_eq!(settings.read().unwrap(), file);
            }
            // What somebody changed and broke is theirs: kept, told, and written again when asked.
            std::fs::write(&json, b"{ \"central\": ").unwrap();
            assert_eq!(refused(&settings).await, "settings_damaged");
            assert_eq!(enrolling().await, "settings_damaged");
            let printer = Some("ipp://printer.example/ipp/print".to_owned());
            // An address nobody answers at does not take the place of the one the vault has kept.
            let nobody = Known { central: Some("https://localhost:1".to_owned()), ..Known::default() };
            assert_eq!(repair(nobody).await.unwrap_err(), "central_unreachable");
            assert_eq!(std::fs::read(&json).unwrap(), b"{ \"central\": ");
            let known = Known { printer: printer.clone(), ..Known::default() };
            let written = repair(known).await.unwrap();
            assert_eq!(written, KioskFile { printer, ..file.clone() });
            let damaged = std::fs::read(settings.home.join("kiosk.damaged-1.json")).unwrap();
            assert_eq!(damaged, b"{ \"central\": ");
            drop(opened(&settings).await);

            // A vault of before settings were kept in it, then a folder that does not say whose it is.
            std::fs::remove_file(&json).unwrap();
            let key = vault::key::find(file.kiosk).unwrap();
            let vault = vault::Vault::open(&settings.vault(), &key).unwrap();
            vault.transact(|tx| tx.put("settings", b"")).unwrap();
            drop(vault);
            assert_eq!(refused(&settings).await, "settings_missing");
            assert_eq!(repair(Known::default()).await.unwrap_err(), "settings_not_kept");
            std::fs::remove_file(&lock).unwrap();
            let known = || Known {
                central: Some(counter.central.clone()),
                ca: Some(file.ca.clone()),
                ..Known::default()
            };
            assert_eq!(repair(known()).await.unwrap_err(), "settings_kiosk_unknown");
            let other = Known { kiosk: Some(domain::ids::KioskId([7; 16])), ..known() };
            assert_eq!(repair(other).await.unwrap_err(), "vault_key_missing");
            assert_eq!(repair(Known { kiosk: Some(file.kiosk), ..known() }).await.unwrap(), file);
            let kiosk = opened(&settings).await;
            kiosk.exchange().await.unwrap();
            assert!(lock.exists(), "what was missing beside the vault is made again");
            drop(kiosk);

            // The vault does not open either: what lies beside it knows the settings too.
            std::fs::remove_file(&json).unwrap();
            std::fs::write(settings.vault(), [7; 5000]).unwrap();
            app::set_aside(&settings, &World::system()).await.unwrap();
            assert_eq!(settings.read().unwrap(), file);
            opened(&settings).await.exchange().await.unwrap();
        });
        note_daemons(home).unwrap();
    });
}
