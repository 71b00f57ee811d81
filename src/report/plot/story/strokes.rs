//! Arrows, crosses and hatches, in whole numbers.

use crate::report::plot::canvas::Canvas;
use crate::report::plot::colour::{Colour, tint};

type Point = (i32, i32);

/// A line with a head at its end; dashed if it says so.
pub(super) fn arrow(canvas: &mut Canvas, from: Point, to: Point, colour: Colour, is_dashed: bool) {
    line(canvas, from, to, colour, is_dashed);
    let back = toward(to, from, 26);
    let (dx, dy) = (to.0 - back.0, to.1 - back.1);
    let side = |sign: i32| (back.0 - sign * dy * 2 / 5, back.1 + sign * dx * 2 / 5);
    canvas.area(vec![to, side(1), side(-1)], colour);
}

/// A line, dashed if it says so.
pub(super) fn line(canvas: &mut Canvas, from: Point, to: Point, colour: Colour, is_dashed: bool) {
    if !is_dashed {
        return canvas.line(vec![from, to], colour, 4);
    }
    let (on, off) = (16, 10);
    let length = length(from, to);
    let mut start = 0;
    while start < length {
        let end = (start + on).min(length);
        canvas.line(vec![toward(from, to, start), toward(from, to, end)], colour, 4);
        start = end + off;
    }
}

/// A cross: something ends here.
pub(super) fn cross(canvas: &mut Canvas, (x, y): Point, colour: Colour) {
    canvas.line(vec![(x - 14, y - 14), (x + 14, y + 14)], colour, 6);
    canvas.line(vec![(x - 14, y + 14), (x + 14, y - 14)], colour, 6);
}

/// A field that is light and has slanted lines.
pub(super) fn hatch(canvas: &mut Canvas, (left, top): Point, (right, bottom): Point, colour: Colour) {
    canvas.block((left, top), (right, bottom), tint(colour, 30));
    let width = right - left;
    let mut y = top + width;
    while y <= bottom {
        canvas.line(vec![(left, y), (right, y - width)], colour, 3);
        y += 14;
    }
    frame(canvas, (left, top), (right, bottom), colour);
}

/// The line around a field.
pub(super) fn frame(canvas: &mut Canvas, (left, top): Point, (right, bottom): Point, colour: Colour) {
    canvas.line(vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], colour, 2);
}

/// The point so far from one point towards another.
pub(super) fn toward(from: Point, to: Point, distance: i32) -> Point {
    let length = i64::from(length(from, to).max(1));
    let part = |from: i32, to: i32| from + (i64::from(to - from) * i64::from(distance) / length) as i32;
    (part(from.0, to.0), part(from.1, to.1))
}

/// The point at so many hundredths of the way.
pub(super) fn along(from: Point, to: Point, percent: i32) -> Point {
    (from.0 + (to.0 - from.0) * percent / 100, from.1 + (to.1 - from.1) * percent / 100)
}

fn length(from: Point, to: Point) -> i32 {
    let (dx, dy) = (i64::from(to.0 - from.0), i64::from(to.1 - from.1));
    (dx * dx + dy * dy).isqrt() as i32
}
