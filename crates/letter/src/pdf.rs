//! Turns a laid-out page into the bytes of a tagged PDF 1.7: fonts cut down once, text that can be
//! read out and copied, a structure tree with its languages. Title and metadata hold no person's
//! name; ids and dates come from the letter, so equal letters give equal bytes.

use lopdf::{Dictionary, Object, SaveOptions, StringFormat};
use printpdf::{Mm, Op, PdfDocument, PdfFont, PdfPage, PdfSaveOptions};
use sha2::{Digest, Sha256};

use crate::LetterFailure;
use crate::glyphs::{CutFonts, paragraph};
use crate::ink::{Figure, Ink, Marked, bounds, rounded, utf16};
use crate::layout::{Item, Page, Role, Which};
use crate::say::Said;
use jiff::civil::DateTime;
use l10n::Lang;

/// What is written beside the page itself.
pub(crate) struct About<'a> {
    pub lang: Lang,
    pub title: &'a Said,
    pub issued_at: DateTime,
    /// What makes this document another than any.
    pub parts: [&'a [u8]; 3],
    /// What the two codes are, for who cannot see them.
    pub alt: [&'a str; 2],
}

/// Writes the page. The only failures are a bug here or in a font: never the person's data.
pub(crate) fn write(page: &Page, about: &About<'_>) -> Result<Vec<u8>, LetterFailure> {
    let mut cut = CutFonts::of(page)?;
    let mut ink = Ink { ops: Vec::new(), marked: Vec::new() };
    for item in &page.items {
        match item {
            Item::Text { shaped, x, y, role, own } => {
                let tag = if *role == Role::Title { "H1" } else { "P" };
                let said = shaped.layout.is_rtl().then(|| shaped.source.clone());
                ink.begin(tag, *own, said, None);
                paragraph(&mut ink, &mut cut, shaped, *x, *y);
                ink.end();
            }
            Item::Drawing(shapes) => {
                ink.ops.push(Op::BeginMarkedContent { tag: "Artifact".into() });
                shapes.iter().for_each(|shape| ink.shape(shape));
                ink.end();
            }
            Item::Code { code, x, y, module, which } => {
                let [door, rebuild] = about.alt;
                let said = if *which == Which::Door { door } else { rebuild };
                ink.begin(
                    "Figure",
                    false,
                    None,
                    Some(Figure { alt: said.to_owned(), bounds: bounds(code, *x, *y, *module) }),
                );
                ink.code(code, *x, *y, *module);
                ink.end();
            }
        }
    }
    let mut document = PdfDocument::new(&about.title.fr);
    for (id, font) in cut.parsed {
        document.resources.fonts.map.insert(id, PdfFont::new(font));
    }
    document.with_pages(vec![PdfPage::new(Mm(210.0), Mm(297.0), ink.ops)]);
    // Raw drawing operators are ours: `secure` would drop them.
    let options =
        PdfSaveOptions { optimize: true, subset_fonts: false, secure: false, image_optimization: None };
    let mut pdf = document.to_lopdf_document(&options, &mut Vec::new());
    finish(&mut pdf, ink.marked, about)?;
    let mut bytes = Vec::with_capacity(60_000);
    let packed = SaveOptions { use_object_streams: true, use_xref_streams: true, ..SaveOptions::default() };
    pdf.save_with_options(&mut bytes, packed)?;
    Ok(bytes)
}

fn words_of(text: &str) -> Object {
    Object::String(utf16(text), StringFormat::Hexadecimal)
}

fn name(name: &str) -> Object {
    Object::Name(name.as_bytes().to_vec())
}

/// What printpdf does not write: the structure tree, languages, our own ids and dates; and what it
/// writes for print shops is taken out.
fn finish(pdf: &mut lopdf::Document, marked: Vec<Marked>, about: &About<'_>) -> Result<(), LetterFailure> {
    pdf.version = "1.7".into();
    let page = pdf.get_pages().values().next().copied().ok_or(lopdf::Error::PageNumberNotFound(1))?;
    let tree = structure(pdf, page, marked, about);
    let metadata = metadata(pdf, about.title);
    let date = about.issued_at.strftime("D:%Y%m%d%H%M%S").to_string();
    let info = pdf.add_object(Dictionary::from_iter([
        ("Title", words_of(&about.title.fr)),
        ("Producer", Object::string_literal("Jalon")),
        ("CreationDate", Object::string_literal(date.clone())),
        ("ModDate", Object::string_literal(date)),
    ]));
    pdf.get_object_mut(page)?.as_dict_mut()?.set("StructParents", 0);
    let catalog = pdf.catalog_mut()?;
    catalog.remove(b"OutputIntents");
    catalog.set("Lang", Object::string_literal("fr-FR"));
    catalog.set("StructTreeRoot", tree);
    catalog.set("Metadata", metadata);
    catalog.set("MarkInfo", Dictionary::from_iter([("Marked", Object::Boolean(true))]));
    catalog.set("ViewerPreferences", Dictionary::from_iter([("DisplayDocTitle", Object::Boolean(true))]));
    let id =
        Sha256::new().chain_update(about.parts.concat()).chain_update(about.issued_at.to_string()).finalize();
    let id = Object::String(id.iter().take(16).copied().collect(), StringFormat::Hexadecimal);
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
    about: &About<'_>,
) -> Object {
    let (root, document, section) = (pdf.new_object_id(), pdf.new_object_id(), pdf.new_object_id());
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
            let bounds: Vec<Object> = figure.bounds.iter().map(|edge| Object::Real(rounded(*edge))).collect();
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
                ("Lang", Object::string_literal(about.lang.code())),
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
    let numbers =
        Dictionary::from_iter([("Nums", Object::Array(vec![Object::Integer(0), Object::Array(parents)]))]);
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
fn metadata(pdf: &mut lopdf::Document, title: &Said) -> Object {
    let title = title.fr.replace('&', "&amp;").replace('<', "&lt;");
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
