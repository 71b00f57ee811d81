//! How text looks on a terminal, and which characters of a user's text may reach it.

use anstyle::{AnsiColor, Style as Ansi};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::charset::Charset;

/// How a summary looks on the terminal that it is made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Whether there are ANSI colours; without them there is not a single escape byte.
    pub colour: bool,
    /// Which characters there are.
    pub charset: Charset,
    /// How wide a line of a run's summary may be; 40 columns are the least.
    pub width: usize,
}

impl Style {
    /// What files hold: no colours, Unicode, 100 columns.
    pub const PLAIN: Self = Self { colour: false, charset: Charset::Unicode, width: 100 };
}

impl Default for Style {
    fn default() -> Self {
        Self::PLAIN
    }
}

/// What a piece of text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Title,
    Heading,
    Good,
    Bad,
    Unsure,
    Quiet,
    Bar,
}

impl Style {
    pub(super) fn paint(self, role: Role, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.into();
        }
        let style = match role {
            Role::Title | Role::Heading => Ansi::new().bold(),
            Role::Good => AnsiColor::Green.on_default(),
            Role::Bad => AnsiColor::Red.on_default().bold(),
            Role::Unsure => AnsiColor::Yellow.on_default(),
            Role::Quiet => Ansi::new().dimmed(),
            Role::Bar => AnsiColor::Cyan.on_default(),
        };
        format!("{style}{text}{style:#}")
    }
}

/// How many columns a text takes: a letter of Chinese takes two, an accent that stands over another letter none.
pub(super) fn size(text: &str) -> usize {
    text.width()
}

/// A text and spaces behind it.
pub(super) fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(size(text))))
}

/// A text and spaces before it.
pub(super) fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(size(text))))
}

/// A user's text on one line: control characters and those that turn the direction of writing become U+FFFD, and what takes
/// more than `most` columns ends in an ellipsis.
pub(super) fn clean(text: &str, most: usize) -> String {
    let mut cleaned = String::new();
    // Without and with room for an ellipsis.
    let (mut taken, mut fits) = (0, 0);
    for c in text.chars().map(harmless) {
        taken += c.width().unwrap_or(0);
        if taken > most {
            cleaned.truncate(fits);
            cleaned.push('…');
            break;
        }
        cleaned.push(c);
        if taken < most {
            fits = cleaned.len();
        }
    }
    cleaned
}

fn harmless(c: char) -> char {
    if drives(c) { '\u{fffd}' } else { c }
}

/// Whether a character could drive a terminal instead of being shown: control characters, and those that turn the direction of
/// writing or are none.
pub(super) fn drives(c: char) -> bool {
    let turns = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let no_character = matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' | '\u{feff}');
    c.is_control() || turns || no_character
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_plain() {
        assert_eq!(Style::PLAIN.paint(Role::Bad, "x"), "x");
        assert_eq!(Style { colour: true, ..Style::PLAIN }.paint(Role::Title, "x"), "\u{1b}[1mx\u{1b}[0m");
    }

    #[test]
    fn a_users_text_cannot_drive_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\n", 99), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
        assert_eq!(clean("abcdef", 4), "abc…");
        assert_eq!(clean("abcd", 4), "abcd");
    }

    /// Each letter takes two columns.
    #[test]
    fn wide_letters_take_two_columns() {
        assert_eq!(clean("注文サービス", 12), "注文サービス");
        assert_eq!(clean("注文サービス", 11), "注文サービ…");
        assert_eq!(clean("注文サービス", 10), "注文サー…");
        assert_eq!(left("注文", 6) + "|", "注文  |");
        assert_eq!(right("注文", 6), "  注文");
    }
}
