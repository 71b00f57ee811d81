//! How quantities differ from those of the base: one panel for each side, one bar for each quantity, as a share of the base's value.

use crate::report::compare::News;
use crate::report::human;
use crate::report::stored::{Comparison, Quantity, Side};
use crate::report::style::clean;

use super::axis::Axis;
use super::canvas::{Anchor, Canvas};
use super::colour::{AXIS, Colour, GREEN, GRID, QUIET, VERMILION};
use super::font;
use super::sheet::{HEAD, LABEL, MARGIN, RIGHT, SMALL, page};

/// More rows than this are no picture.
const MOST: usize = 60;
const ROW: i32 = 44;
const GAP: i32 = 120;
/// Where names end and bars begin.
const MIDDLE: i32 = 760;
/// Differences beyond this share of the base's value are drawn at the edge; the number beside them says how far they go.
const FARTHEST: f64 = 1.0;
/// Where bars end and numbers begin.
const END: i32 = RIGHT - 150;

const BETTER: Colour = GREEN;
const WORSE: Colour = VERMILION;

/// A quantity, and how it differs: least, most likely and most, as shares of the base's value.
struct Row {
    name: String,
    low: f64,
    value: f64,
    high: f64,
    /// The difference in percent, drawn or not.
    percent: String,
    news: News,
}

pub(super) fn plot(comparison: &Comparison) -> Option<Canvas> {
    let mut room = MOST;
    let mut panels: Vec<(&Side, Vec<Row>)> = Vec::new();
    for side in &comparison.sides[1..] {
        let mut rows = rows(comparison, side);
        rows.truncate(room);
        room -= rows.len();
        if !rows.is_empty() {
            panels.push((side, rows));
        }
    }
    if panels.is_empty() {
        return None;
    }
    let ends = || panels.iter().flat_map(|(_, rows)| rows).flat_map(|row| [row.low, row.high]);
    let (low, high) = (ends().fold(0.0, f64::min), ends().fold(0.0, f64::max));
    let air = (high - low).max(1e-3) * 0.05;
    let axis = |places| Axis::between(low - air, high + air, places, 8);
    let legend = [("better".to_owned(), BETTER), ("worse".to_owned(), WORSE), ("no difference seen".to_owned(), QUIET)];
    let lines: i32 = panels.iter().map(|(_, rows)| rows.len() as i32 * ROW + GAP).sum();
    let base = comparison.sides.first().map_or("", |side| &side.name);
    let played = format!("{} · bars: 95 % intervals", comparison.played());
    let title = format!("What differs from {}", clean(base, 60));
    let mut canvas = page(comparison.origin.names(), &played, HEAD + lines + 20, &title, &legend);
    let mut top = HEAD + 50;
    for (side, rows) in &panels {
        let bottom = top + rows.len() as i32 * ROW;
        let axis = axis((MIDDLE, END));
        canvas.text(
            (MARGIN, top - 24),
            &font::fit(&clean(&side.name, 80), LABEL.size, RIGHT - MARGIN),
            LABEL,
            Anchor::Start,
        );
        for &tick in &axis.ticks {
            let x = axis.place(tick);
            let colour = if tick.abs() < 1e-9 { AXIS } else { GRID };
            canvas.line(vec![(x, top), (x, bottom)], colour, if tick.abs() < 1e-9 { 3 } else { 2 });
            canvas.text((x, bottom + 30), &percent(tick), SMALL, Anchor::Middle);
        }
        for (index, row) in rows.iter().enumerate() {
            let y = top + index as i32 * ROW + ROW / 2;
            let colour = match row.news {
                News::Good => BETTER,
                News::Bad => WORSE,
                News::Neither => QUIET,
            };
            let name = font::fit(&row.name, SMALL.size, MIDDLE - MARGIN - 60);
            canvas.text((MIDDLE - 30, y), &name, SMALL, Anchor::End);
            canvas.line(vec![(axis.place(row.low), y), (axis.place(row.high), y)], colour, 6);
            let x = axis.place(row.value);
            canvas.block((x - 8, y - 8), (x + 8, y + 8), colour);
            canvas.text((RIGHT, y), &row.percent, SMALL, Anchor::End);
        }
        top = bottom + GAP;
    }
    Some(canvas)
}

/// `+12%`; of less than a hundredth of a percent, `0%`.
fn percent(share: f64) -> String {
    // A hundredth of a percent is nothing to the eye.
    let share = if share.abs() < 5e-5 { 0.0 } else { share };
    let sign = if share > 0.0 { "+" } else { "" };
    format!("{sign}{}%", human::number(share * 100.0))
}

/// The quantities of a side that have a difference and a base to take it of.
fn rows(comparison: &Comparison, side: &Side) -> Vec<Row> {
    let base = &comparison.sides[0].quantities;
    let row = |(name, own): &(String, Quantity)| {
        let difference = own.difference?;
        let (_, of_base) = base.iter().find(|(known, _)| known == name)?;
        let whole = of_base.measured.finite().filter(|value| value.abs() > 0.0)?.abs();
        let share = |value: f64| (value / whole).clamp(-FARTHEST, FARTHEST);
        let half = own.half_width.unwrap_or(0.0);
        Some(Row {
            name: clean(name, 60),
            low: share(difference - half),
            value: share(difference),
            high: share(difference + half),
            percent: percent(difference / whole),
            news: own.news(),
        })
    };
    side.quantities.iter().filter_map(row).collect()
}
