//! Which levels of a study's factors are tried together.

use super::{Factor, Level, POINTS_MAX, Point};
use crate::base::id::Entity;
use crate::base::random::Seed;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Data, Value};
use crate::scenario::nearest::nearest;

/// Which levels are tried together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sampling {
    /// Each with each.
    #[default]
    Full,
    /// So many points, of which each factor has one in each of as many equal parts of its range: McKay, Beckman and Conover,
    /// Technometrics 21 (2), 1979.
    LatinHypercube(u32),
    /// So many points of a Sobol sequence, scrambled after Owen, which fill the space evenly; best as a power of two.
    Sobol(u32),
}

/// The most points of a Sobol sequence: what its authors vouch for.
pub(super) const SAMPLE_MAX: u32 = 1 << 16;

/// The spellings.
const NAMES: [&str; 3] = ["full", "latin-hypercube", "sobol"];

impl Sampling {
    pub(super) fn read(value: &Value, mistakes: &mut Vec<Diagnostic>) -> Option<Self> {
        let refuse = |mistakes: &mut Vec<Diagnostic>, found: String| {
            let message = format!("a design is \"full\", {{ latin-hypercube = N }} or {{ sobol = N }}, found {found}");
            mistakes.push(Diagnostic::error(message).at(value.origin, ""));
            None
        };
        match &value.data {
            Data::String(text) if text == "full" => Some(Self::Full),
            Data::String(text) => refuse(
                mistakes,
                format!(
                    "{text:?}{}",
                    nearest(text, NAMES).map_or(String::new(), |near| format!("; did you mean {near}?"))
                ),
            ),
            Data::Table(table) => {
                let mut entries = table.iter();
                let (Some((key, count)), None) = (entries.next(), entries.next()) else {
                    return refuse(mistakes, "a table that has not one key".into());
                };
                let Data::Integer(number) = count.data else { return refuse(mistakes, count.describe()) };
                let Some(points) =
                    u32::try_from(number).ok().filter(|count| (1..=POINTS_MAX).contains(&u64::from(*count)))
                else {
                    return refuse(mistakes, format!("{number} points, of 1 to {POINTS_MAX}"));
                };
                match key.name.as_str() {
                    "latin-hypercube" => Some(Self::LatinHypercube(points)),
                    "sobol" if points <= SAMPLE_MAX => Some(Self::Sobol(points)),
                    "sobol" => {
                        refuse(mistakes, format!("{points} points of a Sobol sequence, of at most {SAMPLE_MAX}"))
                    }
                    other => refuse(mistakes, format!("`{other}`")),
                }
            }
            _ => refuse(mistakes, value.describe()),
        }
    }

    /// All points of such a design.
    pub(super) fn points(self, factors: &[Factor], seed: Seed) -> Vec<Point> {
        let key = seed.key("sweep");
        match self {
            Self::Full => {
                let mut points = vec![Point::default()];
                for factor in factors {
                    let levels = || (0..factor.count() as u32).map(Level::Listed);
                    let extended = points.iter().flat_map(|Point(point)| {
                        levels().map(|level| Point(point.iter().copied().chain([level]).collect()))
                    });
                    points = extended.collect();
                }
                points
            }
            Self::LatinHypercube(count) => {
                let columns: Vec<Vec<u32>> = (0..factors.len() as u64)
                    .map(|factor| {
                        let draw = |position: u64| key.block(Entity::from_bits(factor), position).first();
                        // The parts in an order that is drawn (Fisher and Yates), and a place in each.
                        let mut parts: Vec<u32> = (0..count).collect();
                        for place in (1..parts.len()).rev() {
                            parts.swap(place, draw(place as u64).below(place as u64 + 1) as usize);
                        }
                        let place = |(point, part): (usize, u32)| {
                            let within = draw(1 << 32 | point as u64).open01();
                            ((f64::from(part) + within) / f64::from(count) * 4_294_967_296.0) as u32
                        };
                        parts.into_iter().enumerate().map(place).collect()
                    })
                    .collect();
                (0..count as usize).map(|point| at(factors, |factor| columns[factor][point])).collect()
            }
            Self::Sobol(count) => {
                let scramble = key.block(Entity::from_bits(0), 0).first().bits() as u32;
                (0..count)
                    .map(|point| {
                        at(factors, |factor| {
                            // Sets of 256 dimensions, each scrambled in its own way.
                            let (set, dimension) = (factor as u32 >> 8, factor as u32 & 255);
                            let share = sobol_burley::sample(point, dimension, scramble ^ set);
                            (f64::from(share) * 4_294_967_296.0) as u32
                        })
                    })
                    .collect()
            }
        }
    }
}

/// The point that is so far on each factor's way.
fn at(factors: &[Factor], share: impl Fn(usize) -> u32) -> Point {
    Point(factors.iter().enumerate().map(|(place, factor)| factor.level_at(share(place))).collect())
}
