//! Taking an export file in: first read to its end, so that nothing of a damaged one is
//! stored, then stored by the same functions as a push and an upload. The records stay
//! their author's, whoever brings them.

use crate::device::Device;
use crate::upload::Upload;
use crate::{Central, Refusal, audit, chain, journal};
use domain::audit::{Act, Who};
use seal::certificate::DeviceCertificate;
use seal::delivery::DeliveryRefusal;
use seal::keys::sha256;
use serde::Serialize;
use std::io::{ErrorKind, Read};
use tokio::sync::mpsc;
use wire::delivery::{Beginning, DeliveredPage, End, Frame, FrameRefusal};
use wire::limits::{CHUNK_BYTES, PUSH_RECORDS};
use wire::messages::PieceMetadata;
use wire::record::Record;
use zeroize::Zeroizing;

/// Frames read ahead of the database; the largest is a page.
const AHEAD: usize = 2;

/// Why a file is not taken; nothing of it is stored then.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryFailure {
    #[error("this central has no delivery key")]
    NoKey,
    #[error("the file is not one this central opens")]
    File(#[source] DeliveryRefusal),
    #[error("central does not take it")]
    Refused(#[from] Refusal),
}

impl DeliveryFailure {
    /// The code a kiosk is told; none when it failed and may be tried again.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NoKey => Some("delivery_no_key"),
            Self::File(DeliveryRefusal::NotOne) => Some("delivery_not_one"),
            Self::File(DeliveryRefusal::Newer(_)) => Some("delivery_newer"),
            Self::File(DeliveryRefusal::OtherKey) => Some("delivery_other_key"),
            Self::File(DeliveryRefusal::Damaged) => Some("delivery_damaged"),
            Self::File(DeliveryRefusal::BadKey | DeliveryRefusal::Io(_)) => None,
            Self::Refused(refusal) => refusal.lasting_code(),
        }
    }
}

/// What became of one record or page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
pub enum Stored {
    Received,
    /// It was here already.
    Known,
    Refused(&'static str),
}

#[derive(Debug, Clone, Serialize)]
pub struct RecordLine {
    pub incarnation: u32,
    pub seq: u64,
    pub kind: String,
    #[serde(flatten)]
    pub stored: Stored,
}

#[derive(Debug, Clone, Serialize)]
pub struct PageLine {
    pub page: String,
    #[serde(flatten)]
    pub stored: Stored,
}

/// What became of a file.
#[derive(Debug, Clone, Serialize)]
pub struct Taken {
    /// Whose records they are.
    pub kiosk: String,
    pub site: String,
    /// False when the central that runs will apply them.
    pub applied: bool,
    pub records: Vec<RecordLine>,
    pub pages: Vec<PageLine>,
}

impl Taken {
    /// How many were received, known and refused: records, then pages.
    #[must_use]
    pub fn counts(&self) -> [[usize; 3]; 2] {
        let count = |states: &mut dyn Iterator<Item = Stored>| {
            states.fold([0; 3], |[received, known, refused], stored| match stored {
                Stored::Received => [received + 1, known, refused],
                Stored::Known => [received, known + 1, refused],
                Stored::Refused(_) => [received, known, refused + 1],
            })
        };
        [
            count(&mut self.records.iter().map(|line| line.stored)),
            count(&mut self.pages.iter().map(|line| line.stored)),
        ]
    }
}

/// The bytes of a file, from its beginning.
pub(crate) type Bytes = Box<dyn Read + Send>;

/// Takes a file whose bytes `open` gives, twice. `by` is who brought it, and how.
pub(crate) async fn take(
    central: &Central,
    by: (Who, Act),
    open: impl Fn() -> std::io::Result<Bytes>,
) -> Result<Taken, DeliveryFailure> {
    let seed = central.keys.delivery.clone().ok_or(DeliveryFailure::NoKey)?;
    let bytes = || open().map_err(|error| DeliveryFailure::File(DeliveryRefusal::Io(error)));
    let beginning = read(seed.clone(), bytes()?, None).await?;
    let device = author(central, &beginning).await?;
    let (send, mut frames) = mpsc::channel(AHEAD);
    let reading = tokio::spawn(read(seed, bytes()?, Some(send)));
    let mut storing = Storing {
        central,
        by,
        device: &device,
        batch: Vec::new(),
        taken: Taken {
            kiosk: device.kiosk.to_string(),
            site: device.site.to_string(),
            applied: true,
            records: Vec::new(),
            pages: Vec::new(),
        },
    };
    while let Some(frame) = frames.recv().await {
        match frame {
            Frame::Record(record) => storing.record(*record).await?,
            Frame::Page(page) => storing.page(page).await?,
            Frame::Beginning(_) | Frame::End(_) => {}
        }
    }
    storing.records().await?;
    // The same bytes were read to their end before; should they have changed meanwhile, what
    // was stored stands: every record is signed, every page hashed.
    reading.await.map_err(|_| DeliveryFailure::Refused(Refusal::Stored("delivery")))??;
    storing.apply().await?;
    Ok(storing.taken)
}

/// Whose records they are, by the certificate central once signed.
async fn author(central: &Central, beginning: &Beginning) -> Result<Device, DeliveryFailure> {
    let certificate = DeviceCertificate::from_bytes(&beginning.certificate.0).ok_or(Refusal::NotEnrolled)?;
    if certificate.kiosk != beginning.kiosk || certificate.is_by(&central.keys.ring) != Some(true) {
        return Err(Refusal::NotEnrolled.into());
    }
    match Device::find(central, beginning.kiosk).await {
        Ok((_, true)) => return Err(Refusal::KioskLost.into()),
        Ok((device, false)) => return Ok(device),
        Err(Refusal::NotEnrolled) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    if central.lease_log.is_none() && central.extras_only() {
        // Only the central that has the log open can tell what this kiosk was lent.
        return Err(Refusal::NotEnrolled.into());
    }
    Device::take_back(central, &certificate).await?;
    Ok(Device::find(central, beginning.kiosk).await?.0)
}

async fn read(
    seed: Zeroizing<[u8; 32]>,
    bytes: Bytes,
    send: Option<mpsc::Sender<Frame>>,
) -> Result<Beginning, DeliveryFailure> {
    tokio::task::spawn_blocking(move || walk(&seed, bytes, send))
        .await
        .map_err(|_| DeliveryFailure::Refused(Refusal::Stored("delivery")))?
        .map_err(DeliveryFailure::File)
}

/// Reads a file to its end, every frame in its place and every page as its hash says.
fn walk(
    seed: &[u8; 32],
    bytes: Bytes,
    send: Option<mpsc::Sender<Frame>>,
) -> Result<Beginning, DeliveryRefusal> {
    let mut content = seal::delivery::open(seed, bytes)?;
    let Frame::Beginning(beginning) = next(&mut content)? else { return Err(DeliveryRefusal::NotOne) };
    let mut seen = End::default();
    loop {
        let frame = next(&mut content)?;
        match &frame {
            Frame::Record(record) if seen.pages == 0 && record.header.kiosk == beginning.kiosk => {
                seen.records = seen.records.saturating_add(1);
            }
            Frame::Page(page) if sha256(&[&page.locked]) == page.sha256 => {
                seen.pages = seen.pages.saturating_add(1);
            }
            Frame::End(end) => {
                // Nothing may follow, and the envelope must end where it says.
                return match content.read(&mut [0]) {
                    Ok(0) if *end == seen => Ok(beginning),
                    _ => Err(DeliveryRefusal::Damaged),
                };
            }
            Frame::Beginning(_) | Frame::Record(_) | Frame::Page(_) => return Err(DeliveryRefusal::NotOne),
        }
        if let Some(send) = &send
            && send.blocking_send(frame).is_err()
        {
            // Storing has failed and tells why.
            return Ok(beginning);
        }
    }
}

fn next(content: &mut impl Read) -> Result<Frame, DeliveryRefusal> {
    Frame::read(content).map_err(|refusal| match refusal {
        FrameRefusal::Io(error) => match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                DeliveryRefusal::Damaged
            }
            _ => DeliveryRefusal::Io(error),
        },
        FrameRefusal::Unreadable | FrameRefusal::TooLarge => DeliveryRefusal::NotOne,
    })
}

struct Storing<'a> {
    central: &'a Central,
    by: (Who, Act),
    device: &'a Device,
    batch: Vec<Record>,
    taken: Taken,
}

impl Storing<'_> {
    async fn record(&mut self, record: Record) -> Result<(), Refusal> {
        self.batch.push(record);
        if self.batch.len() < PUSH_RECORDS { Ok(()) } else { self.records().await }
    }

    /// Stores what has been read of the chain as a push does: all of it or, when one record
    /// is refused, each by itself.
    async fn records(&mut self) -> Result<(), Refusal> {
        let batch = std::mem::take(&mut self.batch);
        match self.push(&batch).await {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.lasting_code().is_none() => Err(refusal),
            Err(_) => {
                for record in &batch {
                    match self.push(std::slice::from_ref(record)).await {
                        Ok(()) => {}
                        Err(refusal) => {
                            let reason = refusal.lasting_code().ok_or(refusal)?;
                            self.taken.records.push(line(record, Stored::Refused(reason)));
                        }
                    }
                }
                Ok(())
            }
        }
    }

    async fn push(&mut self, records: &[Record]) -> Result<(), Refusal> {
        if records.is_empty() {
            return Ok(());
        }
        let hashes: Vec<_> = records.iter().map(|record| sha256(&[&record.header.to_bytes()])).collect();
        let mut tx = self.central.pool.begin().await?;
        chain::lock(&mut tx, self.device.kiosk).await?;
        let known = chain::known(&mut tx, self.device.kiosk, &hashes).await?;
        chain::store(&mut tx, self.central, self.device, records).await?;
        let ((who, act), about) = (&self.by, self.device.kiosk);
        audit::write(&mut tx, who, *act, Some(&about), records.len()).await?;
        tx.commit().await?;
        for (record, hash) in records.iter().zip(&hashes) {
            let stored = if known.contains(hash) { Stored::Known } else { Stored::Received };
            self.taken.records.push(line(record, stored));
        }
        Ok(())
    }

    async fn page(&mut self, page: DeliveredPage) -> Result<(), Refusal> {
        self.records().await?;
        let stored = match self.upload(&page).await {
            Ok(stored) => stored,
            Err(refusal) => Stored::Refused(refusal.lasting_code().ok_or(refusal)?),
        };
        self.taken.pages.push(PageLine { page: page.page.to_string(), stored });
        Ok(())
    }

    async fn upload(&self, page: &DeliveredPage) -> Result<Stored, Refusal> {
        let kiosk = self.device.kiosk;
        let metadata =
            PieceMetadata { registration: page.registration, page: page.page, sha256: page.sha256 };
        let length = u64::try_from(page.locked.len()).map_err(|_| Refusal::TooLarge)?;
        let mut upload = {
            let mut tx = self.central.pool.begin().await?;
            let begun = Upload::begin(&mut tx, kiosk, &metadata, length).await?;
            let (who, about) = (&self.by.0, metadata.registration);
            audit::write(&mut tx, who, Act::PieceBegun, Some(&about), 1).await?;
            tx.commit().await?;
            begun
        };
        if upload.complete {
            return Ok(Stored::Known);
        }
        let mut again = true;
        while !upload.complete {
            let from = usize::try_from(upload.received).map_err(|_| Refusal::Stored("offset"))?;
            let rest = page.locked.get(from..).ok_or(Refusal::BadOffset)?;
            let part = rest.get(..rest.len().min(CHUNK_BYTES)).unwrap_or(rest);
            match Upload::append(&self.central.pool, kiosk, page.page, upload.received, part).await {
                Ok(next) => upload = next,
                // Parts of an earlier try, or its kiosk is sending it at this moment.
                Err(Refusal::Checksum | Refusal::BadOffset) if again => {
                    again = false;
                    let mut db = self.central.pool.acquire().await?;
                    upload = Upload::find(&mut db, kiosk, page.page, false).await?;
                }
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(Stored::Received)
    }

    /// Applies what was held, unless another central has the lease log open: it does then.
    async fn apply(&mut self) -> Result<(), Refusal> {
        let mut db = self.central.pool.acquire().await?;
        if self.central.lease_log.is_none() && self.central.extras_only() {
            self.taken.applied = false;
            return journal::leave_held(&mut db, self.device.kiosk).await;
        }
        journal::apply_held(&mut db, self.central, self.device).await
    }
}

fn line(record: &Record, stored: Stored) -> RecordLine {
    let header = &record.header;
    RecordLine { incarnation: header.incarnation, seq: header.seq, kind: header.kind.clone(), stored }
}
