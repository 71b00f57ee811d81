//! Named tables that start from others of their section: `[policies.x] extends = "default"`.

use super::layer;
use super::origin::Texts;
use super::tree::{Table, Value};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::nearest::{nearest, one_of};

/// The sections whose tables bear names, outer ones before those inside them; `*` is any name.
pub(super) const NAMED: &[&[&str]] = &[
    &["policies"],
    &["links"],
    &["clients"],
    &["clients", "*", "mix"],
    &["services"],
    &["services", "*", "ops"],
    &["balancers"],
    &["stores"],
    &["brokers"],
    &["exchanges"],
    &["queues"],
    &["topics"],
    &["consumers"],
    &["faults"],
];

/// Replaces every `extends` in the named sections by what it stands for.
pub(super) fn inherit_everywhere(tree: &mut Table, texts: &Texts, mistakes: &mut Vec<Diagnostic>) {
    for section in NAMED {
        each_section(tree, section, &mut |table, name| inherit(table, name, texts, mistakes));
    }
}

fn each_section(table: &mut Table, way: &[&str], visit: &mut dyn FnMut(&mut Table, &str)) {
    match way {
        [] => {}
        ["*", rest @ ..] => {
            for (_, value) in table.iter_mut() {
                if let Some(inner) = value.as_table_mut() {
                    each_section(inner, rest, visit);
                }
            }
        }
        [name, rest @ ..] => {
            if let Some(inner) = table.get_mut(name).and_then(Value::as_table_mut) {
                match rest {
                    [] => visit(inner, name),
                    _ => each_section(inner, rest, visit),
                }
            }
        }
    }
}

/// Replaces every `extends` among the tables of one section.
pub(super) fn inherit(section: &mut Table, kind: &str, texts: &Texts, mistakes: &mut Vec<Diagnostic>) {
    let names: Vec<_> = section.names().map(str::to_owned).collect();
    let mut heritage = Heritage { kind, texts, mistakes, open: Vec::new() };
    for name in names {
        heritage.resolve(section, &name);
    }
}

struct Heritage<'a> {
    kind: &'a str,
    texts: &'a Texts,
    mistakes: &'a mut Vec<Diagnostic>,
    /// The tables being resolved: who extends whom.
    open: Vec<String>,
}

impl Heritage<'_> {
    /// Makes the table `name` whole. Afterwards it has no `extends`, even after a mistake.
    fn resolve(&mut self, section: &mut Table, name: &str) {
        let Some(table) = section.get_mut(name).and_then(Value::as_table_mut) else { return };
        let Some((_, parents)) = table.remove("extends") else {
            self.refuse_lone_remove(table);
            return;
        };
        let own = std::mem::take(table);
        self.open.push(name.to_owned());
        let mut base = Table::default();
        let parents: Vec<_> = layer::strings("extends", &parents, self.mistakes).collect();
        for (parent, value) in parents {
            if self.open.iter().any(|open| open == parent) {
                self.refuse_cycle(parent, value);
                continue;
            }
            self.resolve(section, parent);
            match section.get(parent).and_then(Value::as_table) {
                Some(parent) => layer::merge(&mut base, parent.clone()),
                None => self.refuse_unknown(section, parent, value),
            }
        }
        self.open.pop();
        layer::lay(&mut base, own, self.texts, self.mistakes);
        *section.get_mut(name).and_then(Value::as_table_mut).expect("it was there before") = base;
    }

    fn refuse_lone_remove(&mut self, table: &mut Table) {
        if let Some((key, _)) = table.remove("remove") {
            self.mistakes.push(
                Diagnostic::error("there is nothing to remove from: this table extends no other")
                    .at(key.origin, "")
                    .help("`remove` at the top of a file deletes from the files it extends"),
            );
        }
    }

    fn refuse_cycle(&mut self, parent: &str, value: &Value) {
        let start = self.open.iter().position(|open| open == parent).unwrap_or(0);
        self.mistakes.push(
            Diagnostic::error(format!("tables of [{}] extend each other in a circle", self.kind))
                .at(value.origin, "closes the circle")
                .help(format!("{} -> {parent}", self.open[start..].join(" -> "))),
        );
    }

    fn refuse_unknown(&mut self, section: &Table, parent: &str, value: &Value) {
        let others: Vec<_> = section.names().filter(|name| !self.open.iter().any(|open| open == name)).collect();
        let help = match nearest(parent, others.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None => (!others.is_empty()).then(|| format!("there is {}", one_of(&others))),
        };
        self.mistakes.push(
            Diagnostic::error(format!("there is no [{}.{parent}] to extend", self.kind))
                .at(value.origin, "")
                .help_if(help),
        );
    }
}
