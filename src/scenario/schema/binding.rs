//! What bindings ask for: keys, or headers. And the headers that messages carry.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::protocol::amqp::{HeaderValue, Match};
use crate::scenario::document::{Entries, Located};

/// What a binding asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Binding {
    /// This key.
    Key(String),
    /// These headers.
    Headers(HeaderMatch),
}

/// Which headers a message has to have.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HeaderMatch {
    /// How many of them a message needs (RabbitMQ).
    #[schemars(extend("default" = "all"))]
    pub x_match: Option<XMatch>,
    /// Headers that have to have these values. Values of different types differ.
    #[serde(default)]
    pub headers: Headers,
    /// Headers that have to be there, whatever their value.
    #[serde(default)]
    pub present: Vec<Located<String>>,
}

/// How many of the headers that a binding asks for a message needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum XMatch {
    /// All; those whose names begin with `x-` are not looked at.
    All,
    /// One at least; those whose names begin with `x-` are not looked at.
    Any,
    /// All, whatever their names.
    AllWithX,
    /// One at least, whatever their names.
    AnyWithX,
}

impl From<XMatch> for Match {
    fn from(written: XMatch) -> Self {
        match written {
            XMatch::All => Self::All,
            XMatch::Any => Self::Any,
            XMatch::AllWithX => Self::AllWithX,
            XMatch::AnyWithX => Self::AnyWithX,
        }
    }
}

/// Headers by name.
pub type Headers = Entries<String, Header>;

/// The value of a header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header(pub HeaderValue);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;

        impl Visitor<'_> for Values {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a whole number, or true or false")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Header, E> {
                Ok(Header(HeaderValue::Text(text.into())))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Header, E> {
                Ok(Header(HeaderValue::Whole(number)))
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Header, E> {
                Ok(Header(HeaderValue::Flag(flag)))
            }
        }

        deserializer.deserialize_any(Values)
    }
}

impl JsonSchema for Header {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Header".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "boolean"] })
    }
}

impl<'de> Deserialize<'de> for Binding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = Binding;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a binding key, or a table of headers")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Binding, E> {
                Ok(Binding::Key(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Binding, A::Error> {
                HeaderMatch::deserialize(MapAccessDeserializer::new(entries)).map(Binding::Headers)
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for Binding {
    fn schema_name() -> Cow<'static, str> {
        "Binding".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut headers = generator.subschema_for::<HeaderMatch>();
        headers.insert("description".into(), "At a headers exchange, these headers.".into());
        json_schema!({
            "description": "What a binding asks for: a key, or, at a headers exchange, headers.",
            "anyOf": [{ "type": "string", "description": "This key." }, headers],
        })
    }
}
