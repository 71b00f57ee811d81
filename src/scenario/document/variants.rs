//! Variants: named changes of which at most one is chosen.

use super::layer;
use super::origin::{Origin, Texts};
use super::tree::{Data, Key, Table, Value};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::nearest::{nearest, one_of};

/// Takes `[variants]` out of `tree`, lays the chosen one over it, and returns the names of all.
pub(super) fn choose(
    tree: &mut Table,
    chosen: Option<&str>,
    texts: &mut Texts,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<Key> {
    let variants = match tree.remove("variants").map(|(_, value)| value) {
        None => Table::default(),
        Some(Value { data: Data::Table(variants), .. }) => variants,
        Some(other) => {
            let found = format!("[variants] is a table of named tables, found {}", other.describe());
            mistakes.push(Diagnostic::error(found).at(other.origin, ""));
            return Vec::new();
        }
    };
    for (key, value) in variants.iter().filter(|(_, value)| value.as_table().is_none()) {
        let found = format!("variant `{}` is a table of changes, found {}", key.name, value.describe());
        mistakes.push(Diagnostic::error(found).at(value.origin, ""));
    }
    if let Some(chosen) = chosen {
        const FLAG: &str = "--variant ";
        let text = texts.add_flag(format!("{FLAG}{chosen}"));
        let named_at = text.at(FLAG.len()..FLAG.len() + chosen.len());
        Choice { variants: &variants, texts, mistakes, open: Vec::new() }.lay(tree, chosen, named_at);
    }
    variants.iter().map(|(key, _)| key.clone()).collect()
}

struct Choice<'a> {
    variants: &'a Table,
    texts: &'a Texts,
    mistakes: &'a mut Vec<Diagnostic>,
    /// The variants being laid: who extends whom.
    open: Vec<String>,
}

impl Choice<'_> {
    /// Lays the variants that `name` extends over `tree`, then its own changes.
    fn lay(&mut self, tree: &mut Table, name: &str, named_at: Origin) {
        if self.open.iter().any(|open| open == name) {
            let circle = format!("{} -> {name}", self.open.join(" -> "));
            let mistake = Diagnostic::error("variants extend each other in a circle");
            self.mistakes.push(mistake.at(named_at, "closes the circle").help(circle));
            return;
        }
        let Some(variant) = self.variants.get(name) else {
            self.mistakes.push(self.unknown(name, named_at));
            return;
        };
        let Some(mut own) = variant.as_table().cloned() else { return };
        self.open.push(name.to_owned());
        if let Some((_, parents)) = own.remove("extends") {
            let parents: Vec<_> = layer::strings("extends", &parents, self.mistakes).collect();
            for (parent, value) in parents {
                self.lay(tree, parent, value.origin);
            }
        }
        self.open.pop();
        layer::lay(tree, own, self.texts, self.mistakes);
    }

    fn unknown(&self, name: &str, named_at: Origin) -> Diagnostic {
        let names: Vec<_> = self.variants.names().collect();
        let help = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "the scenario has no variants".into(),
            None => format!("there is {}", one_of(&names)),
        };
        Diagnostic::error(format!("there is no variant `{name}`")).at(named_at, "").help(help)
    }
}
