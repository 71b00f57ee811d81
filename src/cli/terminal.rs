//! Where output goes, how wide it may be, and in which colours and characters it is.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

use rehearsal::{report, scenario};

use super::exit::Exit;
use super::look::{Charset, Color};

/// Summaries are no wider: longer lines are hard to read.
const WIDEST: usize = 100;
/// How wide a terminal is that does not say so.
const UNKNOWN: u16 = 80;

/// The standard streams.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    out: report::Style,
    err_colour: bool,
    err_charset: report::Charset,
    /// Whether a person sees what is written to the standard error.
    pub is_watched: bool,
}

impl Terminal {
    /// The streams as they are, colours and characters as the user wants them.
    pub fn new(color: Color, charset: Charset) -> Self {
        let (is_shown, is_watched) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let environment = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty());
        let wants = |is_terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                is_terminal
                    && environment("NO_COLOR").is_none()
                    && environment("TERM").is_none_or(|term| term != "dumb")
            }
        };
        let has = |is_terminal: bool| match charset {
            Charset::Ascii => report::Charset::Ascii,
            Charset::Auto if is_terminal => charset_of(environment, cfg!(windows)),
            Charset::Auto | Charset::Unicode => report::Charset::Unicode,
        };
        let own = || terminal_size::terminal_size_of(io::stdout()).map_or(UNKNOWN, |(width, _)| width.0);
        let width = width_of(environment, is_shown.then(own));
        Self {
            out: report::Style { colour: wants(is_shown), charset: has(is_shown), width },
            err_colour: wants(is_watched),
            err_charset: has(is_watched),
            is_watched,
        }
    }

    /// How a summary looks on the standard output.
    pub fn report_style(self) -> report::Style {
        self.out
    }

    /// How a mistake looks on the standard error.
    pub fn mistake_style(self) -> scenario::Style {
        if self.err_colour { scenario::Style::Coloured } else { scenario::Style::Plain }
    }

    /// Writes a text that a person reads to the standard output, in the characters that there are.
    pub fn say(self, text: String) -> Exit {
        self.print(self.out.charset.write(text))
    }

    /// Writes to the standard output. That nobody reads on is no mistake.
    pub fn print(self, bytes: impl AsRef<[u8]>) -> Exit {
        let mut out = io::stdout().lock();
        match out.write_all(bytes.as_ref()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.complain(&format!("cannot write to the standard output: {error}"));
                Exit::File
            }
            _ => Exit::Well,
        }
    }

    /// Says what is wrong.
    pub fn complain(self, message: &str) {
        let error = if self.err_colour { "\u{1b}[1m\u{1b}[91merror\u{1b}[0m" } else { "error" };
        self.note(&format!("{error}: {message}"));
    }

    /// Writes a line to the standard error, if it can be written to.
    pub fn note(self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", self.err_charset.write(line.into()));
    }
}

/// The characters of a terminal: what the locale says, which is all of them if it says nothing; consoles of Windows say nothing of
/// themselves, and only its terminal is known to have them.
fn charset_of(environment: impl Fn(&str) -> Option<OsString>, is_windows: bool) -> report::Charset {
    let has_all = if is_windows {
        environment("WT_SESSION").is_some()
    } else {
        // POSIX: the first of these that is set counts.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(environment);
        let locale = locale.map(|locale| locale.to_string_lossy().to_ascii_lowercase());
        locale.is_none_or(|locale| locale.contains("utf-8") || locale.contains("utf8"))
    };
    if has_all { report::Charset::Unicode } else { report::Charset::Ascii }
}

/// How wide a summary may be: what `COLUMNS` says, or the terminal; where there is none, as wide as summaries are.
fn width_of(environment: impl Fn(&str) -> Option<OsString>, terminal: Option<u16>) -> usize {
    let said = environment("COLUMNS").and_then(|columns| columns.to_str()?.parse().ok()).filter(|&columns| columns > 0);
    said.or(terminal.map(usize::from)).map_or(WIDEST, |width| width.min(WIDEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<'a>(set: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + Copy + 'a {
        |variable| set.iter().find(|(name, _)| *name == variable).map(|(_, value)| value.into())
    }

    #[test]
    fn the_first_locale_that_is_set_counts() {
        use report::Charset::{Ascii, Unicode};
        for (set, charset) in [
            (&[][..], Unicode),
            (&[("LANG", "en_GB.UTF-8")], Unicode),
            (&[("LANG", "C.utf8")], Unicode),
            (&[("LANG", "C")], Ascii),
            (&[("LANG", "POSIX")], Ascii),
            (&[("LANG", "de_DE.ISO-8859-1")], Ascii),
            (&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")], Ascii),
            (&[("LANG", "C"), ("LC_CTYPE", "en_GB.UTF-8")], Unicode),
        ] {
            assert_eq!(charset_of(with(set), false), charset, "{set:?}");
        }
        assert_eq!(charset_of(with(&[("LANG", "en_GB.UTF-8")]), true), Ascii);
        assert_eq!(charset_of(with(&[("WT_SESSION", "1")]), true), Unicode);
    }

    #[test]
    fn columns_count_more_than_the_terminal() {
        assert_eq!(width_of(with(&[]), None), 100);
        assert_eq!(width_of(with(&[]), Some(72)), 72);
        assert_eq!(width_of(with(&[]), Some(240)), 100);
        assert_eq!(width_of(with(&[("COLUMNS", "64")]), Some(72)), 64);
        assert_eq!(width_of(with(&[("COLUMNS", "many")]), Some(72)), 72);
        assert_eq!(width_of(with(&[("COLUMNS", "0")]), None), 100);
    }
}
