//! A map of a quantity over two factors of a sweep: a cell for each pair of values, with the number in it.

use crate::experiment::Unit;
use crate::report::stored::{Measured, Sweep};
use crate::report::style::clean;
use crate::report::sweep::plain;

use super::canvas::{Anchor, Canvas, Type};
use super::colour::{BLACK, QUIET, WHITE, is_dark, of_share};
use super::file_name;
use super::font;
use super::response::WIDE;
use super::sheet::{HEAD, LABEL, MARGIN, RIGHT, SMALL, page};

/// More cells than this in a row or a column are no map to read.
const MOST: usize = 24;
/// Where cells begin.
const EDGE: i32 = 360;

/// A map for each quantity, if there are two factors with several values, each with each.
pub(super) fn plots(sweep: &Sweep) -> Vec<(String, Canvas)> {
    let levels: Vec<Vec<&str>> = (0..sweep.factors.len()).map(|factor| labels(sweep, factor)).collect();
    let varied: Vec<usize> = (0..levels.len()).filter(|&factor| levels[factor].len() > 1).collect();
    let [rows, columns] = varied[..] else { return Vec::new() };
    let is_whole = levels[rows].len() * levels[columns].len() == sweep.points.len();
    if !is_whole || levels[rows].len() > MOST || levels[columns].len() > MOST {
        return Vec::new();
    }
    let maps = sweep.quantities.iter().enumerate().filter_map(|(place, quantity)| {
        let canvas = map(sweep, place, quantity, (rows, &levels[rows]), (columns, &levels[columns]))?;
        Some((format!("map-{}", file_name(quantity)), canvas))
    });
    maps.collect()
}

/// The values of a factor, in the order of the points.
fn labels(sweep: &Sweep, factor: usize) -> Vec<&str> {
    let mut labels: Vec<&str> = Vec::new();
    for point in &sweep.points {
        let label = point.labels[factor].as_str();
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

fn map(
    sweep: &Sweep,
    place: usize,
    quantity: &str,
    (rows, row_labels): (usize, &[&str]),
    (columns, column_labels): (usize, &[&str]),
) -> Option<Canvas> {
    let measured = |row: &str, column: &str| -> Option<&Measured> {
        let mut points = sweep.points.iter();
        let point = points.find(|point| point.labels[rows] == row && point.labels[columns] == column)?;
        Some(&point.measured[place])
    };
    let values = sweep.points.iter().filter_map(|point| point.measured[place].finite());
    let (min, max) = values.fold((f64::MAX, f64::MIN), |(min, max), value| (min.min(value), max.max(value)));
    if min > max {
        return None;
    }
    let height = (900 / row_labels.len() as i32).clamp(44, 120);
    let width = (RIGHT - EDGE) / column_labels.len() as i32;
    let top = HEAD + 20;
    let bottom = top + height * row_labels.len() as i32;
    let title = format!(
        "{} by {} and {}",
        clean(quantity, 60),
        clean(&sweep.factors[rows].path, 60),
        clean(&sweep.factors[columns].path, 60)
    );
    let mut canvas = page(sweep.origin.names(), &sweep.played(), (bottom + 140) & !1, &title, &[]);
    canvas.text(
        (MARGIN, HEAD - 20),
        &font::fit(&clean(&sweep.factors[rows].path, 80), SMALL.size, EDGE - MARGIN - 30),
        SMALL,
        Anchor::Start,
    );
    for (row, &row_label) in row_labels.iter().enumerate() {
        let y = top + row as i32 * height;
        canvas.text(
            (EDGE - 16, y + height / 2),
            &font::fit(&clean(row_label, 40), LABEL.size, EDGE - MARGIN - 30),
            LABEL,
            Anchor::End,
        );
        for (column, &column_label) in column_labels.iter().enumerate() {
            let x = EDGE + column as i32 * width;
            let Some(measured) = measured(row_label, column_label) else { continue };
            let by_factors = measured.unit == Unit::Time && min >= 1.0 && max > min * WIDE;
            let share = measured.value.map(|value| match () {
                () if max <= min => 0.5,
                () if by_factors => libm::log(value / min) / libm::log(max / min),
                () => (value - min) / (max - min),
            });
            let colour = share.map_or(WHITE, of_share);
            canvas.block((x + 2, y + 2), (x + width - 2, y + height - 2), colour);
            let ink = match share {
                None => QUIET,
                Some(_) if is_dark(colour) => WHITE,
                Some(_) => BLACK,
            };
            let text = font::fit(&plain(measured.value, measured.unit), LABEL.size, width - 12);
            canvas.text((x + width / 2, y + height / 2), &text, Type { size: LABEL.size, colour: ink }, Anchor::Middle);
        }
    }
    for (column, &label) in column_labels.iter().enumerate() {
        let x = EDGE + column as i32 * width + width / 2;
        canvas.text((x, bottom + 34), &font::fit(&clean(label, 40), LABEL.size, width - 8), LABEL, Anchor::Middle);
    }
    canvas.text(((EDGE + RIGHT) / 2, bottom + 84), &clean(&sweep.factors[columns].path, 120), SMALL, Anchor::Middle);
    Some(canvas)
}
