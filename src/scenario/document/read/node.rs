//! A value of the tree as a serde deserializer.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::value::SeqDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Reading;
use super::choice::choose;
use super::error::ReadError;
use super::tables::{Fields, read_map, read_struct};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::Origin;
use crate::scenario::document::data_file::{DATA_FILE, STREAMED_FILE};
use crate::scenario::document::files::beside;
use crate::scenario::document::located::{LOCATED, ONE_OR_MANY, TABLE_OR_VALUE};
use crate::scenario::document::path::Quoted;
use crate::scenario::document::tree::{Data, Key, Value};

/// The way to a value, for messages.
pub(super) enum Trail<'t> {
    Top,
    Key(&'t Trail<'t>, &'t str),
    Item(&'t Trail<'t>, usize),
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Key(Self::Top, name) => write!(f, "{}", Quoted(name)),
            Self::Key(outer, name) => write!(f, "{outer}.{}", Quoted(name)),
            Self::Item(outer, index) => write!(f, "{outer}[{index}]"),
        }
    }
}

/// A value, and how it was reached.
#[derive(Clone, Copy)]
pub(super) struct Node<'t> {
    pub reading: &'t Reading<'t>,
    pub value: &'t Value,
    pub trail: &'t Trail<'t>,
    /// If this is the rest of a table: the structs that claimed the other keys, outermost first.
    pub above: &'t [Fields],
}

impl<'t> Node<'t> {
    /// Gives an error that has no place yet the place of this value.
    pub fn place<T>(&self, result: Result<T, ReadError>) -> Result<T, ReadError> {
        let place = self.value.origin;
        result.map_err(|error| {
            match error {
                ReadError::Placed => {}
                ReadError::Wrong(_) if self.has_cuts_within() => self.reading.cut(place),
                ReadError::Wrong(message) => self.refuse(place, Diagnostic::error(message)),
                ReadError::InText(mistake) => {
                    let part = match self.value.data {
                        Data::String(_) => self.reading.texts.within(place, mistake.range),
                        _ => place,
                    };
                    let help = (!mistake.help.is_empty()).then_some(mistake.help);
                    self.refuse(part, Diagnostic::error(mistake.message).help_if(help));
                }
                ReadError::Missing(_) if self.has_cuts() => self.reading.cut(place),
                ReadError::Missing(key) => self.refuse(place, Diagnostic::error(self.missing(key))),
            }
            ReadError::Placed
        })
    }

    /// Reports `mistake` at `part` of this value, and cuts out the value.
    pub fn refuse(&self, part: Origin, mistake: Diagnostic) {
        let mistake = mistake.at(part, "");
        let mistake = match self.value.through {
            Some(used) => mistake.at(used, "used here"),
            None => mistake,
        };
        self.reading.refuse(self.value.origin, mistake);
    }

    fn missing(&self, key: &str) -> String {
        match self.trail {
            Trail::Top => format!("[{key}] is missing"),
            trail => format!("`{key}` is missing in [{trail}]"),
        }
    }

    /// Whether something in this table was cut out, so that its absence says nothing.
    fn has_cuts(&self) -> bool {
        let is_cut =
            |key: &Key, value: &Value| self.reading.is_refused(key.origin) || self.reading.is_refused(value.origin);
        self.value.as_table().is_some_and(|table| table.iter().any(|(key, value)| is_cut(key, value)))
    }

    /// Whether something was cut out anywhere in this table, so that what is left of it may not fit together.
    fn has_cuts_within(&self) -> bool {
        let mut left: Vec<&Value> = self.value.as_table().map(|_| self.value).into_iter().collect();
        let is_cut = |place| self.reading.is_refused(place);
        while let Some(value) = left.pop() {
            match &value.data {
                Data::Table(table) if table.iter().any(|(key, value)| is_cut(key.origin) || is_cut(value.origin)) => {
                    return true;
                }
                Data::Array(items) if items.iter().any(|item| is_cut(item.origin)) => return true,
                Data::Table(table) => left.extend(table.iter().map(|(_, value)| value)),
                Data::Array(items) => left.extend(items),
                _ => {}
            }
        }
        false
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.value.data {
            Data::String(text) => visitor.visit_str(text),
            Data::Integer(number) => visitor.visit_i64(*number),
            Data::Float(number) => visitor.visit_f64(*number),
            Data::Boolean(value) => visitor.visit_bool(*value),
            Data::Array(items) => self.list(items, visitor),
            Data::Table(table) => read_map(self, table, visitor),
        }
    }

    fn one_or_many<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.value.data {
            Data::Array(_) => self.any(visitor),
            _ => visitor.visit_seq(Items { node: self, items: std::slice::from_ref(self.value).iter().enumerate() }),
        }
    }

    /// The path of the file that is named here, seen from the file that names it.
    fn path(&self) -> Result<PathBuf, ReadError> {
        let Data::String(name) = &self.value.data else {
            return Err(ReadError::Wrong(format!("expected the name of a file, found {}", self.value.describe())));
        };
        let text = self.reading.texts.of(self.value.origin);
        Ok(beside(Path::new(if text.is_flag { "" } else { &text.name }), name))
    }

    /// The path and the content of the file that is named here.
    fn data_file<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let path = self.path()?;
        match self.reading.source.read(&path) {
            Ok(content) => visitor.visit_seq(SeqDeserializer::new([path.display().to_string(), content].into_iter())),
            Err(error) => {
                let message = format!("cannot read `{}`: {error}", path.display());
                self.refuse(self.value.origin, Diagnostic::unreadable(message));
                Err(ReadError::Placed)
            }
        }
    }

    /// Every item has to be taken; a list that is too short because of a cut says nothing.
    fn list<'de, V: Visitor<'de>>(self, items: &[Value], visitor: V) -> Result<V::Value, ReadError> {
        let has_cuts = items.iter().any(|item| self.reading.is_refused(item.origin));
        let mut access = Items { node: self, items: items.iter().enumerate() };
        let read = visitor.visit_seq(&mut access);
        match (&read, access.items.next()) {
            (Err(ReadError::Wrong(_)), _) if has_cuts => {
                self.reading.cut(self.value.origin);
                Err(ReadError::Placed)
            }
            (Ok(_), Some((taken, _))) => {
                Err(ReadError::Wrong(format!("expected a list of {taken}, found {}", items.len())))
            }
            _ => read,
        }
    }
}

/// The place and then the value, which is what `Located` reads.
pub(super) struct Parts<D> {
    place: SeqDeserializer<std::array::IntoIter<u32, 3>, ReadError>,
    value: Option<D>,
}

impl<D> Parts<D> {
    pub fn new(place: Origin, value: D) -> Self {
        Self { place: SeqDeserializer::new(place.parts().into_iter()), value: Some(value) }
    }
}

impl<'de, D: Deserializer<'de, Error = ReadError>> SeqAccess<'de> for Parts<D> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        if self.place.size_hint() == Some(0) {
            return self.value.take().map(|value| seed.deserialize(value)).transpose();
        }
        self.place.next_element_seed(seed)
    }
}

/// The items of a list that were not cut out.
struct Items<'t, I> {
    node: Node<'t>,
    items: I,
}

impl<'de, 't, I: Iterator<Item = (usize, &'t Value)>> SeqAccess<'de> for Items<'t, I> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Node { reading, trail, .. } = self.node;
        let next = self.items.find(|(_, item)| !reading.is_refused(item.origin));
        let Some((index, value)) = next else { return Ok(None) };
        let trail = if std::ptr::eq(value, self.node.value) { trail } else { &Trail::Item(trail, index) };
        seed.deserialize(Node { reading, value, trail, above: &[] }).map(Some)
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.place(self.any(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match name {
            ONE_OR_MANY => self.place(self.one_or_many(visitor)),
            TABLE_OR_VALUE if self.value.as_table().is_none() => self.place(visitor.visit_some(self)),
            _ => self.place(visitor.visit_newtype_struct(self)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match name {
            LOCATED => self.place(visitor.visit_seq(Parts::new(self.value.origin, self))),
            DATA_FILE => self.place(self.data_file(visitor)),
            STREAMED_FILE => self.place(self.path().and_then(|path| visitor.visit_str(&path.display().to_string()))),
            _ => self.place(read_struct(self, Fields { name, fields }, visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.place(choose(self, name, variants, visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// A key of a table as a deserializer.
#[derive(Clone, Copy)]
pub(super) struct KeyNode<'t> {
    pub reading: &'t Reading<'t>,
    pub key: &'t Key,
}

impl KeyNode<'_> {
    fn place<T>(&self, result: Result<T, ReadError>) -> Result<T, ReadError> {
        result.map_err(|error| {
            let place = self.key.origin;
            let mistake = match error {
                ReadError::Placed => return ReadError::Placed,
                ReadError::InText(mistake) => {
                    let help = (!mistake.help.is_empty()).then_some(mistake.help);
                    let part = self.reading.texts.within(place, mistake.range);
                    Diagnostic::error(mistake.message).at(part, "").help_if(help)
                }
                other => Diagnostic::error(other.to_string()).at(place, ""),
            };
            self.reading.refuse(place, mistake);
            ReadError::Placed
        })
    }
}

impl<'de> Deserializer<'de> for KeyNode<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.place(visitor.visit_str(&self.key.name))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        self.place(visitor.visit_newtype_struct(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        assert_eq!(name, LOCATED, "a key is read as a string, with or without its place");
        visitor.visit_seq(Parts::new(self.key.origin, self))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

/// A name that serde looks up among fields or variants.
pub(super) fn identifier<'de, S: DeserializeSeed<'de>>(seed: S, name: &'static str) -> Result<S::Value, ReadError> {
    let deserializer: serde::de::value::StrDeserializer<'_, ReadError> = name.into_deserializer();
    seed.deserialize(deserializer)
}
