//! The drawing operators of the page: text, shapes and codes, each marked for the structure tree.
//! It decides no place and no word.

use std::collections::BTreeMap;

use printpdf::{Codepoint, DictItem, Op, PdfFontHandle, Pt, TextItem, TextMatrix};

use crate::code::{Code, QUIET};
use crate::glyphs::{CutFonts, Placed, font_id};
use crate::layout::PAGE;
use crate::pictogram::{Paint, Segment, Shape};

/// A picture in the structure tree.
pub(crate) struct Figure {
    pub alt: String,
    pub bounds: [f32; 4],
}

/// One marked piece of content, in the order it was drawn: its number is its place.
pub(crate) struct Marked {
    pub tag: &'static str,
    pub own: bool,
    /// The text in reading order, where the glyphs stand in another.
    pub said: Option<String>,
    pub figure: Option<Figure>,
}

/// Drawing operators of the page.
pub(crate) struct Ink {
    pub ops: Vec<Op>,
    pub marked: Vec<Marked>,
}

impl Ink {
    pub(crate) fn begin(
        &mut self,
        tag: &'static str,
        own: bool,
        said: Option<String>,
        figure: Option<Figure>,
    ) {
        let number = DictItem::Int(self.marked.len() as i64);
        self.ops.push(Op::BeginMarkedContentWithProperties {
            tag: tag.into(),
            properties: DictItem::Dict { map: BTreeMap::from([("MCID".into(), number)]) },
        });
        self.marked.push(Marked { tag, own, said, figure });
    }

    pub(crate) fn actual_text(&mut self, text: &str) {
        let data = utf16(text);
        self.ops.push(Op::BeginMarkedContentWithProperties {
            tag: "Span".into(),
            properties: DictItem::Dict {
                map: BTreeMap::from([("ActualText".into(), DictItem::String { data, literal: false })]),
            },
        });
    }

    pub(crate) fn end(&mut self) {
        self.ops.push(Op::EndMarkedContent);
    }

    /// One stretch of glyphs of one font. Each stretch on one baseline is a single show operation,
    /// with a correction only where a glyph stands elsewhere than the one before leaves the pen.
    pub(crate) fn glyphs(
        &mut self,
        cut: &CutFonts,
        place: usize,
        size: f32,
        glyphs: &[Placed],
        one_by_one: bool,
    ) {
        let Some((_, font)) = cut.parsed.get(place) else {
            return;
        };
        let per_em = 1000.0 / f32::from(font.pdf_font_metrics.units_per_em.max(1));
        let stretches = glyphs.chunk_by(|a, b| {
            rounded(a.y) == rounded(b.y) && !(one_by_one && (a.missing.is_some() || b.missing.is_some()))
        });
        for stretch in stretches {
            let Some(first) = stretch.first() else {
                continue;
            };
            let alone = if one_by_one { first.missing.as_deref() } else { None };
            if let Some(text) = alone {
                self.actual_text(text);
            }
            let (x, y) = (rounded(first.x), rounded(first.y));
            self.ops.push(Op::StartTextSection);
            self.ops.push(Op::SetFont { font: PdfFontHandle::External(font_id(place)), size: Pt(size) });
            self.ops.push(Op::SetTextMatrix { matrix: TextMatrix::Translate(Pt(x), Pt(y)) });
            let mut shown = Vec::with_capacity(stretch.len());
            let mut pen = x;
            for (index, glyph) in stretch.iter().enumerate() {
                let text = cut.given.get(&(place, glyph.gid)).cloned().unwrap_or_else(|| glyph.text.clone());
                // The width the viewer will use: whole thousandths of an em, cut off.
                let width = (f32::from(font.get_glyph_width(glyph.gid).unwrap_or(0)) * per_em).trunc();
                pen += width * size / 1000.0;
                let next = stretch.get(index + 1).map_or(pen, |next| next.x);
                let back = ((pen - next) * 1000.0 / size).round();
                pen -= back * size / 1000.0;
                shown.push(Codepoint::with_cid(glyph.gid, back, text));
            }
            self.ops.push(Op::ShowText { items: vec![TextItem::GlyphIds(shown)] });
            self.ops.push(Op::EndTextSection);
            if alone.is_some() {
                self.end();
            }
        }
    }

    pub(crate) fn shape(&mut self, shape: &Shape) {
        self.raw("q", &[]);
        match shape.paint {
            Paint::Stroke { width, grey } => {
                self.raw("G", &[grey]);
                self.raw("w", &[width]);
                self.raw("J", &[1.0]);
                self.raw("j", &[1.0]);
            }
            Paint::Fill { grey } => self.raw("g", &[grey]),
        }
        for segment in &shape.path {
            match segment {
                Segment::Move(x, y) => self.raw("m", &[*x, PAGE.1 - y]),
                Segment::Line(x, y) => self.raw("l", &[*x, PAGE.1 - y]),
                Segment::Curve([a, b, c, d, e, f]) => {
                    self.raw("c", &[*a, PAGE.1 - b, *c, PAGE.1 - d, *e, PAGE.1 - f]);
                }
                Segment::Close => self.raw("h", &[]),
            }
        }
        self.raw(if matches!(shape.paint, Paint::Fill { .. }) { "f" } else { "S" }, &[]);
        self.raw("Q", &[]);
    }

    /// In units of one module, from the top left corner inside the quiet zone: whole numbers only,
    /// so neighbouring squares share their edges exactly.
    pub(crate) fn code(&mut self, code: &Code, x: f32, y: f32, module: f32) {
        let quiet = QUIET as f32 * module;
        self.raw("q", &[]);
        self.raw("g", &[0.0]);
        let exact = [module, 0.0, 0.0, -module, x + quiet, PAGE.1 - y - quiet];
        let value = exact.iter().map(|number| DictItem::Real(*number)).collect();
        self.ops.push(Op::Unknown { key: "cm".into(), value });
        for (column, row, length) in &code.dark {
            let value =
                [*column, *row, *length, 1].iter().map(|number| DictItem::Int(*number as i64)).collect();
            self.ops.push(Op::Unknown { key: "re".into(), value });
        }
        self.raw("f", &[]);
        self.raw("Q", &[]);
    }

    fn raw(&mut self, key: &str, numbers: &[f32]) {
        let value = numbers.iter().map(|number| DictItem::Real(rounded(*number))).collect();
        self.ops.push(Op::Unknown { key: key.into(), value });
    }
}

/// Hundredths of a point are finer than any printer, and keep the file small.
pub(crate) fn rounded(number: f32) -> f32 {
    (number * 100.0).round() / 100.0
}

pub(crate) fn bounds(code: &Code, x: f32, y: f32, module: f32) -> [f32; 4] {
    let side = (code.side + 2 * QUIET) as f32 * module;
    [x, PAGE.1 - y - side, x + side, PAGE.1 - y]
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect()
}
