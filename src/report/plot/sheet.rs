//! What all plots share: title, origin, legend, panels with their axes.

use crate::report::runs;
use crate::report::stored::Summary;
use crate::report::style::clean;

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Type};
use super::colour::{AXIS, BLACK, Colour, GRID, QUIET};
use super::font;

pub(super) const WIDTH: i32 = 1_920;
pub(super) const MARGIN: i32 = 48;
const TITLE: Type = Type { size: 36, colour: BLACK };
pub(super) const LABEL: Type = Type { size: 24, colour: BLACK };
pub(super) const SMALL: Type = Type { size: 21, colour: QUIET };
/// Where panels begin and end.
pub(super) const LEFT: i32 = 150;
pub(super) const RIGHT: i32 = WIDTH - 60;
/// Where the legend stands.
const LEGEND: i32 = 148;
/// The height of a line of it.
const LINE: i32 = 40;
/// What stands above the first panel, where the legend is one line.
pub(super) const HEAD: i32 = 200;

/// A sheet with its head: what is seen, where it is from, what the colours mean.
pub(super) fn sheet(
    summary: &Summary,
    height: i32,
    title: &str,
    legend: &[(String, Colour)],
    (left_out, noun): (usize, &str),
) -> Canvas {
    let (version, digest) = (clean(&summary.version, 16), clean(&summary.digest, 16));
    let played =
        format!("seed {} · {} · rehearsal {version} · digest {digest}", summary.seed, runs(summary.runs_played));
    let more = if left_out > 0 { format!(" · {left_out} more {noun} not shown") } else { String::new() };
    page((&summary.title, summary.variant.as_deref()), &format!("{played}{more}"), height, title, legend)
}

/// A sheet with its head, for what was `played` of the scenario with this title and variant. Where the legend takes several lines, the
/// sheet is so much higher, and everything below stands lower.
pub(super) fn page(
    (scenario, variant): (&str, Option<&str>),
    played: &str,
    height: i32,
    title: &str,
    legend: &[(String, Colour)],
) -> Canvas {
    let (entries, lines) = arranged(legend);
    let further = (lines - 1) * LINE;
    let mut canvas = Canvas::new(WIDTH, height + further);
    canvas.text((MARGIN, 50), &font::fit(title, TITLE.size, WIDTH - 2 * MARGIN), TITLE, Anchor::Start);
    origin(&mut canvas, scenario, variant, played);
    for Entry { at: (x, y), name, colour } in entries {
        canvas.block((x, y - 6), (x + 34, y + 6), colour);
        canvas.text((x + 46, y), &name, LABEL, Anchor::Start);
    }
    canvas.lower(further);
    canvas
}

/// A colour of a legend, and what it means.
#[derive(Debug)]
struct Entry {
    at: (i32, i32),
    name: String,
    colour: Colour,
}

/// The entries of a legend at their places, one after the other and line by line; and how many lines there are.
fn arranged(legend: &[(String, Colour)]) -> (Vec<Entry>, i32) {
    let (mut x, mut y) = (MARGIN, LEGEND);
    let entries = legend.iter().map(|(name, colour)| {
        let name = font::fit(name, LABEL.size, (WIDTH - 2 * MARGIN - 46) * 10 / 11);
        // A reader's letters may be wider than ours.
        let length = 46 + font::length(&name, LABEL.size) * 11 / 10;
        if x > MARGIN && x + length > WIDTH - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        let at = (x, y);
        x += length + 36;
        Entry { at, name, colour: *colour }
    });
    let entries = entries.collect();
    (entries, (y - LEGEND) / LINE + 1)
}

/// The line that says which scenario, seed, version and digest this is. The scenario's name gives way to the rest.
fn origin(canvas: &mut Canvas, title: &str, variant: Option<&str>, played: &str) {
    let variant = variant.map(|variant| format!(" · variant {}", clean(variant, 32))).unwrap_or_default();
    let facts = format!("{variant} · {played}");
    let room = canvas.width() - 2 * MARGIN;
    let title = clean(title, 200);
    let title = if title.is_empty() { "untitled" } else { &title };
    let title = font::fit(title, SMALL.size, room * 10 / 11 - font::length(&facts, SMALL.size));
    canvas.text((MARGIN, 100), &format!("{title}{facts}"), SMALL, Anchor::Start);
}

/// A rectangle of data between axes.
pub(super) struct Panel {
    pub top: i32,
    pub bottom: i32,
    pub x: Axis,
    pub y: Axis,
}

impl Panel {
    /// Grid, marks and their labels; `heading` stands above to the left, before the unit of the vertical axis.
    pub fn frame(
        &self,
        canvas: &mut Canvas,
        heading: &str,
        label_x: impl Fn(f64) -> String,
        label_y: impl Fn(f64) -> String,
    ) {
        for &tick in &self.y.ticks {
            let y = self.y.place(tick);
            canvas.line(vec![(LEFT, y), (RIGHT, y)], GRID, 2);
            canvas.text((LEFT - 16, y), &label_y(tick), SMALL, Anchor::End);
        }
        let mut free = i32::MIN;
        for &tick in &self.x.ticks {
            let (x, label) = (self.x.place(tick), label_x(tick));
            canvas.line(vec![(x, self.top), (x, self.bottom)], GRID, 2);
            canvas.line(vec![(x, self.bottom), (x, self.bottom + 10)], AXIS, 2);
            let half = font::length(&label, SMALL.size) * 11 / 20;
            if x - half > free {
                canvas.text((x, self.bottom + 32), &label, SMALL, Anchor::Middle);
                free = x + half + 16;
            }
        }
        canvas.line(vec![(LEFT, self.bottom), (RIGHT, self.bottom)], AXIS, 2);
        let heading = font::fit(heading, LABEL.size, (RIGHT - MARGIN) * 10 / 11);
        canvas.text((MARGIN, self.top - 32), &heading, LABEL, Anchor::Start);
    }

    /// What the horizontal axis counts, below it.
    pub fn below(&self, canvas: &mut Canvas, text: &str) {
        canvas.text(((LEFT + RIGHT) / 2, self.bottom + 72), text, SMALL, Anchor::Middle);
    }

    /// A line through values; where one is missing, it is interrupted.
    pub fn line(
        &self,
        canvas: &mut Canvas,
        values: impl Iterator<Item = (f64, Option<f64>)>,
        colour: Colour,
        width: u32,
    ) {
        let mut points = Vec::new();
        for (x, y) in values {
            match y {
                Some(y) => points.push((self.x.place(x), self.y.place(y))),
                None => self.stroke(canvas, std::mem::take(&mut points), colour, width),
            }
        }
        self.stroke(canvas, points, colour, width);
    }

    /// A value between two that are missing is a dot.
    fn stroke(&self, canvas: &mut Canvas, points: Vec<(i32, i32)>, colour: Colour, width: u32) {
        if let [(x, y)] = points[..] {
            let half = width as i32;
            canvas.block((x - half, y - half), (x + half, y + half), colour);
        } else {
            canvas.line(points, colour, width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_that_does_not_fit_goes_on_in_the_next_line() {
        let legend: Vec<_> =
            (0..9).map(|number| (format!("workers {number}, timeout 250ms, retries on"), BLACK)).collect();
        let (entries, lines) = arranged(&legend);
        assert_eq!((lines, arranged(&legend[..2]).1, arranged(&[]).1), (3, 1, 1));
        for Entry { at: (x, _), name, .. } in &entries {
            assert!(x + 46 + font::length(name, LABEL.size) < WIDTH - MARGIN && !name.ends_with('…'), "{name}");
        }
        let long = arranged(&[("a".to_owned(), BLACK), ("x".repeat(1_000), BLACK)]);
        assert!(long.0[1].name.ends_with('…') && long.1 == 2, "{long:?}");
    }
}
