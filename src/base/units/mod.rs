//! Quantities as people write them: `"2m30s"`, `"200/s"`, `"4KiB"`, `"1Gbit/s"`, `"1%"`.
//!
//! Every quantity is read by [`str::parse`] and printed so that reading it again gives the same value. Numbers are plain
//! decimals, without sign, exponent or spaces; a decimal becomes an integer without passing through a float. What does not
//! fit is an error that says what was found and what is accepted: reading never panics.
//!
//! | quantity | type | written |
//! |---|---|---|
//! | duration | [`Span`](super::time::Span) | `"1.5ms"`, `"2m30s"`; printed by [`exact`] |
//! | rate | [`Rate`] | `"200/s"`, `"12/min"` |
//! | size | [`Bytes`] | `"4KiB"`, `"10MB"`, `"1500B"`, `"1500"` |
//! | bandwidth | [`Bandwidth`] | `"1Gbit/s"`, `"10MB/s"` |
//! | share | [`Probability`](super::probability::Probability) | `"1%"`, `"0.01"` |

mod bandwidth;
mod decimal;
mod duration;
mod error;
mod rate;
mod share;
mod size;

pub use bandwidth::Bandwidth;
pub use duration::{exact, in_hours};
pub use error::{ParseUnitError, Problem, Quantity};
pub use rate::{Rate, rate_per_sec};
pub use size::{Bytes, bytes, kib, mib};

/// The value of `unit` in a table of spellings.
fn lookup(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| *name == unit).map(|&(_, value)| value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::probability::Probability;
    use crate::base::time::Span;

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in ".*") {
            let _ = (text.parse::<Span>(), text.parse::<Rate>(), text.parse::<Bytes>());
            let _ = (text.parse::<Bandwidth>(), text.parse::<Probability>());
        }

        /// Random text rarely comes near the grammar; this one is made of its pieces.
        #[test]
        fn nor_does_nearly_correct_text(text in "([0-9]{0,40}[.]?[0-9]{0,40}(ns|us|ms|s|min|m|h|d|/s|/h|KiB|EiB|GB|Gbit/s|B/s|%|é)?){0,3}") {
            let _ = (text.parse::<Span>(), text.parse::<Rate>(), text.parse::<Bytes>());
            let _ = (text.parse::<Bandwidth>(), text.parse::<Probability>());
        }

        #[test]
        fn what_is_printed_reads_back_the_same(nanos: u64, count: u64, rate in 0.0..1e300_f64, share in 0.0..=1.0_f64) {
            let span = Span::from_nanos(nanos);
            prop_assert_eq!(exact(span).to_string().parse(), Ok(span));
            let size = bytes(count);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
            if let Some(bandwidth) = Bandwidth::from_bits_per_sec(count) {
                prop_assert_eq!(bandwidth.to_string().parse(), Ok(bandwidth));
            }
            let rate = Rate::from_per_sec(rate).unwrap();
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
            let share = Probability::new(share).unwrap();
            prop_assert_eq!(share.to_string().parse(), Ok(share));
        }
    }

    #[test]
    fn an_error_says_what_was_found_and_what_is_accepted() {
        let message = |error: ParseUnitError| error.to_string();
        assert_eq!(
            message("10 parsecs".parse::<Span>().unwrap_err()),
            r#""10 parsecs" is not a duration: write a number and a unit (ns us ms s min h d) without spaces, such as "1.5ms""#
        );
        assert_eq!(
            message("200".parse::<Rate>().unwrap_err()),
            r#""200" is not a rate: write a number, a slash and a unit of time (ns us ms s min h d), such as "200/s""#
        );
        assert_eq!(
            message("120%".parse::<Probability>().unwrap_err()),
            r#""120%" is out of range: a share lies between 0% and 100%"#
        );
        assert_eq!(message("0.3B".parse::<Bytes>().unwrap_err()), r#""0.3B" is not a whole number of bytes"#);
        assert_eq!(
            message("30s2m".parse::<Span>().unwrap_err()),
            r#""30s2m" names its units out of order: write the largest first and each once, such as "2m30s""#
        );
    }
}
