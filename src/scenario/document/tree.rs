//! The tree a scenario is read into: what TOML can say, and where each key and each value was said.

use super::origin::Origin;

/// A value and its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    /// Where it was written.
    pub origin: Origin,
    /// Where a `"$name"` stood that this value replaced.
    pub through: Option<Origin>,
    /// What was written.
    pub data: Data,
}

/// What a value can be.
#[derive(Clone, PartialEq, Debug)]
pub enum Data {
    /// A string.
    String(String),
    /// A whole number.
    Integer(i64),
    /// A number with a point or an exponent.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A list.
    Array(Vec<Value>),
    /// A table, inline or under a header.
    Table(Table),
}

/// A key and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// The key without quotes.
    pub name: String,
    /// Where it was written, first.
    pub origin: Origin,
}

/// A table: keys in the order in which they were written, each once.
///
/// The order is kept for output and carries no meaning. Lookups are linear: scenario tables are short.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    entries: Vec<(Key, Value)>,
}

impl Value {
    /// A value written at `origin`.
    pub fn new(origin: Origin, data: Data) -> Self {
        Self { origin, through: None, data }
    }

    /// The table, if it is one.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.data {
            Data::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub fn as_table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.data {
            Data::Table(table) => Some(table),
            _ => None,
        }
    }

    /// What kind of value this is, for messages: `the integer 3`.
    pub fn describe(&self) -> String {
        match &self.data {
            Data::String(text) => format!("the string {text:?}"),
            Data::Integer(number) => format!("the number {number}"),
            Data::Float(number) => format!("the number {number}"),
            Data::Boolean(value) => format!("`{value}`"),
            Data::Array(_) => "a list".into(),
            Data::Table(_) => "a table".into(),
        }
    }
}

impl Table {
    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Value)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The entries in order, values open to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Value)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The keys in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| key.name.as_str())
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    /// The value of `name`, open to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.entries.iter_mut().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    /// Takes `name` out.
    pub fn remove(&mut self, name: &str) -> Option<(Key, Value)> {
        let place = self.entries.iter().position(|(key, _)| key.name == name)?;
        Some(self.entries.remove(place))
    }

    /// Sets `key`, in the place where it already stands or else at the end.
    pub fn set(&mut self, key: Key, value: Value) {
        match self.entries.iter_mut().find(|(other, _)| other.name == key.name) {
            Some(entry) => *entry = (key, value),
            None => self.entries.push((key, value)),
        }
    }
}

impl FromIterator<(Key, Value)> for Table {
    /// The entries as they come; of two with one key the later one stands.
    fn from_iter<I: IntoIterator<Item = (Key, Value)>>(entries: I) -> Self {
        let mut table = Self::default();
        for (key, value) in entries {
            table.set(key, value);
        }
        table
    }
}

impl IntoIterator for Table {
    type Item = (Key, Value);
    type IntoIter = std::vec::IntoIter<(Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}
