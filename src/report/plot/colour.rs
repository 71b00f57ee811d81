//! Colours that can be told apart with any kind of sight: M. Okabe and K. Ito, "Color Universal Design", 2008.

use crate::metrics::Fate;

/// Red, green, blue.
pub(super) type Colour = (u8, u8, u8);

pub(super) const BLACK: Colour = (0, 0, 0);
pub(super) const ORANGE: Colour = (230, 159, 0);
pub(super) const SKY: Colour = (86, 180, 233);
pub(super) const GREEN: Colour = (0, 158, 115);
pub(super) const YELLOW: Colour = (240, 228, 66);
pub(super) const BLUE: Colour = (0, 114, 178);
pub(super) const VERMILION: Colour = (213, 94, 0);
pub(super) const PURPLE: Colour = (204, 121, 167);

pub(super) const WHITE: Colour = (255, 255, 255);
/// Text that stands back.
pub(super) const QUIET: Colour = (96, 96, 96);
/// Lines behind the data.
pub(super) const GRID: Colour = (226, 226, 226);
pub(super) const AXIS: Colour = (140, 140, 140);
pub(super) const GREY: Colour = (153, 153, 153);

/// For lines, as many as there are; yellow is too light for one.
pub(super) const LINES: [Colour; 7] = [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK];

/// For bands behind the data: light, and told apart by their names too.
pub(super) const BANDS: [Colour; 4] = [(252, 232, 220), (224, 240, 250), (224, 243, 234), (245, 232, 241)];

/// The colour of a fate, the same in every plot.
pub(super) fn of_fate(fate: Fate) -> Colour {
    match fate {
        Fate::Confirmed => GREEN,
        Fate::Handled => SKY,
        Fate::InDoubt => YELLOW,
        Fate::Lost => VERMILION,
        Fate::Rejected => ORANGE,
        Fate::Expired => PURPLE,
        Fate::Failed => BLACK,
        Fate::Abandoned | Fate::Spared => GREY,
        Fate::InFlight => BLUE,
    }
}
