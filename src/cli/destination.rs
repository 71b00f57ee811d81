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

    /// Writes the files of a report into the directory that was claimed, and prints the report in the form that is wanted.
    pub fn deliver(
        &self,
        terminal: Terminal,
        directory: Option<Directory>,
        files: impl FnOnce() -> Vec<File>,
        text: impl FnOnce(Style) -> String,
        json: impl FnOnce() -> Vec<u8>,
        csv: impl FnOnce() -> Vec<u8>,
    ) -> Result<Exit, Refusal> {
        directory.map_or(Ok(()), |directory| directory.fill(&files()))?;
        let exit = match self.format {
            Format::Text => terminal.print(text(terminal.report_style())),
            Format::Json => terminal.print(json()),
            Format::Csv => terminal.print(csv()),
            Format::Quiet => Exit::Well,
        };
        if let (Some(path), Format::Text) = (&self.output, self.format) {
            let page = path.join("report.html");
            terminal.note(&format!("\n`{}` is a page to read; plots and tables are beside it", page.display()));
        }
        Ok(exit)
    }
}
