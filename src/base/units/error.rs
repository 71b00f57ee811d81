//! Why a text is not the quantity it should be.

use std::fmt;

use super::decimal::DIGITS_MAX;

/// A text that could not be read as a quantity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseUnitError {
    /// The text as it was found.
    pub found: String,
    /// What it should have been.
    pub quantity: Quantity,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What a text should have been.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// A length of time.
    Duration,
    /// Events per time.
    Rate,
    /// A number of bytes.
    Size,
    /// Bits per second.
    Bandwidth,
    /// A share of the whole, or a probability.
    Share,
}

/// What is wrong with a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// Not written as this quantity is.
    Malformed,
    /// Larger or smaller than its type can hold.
    OutOfRange,
    /// A fraction of what is indivisible: the plural of its name.
    Fraction(&'static str),
    /// More digits than are read exactly.
    TooManyDigits,
    /// A compound duration that repeats a unit or goes from a smaller to a larger one.
    UnitOrder,
}

impl ParseUnitError {
    pub(super) fn new(found: &str, quantity: Quantity, problem: Problem) -> Self {
        Self { found: found.to_owned(), quantity, problem }
    }
}

impl Quantity {
    fn name(self) -> &'static str {
        match self {
            Self::Duration => "duration",
            Self::Rate => "rate",
            Self::Size => "size",
            Self::Bandwidth => "bandwidth",
            Self::Share => "share",
        }
    }

    fn accepted(self) -> &'static str {
        match self {
            Self::Duration => "a number and a unit (ns us ms s min h d)",
            Self::Rate => "a number, a slash and a unit of time (ns us ms s min h d)",
            Self::Size => "a number and a unit (B kB MB GB TB KiB MiB GiB TiB)",
            Self::Bandwidth => "a number and a unit (bit/s kbit/s Mbit/s Gbit/s Tbit/s, or a size per second)",
            Self::Share => "a number between 0 and 1, or a percentage",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Duration => "1.5ms",
            Self::Rate => "200/s",
            Self::Size => "4KiB",
            Self::Bandwidth => "100Mbit/s",
            Self::Share => "1%",
        }
    }

    fn range(self) -> &'static str {
        match self {
            Self::Duration => "is zero or between 1ns and 584 years",
            Self::Rate => "is zero or what a 64-bit float can hold per second",
            Self::Size => "is below 16EiB",
            Self::Bandwidth => "lies between 1bit/s and 18446744Tbit/s",
            Self::Share => "lies between 0% and 100%",
        }
    }
}

impl fmt::Display for ParseUnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, quantity, problem } = self;
        let name = quantity.name();
        match problem {
            Problem::Malformed => {
                let spaces = if found.contains(char::is_whitespace) { " without spaces" } else { "" };
                let (accepted, example) = (quantity.accepted(), quantity.example());
                write!(f, "{found:?} is not a {name}: write {accepted}{spaces}, such as {example:?}")
            }
            Problem::OutOfRange => write!(f, "{found:?} is out of range: a {name} {}", quantity.range()),
            Problem::Fraction(atoms) => write!(f, "{found:?} is not a whole number of {atoms}"),
            Problem::TooManyDigits => write!(f, "{found:?} has more than {DIGITS_MAX} digits: write a rounder {name}"),
            Problem::UnitOrder => write!(
                f,
                "{found:?} names its units out of order: write the largest first and each once, such as \"2m30s\""
            ),
        }
    }
}

impl std::error::Error for ParseUnitError {}
