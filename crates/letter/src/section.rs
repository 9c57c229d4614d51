//! Part of a page, laid out from its own top: paragraphs in two languages side by side, tables
//! mirrored around the middle, pictograms between them. It does not know what is below or above.

use crate::fonts::Fonts;
use crate::layout::{Item, MARGIN, Role, WIDTH};
use crate::pictogram::{Paint, Shape, Symbol, draw, rectangle};
use crate::say::{Row, Said, Value, Words};
use crate::text::{Look, Side, shape};

/// Room between the two languages: a pictogram stands in it.
const SPINE: f32 = 34.0;
/// A stretch of the page's width.
#[derive(Clone, Copy)]
pub(crate) struct Area {
    pub x: f32,
    pub width: f32,
}

impl Area {
    pub(crate) const PAGE: Area = Area { x: MARGIN, width: WIDTH };

    pub(crate) fn inner(self, padding: f32) -> Area {
        Area { x: self.x + padding, width: self.width - 2.0 * padding }
    }

    /// The French and the person's half, with `gap` between.
    fn halves(self, gap: f32) -> (Area, Area) {
        let width = (self.width - gap) / 2.0;
        (Area { x: self.x, width }, Area { x: self.x + self.width - width, width })
    }
}

/// Part of the page, laid out from its own top: `y` is how far it reaches.
pub(crate) struct Section {
    pub items: Vec<Item>,
    pub y: f32,
    pub scale: f32,
    pub own_side: Side,
}

impl Section {
    pub(crate) fn new(words: &Words, scale: f32) -> Section {
        Section::on(words.own_side, scale)
    }

    pub(crate) fn on(own_side: Side, scale: f32) -> Section {
        Section { items: Vec::new(), y: 0.0, scale, own_side }
    }

    /// One paragraph at the present height; gives its height and does not move on.
    pub(crate) fn text(&mut self, fonts: &mut Fonts, source: &str, area: Area, look: Look, own: bool) -> f32 {
        self.place(fonts, source, area, look, own, Role::Paragraph)
    }

    fn place(
        &mut self,
        fonts: &mut Fonts,
        source: &str,
        area: Area,
        look: Look,
        own: bool,
        role: Role,
    ) -> f32 {
        if source.is_empty() {
            return 0.0;
        }
        let shaped = shape(fonts, source, area.width, Look { size: look.size * self.scale, ..look });
        let height = shaped.height();
        self.items.push(Item::Text { shaped: Box::new(shaped), x: area.x, y: self.y, role, own });
        height
    }

    /// French in the left half, the person's language in the right one, from the edge it begins at.
    pub(crate) fn pair(
        &mut self,
        fonts: &mut Fonts,
        said: &Said,
        area: Area,
        size: f32,
        bold: bool,
        role: Role,
    ) {
        self.two(fonts, said, area, 12.0, Look { size, bold, side: Side::Left }, role);
    }

    /// As [`Section::pair`], with room for a pictogram between them (or before French alone).
    pub(crate) fn beside(&mut self, fonts: &mut Fonts, said: &Said, area: Area, size: f32, bold: bool) {
        let look = Look { size, bold, side: Side::Left };
        let area = match said.own {
            Some(_) => area,
            None => Area { x: area.x + SPINE, width: area.width - SPINE },
        };
        self.two(fonts, said, area, SPINE, look, Role::Paragraph);
    }

    fn two(&mut self, fonts: &mut Fonts, said: &Said, area: Area, gap: f32, look: Look, role: Role) {
        let height = match &said.own {
            None => self.place(fonts, &said.fr, area, look, false, role),
            Some(own) => {
                let (left, right) = area.halves(gap);
                let height = self.place(fonts, &said.fr, left, look, false, role);
                let look = Look { side: self.own_side, ..look };
                height.max(self.place(fonts, own, right, look, true, role))
            }
        };
        self.y += height;
    }

    /// A pictogram in the spine between the languages, or before French alone.
    pub(crate) fn symbol(&mut self, symbol: Symbol, area: Area, y: f32, size: f32) {
        let two = self.items.iter().any(|item| matches!(item, Item::Text { own: true, .. }));
        let x = if two { area.x + (area.width - size) / 2.0 } else { area.x };
        self.items.push(Item::Drawing(draw(symbol, x, y, size)));
    }

    /// Label, value, label: mirrored around the middle. French alone: label, value.
    pub(crate) fn table(&mut self, fonts: &mut Fonts, rows: &[Row], area: Area, label_width: f32, size: f32) {
        for row in rows {
            let label = Look { size, bold: false, side: Side::Left };
            let left = Area { x: area.x, width: label_width };
            let right = Area { x: area.x + area.width - label_width, width: label_width };
            let mut height = self.text(fonts, &row.label.fr, left, label, false);
            let (middle, side) = match &row.label.own {
                Some(own) => {
                    height =
                        height.max(self.text(fonts, own, right, Look { side: Side::Right, ..label }, true));
                    let width = area.width - 2.0 * label_width - 12.0;
                    (Area { x: area.x + label_width + 6.0, width }, Side::Centre)
                }
                None => {
                    let from = label_width + 6.0;
                    (Area { x: area.x + from, width: area.width - from }, Side::Left)
                }
            };
            let look = Look { size, bold: true, side };
            let top = self.y;
            match &row.value {
                Value::Data(lines) => {
                    for line in lines {
                        self.y += self.text(fonts, line, middle, look, false);
                    }
                }
                Value::Words(values) => {
                    for said in values {
                        self.y += self.text(fonts, &said.fr, middle, look, false);
                        if let Some(own) = &said.own {
                            self.y += self.text(fonts, own, middle, look, true);
                        }
                    }
                }
            }
            self.y = self.y.max(top + height) + 0.8 * self.scale;
        }
    }

    pub(crate) fn line(&mut self, width: f32, grey: f32) {
        let shape = rectangle(Area::PAGE.x, self.y, Area::PAGE.width, width, Paint::Fill { grey });
        self.items.push(Item::Drawing(vec![shape]));
        self.y += width;
    }

    pub(crate) fn behind(&mut self, shape: Shape) {
        self.items.insert(0, Item::Drawing(vec![shape]));
    }
}
