//! Where the report of a study goes: a directory, and the standard output.

use rehearsal::report::{File, Style};

use super::args::{Destination, Format};
use super::directory::{Directory, Refusal};
use super::exit::Exit;
use super::terminal::Terminal;

impl Destination {
    /// Makes ready to write, if anything is to be written.
    pub fn claim(&self) -> Result<Option<Directory>, Refusal> {
        self.output.as_deref().map(|path| Directory::claim(path, self.force)).transpose()
    }

    /// Prints the report in the form that is wanted.
    pub fn print(
        &self,
        terminal: Terminal,
        text: impl FnOnce(Style) -> String,
        json: impl FnOnce() -> Vec<u8>,
        csv: impl FnOnce() -> Vec<u8>,
    ) -> Exit {
        match self.format {
            Format::Text => terminal.print(text(terminal.report_style())),
            Format::Json => terminal.print(json()),
            Format::Csv => terminal.print(csv()),
            Format::Quiet => Exit::Well,
        }
    }
}

/// Writes the files of a report, if they are wanted.
pub fn fill(directory: Option<Directory>, files: impl FnOnce() -> Vec<File>) -> Result<(), Refusal> {
    directory.map_or(Ok(()), |directory| directory.fill(&files()))
}
