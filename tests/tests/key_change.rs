#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The vault's key changes hands: locked to the recovery key for the first time, and put back into a
//! keyring that lost it. Killed after any file operation of either, the vault opens with all it held,
//! and doing it again ends what was begun.

use app::Kiosk;
use app::settings::Settings;
use journeys::counter::{installed, register};
use journeys::crash::errands::{Tally, recorder, walk};
use journeys::own_session::{inside, note_daemons};
use journeys::programs::built;
use journeys::stand::{MEDIATOR, PIN};
use std::path::Path;
use std::process::Command;
use tokio::runtime::Runtime;
use vault::VaultKey;

/// Kills of each: there are few operations.
const MOST: usize = 60;
const BESIDE: [&str; 2] = ["vault-key.locked", "identity.db"];

/// Everything is there, what lies beside the vault too, and nothing half made is left.
fn whole(runtime: &Runtime, life: &Path, (visit, slot_at): &(String, Option<String>)) -> Result<(), String> {
    let settings = Settings { home: life.to_owned() };
    let kiosk = runtime.block_on(Kiosk::open(settings)).map_err(|problem| problem.code)?;
    let date = runtime.block_on(kiosk.date(visit)).map_err(|problem| problem.code)?;
    runtime.block_on(kiosk.check_vault()).map_err(|problem| problem.code)?;
    if date.slot_at != *slot_at {
        return Err(format!("another date: {:?}", date.slot_at));
    }
    drop(kiosk);
    let names: Vec<String> = std::fs::read_dir(life)
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let missing = BESIDE.iter().any(|wanted| !names.iter().any(|name| name == wanted));
    let half = names.iter().any(|name| name.starts_with("new-"));
    if missing || half { Err(format!("beside the vault lies {names:?}")) } else { Ok(()) }
}

#[test]
fn a_key_that_changes_hands_is_never_lost() {
    inside("a_key_that_changes_hands_is_never_lost", true, |home| {
        let runtime = Runtime::new().unwrap();
        let (counter, settings, file) = runtime.block_on(installed(home)).unwrap();
        let kiosk = runtime.block_on(Kiosk::open(settings.clone())).unwrap();
        runtime.block_on(kiosk.unlock(MEDIATOR, PIN)).unwrap();
        let kept = runtime.block_on(register(&kiosk, "DIALLO")).unwrap();
        let kept = (kept.visit, kept.slot_at);
        drop(kiosk);
        let recovery = counter.folder.path().join(central::keys::RECOVERY);
        let text = std::fs::read_to_string(&recovery).unwrap();
        let key: [u8; 32] = hex::decode(text.trim()).unwrap().try_into().unwrap();
        let recorder = recorder(home).unwrap();
        let jalonctl = |life: &Path, words: &[&str]| {
            let mut command = Command::new(built("jalonctl")?);
            command.args(words).env("JALON_HOME", life);
            Ok(command)
        };
        let mut tally = Tally::default();

        // The keyring has another key: the right one is put back with the recovery key. Killed in
        // between, the keyring has the one or the other, and the vault its bytes.
        let recover = |life: &Path| {
            vault::key::put(file.kiosk, &VaultKey::new([7; 32]))?;
            let mut command = jalonctl(life, &["vault", "recover", "--recovery"])?;
            command.arg(&recovery);
            Ok(command)
        };
        let look = |life: &Path, _: &[String]| {
            app::recover(&Settings { home: life.to_owned() }, &key).map_err(|problem| problem.code)?;
            whole(&runtime, life, &kept)
        };
        walk((&recorder, home, MOST), ("recovering", &settings.home), recover, look, &mut tally).unwrap();

        // A kiosk that has nothing beside its vault yet: made when it opens.
        for name in BESIDE {
            std::fs::remove_file(settings.home.join(name)).unwrap();
        }
        let opening = |life: &Path| jalonctl(life, &["status", "--json"]);
        let look = |life: &Path, _: &[String]| {
            whole(&runtime, life, &kept)?;
            // The wrap is the key's: it brings it back.
            vault::key::put(file.kiosk, &VaultKey::new([7; 32])).map_err(|failure| failure.to_string())?;
            app::recover(&Settings { home: life.to_owned() }, &key).map_err(|problem| problem.code)?;
            Ok(())
        };
        walk((&recorder, home, MOST), ("wrapping", &settings.home), opening, look, &mut tally).unwrap();
        note_daemons(home).unwrap();
        println!("{:?}", tally.kills);
        assert_eq!(tally.lost, Vec::<String>::new());
        assert!(tally.kills.values().all(|kills| *kills > 5), "{:?}", tally.kills);
    });
}
