//! Where everything stands on the page: sections laid out on their own, then stacked. When the
//! whole is too high the type gets smaller, never the codes; nothing overlaps and nothing is cut.

use crate::code::{Code, QUIET, encode};
use crate::fonts::Fonts;
use crate::pictogram::{Paint, Shape, Symbol, draw, rectangle};
use crate::say::Words;
use crate::section::{Area, Section};
use crate::text::{Look, Shaped, Side};
use crate::{Letter, LetterFailure};

/// A4 in points.
pub(crate) const PAGE: (f32, f32) = (595.276, 841.89);
/// Wide enough for the printers that cannot print near the edge.
pub(crate) const MARGIN: f32 = 34.0;
pub(crate) const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
pub(crate) const HEIGHT: f32 = PAGE.1 - 2.0 * MARGIN;
/// Room between sections: at least, and at most when there is some left.
const GAP: (f32, f32) = (7.0, 20.0);
/// Each try is this much smaller than the one before.
const SHRINK: f32 = 0.95;
/// Type smaller than this share of the normal size is not readable: better a failure.
const SMALLEST: f32 = 0.42;
const MM: f32 = 72.0 / 25.4;
/// The side a code is given with its quiet zone, and the bounds of a module (0.4 mm is the least a
/// 200 dpi scanner reads).
const CODE_SIDE: f32 = 38.5 * MM;
const MODULE: (f32, f32) = (0.4 * MM, 0.8 * MM);

/// Everything on the page, in reading order. Coordinates in points from the top left corner.
pub(crate) struct Page {
    pub items: Vec<Item>,
}

pub(crate) enum Item {
    Text { shaped: Box<Shaped>, x: f32, y: f32, role: Role, own: bool },
    Drawing(Vec<Shape>),
    Code { code: Code, x: f32, y: f32, module: f32, which: Which },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Title,
    Paragraph,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Door,
    Rebuild,
}

/// Lays the letter out at the largest size that fits.
pub(crate) fn compose(fonts: &mut Fonts, letter: &Letter, words: &Words) -> Result<Page, LetterFailure> {
    // French alone leaves room for larger type.
    let mut scale = if words.title.own.is_some() { 1.0 } else { 1.16 };
    while scale >= SMALLEST {
        let sections = [
            title(fonts, words, scale),
            person(fonts, letter, words, scale),
            date(fonts, words, scale),
            place(fonts, words, scale),
            advice(fonts, words, scale),
            foot(fonts, letter, words, scale)?,
        ];
        let filled: f32 = sections.iter().map(|section| section.y).sum();
        let gaps = (sections.len() - 1) as f32;
        let free = (HEIGHT - filled) / gaps;
        if free >= GAP.0 * scale {
            return Ok(stack(sections, free.min(GAP.1)));
        }
        scale *= SHRINK;
    }
    Err(LetterFailure::TooMuchText)
}

/// The last section stands on the foot of the page, the others hang from its head.
pub(crate) fn stack<const N: usize>(sections: [Section; N], gap: f32) -> Page {
    let mut items = Vec::new();
    let mut top = MARGIN;
    for (index, section) in sections.into_iter().enumerate() {
        let height = section.y;
        let at = if index + 1 == N { MARGIN + HEIGHT - height } else { top };
        items.extend(section.items.into_iter().map(|item| lower(item, at)));
        top += height + gap;
    }
    Page { items }
}

fn lower(item: Item, by: f32) -> Item {
    use crate::pictogram::Segment::{Close, Curve, Line, Move};
    match item {
        Item::Text { shaped, x, y, role, own } => Item::Text { shaped, x, y: y + by, role, own },
        Item::Code { code, x, y, module, which } => Item::Code { code, x, y: y + by, module, which },
        Item::Drawing(mut shapes) => {
            for segment in shapes.iter_mut().flat_map(|shape| shape.path.iter_mut()) {
                match segment {
                    Move(_, y) | Line(_, y) => *y += by,
                    Curve([_, a, _, b, _, c]) => {
                        *a += by;
                        *b += by;
                        *c += by;
                    }
                    Close => {}
                }
            }
            Item::Drawing(shapes)
        }
    }
}

fn title(fonts: &mut Fonts, words: &Words, scale: f32) -> Section {
    let mut section = Section::new(words, scale);
    let size = if words.title.own.is_some() { 14.0 } else { 17.0 };
    section.pair(fonts, &words.title, Area::PAGE, size, true, Role::Title);
    section.y += 4.0 * scale;
    section.line(1.2, 0.0);
    section
}

fn person(fonts: &mut Fonts, letter: &Letter, words: &Words, scale: f32) -> Section {
    let mut section = Section::new(words, scale);
    let area = Area::PAGE.inner(10.0);
    section.y += 6.0 * scale;
    section.pair(fonts, &words.name_label, area, 8.0, false, Role::Paragraph);
    let size = match letter.name.chars().count() {
        0..=36 => 17.0,
        37..=90 => 13.0,
        _ => 10.5,
    };
    let side = if words.title.own.is_some() { Side::Centre } else { Side::Left };
    section.y += section.text(fonts, &letter.name, area, Look { size, bold: true, side }, false);
    section.y += 2.0 * scale;
    section.table(fonts, &words.person, area, 126.0, 9.2);
    if let Some(declared) = &words.declared {
        section.y += 1.5 * scale;
        section.pair(fonts, declared, area, 9.2, true, Role::Paragraph);
    }
    section.y += 6.0 * scale;
    section.behind(rectangle(Area::PAGE.x, 0.0, Area::PAGE.width, section.y, Paint::Fill { grey: 0.94 }));
    section
}

fn date(fonts: &mut Fonts, words: &Words, scale: f32) -> Section {
    let mut section = Section::new(words, scale);
    let area = Area::PAGE.inner(10.0);
    section.y += 7.0 * scale;
    let from = section.y;
    section.beside(fonts, &words.date_label, area, 10.0, false);
    let date_from = section.y;
    section.beside(fonts, &words.date, area, 17.0, true);
    let date_to = section.y;
    if let Some(time) = &words.time {
        section.beside(fonts, time, area, 21.0, true);
    }
    let time_to = section.y;
    if let Some(zone) = &words.zone {
        section.beside(fonts, zone, area, 8.5, false);
    }
    for explained in &words.explained {
        section.y += 2.5 * scale;
        section.beside(fonts, explained, area, 10.0, false);
    }
    let size = 24.0 * scale;
    if words.time.is_some() {
        section.symbol(Symbol::Calendar, area, from.max((date_from + date_to - size) / 2.0), size);
        section.symbol(Symbol::Clock, area, (date_to + time_to - size) / 2.0 + 1.0, size);
    } else {
        section.symbol(Symbol::Calendar, area, (from + section.y - size) / 2.0, size);
    }
    section.y += 7.0 * scale;
    let frame = Paint::Stroke { width: 1.6, grey: 0.0 };
    section.behind(rectangle(Area::PAGE.x + 0.8, 0.0, Area::PAGE.width - 1.6, section.y, frame));
    section
}

fn place(fonts: &mut Fonts, words: &Words, scale: f32) -> Section {
    let mut section = Section::new(words, scale);
    let area = Area::PAGE.inner(10.0);
    let size = 18.0 * scale;
    section.table(fonts, &words.place, area, 126.0, 9.6);
    // Between the label and the address, where no text stands.
    section.items.push(Item::Drawing(draw(Symbol::Place, area.x + 96.0, 0.0, size)));
    section.y = section.y.max(size);
    section
}

fn advice(fonts: &mut Fonts, words: &Words, scale: f32) -> Section {
    let mut section = Section::new(words, scale);
    let area = Area::PAGE;
    section.line(0.6, 0.55);
    section.y += 5.0 * scale;
    let size = 19.0 * scale;
    let type_size = if words.title.own.is_some() { 9.2 } else { 10.2 };
    for (index, advice) in words.advice.iter().enumerate() {
        if index > 0 {
            section.y += 4.5 * scale;
        }
        let from = section.y;
        section.beside(fonts, &advice.said, area, type_size, false);
        let height = (section.y - from).max(size);
        section.symbol(Symbol::Advice(advice.picture), area, from + (height - size) / 2.0, size);
        section.y = from + height;
    }
    section.y += 5.0 * scale;
    section.line(0.6, 0.55);
    section
}

fn foot(fonts: &mut Fonts, letter: &Letter, words: &Words, scale: f32) -> Result<Section, LetterFailure> {
    let mut section = Section::new(words, scale);
    let mut x = Area::PAGE.x;
    let mut deepest: f32 = 0.0;
    let codes = [(&letter.door, Which::Door, &words.door), (&letter.rebuild, Which::Rebuild, &words.rebuild)];
    for (bytes, which, caption) in codes {
        let code = encode(bytes)?;
        let modules = (code.side + 2 * QUIET) as f32;
        let module = (CODE_SIDE / modules).clamp(MODULE.0, MODULE.1);
        let side = modules * module;
        section.items.push(Item::Code { code, x, y: 0.0, module, which });
        section.y = side;
        let area = Area { x, width: side };
        let look = Look { size: 8.5, bold: true, side: Side::Centre };
        section.y += section.text(fonts, &caption.fr, area, look, false);
        if let Some(own) = &caption.own {
            section.y += section.text(fonts, own, area, look, true);
        }
        deepest = deepest.max(section.y);
        x += side + 4.0;
    }
    let area = Area { x: x + 8.0, width: Area::PAGE.x + Area::PAGE.width - x - 8.0 };
    section.y = 6.0 * scale;
    section.pair(fonts, &words.code_label, area, 9.0, false, Role::Paragraph);
    let side = if words.title.own.is_some() { Side::Centre } else { Side::Left };
    let look = Look { size: 18.0, bold: true, side };
    section.y += section.text(fonts, &letter.code, area, look, false);
    section.y += 5.0 * scale;
    section.table(fonts, &words.order, area, 74.0, 8.2);
    section.y += 2.0 * scale;
    section.pair(fonts, &words.order_note, area, 7.2, false, Role::Paragraph);
    section.y = section.y.max(deepest) + 3.0 * scale;
    section.pair(fonts, &words.issued, Area::PAGE, 7.8, false, Role::Paragraph);
    Ok(section)
}
