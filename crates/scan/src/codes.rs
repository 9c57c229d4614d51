//! Reading the codes of a paper from a picture.

use image::GrayImage;
use rxing::common::HybridBinarizer;
use rxing::multi::MultipleBarcodeReader as _;
use rxing::multi::qrcode::QRCodeMultiReader;
use rxing::qrcode::QRCodeReader;
use rxing::{
    BinaryBitmap, DecodeHintValue, DecodeHints, Luma8LuminanceSource, RXingResult, RXingResultMetadataType,
    RXingResultMetadataValue, Reader as _,
};
use std::io::Cursor;

/// Largest side of a picture looked at, in pixels: A4 at 600 dpi and some margin.
const MAX_SIDE: u32 = 8_000;

/// The bytes of every code found in the picture (JPEG or PNG). None when it is not a picture.
pub fn read(picture: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = image::ImageReader::new(Cursor::new(picture)).with_guessed_format().ok()?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    let page = reader.decode().ok()?.to_luma8();
    let mut codes = all(&page);
    // Two codes side by side sometimes hide each other: look at overlapping parts too.
    let (w, h) = page.dimensions();
    for (x, y, width, height) in [
        (0, h / 2, w / 2, h / 2),
        (w / 2, h / 2, w / 2, h / 2),
        (0, h / 2, w, h / 2),
        (0, h * 2 / 3, w / 3, h / 3),
        (w / 5, h * 2 / 3, w * 2 / 5, h / 3),
        (w / 4, h / 2, w / 2, h / 2),
    ] {
        codes.extend(all(&image::imageops::crop_imm(&page, x, y, width, height).to_image()));
    }
    codes.sort();
    codes.dedup();
    Some(codes)
}

fn all(picture: &GrayImage) -> Vec<Vec<u8>> {
    let bitmap = || {
        let (w, h) = picture.dimensions();
        let source = Luma8LuminanceSource::new(picture.as_raw().clone(), w, h).ok()?;
        Some(BinaryBitmap::new(HybridBinarizer::new(source)))
    };
    let hints = DecodeHints::default().with(DecodeHintValue::TryHarder(true));
    let mut found: Vec<RXingResult> = Vec::new();
    if let Some(mut bitmap) = bitmap()
        && let Ok(results) = QRCodeMultiReader::new().decode_multiple_with_hints(&mut bitmap, &hints)
    {
        found.extend(results);
    }
    if let Some(mut bitmap) = bitmap()
        && let Ok(result) = QRCodeReader.decode_with_hints(&mut bitmap, &hints)
    {
        found.push(result);
    }
    found.iter().filter_map(bytes).collect()
}

/// The byte segments, not the text: our codes are binary.
fn bytes(result: &RXingResult) -> Option<Vec<u8>> {
    match result.getRXingResultMetadata().get(&RXingResultMetadataType::BYTE_SEGMENTS)? {
        RXingResultMetadataValue::ByteSegments(segments) => Some(segments.concat()),
        _ => None,
    }
}
