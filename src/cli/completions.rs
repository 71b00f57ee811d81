//! `completions`: what a shell has to know to complete our command lines.

use clap::CommandFactory;

use super::args::{Cli, Completions};
use super::exit::Exit;
use super::terminal::Terminal;

/// Prints the completions for a shell.
pub fn completions(terminal: Terminal, args: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rehearsal", &mut script);
    terminal.print(script)
}
