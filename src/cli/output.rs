//! A file that the user names: there whole or not at all. Without one, the standard output.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::terminal::Terminal;

/// Where something is to be written.
pub struct Output<'a> {
    terminal: Terminal,
    path: Option<&'a Path>,
}

impl<'a> Output<'a> {
    /// A file that is not there yet, or may be replaced; the standard output if none is named.
    pub fn claim(terminal: Terminal, path: Option<&'a Path>, force: bool) -> Result<Self, Exit> {
        if let Some(path) = path.filter(|path| path.exists() && !force) {
            let path = path.display();
            terminal.complain(&format!("`{path}` is there already: name another file, or `--force` to replace it"));
            return Err(Exit::File);
        }
        Ok(Self { terminal, path })
    }

    /// Has it written.
    pub fn fill(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Exit> {
        let Some(path) = self.path else {
            let mut out = BufWriter::new(io::stdout().lock());
            return match write(&mut out).and_then(|()| out.flush()) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    self.terminal.complain(&format!("cannot write to the standard output: {error}"));
                    Err(Exit::File)
                }
                _ => Ok(()),
            };
        };
        // What is no file of its own, such as a pipe or a device, is written into.
        let is_plain = fs::symlink_metadata(path).map_or(true, |there| there.is_file());
        let partial = if is_plain { partial(path) } else { path.to_owned() };
        let written = File::create(&partial).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.flush()
        });
        let placed = written.and_then(|()| if is_plain { fs::rename(&partial, path) } else { Ok(()) });
        placed.map_err(|error| {
            if is_plain {
                let _ = fs::remove_file(&partial);
            }
            self.terminal.complain(&format!("cannot write `{}`: {error}", path.display()));
            Exit::File
        })
    }
}

/// Where a file is written before it has its name.
fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}
