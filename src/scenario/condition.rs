//! What an expectation demands: `>= 99.5%`, `< 500ms`, `== 8.88% +- 5%`, `< 2.0 of before`, `linearizable`.
//!
//! ```text
//! condition = (< <= > >= == !=) VALUE ["+-" SHARE] ["of before"] | word
//! ```

use std::fmt;

use super::cursor::Cursor;
use super::document::{InText, text_type};
use crate::base::time::Span;
use crate::base::units::{Bytes, Rate, exact};

/// What a quantity has to be.
#[derive(Clone, PartialEq, Debug)]
pub enum Condition {
    /// It compares with a value.
    Compare {
        /// How.
        operator: Operator,
        /// With what.
        value: Amount,
        /// By which share of the value the two may differ and still be equal.
        tolerance: Option<f64>,
        /// Whether the value is a multiple of what the quantity was before the window began.
        of_before: bool,
    },
    /// It is this word, as in `linearizable`.
    Word(String),
}

/// How two values compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

/// A value with its kind.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Amount {
    /// A plain number.
    Number(f64),
    /// A share of a whole, 1 for 100%.
    Share(f64),
    /// A time.
    Time(Span),
    /// Events per second.
    Rate(f64),
    /// Bytes.
    Bytes(u64),
}

/// Longer operators before those they start with.
const OPERATORS: [(&str, Operator); 6] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<", Operator::Less),
    (">", Operator::More),
];

/// What other languages write, and what is meant.
const MISSPELLED: [(&str, &str); 8] =
    [("=>", ">="), ("=<", "<="), ("=", "=="), ("===", "=="), ("<>", "!="), ("≥", ">="), ("≤", "<="), ("≠", "!=")];

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn parse(text: &str) -> Result<Self, InText> {
        let mut cursor = Cursor::new(text);
        cursor.skip_spaces();
        let Some(operator) = OPERATORS.iter().find(|(token, _)| cursor.eat(token)).map(|(_, operator)| *operator)
        else {
            return word(&mut cursor);
        };
        cursor.skip_spaces();
        let value = Amount::take(&mut cursor)?;
        cursor.skip_spaces();
        let start = cursor.at();
        let mut tolerance = None;
        if cursor.eat("+-") {
            if !matches!(operator, Operator::Equal | Operator::NotEqual) {
                return Err(InText::new(start..cursor.at(), "`+-` stands with `==` or `!=`"));
            }
            cursor.skip_spaces();
            tolerance = Some(share(&mut cursor)?);
            cursor.skip_spaces();
        }
        let of_before = cursor.eat("of before");
        cursor.skip_spaces();
        cursor.finish()?;
        Ok(Self::Compare { operator, value, tolerance, of_before })
    }
}

fn word(cursor: &mut Cursor<'_>) -> Result<Condition, InText> {
    let start = cursor.at();
    let word = cursor.word();
    if !word.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        let sign = cursor.take(|letter| !letter.is_alphanumeric() && letter != ' ');
        let end = if sign.is_empty() {
            cursor.at().max(start + cursor.rest().chars().next().map_or(0, char::len_utf8))
        } else {
            cursor.at()
        };
        let known: Vec<_> = OPERATORS.iter().map(|(token, _)| format!("`{token}`")).collect();
        let meant = MISSPELLED.iter().find(|(other, _)| *other == sign);
        let meant = meant.map_or(String::new(), |(_, ours)| format!("did you mean `{ours}`? "));
        let help = format!("{meant}comparisons are {}", known.join(", "));
        return Err(InText::new(start..end, "expected a comparison such as `< 500ms`").help(help));
    }
    cursor.skip_spaces();
    cursor.finish()?;
    Ok(Condition::Word(word.into()))
}

fn share(cursor: &mut Cursor<'_>) -> Result<f64, InText> {
    let start = cursor.at();
    let text = cursor.take(|letter| letter != ' ');
    let share = percentage(text).or_else(|| decimal(text));
    share.ok_or_else(|| InText::new(start..cursor.at(), "expected a share such as `5%` or 0.05"))
}

/// Reads a percentage as a share; unlike a probability it may exceed one.
fn percentage(text: &str) -> Option<f64> {
    Some(decimal(text.strip_suffix('%')?)? / 100.0)
}

/// Reads a number that is not negative, in digits with at most one point.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let is_plain = text.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let number: f64 = text.parse().ok().filter(|_| is_plain)?;
    number.is_finite().then_some(number)
}

impl Amount {
    /// Reads a value with or without a unit, up to a space, a closing parenthesis or the end.
    pub(super) fn take(cursor: &mut Cursor<'_>) -> Result<Self, InText> {
        let start = cursor.at();
        let text = cursor.take(|letter| letter != ' ' && letter != ')');
        Self::parse(text).ok_or_else(|| {
            let message = match text {
                "" => "expected a value".to_owned(),
                _ => format!("`{text}` is not a value"),
            };
            InText::new(start..cursor.at(), message).help("values read like 3, 99.5%, 500ms, 200/s or 4KiB")
        })
    }

    /// The value that a text says, if it says one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = || decimal(text).or_else(|| decimal(text.strip_prefix('-')?).map(|number| -number));
        number()
            .map(Self::Number)
            .or_else(|| percentage(text).map(Self::Share))
            .or_else(|| text.parse().ok().map(Self::Time))
            .or_else(|| text.parse().ok().map(|rate: Rate| Self::Rate(rate.per_sec())))
            .or_else(|| text.parse().ok().map(|size: Bytes| Self::Bytes(size.count())))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Compare { operator, value, tolerance, of_before } => {
                write!(f, "{operator} {value}")?;
                if let Some(tolerance) = tolerance {
                    write!(f, " +- {}", Amount::Share(*tolerance))?;
                }
                f.write_str(if *of_before { " of before" } else { "" })
            }
        }
    }
}

impl Operator {
    /// The operator that a text is, if it is one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        OPERATORS.iter().find(|(token, _)| *token == text).map(|&(_, operator)| operator)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (token, _) = OPERATORS.iter().find(|(_, operator)| operator == self).expect("every operator is listed");
        f.write_str(token)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Share(share) => write!(f, "{}%", round(share * 100.0)),
            Self::Time(span) => exact(*span).fmt(f),
            Self::Rate(rate) => write!(f, "{}/s", round(*rate)),
            Self::Bytes(bytes) => write!(f, "{bytes}B"),
        }
    }
}

/// To nine decimals, so that 8.88 % does not print its binary neighbour.
fn round(number: f64) -> f64 {
    (number * 1e9).round() / 1e9
}

text_type!(Condition, "condition", "a condition such as \"< 500ms\" or \">= 99.5%\"");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_read_and_print_alike() {
        for text in [
            ">= 99.5%",
            "< 500ms",
            "== 8.88% +- 5%",
            "> 250/s",
            "== 0",
            "!= 3",
            "<= 4096B",
            "< 2 of before",
            "linearizable",
            "> -1",
        ] {
            assert_eq!(Condition::parse(text).expect(text).to_string(), text);
        }
        assert_eq!(Condition::parse(" <500ms "), Condition::parse("< 500ms"), "spaces do not matter");
    }

    #[test]
    fn mistakes_are_found_inside_the_text() {
        for (text, range, said) in [
            ("", 0..0, "expected a comparison"),
            ("500ms", 0..5, "expected a comparison"),
            ("= 5", 0..1, "expected a comparison"),
            ("<", 1..1, "expected a value"),
            ("< 5 apples", 4..10, "unexpected `apples`"),
            ("< 5apples", 2..9, "`5apples` is not a value"),
            ("< 5 +- 1%", 4..6, "stands with `==`"),
            ("== 5 +- x", 8..9, "expected a share"),
        ] {
            let mistake = Condition::parse(text).expect_err(text);
            assert_eq!(mistake.range, range, "{text}: {}", mistake.message);
            assert!(mistake.message.contains(said), "{text}: {}", mistake.message);
        }
    }
}
