//! `init`: a scenario to start from.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::args::Init;
use super::exit::Exit;
use super::terminal::Terminal;

const STARTER: &str = include_str!("starter.toml");

/// Writes the starter, unless there is a file already.
pub fn init(terminal: Terminal, args: &Init) -> Exit {
    let file = &args.file;
    if file == Path::new("-") {
        return terminal.print(STARTER);
    }
    let complain = |message: &str| {
        terminal.complain(message);
        Exit::File
    };
    let mut new = match File::create_new(file) {
        Ok(new) => new,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return complain(&format!("`{}` exists already and is left as it is", file.display()));
        }
        Err(error) => return complain(&format!("cannot write `{}`: {error}", file.display())),
    };
    if let Err(error) = new.write_all(STARTER.as_bytes()) {
        drop(new);
        let _ = std::fs::remove_file(file);
        return complain(&format!("cannot write `{}`: {error}", file.display()));
    }
    terminal.say(format!("wrote {0}; now try\n\n  rehearsal run {0}\n", file.display()))
}
