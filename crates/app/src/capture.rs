//! Scanning a page: from the device to a locked page in the vault. The clear picture
//! lives in memory only, and only until it is locked.

use crate::contract::{DraftView, Problem};
use crate::kiosk::{Kiosk, blocking};
use crate::storage::Writing;
use crate::visit;
use domain::ids::PageId;
use image::ImageReader;
use image::codecs::jpeg::JpegEncoder;
use scan::{ScanRefusal, ScanRequest, ScannedPage, Scanner as _};
use seal::keys::sha256;
use std::io::{Cursor, Write as _};
use std::str::FromStr as _;
use wire::limits::PAGES;
use zeroize::Zeroizing;

/// Width of the picture shown beside a page, in pixels.
const THUMBNAIL: u32 = 240;
const THUMBNAIL_QUALITY: u8 = 60;
/// Most bytes of a clear page: locked, it must still be one that central takes.
const PAGE_MAX: usize = 20 * 1024 * 1024;

impl Kiosk {
    /// Scans one page (or what lies in the feeder) into a draft.
    ///
    /// # Errors
    /// The scanner refuses, the draft is full or has its date already.
    pub async fn scan_page(&self, visit: &str) -> Result<DraftView, Problem> {
        let id = visit::visit_id(visit)?;
        let (room, identity) = self
            .off(move |inner| {
                inner.session()?;
                inner.has_room(Writing::Page)?;
                inner.vault.read(|tx| {
                    let draft = visit::draft(inner, tx, id)?;
                    let room = PAGES.saturating_sub(tx.pages(id)?.len());
                    Ok::<_, Problem>((room, draft.identity.map(Zeroizing::new)))
                })
            })
            .await?;
        if room == 0 {
            return Err(Problem::new("too_many_pages").with("max", PAGES));
        }
        let identity = identity.ok_or_else(|| Problem::new("no_visit"))?;
        let session = age::x25519::Identity::from_str(&identity)
            .map_err(|_| Problem::new("vault_damaged"))?
            .to_public();
        let scanner = self.inner.scanner.as_ref().ok_or_else(|| Problem::new("no_scanner"))?;
        let request = ScanRequest { max_pages: room, max_page_bytes: PAGE_MAX, ..ScanRequest::default() };
        let pages = scanner.scan(&request).await.map_err(Problem::from)?;
        let site = self.inner.identity.site_key.clone();
        let ids: Vec<PageId> = pages.iter().map(|_| PageId(self.inner.world.bytes())).collect();
        let locked = blocking(move || {
            ids.into_iter()
                .zip(pages)
                .map(|(id, page)| Ok((id, lock(&page, &site, &session)?, thumbnail(&page)?)))
                .collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
        self.off(move |inner| {
            inner.vault.transact(|tx| {
                visit::draft(inner, tx, id)?;
                for (page, locked, thumbnail) in &locked {
                    tx.add_page(*page, id, locked, sha256(&[locked]), thumbnail)?;
                }
                visit::view(inner, tx, id)
            })
        })
        .await
    }
}

/// age to two recipients: the site's agents, and this visit's session.
fn lock(
    page: &ScannedPage,
    site: &age::x25519::Recipient,
    session: &age::x25519::Recipient,
) -> Result<Vec<u8>, Problem> {
    let failed = |_| Problem::new("unknown");
    let recipients: [&dyn age::Recipient; 2] = [site, session];
    let encryptor =
        age::Encryptor::with_recipients(recipients.into_iter()).map_err(|_| Problem::new("unknown"))?;
    let mut locked = Vec::with_capacity(page.jpeg.len() + 1024);
    let mut writer = encryptor.wrap_output(&mut locked).map_err(failed)?;
    writer.write_all(&page.jpeg).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(locked)
}

fn thumbnail(page: &ScannedPage) -> Result<Vec<u8>, Problem> {
    let bad = |_| Problem::from(ScanRefusal::BadAnswer);
    let mut reader = ImageReader::new(Cursor::new(&page.jpeg))
        .with_guessed_format()
        .map_err(|_| Problem::from(ScanRefusal::BadAnswer))?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(512 * 1024 * 1024);
    reader.limits(limits);
    let picture = reader.decode().map_err(bad)?;
    let height = picture.height().saturating_mul(THUMBNAIL) / picture.width().max(1);
    let small = picture.thumbnail(THUMBNAIL, height.max(1)).to_rgb8();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, THUMBNAIL_QUALITY).encode_image(&small).map_err(bad)?;
    Ok(jpeg)
}

impl From<ScanRefusal> for Problem {
    fn from(refusal: ScanRefusal) -> Self {
        Self::new(match refusal {
            ScanRefusal::BadAddress | ScanRefusal::NoScanner => "no_scanner",
            ScanRefusal::DriverMissing => "scanner_driver_missing",
            ScanRefusal::Unplugged => "scanner_unplugged",
            ScanRefusal::Busy => "scanner_busy",
            ScanRefusal::Jammed => "scanner_jammed",
            ScanRefusal::NoDocument => "scanner_no_document",
            ScanRefusal::CoverOpen => "scanner_cover_open",
            ScanRefusal::Io => "scanner_failed",
            ScanRefusal::TimedOut => "scanner_timed_out",
            ScanRefusal::BadAnswer => "scanner_bad_answer",
            ScanRefusal::TooLarge => "scanner_too_large",
            ScanRefusal::Denied => "scanner_denied",
            ScanRefusal::Cancelled => "scanner_cancelled",
            ScanRefusal::Unsupported => "scanner_unsupported",
            ScanRefusal::NoMemory => "scanner_no_memory",
            ScanRefusal::Crashed => "scanner_crashed",
        })
    }
}
