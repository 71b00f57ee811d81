//! `report`: makes the page of a report again, from the tables that were stored, without playing anything.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use rehearsal::report::{File, PAGE, page};

use super::exit::Exit;
use super::terminal::Terminal;

/// The most bytes of a table that are read: a larger file is none of ours.
const BYTES_MAX: u64 = 1 << 30;

/// Makes the page `report.html` of a report again, from its tables
///
/// DIR is what `run -o DIR`, `sweep -o DIR`, `compare -o DIR` or `tune -o DIR` wrote. Nothing is played: the same tables give the same
/// page, to the byte.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal report out                      out/report.html
  rehearsal report out -o checkout.html     somewhere else")]
pub struct Report {
    /// The directory of a report
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
    /// Write the page into FILE instead of DIR/report.html; `-` is the standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// Reads the tables, and writes their page.
pub fn report(terminal: Terminal, args: &Report) -> Exit {
    match try_report(terminal, args) {
        Ok(exit) => exit,
        Err((exit, message)) => {
            terminal.complain(&message);
            exit
        }
    }
}

fn try_report(terminal: Terminal, args: &Report) -> Result<Exit, (Exit, String)> {
    let directory = args.directory.as_path();
    let files = tables(directory)?;
    let page = page(&files).map_err(|error| (Exit::Wrong, format!("{}: {error}", directory.display())))?;
    let target = args.output.clone().unwrap_or_else(|| directory.join(PAGE));
    if target == Path::new("-") {
        return Ok(terminal.print(page.bytes));
    }
    replace(&target, &page.bytes)
        .map_err(|error| (Exit::File, format!("cannot write `{}`: {error}", target.display())))?;
    terminal.note(&format!("`{}` shows what the tables in `{}` say", target.display(), directory.display()));
    Ok(Exit::Well)
}

/// The tables at the top of a directory.
fn tables(directory: &Path) -> Result<Vec<File>, (Exit, String)> {
    let unread = |path: &Path, error: io::Error| (Exit::File, format!("cannot read `{}`: {error}", path.display()));
    let entries = fs::read_dir(directory).map_err(|error| match error.kind() {
        io::ErrorKind::NotADirectory => (Exit::Wrong, format!("`{}` is not a directory", directory.display())),
        _ => unread(directory, error),
    })?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unread(directory, error))?.path();
        let is_table = path.extension().is_some_and(|end| end == "json" || end == "csv" || end == "toml");
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| is_table) else { continue };
        let about = fs::metadata(&path).map_err(|error| unread(&path, error))?;
        if !about.is_file() {
            continue;
        }
        if about.len() > BYTES_MAX {
            return Err((Exit::Wrong, format!("`{}` is longer than {} MiB", path.display(), BYTES_MAX >> 20)));
        }
        let bytes = fs::read(&path).map_err(|error| unread(&path, error))?;
        files.push(File { name: name.into(), bytes });
    }
    Ok(files)
}

/// Writes a file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?.to_string_lossy();
    let sibling = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let written = fs::write(&sibling, bytes).and_then(|()| fs::rename(&sibling, path));
    if written.is_err() {
        let _ = fs::remove_file(&sibling);
    }
    written
}
