//! Where boxes stand: in columns, each to the right of all that send to it, ordered so that few lines cross.
//!
//! After K. Sugiyama, S. Tagawa and M. Toda, "Methods for Visual Understanding of Hierarchical System Structures", 1981: cycles are
//! cut where a search finds them, lines that pass columns hold places there, and places are ordered by the means of their
//! neighbours, there and back.

use std::collections::BTreeMap;

use super::boxes::Boxes;

pub(super) const BOX_HEIGHT: f64 = 48.0;
const ROW: f64 = 74.0;
/// The height of a place that only a line passes.
const PASSED: f64 = 24.0;
const BETWEEN: f64 = 92.0;
const MARGIN: f64 = 16.0;
/// Room for the name of a frame.
const HEAD: f64 = 26.0;

/// How often the order is improved.
const SWEEPS: usize = 8;

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
}

/// A region.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Frame {
    pub name: String,
    pub between: (f64, f64),
}

#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub size: (f64, f64),
    /// The upper left corner of each box.
    pub corners: Vec<Point>,
    /// The points that each arrow passes.
    pub ways: Vec<Vec<Point>>,
    pub frames: Vec<Frame>,
}

/// What stands in a column: a box, or a line on its way.
struct Place {
    column: usize,
    /// Which of the frames, in their order.
    band: usize,
    is_box: bool,
    /// Places in the columns before and behind that a line leads to.
    neighbours: [Vec<usize>; 2],
}

impl Layout {
    pub fn of(boxes: &Boxes) -> Self {
        let count = boxes.list.len();
        let columns = columns(boxes);
        let mut bands: Vec<Option<&str>> = Vec::new();
        for each in &boxes.list {
            if !bands.contains(&each.region.as_deref()) {
                bands.push(each.region.as_deref());
            }
        }
        // Those that are in no region, or in several, come first.
        bands.sort_unstable();
        let band_of = |index: usize| {
            let region = boxes.list[index].region.as_deref();
            bands.iter().position(|band| *band == region).unwrap_or(0)
        };
        let place = |column, band, is_box| Place { column, band, is_box, neighbours: [Vec::new(), Vec::new()] };
        let mut places: Vec<Place> = (0..count).map(|index| place(columns[index], band_of(index), true)).collect();
        let mut passed: Vec<Vec<usize>> = Vec::new();
        for arrow in &boxes.arrows {
            let mut chain = vec![arrow.from];
            for column in columns[arrow.from] + 1..columns[arrow.to] {
                chain.push(places.len());
                places.push(place(column, band_of(arrow.from), false));
            }
            chain.push(arrow.to);
            if columns[arrow.from] < columns[arrow.to] {
                for pair in chain.windows(2) {
                    places[pair[0]].neighbours[1].push(pair[1]);
                    places[pair[1]].neighbours[0].push(pair[0]);
                }
            }
            passed.push(chain);
        }
        let rows = ordered(&places);
        let (middles, frames, height) = heights(&places, &rows, &bands);
        let last = columns.iter().max().map_or(0, |last| last + 1);
        let mut widths = vec![0.0_f64; last];
        for (each, &column) in boxes.list.iter().zip(&columns) {
            widths[column] = widths[column].max(each.width);
        }
        let mut lefts = Vec::new();
        let mut x = MARGIN;
        for width in &widths {
            lefts.push(x);
            x += width + BETWEEN;
        }
        let corner = |index: usize| {
            let column = columns[index];
            let x = lefts[column] + (widths[column] - boxes.list[index].width) / 2.0;
            Point { x, y: middles[index] - BOX_HEIGHT / 2.0 }
        };
        let corners: Vec<Point> = (0..count).map(corner).collect();
        let way = |chain: &Vec<usize>| {
            let mut points = Vec::new();
            for (step, &index) in chain.iter().enumerate() {
                let y = middles[index];
                if places[index].is_box {
                    let x = corners[index].x + if step == 0 { boxes.list[index].width } else { -2.0 };
                    points.push(Point { x, y });
                } else {
                    let (left, width) = (lefts[places[index].column], widths[places[index].column]);
                    points.extend([Point { x: left, y }, Point { x: left + width, y }]);
                }
            }
            points
        };
        let ways = passed.iter().map(way).collect();
        // Lines that lead back swing out of the drawing's sides.
        let leads_back = boxes.arrows.iter().any(|arrow| columns[arrow.from] >= columns[arrow.to]);
        let below = if leads_back { 24.0 } else { 0.0 };
        Self { size: (x - BETWEEN + MARGIN + below, height + below), corners, ways, frames }
    }
}

/// The column of each box: one behind the last of those that send to it, lines that close a cycle aside.
fn columns(boxes: &Boxes) -> Vec<usize> {
    let count = boxes.list.len();
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut callers = vec![0_usize; count];
    for arrow in boxes.arrows.iter().filter(|arrow| arrow.from != arrow.to) {
        next[arrow.from].push(arrow.to);
        callers[arrow.to] += 1;
    }
    // Clients first, so that a cycle is cut behind where load enters it.
    let is_client = |index: &usize| boxes.list[*index].kind != "client";
    let mut starts: Vec<usize> = (0..count).collect();
    starts.sort_by_key(|index| (is_client(index), callers[*index] > 0));
    let (mut finished, mut state) = (Vec::new(), vec![0_u8; count]);
    let mut forward: Vec<Vec<usize>> = vec![Vec::new(); count];
    for start in starts {
        let mut stack = vec![(start, 0)];
        if state[start] != 0 {
            continue;
        }
        state[start] = 1;
        while let Some((index, step)) = stack.pop() {
            let Some(&to) = next[index].get(step) else {
                state[index] = 2;
                finished.push(index);
                continue;
            };
            stack.push((index, step + 1));
            if state[to] != 1 {
                forward[index].push(to);
            }
            if state[to] == 0 {
                state[to] = 1;
                stack.push((to, 0));
            }
        }
    }
    let mut columns = vec![0; count];
    for &index in finished.iter().rev() {
        for &to in &forward[index] {
            columns[to] = columns[to].max(columns[index] + 1);
        }
    }
    columns
}

/// The places of each column from above to below.
fn ordered(places: &[Place]) -> Vec<Vec<usize>> {
    let last = places.iter().map(|place| place.column + 1).max().unwrap_or(0);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); last];
    places.iter().enumerate().for_each(|(index, place)| rows[place.column].push(index));
    rows.iter_mut().for_each(|row| row.sort_by_key(|&index| (places[index].band, index)));
    let mut position = vec![0.0_f64; places.len()];
    let note = |row: &[usize], position: &mut Vec<f64>| {
        let middle = row.len() as f64 / 2.0;
        row.iter().enumerate().for_each(|(at, &index)| position[index] = at as f64 - middle);
    };
    rows.iter().for_each(|row| note(row, &mut position));
    for sweep in 0..SWEEPS {
        let side = sweep % 2;
        let order: Vec<usize> = if side == 0 { (0..last).collect() } else { (0..last).rev().collect() };
        for column in order {
            let mean = |index: usize| {
                let near = &places[index].neighbours[side];
                let sum: f64 = near.iter().map(|&other| position[other]).sum();
                if near.is_empty() { position[index] } else { sum / near.len() as f64 }
            };
            let mut keyed: Vec<_> =
                rows[column].iter().map(|&index| (places[index].band, mean(index), index)).collect();
            keyed.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
            rows[column] = keyed.into_iter().map(|(.., index)| index).collect();
            note(&rows[column], &mut position);
        }
    }
    rows
}

/// The middle of each place, the frames, and how high all of it is.
fn heights(places: &[Place], rows: &[Vec<usize>], bands: &[Option<&str>]) -> (Vec<f64>, Vec<Frame>, f64) {
    let height = |index: usize| if places[index].is_box { ROW } else { PASSED };
    let mut needed: BTreeMap<usize, f64> = BTreeMap::new();
    for row in rows {
        let mut of_row: BTreeMap<usize, f64> = BTreeMap::new();
        row.iter().for_each(|&index| *of_row.entry(places[index].band).or_default() += height(index));
        for (band, sum) in of_row {
            let most = needed.entry(band).or_default();
            *most = most.max(sum);
        }
    }
    let mut middles = vec![0.0; places.len()];
    let (mut frames, mut y) = (Vec::new(), MARGIN / 2.0);
    for (band, name) in bands.iter().enumerate() {
        let tall = needed.get(&band).copied().unwrap_or(0.0);
        let head = if name.is_some() { HEAD } else { 0.0 };
        for row in rows {
            let here = || row.iter().copied().filter(|&index| places[index].band == band);
            let mut at = y + head + (tall - here().map(height).sum::<f64>()) / 2.0;
            for index in here() {
                middles[index] = at + height(index) / 2.0;
                at += height(index);
            }
        }
        let bottom = y + head + tall;
        frames.extend(name.map(|name| Frame { name: name.into(), between: (y, bottom) }));
        y = bottom + 10.0;
    }
    (middles, frames, y)
}
