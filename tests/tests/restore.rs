#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! docs/runbooks/restore.md, run block by block as it stands: yesterday's backup restored,
//! with its lease log and without; what was given since is known again and given to nobody
//! else.

use app::contract::{DateSource, DateView};
use app::settings::{KioskFile, Mode, Settings};
use app::sync::transfer::HttpRemote;
use app::{Kiosk, World};
use central::admin::NewMediator;
use domain::ids::KioskId;
use journeys::counter::register;
use journeys::own_session::{inside, note_daemons};
use journeys::programs::{Running, built, command, free_port, output, wait_for};
use journeys::stand::postgres::Postgres;
use journeys::stand::{MEDIATOR, PIN, SITE};
use journeys::tls;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use vault::{Vault, VaultKey};

const RUNBOOK: &str = include_str!("../../docs/runbooks/restore.md");

/// The lines of the block marked with this word.
fn block(word: &str) -> &'static str {
    let from = RUNBOOK.split_once(&format!("```sh {word}\n")).expect("no such block").1;
    from.split_once("```").unwrap().0
}

struct Place {
    folder: tempfile::TempDir,
    postgres: Postgres,
    port: u16,
    database: u32,
    central: Option<Running>,
}

impl Place {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(folder.path()).unwrap();
        let place = Self { folder, postgres, port: free_port().unwrap(), database: 1, central: None };
        std::fs::create_dir(place.path("keys")).unwrap();
        tls::make(place.folder.path()).unwrap();
        central::keys::make(&place.path("keys"), central::system_clock()(), &central::system_random())
            .unwrap();
        place.admin(&["migrate"]);
        let key = age::x25519::Identity::generate().to_public().to_string();
        place.admin(&[
            "admin",
            "site",
            "--id",
            SITE,
            "--name",
            "Essai",
            "--site-key",
            &key,
            "--lease-slots",
            "4",
        ]);
        place.admin(&[
            "admin",
            "counter",
            "--site",
            SITE,
            "--name",
            "A",
            "--weekdays",
            "1,2,3,4,5",
            "--opens",
            "09:00",
            "--closes",
            "16:00",
            "--every-minutes",
            "20",
        ]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self) -> String {
        self.postgres.database(&format!("jalon{}", self.database)).unwrap()
    }

    fn admin(&self, args: &[&str]) {
        output(command(built("central").unwrap(), args).args(["--database", &self.url()])).unwrap();
    }

    /// Runs a block of the runbook in a shell; answers the last line as JSON.
    fn run(&self, word: &str) -> Result<Value, String> {
        let programs = built("central").unwrap().parent().unwrap().to_owned();
        let mut shell = Command::new("sh");
        shell.args(["-eu", "-c", block(word)]).current_dir(self.folder.path());
        let path = std::env::var("PATH").unwrap();
        shell.env("PATH", format!("{}:{path}", programs.display()));
        shell.env("JALON_DATABASE_URL", self.url()).env("JALON_SITE", SITE);
        for (name, file) in [
            ("JALON_BACKUP", "backup"),
            ("JALON_LEASE_LOG", "lease.log"),
            ("JALON_KEYS", "keys"),
            ("JALON_CHECKPOINT", "checkpoint.json"),
            ("JALON_AUDIT", "audit.jsonl"),
            ("JALON_HOME", "kiosk"),
        ] {
            shell.env(name, self.path(file));
        }
        let out = output(&mut shell).map_err(|failure| failure.to_string())?;
        Ok(out.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or(Value::Null))
    }

    fn serve(&mut self) {
        self.serve_with(&[]);
    }

    fn serve_with(&mut self, more: &[&str]) {
        self.serve_on("lease.log", more);
    }

    fn serving(&self, log: &str) -> Command {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut serve =
            command(built("central").unwrap(), ["serve", "--listen", &listen, "--database", &self.url()]);
        serve.arg("--tls-cert").arg(self.path(tls::CERT)).arg("--tls-key").arg(self.path(tls::KEY));
        serve.arg("--keys").arg(self.path("keys")).arg("--lease-log").arg(self.path(log));
        serve
    }

    fn serve_on(&mut self, log: &str, more: &[&str]) {
        let mut serve = self.serving(log);
        serve.args(more);
        self.central = Some(Running::start(&mut serve, &self.path("central.log")).unwrap());
        let port = self.port;
        wait_for("central listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok()).unwrap();
    }

    /// Central and its database are gone; an empty one stands in its place.
    fn lose(&mut self) {
        self.central.take().unwrap().kill();
        self.database += 1;
    }

    fn kiosk_file(&self, kiosk: KioskId) -> KioskFile {
        KioskFile {
            kiosk,
            central: format!("https://localhost:{}", self.port),
            ca: self.path(tls::CA),
            printer: None,
            scanner: None,
            idle_s: 120,
            mode: Mode::Counter,
        }
    }

    async fn kiosk(&self, name: &str) -> Kiosk {
        let pool = central::connect(&self.url()).await.unwrap();
        let (now, random) = (central::system_clock()(), central::system_random());
        let told = NewMediator { id: MEDIATOR, name: "Essai", pin: PIN, supervisor: None, replace: false };
        central::admin::mediator(&pool, SITE, &told, jiff::Timestamp::now(), &random).await.unwrap();
        let code = central::admin::code(&pool, SITE, now, &random).await.unwrap();
        pool.close().await;
        let (central, ca) = (format!("https://localhost:{}", self.port), self.path(tls::CA));
        let remote = HttpRemote::open(&central, &ca).unwrap();
        let world = World::system();
        let enrolled = app::ask_to_enrol(&remote, code["code"].as_str().unwrap(), &world).await.unwrap();
        let vault = Vault::create(&self.path(name), &VaultKey::new([3; 32])).unwrap();
        enrolled.store(&vault).unwrap();
        let file = self.kiosk_file(enrolled.kiosk());
        let kiosk = Kiosk::assemble(vault, file, remote, world).unwrap();
        kiosk.unlock(MEDIATOR, PIN).await.unwrap();
        kiosk.exchange().await.unwrap();
        kiosk
    }
}

/// Everybody's date is at central as it stands on their paper.
fn all_there(listed: &Value, dates: &[DateView]) {
    let rows = listed["registrations"].as_array().unwrap();
    let mut slots = BTreeSet::new();
    for date in dates {
        let row = rows.iter().find(|row| row["code"] == date.code).expect("not at central");
        assert_eq!(row["slot"].to_string(), *date.slot.as_ref().unwrap(), "{row}");
        assert!(slots.insert(row["slot"].to_string()), "one slot, two people");
    }
    assert_eq!((&listed["records_set_aside"], &listed["records_not_applied"]), (&0.into(), &0.into()));
}

fn registrations(place: &Place) -> Value {
    place.run("look").unwrap()
}

fn ground() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn yesterdays_backup_and_the_lease_log_bring_everything_back() {
    ground();
    let mut place = Place::start();
    place.serve();
    let (one, silent) = (place.kiosk("one.db").await, place.kiosk("two.db").await);
    let mut dates = vec![register(&one, "PERSONNE 1").await.unwrap()];
    one.exchange().await.unwrap();
    place.run("backup").unwrap();
    // After the backup: dates of two kiosks, and a kiosk the backup does not know.
    dates.push(register(&one, "PERSONNE 2").await.unwrap());
    one.exchange().await.unwrap();
    dates.push(register(&silent, "PERSONNE 3").await.unwrap());
    let new = place.kiosk("three.db").await;
    dates.push(register(&new, "PERSONNE 4").await.unwrap());
    new.exchange().await.unwrap();

    place.lose();
    // The counter goes on: from the lease.
    dates.push(register(&one, "PERSONNE 5").await.unwrap());
    let log = place.run("restore").unwrap();
    assert_eq!(log["extras_only"], false);
    place.serve();
    // Nobody was heard yet, and new people come: none gets a slot that stands on a paper.
    dates.push(register(&new, "PERSONNE 6").await.unwrap());
    one.exchange().await.unwrap();
    for n in 7..10 {
        dates.push(register(&one, &format!("PERSONNE {n}")).await.unwrap());
    }
    for kiosk in [&one, &silent, &new] {
        kiosk.exchange().await.unwrap();
        kiosk.exchange().await.unwrap();
    }
    all_there(&registrations(&place), &dates);
    assert!(place.run("accept").unwrap_err().contains("nothing to accept"));
    place.run("papers").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_lease_log_extras_only_until_every_kiosk_is_heard() {
    ground();
    let mut place = Place::start();
    place.serve();
    let (one, two) = (place.kiosk("one.db").await, place.kiosk("two.db").await);
    place.run("backup").unwrap();
    let mut dates =
        vec![register(&one, "PERSONNE 1").await.unwrap(), register(&two, "PERSONNE 2").await.unwrap()];
    place.lose();
    std::fs::remove_file(place.path("lease.log")).unwrap();
    place.run("restore").unwrap();
    place.serve_with(&["--lease-log-lost"]);
    one.exchange().await.unwrap();
    dates.push(register(&one, "PERSONNE 3").await.unwrap());
    assert!(place.run("accept").unwrap_err().contains("not heard"), "one kiosk is silent");
    two.exchange().await.unwrap();
    one.exchange().await.unwrap();
    assert_eq!(place.run("accept").unwrap()["extras_only"], false);
    place.central.take().unwrap().kill();
    place.serve();
    dates.push(register(&two, "PERSONNE 4").await.unwrap());
    for kiosk in [&one, &two] {
        kiosk.exchange().await.unwrap();
        kiosk.exchange().await.unwrap();
    }
    all_there(&registrations(&place), &dates);
}

/// A second central that was given a copy of the lease log of one at work: only one of the two gives
/// dates, and afterwards only its log is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_the_lease_log_is_never_used_beside_it() {
    ground();
    let mut place = Place::start();
    place.serve();
    let one = place.kiosk("one.db").await;
    let mut dates = vec![register(&one, "PERSONNE 1").await.unwrap()];
    assert_eq!(dates[0].source, DateSource::Online);

    std::fs::copy(place.path("lease.log"), place.path("copy.log")).unwrap();
    let (first, first_port) = (place.central.take().unwrap(), place.port);
    place.port = free_port().unwrap();
    place.serve_on("copy.log", &[]);
    let two = place.kiosk("two.db").await;
    dates.push(register(&two, "PERSONNE 2").await.unwrap());
    assert_eq!(dates[1].source, DateSource::Online, "it stands in the copy alone");
    // The one with the log it was copied from gives no more; the kiosk does, from its lease.
    dates.push(register(&one, "PERSONNE 3").await.unwrap());
    assert_eq!(dates[2].source, DateSource::Lease);
    let said = std::fs::read_to_string(place.path("central.log")).unwrap();
    assert!(said.contains("another central follows a copy"), "{said}");
    first.kill();
    place.central.take().unwrap().kill();

    place.port = first_port;
    let refused = place.serving("lease.log").output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    place.serve_on("copy.log", &[]);
    one.exchange().await.unwrap();
    dates.push(register(&one, "PERSONNE 4").await.unwrap());
    assert_eq!(dates[3].source, DateSource::Online);
    let slots: BTreeSet<_> = dates.iter().map(|date| date.slot.clone()).collect();
    assert_eq!(slots.len(), dates.len());
}

/// What the backup did not have is gone from the audit journal too, and a kiosk's checkpoint shows
/// from where.
#[test]
fn the_audit_journal_goes_back_with_its_database_and_a_kiosk_shows_it() {
    inside("the_audit_journal_goes_back_with_its_database_and_a_kiosk_shows_it", true, |home| {
        ground();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut place = Place::start();
            place.serve();
            let settings = Settings { home: place.path("kiosk") };
            let pool = central::connect(&place.url()).await.unwrap();
            let (now, random) = (central::system_clock()(), central::system_random());
            let told =
                NewMediator { id: MEDIATOR, name: "Essai", pin: PIN, supervisor: None, replace: false };
            central::admin::mediator(&pool, SITE, &told, jiff::Timestamp::now(), &random).await.unwrap();
            let code = central::admin::code(&pool, SITE, now, &random).await.unwrap();
            pool.close().await;
            let file = place.kiosk_file(KioskId([0; 16]));
            app::enrol(&settings, file, code["code"].as_str().unwrap(), &World::system()).await.unwrap();
            let opened = async || {
                let kiosk = Kiosk::open(settings.clone()).await.unwrap();
                kiosk.unlock(MEDIATOR, PIN).await.unwrap();
                kiosk
            };
            let keys = place.path("keys").display().to_string();
            let seal = |place: &Place| place.admin(&["admin", "audit", "seal", "--keys", &keys]);
            let kiosk = opened().await;
            kiosk.exchange().await.unwrap();
            place.run("backup").unwrap();
            register(&kiosk, "PERSONNE 1").await.unwrap();
            kiosk.exchange().await.unwrap();
            seal(&place);
            kiosk.exchange().await.unwrap();

            place.lose();
            place.run("restore").unwrap();
            place.serve();
            seal(&place);
            kiosk.exchange().await.unwrap();
            kiosk.exchange().await.unwrap();
            assert!(kiosk.home().await.unwrap().notices.contains(&"central_audit_back".to_owned()));
            drop(kiosk);

            place.run("checkpoint").unwrap();
            let told = place.run("audit").unwrap_err();
            assert!(told.contains("forked") || told.contains("truncated"), "{told}");
            let mut alone = command(built("jalonctl").unwrap(), ["audit", "verify"]);
            alone.arg(place.path("audit.jsonl")).arg("--root").arg(place.path("keys/root.pub.json"));
            let alone = output(&mut alone).unwrap();
            assert!(alone.contains("\"valid\""), "the database itself witnesses nothing of it: {alone}");
        });
        note_daemons(home).unwrap();
    });
}

/// Every variable the blocks use is told at the top.
#[test]
fn the_runbook_names_its_variables() {
    let told = block("variables");
    for word in ["backup", "restore", "look", "papers", "accept", "checkpoint", "audit"] {
        for name in block(word).split("\"$").skip(1) {
            let name = name.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).next().unwrap();
            assert!(told.contains(name), "{name}");
        }
    }
}
