//! Whatever is done to a journal is found: by what is beside it, or by what a kiosk has kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::audit::{Act, AuditHeader, Checkpoint, Entry, LEAST_DAYS, SignedCheckpoint};
use domain::bytes::Salt;
use domain::ids::{KioskId, SiteId};
use jiff::Timestamp;
use proptest::prelude::*;
use seal::audit::{
    AuditRefusal, BEFORE_FIRST, Begin, End, LINE_BYTES, Line, Reason, Stored, Valid, Witnessed, body_hash,
    cosign, head, sign, verify,
};
use seal::certificate::DeviceCertificate;
use seal::keys::Signer;
use seal::ring::{KeyCertificate, KeyRing, Role};

const START_MS: i64 = 1_800_000_000_000;
const KIOSK: KioskId = KioskId([7; 16]);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn central() -> Signer {
    Signer::from_seed(&[3; 32])
}

fn device() -> Signer {
    Signer::from_seed(&[4; 32])
}

fn ring() -> KeyRing {
    let root = Signer::from_seed(&[1; 32]);
    let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let certificate = KeyCertificate::issue(&root, Role::Acknowledgement, central().public(), from, until);
    KeyRing::new(root.public(), vec![certificate]).unwrap()
}

/// A journal and what witnesses it.
#[derive(Debug, Clone)]
struct Journal {
    entries: Vec<Stored>,
    checkpoints: Vec<SignedCheckpoint>,
    cosigned: Vec<Witnessed>,
    said: Option<u64>,
}

impl Journal {
    /// Entries a second apart; a checkpoint after each of these, the first of them cosigned.
    fn write(bodies: &[u8], points: &[usize]) -> Self {
        let mut journal =
            Self { entries: Vec::new(), checkpoints: Vec::new(), cosigned: Vec::new(), said: None };
        for (i, byte) in bodies.iter().enumerate() {
            let said = at(START_MS + 1_000 * i64::try_from(i).unwrap());
            let entry = Entry {
                who: "central".into(),
                act: Act::ALL[usize::from(*byte) % Act::ALL.len()].key().into(),
                about: Some(byte.to_string()),
                count: u32::try_from(i).unwrap(),
                said,
            };
            let body = serde_json::to_string(&entry).unwrap();
            let salt = Salt([byte | 1; 16]);
            let header = AuditHeader {
                n: u64::try_from(i).unwrap() + 1,
                at: said,
                prev: journal.head(),
                body_hash: body_hash(&salt, body.as_bytes()),
            };
            journal.entries.push(Stored { header, salt, body });
            if points.contains(&i) || i + 1 == bodies.len() {
                journal.point();
            }
        }
        journal
    }

    fn head(&self) -> domain::bytes::Hash {
        self.entries.last().map_or(BEFORE_FIRST, |last| head(&last.header))
    }

    fn point(&mut self) {
        let checkpoint = Checkpoint {
            size: u64::try_from(self.entries.len()).unwrap(),
            head: self.head(),
            at: self.entries.last().map_or(at(START_MS), |last| last.header.at),
        };
        self.checkpoints.push(sign(&central(), checkpoint));
        if self.checkpoints.len() % 2 == 1 {
            let signature = cosign(&device(), &checkpoint);
            self.cosigned.push(Witnessed { kiosk: KIOSK, checkpoint, signature });
        }
    }

    /// Numbers and hashes made right again, as somebody would who knows how the chain is made.
    fn rechain(&mut self, from: usize) {
        let mut prev = from.checked_sub(1).map_or(BEFORE_FIRST, |i| head(&self.entries[i].header));
        for (i, entry) in self.entries.iter_mut().enumerate().skip(from) {
            entry.header.n = u64::try_from(i).unwrap() + 1;
            entry.header.prev = prev;
            entry.header.body_hash = body_hash(&entry.salt, entry.body.as_bytes());
            prev = head(&entry.header);
        }
    }

    /// Nothing in the database witnesses more than so many entries.
    fn forget_after(&mut self, size: usize) {
        let size = u64::try_from(size).unwrap();
        self.checkpoints.retain(|one| one.checkpoint.size <= size);
        self.cosigned.retain(|one| one.checkpoint.size <= size);
    }

    fn file(&self) -> Vec<u8> {
        let certificate = DeviceCertificate::issue(
            &central(),
            KIOSK,
            device().public(),
            SiteId::parse("ONE").unwrap(),
            at(START_MS),
        );
        let count = |n: usize| u64::try_from(n).unwrap();
        let end = End {
            entries: self.said.unwrap_or(count(self.entries.len())),
            checkpoints: count(self.checkpoints.len()),
            cosignatures: count(self.cosigned.len()),
        };
        let lines = [
            Line::Begin(Begin::now(at(START_MS))),
            Line::Certificate(STANDARD.encode(certificate.to_bytes())),
        ]
        .into_iter()
        .chain(self.checkpoints.iter().cloned().map(Line::Checkpoint))
        .chain(self.cosigned.iter().cloned().map(Line::Cosigned))
        .chain(self.entries.iter().cloned().map(Line::Entry))
        .chain([Line::End(end)]);
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, &line).unwrap();
            text.push(b'\n');
        }
        text
    }

    fn verify(&self, kept: &[SignedCheckpoint]) -> Result<Valid, AuditRefusal> {
        verify(self.file().as_slice(), &ring(), kept)
    }

    fn reason(&self, kept: &[SignedCheckpoint]) -> Reason {
        match self.verify(kept) {
            Err(AuditRefusal::Tampered(tamper)) => tamper.reason,
            other => panic!("{other:?}"),
        }
    }
}

fn journals() -> impl Strategy<Value = Journal> {
    (prop::collection::vec(any::<u8>(), 2..40), prop::collection::vec(0..40_usize, 0..6))
        .prop_map(|(bodies, points)| Journal::write(&bodies, &points))
}

proptest! {
    #[test]
    fn an_untouched_journal_holds(journal in journals()) {
        let kept = journal.checkpoints.last().cloned().unwrap();
        let valid = journal.verify(&[kept]).unwrap();
        let size = u64::try_from(journal.entries.len()).unwrap();
        prop_assert_eq!((valid.entries, valid.witnessed, valid.kiosks, valid.late), (size, size, 1, 0));
        prop_assert_eq!(valid.head, journal.head());
    }

    /// Edited, dropped, swapped, put in, forked or back-dated, with hashes made right again or not,
    /// with the database's own witnesses taken away or not: the kiosk that kept the last
    /// checkpoint finds it; without it, the database's own witnesses do.
    #[test]
    fn every_tamper_is_found(
        journal in journals(), act in 0..6_u8, i in any::<prop::sample::Index>(), j in any::<prop::sample::Index>(),
        rechained in any::<bool>(), forgotten in any::<bool>(), backwards in 1..100_000_i64,
    ) {
        let kept = journal.checkpoints.last().cloned().unwrap();
        let (i, j) = (i.index(journal.entries.len()), j.index(journal.entries.len()));
        let mut touched = journal.clone();
        let from = match act {
            0 => {
                touched.entries[i].body = touched.entries[i].body.replace("central", "nobody!");
                i
            }
            1 => {
                touched.entries.remove(i);
                i
            }
            2 => {
                prop_assume!(i != j);
                touched.entries.swap(i, j);
                i.min(j)
            }
            3 => {
                // After the last one it would be an entry like any other.
                prop_assume!(i + 1 < journal.entries.len());
                let copy = touched.entries[j].clone();
                touched.entries.insert(i, copy);
                i
            }
            4 => {
                // Another history from here on.
                for entry in &mut touched.entries[i..] {
                    entry.salt = Salt([0xee; 16]);
                }
                touched.rechain(i);
                i
            }
            _ => {
                touched.entries[i].header.at = at(touched.entries[i].header.at.as_millisecond() - backwards);
                i
            }
        };
        if rechained {
            touched.rechain(from);
        }
        if forgotten {
            touched.forget_after(from);
        } else {
            // What stands beside it is enough.
            prop_assert!(touched.verify(&[]).is_err());
        }
        prop_assert!(touched.verify(&[kept]).is_err(), "{:?}", act);
    }

    /// Cut back to any length. Found by what witnesses more; by nothing when all of that is gone.
    #[test]
    fn truncation_is_found_by_whatever_witnesses_more(journal in journals(), to in any::<prop::sample::Index>()) {
        let kept = journal.checkpoints.last().cloned().unwrap();
        let mut touched = journal.clone();
        touched.entries.truncate(to.index(journal.entries.len()));
        prop_assert_eq!(touched.reason(&[]), Reason::Truncated);
        touched.forget_after(touched.entries.len());
        prop_assert_eq!(touched.reason(&[kept]), Reason::Truncated);
        prop_assert!(touched.verify(&[]).is_ok(), "docs/security.md says so");
        touched.said = Some(u64::try_from(journal.entries.len()).unwrap());
        prop_assert_eq!(touched.reason(&[]), Reason::Truncated);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(verify(bytes.as_slice(), &ring(), &[]).is_err());
    }

    /// A journal with one byte of its file turned is never the same journal said to be valid.
    #[test]
    fn a_turned_byte_changes_nothing_unnoticed(journal in journals(), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut file = journal.file();
        // The first line says when the file was written, and nothing witnesses that.
        let first = file.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let place = first + place.index(file.len() - first);
        file[place] ^= 1 << bit;
        let kept = journal.checkpoints.last().cloned().unwrap();
        match verify(file.as_slice(), &ring(), &[kept]) {
            Err(_) => {}
            // White space, a digit's case.
            Ok(valid) => prop_assert_eq!(valid, journal.verify(&[]).unwrap()),
        }
    }
}

#[test]
fn each_tamper_has_its_word() {
    let journal = Journal::write(&[1, 2, 3, 4, 5, 6, 7, 8], &[3]);
    let with = |change: &dyn Fn(&mut Journal)| {
        let mut touched = journal.clone();
        change(&mut touched);
        touched.reason(&[])
    };
    assert_eq!(with(&|j| j.entries[2].body.push(' ')), Reason::BodyChanged);
    assert_eq!(with(&|j| drop(j.entries.remove(2))), Reason::Missing);
    assert_eq!(
        with(&|j| {
            let copy = j.entries[2].clone();
            j.entries.insert(3, copy);
        }),
        Reason::OutOfPlace
    );
    assert_eq!(with(&|j| j.entries[2].header.prev = BEFORE_FIRST), Reason::ChainBroken);
    assert_eq!(
        with(&|j| {
            j.entries[2].salt = Salt([9; 16]);
            j.rechain(2);
        }),
        Reason::Forked
    );
    // Among entries that no checkpoint has: held against those that went before.
    let back_dated = |j: &mut Journal| {
        j.forget_after(4);
        j.entries[6].header.at = at(START_MS);
        j.rechain(6);
    };
    assert_eq!(with(&back_dated), Reason::BackDated);
    assert_eq!(with(&|j| j.checkpoints[0].checkpoint.at = at(0)), Reason::CheckpointForged);
    assert_eq!(with(&|j| j.checkpoints[0].key = "no key id".into()), Reason::CheckpointForged);
    assert_eq!(with(&|j| j.cosigned[0].kiosk = KioskId([8; 16])), Reason::CosignatureForged);
    assert_eq!(with(&|j| j.cosigned[0].checkpoint.size = 5), Reason::CosignatureForged);
    assert_eq!(
        with(&|j| {
            j.entries[2].body.clear();
            j.entries[2].salt = Salt([0; 16]);
        }),
        Reason::ErasedTooEarly
    );
}

/// A ring of before a renewal: nothing is said to be changed, and nothing to be valid.
#[test]
fn what_a_key_signed_that_the_ring_does_not_have_is_not_judged() {
    let journal = Journal::write(&[1, 2, 3, 4, 5, 6, 7, 8], &[3]);
    let other = Signer::from_seed(&[0x77; 32]);
    let key = |journal: &Journal, kept: &[SignedCheckpoint]| match journal.verify(kept) {
        Err(AuditRefusal::KeyUnknown(key)) => key,
        other => panic!("{other:?}"),
    };
    let mut renewed = journal.clone();
    let last = renewed.checkpoints.last_mut().unwrap();
    *last = sign(&other, last.checkpoint);
    let unknown = renewed.checkpoints.last().unwrap().clone();
    assert_eq!(key(&renewed, &[]), unknown.key);
    assert_eq!(key(&journal, std::slice::from_ref(&unknown)), unknown.key, "of a kiosk's own too");
    // What can be judged without it still is.
    renewed.entries[2].body.push(' ');
    assert_eq!(renewed.reason(&[]), Reason::BodyChanged);
}

#[test]
fn a_body_erased_in_its_time_leaves_the_chain_whole() {
    let mut journal = Journal::write(&[1, 2, 3], &[]);
    journal.entries[0].body.clear();
    journal.entries[0].salt = Salt([0; 16]);
    let later = Checkpoint {
        at: at(START_MS + LEAST_DAYS * 86_400_000 + 2_000),
        ..journal.checkpoints[0].checkpoint
    };
    journal.checkpoints = vec![sign(&central(), later)];
    journal.cosigned.clear();
    let valid = journal.verify(&[]).unwrap();
    assert_eq!((valid.erased, valid.entries, valid.kiosks, valid.cosigned), (1, 3, 0, 0));
}

#[test]
fn what_is_no_journal_is_told_apart() {
    let journal = Journal::write(&[1, 2, 3], &[]);
    let read = |text: &[u8]| verify(text, &ring(), &[]).unwrap_err();
    assert!(matches!(read(b""), AuditRefusal::NotOne(1)));
    assert!(matches!(read(b"{}\n"), AuditRefusal::NotOne(1)));
    let file = journal.file();
    let whole = String::from_utf8(file.clone()).unwrap();
    let cut = whole.rsplit_once("{\"end\"").unwrap().0;
    assert!(matches!(read(cut.as_bytes()), AuditRefusal::Cut));
    let long = [file, vec![b' '; usize::try_from(LINE_BYTES).unwrap() + 1]].concat();
    assert!(matches!(read(&long), AuditRefusal::TooLong(_)));
    let begin = whole.split_once('\n').unwrap().0;
    assert!(matches!(read(format!("{begin}\n{begin}\n").as_bytes()), AuditRefusal::NotOne(2)));
    let later = whole.replacen("\"audit\":1", "\"audit\":2", 1);
    assert_ne!(later, whole);
    assert!(matches!(read(later.as_bytes()), AuditRefusal::NotOne(1)), "of a later version");
}

/// Whatever witnesses the entries stands before the first, and every line is counted at the end.
#[test]
fn lines_in_another_order_or_number_are_no_journal() {
    let journal = Journal::write(&[1, 2, 3], &[0]);
    let whole = String::from_utf8(journal.file()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let read = |lines: &[&str]| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        verify(text.as_bytes(), &ring(), &[])
    };
    assert!(read(&lines).is_ok());
    let first = lines.iter().position(|line| line.starts_with("{\"entry\"")).unwrap();
    for word in ["certificate", "checkpoint", "cosigned"] {
        let at = lines.iter().rposition(|line| line.starts_with(&format!("{{\"{word}\""))).unwrap();
        let mut late = lines.clone();
        late.insert(first + 1, lines[at]);
        let n = u64::try_from(first).unwrap() + 2;
        let refused = read(&late).unwrap_err();
        assert!(matches!(refused, AuditRefusal::NotOne(told) if told == n), "{word}: {refused} {n}");
        if word != "certificate" {
            let mut without = lines.clone();
            without.remove(at);
            assert!(matches!(read(&without).unwrap_err(), AuditRefusal::Cut), "{word}");
        }
    }
    // Entries that were there are told from the first that is not.
    let mut more = journal.clone();
    more.said = Some(5);
    let refused = verify(more.file().as_slice(), &ring(), &[]).unwrap_err();
    let AuditRefusal::Tampered(tamper) = refused else { panic!("{refused}") };
    assert_eq!((tamper.reason, tamper.first, tamper.last), (Reason::Truncated, 4, 5));
}

/// A line as long as any is read; one byte more is not.
#[test]
fn the_longest_line_is_read() {
    let most = usize::try_from(LINE_BYTES).unwrap();
    let whole = String::from_utf8(Journal::write(&[1], &[]).file()).unwrap();
    let begin = whole.lines().next().unwrap();
    let stretched =
        |len: usize| whole.replacen(begin, &format!("{begin}{}", " ".repeat(len - begin.len())), 1);
    // The line's end counts.
    assert!(verify(stretched(most - 1).as_bytes(), &ring(), &[]).is_ok());
    let longer = verify(stretched(most).as_bytes(), &ring(), &[]).unwrap_err();
    assert!(matches!(longer, AuditRefusal::TooLong(1)));
}
