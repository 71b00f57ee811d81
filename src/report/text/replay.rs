//! The commands that play it again.

use crate::experiment::Results;
use crate::report::shell;
use crate::report::style::{Role, Style, left, size};

/// What was typed, and for each run that broke what every run has to keep to, the command that plays it alone. Commands are never cut:
/// where one has no room, it goes on in the next line as a shell reads it.
pub(super) fn lines(results: &Results, command: &[String], style: Style) -> Vec<String> {
    let mut commands = vec![("replay".to_owned(), command.to_vec())];
    let mut broken: Vec<u32> = results.judgements.iter().filter_map(|judgement| judgement.broken_by).collect();
    broken.sort_unstable();
    broken.dedup();
    commands.extend(broken.into_iter().map(|run| {
        let alone = ["--run".to_owned(), run.to_string()];
        (format!("run {run}"), [command, &alone].concat())
    }));
    let name = commands.iter().map(|(name, _)| size(name)).max().unwrap_or(0);
    let lines = commands.iter().flat_map(|(label, command)| {
        let words: Vec<_> = command.iter().map(|word| shell::word(word, style.charset)).collect();
        let label = style.paint(Role::Quiet, &left(label, name));
        let starts = std::iter::once(label).chain(std::iter::repeat(" ".repeat(name)));
        let lines = continued(&words, style.width.saturating_sub(name + 2));
        starts.zip(lines).map(|(start, line)| format!("{start}  {line}")).collect::<Vec<_>>()
    });
    lines.collect()
}

/// Words in lines that end in a backslash where more of them follow; each flag stands before what it is given.
fn continued(words: &[String], width: usize) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut is_flag = false;
    for word in words {
        match parts.last_mut() {
            Some(flag) if is_flag => *flag += &format!(" {word}"),
            _ => parts.push(word.clone()),
        }
        is_flag = word.starts_with("--") && !word.contains('=');
    }
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if size(line) + 1 + size(&part) + 2 <= width => *line += &format!(" {part}"),
            Some(line) => {
                *line += " \\";
                lines.push(format!("  {part}"));
            }
            None => lines.push(part),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_go_on_in_the_next_line() {
        let words: Vec<String> = ["rehearsal", "run", "checkout.toml", "--seed", "42"].map(Into::into).into();
        assert_eq!(continued(&words, 80), ["rehearsal run checkout.toml --seed 42"]);
        assert_eq!(continued(&words, 31), [r"rehearsal run checkout.toml \", "  --seed 42"]);
        let narrow = [r"rehearsal \", r"  run \", r"  checkout.toml \", "  --seed 42"];
        assert_eq!(continued(&words, 9), narrow, "a flag stands beside its value");
    }
}
