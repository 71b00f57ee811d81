//! Files of data that a scenario names.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// The struct name that asks for the file whose name stands there.
pub(super) const DATA_FILE: &str = "$data-file";

/// The struct name that asks for the path of the file whose name stands there.
pub(super) const STREAMED_FILE: &str = "$streamed-file";

/// A file that is read while the scenario is played. Its name is relative to the file that names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamedFile {
    /// The file's path, as the user would write it.
    pub path: String,
}

impl<'de> Deserialize<'de> for StreamedFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Path;

        impl Visitor<'_> for Path {
            type Value = StreamedFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a file")
            }

            fn visit_str<E: Error>(self, path: &str) -> Result<Self::Value, E> {
                Ok(StreamedFile { path: path.into() })
            }
        }

        deserializer.deserialize_struct(STREAMED_FILE, &[], Path)
    }
}

impl JsonSchema for StreamedFile {
    fn schema_name() -> Cow<'static, str> {
        DataFile::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        DataFile::json_schema(generator)
    }
}

/// A file of data, read when the scenario is. Its name is relative to the file that names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataFile {
    /// The file's path, as the user would write it.
    pub path: String,
    /// What the file says.
    pub content: Arc<str>,
}

impl<'de> Deserialize<'de> for DataFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;

        impl<'de> Visitor<'de> for Parts {
            type Value = DataFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
                let mut next = || parts.next_element::<String>()?.ok_or_else(|| A::Error::custom("no file was read"));
                Ok(DataFile { path: next()?, content: next()?.into() })
            }
        }

        deserializer.deserialize_struct(DATA_FILE, &[], Parts)
    }
}

impl JsonSchema for DataFile {
    fn schema_name() -> Cow<'static, str> {
        "file".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Written as a path, relative to the file that names it." })
    }
}
