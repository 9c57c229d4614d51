//! Papers and pages as they came out: looked at with other people's tools.

use super::json_of;
use crate::programs::{Failure, command, fail, output};
use crate::stand::Stand;
use scan::{AnyScanner, ScanRequest, Scanner as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

/// The page as a picture, by poppler.
///
/// # Errors
/// pdftoppm (Debian package poppler-utils) fails.
pub fn page(pdf: &Path, png: &Path, dpi: u32) -> Result<(), Failure> {
    let stem = png.with_extension("");
    let dpi = dpi.to_string();
    let mut draw = command("pdftoppm", ["-png", "-singlefile", "-r", &dpi]);
    output(draw.arg(pdf).arg(&stem)).map(|_| ())
}

/// The follow-up code printed on a paper.
///
/// # Errors
/// There is none.
pub fn code_of(pdf: &Path) -> Result<String, Failure> {
    let text = output(command("pdftotext", ["-layout"]).arg(pdf).arg("-"))?;
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .find(|word| domain_code(word))
        .map(str::to_owned)
        .ok_or_else(|| fail(format!("{} carries no follow-up code", pdf.display())))
}

/// `XXXX-XXXX-XXXX-X`
fn domain_code(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    parts == [4, 4, 4, 1] && word.bytes().all(|b| b == b'-' || b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// # Errors
/// The file cannot be read.
pub fn sha256(file: &Path) -> Result<String, Failure> {
    Ok(seal::keys::sha256(&[&std::fs::read(file)?]).to_string())
}

/// Verifies the door code read from a picture of the page at 200 dpi, by `jalonctl`.
///
/// # Errors
/// The page cannot be drawn or the program not run.
pub fn verify_page(stand: &Stand, out: &Path, pdf: &Path, code: &str) -> Result<Value, Failure> {
    let png = out.join(format!("{code}-200dpi.png"));
    page(pdf, &png, 200)?;
    let mut verify = stand.jalonctl(&["seal", "verify"])?;
    verify.arg("--image").arg(&png).arg("--root").arg(stand.ring());
    let (exit, mut answer) = json_of(&mut verify)?;
    let _ = std::fs::remove_file(&png);
    if (exit == Some(0)) != (answer["verdict"] == "valid") {
        return Err(fail("exit code and verdict disagree"));
    }
    answer["exit"] = json!(exit);
    Ok(answer)
}

/// One changed byte, at each place of the code, must be refused.
///
/// # Errors
/// The code cannot be read or the program not run.
pub fn forge(stand: &Stand, text: &str) -> Result<(bool, Value), Failure> {
    let code = seal::text::to_bytes(text).ok_or_else(|| fail("no door code was read"))?;
    let mut verdicts: BTreeMap<String, u32> = BTreeMap::new();
    let mut accepted = 0;
    for at in (0..code.len()).step_by(16).chain([code.len() - 1]) {
        let mut changed = code.clone();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 1;
        }
        let mut verify = stand.jalonctl(&["seal", "verify"])?;
        verify.args(["--text", &seal::text::from_bytes(&changed)]).arg("--root").arg(stand.ring());
        let (exit, answer) = json_of(&mut verify)?;
        accepted += u32::from(exit == Some(0) || answer["verdict"] == "valid");
        *verdicts.entry(answer["verdict"].as_str().unwrap_or("none").to_owned()).or_default() += 1;
    }
    Ok((accepted == 0, json!({ "verdicts": verdicts, "accepted": accepted })))
}

/// What the scanner gives for the page now on its glass: the hash of a scan of our own,
/// with the same client and settings as the kiosk's. The device gives the same bytes
/// for the same page each time, so the kiosk's page must equal it.
///
/// # Errors
/// The scanner refuses.
pub async fn scanned(stand: &Stand) -> Result<String, Failure> {
    let scanner = AnyScanner::open_with("sane:airscan:e0:Specimen", Some(stand.folder.join("sane")))?;
    let pages = scanner.scan(&ScanRequest::default()).await?;
    let page = pages.first().ok_or_else(|| fail("the scanner gave no page"))?;
    Ok(seal::keys::sha256(&[&page.jpeg]).to_string())
}

/// Opens the pages central holds with the site's key, and compares with what was scanned.
///
/// # Errors
/// Pages are missing or do not open.
pub fn pieces(stand: &Stand, out: &Path, code: &str, scanned: &[String]) -> Result<(bool, Value), Failure> {
    let folder = stand.folder.join("pieces");
    let answer = stand.admin("pieces", &["--code", code, "--out", &folder.display().to_string()])?;
    let key = age::x25519::Identity::from_str(std::fs::read_to_string(stand.site_key())?.trim())
        .map_err(|error| fail(error.to_string()))?;
    let (mut locked, mut received) = (Vec::new(), Vec::new());
    for page in answer["pages"].as_array().into_iter().flatten() {
        let file = PathBuf::from(page["file"].as_str().unwrap_or_default());
        let bytes = std::fs::read(&file)?;
        locked.push(seal::keys::sha256(&[&bytes]).to_string());
        let mut clear = Vec::new();
        age::Decryptor::new(bytes.as_slice())?
            .decrypt(std::iter::once(&key as &dyn age::Identity))?
            .read_to_end(&mut clear)?;
        received.push(seal::keys::sha256(&[&clear]).to_string());
        std::fs::write(out.join(format!("page-{}.jpg", received.len())), clear)?;
    }
    let evidence = json!({
        "cipher_sha256": locked, "plain_sha256_scanned": scanned, "plain_sha256_received": received,
    });
    Ok((received == scanned && received.len() == 2, evidence))
}

/// Writes `<code>.sent.pdf` when the kiosk still makes the very bytes it sent: a receipt
/// whose person has a firm date now is a new paper, and is left out.
///
/// # Errors
/// The kiosk does not open.
pub fn sent(
    stand: &Stand,
    out: &Path,
    code: &str,
    papers: &BTreeMap<String, PathBuf>,
) -> Result<(), Failure> {
    let file = out.join(format!("{code}.sent.pdf"));
    output(stand.jalonctl(&["paper", code, "--out"])?.arg(&file))?;
    let received = papers.get(code).ok_or_else(|| fail("no paper was received"))?;
    if sha256(&file)? != sha256(received)? {
        std::fs::rename(&file, out.join(format!("{code}.new.pdf")))?;
    }
    Ok(())
}
