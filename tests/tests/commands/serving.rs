//! What `central serve` starts with and what it does not, and listings that show persons.

use crate::ground::{central, ground, ran, says};
use journeys::programs::{Running, wait_for};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Starts it and waits until it listens.
fn listening(serve: &mut Command, log: &Path) -> Running {
    let _ = std::fs::remove_file(log);
    let running = Running::start(serve, log).unwrap();
    wait_for("central says where it listens", || {
        std::fs::read_to_string(log).ok()?.contains("listening on 127.0.0.1:").then_some(())
    })
    .unwrap();
    running
}

#[test]
fn a_slip_in_the_lease_log_or_the_keys_changes_nothing() {
    let ground = ground();
    let log = ground.folder.path().join("central.log");
    let serve = |keys: &str, lease_log: &str, more: &[&str]| {
        let mut serve = ground.serve(&[("--keys", keys)]);
        serve.args(["--lease-log", lease_log]).args(more);
        serve
    };
    let (keys, own, none) = (ground.path("keys"), ground.path("lease.log"), ground.path("none.log"));
    let extras_only = || {
        let out = ground.admin(&["lease-log"]).out;
        serde_json::from_str::<Value>(&out).unwrap()["extras_only"] == true
    };
    listening(&mut serve(&keys, &own, &[]), &log).kill();
    // Not there, and another history's.
    says(&ran(&mut serve(&keys, &none, &[]), ""), 1, &[&none, "--lease-log-lost"]);
    assert!(!Path::new(&none).exists(), "nothing is made of a slip");
    let other = ground.path("other.log");
    drop(central::lease_log::LeaseLog::open(Path::new(&other), &central::system_random()).unwrap());
    let before = std::fs::read(&other).unwrap();
    says(&ran(&mut serve(&keys, &other, &[]), ""), 1, &[&other, "--lease-log-lost"]);
    assert_eq!(std::fs::read(&other).unwrap(), before);
    assert!(!extras_only());
    listening(&mut serve(&keys, &own, &[]), &log).kill();
    assert!(!extras_only(), "its own log is taken as always");
    // Left out.
    says(&ran(&mut ground.serve(&[]), ""), 1, &["--lease-log", "JALON_LEASE_LOG", "--lease-log-lost"]);
    assert!(!extras_only());
    // Meant.
    listening(&mut serve(&keys, &none, &["--lease-log-lost"]), &log).kill();
    assert!(extras_only());
    assert!(std::fs::read_to_string(&log).unwrap().contains("only extra slots are given"));
    says(&ran(&mut ground.serve(&[]), ""), 1, &["--lease-log-lost"]);
    // Not lost after all: it is followed again, and the other one is the slip.
    listening(&mut serve(&keys, &own, &[]), &log).kill();
    assert!(!extras_only(), "its own log is there again");
    says(&ran(&mut serve(&keys, &none, &[]), ""), 1, &[&none, "--lease-log-lost"]);
    // Lost for good.
    listening(&mut serve(&keys, &none, &["--lease-log-lost"]), &log).kill();
    listening(&mut serve(&keys, &none, &[]), &log).kill();
    assert!(extras_only());
    says(&ground.admin(&["lease-log", "--accept"]), 0, &[]);
    listening(&mut serve(&keys, &none, &[]), &log).kill();
    assert!(!extras_only());
    says(&ran(&mut serve(&keys, &own, &[]), ""), 1, &[&own, "--lease-log-lost"]);

    // Keys of before a renewal, once the old key is retired.
    let old = ground.path("old keys");
    std::fs::create_dir(&old).unwrap();
    for file in std::fs::read_dir(&keys).unwrap().flatten() {
        std::fs::copy(file.path(), Path::new(&old).join(file.file_name())).unwrap();
    }
    let root = format!("{keys}/root.key");
    for role in ["slot", "acknowledgement"] {
        let renewed =
            ran(&mut central(&["admin", "renew-key", "--keys", &keys, "--root", &root, "--role", role]), "");
        says(&renewed, 0, &[]);
        let renewed: Value = serde_json::from_str(&renewed.out).unwrap();
        let key = renewed["old"].as_str().unwrap();
        says(&ground.admin(&["retire-key", "--keys", &keys, "--key", key]), 0, &[]);
        says(&ran(&mut serve(&old, &none, &[]), ""), 3, &[&old, key, "retired", "renew-key"]);
    }
    listening(&mut serve(&keys, &none, &[]), &log).kill();
}

#[test]
fn mediators_are_listed_without_their_pins_and_every_listing_is_in_the_audit_journal() {
    let ground = ground();
    says(&ground.mediator(&[]), 0, &[]);
    says(&ground.mediator(&[("--id", "chief"), ("--name", "Cheffe"), ("--supervisor", "true")]), 0, &[]);
    // An id passes to nobody else by a slip, and no two differ by capitals only.
    let slip = ground.mediator(&[("--name", "Une Autre")]);
    says(&slip, 1, &["demo is the id of Essai", "--replace"]);
    says(&ground.mediator(&[("--id", "DEMO"), ("--name", "Une Autre")]), 1, &["demo is the id of Essai"]);
    says(&ground.mediator(&[]), 0, &[]);
    let meant = ["--site=ONE", "--id=chief", "--name=Chef", "--replace"];
    says(&ground.admin(&[&["mediator"][..], &meant].concat()), 0, &[]);
    let back = ["--site=ONE", "--id=chief", "--name=Cheffe", "--replace"];
    says(&ground.admin(&[&["mediator"][..], &back].concat()), 0, &[]);
    let listed = ground.admin(&["mediators", "--site", "ONE"]);
    let wanted = serde_json::json!({ "mediators": [
        { "id": "chief", "name": "Cheffe", "supervisor": true },
        { "id": "demo", "name": "Essai", "supervisor": false },
    ] });
    assert_eq!(serde_json::from_str::<Value>(&listed.out).unwrap(), wanted);
    says(&ground.admin(&["mediators", "--site", "TWO"]), 1, &["there is no site TWO"]);

    let (keys, lists, queue) = (ground.path("keys"), ground.path("lists.json"), ground.path("queue.json"));
    says(&ground.admin(&["lists", "--site", "ONE", "--keys", &keys, "--out", &lists]), 0, &[]);
    let asked = ["queue", "--site", "ONE", "--procedure", "renewal", "--keys", &keys, "--out", &queue];
    says(&ground.admin(&asked), 0, &[]);
    for act in [&["registrations"][..], &["papers"], &["tasks"], &["kiosks"]] {
        says(&ground.admin(&[act, &["--site", "ONE"]].concat()), 0, &[]);
    }
    let file = ground.path("audit.jsonl");
    says(&ground.admin(&["audit", "export", "--keys", &keys, "--out", &file]), 0, &[]);
    let journal = std::fs::read_to_string(file).unwrap();
    for act in
        ["mediators_read", "lists_read", "queue_read", "registrations_read", "papers_read", "tasks_read"]
    {
        assert!(journal.contains(act), "{act} is not in the journal");
    }
}
