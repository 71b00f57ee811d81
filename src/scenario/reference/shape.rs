//! What a value may be, read off its JSON Schema.

use serde_json::{Map, Value};

use crate::scenario::document::REST;

/// A type of the language.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Definition {
    pub name: String,
    pub doc: String,
    pub shape: Shape,
}

/// What a value may be.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    /// As defined under this name.
    Ref(String),
    /// A plain value, in words.
    Plain(&'static str),
    /// Only this word.
    Word(String),
    /// A list.
    List(Box<Shape>),
    /// A list of two.
    Pair(Box<Shape>),
    /// A table with the user's names.
    Map(Box<Shape>),
    /// A table with these keys, and those of the definition called `rest`.
    Table { keys: Vec<Key>, rest: Option<String> },
    /// A table with this one key.
    Tagged(String, Box<Shape>),
    /// One of several, each with what it means.
    OneOf(Vec<(Shape, String)>),
}

/// A key of a table.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Key {
    pub name: String,
    pub doc: String,
    pub shape: Shape,
    pub default: Option<Value>,
    pub is_required: bool,
}

impl Definition {
    pub fn read(name: &str, schema: &Value) -> Self {
        Self { name: name.into(), doc: doc(schema), shape: Shape::read(schema) }
    }

    /// The keys of the table, if it is one, without those of its rest.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        match &self.shape {
            Shape::Table { keys, .. } => keys.iter(),
            _ => [].iter(),
        }
    }

    /// What may be chosen by a table with one key: the key, and the tables that may stand under it.
    pub fn tags(&self) -> impl Iterator<Item = (&String, Vec<&[Key]>)> {
        self.choices().filter_map(|choice| match choice {
            Shape::Tagged(tag, inner) => Some((tag, inner.tables())),
            _ => None,
        })
    }

    /// What may be chosen by a word alone.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.choices().filter_map(|choice| match choice {
            Shape::Word(word) => Some(word.as_str()),
            _ => None,
        })
    }

    fn choices(&self) -> impl Iterator<Item = &Shape> {
        let choices = match &self.shape {
            Shape::OneOf(choices) => choices.as_slice(),
            _ => &[],
        };
        choices.iter().map(|(choice, _)| choice)
    }

    /// The definition that the rest of the table's keys belong to.
    pub fn rest(&self) -> Option<&str> {
        match &self.shape {
            Shape::Table { rest, .. } => rest.as_deref(),
            _ => None,
        }
    }
}

impl Shape {
    fn read(schema: &Value) -> Self {
        let Some(schema) = schema.as_object() else { return Self::Plain("anything") };
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return Self::Ref(target.rsplit('/').next().unwrap_or(target).into());
        }
        if let Some(word) = schema.get("const").and_then(Value::as_str) {
            return Self::Word(word.into());
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            let words = words.iter().filter_map(Value::as_str);
            return Self::OneOf(words.map(|word| (Self::Word(word.into()), String::new())).collect());
        }
        if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
            return Self::OneOf(choices.iter().map(|choice| (Self::read(choice).tagged(), doc(choice))).collect());
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("array") => Self::read_array(schema),
            Some("object") => Self::read_object(schema),
            Some("string") => Self::Plain("a string"),
            Some("integer") if schema.get("minimum") == Some(&1.into()) => Self::Plain("a whole number from 1"),
            Some("integer") => Self::Plain("a whole number"),
            Some("number") => Self::Plain("a number"),
            Some("boolean") => Self::Plain("true or false"),
            _ => Self::Plain("a value"),
        }
    }

    fn read_array(schema: &Map<String, Value>) -> Self {
        if let Some(parts) = schema.get("prefixItems").and_then(Value::as_array) {
            let parts = parts.iter().map(|part| (Self::read(part), doc(part)));
            return Self::Pair(Box::new(Self::OneOf(parts.collect())));
        }
        let item = Box::new(schema.get("items").map_or(Self::Plain("a value"), Self::read));
        if schema.get("maxItems") == Some(&2.into()) { Self::Pair(item) } else { Self::List(item) }
    }

    fn read_object(schema: &Map<String, Value>) -> Self {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return Self::Map(Box::new(schema.get("additionalProperties").map_or(Self::Plain("a value"), Self::read)));
        };
        let required: Vec<_> = schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
        let mut keys = Vec::new();
        let mut rest = None;
        for (name, property) in properties {
            match (name.as_str(), Self::read(property)) {
                (REST, Self::Ref(target)) => rest = Some(target),
                (_, shape) => keys.push(Key {
                    name: name.clone(),
                    doc: doc(property),
                    shape,
                    default: property.get("default").cloned(),
                    is_required: required.iter().any(|key| key.as_str() == Some(name)),
                }),
            }
        }
        Self::Table { keys, rest }
    }

    /// The keys of the table, or of each table that may stand here.
    pub fn tables(&self) -> Vec<&[Key]> {
        match self {
            Self::Table { keys, .. } => vec![keys],
            Self::OneOf(choices) => choices.iter().flat_map(|(choice, _)| choice.tables()).collect(),
            _ => Vec::new(),
        }
    }

    /// Alternatives read a one-key table as a tag.
    fn tagged(self) -> Self {
        match self {
            Self::Table { mut keys, rest: None } if keys.len() == 1 && keys[0].is_required => {
                let key = keys.remove(0);
                Self::Tagged(key.name, Box::new(key.shape))
            }
            other => other,
        }
    }
}

/// Choices, where a bare name and the table of the same name are one: what may be written, and what it means.
pub(super) fn merged(choices: &[(Shape, String)]) -> Vec<(Vec<&Shape>, &str)> {
    let mut rows: Vec<(Vec<&Shape>, &str)> = Vec::new();
    for (shape, doc) in choices {
        let same = rows.last_mut().filter(|(known, _)| {
            matches!((known.as_slice(), shape), ([Shape::Word(word)], Shape::Tagged(tag, _)) if word == tag)
        });
        match same {
            Some((known, _)) => known.push(shape),
            None => rows.push((vec![shape], doc)),
        }
    }
    rows
}

/// The description of a schema. Single line breaks are those of the source file and mean nothing.
fn doc(schema: &Value) -> String {
    let doc = schema.get("description").and_then(Value::as_str).unwrap_or("");
    let paragraphs: Vec<_> = doc.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
    paragraphs.join("\n\n")
}
