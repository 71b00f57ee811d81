//! How text looks on a terminal, and which characters of a user's text may reach it.

use anstyle::{AnsiColor, Style as Ansi};

/// Plain text, or text with colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Style {
    /// Not a single escape byte.
    #[default]
    Plain,
    /// ANSI colours.
    Ansi,
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
        if self == Self::Plain || text.is_empty() {
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

/// A user's text on one line: control characters and those that turn the direction of writing become U+FFFD, and what is
/// longer than `most` characters ends in an ellipsis.
pub(super) fn clean(text: &str, most: usize) -> String {
    let harmless = |c: char| {
        let turns =
            matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let no_character = matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' | '\u{feff}');
        if c.is_control() || turns || no_character { '\u{fffd}' } else { c }
    };
    let mut chars = text.chars().map(harmless);
    let mut cleaned: String = chars.by_ref().take(most).collect();
    if chars.next().is_some() {
        cleaned.pop();
        cleaned.push('…');
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_plain() {
        assert_eq!(Style::Plain.paint(Role::Bad, "x"), "x");
        assert_eq!(Style::Ansi.paint(Role::Title, "x"), "\u{1b}[1mx\u{1b}[0m");
    }

    #[test]
    fn a_users_text_cannot_drive_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\n", 99), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
        assert_eq!(clean("abcdef", 4), "abc…");
        assert_eq!(clean("abcd", 4), "abcd");
    }
}
