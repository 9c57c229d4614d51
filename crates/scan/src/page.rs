//! Checks that bytes are one whole picture of a sane size, and gives it as JPEG. Bytes that are
//! already such a JPEG pass untouched; nothing else is done to a page here.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::{PAGE_BYTES, ScanRefusal, ScannedPage};

/// Pixels a side: A3 at 600 dpi is 7 016 x 9 922.
pub const SIDE: u32 = 12_000;
/// Memory for one decoded page.
const DECODED_BYTES: u64 = 512 * 1024 * 1024;
/// JPEG quality when a page has to be encoded here: fine print stays readable at 300 dpi.
const QUALITY: u8 = 88;

/// Makes a page of `bytes` (JPEG or PNG). Refused: another format ([`ScanRefusal::BadAnswer`]), half
/// a picture (the same), too many bytes or pixels ([`ScanRefusal::TooLarge`]).
pub fn normalise(bytes: Vec<u8>, dpi: u32) -> Result<ScannedPage, ScanRefusal> {
    if bytes.len() > PAGE_BYTES {
        return Err(ScanRefusal::TooLarge);
    }
    let format = image::guess_format(&bytes).map_err(|_| ScanRefusal::BadAnswer)?;
    if format == ImageFormat::Jpeg && !ends(&bytes) {
        return Err(ScanRefusal::BadAnswer);
    }
    let picture = decode(&bytes, format)?;
    let (width, height) = (picture.width(), picture.height());
    let plain = matches!(picture, DynamicImage::ImageRgb8(_) | DynamicImage::ImageLuma8(_));
    let jpeg = if format == ImageFormat::Jpeg && plain { bytes } else { encode(&picture)? };
    Ok(ScannedPage { jpeg, width, height, dpi })
}

fn decode(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage, ScanRefusal> {
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png) {
        return Err(ScanRefusal::BadAnswer);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(DECODED_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    if width > SIDE || height > SIDE {
        return Err(ScanRefusal::TooLarge);
    }
    if width == 0 || height == 0 {
        return Err(ScanRefusal::BadAnswer);
    }
    DynamicImage::from_decoder(decoder).map_err(refusal)
}

fn encode(picture: &DynamicImage) -> Result<Vec<u8>, ScanRefusal> {
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    match picture {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLuma16(_) => {
            picture.to_luma8().write_with_encoder(encoder)
        }
        _ => picture.to_rgb8().write_with_encoder(encoder),
    }
    .map_err(|_| ScanRefusal::BadAnswer)?;
    Ok(jpeg)
}

/// A JPEG that was cut off has no end marker; some devices pad the end with zeros.
fn ends(jpeg: &[u8]) -> bool {
    let end = jpeg.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    jpeg.get(..end).is_some_and(|whole| whole.ends_with(&[0xff, 0xd9]))
}

fn refusal(error: image::ImageError) -> ScanRefusal {
    match error {
        image::ImageError::Limits(_) => ScanRefusal::TooLarge,
        _ => ScanRefusal::BadAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        encode(&DynamicImage::new_rgb8(width, height)).unwrap()
    }

    #[test]
    fn a_whole_jpeg_passes_untouched() {
        let bytes = jpeg(64, 40);
        let page = normalise(bytes.clone(), 300).unwrap();
        assert_eq!((page.width, page.height, page.dpi), (64, 40, 300));
        assert_eq!(page.jpeg, bytes);
    }

    #[test]
    fn a_png_becomes_a_jpeg() {
        let mut png = Vec::new();
        DynamicImage::new_rgba8(30, 20).write_to(&mut Cursor::new(&mut png), ImageFormat::Png).unwrap();
        let page = normalise(png, 300).unwrap();
        assert_eq!(image::guess_format(&page.jpeg).unwrap(), ImageFormat::Jpeg);
        assert_eq!((page.width, page.height), (30, 20));
    }

    #[test]
    fn what_is_no_whole_picture_is_refused() {
        let whole = jpeg(200, 200);
        let half = whole[..whole.len() / 2].to_vec();
        assert_eq!(normalise(half, 300), Err(ScanRefusal::BadAnswer));
        assert_eq!(normalise(Vec::new(), 300), Err(ScanRefusal::BadAnswer));
        assert_eq!(normalise(b"<html>hello</html>".to_vec(), 300), Err(ScanRefusal::BadAnswer));
        assert_eq!(normalise(vec![0xff, 0xd8, 0xff, 0xd9], 300), Err(ScanRefusal::BadAnswer));
        assert_eq!(normalise(jpeg(SIDE + 1, 1), 300), Err(ScanRefusal::TooLarge));
        assert_eq!(normalise(vec![0; PAGE_BYTES + 1], 300), Err(ScanRefusal::TooLarge));
    }
}
