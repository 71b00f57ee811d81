//! Why a distribution cannot be built.

use std::fmt;
use std::ops::RangeInclusive;

use crate::base::time::Span;
use crate::base::units::exact;

/// What is wrong with the description of a distribution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DistributionError {
    /// A parameter that the family does not accept.
    Parameter {
        /// The family.
        family: &'static str,
        /// The parameter, as scenarios spell it.
        parameter: &'static str,
        /// Its value.
        found: String,
        /// What it must be.
        accepted: String,
    },
    /// Data that make no distribution.
    Data {
        /// The line of the file where it shows, if it shows on one.
        line: Option<u64>,
        /// What is wrong, and what is accepted.
        problem: String,
    },
    /// A file that could not be read.
    Unreadable {
        /// What the system said.
        problem: String,
    },
}

impl DistributionError {
    pub(super) fn parameter(
        family: &'static str,
        parameter: &'static str,
        found: impl fmt::Display,
        accepted: impl fmt::Display,
    ) -> Self {
        Self::Parameter { family, parameter, found: found.to_string(), accepted: accepted.to_string() }
    }

    pub(super) fn data(line: Option<u64>, problem: impl fmt::Display) -> Self {
        Self::Data { line, problem: problem.to_string() }
    }
}

/// A duration above zero, in nanoseconds.
pub(super) fn positive(family: &'static str, parameter: &'static str, span: Span) -> Result<f64, DistributionError> {
    if span == Span::ZERO {
        return Err(DistributionError::parameter(family, parameter, exact(span), "be longer than zero"));
    }
    Ok(span.as_nanos() as f64)
}

/// A shape within the range in which the family's functions keep their accuracy.
pub(super) fn shape(family: &'static str, value: f64, accepted: RangeInclusive<f64>) -> Result<f64, DistributionError> {
    if accepted.contains(&value) {
        return Ok(value);
    }
    let range = format!("lie between {} and {}", accepted.start(), accepted.end());
    Err(DistributionError::parameter(family, "shape", value, range))
}

impl fmt::Display for DistributionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter { family, parameter, found, accepted } => {
                write!(f, "{family}: {parameter} is {found}, it must {accepted}")
            }
            Self::Data { line: Some(line), problem } => write!(f, "line {line}: {problem}"),
            Self::Data { line: None, problem } | Self::Unreadable { problem } => f.write_str(problem),
        }
    }
}

impl std::error::Error for DistributionError {}
