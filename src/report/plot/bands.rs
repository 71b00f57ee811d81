//! Faults behind the data: a band from each strike until it heals.

use crate::report::stored::{Fault, Strike};
use crate::report::style::clean;

use super::canvas::{Anchor, Canvas};
use super::colour::{BANDS, Colour};
use super::font;
use super::sheet::{Panel, SMALL};

/// No band is narrower, so that short faults show.
const NARROWEST: i32 = 4;

/// The faults that have bands, with their colours: those that strike, at the same times in every run.
fn banded(faults: &[Fault]) -> impl Iterator<Item = (&Fault, Colour)> {
    let struck = faults.iter().filter(|fault| fault.strikes.as_ref().is_some_and(|strikes| !strikes.is_empty()));
    struck.zip(BANDS.into_iter().cycle())
}

/// What the colours of the bands mean.
pub(super) fn legend(faults: &[Fault]) -> impl Iterator<Item = (String, Colour)> {
    banded(faults).take(BANDS.len()).map(|(fault, colour)| (clean(&fault.name, 24), colour))
}

/// Draws the bands of a panel over seconds, those of one fault in one colour; its name stands in the first that has room.
pub(super) fn draw(canvas: &mut Canvas, panel: &Panel, faults: &[Fault]) {
    let (begin, end) = panel.x.span();
    let mut taken = 0;
    for (fault, colour) in banded(faults) {
        let name = clean(&fault.name, 24);
        let mut is_named = false;
        let mut drawn = i32::MIN;
        for (from, to) in fault.strikes.iter().flatten().map(Strike::span) {
            if end <= from || to <= begin {
                continue;
            }
            let (left, right) = (panel.x.place(from), panel.x.place(to));
            let right = right.max(left + NARROWEST);
            // Strikes closer than the eye can tell are one band.
            if right <= drawn {
                continue;
            }
            canvas.block((left.max(drawn), panel.top), (right, panel.bottom), colour);
            drawn = right;
            if !is_named && font::length(&name, SMALL.size) * 11 / 10 + 16 <= right - left {
                canvas.text((left + 8, panel.top + 16 + taken * 26), &name, SMALL, Anchor::Start);
                is_named = true;
            }
        }
        taken = if is_named { (taken + 1) % 4 } else { taken };
    }
}
