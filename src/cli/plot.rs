//! `plot`: draws the plots of a report that was stored, from its tables, without playing anything.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use rehearsal::report::{File, PLOTTED, plots_of};

use super::directory::{Directory, Refusal};
use super::exit::Exit;
use super::terminal::Terminal;

/// Draws the plots of a stored report anew, from its tables
///
/// The plots in the report's directory are replaced, and equal those that the report was written with. Nothing is played.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal run checkout.toml -o out
  rehearsal plot out                                     draws out/plots anew
  rehearsal plot out -o pictures                         draws them into pictures/")]
pub struct Plot {
    /// The directory that `run -o` wrote
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub report: PathBuf,
    /// Write the plots into this directory instead
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    /// Replace plots that are there; only with `-o`
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// Why there are no plots.
enum Trouble {
    /// What is stored is no report, or is damaged.
    Report(String),
    /// A file cannot be read.
    Unread(PathBuf, io::Error),
    /// The plots cannot be written.
    Unwritten(Refusal),
}

/// Draws the plots of a report.
pub fn plot(terminal: Terminal, args: &Plot) -> Exit {
    let trouble = match draw(args) {
        Ok((path, count)) => {
            terminal.note(&format!("{count} plots are in `{}`, as SVG and PNG", path.display()));
            return Exit::Well;
        }
        Err(trouble) => trouble,
    };
    let (message, exit) = match trouble {
        Trouble::Report(message) => (message, Exit::Wrong),
        Trouble::Unread(path, error) => (format!("cannot read `{}`: {error}", path.display()), Exit::File),
        Trouble::Unwritten(refusal) => (refusal.to_string(), Exit::File),
    };
    terminal.complain(&message);
    exit
}

/// Writes the plots: where to, and how many.
fn draw(args: &Plot) -> Result<(PathBuf, usize), Trouble> {
    let tables = read(&args.report)?;
    let plots = plots_of(&tables)
        .map_err(|error| Trouble::Report(format!("`{}` cannot be drawn: {error}", args.report.display())))?;
    let plain = |file: File| File { name: file.name.rsplit('/').next().unwrap_or_default().to_owned(), ..file };
    let plots: Vec<File> = plots.into_iter().map(plain).collect();
    // A report's own plots are made to be replaced.
    let (path, force) = match &args.output {
        Some(output) => (output.clone(), args.force),
        None => (args.report.join("plots"), true),
    };
    let directory = Directory::claim_for_plots(&path, force).map_err(Trouble::Unwritten)?;
    directory.fill(&plots).map_err(Trouble::Unwritten)?;
    Ok((path, plots.len() / 2))
}

/// The tables of a stored report.
fn read(report: &Path) -> Result<Vec<File>, Trouble> {
    std::fs::read_dir(report).map_err(|error| Trouble::Unread(report.into(), error))?;
    let mut tables = Vec::new();
    for name in PLOTTED {
        let path = report.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => tables.push(File { name: name.into(), bytes }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Trouble::Unread(path, error)),
        }
    }
    if tables.is_empty() {
        return Err(Trouble::Report(format!("`{}` holds no report that `run -o` wrote", report.display())));
    }
    Ok(tables)
}
