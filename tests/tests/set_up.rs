#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! docs/runbooks/central.md, run block by block as it stands: from an empty PostgreSQL to a central that
//! answers a kiosk, by a role that owns its database and nothing else.

use app::World;
use app::sync::transfer::HttpRemote;
use journeys::programs::{Running, built, command, free_port, output, wait_for};
use journeys::stand::postgres::Postgres;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

const RUNBOOK: &str = include_str!("../../docs/runbooks/central.md");

/// The lines of the block marked with this word.
fn block(word: &str) -> &'static str {
    let from = RUNBOOK.split_once(&format!("```sh {word}\n")).expect("no such block").1;
    from.split_once("```").unwrap().0
}

struct Place {
    folder: tempfile::TempDir,
    _postgres: Postgres,
    port: u16,
    admin: String,
    url: String,
    site_key: String,
}

impl Place {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(folder.path()).unwrap();
        let admin = postgres.database("before").unwrap();
        let url = admin.replace("/before?", "/jalon?").replace("user=jalon", "user=jalon_central");
        assert!(url.contains("jalon_central"), "{url}");
        let site_key = age::x25519::Identity::generate().to_public().to_string();
        Self { folder, _postgres: postgres, port: free_port().unwrap(), admin, url, site_key }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn shell(&self, word: &str) -> Command {
        let programs = built("central").unwrap().parent().unwrap().to_owned();
        let mut shell = command("sh", ["-eu", "-c", block(word)]);
        let path = std::env::var("PATH").unwrap();
        shell.current_dir(self.folder.path()).env("PATH", format!("{}:{path}", programs.display()));
        let listen = format!("127.0.0.1:{}", self.port);
        for (name, value) in [
            ("JALON_ADMIN_URL", self.admin.as_str()),
            ("JALON_DATABASE_PASSWORD", "it's one"),
            ("JALON_DATABASE_URL", &self.url),
            ("JALON_KEYS", "keys"),
            ("JALON_LEASE_LOG", "lease.log"),
            ("JALON_HOST", "localhost"),
            ("JALON_LISTEN", &listen),
            ("JALON_SITE_KEY", &self.site_key),
            ("JALON_PIN", "246810"),
            ("JALON_AGENT", "Administratrice"),
        ] {
            shell.env(name, value);
        }
        shell
    }

    /// What a block says, line by line, where it is JSON.
    fn run(&self, word: &str) -> Vec<Value> {
        let said = output(&mut self.shell(word)).unwrap();
        said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// The words of the runbook's first block are those its other blocks use, each of them.
#[test]
fn every_variable_of_the_runbook_is_named_at_its_head() {
    let named: Vec<&str> = block("variables").lines().filter_map(|line| line.split(' ').next()).collect();
    let mut rest = RUNBOOK.split("```sh ").skip(2).filter_map(|from| from.split_once("```"));
    let blocks: String = rest.by_ref().map(|(block, _)| block).collect();
    let mut used: Vec<String> = Vec::new();
    for piece in blocks.split('$').skip(1) {
        let piece = piece.trim_start_matches('{');
        let name: String = piece.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
        if name.starts_with("JALON_") && !used.contains(&name) {
            used.push(name);
        }
    }
    assert!(used.iter().all(|name| named.contains(&name.as_str())), "{used:?} {named:?}");
    for name in named.iter().filter(|name| **name != "JALON_AGENT") {
        assert!(used.iter().any(|other| other == name), "{name} is used nowhere");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_an_empty_database_to_a_central_that_enrols_a_kiosk() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let place = Place::start();
    place.run("database");
    let keys = output(&mut place.shell("keys")).unwrap();
    for file in ["central.keys.json", "recovery.key", "root.key", "root.pub.json"] {
        assert!(keys.contains(file), "{keys}");
    }
    // They are taken away before a kiosk is enrolled: central does without.
    for file in ["root.key", "recovery.key"] {
        std::fs::remove_file(place.path("keys").join(file)).unwrap();
    }
    place.run("certificate");
    let _central = Running::start(&mut place.shell("serve"), &place.path("central.log")).unwrap();
    wait_for("central listens", || std::net::TcpStream::connect(("127.0.0.1", place.port)).ok()).unwrap();
    assert_eq!(output(&mut place.shell("health")).unwrap().trim(), "ok");

    let told = place.run("site");
    assert_eq!(told[0]["site"], "SITE-93");
    assert_eq!(told[3]["counters"].as_array().unwrap().len(), 2, "{told:?}");
    let agent = told.last().unwrap();
    assert_eq!((&agent["name"], agent["key"].as_str().unwrap().len()), (&Value::from("Agent Petit"), 64));
    let told = place.run("kiosk");
    let code = told[0]["code"].as_str().unwrap();
    let central = format!("https://localhost:{}", place.port);
    let remote = HttpRemote::open(&central, &place.path("authority.pem")).unwrap();
    app::ask_to_enrol(&remote, code, &World::system()).await.unwrap();
    let audit = place.run("night");
    assert!(audit.last().unwrap()["entries"].as_u64().unwrap() >= 6, "{audit:?}");
    assert!(std::fs::metadata(place.path("jalon.dump")).unwrap().len() > 0);
    // What was done stands by the name of who did it.
    let pool = central::connect(&place.url).await.unwrap();
    let who = "SELECT count(*) FROM site WHERE id = 'SITE-93'";
    assert_eq!(sqlx::query_scalar::<_, i64>(who).fetch_one(&pool).await.unwrap(), 1);
    let file = std::fs::read_dir(place.folder.path()).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        path.file_name()?.to_str()?.starts_with("audit-").then_some(path)
    });
    let journal = std::fs::read_to_string(file.last().unwrap()).unwrap();
    assert!(journal.contains("agent:Administratrice"), "{journal:.400}");
}
