//! Scanners behind one trait: SANE in a child process, eSCL over the network, a file or folder.
//! Every answer of a device is outside data: bounded in bytes, pages and time, and checked to be a
//! whole picture. It never writes a page to a disk, never encrypts (the caller does, at once) and
//! never retries what a person must mend.

pub mod codes;
pub mod escl_xml;
pub mod page;

mod escl;
mod file;
mod refusal;
mod sane;

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

pub use escl::Escl;
pub use file::Files;
pub use refusal::ScanRefusal;
pub use sane::Sane;

/// Bytes of one page as the device sends it: an uncompressed-looking A4 at 600 dpi stays below.
pub const PAGE_BYTES: usize = 32 * 1024 * 1024;
/// Pages of one scan: the feeders that exist hold 50 to 100 sheets.
pub const PAGES: usize = 100;
/// The wait for a whole scan unless the request says otherwise: slow flatbeds need 40 s at 300 dpi.
pub const LIMIT: Duration = Duration::from_secs(120);

/// One page, whole, as a JPEG (ITU-T T.81).
#[derive(Clone, PartialEq, Eq)]
pub struct ScannedPage {
    /// The picture's bytes.
    pub jpeg: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Dots per inch, as asked for.
    pub dpi: u32,
}

impl std::fmt::Debug for ScannedPage {
    /// The size only: a page is somebody's document.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScannedPage({} x {}, {} bytes)", self.width, self.height, self.jpeg.len())
    }
}

/// Where the paper lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// On the glass: one page.
    Glass,
    /// In the feeder: pages until it is empty.
    Feeder,
}

/// Colours wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// 24 bits.
    Colour,
    /// 8 bits.
    Grey,
}

/// What to scan, and how long to wait for it.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// Glass or feeder.
    pub source: Source,
    /// Dots per inch; a device takes its nearest.
    pub dpi: u32,
    /// Colour or grey.
    pub colour: Colour,
    /// No more pages than this, and never more than [`PAGES`].
    pub max_pages: usize,
    /// No more bytes a page than this, and never more than [`PAGE_BYTES`].
    pub max_page_bytes: usize,
    /// The whole scan, all pages. After it nothing of it is left running.
    pub limit: Duration,
}

impl Default for ScanRequest {
    /// One page from the glass, colour, 300 dpi (what the MRZ reader and agents need).
    fn default() -> Self {
        ScanRequest {
            source: Source::Glass,
            dpi: 300,
            colour: Colour::Colour,
            max_pages: PAGES,
            max_page_bytes: PAGE_BYTES,
            limit: LIMIT,
        }
    }
}

impl ScanRequest {
    fn pages(&self) -> usize {
        self.max_pages.clamp(1, PAGES)
    }

    fn page_bytes(&self) -> usize {
        self.max_page_bytes.min(PAGE_BYTES)
    }
}

/// A scanner. Its contract, run on every implementation: at least one whole page or a refusal,
/// within the request's limit; nothing left running afterwards; a second scan works after any
/// refusal that was mended.
pub trait Scanner {
    /// What it is, for a person: no secret, no serial number.
    fn describe(&self) -> String;

    /// Scans the pages asked for.
    fn scan(
        &self,
        request: &ScanRequest,
    ) -> impl Future<Output = Result<Vec<ScannedPage>, ScanRefusal>> + Send;
}

/// Any of the scanners, by its address.
#[derive(Debug)]
pub enum AnyScanner {
    /// `sane:NAME[?option=value&…]`
    Sane(Sane),
    /// `escl:http://host:port/eSCL/`
    Escl(Escl),
    /// `file:PATH`
    Files(Files),
}

impl AnyScanner {
    /// Opens a scanner by its address; nothing is asked of the device yet. The eSCL client needs a
    /// rustls provider installed by the program.
    pub fn open(address: &str) -> Result<AnyScanner, ScanRefusal> {
        Self::open_with(address, None)
    }

    /// As [`AnyScanner::open`], with the folder SANE reads its configuration from
    /// (`SANE_CONFIG_DIR`); without it the child inherits the caller's environment.
    pub fn open_with(address: &str, sane_config: Option<PathBuf>) -> Result<AnyScanner, ScanRefusal> {
        match address.split_once(':') {
            Some(("sane", name)) => Ok(AnyScanner::Sane(Sane::parse(name, sane_config)?)),
            Some(("escl", url)) => Ok(AnyScanner::Escl(Escl::open(url)?)),
            Some(("file", path)) if !path.is_empty() => Ok(AnyScanner::Files(Files::open(path))),
            _ => Err(ScanRefusal::BadAddress),
        }
    }
}

impl AnyScanner {
    /// Is the device there? Asks and scans nothing.
    pub async fn answers(&self, limit: Duration) -> Result<(), ScanRefusal> {
        let asked = async {
            match self {
                AnyScanner::Sane(scanner) => scanner.is_there().await,
                AnyScanner::Escl(scanner) => scanner.is_there().await,
                AnyScanner::Files(scanner) => scanner.is_there().await,
            }
        };
        tokio::time::timeout(limit, asked).await.unwrap_or(Err(ScanRefusal::TimedOut))
    }
}

impl Scanner for AnyScanner {
    fn describe(&self) -> String {
        match self {
            AnyScanner::Sane(scanner) => scanner.describe(),
            AnyScanner::Escl(scanner) => scanner.describe(),
            AnyScanner::Files(scanner) => scanner.describe(),
        }
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Vec<ScannedPage>, ScanRefusal> {
        match self {
            AnyScanner::Sane(scanner) => scanner.scan(request).await,
            AnyScanner::Escl(scanner) => scanner.scan(request).await,
            AnyScanner::Files(scanner) => scanner.scan(request).await,
        }
    }
}
