#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The vault as a file: what opens it, what is refused, and that a refusal changes no byte.

use domain::bytes::Salt;
use domain::ids::{AnnulmentId, KioskId, LeaseId, RegistrationId, SlotId};
use domain::limit::{Right, TimeLimit};
use jiff::Timestamp;
use seal::keys::Signer;
use std::path::Path;
use vault::{Author, LimitSaid, Unwritable, Vault, VaultFailure, VaultKey};
use wire::body::{Body, LimitDeclared, Release};
use zeroize::Zeroizing;

fn key(n: u8) -> VaultKey {
    Zeroizing::new([n; 32])
}

fn made(path: &Path, signer: &Signer) {
    let vault = Vault::create(path, &key(1)).unwrap();
    let author = Author { kiosk: KioskId([3; 16]), incarnation: 1, device: signer };
    for n in 0..3 {
        let at = Timestamp::from_second(1_800_000_000 + n).unwrap();
        let slots = vec![SlotId(u64::try_from(n).unwrap())];
        let body = Body::Release(Release { lease: LeaseId([4; 16]), slots, at });
        let salt = Salt([9; 16]);
        vault.transact::<_, VaultFailure>(|tx| tx.append(&author, &body, salt, at)).unwrap();
    }
    vault.checkpoint().unwrap();
}

#[test]
fn made_opened_and_its_chain_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.db");
    let signer = Signer::from_seed(&[5; 32]);
    made(&path, &signer);
    assert!(matches!(Vault::create(&path, &key(1)), Err(VaultFailure::Io(_))));
    let vault = Vault::open(&path, &key(1)).unwrap();
    vault.check(&signer.public()).unwrap();
    // Another device's key: the records are not its own.
    assert!(vault.check(&Signer::from_seed(&[6; 32]).public()).is_err());
    assert_eq!(vault.read::<_, VaultFailure>(|tx| tx.head(1)).unwrap().seq, 3);
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(7).any(|window| window == b"release" || window == b"SQLite "));
}

#[test]
fn a_wrong_key_or_a_damaged_file_is_refused_and_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.db");
    made(&path, &Signer::from_seed(&[5; 32]));
    let whole = std::fs::read(&path).unwrap();
    assert!(matches!(Vault::open(&path, &key(2)), Err(VaultFailure::DoesNotOpen)));
    assert_eq!(std::fs::read(&path).unwrap(), whole);

    let cut = &whole[..1000];
    std::fs::write(&path, cut).unwrap();
    assert!(Vault::open(&path, &key(1)).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), cut);

    std::fs::write(&path, b"not a vault").unwrap();
    assert!(Vault::open(&path, &key(1)).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"not a vault");
    assert!(matches!(Vault::open(&folder.path().join("none.db"), &key(1)), Err(VaultFailure::Io(_))));
    assert!(!folder.path().join("none.db").exists());
}

#[test]
fn a_second_holder_is_told_it_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.db");
    let first = Vault::create(&path, &key(1)).unwrap();
    assert!(matches!(Vault::open(&path, &key(1)), Err(VaultFailure::Busy)));
    drop(first);
    Vault::open(&path, &key(1)).unwrap();
}

/// With a log beside it and without: what was kept is read, nothing is written, and the files stay
/// what they are, byte for byte.
#[test]
fn a_vault_on_a_disk_that_takes_nothing_is_read() {
    let (folder, read) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (path, copy) = (folder.path().join("vault.db"), read.path().join("vault.db"));
    let vault = Vault::create(&path, &key(7)).unwrap();
    vault.transact::<_, VaultFailure>(|tx| tx.put("first", b"in the file")).unwrap();
    vault.checkpoint().unwrap();
    let look = |named: &[(&str, &[u8])]| {
        let files = || {
            let mut files: Vec<_> = std::fs::read_dir(read.path())
                .unwrap()
                .map(|file| file.unwrap().path())
                .map(|file| (file.clone(), std::fs::read(file).unwrap()))
                .collect();
            files.sort();
            files
        };
        let before = files();
        for (why, code) in [(Unwritable::Full, "disk_full"), (Unwritable::ReadOnly, "disk_read_only")] {
            let opened = Vault::open_to_read(&copy, &key(7), why).unwrap();
            for (name, value) in named {
                let found = opened.read::<_, VaultFailure>(|tx| tx.get(name)).unwrap();
                assert_eq!(found.as_deref(), Some(*value), "{name}");
            }
            let refused = opened.transact::<_, VaultFailure>(|tx| tx.put("third", b"x")).unwrap_err();
            assert_eq!(refused.code(), code);
            opened.check(&Signer::from_seed(&[1; 32]).public()).unwrap();
            drop(opened);
            assert_eq!(files(), before);
        }
        assert!(Vault::open_to_read(&copy, &key(8), Unwritable::Full).is_err());
        assert_eq!(files(), before);
    };
    std::fs::copy(&path, &copy).unwrap();
    look(&[("first", b"in the file")]);
    vault.transact::<_, VaultFailure>(|tx| tx.put("second", b"in the log")).unwrap();
    std::fs::copy(folder.path().join("vault.db-wal"), read.path().join("vault.db-wal")).unwrap();
    look(&[("first", b"in the file"), ("second", b"in the log")]);
    // Whoever holds it to write keeps readers out too.
    let busy = Vault::open_to_read(&path, &key(7), Unwritable::Full);
    assert!(matches!(busy, Err(VaultFailure::Busy)));
}

#[test]
fn a_refused_transaction_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(&folder.path().join("vault.db"), &key(1)).unwrap();
    let refused = vault.transact(|tx| {
        tx.put("one", b"1")?;
        Err::<(), _>(VaultFailure::Stored("on purpose"))
    });
    assert!(matches!(refused, Err(VaultFailure::Stored("on purpose"))));
    assert_eq!(vault.read::<_, VaultFailure>(|tx| tx.get("one")).unwrap(), None);
    vault.transact::<_, VaultFailure>(|tx| tx.put("one", b"1")).unwrap();
    assert_eq!(vault.read::<_, VaultFailure>(|tx| tx.get("one")).unwrap().as_deref(), Some(&b"1"[..]));
}

#[test]
fn a_vault_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.db");
    drop(Vault::create(&path, &key(1)).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "key", format!("x'{}'", "01".repeat(32))).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(Vault::open(&path, &key(1)), Err(VaultFailure::Newer(99))));
}

#[test]
fn a_slot_given_back_returns_only_by_another_lease() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(&folder.path().join("vault.db"), &key(1)).unwrap();
    let from = jiff::civil::date(2027, 1, 1);
    let slot = |n: u64, day: i8| wire::messages::LentSlot {
        slot: SlotId(n),
        at: jiff::civil::datetime(2027, 3, day, 9, 0, 0, 0),
        stratum: domain::lease::Stratum::Backstop,
        procedures: None,
        back: Some(jiff::civil::date(2027, 3, (day - 1).max(1))),
        token: vec![1].into(),
    };
    let free = || -> Vec<u64> {
        let slots = vault.read::<_, vault::VaultFailure>(|tx| tx.free_slots(from)).unwrap();
        slots.iter().map(|slot| slot.slot.0).collect()
    };
    let lend = |lease: u8, slots: &[wire::messages::LentSlot]| {
        vault.transact::<_, vault::VaultFailure>(|tx| tx.add_lease(LeaseId([lease; 16]), slots)).unwrap();
    };
    lend(1, &[slot(1, 3), slot(2, 20)]);
    let near = |day| {
        vault.read::<_, vault::VaultFailure>(|tx| tx.due_back(jiff::civil::date(2027, 3, day))).unwrap()
    };
    assert_eq!((near(1), near(18)), (vec![], vec![(LeaseId([1; 16]), SlotId(1))]));
    vault.transact::<_, vault::VaultFailure>(|tx| tx.mark_released(SlotId(1))).unwrap();
    assert_eq!((free(), near(18)), (vec![2], vec![]));
    let take = || {
        vault.transact::<_, vault::VaultFailure>(|tx| {
            tx.take_slot(SlotId(1), domain::ids::RegistrationId([1; 16]))
        })
    };
    assert!(take().unwrap().is_none(), "it is no longer ours to give");
    lend(1, &[slot(1, 1)]);
    assert_eq!(free(), [2], "the same lease pulled again brings nothing back");
    lend(2, &[slot(1, 1)]);
    assert_eq!(free(), [1, 2], "another lease does");
    assert!(take().unwrap().is_some());
    lend(3, &[slot(1, 1)]);
    assert_eq!(free(), [2], "a slot somebody holds is nobody else's, whatever is lent");
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_the_vault() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.db");
    let _vault = Vault::create(&path, &key(1)).unwrap();
    for file in [path.clone(), path.with_file_name("vault.db-wal")] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

/// A result heard again keeps its first time; of what central lost, nothing is told until it says so anew.
#[test]
fn when_a_record_was_carried_out_is_when_it_was_first_heard() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(&folder.path().join("vault.db"), &key(1)).unwrap();
    let signer = Signer::from_seed(&[5; 32]);
    let author = Author { kiosk: KioskId([3; 16]), incarnation: 1, device: &signer };
    let id = RegistrationId([7; 16]);
    let second = |s: i64| Timestamp::from_second(1_800_000_000 + s).unwrap();
    let mediator = domain::ids::MediatorId::parse("M-1").unwrap();
    let last_day = jiff::civil::date(2031, 3, 10);
    let limit = TimeLimit { right: Right::CourtInjunction, last_day, evidence: "TA 1".into() };
    let body = Body::Limit(LimitDeclared { registration: id, limit, mediator, at: second(0) });
    vault
        .transact::<_, VaultFailure>(|tx| {
            let newest = || Ok::<_, VaultFailure>(tx.all_said(id)?.pop());
            assert_eq!(newest()?, None);
            let seq = tx.append(&author, &body, Salt([9; 16]), second(0))?;
            let hash = tx.hash_at(seq)?.unwrap();
            let applied = || Ok::<_, VaultFailure>(newest()?.unwrap().1.applied);
            assert_eq!(applied()?, None);
            tx.mark_held(seq)?;
            assert_eq!(applied()?, None, "held is not carried out");
            tx.mark_result(seq, &hash, None, second(10))?;
            tx.mark_result(seq, &hash, None, second(20))?;
            assert_eq!(applied()?, Some(second(10)));
            tx.send_again_after(0)?;
            assert_eq!(applied()?, None);
            tx.mark_result(seq, &hash, Some("conflict"), second(30))?;
            assert_eq!(applied()?, None, "set aside is not carried out");
            tx.mark_result(seq, &hash, None, second(40))?;
            assert_eq!(applied()?, Some(second(40)));
            tx.append(&author, &body, Salt([9; 16]), second(50))?;
            let (said, newest) = newest()?.unwrap();
            assert_eq!((said, newest.at, newest.applied), (body, second(50), None));
            Ok(())
        })
        .unwrap();
}

/// Printed is not handed over, another letter is neither, and nothing of it outlives the registration.
#[test]
fn a_letter_of_a_limit_is_the_one_that_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(&folder.path().join("vault.db"), &key(1)).unwrap();
    let (id, other) = (RegistrationId([7; 16]), RegistrationId([8; 16]));
    let second = |s: i64| Timestamp::from_second(1_800_000_000 + s).unwrap();
    let day = jiff::civil::date(2027, 3, 1);
    let untold = LimitSaid { at: day.at(9, 20, 0, 0), last_day: day.yesterday().unwrap(), told: None };
    let told = LimitSaid { told: Some(second(5)), ..untold };
    vault
        .transact::<_, VaultFailure>(|tx| {
            tx.hand_limit_letter(id, second(0))?;
            assert_eq!(tx.limit_letter(id, &untold)?, None, "nothing is handed over that was not printed");
            tx.note_limit_letter(id, &untold)?;
            assert_eq!((tx.limit_letter(id, &untold)?, tx.limit_letter(id, &told)?), (Some(None), None));
            assert_eq!(tx.limit_letter(other, &untold)?, None);
            tx.hand_limit_letter(id, second(1))?;
            tx.hand_limit_letter(id, second(2))?;
            // Printed once more: they have it all the same.
            tx.note_limit_letter(id, &untold)?;
            assert_eq!(tx.limit_letter(id, &untold)?, Some(Some(second(1))));
            tx.note_limit_letter(id, &told)?;
            assert_eq!((tx.limit_letter(id, &told)?, tx.limit_letter(id, &untold)?), (Some(None), None));
            let later = LimitSaid { at: day.at(9, 40, 0, 0), ..told };
            assert_eq!(tx.limit_letter(id, &later)?, None, "another appointment");
            let sooner = LimitSaid { last_day: day.saturating_sub(jiff::ToSpan::days(9)), ..told };
            assert_eq!(tx.limit_letter(id, &sooner)?, None, "another day");
            tx.erase(id)?;
            assert_eq!(tx.limit_letter(id, &told)?, None);
            Ok(())
        })
        .unwrap();
}

/// What central says of annulling comes again whenever it is heard anew: each time it is the same, and
/// what is said no more does not stand.
#[test]
fn an_annulment_heard_again_is_the_same_and_one_said_no_more_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(&folder.path().join("vault.db"), &key(1)).unwrap();
    let (id, one, two) = (RegistrationId([1; 16]), AnnulmentId([2; 16]), AnnulmentId([3; 16]));
    let day = |n: i8| jiff::civil::date(2027, 3, n);
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let all = |tx: &vault::Tx<'_>| {
        tx.propose_annulment(id, one, (day(23), "Motifs"))?;
        tx.annul(id, one, at)?;
        tx.end_annulment(id, one, true)?;
        tx.propose_annulment(id, two, (day(30), "Autres motifs"))
    };
    vault
        .transact::<_, VaultFailure>(|tx| {
            tx.propose_annulment(id, one, (day(23), "Motifs"))?;
            assert_eq!(tx.annulments_to_tell()?, [id]);
            tx.note_notice(one, day(24))?;
            tx.note_told(one, at)?;
            tx.propose_annulment(id, one, (day(23), "Motifs"))?;
            let known = tx.annulment(id)?.unwrap();
            assert_eq!((known.printed_until, known.told), (Some(day(24)), Some(at)), "told stays told");
            assert!(tx.annulments_to_tell()?.is_empty());
            assert!(tx.annul(id, one, at)?);
            let ended = tx.cancelled(id)?.unwrap();
            assert!(ended.annulled && !ended.returning);
            assert_eq!(tx.annulment(id)?, None);
            tx.end_annulment(id, one, true)?;
            let ended = tx.cancelled(id)?.unwrap();
            assert!(!ended.annulled && ended.returning, "the date is to come");
            tx.give_back(id)?;
            // All of it again, and a second proposal: the first is over and stays so.
            all(tx)?;
            assert_eq!(tx.cancelled(id)?, None);
            assert_eq!(tx.annulment(id)?.unwrap().id, two);
            tx.annul(id, two, at)
        })
        .unwrap();
    // Central has lost the second: heard anew, only the first is said, and it is over.
    vault
        .transact::<_, VaultFailure>(|tx| {
            tx.hear_annulments_anew()?;
            assert_eq!((tx.cancelled(id)?, tx.annulment(id)?), (None, None));
            tx.propose_annulment(id, one, (day(23), "Motifs"))?;
            assert!(!tx.annul(id, one, at)?);
            assert_eq!((tx.cancelled(id)?, tx.annulment(id)?), (None, None));
            // It was there after all.
            tx.propose_annulment(id, two, (day(30), "Autres motifs"))?;
            let known = tx.annulment(id)?.unwrap();
            assert_eq!(
                (known.id, known.reasons.as_str()),
                (two, "Autres motifs"),
                "a notice has its reasons"
            );
            assert!(tx.annul(id, two, at)?);
            assert!(tx.cancelled(id)?.unwrap().annulled);
            // Received all the same: nothing is given up, and no date follows.
            tx.end_annulment(id, two, false)?;
            assert_eq!(tx.cancelled(id)?, None);
            // Given up before: annulled all the same, and undone it is given up as it was.
            let three = AnnulmentId([4; 16]);
            tx.cancel(id, at)?;
            for _ in 0..2 {
                assert!(tx.annul(id, three, at)?);
                assert!(tx.cancelled(id)?.unwrap().annulled);
            }
            tx.end_annulment(id, three, false)?;
            let ended = tx.cancelled(id)?.unwrap();
            assert!(!ended.annulled && !ended.returning);
            Ok(())
        })
        .unwrap();
}
