//! `[regions]`

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::json;

use super::Named;
use super::name::Name;
use super::quantity_text::Duration;
use crate::network::regions::{MATRICES, Matrix};
use crate::scenario::document::{InText, Located};
use crate::scenario::nearest::{nearest, one_of};

/// Times between two regions each: `eu.us = "80ms"`.
pub type Pairs = Located<Named<Named<Located<Duration>>>>;

/// Where nodes can be, and how far it is from one region to another: one of `rtt`, `one-way` and `preset`; none for one
/// region with `zones`.
///
/// Inside a region messages meet `[network]`. From one region to another the latency is what stands here, always the same;
/// everything else is as in `[network]`. What a link says counts before both.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Regions {
    /// Round-trip times: `rtt = { eu.us = "80ms", eu.ap = "220ms", us.ap = "160ms" }`, half each way.
    ///
    /// Every pair is written once, in either order.
    pub rtt: Option<Pairs>,
    /// Times from one region to another: `one-way = { eu.us = "38ms", us.eu = "42ms" }`.
    ///
    /// A direction that is not written takes as long as the other one.
    pub one_way: Option<Pairs>,
    /// Published round-trip times, half each way.
    pub preset: Option<Located<RegionPreset>>,
    /// Zones inside regions: `zones = { eu = ["a", "b", "c"] }`. Groups whose `place` is `eu` are dealt over them in turn;
    /// `eu/a` is one of them.
    #[serde(default)]
    pub zones: Named<Located<Vec<Located<Name>>>>,
    /// The round-trip time between two zones of one region, half each way. Without it, as inside a zone: `[network]`.
    pub zone_rtt: Option<Located<Duration>>,
}

/// Round-trip times that somebody has published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegionPreset(pub &'static Matrix);

impl RegionPreset {
    fn parse(text: &str) -> Result<Self, InText> {
        Matrix::named(text).map(Self).ok_or_else(|| {
            let names: Vec<_> = MATRICES.iter().map(|matrix| matrix.name).collect();
            let help = match nearest(text, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there is {}", one_of(&names)),
            };
            InText::new(0..text.len(), format!("there is no preset `{text}`")).help(help)
        })
    }
}

impl<'de> Deserialize<'de> for RegionPreset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = RegionPreset;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a preset such as \"azure-2023\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RegionPreset, E> {
                RegionPreset::parse(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for RegionPreset {
    fn schema_name() -> Cow<'static, str> {
        "RegionPreset".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let choice = |matrix: &Matrix| {
            let regions: Vec<_> = matrix.regions.iter().map(|region| format!("`{region}`")).collect();
            let doc = format!("{} Regions: {}. Source: {}.", matrix.summary, regions.join(", "), matrix.source);
            json!({ "const": matrix.name, "description": doc })
        };
        let choices: Vec<_> = MATRICES.iter().map(choice).collect();
        json_schema!({ "description": "Round-trip times that somebody has published.", "anyOf": choices })
    }
}
