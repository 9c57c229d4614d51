//! A scanner that is a picture file or a folder of them: for a machine whose scanner has its own
//! software, and for tests. It only reads.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{ScanRefusal, ScanRequest, ScannedPage, Scanner, Source, page};

/// Files looked at in a folder: beyond it somebody gave the wrong folder.
const FILES: usize = 1_000;

/// A JPEG or PNG file, or a folder of them in the order of their names.
#[derive(Debug)]
pub struct Files {
    path: PathBuf,
    /// The glass takes the next page of the folder each time, as a person would lay it.
    next: AtomicUsize,
}

impl Files {
    /// Nothing is read yet.
    pub fn open(path: impl AsRef<Path>) -> Files {
        Files { path: path.as_ref().to_owned(), next: AtomicUsize::new(0) }
    }

    async fn pages(&self, request: &ScanRequest) -> Result<Vec<ScannedPage>, ScanRefusal> {
        let all = self.files().await?;
        let chosen = match request.source {
            Source::Feeder => all.into_iter().take(request.pages()).collect(),
            Source::Glass => {
                let turn = self.next.fetch_add(1, Ordering::Relaxed) % all.len().max(1);
                all.into_iter().nth(turn).into_iter().collect::<Vec<_>>()
            }
        };
        let mut pages = Vec::new();
        for file in chosen {
            let size = tokio::fs::metadata(&file).await.map_err(refusal)?.len();
            if size > request.page_bytes() as u64 {
                return Err(ScanRefusal::TooLarge);
            }
            pages.push(page::normalise(tokio::fs::read(&file).await.map_err(refusal)?, request.dpi)?);
        }
        if pages.is_empty() { Err(ScanRefusal::NoDocument) } else { Ok(pages) }
    }

    pub(crate) async fn is_there(&self) -> Result<(), ScanRefusal> {
        self.files().await.map(|_| ())
    }

    async fn files(&self) -> Result<Vec<PathBuf>, ScanRefusal> {
        if tokio::fs::metadata(&self.path).await.map_err(refusal)?.is_file() {
            return Ok(vec![self.path.clone()]);
        }
        let mut folder = tokio::fs::read_dir(&self.path).await.map_err(refusal)?;
        let mut found = Vec::new();
        while let Some(entry) = folder.next_entry().await.map_err(refusal)? {
            let path = entry.path();
            let kind = path.extension().map(|kind| kind.to_string_lossy().to_ascii_lowercase());
            if matches!(kind.as_deref(), Some("jpg" | "jpeg" | "png")) {
                found.push(path);
            }
            if found.len() > FILES {
                return Err(ScanRefusal::TooLarge);
            }
        }
        found.sort();
        Ok(found)
    }
}

impl Scanner for Files {
    fn describe(&self) -> String {
        format!("file:{}", self.path.display())
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Vec<ScannedPage>, ScanRefusal> {
        tokio::time::timeout(request.limit, self.pages(request)).await.unwrap_or(Err(ScanRefusal::TimedOut))
    }
}

fn refusal(error: std::io::Error) -> ScanRefusal {
    match error.kind() {
        std::io::ErrorKind::NotFound => ScanRefusal::NoScanner,
        std::io::ErrorKind::PermissionDenied => ScanRefusal::Denied,
        _ => ScanRefusal::Io,
    }
}
