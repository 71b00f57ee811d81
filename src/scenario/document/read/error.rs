//! What serde reports while a tree is read, before and after it has a place.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use crate::scenario::document::InText;

/// An error on its way to the node that gives it a place.
#[derive(Debug)]
pub(super) enum ReadError {
    /// Something about the value.
    Wrong(String),
    /// Something about a part of the string.
    InText(InText),
    /// A key that the table should have.
    Missing(&'static str),
    /// Reported already.
    Placed,
}

impl Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(message) => f.write_str(message),
            Self::InText(mistake) => f.write_str(&mistake.message),
            Self::Missing(key) => write!(f, "`{key}` is missing"),
            Self::Placed => f.write_str("reported"),
        }
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: Display>(message: T) -> Self {
        let message = message.to_string();
        match InText::unframe(&message) {
            Some(mistake) => Self::InText(mistake),
            None => Self::Wrong(message),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Wrong(format!("expected {}, found {}", words(expected), describe(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        Self::Wrong(format!("expected {}, found {found}", words(expected)))
    }
}

/// What serde's own types expect, in the words of a scenario.
fn words(expected: &dyn Expected) -> String {
    let written = expected.to_string();
    match written.as_str() {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative".into(),
        "i32" | "i64" => "a whole number".into(),
        "a nonzero u32" | "a nonzero u64" | "a nonzero usize" => "a whole number from 1".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "`true` or `false`".into(),
        "a sequence" => "a list".into(),
        _ => written.replace("an array of length", "a list of").replace("a tuple of size", "a list of"),
    }
}

fn describe(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Str(text) => format!("the string {text:?}"),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a table".into(),
        other => other.to_string(),
    }
}
