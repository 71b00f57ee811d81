//! The characters that a terminal has.

use unicode_width::UnicodeWidthChar;

/// Which characters a summary is written in.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Charset {
    /// All of them.
    #[default]
    Unicode,
    /// Those of ASCII: signs, bars and sparklines become letters that look like them, and every other character a question mark.
    Ascii,
}

impl Charset {
    /// A text in these characters. What takes a column takes a column afterwards, so that tables and axes stay in line.
    pub fn write(self, text: String) -> String {
        match self {
            Self::Unicode => text,
            Self::Ascii if text.is_ascii() => text,
            // Numbers stand to the right, where there is room before them; half a width stands behind its sign.
            Self::Ascii => text.replace("   ∞", " inf").replace("± ", "+-").chars().fold(
                String::with_capacity(text.len()),
                |mut written, c| {
                    match looks_like(c) {
                        Some(letter) => written.push(letter),
                        None => written.extend(std::iter::repeat_n('?', c.width().unwrap_or(0))),
                    }
                    written
                },
            ),
        }
    }
}

/// The letter that looks most like it, if there is one.
fn looks_like(c: char) -> Option<char> {
    Some(match c {
        _ if c.is_ascii() => c,
        '✓' => 'v',
        '✗' | '×' => 'x',
        '–' | '—' | '−' | '─' | '·' => '-',
        '→' => '>',
        '…' => '~',
        '∞' => '*',
        '≠' => '!',
        '├' | '┤' => '|',
        '▲' => '^',
        // Bars: a whole column, most of one, a little of one.
        '█' => '#',
        '▌' | '▋' | '▊' | '▉' => '=',
        '▏' | '▎' | '▍' => '-',
        // Sparklines: from light to heavy.
        '▁' => '_',
        '▂' => '.',
        '▃' => ':',
        '▄' => '-',
        '▅' => '=',
        '▆' => '+',
        '▇' => '*',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_looks_alike_and_keeps_columns() {
        let ascii = |text: &str| Charset::Ascii.write(text.into());
        assert_eq!(ascii("✓ ✗ ? a → b · 1×∞ – …"), "v x ? a > b - 1x* - ~");
        assert_eq!(ascii("███▌|▏|▁▂▃▄▅▆▇█|├──┤ ▲"), "###=|-|_.:-=+*#||--| ^");
        assert_eq!(ascii("wait    ∞"), "wait  inf");
        assert_eq!(ascii("3ms ± 1us"), "3ms +-1us");
        assert_eq!(ascii("Größe 注 e\u{301}"), "Gr??e ?? e");
        assert_eq!(Charset::Unicode.write("✓".into()), "✓");
    }
}
