//! What the JSON of all studies has in common, read back.

use std::collections::BTreeMap;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};

use crate::base::random::mix;
use crate::experiment::{Axis, Unit};
use crate::report::style::clean;
use crate::report::sweep::unit_name;
use crate::scenario::Better;

use super::StoredError;

/// The schema of studies.
const SCHEMA: u32 = 1;

/// A value with its interval.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Measured {
    /// None where there is none; it may be infinite.
    pub value: Option<f64>,
    /// Its ends may be infinite.
    pub interval: Option<(f64, f64)>,
    pub unit: Unit,
}

impl Measured {
    /// Its value, where that is finite.
    pub fn finite(&self) -> Option<f64> {
        self.value.filter(|value| value.is_finite())
    }
}

/// Which study it is, and how it was played.
#[derive(Clone, Debug, serde::Deserialize)]
pub(in crate::report) struct Origin {
    schema: u32,
    version: String,
    pub title: String,
    #[serde(default)]
    pub variant: Option<String>,
    seed: u64,
}

impl Origin {
    /// In one line: the seed, `what` was played, the version, and the digest of all of these together.
    pub fn line(&self, what: &str, digests: impl Iterator<Item = u64>) -> String {
        let digest = digests.fold(0, |chain, digest| mix(chain ^ digest));
        format!("seed {} · {what} · rehearsal {} · digest {digest:016x}", self.seed, self.version())
    }

    /// The same of what was played, without a digest.
    pub fn played(&self, what: &str) -> String {
        format!("seed {} · {what} · rehearsal {}", self.seed, self.version())
    }

    fn version(&self) -> String {
        clean(&self.version, 16)
    }

    /// The title and the variant, as the head of a sheet has them.
    pub fn names(&self) -> (&str, Option<&str>) {
        (&self.title, self.variant.as_deref())
    }
}

/// Reads the file of a study of the schema that this version knows.
pub(super) fn read<T: DeserializeOwned>(file: &'static str, bytes: &[u8]) -> Result<(Origin, T), StoredError> {
    let damaged = |error: serde_json::Error| StoredError::damaged(file, None, clean(&error.to_string(), 200));
    let origin: Origin = serde_json::from_slice(bytes).map_err(damaged)?;
    if origin.schema != SCHEMA {
        return Err(StoredError::schema(file, origin.schema, SCHEMA));
    }
    Ok((origin, serde_json::from_slice(bytes).map_err(damaged)?))
}

/// What is said of each of these names, in their order.
pub(super) fn in_order<'n, V>(
    file: &'static str,
    names: impl Iterator<Item = &'n str>,
    mut said: BTreeMap<String, V>,
) -> Result<Vec<V>, StoredError> {
    let take = |name: &str| {
        let missing = || StoredError::damaged(file, None, format!("`{}` is missing somewhere", clean(name, 80)));
        said.remove(name).ok_or_else(missing)
    };
    names.map(take).collect()
}

#[derive(serde::Deserialize)]
struct RawMeasured {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    #[serde(deserialize_with = "unit")]
    unit: Unit,
    #[serde(default)]
    is_infinite: bool,
}

impl<'de> Deserialize<'de> for Measured {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RawMeasured { value, low, high, unit, is_infinite } = Deserialize::deserialize(deserializer)?;
        let value = if is_infinite { Some(f64::INFINITY) } else { value };
        let has_interval = low.is_some() || high.is_some();
        let interval = (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY));
        Ok(Self { value, interval: has_interval.then_some(interval), unit })
    }
}

/// Something that was varied.
#[derive(Clone, Debug)]
pub(super) struct Factor(pub Axis);

#[derive(serde::Deserialize)]
struct RawFactor {
    path: String,
    #[serde(deserialize_with = "unit")]
    unit: Unit,
    scale: Scale,
}

#[derive(PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scale {
    Linear,
    Log,
}

impl<'de> Deserialize<'de> for Factor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RawFactor { path, unit, scale } = Deserialize::deserialize(deserializer)?;
        Ok(Self(Axis { path, unit, is_log: scale == Scale::Log }))
    }
}

/// A unit by its name in tables.
pub(super) fn unit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Unit, D::Error> {
    let name = String::deserialize(deserializer)?;
    let all = [Unit::Time, Unit::Rate, Unit::Share, Unit::Number];
    let known = all.into_iter().find(|unit| unit_name(*unit) == name);
    known.ok_or_else(|| D::Error::custom(format!("unknown unit `{name}`")))
}

/// Which values are better, if any.
pub(super) fn better<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Better>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None => Ok(None),
        Some("lower") => Ok(Some(Better::Lower)),
        Some("higher") => Ok(Some(Better::Higher)),
        Some(other) => Err(D::Error::custom(format!("found `{other}` where `lower` or `higher` is better"))),
    }
}

/// A fingerprint in sixteen digits.
pub(super) fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    u64::from_str_radix(&text, 16).map_err(|_| D::Error::custom(format!("found `{text}` in the place of a digest")))
}
