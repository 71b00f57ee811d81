//! The binary: what the user types, sees and is told by the exit code.
//!
//! Only here are there arguments, a terminal, a wall clock, signals, an environment and a disk; the library is handed texts and
//! callbacks, and hands back bytes. Every command is a file and ends in an [`Exit`].

mod args;
mod ask;
mod catalogue;
mod check;
mod compare;
mod completions;
mod designed;
mod destination;
mod directory;
mod exit;
mod explain;
mod export;
mod files;
mod init;
mod interrupt;
mod keep;
mod list;
mod look;
mod merge;
mod output;
mod plot;
mod progress;
mod rank;
mod replay;
mod report;
mod run;
mod scenario;
mod store;
mod sweep;
mod terminal;
mod trace;
mod trace_export;
mod tune;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use rehearsal::scenario::reference::Reference;

use args::{Cli, Command};
use exit::Exit;
use terminal::Terminal;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(other) => return answer(&other).into(),
    };
    let terminal = Terminal::new(cli.color, cli.charset);
    let exit = match cli.command {
        Command::Run(args) => run::run(terminal, &args),
        Command::Compare(args) => compare::compare(terminal, &args),
        Command::Sweep(args) => sweep::sweep(terminal, &args),
        Command::Tune(args) => tune::tune(terminal, &args),
        Command::Merge(args) => merge::merge(terminal, &args),
        Command::Plot(args) => plot::plot(terminal, &args),
        Command::Export(args) => export::export(terminal, &args),
        Command::Report(args) => report::report(terminal, &args),
        Command::Trace(args) => trace::trace(terminal, &args),
        Command::Check(args) => check::check(terminal, &args),
        Command::Verify(args) => verify::verify(terminal, &args),
        Command::Init(args) => init::init(terminal, &args),
        Command::List(args) => list::list(terminal, &args),
        Command::Explain(args) => explain::explain(terminal, &args),
        Command::Schema => terminal.print(Reference::new().json_schema()),
        Command::Completions(args) => completions::completions(terminal, &args),
    };
    exit.into()
}

/// Says what the parser found instead of a command: a mistake, or a wish for help.
fn answer(other: &clap::Error) -> Exit {
    let wanted = !other.use_stderr();
    match other.print() {
        Err(error) if wanted && error.kind() != std::io::ErrorKind::BrokenPipe => Exit::File,
        _ if wanted => Exit::Well,
        _ => Exit::Wrong,
    }
}
