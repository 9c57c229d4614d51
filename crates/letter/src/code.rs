//! The two-dimensional codes of the paper: raw bytes to black squares, nothing else.
//! It never looks into the bytes: the seal is made elsewhere.

use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};

use crate::LetterFailure;

/// Bytes of one code: more would need modules below 0.4 mm beside another code.
pub const CODE_BYTES: usize = 330;
/// White modules around a code (ISO/IEC 18004).
pub(crate) const QUIET: usize = 4;

/// A code as rows of modules.
pub(crate) struct Code {
    /// Modules a side, without the quiet zone.
    pub side: usize,
    /// Dark stretches: (column, row, length).
    pub dark: Vec<(usize, usize, usize)>,
}

/// Byte mode, level M, the smallest version that holds `bytes`. No other mode is mixed in, so a
/// reader gives back exactly these bytes.
pub(crate) fn encode(bytes: &[u8]) -> Result<Code, LetterFailure> {
    let refusal = || LetterFailure::Code(bytes.len());
    if bytes.is_empty() || bytes.len() > CODE_BYTES {
        return Err(refusal());
    }
    let code = (1..=40).find_map(|version| in_version(bytes, version)).ok_or_else(refusal)?;
    let side = code.width();
    let colors = code.to_colors();
    let mut dark = Vec::new();
    for (row, modules) in colors.chunks(side).enumerate() {
        let mut column = 0;
        for stretch in modules.chunk_by(|a, b| a == b) {
            if stretch.first() == Some(&Color::Dark) {
                dark.push((column, row, stretch.len()));
            }
            column += stretch.len();
        }
    }
    Ok(Code { side, dark })
}

fn in_version(bytes: &[u8], version: i16) -> Option<QrCode> {
    let mut bits = Bits::new(Version::Normal(version));
    bits.push_byte_data(bytes).ok()?;
    bits.push_terminator(EcLevel::M).ok()?;
    QrCode::with_bits(bits, EcLevel::M).ok()
}
