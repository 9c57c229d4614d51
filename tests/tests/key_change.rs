#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The vault's key changes hands: locked to the recovery key for the first time, and put back into a
//! keyring that lost it. Killed after any file operation of either, the vault opens with all it held,
//! and doing it again ends what was begun.

use app::contract::{BirthFields, BirthForm, DraftFields};
use app::settings::{KioskFile, Mode, Settings};
use app::{Kiosk, World};
use domain::ids::KioskId;
use journeys::counter::Counter;
use journeys::crash::errands::{Tally, recorder, walk};
use journeys::own_session::{inside, note_daemons};
use journeys::programs::built;
use journeys::stand::{MEDIATOR, PIN, SITE};
use journeys::tls;
use std::path::Path;
use std::process::Command;
use tokio::runtime::Runtime;
use vault::VaultKey;

/// Kills of each: there are few operations.
const MOST: usize = 60;
const BESIDE: [&str; 2] = ["vault-key.locked", "identity.db"];

async fn enrolled(home: &Path) -> (Counter, Settings, KioskFile) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let (now, random) = (central::system_clock()(), central::system_random());
    let code = central::admin::code(&pool, SITE, now, &random).await.unwrap();
    let settings = Settings { home: home.join("kiosk") };
    let file = KioskFile {
        kiosk: KioskId([0; 16]),
        central: counter.central.clone(),
        ca: counter.folder.path().join(tls::CA),
        printer: None,
        scanner: None,
        idle_s: 120,
        mode: Mode::Counter,
    };
    let file = app::enrol(&settings, file, code["code"].as_str().unwrap(), &World::system()).await.unwrap();
    (counter, settings, file)
}

async fn register(kiosk: &Kiosk) -> (String, Option<String>) {
    let fields = DraftFields {
        lang: "fr".into(),
        family_names: "DIALLO".into(),
        birth: BirthFields { form: BirthForm::Year, year: "1990".into(), ..BirthFields::default() },
        nationality: "MLI".into(),
        procedure: "renewal".into(),
        ..DraftFields::default()
    };
    let visit = kiosk.start_visit("fr").await.unwrap().visit;
    kiosk.save_draft(&visit, fields).await.unwrap();
    let date = kiosk.confirm(&visit).await.unwrap();
    (visit, date.slot_at)
}

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
        let (counter, settings, file) = runtime.block_on(enrolled(home));
        let kiosk = runtime.block_on(Kiosk::open(settings.clone())).unwrap();
        runtime.block_on(kiosk.unlock(MEDIATOR, PIN)).unwrap();
        let kept = runtime.block_on(register(&kiosk));
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
