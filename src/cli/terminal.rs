//! Where output goes, and whether it may be coloured.

use std::io::{self, IsTerminal, Write};

use rehearsal::{report, scenario};

use super::args::Color;
use super::exit::Exit;

/// The standard streams.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    out_colour: bool,
    err_colour: bool,
    /// Whether a person sees what is written to the standard error.
    pub is_watched: bool,
}

impl Terminal {
    /// The streams as they are, and colours as the user wants them.
    pub fn new(color: Color) -> Self {
        let is_watched = io::stderr().is_terminal();
        let wants = |is_terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                is_terminal && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        Self { out_colour: wants(io::stdout().is_terminal()), err_colour: wants(is_watched), is_watched }
    }

    /// How a summary looks on the standard output.
    pub fn report_style(self) -> report::Style {
        if self.out_colour { report::Style::Ansi } else { report::Style::Plain }
    }

    /// How a mistake looks on the standard error.
    pub fn mistake_style(self) -> scenario::Style {
        if self.err_colour { scenario::Style::Coloured } else { scenario::Style::Plain }
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
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}
