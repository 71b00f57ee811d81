//! The language described to people and editors, made from the types and comments of [`schema`](super::schema).
//!
//! One description serves all: the JSON Schema for editors, `explain` for the terminal, the reference page, and the advice
//! where a misplaced key belongs.

mod early;
mod explain;
mod export;
mod page;
mod shape;

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::schema::Scenario;
use shape::{Definition, Shape};

/// The language, described.
#[derive(Clone, PartialEq, Debug)]
pub struct Reference {
    /// The JSON Schema of the types, nearly as `schemars` makes it.
    schema: Value,
    /// The top of a scenario, then every type in the order in which it is first mentioned.
    definitions: Vec<Definition>,
}

/// What the definition of a whole scenario is called.
const TOP: &str = "Scenario";

impl Default for Reference {
    fn default() -> Self {
        Self::new()
    }
}

impl Reference {
    /// Describes the language.
    pub fn new() -> Self {
        let generator = SchemaSettings::draft2020_12().into_generator();
        let mut schema = generator.into_root_schema_for::<Scenario>().to_value();
        export::normalise(&mut schema);
        let mut definitions = vec![Definition::read(TOP, &schema)];
        let types = schema.get("$defs").and_then(Value::as_object).into_iter().flatten();
        definitions.extend(types.map(|(name, schema)| Definition::read(name, schema)));
        Self { schema, definitions }
    }

    /// The JSON Schema of a scenario, as text.
    pub fn json_schema(&self) -> String {
        export::json_schema(&self.schema)
    }

    /// The tables that own `key`, as a user would write their headers.
    pub fn homes(&self, key: &str) -> Vec<String> {
        let owns = |definition: &&Definition| definition.keys().any(|own| own.name == key);
        self.definitions.iter().filter(owns).map(|definition| self.header(definition)).collect()
    }

    /// The names under which one of several things is chosen that has `key` among its settings.
    pub fn owners(&self, key: &str) -> Vec<String> {
        let mut owners = Vec::new();
        for (tag, tables) in self.definitions.iter().flat_map(Definition::tags) {
            if tables.into_iter().flatten().any(|own| own.name == key) && !owners.contains(tag) {
                owners.push(tag.clone());
            }
        }
        owners
    }

    /// Every name that stands for something: keys of tables, words, and the settings of what is chosen by a word.
    pub fn names(&self) -> BTreeSet<&str> {
        let keys = self.definitions.iter().flat_map(|definition| definition.keys().map(|key| key.name.as_str()));
        let tags = self.definitions.iter().flat_map(Definition::tags);
        let tags = tags.flat_map(|(tag, tables)| {
            let settings = tables.into_iter().flatten().map(|key| key.name.as_str());
            std::iter::once(tag.as_str()).chain(settings)
        });
        let words = self.definitions.iter().flat_map(Definition::words);
        keys.chain(tags).chain(words).collect()
    }

    fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.name == name)
    }

    /// How the table of `definition` is headed in a scenario; the type's name if it has no header.
    fn header(&self, definition: &Definition) -> String {
        if definition.name == TOP {
            return "the top of a scenario".into();
        }
        let way = self.way_to(&definition.name);
        way.map_or_else(|| format!("a {}", kebab(&definition.name)), |way| format!("[{}]", way.join(".")))
    }

    /// The keys from the top to the table called `name`, with NAME for the user's names. No table contains itself.
    fn way_to(&self, name: &str) -> Option<Vec<String>> {
        if name == TOP {
            return Some(Vec::new());
        }
        self.definitions.iter().find_map(|definition| {
            let (key, names) = definition.keys().find_map(|key| match &key.shape {
                Shape::Ref(target) if target == name => Some((key, 0)),
                Shape::Map(inner) if matches!(inner.as_ref(), Shape::Ref(target) if target == name) => Some((key, 1)),
                _ => None,
            })?;
            let mut way = self.way_to(&definition.name)?;
            way.push(key.name.clone());
            way.extend(std::iter::repeat_n("NAME".to_owned(), names));
            Some(way)
        })
    }
}

/// A type's name as the language would spell it.
fn kebab(name: &str) -> String {
    let mut spelled = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !spelled.is_empty() {
            spelled.push('-');
        }
        spelled.extend(letter.to_lowercase());
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_at_home_in_the_table_that_owns_it() {
        let reference = Reference::new();
        assert_eq!(reference.homes("runs"), ["[run]"]);
        assert_eq!(reference.homes("timeout"), ["[policies.NAME]"]);
        assert_eq!(reference.homes("weight"), ["[clients.NAME.mix.NAME]", "a way"]);
        assert_eq!(reference.homes("call"), ["a step"]);
        assert_eq!(reference.homes("expect"), ["the top of a scenario"]);
        assert_eq!(reference.homes("linger"), ["[policies.NAME]"]);
        assert_eq!(reference.homes("jitters"), [""; 0]);
    }
}
