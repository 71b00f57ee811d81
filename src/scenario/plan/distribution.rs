//! Distributions of times and sizes.

use crate::base::distribution::{Distribution, DistributionError};
use crate::base::time::Span;
use crate::base::units::bytes;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{DataFile, Located, Origin};
use crate::scenario::schema::{Bytes, DistributionSpec, Duration, LognormalSpec, Sizes, Times, WeibullSpec};

/// The distribution that `times` describes.
///
/// # Errors
/// What is wrong with its parameters or its data.
pub fn times(times: &Times) -> Result<Distribution, Diagnostic> {
    distribution(times)
}

/// The distribution that `sizes` describes: a nanosecond of it is a byte.
///
/// # Errors
/// What is wrong with its parameters or its data.
pub fn sizes(sizes: &Sizes) -> Result<Distribution, Diagnostic> {
    distribution(sizes)
}

/// What can vary.
trait Varying: Copy {
    /// The value as a length of time.
    fn span(self) -> Span;

    /// Data in a file.
    fn from_csv(content: &str) -> Result<Distribution, DistributionError>;

    /// A message about lengths of time, in its own words.
    fn message(about_times: String) -> String;
}

impl Varying for Duration {
    fn span(self) -> Span {
        self.0
    }

    fn from_csv(content: &str) -> Result<Distribution, DistributionError> {
        Distribution::from_csv(content.as_bytes())
    }

    fn message(about_times: String) -> String {
        about_times
    }
}

impl Varying for Bytes {
    fn span(self) -> Span {
        Span::from_nanos(self.0.count())
    }

    fn from_csv(content: &str) -> Result<Distribution, DistributionError> {
        Distribution::sizes_from_csv(content.as_bytes())
    }

    /// Every time in the message is a size; times are printed exactly, so none is rounded here.
    fn message(about_times: String) -> String {
        let size = |word: &str| {
            let (word, comma) = word.strip_suffix(',').map_or((word, ""), |word| (word, ","));
            match word.parse::<Span>() {
                Ok(span) => format!("{}{comma}", bytes(span.as_nanos())),
                Err(_) => format!("{}{comma}", if word == "longer" { "larger" } else { word }),
            }
        };
        about_times.split(' ').map(size).collect::<Vec<_>>().join(" ")
    }
}

fn distribution<Q: Varying>(spec: &Located<DistributionSpec<Q>>) -> Result<Distribution, Diagnostic> {
    let built = match &spec.value {
        DistributionSpec::Constant(value) | DistributionSpec::NamedConstant(value) => Ok(value.span().into()),
        DistributionSpec::Uniform([min, max]) => Distribution::uniform(min.span(), max.span()),
        DistributionSpec::Exponential(mean) => Distribution::exponential(mean.span()),
        DistributionSpec::Normal { mean, sd } => Distribution::normal(mean.span(), sd.span()),
        DistributionSpec::Lognormal(LognormalSpec::Percentiles { median, p99 }) => {
            Distribution::lognormal(median.span(), p99.span())
        }
        DistributionSpec::Lognormal(LognormalSpec::Moments { mean, sd }) => {
            Distribution::lognormal_of_mean(mean.span(), sd.span())
        }
        DistributionSpec::Pareto { min, shape } => Distribution::pareto(min.span(), shape.value()),
        DistributionSpec::Gamma { shape, mean } => Distribution::gamma(shape.value(), mean.span()),
        DistributionSpec::Weibull(WeibullSpec::Scale { shape, scale }) => {
            Distribution::weibull(shape.value(), scale.span())
        }
        DistributionSpec::Weibull(WeibullSpec::Mean { shape, mean }) => {
            Distribution::weibull_of_mean(shape.value(), mean.span())
        }
        DistributionSpec::Samples(file) => return data::<Q>("samples", file, spec.origin),
        DistributionSpec::Quantiles(file) => return data::<Q>("quantiles", file, spec.origin),
        DistributionSpec::Mixture(parts) => {
            let parts = parts.iter().map(|(weight, part)| Ok((weight.value(), distribution(part)?)));
            Distribution::mixture(parts.collect::<Result<_, Diagnostic>>()?)
        }
    };
    built.map_err(|error| Diagnostic::error(Q::message(error.to_string())).at(spec.origin, ""))
}

/// The distribution in `file`, which has to be of the family that was asked for.
fn data<Q: Varying>(family: &str, file: &DataFile, place: Origin) -> Result<Distribution, Diagnostic> {
    let refuse = |message: String| Diagnostic::error(message).at(place, "");
    match Q::from_csv(&file.content) {
        Ok(found) if found.family().name == family => Ok(found),
        Ok(found) => {
            let other = found.family().name;
            let columns =
                if other == "quantiles" { "two columns: quantiles and values" } else { "one column: samples" };
            let message = format!("`{family}`: `{}` has {columns}", file.path);
            Err(refuse(message).help(format!("write {{ {other} = \"...\" }} if that is what it holds")))
        }
        Err(DistributionError::Data { line: Some(line), problem }) => {
            Err(refuse(format!("`{}`, line {line}: {}", file.path, Q::message(problem))))
        }
        Err(error) => Err(refuse(format!("`{}`: {}", file.path, Q::message(error.to_string())))),
    }
}
