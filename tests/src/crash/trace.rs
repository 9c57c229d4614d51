//! Reads what `record.c` wrote: the operations of one vault's life, in order, over all its
//! processes, with names followed to the files they stood for at the time.

use super::said::Word;
use crate::programs::{Failure, fail};
use std::collections::BTreeMap;
use std::ops::Range;

/// `kind u8, pid u32, fd i32, number i64, length u32`, packed.
const HEAD: usize = 21;
const OPEN: u8 = 1;
const WRITE: u8 = 2;
const TRUNCATE: u8 = 3;
const SYNC: u8 = 4;
const UNLINK: u8 = 5;
const RENAME: u8 = 6;
const SAID: u8 = 7;
const CLOSE: u8 = 8;
const SYNC_FAILED: u8 = 9;
/// Bits of an opening's number.
const CREATED: i64 = 1;
const EMPTIED: i64 = 2;

/// A file, whatever its name: a name that is removed and made again is another file.
pub type File = usize;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    Create {
        name: String,
        file: File,
    },
    Write {
        file: File,
        at: usize,
        /// Where the bytes stand in the trace.
        bytes: Range<usize>,
    },
    Truncate {
        file: File,
        len: usize,
    },
    /// fsync or fdatasync of a file.
    Sync {
        file: File,
    },
    /// One that answered an I/O error: what it should have written is taken for clean.
    SyncFailed {
        file: File,
    },
    /// fsync of the folder.
    SyncNames,
    Unlink {
        name: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Said(Word),
}

pub struct Trace {
    bytes: Vec<u8>,
    pub ops: Vec<Op>,
    pub files: usize,
}

impl Trace {
    /// # Errors
    /// The trace breaks off or names a file it never saw: it proves nothing then.
    pub fn read(bytes: Vec<u8>) -> Result<Self, Failure> {
        let mut reader = Reader::default();
        let mut at = 0;
        while at < bytes.len() {
            let head = Head::read(bytes.get(at..at + HEAD).ok_or_else(broken)?).ok_or_else(broken)?;
            let range = at + HEAD..at + HEAD + head.length;
            let body = bytes.get(range.clone()).ok_or_else(broken)?;
            at = range.end;
            reader.take(&head, body, range)?;
        }
        Ok(Self { ops: reader.ops, files: reader.files, bytes })
    }

    #[cfg(test)]
    pub fn of(bytes: Vec<u8>, ops: Vec<Op>, files: usize) -> Self {
        Self { bytes, ops, files }
    }

    /// The bytes of a write.
    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }
}

struct Head {
    kind: u8,
    process: u32,
    fd: i32,
    number: i64,
    length: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            kind: *bytes.first()?,
            process: u32::from_ne_bytes(bytes.get(1..5)?.try_into().ok()?),
            fd: i32::from_ne_bytes(bytes.get(5..9)?.try_into().ok()?),
            number: i64::from_ne_bytes(bytes.get(9..17)?.try_into().ok()?),
            length: usize::try_from(u32::from_ne_bytes(bytes.get(17..21)?.try_into().ok()?)).ok()?,
        })
    }
}

/// What an open descriptor stands for.
#[derive(Clone, Copy)]
enum Target {
    File(File),
    Folder,
}

#[derive(Default)]
struct Reader {
    ops: Vec<Op>,
    files: usize,
    names: BTreeMap<String, File>,
    open: BTreeMap<(u32, i32), Target>,
}

impl Reader {
    fn take(&mut self, head: &Head, body: &[u8], range: Range<usize>) -> Result<(), Failure> {
        let number = usize::try_from(head.number).map_err(|_| broken())?;
        match head.kind {
            OPEN => {
                let target = self.opened(name(body)?, head.number)?;
                self.open.insert((head.process, head.fd), target);
            }
            WRITE => {
                let file = self.file(head)?;
                self.ops.push(Op::Write { file, at: number, bytes: range });
            }
            TRUNCATE => {
                let file = self.file(head)?;
                self.ops.push(Op::Truncate { file, len: number });
            }
            SYNC => match self.target(head)? {
                Target::File(file) => self.ops.push(Op::Sync { file }),
                Target::Folder => self.ops.push(Op::SyncNames),
            },
            SYNC_FAILED => {
                if let Target::File(file) = self.target(head)? {
                    self.ops.push(Op::SyncFailed { file });
                }
            }
            UNLINK => {
                let name = name(body)?;
                self.names.remove(&name).ok_or_else(broken)?;
                self.ops.push(Op::Unlink { name });
            }
            RENAME => {
                let both = name(body)?;
                let (from, to) = both.split_once('\0').ok_or_else(broken)?;
                let file = self.names.remove(from).ok_or_else(broken)?;
                self.names.insert(to.to_owned(), file);
                self.ops.push(Op::Rename { from: from.to_owned(), to: to.to_owned() });
            }
            SAID => {
                for line in name(body)?.lines() {
                    let word = Word::parse(line)
                        .ok_or_else(|| fail(format!("the kiosk under test said something else: {line}")))?;
                    self.ops.push(Op::Said(word));
                }
            }
            CLOSE => {
                self.open.remove(&(head.process, head.fd));
            }
            _ => return Err(broken()),
        }
        Ok(())
    }

    fn opened(&mut self, name: String, number: i64) -> Result<Target, Failure> {
        if name.is_empty() {
            return Ok(Target::Folder);
        }
        if number & CREATED != 0 {
            let file = self.files;
            self.files += 1;
            self.names.insert(name.clone(), file);
            self.ops.push(Op::Create { name, file });
            return Ok(Target::File(file));
        }
        let file = *self.names.get(&name).ok_or_else(broken)?;
        if number & EMPTIED != 0 {
            self.ops.push(Op::Truncate { file, len: 0 });
        }
        Ok(Target::File(file))
    }

    fn target(&self, head: &Head) -> Result<Target, Failure> {
        self.open.get(&(head.process, head.fd)).copied().ok_or_else(broken)
    }

    fn file(&self, head: &Head) -> Result<File, Failure> {
        match self.target(head)? {
            Target::File(file) => Ok(file),
            Target::Folder => Err(broken()),
        }
    }
}

fn name(body: &[u8]) -> Result<String, Failure> {
    Ok(std::str::from_utf8(body)?.to_owned())
}

fn broken() -> Failure {
    fail("the trace is broken")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, number: i64, body: &[u8]) -> Vec<u8> {
        let mut record = vec![kind];
        record.extend(7_u32.to_ne_bytes());
        record.extend(3_i32.to_ne_bytes());
        record.extend(number.to_ne_bytes());
        record.extend(u32::try_from(body.len()).unwrap().to_ne_bytes());
        record.extend(body);
        record
    }

    #[test]
    fn a_name_made_again_is_another_file() {
        let bytes = [
            record(OPEN, CREATED, b"f"),
            record(WRITE, 4, b"xyz"),
            record(SYNC, 0, b""),
            record(UNLINK, 0, b"f"),
            record(OPEN, CREATED, b"f"),
            record(TRUNCATE, 9, b""),
            record(SAID, 0, b"made\n"),
        ]
        .concat();
        let trace = Trace::read(bytes).unwrap();
        assert_eq!(trace.files, 2);
        let [_, Op::Write { file: 0, at: 4, bytes }, Op::Sync { file: 0 }, ..] = trace.ops.as_slice() else {
            panic!("{:?}", trace.ops)
        };
        assert_eq!(trace.bytes(bytes), b"xyz");
        assert_eq!(
            trace.ops.get(4..),
            Some(
                &[
                    Op::Create { name: "f".into(), file: 1 },
                    Op::Truncate { file: 1, len: 9 },
                    Op::Said(Word::Made)
                ][..]
            )
        );
    }

    #[test]
    fn a_broken_trace_is_refused() {
        let whole = record(OPEN, CREATED, b"f");
        assert!(Trace::read(whole[..whole.len() - 1].to_vec()).is_err());
        assert!(Trace::read(record(WRITE, 0, b"x")).is_err(), "a descriptor nobody opened");
        assert!(Trace::read(record(OPEN, 0, b"f")).is_err(), "a file nobody made");
        assert!(Trace::read(record(99, 0, b"")).is_err());
    }
}
