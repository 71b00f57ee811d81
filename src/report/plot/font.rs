//! The letters of PNG plots, and how long a text is: DejaVu Sans, in the binary, so that no machine's fonts matter. In SVG
//! the reader's sans-serif stands in; texts leave room for one that is a little wider.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};

static SANS: &[u8] = include_bytes!("font/sans.ttf");

fn sans() -> FontRef<'static> {
    FontRef::try_from_slice(SANS).expect("the font in the binary is whole")
}

/// The scale at which an em has `size` pixels.
fn scale(font: &FontRef<'_>, size: i32) -> PxScale {
    let em = font.units_per_em().expect("the font in the binary states its em");
    PxScale::from(size as f32 * font.height_unscaled() / em)
}

/// The length of a text, rounded up.
pub(super) fn length(text: &str, size: i32) -> i32 {
    let font = sans();
    let scaled = font.as_scaled(scale(&font, size));
    text.chars().map(|letter| scaled.h_advance(scaled.glyph_id(letter))).sum::<f32>() as i32 + 1
}

/// As much of a text as fits into a length, with an ellipsis where something is left out.
pub(super) fn fit(text: &str, size: i32, room: i32) -> String {
    if length(text, size) <= room {
        return text.into();
    }
    let font = sans();
    let scaled = font.as_scaled(scale(&font, size));
    let advance = |letter| scaled.h_advance(scaled.glyph_id(letter));
    let mut left = room as f32 - advance('…');
    let fitting = text.chars().take_while(|&letter| {
        left -= advance(letter);
        left > 0.0
    });
    fitting.chain(['…']).collect()
}

/// Draws a text from `x` on, its letters' middle at `y`: calls `cover` with pixels and how much of them is covered.
pub(super) fn draw(text: &str, size: i32, (x, y): (i32, i32), mut cover: impl FnMut(i32, i32, f32)) {
    let font = sans();
    let scale = scale(&font, size);
    let scaled = font.as_scaled(scale);
    // Half the height of an x below the middle, as SVG places it: 0.547 em / 2.
    let baseline = y as f32 + size as f32 * 0.2735;
    let mut pen = x as f32;
    for letter in text.chars() {
        let id = scaled.glyph_id(letter);
        let glyph = Glyph { id, scale, position: point(pen, baseline) };
        pen += scaled.h_advance(id);
        if let Some(outline) = font.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, covered| cover(corner.x as i32 + x as i32, corner.y as i32 + y as i32, covered));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_into_its_room() {
        let text = "a rather long text that has no room";
        let fitted = fit(text, 22, 200);
        assert!(fitted.ends_with('…') && length(&fitted, 22) <= 201, "{fitted}");
        assert_eq!(fit(text, 22, 2_000), text);
    }
}
