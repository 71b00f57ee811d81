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

/// So much of a colour on white paper, in percent.
pub(super) fn tint((red, green, blue): Colour, percent: u32) -> Colour {
    let mix = |part: u8| (255 - (255 - u32::from(part)) * percent / 100) as u8;
    (mix(red), mix(green), mix(blue))
}

/// From little to much: steps of equal lightness, dark to light, that can be told apart with any kind of sight and in grey. After
/// "cividis", J. R. Nunez, C. R. Anderton and R. S. Renslow, PLOS ONE 13 (7), 2018.
const SCALE: [Colour; 9] = [
    (0, 34, 78),
    (23, 58, 107),
    (60, 78, 108),
    (86, 100, 110),
    (112, 121, 116),
    (139, 143, 119),
    (170, 166, 112),
    (206, 192, 96),
    (254, 232, 56),
];

/// The colour of a share from 0 to 1.
pub(super) fn of_share(share: f64) -> Colour {
    let place = share.clamp(0.0, 1.0) * (SCALE.len() - 1) as f64;
    let below = (place as usize).min(SCALE.len() - 2);
    let part = place - below as f64;
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * part + 0.5) as u8;
    let (from, to) = (SCALE[below], SCALE[below + 1]);
    (mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// Whether white is read better than black on a colour.
pub(super) fn is_dark((red, green, blue): Colour) -> bool {
    u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114 < 128_000
}

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
