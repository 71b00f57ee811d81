//! The scenario as it is written at a point, which is what constraints are about.

use std::cell::OnceCell;

use super::{Design, Point};
use crate::scenario::document::{Data, Document, Path, Quoted, Table, Texts, Value, parameter};

/// The values of a scenario at a point: with what tables extend, and with what parameters stand for.
pub(super) struct Written<'a> {
    design: &'a Design,
    point: &'a Point,
    texts: &'a Texts,
    /// Put together where a constraint is about what is not varied itself.
    tree: OnceCell<Table>,
}

impl<'a> Written<'a> {
    pub(super) fn new(design: &'a Design, point: &'a Point, texts: &'a Texts) -> Self {
        Self { design, point, texts, tree: OnceCell::new() }
    }

    /// What stands at a dotted path, unless it is a table.
    pub(super) fn value(&self, path: &str) -> Option<Value> {
        let varied = self.design.level(self.point, path).filter(|value| parameter(value).is_none());
        let value = varied.or_else(|| value_at(self.tree(), path).cloned())?;
        (!matches!(value.data, Data::Table(_))).then_some(value)
    }

    fn tree(&self) -> &Table {
        let Self { design, point, texts, tree } = self;
        tree.get_or_init(|| {
            // Tables extend others of their section, so the rest may be left out.
            let paths = || design.constraints.iter().flat_map(|constraint| constraint.paths());
            let is_asked = |name: &str| name == "params" || paths().any(|path| path.starts_with(name));
            let sections = design.base.iter().filter(|(key, _)| is_asked(&Quoted(&key.name).to_string()));
            let sections = sections.map(|(key, value)| (key.clone(), value.clone())).collect();
            Document::lay_over(sections, design.settings(point), texts)
        })
    }
}

/// The value at a dotted path.
fn value_at<'t>(tree: &'t Table, path: &str) -> Option<&'t Value> {
    let meant = |value: &'t Value| match parameter(value) {
        Some(name) => tree.get("params")?.as_table()?.get(name),
        None => Some(value),
    };
    let path = Path::parse(path).ok()?;
    let (last, way) = path.segments().split_last()?;
    let mut table = tree;
    for segment in way {
        table = meant(table.get(&segment.name)?)?.as_table()?;
    }
    meant(table.get(&last.name)?)
}

/// The parameter that stands at a path, or for a table on the way there.
pub(super) fn parameter_at<'t>(tree: &'t Table, path: &[&str]) -> Option<&'t str> {
    let (first, rest) = path.split_first()?;
    let value = tree.get(first)?;
    parameter(value).or_else(|| parameter_at(value.as_table()?, rest))
}

/// The dotted paths of all values in a tree.
pub(super) fn paths(tree: &Table) -> Vec<String> {
    let mut paths = Vec::new();
    for (key, value) in tree.iter() {
        let name = Quoted(&key.name).to_string();
        match &value.data {
            Data::Table(inner) => paths.extend(self::paths(inner).into_iter().map(|path| format!("{name}.{path}"))),
            _ => paths.push(name),
        }
    }
    paths
}
