//! Shapes one paragraph with the bundled fonts. It changes no character of what it is given, but
//! for those that have no shape or would turn the reading order around.

use parley::{
    Alignment, AlignmentOptions, FontFamily, FontWeight, Layout, LineHeight, OverflowWrap, StyleProperty,
};

use crate::fonts::{FAMILIES, Fonts};

/// How a paragraph looks. Sizes in points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub size: f32,
    pub bold: bool,
    pub side: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Centre,
    Right,
}

/// A shaped paragraph.
pub(crate) struct Shaped {
    pub source: String,
    pub layout: Layout<()>,
}

impl Shaped {
    pub fn height(&self) -> f32 {
        self.layout.height()
    }
}

/// Breaks `source` into lines of at most `width` points; a word longer than a line is broken too,
/// so nothing is ever cut off.
pub(crate) fn shape(fonts: &mut Fonts, source: &str, width: f32, look: Look) -> Shaped {
    let source = printable(source);
    let mut builder = fonts.layouts.ranged_builder(&mut fonts.fonts, &source, 1.0, false);
    builder.push_default(FontFamily::from(FAMILIES));
    builder.push_default(StyleProperty::FontSize(look.size));
    builder.push_default(StyleProperty::LineHeight(LineHeight::FontSizeRelative(1.32)));
    builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Anywhere));
    if look.bold {
        builder.push_default(StyleProperty::FontWeight(FontWeight::BOLD));
    }
    let mut layout: Layout<()> = builder.build(&source);
    layout.break_all_lines(Some(width));
    let alignment = match look.side {
        Side::Left => Alignment::Left,
        Side::Centre => Alignment::Center,
        Side::Right => Alignment::Right,
    };
    layout.align(alignment, AlignmentOptions::default());
    Shaped { source, layout }
}

/// Control characters and direction overrides have no shape of their own: they show as a mark.
fn printable(source: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    source.chars().map(|c| if hidden(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
