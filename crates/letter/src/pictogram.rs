//! Simple vector pictures for people who read little: drawn on a grid of 24 units, as outlines
//! that survive a bad printer. They repeat what a sentence beside them says, never more.

use crate::say::Picture;

/// An outline or a filled shape. Points from the page's top left corner.
pub(crate) struct Shape {
    pub path: Vec<Segment>,
    pub paint: Paint,
}

pub(crate) enum Segment {
    Move(f32, f32),
    Line(f32, f32),
    Curve([f32; 6]),
    Close,
}

/// Greys from 0 (black) to 1 (white); widths in points.
pub(crate) enum Paint {
    Stroke { width: f32, grey: f32 },
    Fill { grey: f32 },
}

/// What stands beside the date and the place.
#[derive(Clone, Copy)]
pub(crate) enum Symbol {
    Calendar,
    Clock,
    Place,
    Advice(Picture),
}

/// Draws `symbol` in a square of `size` points whose top left corner is (`x`, `y`).
pub(crate) fn draw(symbol: Symbol, x: f32, y: f32, size: f32) -> Vec<Shape> {
    let mut pen = Pen { x, y, unit: size / 24.0, shapes: Vec::new() };
    match symbol {
        Symbol::Calendar => calendar(&mut pen),
        Symbol::Clock => clock(&mut pen, 12.0, 12.0, 9.5),
        Symbol::Place => place(&mut pen),
        Symbol::Advice(Picture::Paper) => paper(&mut pen),
        Symbol::Advice(Picture::Documents) => documents(&mut pen),
        Symbol::Advice(Picture::NotForSale) => not_for_sale(&mut pen),
        Symbol::Advice(Picture::Earlier) => earlier(&mut pen),
        Symbol::Advice(Picture::Follow) => follow(&mut pen),
    }
    pen.shapes
}

/// A rectangle of the page, filled or outlined.
pub(crate) fn rectangle(x: f32, y: f32, width: f32, height: f32, paint: Paint) -> Shape {
    let path = vec![
        Segment::Move(x, y),
        Segment::Line(x + width, y),
        Segment::Line(x + width, y + height),
        Segment::Line(x, y + height),
        Segment::Close,
    ];
    Shape { path, paint }
}

fn calendar(pen: &mut Pen) {
    pen.frame(3.0, 5.0, 18.0, 16.0);
    pen.line(&[(3.0, 10.0), (21.0, 10.0)]);
    pen.line(&[(8.0, 2.5), (8.0, 7.0)]);
    pen.line(&[(16.0, 2.5), (16.0, 7.0)]);
    pen.block(13.0, 14.0, 4.5, 4.0);
}

fn clock(pen: &mut Pen, cx: f32, cy: f32, radius: f32) {
    pen.circle(cx, cy, radius);
    pen.line(&[(cx, cy - radius * 0.62), (cx, cy), (cx + radius * 0.45, cy + radius * 0.28)]);
}

fn place(pen: &mut Pen) {
    pen.path(vec![
        Segment::Move(12.0, 22.0),
        Segment::Curve([8.0, 16.5, 5.0, 13.5, 5.0, 9.5]),
        Segment::Curve([5.0, 5.5, 8.0, 2.5, 12.0, 2.5]),
        Segment::Curve([16.0, 2.5, 19.0, 5.5, 19.0, 9.5]),
        Segment::Curve([19.0, 13.5, 16.0, 16.5, 12.0, 22.0]),
        Segment::Close,
    ]);
    pen.circle(12.0, 9.5, 2.6);
}

fn paper(pen: &mut Pen) {
    pen.path(vec![
        Segment::Move(5.0, 2.5),
        Segment::Line(15.0, 2.5),
        Segment::Line(19.0, 6.5),
        Segment::Line(19.0, 21.5),
        Segment::Line(5.0, 21.5),
        Segment::Close,
    ]);
    pen.line(&[(15.0, 2.5), (15.0, 6.5), (19.0, 6.5)]);
    pen.line(&[(8.0, 11.0), (16.0, 11.0)]);
    pen.line(&[(8.0, 14.5), (16.0, 14.5)]);
    pen.line(&[(8.0, 18.0), (13.0, 18.0)]);
}

fn documents(pen: &mut Pen) {
    pen.frame(2.5, 5.5, 19.0, 13.5);
    pen.circle(7.8, 10.4, 1.9);
    pen.path(vec![Segment::Move(4.8, 16.0), Segment::Curve([4.8, 12.8, 10.8, 12.8, 10.8, 16.0])]);
    pen.line(&[(13.5, 9.5), (19.0, 9.5)]);
    pen.line(&[(13.5, 12.3), (19.0, 12.3)]);
    pen.line(&[(13.5, 15.1), (17.0, 15.1)]);
}

fn not_for_sale(pen: &mut Pen) {
    pen.circle(12.0, 12.0, 9.5);
    // The euro sign, struck through.
    pen.path(vec![
        Segment::Move(16.0, 8.4),
        Segment::Curve([12.5, 5.6, 8.6, 8.0, 8.6, 12.0]),
        Segment::Curve([8.6, 16.0, 12.5, 18.4, 16.0, 15.6]),
    ]);
    pen.line(&[(6.8, 10.8), (13.5, 10.8)]);
    pen.line(&[(6.8, 13.2), (13.0, 13.2)]);
    pen.line(&[(5.3, 5.3), (18.7, 18.7)]);
}

fn earlier(pen: &mut Pen) {
    pen.frame(6.5, 4.5, 15.0, 15.0);
    pen.line(&[(6.5, 9.0), (21.5, 9.0)]);
    pen.line(&[(18.0, 14.2), (2.5, 14.2)]);
    pen.line(&[(6.0, 10.9), (2.5, 14.2), (6.0, 17.5)]);
}

fn follow(pen: &mut Pen) {
    pen.circle(10.0, 10.0, 6.8);
    pen.line(&[(15.0, 15.0), (21.5, 21.5)]);
    pen.line(&[(7.0, 10.2), (9.3, 12.4), (13.2, 7.8)]);
}

/// Places grid units on the page.
struct Pen {
    x: f32,
    y: f32,
    unit: f32,
    shapes: Vec<Shape>,
}

/// Width of every outline, in grid units.
const OUTLINE: f32 = 1.5;
/// A quarter circle as a Bézier curve: distance of its control points, per radius.
const QUARTER: f32 = 0.5523;

impl Pen {
    fn path(&mut self, path: Vec<Segment>) {
        let at = |x: f32, y: f32| (self.x + x * self.unit, self.y + y * self.unit);
        let path = path
            .into_iter()
            .map(|segment| match segment {
                Segment::Move(x, y) => {
                    let (x, y) = at(x, y);
                    Segment::Move(x, y)
                }
                Segment::Line(x, y) => {
                    let (x, y) = at(x, y);
                    Segment::Line(x, y)
                }
                Segment::Curve([a, b, c, d, e, f]) => {
                    let ((a, b), (c, d), (e, f)) = (at(a, b), at(c, d), at(e, f));
                    Segment::Curve([a, b, c, d, e, f])
                }
                Segment::Close => Segment::Close,
            })
            .collect();
        self.shapes.push(Shape { path, paint: Paint::Stroke { width: OUTLINE * self.unit, grey: 0.0 } });
    }

    fn line(&mut self, points: &[(f32, f32)]) {
        let mut segments = points.iter().map(|(x, y)| Segment::Line(*x, *y));
        if let Some(Segment::Line(x, y)) = segments.next() {
            self.path(std::iter::once(Segment::Move(x, y)).chain(segments).collect());
        }
    }

    fn frame(&mut self, x: f32, y: f32, width: f32, height: f32) {
        self.path(rectangle(x, y, width, height, Paint::Fill { grey: 0.0 }).path);
    }

    fn block(&mut self, x: f32, y: f32, width: f32, height: f32) {
        self.frame(x, y, width, height);
        if let Some(shape) = self.shapes.last_mut() {
            shape.paint = Paint::Fill { grey: 0.0 };
        }
    }

    fn circle(&mut self, cx: f32, cy: f32, r: f32) {
        let k = r * QUARTER;
        self.path(vec![
            Segment::Move(cx + r, cy),
            Segment::Curve([cx + r, cy + k, cx + k, cy + r, cx, cy + r]),
            Segment::Curve([cx - k, cy + r, cx - r, cy + k, cx - r, cy]),
            Segment::Curve([cx - r, cy - k, cx - k, cy - r, cx, cy - r]),
            Segment::Curve([cx + k, cy - r, cx + r, cy - k, cx + r, cy]),
            Segment::Close,
        ]);
    }
}
