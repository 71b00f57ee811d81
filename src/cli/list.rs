//! `list`: what scenarios can use, a line each.

use clap::ValueEnum;

use super::args::List;
use super::catalogue::Kind;
use super::exit::Exit;
use super::terminal::Terminal;

/// Lists one kind, or all.
pub fn list(terminal: Terminal, args: &List) -> Exit {
    let kinds = args.kind.as_ref().map_or(Kind::value_variants(), std::slice::from_ref);
    let blocks: Vec<_> = kinds.iter().map(|kind| block(*kind)).collect();
    terminal.say(format!("{}\n`rehearsal explain NAME` says more.\n", blocks.join("\n")))
}

fn block(kind: Kind) -> String {
    let value = kind.to_possible_value().expect("no kind is hidden");
    let mut text = format!("{} ({})\n", value.get_name(), kind.place());
    let items = kind.items();
    let width = items.iter().map(|item| item.name.chars().count()).max().unwrap_or(0);
    for item in items {
        text.push_str(&format!("  {:width$}  {}\n", item.name, item.summary));
    }
    text
}
