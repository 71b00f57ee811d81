//! Values with units, as a scenario writes them: durations, rates, sizes, bandwidths, shares.
//!
//! The unit stands in the value, so a number without one is refused. Decimal fractions are read exactly, without floats.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

use crate::base::probability::Probability;
use crate::base::time::Span;

/// A length of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Duration(pub Span);

/// How often, in events per second.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Rate(f64);

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bytes(pub u64);

/// Bits per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bandwidth(pub u64);

/// A share of a whole, from 0 to 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Share(pub Probability);

impl Rate {
    /// Events per second.
    pub const fn per_second(self) -> f64 {
        self.0
    }
}

const TIME_UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

const BYTE_UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

const BIT_UNITS: &[(&str, u64)] = &[
    ("bit", 1),
    ("kbit", 1_000),
    ("Kbit", 1_000),
    ("Mbit", 1_000_000),
    ("Gbit", 1_000_000_000),
    ("Tbit", 1_000_000_000_000),
];

/// Reads a duration: `"120s"`, `"0.3ms"`, `"2m30s"`.
pub(crate) fn parse_duration(text: &str) -> Option<Span> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut unit_before = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = take(rest, |letter| letter.is_ascii_digit() || letter == '.');
        let (unit, after) = take(after, |letter| letter.is_ascii_alphabetic());
        let unit = find(TIME_UNITS, unit).filter(|unit| *unit < unit_before)?;
        total = total.checked_add(scaled(number, unit)?)?;
        (rest, unit_before) = (after, unit);
    }
    (!text.is_empty()).then_some(Span::from_nanos(total))
}

/// Reads a rate: `"200/s"`, `"12/min"`.
pub(crate) fn parse_rate(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once('/')?;
    let unit = find(TIME_UNITS, unit.trim_start())?;
    let number = decimal(number.trim_end())?;
    Some(number * 1e9 / unit as f64)
}

/// Reads a size: `"4KiB"`, `"500B"`.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit) = take(text, |letter| letter.is_ascii_digit() || letter == '.');
    scaled(number, find(BYTE_UNITS, unit)?)
}

/// Reads a bandwidth in bits or bytes per second: `"100Mbit/s"`, `"10MiB/s"`.
fn parse_bandwidth(text: &str) -> Option<u64> {
    let text = text.strip_suffix("/s")?;
    let (number, unit) = take(text, |letter| letter.is_ascii_digit() || letter == '.');
    match find(BIT_UNITS, unit) {
        Some(bits) => scaled(number, bits),
        None => scaled(number, find(BYTE_UNITS, unit)?)?.checked_mul(8),
    }
}

/// Reads a percentage as a share: `"99.5%"`.
pub(crate) fn parse_percent(text: &str) -> Option<f64> {
    Some(decimal(text.strip_suffix('%')?)? / 100.0)
}

/// Reads a number that is not negative, in digits with at most one point.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let is_plain = text.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let number: f64 = text.parse().ok().filter(|_| is_plain)?;
    number.is_finite().then_some(number)
}

fn take(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|letter| !belongs(letter)).unwrap_or(text.len()))
}

fn find(units: &[(&str, u64)], name: &str) -> Option<u64> {
    units.iter().find(|(unit, _)| *unit == name).map(|(_, factor)| *factor)
}

/// `number` times `unit`, if that is a whole number: `1.5KiB` is, `0.5ns` is not.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = u32::try_from(fraction.trim_end_matches('0').len()).ok()?;
    let scale = 10_u128.checked_pow(digits)?;
    let (whole, fraction) = (digits_only(whole)?, digits_only(fraction)?);
    let fraction = fraction.trim_end_matches('0');
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()? };
    let part = part.checked_mul(u128::from(unit))?;
    let total = whole.parse::<u128>().ok()?.checked_mul(u128::from(unit))?.checked_add(part / scale)?;
    u64::try_from(total).ok().filter(|_| part % scale == 0)
}

fn digits_only(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

impl fmt::Display for Duration {
    /// Exact, in the largest unit up to seconds that leaves at least one whole: `1.5s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let (name, unit) = match nanos {
            0 => return f.write_str("0s"),
            1..1_000 => ("ns", 1),
            1_000..1_000_000 => ("us", 1_000),
            1_000_000..1_000_000_000 => ("ms", 1_000_000),
            _ => ("s", 1_000_000_000),
        };
        // The unit in front keeps the zeros behind the point.
        let fraction = (unit + nanos % unit).to_string();
        let fraction = fraction[1..].trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{}{point}{fraction}{name}", nanos / unit)
    }
}

/// What serde and the JSON Schema need to know of a value that is written as a string.
macro_rules! written_as_text {
    ($type:ident, $parse:expr, $name:literal, $expected:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                        $parse(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
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

written_as_text!(
    Duration,
    |text| parse_duration(text).map(Duration),
    "duration",
    "a duration such as \"120s\", \"0.3ms\" or \"2m30s\""
);
written_as_text!(Rate, |text| parse_rate(text).map(Rate), "rate", "a rate such as \"200/s\" or \"12/min\"");
written_as_text!(Bytes, |text| parse_bytes(text).map(Bytes), "size", "a size such as \"500B\" or \"4KiB\"");
written_as_text!(
    Bandwidth,
    |text| parse_bandwidth(text).filter(|bits| *bits > 0).map(Bandwidth),
    "bandwidth",
    "a bandwidth such as \"100Mbit/s\" or \"10MiB/s\""
);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrPercent;

        impl Visitor<'_> for NumberOrPercent {
            type Value = Share;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share such as 0.01 or \"1%\", from 0 to 1")
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Share, E> {
                let refused = || E::invalid_value(serde::de::Unexpected::Float(number), &self);
                Probability::new(number).map(Share).ok_or_else(refused)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Share, E> {
                self.visit_f64(number as f64)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Share, E> {
                let share = parse_percent(text).and_then(Probability::new).map(Share);
                share.ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
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
    use super::*;
    use crate::base::time::{ms, ns, secs, us};

    #[test]
    fn durations_are_exact_and_may_be_compound() {
        for (text, span) in [
            ("120s", secs(120)),
            ("0.3ms", us(300)),
            ("2m30s", secs(150)),
            ("1h1min1s", secs(3661)),
            ("3333333ns", ns(3_333_333)),
            ("0s", secs(0)),
            ("1.50s", ms(1500)),
        ] {
            assert_eq!(parse_duration(text), Some(span), "{text}");
        }
        for text in
            ["", "5", "s", "5 s", "-1s", "1.s", ".5s", "1.2.3s", "0.5ns", "1s1s", "1s2m", "1e3s", "9999999999d", "1x"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn rates_are_per_second() {
        assert_eq!(parse_rate("200/s"), Some(200.0));
        assert_eq!(parse_rate("12/min"), Some(0.2));
        assert_eq!(parse_rate("1.5/ms"), Some(1500.0));
        for text in ["200", "/s", "200/", "200/x", "-1/s", "inf/s", "NaN/s"] {
            assert_eq!(parse_rate(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_know_both_kinds_of_kilo() {
        assert_eq!(parse_bytes("4KiB"), Some(4096));
        assert_eq!(parse_bytes("4kB"), Some(4000));
        assert_eq!(parse_bytes("1.5KiB"), Some(1536));
        assert_eq!(parse_bytes("0.3B"), None, "not a whole number of bytes");
        assert_eq!(parse_bytes("4"), None);
    }

    #[test]
    fn bandwidths_are_bits_per_second() {
        assert_eq!(parse_bandwidth("1Gbit/s"), Some(1_000_000_000));
        assert_eq!(parse_bandwidth("1KiB/s"), Some(8192));
        assert_eq!(parse_bandwidth("1Gbit"), None);
    }

    #[test]
    fn a_duration_is_shown_exactly() {
        assert_eq!(Duration(ms(1500)).to_string(), "1.5s");
        assert_eq!(Duration(ns(3_000_333)).to_string(), "3.000333ms");
        assert_eq!(Duration(ns(7)).to_string(), "7ns");
        assert_eq!(Duration(secs(30)).to_string(), "30s");
        assert_eq!(Duration(Span::ZERO).to_string(), "0s");
    }
}
