//! The programs from outside, on a real PostgreSQL: what a slip, a missing file or an
//! absent part is told as, with which exit code, and that a password is never repeated.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

mod ground;
mod serving;

use ground::{central, ground, ran, says};
use journeys::own_session::{inside, note_daemons};
use journeys::programs::{Running, built, command, free_port, wait_for};
use journeys::tls;
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;

#[test]
fn an_annulment_is_typed_with_all_it_takes_or_not_at_all() {
    let ground = ground();
    let code = domain::code::FollowUpCode::from_random([9; 8]).to_string();
    let file = ground.path("reasons.txt");
    std::fs::write(&file, "Le titre n'est pas le sien.").unwrap();
    let reasons = format!("--reasons={file}");
    let asked = |args: &[&str]| ground.admin(&[&["annul", "--code", &code][..], args].concat());
    says(&asked(&[]), 1, &["nobody registered here", "central admin registrations"]);
    says(&ground.admin(&["annul", "--code", "x"]), 1, &["no follow-up code"]);
    let propose = &["--propose", &reasons, "--answer-by=2027-04-01", "--agent=Agente A"];
    says(&asked(propose), 1, &["nobody registered here"]);
    says(&asked(&["--propose", &reasons]), 2, &["--answer-by"]);
    says(&asked(&["--decide=annul"]), 2, &["--reasons"]);
    says(&asked(&["--decide=perhaps", &reasons]), 2, &["annul", "keep"]);
    says(&asked(&["--undo", "--heard", &reasons]), 2, &["--heard"]);
    says(&asked(&["--heard"]), 1, &["--answer FILE", "--no-answer"]);
    says(&asked(&["--heard", "--no-answer", &format!("--answer={file}")]), 2, &["--no-answer"]);
    let gone = format!("--reasons={}", ground.path("none.txt"));
    says(&asked(&["--undo", &gone]), 3, &["none.txt", "correct its path"]);
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    says(&asked(&["--undo", &reasons]), 1, &["UTF-8"]);
    std::fs::write(&file, "x".repeat(8_001)).unwrap();
    says(&asked(&["--undo", &reasons]), 1, &["too long", "1000"]);
}

#[test]
fn an_administrators_slip_is_told_with_what_to_type() {
    let ground = ground();
    for act in [
        &["code"][..],
        &["lease"],
        &["registrations"],
        &["closure", "--first=2027-03-15", "--last=2027-03-16"],
    ] {
        let asked = |site: &str| ground.admin(&[act, &["--site", site]].concat());
        says(&asked("TWO"), 1, &["there is no site TWO", "ONE", "central admin site"]);
        says(&asked("o'ne\n"), 1, &["not a site id", "A-Z"]);
        says(&asked("ONE"), 0, &[]);
    }
    says(&ground.counter(&[("--site", "TWO")]), 1, &["there is no site TWO"]);
    says(&ground.mediator(&[("--site", "TWO")]), 1, &["there is no site TWO"]);
    says(&ground.site(&[]), 1, &["site ONE exists already"]);
    says(
        &ground.admin(&["pieces", "--code", "x", "--out", &ground.path("pieces")]),
        1,
        &["not a follow-up code"],
    );
    let code = domain::code::FollowUpCode::from_random([9; 8]).to_string();
    says(
        &ground.admin(&["pieces", "--code", &code, "--out", &ground.path("pieces")]),
        1,
        &["no registration", &code],
    );
    assert!(!Path::new(&ground.path("pieces")).exists());

    // Names stand on papers and screens.
    let long = "a".repeat(101);
    for (name, words) in [
        ("", "empty"),
        ("a\nb", "control character"),
        ("a\u{202e}b", "reading direction"),
        (&long, "at most"),
    ] {
        says(&ground.counter(&[("--name", name)]), 1, &["the counter's name", words]);
        says(&ground.mediator(&[("--name", name)]), 1, &["the mediator's name", words]);
        says(&ground.mediator(&[("--id", name)]), 1, &["the mediator's id", words]);
        says(&ground.site(&[("--id", "TWO"), ("--name", name)]), 1, &["the site's name", words]);
        says(&ground.site(&[("--id", "TWO"), ("--address", name)]), 1, &["a line of the address", words]);
        says(&ground.site(&[("--id", "TWO"), ("--phone", name)]), 1, &["the telephone number", words]);
    }
    says(&ground.site(&[("--id", "TWO"), ("--zone", "Paris")]), 1, &["Europe/Paris"]);
    says(&ground.site(&[("--id", "TWO"), ("--holidays", "wallis")]), 1, &["alsace_moselle"]);
    says(&ground.site(&[("--id", "TWO"), ("--site-key", "age1x")]), 1, &["age-keygen"]);
    says(&ground.site(&[("--id", "TWO"), ("--lease-slots", "401")]), 1, &["0 to 400"]);
    says(
        &ran(
            central(&["admin", "mediator", "--site=ONE", "--id=a", "--name=A", "--database"])
                .arg(&ground.url),
            "12a4",
        ),
        1,
        &["4 to 12 digits"],
    );

    // Opening patterns.
    for weekdays in ["0", "8", "mon", "1,,2"] {
        says(
            &ground.counter(&[("--weekdays", weekdays)]),
            2,
            &["1 (Monday) to 7 (Sunday)", "--weekdays 1,2,3,4,5"],
        );
    }
    says(&ground.counter(&[("--opens", "9h")]), 2, &["HH:MM", "09:00"]);
    says(&ground.counter(&[("--from", "15/03/2027")]), 2, &["YYYY-MM-DD"]);
    says(&ground.counter(&[("--opens", "17:00")]), 1, &["--opens 09:00 --closes 16:00"]);
    says(&ground.counter(&[("--every-minutes", "2")]), 1, &["5 to 480"]);
    says(&ground.counter(&[("--closes", "09:10")]), 1, &["no room for one appointment of 20 minutes"]);
    says(
        &ground.admin(&["closure", "--site=ONE", "--first=2027-03-16", "--last=2027-03-15"]),
        1,
        &["swap --first and --last"],
    );
    says(&ground.counter(&[("--capacity", "21")]), 1, &["1 to 20", "--capacity 2"]);
    says(&ground.counter(&[("--procedures", "passport")]), 2, &["renewal", "naturalisation"]);
    says(&ground.counter(&[("--until", "2020-01-01")]), 1, &["--until"]);
    // Missing, and told what to add.
    says(&ground.admin(&["counter", "--site=ONE", "--name=B"]), 1, &["--weekdays 1,2,3,4,5"]);
    says(&ground.admin(&["counter", "--site=ONE", "--name=B", "--weekdays=1"]), 2, &["--opens"]);
    says(&ground.site(&[("--id", "FAIR"), ("--kind", "temporary")]), 1, &["--until"]);
    says(&ground.site(&[("--id", "FAIR"), ("--kind", "circus")]), 1, &["fixed, mobile, or temporary"]);
    says(&ground.counter(&[]), 0, &[]);
    says(&ground.counter(&[]), 1, &["has a counter A already"]);
    let opening = ["opening", "--site=ONE", "--counter=A", "--day=2099-07-14"];
    says(&ground.admin(&opening), 1, &["--opens 09:00"]);
    let hours = ["--opens=10:00", "--closes=12:00", "--every-minutes=30", "--preview"];
    let told = ground.admin(&[opening.as_slice(), &hours].concat());
    says(&told, 0, &[]);
    assert!(told.out.contains("\"token\"") && told.out.contains("\"outside\":0"), "{}", told.out);
    says(&ground.admin(&["calendar", "--site=ONE"]), 0, &[]);
    says(
        &ground.admin(&["closure", "--site=ONE", "--counter=Z", "--first=2099-03-15", "--last=2099-03-16"]),
        1,
        &["there is A"],
    );
    says(&ground.mediator(&[]), 0, &[]);
    says(
        &ran(&mut central(&["admin", "keys", "--out", &ground.path("keys")]), ""),
        1,
        &["never overwritten"],
    );

    // An answer nobody can take.
    let mut code = central(&["admin", "lease", "--site", "ONE", "--database", &ground.url]);
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    for out in [Stdio::from(File::options().write(true).open("/dev/full").unwrap()), Stdio::from(closed)] {
        let output = code.stdout(out).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains("could not be written") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_missing_part_of_central_is_named_and_no_password_is_repeated() {
    let ground = ground();
    let cut = |name: &str, text: &str| {
        std::fs::write(ground.path(name), text).unwrap();
        ground.path(name)
    };
    let (none, empty, garbage) = (ground.path("none.pem"), cut("empty.pem", ""), cut("garbage.pem", "x"));
    for flag in ["--tls-cert", "--tls-key"] {
        says(&ran(&mut ground.serve(&[(flag, &none)]), ""), 3, &[&none, "cannot be read"]);
        for file in [&empty, &garbage] {
            says(&ran(&mut ground.serve(&[(flag, file)]), ""), 3, &[file, "PEM"]);
        }
    }
    let apart = ground.path("apart");
    std::fs::create_dir(&apart).unwrap();
    tls::make(Path::new(&apart)).unwrap();
    let key = format!("{apart}/{}", tls::KEY);
    says(&ran(&mut ground.serve(&[("--tls-key", &key)]), ""), 3, &[&key, &ground.path(tls::CERT)]);
    says(&ran(&mut ground.serve(&[("--keys", &apart)]), ""), 3, &[&apart, "central admin keys --out"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    says(&ran(&mut ground.serve(&[("--listen", &address)]), ""), 3, &[&address, "--listen"]);
    says(&ran(&mut ground.serve(&[("--listen", "8443")]), ""), 2, &["0.0.0.0:8443"]);

    let silent = format!("postgres://jalon:s3cret@127.0.0.1:{}/jalon", free_port().unwrap());
    let unknown = ground.url.replace("///jalon?", "///other?") + "&password=s3cret&passwd=s3cret";
    let urls = [
        ("nonsense-s3cret", "postgres://USER:PASSWORD@HOST"),
        ("mysql://jalon:s3cret@localhost/jalon", "postgres://USER:PASSWORD@HOST"),
        ("postgres://jalon:s3cret/x@localhost/jalon", "%2F"),
        ("postgres://jalon:12/s3cret@localhost/jalon", "%2F"),
        ("postgres://jalon:s3cret@localhost:port/jalon", "postgres://USER:PASSWORD@HOST"),
        (
            "postgres://jalon:s3cret@no-such-host.invalid/jalon",
            "does not answer at no-such-host.invalid:5432",
        ),
        (&silent, "does not answer at 127.0.0.1"),
        (&unknown, "createdb other"),
    ];
    for (url, words) in urls {
        for mut asked in [
            central(&["migrate", "--database", url]),
            central(&["admin", "lease", "--site", "ONE", "--database", url]),
            ground.serve(&[("--database", url)]),
        ] {
            let ran = ran(&mut asked, "");
            says(&ran, 3, &[words]);
            assert!(!ran.said.contains("s3cret") && !ran.out.contains("s3cret"), "{ran:?}");
        }
    }
    let help = ran(central(&["migrate", "--help"]).env("JALON_DATABASE_URL", "postgres://j:s3cret@h/j"), "");
    assert!(help.out.contains("JALON_DATABASE_URL") && !help.out.contains("s3cret"), "{}", help.out);

    let bare = ground.postgres.database("bare").unwrap();
    says(&ran(&mut ground.serve(&[("--database", &bare)]), ""), 3, &["run central migrate"]);
    says(
        &ran(&mut central(&["admin", "lease", "--site=ONE", "--database", &bare]), ""),
        3,
        &["run central migrate"],
    );
}

#[test]
fn enrolment_says_what_central_refused_and_what_is_no_central() {
    inside("enrolment_says_what_central_refused_and_what_is_no_central", true, |home| {
        enrolment();
        note_daemons(home).unwrap();
    });
}

fn enrolment() {
    let ground = ground();
    let log = ground.folder.path().join("central.log");
    let _central = Running::start(&mut ground.serve(&[]), &log).unwrap();
    let port = wait_for("central says where it listens", || {
        let said = std::fs::read_to_string(&log).ok()?;
        Some(said.split_once("listening on 127.0.0.1:")?.1.lines().next()?.to_owned())
    })
    .unwrap();
    let apart = tempfile::tempdir().unwrap();
    tls::make(apart.path()).unwrap();
    let (ca, other) = (ground.path(tls::CA), apart.path().join(tls::CA).display().to_string());
    let here = format!("https://localhost:{port}");
    let enrol = |central: &str, ca: &str| {
        let args = ["enrol", "--central", central, "--code", "7K3Q-9MZT-4XW2-P", "--ca", ca];
        let mut enrol = command(built("jalonctl").unwrap(), args);
        ran(enrol.env("JALON_HOME", ground.path("kiosk")).env("LC_ALL", "C"), "")
    };
    let nobody = format!("https://localhost:{}", free_port().unwrap());
    for (ran, code, problem) in [
        (enrol(&here, &ca), 1, "enrol_code_refused"),
        (enrol(&here, &other), 1, "enrol_untrusted"),
        (enrol(&format!("{here}/elsewhere"), &ca), 1, "enrol_not_central"),
        (enrol(&nobody, &ca), 3, "enrol_unreachable"),
    ] {
        says(&ran, code, &["jalonctl: "]);
        assert!(ran.out.contains(problem), "{ran:?}");
        assert!(!ran.said.contains("imprévue"), "{problem} has no sentence: {}", ran.said);
    }
    assert!(!Path::new(&ground.path("kiosk")).join("vault.db").exists());

    // What this machine lacks is found before the code is sent: it serves once.
    let made = ground.admin(&["code", "--site", "ONE"]).out;
    let code = serde_json::from_str::<Value>(&made).unwrap()["code"].as_str().unwrap().to_owned();
    let enrol = |folder: &str, keyring: bool| {
        let args = ["enrol", "--central", &here, "--code", &code, "--ca", &ca];
        let mut enrol = command(built("jalonctl").unwrap(), args);
        if !keyring {
            enrol.env_remove("DBUS_SESSION_BUS_ADDRESS").env("XDG_RUNTIME_DIR", ground.path("no bus"));
        }
        ran(enrol.env("JALON_HOME", folder).env("LC_ALL", "C"), "")
    };
    let folder = ground.path("full");
    std::fs::create_dir_all(format!("{folder}/new-vault.db")).unwrap();
    let below_a_file = format!("{ca}/kiosk");
    for (ran, problem) in [
        (enrol(&folder, true), "home_unwritable"),
        (enrol(&below_a_file, true), "home_unwritable"),
        (enrol(&ground.path("kiosk"), false), "keyring_unavailable"),
    ] {
        says(&ran, 3, &["jalonctl: "]);
        assert!(ran.out.contains(problem), "{ran:?}");
    }
    let kiosks = || ground.admin(&["kiosks", "--site", "ONE"]).out;
    assert_eq!(kiosks().trim(), "{\"kiosks\":[]}", "no kiosk that nobody has");
    says(&enrol(&ground.path("kiosk"), true), 0, &[]);
    assert_ne!(kiosks().trim(), "{\"kiosks\":[]}", "the code still served");
    let left = std::fs::read_dir(ground.path("kiosk")).unwrap().flatten().map(|file| file.file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with("new-")));
}

#[test]
fn the_window_program_answers_before_it_needs_a_display() {
    let kiosk = |args: &[&str]| {
        let mut kiosk = command(built("kiosk").unwrap(), args);
        kiosk.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        kiosk
    };
    let help = ran(&mut kiosk(&["--help"]), "");
    assert!(help.code == Some(0) && help.out.contains("Usage: kiosk"), "{help:?}");
    let version = ran(&mut kiosk(&["--version"]), "");
    assert_eq!(
        (version.code, version.out.as_str()),
        (Some(0), concat!("kiosk ", env!("CARGO_PKG_VERSION"), "\n"))
    );
    says(&ran(&mut kiosk(&["--bogus"]), ""), 2, &["--bogus", "kiosk --help"]);
    for display in [None, Some(""), Some(":4294967295"), Some("nonsense")] {
        let mut kiosk = kiosk(&[]);
        if let Some(display) = display {
            kiosk.env("DISPLAY", display);
        }
        let ran = ran(&mut kiosk, "");
        says(&ran, 3, &["DISPLAY"]);
        assert_eq!(ran.said.lines().count(), 1, "{}", ran.said);
    }
}
