//! One policy of a family, as a scenario chooses it: read, and described, by what its registry says.
//!
//! A family's registry ([`Listing`]) holds the names of its policies, their fields, kinds and defaults. From that alone come
//! the reader, the JSON Schema and, through it, `explain` and the reference page: a new policy needs nothing here.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{I64Deserializer, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde_json::{Map, json};

use super::number::Positive;
use super::quantity_text::{Bytes, Duration, Rate, Share};
use crate::base::settings::{Kind, Listing, Need, Settings, Value, Words};
use crate::scenario::document::{BARE, BARE_LIST, InText, TABLE_OR_VALUE};
use crate::scenario::nearest::nearest;

/// A family of policies.
pub trait Family: 'static {
    /// Any of them, as plain data.
    type Policy: Clone + PartialEq + fmt::Debug + 'static;
    /// What the schema calls the family.
    const NAME: &'static str;
    /// What it is for.
    const TEXT: &'static str;
    /// The policy that is meant where only its value is written.
    const BARE: Option<&'static str> = None;
    /// The policy that is meant where only its list is written.
    const BARE_LIST: Option<&'static str> = None;

    /// Its registry.
    fn listings() -> &'static [Listing<Self::Policy>];

    /// What may be written in place of a name: the names of the registry, and what stands for bare values.
    fn tags() -> &'static [&'static str];
}

/// Declares families: a type without values, its policies, its registry, and what a bare value or list means.
macro_rules! families {
    ($($(#[doc = $text:literal])* $family:ident: $policy:ty = $registry:expr
        $(, value = $bare:literal)? $(, list = $list:literal)?;)*) => {
        $(
            $(#[doc = $text])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub enum $family {}

            impl $crate::scenario::schema::chosen::Family for $family {
                type Policy = $policy;
                const NAME: &'static str = stringify!($family);
                const TEXT: &'static str = concat!($($text),*);
                $(const BARE: Option<&'static str> = Some($bare);)?
                $(const BARE_LIST: Option<&'static str> = Some($list);)?

                fn listings() -> &'static [$crate::base::settings::Listing<$policy>] {
                    $registry
                }

                fn tags() -> &'static [&'static str] {
                    static TAGS: std::sync::LazyLock<Vec<&'static str>> =
                        std::sync::LazyLock::new($crate::scenario::schema::chosen::tags_of::<$family>);
                    &TAGS
                }
            }
        )*
    };
}
pub(super) use families;

pub(super) fn tags_of<F: Family>() -> Vec<&'static str> {
    let bare = [F::BARE.map(|_| BARE), F::BARE_LIST.map(|_| BARE_LIST)];
    F::listings().iter().map(|listing| listing.name).chain(bare.into_iter().flatten()).collect()
}

/// A policy of the family `F`.
pub struct Chosen<F: Family> {
    /// The policy.
    pub policy: F::Policy,
    /// What it is called.
    pub name: &'static str,
}

impl<F: Family> Clone for Chosen<F> {
    fn clone(&self) -> Self {
        Self { policy: self.policy.clone(), name: self.name }
    }
}

impl<F: Family> PartialEq for Chosen<F> {
    fn eq(&self, other: &Self) -> bool {
        self.policy == other.policy
    }
}

impl<F: Family> fmt::Debug for Chosen<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.policy.fmt(f)
    }
}

impl<'de, F: Family> Deserialize<'de> for Chosen<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum(F::NAME, F::tags(), Any::<F>(PhantomData))
    }
}

/// Any policy of the family.
struct Any<F>(PhantomData<F>);

impl<'de, F: Family> Visitor<'de> for Any<F> {
    type Value = Chosen<F>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", F::tags().join(", "))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<Self::Value, A::Error> {
        let (tag, content) = choice.variant::<String>()?;
        let (name, is_bare) = match tag.as_str() {
            BARE => (F::BARE, true),
            BARE_LIST => (F::BARE_LIST, true),
            tag => (Some(tag), false),
        };
        let listings = F::listings().iter();
        let listing = listings.into_iter().find(|listing| Some(listing.name) == name).ok_or_else(|| {
            // Only names of the registry, or of what the family says of bare values, come here.
            A::Error::custom(format!("nothing is called {tag}"))
        })?;
        let values = match listing.alone() {
            Some(field) if is_bare => vec![(field, content.newtype_variant_seed(Told::of(listing, field))?)],
            Some(_) => content.newtype_variant_seed(TableOrValue(listing))?,
            None if listing.fields.is_empty() => {
                content.unit_variant()?;
                Vec::new()
            }
            None => content.struct_variant(listing.names, Table(listing))?,
        };
        let made = listing.make(values);
        let policy = made.map_err(|refused| A::Error::custom(format!("`{}` {}", listing.name, refused.why)))?;
        Ok(Chosen { policy, name: listing.name })
    }
}

/// The fields of a policy, in a table.
struct Table<P: 'static>(&'static Listing<P>);

impl<'de, P> Visitor<'de> for Table<P> {
    type Value = Vec<(usize, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            let place = self.0.names.iter().position(|name| *name == key);
            let field = place.ok_or_else(|| A::Error::custom(format!("`{key}` is no field of `{}`", self.0.name)))?;
            values.push((field, entries.next_value_seed(Told::of(self.0, field))?));
        }
        for (place, field) in self.0.fields.iter().enumerate() {
            if field.need != Need::Optional && values.iter().all(|(said, _)| *said != place) {
                return Err(A::Error::missing_field(field.name));
            }
        }
        Ok(values)
    }
}

/// The fields of a policy in a table, or the value that may stand in its place.
struct TableOrValue<P: 'static>(&'static Listing<P>);

impl<'de, P> DeserializeSeed<'de> for TableOrValue<P> {
    type Value = Vec<(usize, Value)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_newtype_struct(TABLE_OR_VALUE, self)
    }
}

impl<'de, P> Visitor<'de> for TableOrValue<P> {
    type Value = Vec<(usize, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table or a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, table: D) -> Result<Self::Value, D::Error> {
        table.deserialize_struct(self.0.name, self.0.names, Table(self.0))
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        let field = self.0.alone().unwrap_or_default();
        Ok(vec![(field, Told::of(self.0, field).deserialize(value)?)])
    }
}

/// The value of one field, judged as soon as it is read, so that a mistake stands at its place.
struct Told<P: 'static> {
    listing: &'static Listing<P>,
    field: usize,
}

impl<P> Told<P> {
    fn of(listing: &'static Listing<P>, field: usize) -> Self {
        Self { listing, field }
    }
}

impl<'de, P> DeserializeSeed<'de> for Told<P> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_newtype_struct("Setting", self)
    }
}

impl<'de, P> Visitor<'de> for Told<P> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let field = &self.listing.fields[self.field];
        let value = OfKind(&field.kind).deserialize(deserializer)?;
        match self.listing.make(vec![(self.field, value.clone())]) {
            Err(refused) if refused.field.is_some() => {
                Err(D::Error::custom(format!("`{}` {}", field.name, refused.why)))
            }
            _ => Ok(value),
        }
    }
}

/// A value of this kind.
#[derive(Clone, Copy)]
struct OfKind(&'static Kind);

impl<'de> DeserializeSeed<'de> for OfKind {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.0 {
            Kind::Flag => bool::deserialize(deserializer).map(Value::Flag),
            Kind::Whole => u32::deserialize(deserializer).map(Value::Whole),
            Kind::Count => NonZeroU32::deserialize(deserializer).map(|count| Value::Whole(count.get())),
            Kind::Number => Positive::deserialize(deserializer).map(|number| Value::Number(number.value())),
            Kind::Share => Share::deserialize(deserializer).map(|share| Value::Share(share.0)),
            Kind::Span => Duration::deserialize(deserializer).map(|span| Value::Span(span.0)),
            Kind::Rate => Rate::deserialize(deserializer).map(|rate| Value::Rate(rate.0)),
            Kind::Bytes => Bytes::deserialize(deserializer).map(|bytes| Value::Bytes(bytes.0)),
            Kind::Word(words) => deserializer.deserialize_enum("word", words.names, WordOf(words)),
            Kind::Either(..) | Kind::List(_) | Kind::Pair(..) => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for OfKind {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(self.0, f)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        let read = |kind| {
            let deserializer: I64Deserializer<E> = number.into_deserializer();
            OfKind(kind).deserialize(deserializer)
        };
        match self.0 {
            Kind::Either(one, other) => read(if is_number(one) { one } else { other }),
            _ => Err(E::invalid_type(serde::de::Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        let read = |kind| {
            let deserializer: StrDeserializer<'_, E> = text.into_deserializer();
            OfKind(kind).deserialize(deserializer)
        };
        match self.0 {
            Kind::Either(one, other) => match (is_number(one), is_number(other)) {
                (true, _) => read(other),
                (_, true) => read(one),
                _ => read(one).or_else(|_: E| read(other)).map_err(|_| self.unlike(text)),
            },
            _ => Err(E::invalid_type(serde::de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        match self.0 {
            Kind::Pair(one, other) => {
                let first = items.next_element_seed(OfKind(one))?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                let second = items.next_element_seed(OfKind(other))?;
                let second = second.ok_or_else(|| A::Error::invalid_length(1, &self))?;
                Ok(Value::Pair(Box::new((first, second))))
            }
            Kind::List(item) => {
                let mut values = Vec::new();
                while let Some(value) = items.next_element_seed(OfKind(item))? {
                    values.push(value);
                }
                Ok(Value::List(values))
            }
            _ => Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self)),
        }
    }
}

impl OfKind {
    /// A text that is none of what may stand here.
    fn unlike<E: Error>(self, text: &str) -> E {
        let mistake = InText::new(0..text.len(), format!("expected {}, found the string {text:?}", Described(self.0)));
        E::custom(match nearest(text, words_of(self.0)) {
            Some(near) => mistake.help(format!("did you mean {near:?}?")),
            None => mistake,
        })
    }
}

/// The words among what a kind may hold.
fn words_of(kind: &Kind) -> Vec<&'static str> {
    match kind {
        Kind::Word(words) => words.names.to_vec(),
        Kind::Either(one, other) => [words_of(one), words_of(other)].concat(),
        _ => Vec::new(),
    }
}

/// A kind in words.
struct Described<'a>(&'a Kind);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(self.0, f)
    }
}

fn is_number(kind: &Kind) -> bool {
    matches!(kind, Kind::Whole | Kind::Count | Kind::Number)
}

fn describe(kind: &Kind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match kind {
        Kind::Flag => f.write_str("`true` or `false`"),
        Kind::Whole => f.write_str("a whole number that is not negative"),
        Kind::Count => f.write_str("a whole number from 1"),
        Kind::Number => f.write_str("a number above 0"),
        Kind::Share => f.write_str("a share such as \"1%\""),
        Kind::Span => f.write_str("a duration such as \"5s\""),
        Kind::Rate => f.write_str("a rate such as \"200/s\""),
        Kind::Bytes => f.write_str("a size such as \"4KiB\""),
        Kind::Word(words) => {
            let quoted: Vec<_> = words.names.iter().map(|name| format!("{name:?}")).collect();
            write!(f, "{}{}", if quoted.len() > 1 { "one of " } else { "" }, quoted.join(", "))
        }
        Kind::Either(one, other) => {
            describe(one, f)?;
            f.write_str(", or ")?;
            describe(other, f)
        }
        Kind::List(_) => f.write_str("a list"),
        Kind::Pair(one, other) => {
            f.write_str("a list of two: ")?;
            describe(one, f)?;
            f.write_str(", and ")?;
            describe(other, f)
        }
    }
}

/// One of some words.
struct WordOf(&'static Words);

impl<'de> Visitor<'de> for WordOf {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.0.names.join(", "))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<Value, A::Error> {
        let (word, content) = choice.variant::<String>()?;
        content.unit_variant()?;
        let place = self.0.names.iter().position(|name| *name == word);
        let place = place.ok_or_else(|| A::Error::custom(format!("nothing is called {word}")))?;
        Ok(Value::Word(place, self.0.names[place]))
    }
}

impl<F: Family> JsonSchema for Chosen<F> {
    fn schema_name() -> Cow<'static, str> {
        F::NAME.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut choices = Vec::new();
        for (bare, name) in [(BARE, F::BARE), (BARE_LIST, F::BARE_LIST)] {
            let listing = name.and_then(|name| F::listings().iter().find(|listing| listing.name == name));
            if let Some((listing, field)) = listing.and_then(|listing| Some((listing, listing.alone()?))) {
                let value = schema_of(&listing.fields[field].kind, generator);
                choices.push(tagged(bare, listing.summary(), value));
            }
        }
        for listing in F::listings() {
            let text = sourced(listing);
            if listing.fields.is_empty() {
                choices.push(json!({ "type": "string", "const": listing.name, "description": text }));
                continue;
            }
            let table = table_of(listing, generator);
            let content = match listing.alone() {
                Some(field) if listing.fields.len() == 1 => schema_of(&listing.fields[field].kind, generator),
                Some(field) => json!({ "anyOf": [schema_of(&listing.fields[field].kind, generator), table] }),
                None => table,
            };
            choices.push(tagged(listing.name, &text, content));
        }
        let mut schema = json_schema!({ "description": F::TEXT.trim() });
        schema.insert("oneOf".into(), choices.into());
        schema
    }
}

/// What a policy does, and where it comes from.
fn sourced<P>(listing: &Listing<P>) -> String {
    // A value that stands alone has no line of its own to be explained in.
    let alone = listing.alone().filter(|_| listing.fields.len() == 1).map(|field| listing.fields[field].text.trim());
    let alone = alone.map_or(String::new(), |text| format!(" The value: {text}"));
    format!("{}{alone} Source: {}.", listing.text.trim(), listing.source.trim_end_matches('.'))
}

fn tagged(name: &str, text: &str, content: serde_json::Value) -> serde_json::Value {
    let mut properties = Map::new();
    properties.insert(name.into(), content);
    json!({
        "type": "object", "description": text, "properties": properties, "required": [name], "additionalProperties": false
    })
}

fn table_of<P>(listing: &Listing<P>, generator: &mut SchemaGenerator) -> serde_json::Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in listing.fields {
        let mut schema = schema_of(&field.kind, generator);
        schema["description"] = field.text.trim().into();
        match ((field.default)(), field.need) {
            (Some(default), Need::Optional) => schema["default"] = json_of(&default),
            (_, Need::Optional) => {}
            _ => required.push(field.name),
        }
        properties.insert(field.name.into(), schema);
    }
    let mut table = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        table["required"] = required.into();
    }
    table
}

fn schema_of(kind: &Kind, generator: &mut SchemaGenerator) -> serde_json::Value {
    match kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Whole => json!({ "type": "integer", "minimum": 0 }),
        Kind::Count => json!({ "type": "integer", "minimum": 1 }),
        Kind::Number => json!({ "type": "number", "exclusiveMinimum": 0 }),
        Kind::Share => generator.subschema_for::<Share>().to_value(),
        Kind::Span => generator.subschema_for::<Duration>().to_value(),
        Kind::Rate => generator.subschema_for::<Rate>().to_value(),
        Kind::Bytes => generator.subschema_for::<Bytes>().to_value(),
        Kind::Word(words) => {
            let words = words.names.iter().zip(words.texts);
            let words =
                words.map(|(name, text)| json!({ "type": "string", "const": name, "description": text.trim() }));
            json!({ "anyOf": words.collect::<Vec<_>>() })
        }
        Kind::Either(one, other) => json!({ "anyOf": [schema_of(one, generator), schema_of(other, generator)] }),
        Kind::List(item) => json!({ "type": "array", "items": schema_of(item, generator) }),
        Kind::Pair(one, other) => {
            let parts = [schema_of(one, generator), schema_of(other, generator)];
            json!({ "type": "array", "prefixItems": parts, "minItems": 2, "maxItems": 2 })
        }
    }
}

fn json_of(value: &Value) -> serde_json::Value {
    match value {
        Value::Flag(value) => (*value).into(),
        Value::Whole(value) => (*value).into(),
        Value::Number(value) => (*value).into(),
        Value::Word(_, word) => (*word).into(),
        Value::List(values) => values.iter().map(json_of).collect(),
        Value::Pair(values) => vec![json_of(&values.0), json_of(&values.1)].into(),
        Value::Share(_) | Value::Span(_) | Value::Rate(_) | Value::Bytes(_) => {
            value.to_string().trim_matches('"').into()
        }
    }
}

/// The settings of a policy that has no others beside it.
#[derive(Clone, PartialEq, Debug)]
pub struct Tuned<S>(pub S);

/// The registry of a policy without others.
struct Only<S>(PhantomData<S>);

impl<S: Settings> Only<S> {
    const LISTING: &'static Listing<S> = &Listing::of::<S>();
}

impl<'de, S: Settings> Deserialize<'de> for Tuned<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let listing = Only::<S>::LISTING;
        let values = deserializer.deserialize_newtype_struct(TABLE_OR_VALUE, OnlyTable(listing))?;
        let made = listing.make(values);
        made.map(Tuned).map_err(|refused| D::Error::custom(format!("`{}` {}", S::NAME, refused.why)))
    }
}

/// The fields of a policy in a table; whoever writes something else is shown the table that he means.
struct OnlyTable<P: 'static>(&'static Listing<P>);

impl<'de, P> Visitor<'de> for OnlyTable<P> {
    type Value = Vec<(usize, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, table: D) -> Result<Self::Value, D::Error> {
        table.deserialize_struct(self.0.name, self.0.names, Table(self.0))
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let fits = |place: &usize| {
            let deserializer: StrDeserializer<'_, E> = text.into_deserializer();
            let value = OfKind(&self.0.fields[*place].kind).deserialize(deserializer);
            value.is_ok_and(|value| self.0.make(vec![(*place, value)]).is_ok())
        };
        let field = (0..self.0.fields.len()).find(fits);
        let needs_none = self.0.fields.iter().all(|field| field.need != Need::Required);
        let mistake = InText::new(0..text.len(), format!("expected a table, found the string {text:?}"));
        let name = self.0.name;
        Err(E::custom(match field {
            Some(field) => mistake.help(format!("write `{name} = {{ {} = {text:?} }}`", self.0.names[field])),
            None if needs_none => mistake.help(format!("write `{name} = {{}}` to have it with its defaults")),
            None => mistake,
        }))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        let mistake = format!("expected a table, found `{value}`");
        let needs_none = self.0.fields.iter().all(|field| field.need != Need::Required);
        Err(E::custom(if needs_none && value {
            InText::new(0..0, mistake).help(format!("write `{} = {{}}` to have it with its defaults", self.0.name))
        } else {
            InText::new(0..0, mistake)
        }))
    }
}

impl<S: Settings> JsonSchema for Tuned<S> {
    fn schema_name() -> Cow<'static, str> {
        S::NAME.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let listing = Only::<S>::LISTING;
        let mut table = table_of(listing, generator);
        table["description"] = sourced(listing).into();
        Schema::try_from(table).unwrap_or_default()
    }
}
