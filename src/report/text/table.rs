//! Tables: rows as columns, as many of them as there is room for.

use crate::report::style::{Role, Style, clean, left, right, size};

/// Columns stand this far apart.
const GAP: usize = 2;
/// A name is not cut to less.
const NAME: usize = 8;

/// Rows as columns: the first to the left, all others to the right, two spaces between.
pub(in crate::report) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let widths = widths(rows);
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("  {}", left(cell, width)),
            _ => format!("  {}", right(cell, width)),
        });
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Header and rows, the header quiet. Where there is no room, columns are left out from the right, and then names are cut.
pub(super) fn table(header: Vec<String>, rows: Vec<Vec<String>>, style: Style) -> Vec<String> {
    ranked(header, rows, &[], style)
}

/// The same; columns are left out in this order, and only then from the right.
pub(super) fn ranked(header: Vec<String>, rows: Vec<Vec<String>>, least: &[usize], style: Style) -> Vec<String> {
    let mut rows = [vec![header], rows].concat();
    let widths = widths(&rows);
    let mut is_kept = vec![true; widths.len()];
    let taken = |is_kept: &[bool]| -> usize {
        widths.iter().zip(is_kept).map(|(width, is_kept)| if *is_kept { GAP + width } else { 0 }).sum()
    };
    // Of the first column is seen what a row is about, of the second something about it.
    for column in least.iter().copied().chain((2..widths.len()).rev()) {
        if taken(&is_kept) <= style.width {
            break;
        }
        is_kept[column] = false;
    }
    let too_much = taken(&is_kept).saturating_sub(style.width);
    for row in &mut rows {
        let mut kept = is_kept.iter();
        row.retain(|_| *kept.next().expect("no row has more cells than there are columns"));
        if let (Some(name), 1..) = (row.first_mut(), too_much) {
            *name = clean(name, widths[0].saturating_sub(too_much).max(NAME));
        }
    }
    let mut lines = columns(&rows);
    lines[0] = style.paint(Role::Quiet, &lines[0]);
    lines
}

pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.into()).collect()
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let of = |column| rows.iter().map(|row| row.get(column).map_or(0, |cell: &String| size(cell))).max().unwrap_or(0);
    (0..count).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_in_order_and_names_are_cut_last() {
        let header = || words(&["name", "alpha", "beta", "gamma"]);
        let rows = || vec![words(&["a long long name", "1", "2", "3"])];
        let style = |width| Style { width, ..Style::PLAIN };
        let of = |width, least| ranked(header(), rows(), least, style(width));
        assert_eq!(of(40, &[]), ["  name              alpha  beta  gamma", "  a long long name      1     2      3"]);
        assert_eq!(of(37, &[]), ["  name              alpha  beta", "  a long long name      1     2"]);
        assert_eq!(of(37, &[1]), ["  name              beta  gamma", "  a long long name     2      3"]);
        assert_eq!(of(20, &[]), ["  name         alpha", "  a long lon…      1"]);
    }
}
