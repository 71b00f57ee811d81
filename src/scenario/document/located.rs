//! Pieces of schema types that need the reader's help: values with their place, one or many, tables with free keys.
//!
//! Serde has no word for a place. As the `toml` crate's `Spanned` does, these types ask the deserializer for a struct with a
//! name that only [`read`](super::read) knows; they can be read from nothing else.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::origin::Origin;

/// The struct name that asks for a value and its place.
pub(super) const LOCATED: &str = "$located";
/// The newtype name that asks for a list, or for a list of the one value that stands there.
pub(super) const ONE_OR_MANY: &str = "$one-or-many";
/// The newtype name that asks whether a table stands there (as if it were a newtype) or anything else (as if it were
/// something optional).
pub(in crate::scenario) const TABLE_OR_VALUE: &str = "$table-or-value";

/// A value, and the place where it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub origin: Origin,
}

impl<T> Located<T> {
    /// The place with a look at the value.
    pub fn map<U>(&self, look: impl FnOnce(&T) -> U) -> Located<U> {
        Located { value: look(&self.value), origin: self.origin }
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Parts<T> {
            type Value = Located<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with a place")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
                let mut origin = [0; 3];
                for part in &mut origin {
                    *part = parts.next_element()?.ok_or_else(|| A::Error::custom("no place is known"))?;
                }
                let value = parts.next_element()?.ok_or_else(|| A::Error::custom("no value beside the place"))?;
                Ok(Located { value, origin: Origin::from_parts(origin) })
            }
        }

        deserializer.deserialize_struct(LOCATED, &[], Parts(PhantomData))
    }
}

/// A list; a single value may stand for a list of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while let Some(item) = items.next_element()? {
                    read.push(item);
                }
                Ok(OneOrMany(read))
            }
        }

        deserializer.deserialize_newtype_struct(ONE_OR_MANY, Items(PhantomData))
    }
}

/// A table whose keys are the user's: each key with its place, in the order in which they were written.
#[derive(Clone, PartialEq, Debug)]
pub struct Entries<K, V>(Vec<(Located<K>, V)>);

impl<K, V> Entries<K, V> {
    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Located<K>, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Adds entries after all others.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = (Located<K>, V)>) {
        self.0.extend(entries);
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: AsRef<str>, V> Entries<K, V> {
    /// The value under `name`.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.iter().find(|(key, _)| key.value.as_ref() == name).map(|(_, value)| value)
    }
}

impl<K, V> FromIterator<(Located<K>, V)> for Entries<K, V> {
    fn from_iter<I: IntoIterator<Item = (Located<K>, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Entries<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All<K, V>(PhantomData<(K, V)>);

        impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for All<K, V> {
            type Value = Entries<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    read.push(entry);
                }
                Ok(Entries(read))
            }
        }

        deserializer.deserialize_map(All(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

impl<K, V: JsonSchema> JsonSchema for Entries<K, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Entries_{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<V>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}
