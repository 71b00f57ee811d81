//! Values with units, as a scenario writes them: durations, rates, sizes, bandwidths, shares.
//!
//! What the texts mean is [`base::units`](crate::base::units); here is what serde and the JSON Schema need to know of them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Expected, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use crate::base::probability::Probability;
use crate::base::time::Span;
use crate::base::units::{self, ParseUnitError, Problem, exact};
use crate::scenario::document::InText;

/// A length of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Duration(pub Span);

/// How often.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Rate(pub units::Rate);

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bytes(pub units::Bytes);

/// Bits per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bandwidth(pub units::Bandwidth);

/// A share of a whole, from 0 to 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Share(pub Probability);

/// Reads a quantity from a scenario's string, whose unit stands in it.
///
/// A text that is nothing of the kind is told what was expected; one that is nearly right is told what is wrong with it.
pub(super) fn quantity<T, E>(text: &str, expected: &dyn Expected) -> Result<T, E>
where
    T: FromStr<Err = ParseUnitError>,
    E: Error,
{
    let unlike = || E::invalid_value(Unexpected::Str(text), expected);
    if !text.ends_with(|letter: char| letter.is_alphabetic() || letter == '%') {
        return Err(unlike());
    }
    text.parse().map_err(|error: ParseUnitError| match error.problem {
        Problem::Malformed => unlike(),
        _ => E::custom(error),
    })
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        exact(self.0).fmt(f)
    }
}

/// What serde and the JSON Schema need to know of a value that is written as a string.
macro_rules! written_as_text {
    ($type:ident, $name:literal, $expected:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                        quantity(text, &self).map($type)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": concat!("Written as ", $expected, ".") })
            }
        }
    };
}

written_as_text!(Duration, "duration", "a duration such as \"120s\", \"0.3ms\" or \"2m30s\"");
written_as_text!(Rate, "rate", "a rate such as \"200/s\" or \"12/min\"");
written_as_text!(Bytes, "size", "a size such as \"500B\" or \"4KiB\"");
written_as_text!(Bandwidth, "bandwidth", "a bandwidth such as \"100Mbit/s\" or \"10MiB/s\"");

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrPercent;

        impl Visitor<'_> for NumberOrPercent {
            type Value = Share;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share such as 0.01 or \"1%\", from 0 to 1")
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Share, E> {
                let refused = || {
                    let error = E::invalid_value(Unexpected::Float(number), &self);
                    let is_percentage = number > 1.0 && number <= 100.0;
                    let help = format!("did you mean \"{number}%\"?");
                    if is_percentage { E::custom(InText::new(0..0, error.to_string()).help(help)) } else { error }
                };
                Probability::new(number).map(Share).ok_or_else(refused)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Share, E> {
                self.visit_f64(number as f64)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Share, E> {
                quantity(text, &self).map(Share)
            }
        }

        deserializer.deserialize_any(NumberOrPercent)
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"], "description": "Written as a number from 0 to 1, or \"1%\"." })
    }
}

/// The JSON Schema shows defaults as a scenario would write them.
impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::IntoDeserializer;
    use serde::de::value::{Error as Plain, StrDeserializer};

    use super::*;
    use crate::base::time::{ms, secs};
    use crate::base::units::{bytes, rate_per_sec};

    fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
        let deserializer: StrDeserializer<'_, Plain> = text.into_deserializer();
        T::deserialize(deserializer).map_err(|error| error.to_string())
    }

    fn refused<T: for<'de> Deserialize<'de> + Debug>(text: &str, said: &str) {
        let error = read::<T>(text).expect_err(text);
        assert!(error.contains(said), "{text}: {error}");
    }

    #[test]
    fn quantities_are_texts_with_units() {
        assert_eq!(read("2m30s"), Ok(Duration(secs(150))));
        assert_eq!(read("12/min"), Ok(Rate(rate_per_sec(0.2))));
        assert_eq!(read("1.5KiB"), Ok(Bytes(bytes(1536))));
        assert_eq!(read("1KiB/s"), Ok(Bandwidth(units::Bandwidth::from_bits_per_sec(8192).unwrap())));
        assert_eq!(read("1%"), Ok(Share(Probability::new(0.01).unwrap())));
    }

    #[test]
    fn what_is_no_quantity_is_told_what_was_expected() {
        refused::<Duration>("5 s", "expected a duration such as");
        refused::<Rate>("200", "expected a rate such as");
        refused::<Bytes>("1500", "expected a size such as");
        refused::<Bandwidth>("1Gbit", "expected a bandwidth such as");
        refused::<Share>("many", "expected a share such as");
    }

    #[test]
    fn what_is_nearly_right_is_told_what_is_wrong() {
        refused::<Duration>("30s2m", "names its units out of order");
        refused::<Duration>("9999999999d", "out of range");
        refused::<Bytes>("0.3B", "not a whole number of bytes");
        refused::<Bandwidth>("0bit/s", "out of range");
        refused::<Share>("120%", "a share lies between 0% and 100%");
    }

    #[test]
    fn a_duration_is_shown_exactly() {
        assert_eq!(Duration(ms(1500)).to_string(), "1.5s");
        assert_eq!(Duration(Span::from_nanos(3_000_333)).to_string(), "3.000333ms");
    }
}
