//! Small texts with a grammar of their own, and mistakes inside them.

use std::fmt;
use std::ops::{Deref, Range};

use super::located::Located;
use super::origin::{Origin, Texts};

/// A piece of a text with a grammar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece<T> {
    /// What it says.
    pub value: T,
    /// Its bytes in the text.
    pub range: Range<usize>,
}

impl<T> Piece<T> {
    /// The piece with its place in a scenario, where the whole text stands at `whole`.
    pub fn located(&self, whole: Origin, texts: &Texts) -> Located<&T> {
        Located { value: &self.value, origin: texts.within(whole, self.range.clone()) }
    }
}

impl<T> Deref for Piece<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A mistake inside a string, with the bytes it is about.
///
/// A parser of small texts returns it, and a `Deserialize` passes it on with `Error::custom`. Serde carries errors as text,
/// so the range travels in front of the message, and [`read`](super::read) takes it off again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InText {
    /// The bytes.
    pub range: Range<usize>,
    /// What is wrong with them.
    pub message: String,
    /// What could be done; may be empty.
    pub help: String,
}

/// Frames the parts of an [`InText`] in an error's text; no scenario can contain it unescaped.
const FRAME: char = '\u{1f}';

impl InText {
    /// A mistake in `range`.
    pub fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self { range, message: message.into(), help: String::new() }
    }

    /// Adds advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The mistake in an error's text, if one was passed on.
    pub(super) fn unframe(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(FRAME)?.splitn(4, FRAME);
        let mut next = || parts.next();
        let (start, end) = (next()?.parse().ok()?, next()?.parse().ok()?);
        Some(Self { range: start..end, help: next()?.into(), message: next()?.into() })
    }
}

impl fmt::Display for InText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.range;
        write!(f, "{FRAME}{start}{FRAME}{end}{FRAME}{}{FRAME}{}", self.help, self.message)
    }
}

/// Makes a type with `parse(&str) -> Result<Self, InText>` readable from a string in a scenario.
macro_rules! text_type {
    ($type:ident, $name:literal, $expected:literal) => {
        impl<'de> serde::de::Deserialize<'de> for $type {
            fn deserialize<D: serde::de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                        $type::parse(text).map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": concat!("Written as ", $expected, ".") })
            }
        }
    };
}

pub(crate) use text_type;
