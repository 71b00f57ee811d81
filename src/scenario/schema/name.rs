//! Names of things, and references to them.

use std::fmt;

use crate::scenario::cursor::Cursor;
use crate::scenario::document::{InText, Piece, text_type};

/// The name of something: small letters, digits and hyphens, a letter first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Name(String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(in crate::scenario) fn parse(text: &str) -> Result<Self, InText> {
        const WHAT: &str = "a name of small letters, digits and hyphens";
        let mut cursor = Cursor::new(text);
        let name = cursor.name(WHAT)?;
        if !cursor.is_done() {
            return Err(cursor.expected(WHAT));
        }
        Ok(Self(name.value))
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom a step calls: a service, or one operation of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The service.
    pub service: Piece<String>,
    /// The operation.
    pub op: Option<Piece<String>>,
}

impl Target {
    fn parse(text: &str) -> Result<Self, InText> {
        let mut cursor = Cursor::new(text);
        let service = cursor.name("a service's name")?;
        let op = if cursor.eat("/") { Some(cursor.name("an operation's name")?) } else { None };
        cursor.finish()?;
        Ok(Self { service, op })
    }
}

text_type!(Name, "name", "a name such as \"api\" or \"eu-west\"");
text_type!(Target, "target", "a service or one of its operations, such as \"api\" or \"api/checkout\"");
