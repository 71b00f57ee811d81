//! `check`: says what is wrong with scenarios, without playing them.

use std::path::Path;

use rehearsal::scenario::document::{Key, Value};
use rehearsal::scenario::{Diagnostic, Overrides};

use super::args::Check;
use super::designed::try_ends;
use super::exit::Exit;
use super::files::Files;
use super::scenario::{Prepared, prepare, refuse, strictly, warn};
use super::terminal::Terminal;

/// Checks every file as it stands, or as the flags change it, and with each of its variants.
pub fn check(terminal: Terminal, args: &Check) -> Exit {
    let files = Files::default();
    args.files.iter().map(|file| check_file(terminal, args, &files, file)).max().unwrap_or(Exit::Well)
}

fn check_file(terminal: Terminal, args: &Check, files: &Files, file: &Path) -> Exit {
    let overrides = args.changes.overrides();
    let (chosen, mut exit) = match try_plan(terminal, args, files, file, &overrides) {
        Ok(prepared) => (prepared, Exit::Well),
        Err(exit) => return exit,
    };
    exit = exit.max(try_ends(terminal, files, file, &args.changes.overrides(), &chosen));
    let mut variants = Vec::new();
    if overrides.variant.is_none() {
        variants.extend(chosen.document.variants.iter().cloned());
    }
    for variant in &variants {
        let overrides = Overrides { variant: Some(variant.name.clone()), ..overrides.clone() };
        // What is doubtful about the base was said before.
        let mistakes = prepare(files, file, &overrides).and_then(|mut prepared| {
            if is_same(&prepared, &chosen) {
                let message = format!("variant `{}` changes nothing that is used", variant.name);
                prepared.plan.warnings.push(Diagnostic::warning(message).at(variant.origin, ""));
            }
            prepared.plan.warnings.retain(|warning| !chosen.plan.warnings.contains(warning));
            if args.strict {
                return strictly(prepared);
            }
            if !prepared.plan.warnings.is_empty() {
                terminal.note(&format!("in variant `{}` of {}:", variant.name, file.display()));
                warn(terminal, &prepared);
            }
            Ok(prepared)
        });
        if let Err(mistakes) = mistakes {
            terminal.note(&format!("in variant `{}` of {}:", variant.name, file.display()));
            exit = exit.max(refuse(terminal, &mistakes));
        }
    }
    if exit != Exit::Well {
        return exit;
    }
    match args.show {
        true => terminal.print(chosen.document.print(Some(&chosen.texts))),
        false => terminal.say(summary(file, &chosen, &variants)),
    }
}

/// Whether two variants of a scenario say the same, but for the title and what neither of them uses.
fn is_same(one: &Prepared, other: &Prepared) -> bool {
    let said = |prepared: &Prepared| {
        let mut document = prepared.document.clone();
        document.tree.remove("title");
        for (section, name) in one.plan.unused.iter().filter(|unused| other.plan.unused.contains(unused)) {
            if let Some(table) = document.tree.get_mut(section).and_then(Value::as_table_mut) {
                table.remove(name);
            }
        }
        document.print(None)
    };
    said(one) == said(other)
}

fn try_plan(
    terminal: Terminal,
    args: &Check,
    files: &Files,
    file: &Path,
    overrides: &Overrides,
) -> Result<Prepared, Exit> {
    let prepared = prepare(files, file, overrides);
    let prepared = prepared.and_then(|prepared| if args.strict { strictly(prepared) } else { Ok(prepared) });
    let prepared = prepared.map_err(|mistakes| refuse(terminal, &mistakes))?;
    warn(terminal, &prepared);
    Ok(prepared)
}

/// One line that says that all is well.
fn summary(file: &Path, prepared: &Prepared, variants: &[Key]) -> String {
    let count = |count: usize, one: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") };
    let mut facts = vec![count(prepared.plan.expectations.len(), "expectation")];
    if !variants.is_empty() {
        facts.push(count(variants.len(), "variant"));
    }
    if !prepared.plan.warnings.is_empty() {
        facts.push(count(prepared.plan.warnings.len(), "warning"));
    }
    format!("{}: fine, {}\n", file.display(), facts.join(", "))
}
