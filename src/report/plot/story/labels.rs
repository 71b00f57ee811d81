//! Words in a picture that stand beside each other, never on each other.

use crate::report::plot::canvas::{Anchor, Canvas, Type};
use crate::report::plot::colour::WHITE;
use crate::report::plot::font;

/// A rectangle: left, top, right, bottom.
type Field = (i32, i32, i32, i32);

/// Words that have a place already.
#[derive(Default, Debug)]
pub(super) struct Labels {
    taken: Vec<Field>,
}

impl Labels {
    /// Keeps labels away from what stands around a point.
    pub fn keep_free(&mut self, (x, y): (i32, i32), around: i32) {
        self.taken.push((x - around, y - around, x + around, y + around));
    }

    /// Keeps labels away from a line across the picture.
    pub fn keep_line_free(&mut self, y: i32, around: i32) {
        self.taken.push((0, y - around, i32::MAX, y + around));
    }

    /// Writes a text at the first of these places where there is room, on a white ground; nowhere if there is none.
    pub fn write(&mut self, canvas: &mut Canvas, text: &str, kind: Type, places: &[((i32, i32), Anchor)]) -> bool {
        // A reader's letters may be wider than ours.
        let (length, half) = (font::length(text, kind.size) * 11 / 10, kind.size / 2 + 3);
        let field = |&((x, y), anchor): &((i32, i32), Anchor)| -> Field {
            let left = match anchor {
                Anchor::Start => x,
                Anchor::Middle => x - length / 2,
                Anchor::End => x - length,
            };
            (left, y - half, left + length, y + half)
        };
        let is_free = |field: Field| {
            let is_inside = field.0 >= 8 && field.2 <= canvas.width() - 8;
            is_inside && self.taken.iter().all(|&taken| !overlap(field, taken))
        };
        let Some(place) = places.iter().find(|place| is_free(field(place))) else { return false };
        let (left, top, right, bottom) = field(place);
        canvas.block((left - 4, top + 3), (right + 4, bottom - 3), WHITE);
        canvas.text(place.0, text, kind, place.1);
        self.taken.push((left, top, right, bottom));
        true
    }
}

fn overlap(one: Field, other: Field) -> bool {
    one.0 < other.2 && other.0 < one.2 && one.1 < other.3 && other.1 < one.3
}
