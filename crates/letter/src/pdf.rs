//! Turns a laid-out page into the bytes of a tagged PDF 1.7: fonts cut down once, text that can be
//! read out and copied, a structure tree with its languages. Title and metadata hold no person's
//! name; ids and dates come from the letter, so equal letters give equal bytes.

use std::collections::BTreeMap;

use lopdf::{Dictionary, Object, SaveOptions, StringFormat};
use parley::PositionedLayoutItem;
use printpdf::{
    Codepoint, DictItem, FontId, Mm, Op, ParsedFont, PdfDocument, PdfFont, PdfFontHandle, PdfPage,
    PdfSaveOptions, Pt, TextItem, TextMatrix,
};
use sha2::{Digest, Sha256};

use crate::code::{Code, QUIET};
use crate::layout::{Item, PAGE, Page, Role, Which};
use crate::pictogram::{Paint, Segment, Shape};
use crate::say::Words;
use crate::text::Shaped;
use crate::{Letter, LetterFailure};

/// Writes the page. The only failures are a bug here or in a font: never the person's data.
pub(crate) fn write(page: &Page, letter: &Letter, words: &Words) -> Result<Vec<u8>, LetterFailure> {
    let mut cut = CutFonts::of(page)?;
    let mut ink = Ink {
        ops: Vec::new(),
        marked: Vec::new(),
    };
    for item in &page.items {
        match item {
            Item::Text {
                shaped,
                x,
                y,
                role,
                own,
            } => {
                let tag = if *role == Role::Title { "H1" } else { "P" };
                let said = shaped.layout.is_rtl().then(|| shaped.source.clone());
                ink.begin(tag, *own, said, None);
                paragraph(&mut ink, &mut cut, shaped, *x, *y);
                ink.end();
            }
            Item::Drawing(shapes) => {
                ink.ops.push(Op::BeginMarkedContent {
                    tag: "Artifact".into(),
                });
                shapes.iter().for_each(|shape| ink.shape(shape));
                ink.end();
            }
            Item::Code {
                code,
                x,
                y,
                module,
                which,
            } => {
                let said = if *which == Which::Door {
                    &words.door_alt
                } else {
                    &words.rebuild_alt
                };
                ink.begin(
                    "Figure",
                    false,
                    None,
                    Some(Figure {
                        alt: said.fr.clone(),
                        bounds: bounds(code, *x, *y, *module),
                    }),
                );
                ink.code(code, *x, *y, *module);
                ink.end();
            }
        }
    }
    let mut document = PdfDocument::new(&words.title.fr);
    for (id, font) in cut.parsed {
        document.resources.fonts.map.insert(id, PdfFont::new(font));
    }
    document.with_pages(vec![PdfPage::new(Mm(210.0), Mm(297.0), ink.ops)]);
    // Raw drawing operators are ours: `secure` would drop them.
    let options = PdfSaveOptions {
        optimize: true,
        subset_fonts: false,
        secure: false,
        image_optimization: None,
    };
    let mut pdf = document.to_lopdf_document(&options, &mut Vec::new());
    finish(&mut pdf, ink.marked, letter, words)?;
    let mut bytes = Vec::with_capacity(60_000);
    let packed = SaveOptions {
        use_object_streams: true,
        use_xref_streams: true,
        ..SaveOptions::default()
    };
    pdf.save_with_options(&mut bytes, packed)?;
    Ok(bytes)
}

/// The fonts of one page, each cut down to the glyphs it uses.
struct CutFonts {
    /// Blob id of the font -> its place.
    index: BTreeMap<u64, usize>,
    cut: Vec<(subsetter::GlyphRemapper, parley::FontData)>,
    parsed: Vec<(FontId, ParsedFont)>,
    /// The text each glyph gives when copied: one string a glyph, so the first use decides.
    given: BTreeMap<(usize, u16), String>,
}

impl CutFonts {
    fn of(page: &Page) -> Result<CutFonts, LetterFailure> {
        let mut index = BTreeMap::new();
        let mut cut: Vec<(subsetter::GlyphRemapper, parley::FontData)> = Vec::new();
        for item in &page.items {
            let Item::Text { shaped, .. } = item else {
                continue;
            };
            for run in shaped.layout.lines().flat_map(|line| line.runs()) {
                let font = run.font();
                let place = *index.entry(font.data.id()).or_insert_with(|| {
                    cut.push((subsetter::GlyphRemapper::new(), font.clone()));
                    cut.len() - 1
                });
                let Some((remapper, _)) = cut.get_mut(place) else {
                    continue;
                };
                for glyph in run.clusters().flat_map(|cluster| cluster.glyphs()) {
                    remapper.remap(glyph.id as u16);
                }
            }
        }
        let mut parsed = Vec::with_capacity(cut.len());
        for (place, (remapper, font)) in cut.iter().enumerate() {
            let subset = subsetter::subset(font.data.data(), font.index, remapper)
                .map_err(|error| LetterFailure::Font(error.to_string()))?;
            let font = ParsedFont::from_bytes(&subset, 0, &mut Vec::new())
                .ok_or_else(|| LetterFailure::Font("unreadable subset".into()))?;
            parsed.push((font_id(place), font));
        }
        Ok(CutFonts {
            index,
            cut,
            parsed,
            given: BTreeMap::new(),
        })
    }
}

/// Names of our own: printpdf's are random.
fn font_id(place: usize) -> FontId {
    FontId(format!("J{place}"))
}

/// A glyph ready to be shown: its id in the cut font, where, and the text it stands for.
struct Placed {
    gid: u16,
    x: f32,
    y: f32,
    text: String,
    /// The cluster's own text when the font has no shape for it.
    missing: Option<String>,
}

fn paragraph(ink: &mut Ink, cut: &mut CutFonts, shaped: &Shaped, x: f32, y: f32) {
    for line in shaped.layout.lines() {
        let rtl = shaped.layout.is_rtl() || line.runs().any(|run| run.is_rtl());
        let mut runs = Vec::new();
        for item in line.items() {
            let PositionedLayoutItem::GlyphRun(glyph_run) = item else {
                continue;
            };
            let run = *glyph_run.run();
            let Some(place) = cut.index.get(&run.font().data.id()).copied() else {
                continue;
            };
            let Some((remapper, _)) = cut.cut.get(place) else {
                continue;
            };
            let texts = texts(&run, &shaped.source);
            let placed: Vec<Placed> = glyph_run
                .positioned_glyphs()
                .zip(texts)
                .map(|(glyph, (text, missing))| Placed {
                    gid: remapper.get(glyph.id as u16).unwrap_or(0),
                    x: x + glyph.x,
                    y: PAGE.1 - y - glyph.y,
                    text,
                    missing,
                })
                .collect();
            runs.push((place, run.font_size(), placed));
        }
        // Copying must give exactly what was written. Where the glyphs alone cannot, the line says
        // it in ActualText; but poppler turns ActualText around on lines with right-to-left text,
        // so there only a missing glyph says it, one by one.
        let exact = runs
            .iter()
            .all(|(place, _, placed)| placed.iter().all(|glyph| cut.gives(*place, glyph)));
        let whole = !exact && !rtl;
        if whole {
            ink.actual_text(shaped.source.get(line.text_range()).unwrap_or_default());
        }
        for (place, size, placed) in &runs {
            ink.glyphs(cut, *place, *size, placed, rtl);
        }
        if whole {
            ink.end();
        }
    }
}

impl CutFonts {
    /// Whether copying this glyph gives its text.
    fn gives(&mut self, place: usize, glyph: &Placed) -> bool {
        let given = self
            .given
            .entry((place, glyph.gid))
            .or_insert_with(|| glyph.text.clone());
        glyph.missing.is_none() && !glyph.text.is_empty() && *given == glyph.text
    }
}

/// The text of each glyph of `run`, in visual order, and whether its shape is missing.
fn texts(run: &parley::Run<'_, ()>, source: &str) -> Vec<(String, Option<String>)> {
    // Logical order first: the parts of a ligature after its start have no glyph of their own.
    let mut clusters: Vec<(Vec<(u16, bool)>, String)> = Vec::new();
    for cluster in run.clusters() {
        let text = source.get(cluster.text_range()).unwrap_or_default();
        let glyphs: Vec<(u16, bool)> = cluster
            .glyphs()
            .map(|g| (g.id as u16, g.advance > 0.0))
            .collect();
        match clusters.last_mut() {
            Some((_, before)) if glyphs.is_empty() => before.push_str(text),
            _ => clusters.push((glyphs, text.to_owned())),
        }
    }
    if run.is_rtl() {
        clusters.reverse();
    }
    clusters
        .into_iter()
        .flat_map(|(glyphs, text)| cluster_texts(&glyphs, text, run.is_rtl()))
        .collect()
}

/// Shares a cluster's text among its glyphs: marks (no advance) take the last characters, what
/// advances takes the rest.
fn cluster_texts(glyphs: &[(u16, bool)], text: String, rtl: bool) -> Vec<(String, Option<String>)> {
    if glyphs.iter().any(|(gid, _)| *gid == 0) {
        let missing = Some(text.clone());
        return glyphs
            .iter()
            .enumerate()
            .map(|(i, _)| (text.clone(), missing.clone().filter(|_| i == 0)))
            .collect();
    }
    let mut chars: Vec<char> = text.chars().collect();
    let marks = glyphs
        .iter()
        .filter(|(_, advances)| !advances)
        .count()
        .min(chars.len().saturating_sub(1));
    let mut of_marks = chars.split_off(chars.len() - marks);
    if rtl {
        of_marks.reverse();
    }
    let mut of_marks = of_marks.into_iter();
    let mut base = Some(chars.into_iter().collect::<String>());
    let only_marks = glyphs.iter().all(|(_, advances)| !advances);
    glyphs
        .iter()
        .map(|(_, advances)| {
            let own = if *advances || only_marks {
                base.take()
            } else {
                None
            };
            (
                own.or_else(|| of_marks.next().map(String::from))
                    .unwrap_or_default(),
                None,
            )
        })
        .collect()
}

/// A picture in the structure tree.
struct Figure {
    alt: String,
    bounds: [f32; 4],
}

/// One marked piece of content, in the order it was drawn: its number is its place.
struct Marked {
    tag: &'static str,
    own: bool,
    /// The text in reading order, where the glyphs stand in another.
    said: Option<String>,
    figure: Option<Figure>,
}

/// Drawing operators of the page.
struct Ink {
    ops: Vec<Op>,
    marked: Vec<Marked>,
}

impl Ink {
    fn begin(
        &mut self,
        tag: &'static str,
        own: bool,
        said: Option<String>,
        figure: Option<Figure>,
    ) {
        let number = DictItem::Int(self.marked.len() as i64);
        self.ops.push(Op::BeginMarkedContentWithProperties {
            tag: tag.into(),
            properties: DictItem::Dict {
                map: BTreeMap::from([("MCID".into(), number)]),
            },
        });
        self.marked.push(Marked {
            tag,
            own,
            said,
            figure,
        });
    }

    fn actual_text(&mut self, text: &str) {
        let data = utf16(text);
        self.ops.push(Op::BeginMarkedContentWithProperties {
            tag: "Span".into(),
            properties: DictItem::Dict {
                map: BTreeMap::from([(
                    "ActualText".into(),
                    DictItem::String {
                        data,
                        literal: false,
                    },
                )]),
            },
        });
    }

    fn end(&mut self) {
        self.ops.push(Op::EndMarkedContent);
    }

    /// One stretch of glyphs of one font. Each stretch on one baseline is a single show operation,
    /// with a correction only where a glyph stands elsewhere than the one before leaves the pen.
    fn glyphs(
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
            rounded(a.y) == rounded(b.y)
                && !(one_by_one && (a.missing.is_some() || b.missing.is_some()))
        });
        for stretch in stretches {
            let Some(first) = stretch.first() else {
                continue;
            };
            let alone = if one_by_one {
                first.missing.as_deref()
            } else {
                None
            };
            if let Some(text) = alone {
                self.actual_text(text);
            }
            let (x, y) = (rounded(first.x), rounded(first.y));
            self.ops.push(Op::StartTextSection);
            self.ops.push(Op::SetFont {
                font: PdfFontHandle::External(font_id(place)),
                size: Pt(size),
            });
            self.ops.push(Op::SetTextMatrix {
                matrix: TextMatrix::Translate(Pt(x), Pt(y)),
            });
            let mut shown = Vec::with_capacity(stretch.len());
            let mut pen = x;
            for (index, glyph) in stretch.iter().enumerate() {
                let text = cut
                    .given
                    .get(&(place, glyph.gid))
                    .cloned()
                    .unwrap_or_else(|| glyph.text.clone());
                // The width the viewer will use: whole thousandths of an em, cut off.
                let width =
                    (f32::from(font.get_glyph_width(glyph.gid).unwrap_or(0)) * per_em).trunc();
                pen += width * size / 1000.0;
                let next = stretch.get(index + 1).map_or(pen, |next| next.x);
                let back = ((pen - next) * 1000.0 / size).round();
                pen -= back * size / 1000.0;
                shown.push(Codepoint::with_cid(glyph.gid, back, text));
            }
            self.ops.push(Op::ShowText {
                items: vec![TextItem::GlyphIds(shown)],
            });
            self.ops.push(Op::EndTextSection);
            if alone.is_some() {
                self.end();
            }
        }
    }

    fn shape(&mut self, shape: &Shape) {
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
        self.raw(
            if matches!(shape.paint, Paint::Fill { .. }) {
                "f"
            } else {
                "S"
            },
            &[],
        );
        self.raw("Q", &[]);
    }

    /// In units of one module, from the top left corner inside the quiet zone: whole numbers only,
    /// so neighbouring squares share their edges exactly.
    fn code(&mut self, code: &Code, x: f32, y: f32, module: f32) {
        let quiet = QUIET as f32 * module;
        self.raw("q", &[]);
        self.raw("g", &[0.0]);
        let exact = [module, 0.0, 0.0, -module, x + quiet, PAGE.1 - y - quiet];
        let value = exact.iter().map(|number| DictItem::Real(*number)).collect();
        self.ops.push(Op::Unknown {
            key: "cm".into(),
            value,
        });
        for (column, row, length) in &code.dark {
            let value = [*column, *row, *length, 1]
                .iter()
                .map(|number| DictItem::Int(*number as i64))
                .collect();
            self.ops.push(Op::Unknown {
                key: "re".into(),
                value,
            });
        }
        self.raw("f", &[]);
        self.raw("Q", &[]);
    }

    fn raw(&mut self, key: &str, numbers: &[f32]) {
        let value = numbers
            .iter()
            .map(|number| DictItem::Real(rounded(*number)))
            .collect();
        self.ops.push(Op::Unknown {
            key: key.into(),
            value,
        });
    }
}

/// Hundredths of a point are finer than any printer, and keep the file small.
fn rounded(number: f32) -> f32 {
    (number * 100.0).round() / 100.0
}

fn bounds(code: &Code, x: f32, y: f32, module: f32) -> [f32; 4] {
    let side = (code.side + 2 * QUIET) as f32 * module;
    [x, PAGE.1 - y - side, x + side, PAGE.1 - y]
}

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect()
}

fn words_of(text: &str) -> Object {
    Object::String(utf16(text), StringFormat::Hexadecimal)
}

fn name(name: &str) -> Object {
    Object::Name(name.as_bytes().to_vec())
}

/// What printpdf does not write: the structure tree, languages, our own ids and dates; and what it
/// writes for print shops is taken out.
fn finish(
    pdf: &mut lopdf::Document,
    marked: Vec<Marked>,
    letter: &Letter,
    words: &Words,
) -> Result<(), LetterFailure> {
    pdf.version = "1.7".into();
    let page = pdf
        .get_pages()
        .values()
        .next()
        .copied()
        .ok_or(lopdf::Error::PageNumberNotFound(1))?;
    let tree = structure(pdf, page, marked, letter);
    let metadata = metadata(pdf, words);
    let date = letter.issued_at.strftime("D:%Y%m%d%H%M%S").to_string();
    let info = pdf.add_object(Dictionary::from_iter([
        ("Title", words_of(&words.title.fr)),
        ("Producer", Object::string_literal("Jalon")),
        ("CreationDate", Object::string_literal(date.clone())),
        ("ModDate", Object::string_literal(date)),
    ]));
    pdf.get_object_mut(page)?
        .as_dict_mut()?
        .set("StructParents", 0);
    let catalog = pdf.catalog_mut()?;
    catalog.remove(b"OutputIntents");
    catalog.set("Lang", Object::string_literal("fr-FR"));
    catalog.set("StructTreeRoot", tree);
    catalog.set("Metadata", metadata);
    catalog.set(
        "MarkInfo",
        Dictionary::from_iter([("Marked", Object::Boolean(true))]),
    );
    catalog.set(
        "ViewerPreferences",
        Dictionary::from_iter([("DisplayDocTitle", Object::Boolean(true))]),
    );
    let id = Sha256::new()
        .chain_update(&letter.door)
        .chain_update(&letter.rebuild)
        .chain_update(&letter.code)
        .chain_update(letter.issued_at.to_string())
        .finalize();
    let id = Object::String(
        id.iter().take(16).copied().collect(),
        StringFormat::Hexadecimal,
    );
    pdf.trailer.set("ID", vec![id.clone(), id]);
    pdf.trailer.set("Info", info);
    pdf.prune_objects();
    pdf.compress();
    Ok(())
}

/// Document, then French and the data in reading order, then one section in the person's language.
fn structure(
    pdf: &mut lopdf::Document,
    page: lopdf::ObjectId,
    marked: Vec<Marked>,
    letter: &Letter,
) -> Object {
    let (root, document, section) = (
        pdf.new_object_id(),
        pdf.new_object_id(),
        pdf.new_object_id(),
    );
    let (mut french, mut own, mut parents) = (Vec::new(), Vec::new(), Vec::new());
    for (number, piece) in marked.into_iter().enumerate() {
        let parent = if piece.own { section } else { document };
        let mut element = Dictionary::from_iter([
            ("Type", name("StructElem")),
            ("S", name(piece.tag)),
            ("P", Object::Reference(parent)),
            ("Pg", Object::Reference(page)),
            ("K", Object::Integer(number as i64)),
        ]);
        if let Some(said) = piece.said {
            element.set("ActualText", words_of(&said));
        }
        if let Some(figure) = piece.figure {
            element.set("Alt", words_of(&figure.alt));
            let bounds: Vec<Object> = figure
                .bounds
                .iter()
                .map(|edge| Object::Real(rounded(*edge)))
                .collect();
            element.set(
                "A",
                Dictionary::from_iter([
                    ("O", name("Layout")),
                    ("Placement", name("Block")),
                    ("BBox", Object::Array(bounds)),
                ]),
            );
        }
        let element = Object::Reference(pdf.add_object(element));
        if piece.own {
            own.push(element.clone())
        } else {
            french.push(element.clone())
        }
        parents.push(element);
    }
    if !own.is_empty() {
        pdf.set_object(
            section,
            Dictionary::from_iter([
                ("Type", name("StructElem")),
                ("S", name("Sect")),
                ("P", Object::Reference(document)),
                ("Lang", Object::string_literal(letter.lang.code())),
                ("K", Object::Array(own)),
            ]),
        );
        french.push(Object::Reference(section));
    }
    pdf.set_object(
        document,
        Dictionary::from_iter([
            ("Type", name("StructElem")),
            ("S", name("Document")),
            ("P", Object::Reference(root)),
            ("Lang", Object::string_literal("fr-FR")),
            ("K", Object::Array(french)),
        ]),
    );
    let numbers = Dictionary::from_iter([(
        "Nums",
        Object::Array(vec![Object::Integer(0), Object::Array(parents)]),
    )]);
    pdf.set_object(
        root,
        Dictionary::from_iter([
            ("Type", name("StructTreeRoot")),
            ("K", Object::Reference(document)),
            ("ParentTreeNextKey", Object::Integer(1)),
            ("ParentTree", Object::Dictionary(numbers)),
        ]),
    );
    Object::Reference(root)
}

/// The title and language again, as XMP: what newer readers look at.
fn metadata(pdf: &mut lopdf::Document, words: &Words) -> Object {
    let title = words.title.fr.replace('&', "&amp;").replace('<', "&lt;");
    let xmp = format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\
         <dc:language><rdf:Bag><rdf:li>fr-FR</rdf:li></rdf:Bag></dc:language>\
         </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>"
    );
    let dictionary = Dictionary::from_iter([("Type", name("Metadata")), ("Subtype", name("XML"))]);
    // Left uncompressed: search tools read it without a PDF parser.
    let stream = lopdf::Stream::new(dictionary, xmp.into_bytes()).with_compression(false);
    Object::Reference(pdf.add_object(stream))
}
