//! Shares: `"1%"`, `"0.01"`.

use std::fmt;
use std::str::FromStr;

use super::decimal::split_number;
use super::error::{ParseUnitError, Problem, Quantity};
use crate::base::probability::Probability;

impl FromStr for Probability {
    type Err = ParseUnitError;

    /// Reads a number between 0 and 1, or one between 0 and 100 with a percent sign: `"1%"` and `"0.01"` are equal.
    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        parse(text).map_err(|problem| ParseUnitError::new(text, Quantity::Share, problem))
    }
}

fn parse(text: &str) -> Result<Probability, Problem> {
    let (number, sign) = split_number(text).ok_or(Problem::Malformed)?;
    let value = match sign {
        "" => number.parse(),
        // Moving the point costs no rounding; dividing by 100 would be a second one.
        "%" => format!("{number}e-2").parse(),
        _ => return Err(Problem::Malformed),
    };
    let value: f64 = value.map_err(|_| Problem::Malformed)?;
    Probability::new(value).ok_or(Problem::OutOfRange)
}

impl fmt::Display for Probability {
    /// The shortest percentage that reads back as the same probability: `1%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratio = self.value();
        // A probability is a multiple of 2^-53 > 10^-16: seventeen decimals of the ratio tell any two apart, even after
        // they were read into a float.
        let decimals = (2..17).find(|&places| format!("{ratio:.places$}").parse() == Ok(*self)).unwrap_or(17);
        let text = format!("{ratio:.decimals$}");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
        let (hundredths, fraction) = fraction.split_at(2);
        let percent = format!("{whole}{hundredths}");
        let percent = percent.trim_start_matches('0');
        let whole = if percent.is_empty() { "0" } else { percent };
        let point = if fraction.is_empty() { "" } else { "." };
        f.pad(&format!("{whole}{point}{fraction}%"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::probability::percent;

    #[test]
    fn a_share_is_a_ratio_or_a_percentage() {
        for (text, ratio) in
            [("1%", 0.01), ("0.01", 0.01), ("0.1%", 0.001), ("100%", 1.0), ("0", 0.0), ("99.5%", 0.995)]
        {
            assert_eq!(text.parse(), Ok(Probability::new(ratio).unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for (text, problem) in [
            ("", Problem::Malformed),
            ("%", Problem::Malformed),
            ("1 %", Problem::Malformed),
            ("-1%", Problem::Malformed),
            ("1.5", Problem::OutOfRange),
            ("100.1%", Problem::OutOfRange),
        ] {
            assert_eq!(text.parse::<Probability>().map_err(|error| error.problem), Err(problem), "{text}");
        }
    }

    #[test]
    fn shares_print_as_the_shortest_percentage() {
        for (share, text) in [
            (percent(1.0), "1%"),
            (percent(0.0), "0%"),
            (percent(100.0), "100%"),
            (percent(12.5), "12.5%"),
            (percent(0.001), "0.001%"),
        ] {
            assert_eq!(share.to_string(), text);
        }
    }
}
