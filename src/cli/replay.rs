//! The command that plays a scenario again.

use std::path::Path;

use super::args::Run;

/// What was typed of what decides how this file is played, and the seed; nothing where the file's name is no text.
pub fn command(args: &Run, file: &Path, seed: u64) -> Option<Vec<String>> {
    let changes = &args.changes;
    let file = file.to_str()?;
    let file = if file.starts_with('-') && file != "-" { format!("./{file}") } else { file.to_owned() };
    let mut words = vec!["rehearsal".to_owned(), "run".to_owned(), file];
    let mut flag = |name: &str, value: String| match value.starts_with('-') {
        true => words.push(format!("{name}={value}")),
        false => words.extend([name.to_owned(), value]),
    };
    changes.variant.iter().for_each(|variant| flag("--variant", variant.clone()));
    changes.sets.iter().for_each(|set| flag("--set", set.clone()));
    flag("--seed", seed.to_string());
    changes.runs.iter().for_each(|runs| flag("--runs", runs.clone()));
    args.run.iter().for_each(|run| flag("--run", run.to_string()));
    Some(words)
}
