//! Everything that a scenario says somewhere, in its variants too: what one of them uses is not unused.

use std::collections::BTreeSet;

use super::tree::{Data, Key, Table, Value};

/// The words of a scenario, each with the key that it stands under.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mentions {
    /// Keys of tables, under the key of the table.
    keys: BTreeSet<(String, String)>,
    /// Strings, under the key they are the value of.
    texts: BTreeSet<(String, String)>,
}

impl Mentions {
    /// Adds all that stands in `table`.
    pub(super) fn add(&mut self, table: &Table) {
        self.table("", table);
    }

    /// Adds one entry of the whole scenario.
    pub(super) fn add_entry(&mut self, key: &Key, value: &Value) {
        self.keys.insert((String::new(), key.name.clone()));
        self.value(&key.name, value);
    }

    /// Whether `word` stands under `key`, as a string or as the key of a table there.
    pub fn has(&self, key: &str, word: &str) -> bool {
        let pair = (key.to_owned(), word.to_owned());
        self.texts.contains(&pair) || self.keys.contains(&pair)
    }

    /// Whether some table has this key.
    pub fn has_key(&self, key: &str) -> bool {
        self.keys.iter().any(|(_, known)| known == key)
    }

    /// Whether some string other than a title holds this name.
    pub fn names(&self, name: &str) -> bool {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let holds = |text: &str| text.split(|letter| !is_part(letter)).any(|word| word == name);
        self.texts.iter().any(|(key, text)| key != "title" && holds(text))
    }

    fn table(&mut self, under: &str, table: &Table) {
        for (key, value) in table.iter() {
            self.keys.insert((under.to_owned(), key.name.clone()));
            self.value(&key.name, value);
        }
    }

    fn value(&mut self, key: &str, value: &Value) {
        match &value.data {
            Data::String(text) => _ = self.texts.insert((key.to_owned(), text.clone())),
            Data::Array(items) => items.iter().for_each(|item| self.value(key, item)),
            Data::Table(table) => self.table(key, table),
            Data::Integer(_) | Data::Float(_) | Data::Boolean(_) => {}
        }
    }
}
