//! `place`: in which regions the nodes of a group are, and in which of their zones.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::scenario::cursor::Cursor;
use crate::scenario::document::{Entries, InText, Located, Piece, text_type};

/// A region, or one of its zones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Location {
    /// The region.
    pub region: Piece<String>,
    /// The zone; dealt in turn over all of them if it is left out.
    pub zone: Option<Piece<String>>,
}

impl Location {
    fn parse(text: &str) -> Result<Self, InText> {
        let mut cursor = Cursor::new(text);
        let region = cursor.name("a region's name")?;
        let zone = if cursor.eat("/") { Some(cursor.name("a zone's name")?) } else { None };
        cursor.finish()?;
        Ok(Self { region, zone })
    }
}

text_type!(Location, "location", "a region or one of its zones, such as \"eu\" or \"eu/a\"");

/// In which regions the nodes of a group are.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// All in this one.
    One(Location),
    /// In these, dealt in turn.
    Turn(Vec<Located<Location>>),
    /// So many in each.
    Counts(Entries<Location, Located<NonZeroU32>>),
}

impl Place {
    /// How many nodes it speaks of, if it says so.
    pub fn nodes(&self) -> Option<NonZeroU32> {
        let Self::Counts(counts) = self else { return None };
        let add = |sum: u32, (_, count): (_, &Located<NonZeroU32>)| sum.saturating_add(count.value.get());
        NonZeroU32::new(counts.iter().fold(0, add))
    }
}

/// The nodes of a group with these keys: as many as are written, or as many as have a place, or one.
pub(super) fn nodes(written: Option<&Located<NonZeroU32>>, place: Option<&Located<Place>>) -> NonZeroU32 {
    let placed = || place.and_then(|place| place.value.nodes());
    written.map(|nodes| nodes.value).or_else(placed).unwrap_or(NonZeroU32::MIN)
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = Place;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a region, a list of regions, or a table with the number of nodes in each")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Place, E> {
                Location::parse(text).map(Place::One).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Place, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(Place::Turn)
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Place, A::Error> {
                Entries::deserialize(MapAccessDeserializer::new(entries)).map(Place::Counts)
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for Place {
    fn schema_name() -> Cow<'static, str> {
        "Place".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let with = |mut schema: Schema, doc: &str| {
            schema.insert("description".into(), doc.into());
            schema
        };
        let one = with(generator.subschema_for::<Location>(), "All in this region, or in this zone, as in `\"eu/a\"`.");
        let turn = with(generator.subschema_for::<Vec<Location>>(), "In these regions or zones, dealt in turn.");
        let counts = generator.subschema_for::<Entries<Location, NonZeroU32>>();
        let counts = with(counts, "So many in each; their sum is `nodes`, which can be left out.");
        const DOC: &str = "In which regions the nodes of a group are. In a region that has zones they are dealt over these \
                           in turn, in the order of the zones' names.";
        json_schema!({ "description": DOC, "anyOf": [one, turn, counts] })
    }
}
