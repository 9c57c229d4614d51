//! A database, keys and certificates for the programs to be run on, and how what they said is
//! judged.

use journeys::programs::{built, command, wait_for};
use journeys::stand::postgres::Postgres;
use journeys::tls;
use std::io::Write as _;
use std::process::{Command, Stdio};

#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub said: String,
}

pub fn ran(command: &mut Command, input: &str) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end without having read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let ended = wait_for("the program ends", || child.try_wait().unwrap());
    if ended.is_err() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(ended.is_ok(), "{command:?} did not end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: output.status.code(), out: text(output.stdout), said: text(output.stderr) };
    assert!(!ran.said.contains("panicked"), "{ran:?}");
    ran
}

pub fn central(args: &[&str]) -> Command {
    let mut central = command(built("central").unwrap(), args);
    central.env_remove("JALON_DATABASE_URL").env_remove("JALON_KEYS").env_remove("JALON_LOG");
    central
}

/// It ended with this code and said all of this.
#[track_caller]
pub fn says(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, Some(code), "{ran:?}");
    for word in words {
        assert!(ran.said.contains(word), "{word} is not in: {}", ran.said);
    }
}

pub struct Ground {
    pub folder: tempfile::TempDir,
    pub url: String,
    pub postgres: Postgres,
}

/// A migrated database with the site ONE, keys and certificates in one folder.
pub fn ground() -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let postgres = Postgres::start(folder.path()).unwrap();
    let url = postgres.database("jalon").unwrap();
    tls::make(folder.path()).unwrap();
    let ground = Ground { folder, url, postgres };
    says(&ran(&mut central(&["migrate", "--database", &ground.url]), ""), 0, &[]);
    let keys = ground.path("keys");
    says(&ran(&mut central(&["admin", "keys", "--out", &keys]), ""), 0, &[]);
    says(&ground.site(&[]), 0, &[]);
    ground
}

impl Ground {
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub fn admin(&self, args: &[&str]) -> Ran {
        ran(central(&["admin"]).args(args).args(["--database", &self.url]), "246810\n")
    }

    /// Adds the site ONE, with some words changed.
    pub fn site(&self, changed: &[(&str, &str)]) -> Ran {
        let key = age_recipient();
        self.with("site", &[("--id", "ONE"), ("--name", "Site d'essai"), ("--site-key", &key)], changed)
    }

    /// Adds the counter A, with some words changed.
    pub fn counter(&self, changed: &[(&str, &str)]) -> Ran {
        let right = [
            ("--site", "ONE"),
            ("--name", "A"),
            ("--weekdays", "1,2,3"),
            ("--opens", "09:00"),
            ("--closes", "16:00"),
            ("--every-minutes", "20"),
        ];
        self.with("counter", &right, changed)
    }

    pub fn mediator(&self, changed: &[(&str, &str)]) -> Ran {
        self.with("mediator", &[("--site", "ONE"), ("--id", "demo"), ("--name", "Essai")], changed)
    }

    fn with(&self, act: &str, right: &[(&str, &str)], changed: &[(&str, &str)]) -> Ran {
        let mut words = vec![act.to_owned()];
        for (flag, value) in right {
            let value = changed.iter().find(|(name, _)| name == flag).map_or(*value, |(_, value)| *value);
            words.push(format!("{flag}={value}"));
        }
        let known = |flag: &str| right.iter().any(|(name, _)| *name == flag);
        words.extend(
            changed.iter().filter(|(name, _)| !known(name)).map(|(name, value)| format!("{name}={value}")),
        );
        self.admin(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub fn serve(&self, changed: &[(&str, &str)]) -> Command {
        let (cert, key, keys) = (self.path(tls::CERT), self.path(tls::KEY), self.path("keys"));
        let right = [
            ("--listen", "127.0.0.1:0"),
            ("--database", &self.url),
            ("--tls-cert", &cert),
            ("--tls-key", &key),
            ("--keys", &keys),
        ];
        let mut serve = central(&["serve"]);
        for (flag, value) in right {
            let value = changed.iter().find(|(name, _)| *name == flag).map_or(value, |(_, value)| *value);
            serve.args([flag, value]);
        }
        serve
    }
}

fn age_recipient() -> String {
    age::x25519::Identity::generate().to_public().to_string()
}
