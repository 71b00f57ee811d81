//! From a file that the user names to a plan, with everything that is wrong said on the way.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rehearsal::experiment::RunError;
use rehearsal::scenario::document::{Document, Texts};
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Diagnostic, Mistakes, Overrides, Scenario, Severity};

use super::exit::Exit;
use super::files::Files;
use super::terminal::Terminal;

/// A scenario that can be played.
pub struct Prepared {
    /// What is played.
    pub plan: Plan,
    /// What it was planned from.
    pub document: Document,
    /// Where that was written.
    pub texts: Texts,
    /// The files of data that it names.
    pub data: BTreeSet<PathBuf>,
}

/// Reads and plans a scenario.
pub fn prepare(files: &Files, named: &Path, overrides: &Overrides) -> Result<Prepared, Mistakes> {
    files.take_data();
    let loaded = Scenario::load(files, &Files::path(named), overrides)?;
    let (document, texts) = (loaded.document.clone(), loaded.texts.clone());
    let mut plan = Plan::new(loaded)?;
    plan.variant.clone_from(&overrides.variant);
    Ok(Prepared { plan, document, texts, data: files.take_data() })
}

/// Says what is wrong.
pub fn refuse(terminal: Terminal, mistakes: &Mistakes) -> Exit {
    terminal.note(&format!("{}\n", mistakes.render(terminal.mistake_style())));
    let is_unreadable = mistakes.diagnostics.iter().any(|mistake| mistake.severity == Severity::Unreadable);
    if is_unreadable { Exit::File } else { Exit::Wrong }
}

/// A scenario's warnings as mistakes, if there are any.
pub fn strictly(prepared: Prepared) -> Result<Prepared, Mistakes> {
    if prepared.plan.warnings.is_empty() {
        return Ok(prepared);
    }
    let refused = |warning| Diagnostic { severity: Severity::Error, ..warning };
    let diagnostics = prepared.plan.warnings.into_iter().map(refused).collect();
    Err(Mistakes { diagnostics, texts: prepared.texts })
}

/// Says what is doubtful.
pub fn warn(terminal: Terminal, prepared: &Prepared) {
    for warning in &prepared.plan.warnings {
        terminal.note(&format!("{}\n", warning.render(&prepared.texts, terminal.mistake_style())));
    }
}

/// Says why there is no result of what was played.
pub fn stopped(terminal: Terminal, what: &str, error: &RunError) -> Exit {
    let exit = match error {
        RunError::Interrupted => return Exit::Interrupted,
        RunError::TooManyEvents(_) => Exit::Wrong,
        RunError::Trace(_) => Exit::File,
        RunError::Imbalance(_) => Exit::Defect,
    };
    terminal.complain(&format!("{what}: {error}"));
    exit
}
