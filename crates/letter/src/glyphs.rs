//! Glyphs of a page: the fonts cut down to what it uses, and the text each glyph stands for, so that
//! what is copied or read out is what was written. It draws nothing itself.

use std::collections::BTreeMap;

use parley::PositionedLayoutItem;
use printpdf::{FontId, ParsedFont};

use crate::LetterFailure;
use crate::ink::Ink;
use crate::layout::{Item, PAGE, Page};
use crate::text::Shaped;

/// The fonts of one page, each cut down to the glyphs it uses.
pub(crate) struct CutFonts {
    /// Blob id of the font -> its place.
    index: BTreeMap<u64, usize>,
    cut: Vec<(subsetter::GlyphRemapper, parley::FontData)>,
    pub(crate) parsed: Vec<(FontId, ParsedFont)>,
    /// The text each glyph gives when copied: one string a glyph, so the first use decides.
    pub(crate) given: BTreeMap<(usize, u16), String>,
}

impl CutFonts {
    pub(crate) fn of(page: &Page) -> Result<CutFonts, LetterFailure> {
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
        Ok(CutFonts { index, cut, parsed, given: BTreeMap::new() })
    }
}

/// Names of our own: printpdf's are random.
pub(crate) fn font_id(place: usize) -> FontId {
    FontId(format!("J{place}"))
}

/// A glyph ready to be shown: its id in the cut font, where, and the text it stands for.
pub(crate) struct Placed {
    pub gid: u16,
    pub x: f32,
    pub y: f32,
    pub text: String,
    /// The cluster's own text when the font has no shape for it.
    pub missing: Option<String>,
}

pub(crate) fn paragraph(ink: &mut Ink, cut: &mut CutFonts, shaped: &Shaped, x: f32, y: f32) {
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
        let exact = runs.iter().all(|(place, _, placed)| placed.iter().all(|glyph| cut.gives(*place, glyph)));
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
        let given = self.given.entry((place, glyph.gid)).or_insert_with(|| glyph.text.clone());
        glyph.missing.is_none() && !glyph.text.is_empty() && *given == glyph.text
    }
}

/// The text of each glyph of `run`, in visual order, and whether its shape is missing.
fn texts(run: &parley::Run<'_, ()>, source: &str) -> Vec<(String, Option<String>)> {
    // Logical order first: the parts of a ligature after its start have no glyph of their own.
    let mut clusters: Vec<(Vec<(u16, bool)>, String)> = Vec::new();
    for cluster in run.clusters() {
        let text = source.get(cluster.text_range()).unwrap_or_default();
        let glyphs: Vec<(u16, bool)> = cluster.glyphs().map(|g| (g.id as u16, g.advance > 0.0)).collect();
        match clusters.last_mut() {
            Some((_, before)) if glyphs.is_empty() => before.push_str(text),
            _ => clusters.push((glyphs, text.to_owned())),
        }
    }
    if run.is_rtl() {
        clusters.reverse();
    }
    clusters.into_iter().flat_map(|(glyphs, text)| cluster_texts(&glyphs, text, run.is_rtl())).collect()
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
    let marks = glyphs.iter().filter(|(_, advances)| !advances).count().min(chars.len().saturating_sub(1));
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
            let own = if *advances || only_marks { base.take() } else { None };
            (own.or_else(|| of_marks.next().map(String::from)).unwrap_or_default(), None)
        })
        .collect()
}
