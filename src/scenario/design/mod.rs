//! The design of a study: which values of which keys are tried together.
//!
//! ```toml
//! [sweep]
//! params.load = ["500/s", "1000/s", "2000/s"]
//! policies.default.timeout = { from = "20ms", to = "200ms", step = "20ms" }
//! policies.default.max-attempts = { from = 1, to = 8, log = 4 }
//! constraints = ["policies.default.timeout < clients.app.deadline"]
//! ```
//!
//! Every path is a *factor*, every value of it a *level*. A full design tries each level with each level of every other factor, the last
//! factor first; `design = { latin-hypercube = 50 }` and `design = { sobol = 64 }` try so many points that fill the space between the
//! ends evenly. What `[tune.over]` varies is written in the same way. A [`Point`] is one choice of levels: laid over the scenario it makes
//! another one, which is read and checked like any.

mod constraint;
mod factor;
mod sampling;
mod written;

use std::collections::BTreeSet;

use super::diagnostic::Diagnostic;
use super::document::{Data, Key, Quoted, Table, Texts, Value};
use super::nearest::nearest;
use crate::base::random::Seed;

use constraint::Constraint;
pub use factor::{Factor, Level};
use sampling::SAMPLE_MAX;
pub use sampling::Sampling;
use written::Written;

/// Keys of `[sweep]` that are no paths.
const OWN: [&str; 2] = ["design", "constraints"];

/// What is not for tuning to vary: luck and how often it is tried are the same for all candidates.
const FIXED: [&[&str]; 4] = [&["tune"], &["run", "seed"], &["run", "runs"], &["run", "metrics"]];

/// The most points of a study.
pub const POINTS_MAX: u64 = 1_000_000;

/// What a study varies.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Design {
    /// The factors, in the order in which they are written.
    pub factors: Vec<Factor>,
    /// Which of their levels are tried together.
    pub sampling: Sampling,
    /// What has to hold at a point.
    constraints: Vec<Constraint>,
    /// What samples are drawn from.
    seed: u64,
    /// What the points are laid over, as it is written; only where there are constraints.
    base: Table,
}

/// One choice of levels, factor by factor.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Point(pub Vec<Level>);

impl Design {
    /// Takes `[sweep]` out of a tree, if it is there.
    pub(super) fn take(tree: &mut Table, seed: u64, mistakes: &mut Vec<Diagnostic>) -> Option<Self> {
        let (_, value) = tree.remove("sweep")?;
        let origin = value.origin;
        let (mut read, design) = Self::read("sweep", value, seed, mistakes)?;
        mistakes.extend(read.factors.iter().filter_map(refuse_unplayed));
        read.sampling = design.and_then(|(_, value)| Sampling::read(&value, mistakes)).unwrap_or_default();
        if read.sampling == Sampling::Full {
            for factor in &read.factors {
                mistakes.extend(factor.refuse_a_space());
            }
            let count = read.factors.iter().try_fold(1_u64, |count, factor| count.checked_mul(factor.count().max(1)));
            if count.is_none_or(|count| count > POINTS_MAX) {
                let message = format!("a study has at most {POINTS_MAX} points, and all levels together are more");
                mistakes
                    .push(Diagnostic::error(message).at(origin, "").help("try `design = { latin-hypercube = 1000 }`"));
            }
        }
        read.keep_base(tree);
        Some(read)
    }

    /// What the table `[tune.over]` in a tree varies, if there is a table `[tune]`.
    pub(super) fn over(tree: &Table, seed: u64, mistakes: &mut Vec<Diagnostic>) -> Option<Self> {
        let tune = tree.get("tune")?;
        // What else it may be is refused where it is read.
        let over = tune.as_table()?.get("over").cloned();
        let over = over.unwrap_or_else(|| Value::new(tune.origin, Data::Table(Table::default())));
        let (mut read, design) = Self::read("tune.over", over, seed, mistakes)?;
        if let Some((key, _)) = design {
            mistakes.push(
                Diagnostic::error("[tune.over] has no `design`")
                    .at(key.origin, "")
                    .help("`tune.candidates` says how many settings are tried"),
            );
        }
        for factor in &mut read.factors {
            factor.is_rounded = true;
            mistakes.extend(FIXED.iter().find_map(|path| refuse_fixed(factor, path, tree)));
        }
        read.keep_base(tree);
        Some(read)
    }

    fn keep_base(&mut self, tree: &Table) {
        if !self.constraints.is_empty() {
            self.base = tree.clone();
        }
    }

    /// The factors and constraints in the table of this name, and its key `design`.
    fn read(
        name: &str,
        value: Value,
        seed: u64,
        mistakes: &mut Vec<Diagnostic>,
    ) -> Option<(Self, Option<(Key, Value)>)> {
        let Data::Table(mut table) = value.data else {
            let found = format!("[{name}] is a table of paths and values, found {}", value.describe());
            mistakes.push(Diagnostic::error(found).at(value.origin, ""));
            return None;
        };
        let [design, constraints] = OWN.map(|key| table.remove(key));
        let mut read = Self { seed, ..Self::default() };
        read.add_factors(&mut Vec::new(), table, mistakes);
        if read.factors.is_empty() && mistakes.is_empty() {
            mistakes.push(
                Diagnostic::error(format!("[{name}] varies nothing"))
                    .at(value.origin, "")
                    .help("write paths with their values, such as policies.default.timeout = [\"50ms\", \"100ms\"]"),
            );
        }
        let texts = constraints.iter().flat_map(|(_, value)| constraint::texts(value, mistakes));
        for text in texts.collect::<Vec<_>>() {
            read.constraints.extend(Constraint::read(&text, mistakes));
        }
        Some((read, design))
    }

    fn add_factors(&mut self, way: &mut Vec<Key>, table: Table, mistakes: &mut Vec<Diagnostic>) {
        for (key, value) in table {
            way.push(key);
            match value.data {
                Data::Table(inner) if !factor::is_range(&inner) => self.add_factors(way, inner, mistakes),
                _ => self.factors.extend(Factor::read(way, &value, mistakes)),
            }
            way.pop();
        }
    }

    /// Every point, in order: those that the constraints allow.
    pub fn points(&self, texts: &Texts) -> Vec<Point> {
        self.allowed(self.sampling, texts)
    }

    fn allowed(&self, sampling: Sampling, texts: &Texts) -> Vec<Point> {
        let points = sampling.points(&self.factors, Seed(self.seed)).into_iter();
        points.filter(|point| self.allows(point, texts)).collect()
    }

    /// Whether the constraints hold at a point.
    fn allows(&self, point: &Point, texts: &Texts) -> bool {
        let written = Written::new(self, point, texts);
        self.constraints.iter().all(|constraint| constraint.holds(&|path| written.value(path)))
    }

    /// Whether the constraints are about something.
    ///
    /// # Errors
    /// Each path in them at which there is a value at no end of what is varied, with the nearest there is.
    pub fn check(&self, texts: &Texts) -> Result<(), Vec<Diagnostic>> {
        let (ends, mut mistakes) = (self.every_end(), Vec::new());
        for (constraint, path) in self.constraints.iter().flat_map(|one| one.paths().map(move |path| (one, path))) {
            if !ends.iter().any(|end| Written::new(self, end, texts).value(path).is_some()) {
                let mistake = Diagnostic::error(format!("the scenario has no value at `{path}`"));
                let mistake = mistake.at(constraint.origin, "");
                let known = self.factors.iter().map(|factor| factor.path.clone()).chain(written::paths(&self.base));
                let known: Vec<_> = known.filter(|known| is_near(path, known)).collect();
                mistakes.push(match nearest(path, known.iter().map(String::as_str)) {
                    Some(near) => mistake.help(format!("did you mean `{near}`?")),
                    None => mistake.help("a value that it has by default is to be written out"),
                });
            }
        }
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
    }

    /// Different points, so many at the most: all that there are, or else the first of a Sobol sequence that the constraints allow.
    pub fn candidates(&self, texts: &Texts, most: u32) -> Vec<Point> {
        let is_listed = self.factors.iter().all(|factor| factor.count() > 0);
        let count = self.factors.iter().try_fold(1_u64, |count, factor| count.checked_mul(factor.count().max(1)));
        if is_listed && count.is_some_and(|count| count <= SAMPLE_MAX.into()) {
            let all = self.allowed(Sampling::Full, texts);
            if all.len() <= most as usize {
                return all;
            }
        }
        let mut count = most.min(SAMPLE_MAX);
        loop {
            let mut points = self.allowed(Sampling::Sobol(count), texts);
            let mut known = BTreeSet::new();
            // Shares of the way that are not the same may be the same whole number.
            points.retain(|point| known.insert(self.labels(point)));
            if points.len() >= most as usize || count == SAMPLE_MAX {
                points.truncate(most as usize);
                return points;
            }
            count = count.saturating_mul(2).min(SAMPLE_MAX);
        }
    }

    /// Points at which every value of a list and both ends of every range stand once, so far as the constraints allow them.
    pub fn ends(&self, texts: &Texts) -> Vec<Point> {
        let mut points = self.every_end();
        points.retain(|point| self.allows(point, texts));
        points
    }

    fn every_end(&self) -> Vec<Point> {
        let first = Point(self.factors.iter().map(|factor| factor.ends()[0]).collect());
        let last = Point(self.factors.iter().filter_map(|factor| factor.ends().pop()).collect());
        let mut points = vec![first.clone(), last];
        for (place, factor) in self.factors.iter().enumerate() {
            for level in factor.ends() {
                let mut point = first.clone();
                point.0[place] = level;
                points.push(point);
            }
        }
        let mut known = BTreeSet::new();
        points.retain(|point| known.insert(point.clone()));
        points
    }

    /// The value that a factor has at a point.
    fn level(&self, point: &Point, path: &str) -> Option<Value> {
        let place = self.factors.iter().position(|factor| factor.path == path)?;
        Some(self.factors[place].value(*point.0.get(place)?))
    }

    /// What each factor is at a point, as a person would write it.
    pub fn labels(&self, point: &Point) -> Vec<String> {
        self.factors.iter().zip(&point.0).map(|(factor, &level)| factor.label(level)).collect()
    }

    /// The same as numbers in base units, where they are numbers.
    pub fn numbers(&self, point: &Point) -> Vec<Option<f64>> {
        self.factors.iter().zip(&point.0).map(|(factor, &level)| factor.number(level)).collect()
    }

    /// What is to be set at a point: paths, and values with the places where they were written.
    pub(super) fn settings(&self, point: &Point) -> impl Iterator<Item = (&[Key], Value)> {
        self.factors.iter().zip(&point.0).map(|(factor, &level)| (factor.keys.as_slice(), factor.value(level)))
    }

    /// The factor with this path.
    ///
    /// # Errors
    /// What is wrong with the path, with the nearest there is.
    pub fn factor(&self, path: &str) -> Result<usize, String> {
        self.factors.iter().position(|factor| factor.path == path).ok_or_else(|| {
            let known = self.factors.iter().map(|factor| factor.path.as_str());
            match nearest(path, known.clone()) {
                Some(near) => format!("`{path}` is not varied; did you mean `{near}`?"),
                None => format!("`{path}` is not varied; what is varied is {}", known.collect::<Vec<_>>().join(", ")),
            }
        })
    }
}

/// Says that a sweep has nothing of what a factor varies, or would lose what flags say of each of its points.
fn refuse_unplayed(factor: &Factor) -> Option<Diagnostic> {
    let (message, help) = match factor.keys.as_slice() {
        [first, ..] if first.name == "tune" => ("a sweep does not play `tune`", "what is tuned is in [tune.over]"),
        [only] if only.name == "run" => (
            "`run` says the seed and the number of runs too, which are not varied with the rest of it",
            "vary its keys by their paths, such as run.duration = [\"10s\", \"1min\"]",
        ),
        _ => return None,
    };
    Some(Diagnostic::error(message).at(factor.keys[0].origin, "it cannot be varied").help(help))
}

/// Says that what a factor varies is what stands at this path, holds it, or is a parameter that stands there.
fn refuse_fixed(factor: &Factor, path: &[&str], tree: &Table) -> Option<Diagnostic> {
    let names: Vec<_> = factor.keys.iter().map(|key| key.name.as_str()).collect();
    let shared = names.len().min(path.len());
    let is_parameter = |parameter| names[0] == "params" && names.get(1).is_none_or(|name| *name == parameter);
    let stands_there = written::parameter_at(tree, path).is_some_and(is_parameter);
    if names[..shared] != path[..shared] && !stands_there {
        return None;
    }
    let fixed = path.join(".");
    let message = match names.len() < path.len() || stands_there {
        true => format!("`{}` says what `{fixed}` is, which is the same for all that are tried", factor.path),
        false => format!("`{}` is the same for all that are tried", factor.path),
    };
    Some(Diagnostic::error(message).at(factor.keys[0].origin, "it cannot be varied"))
}

/// Whether one key alone makes two paths differ, and is like the other's.
fn is_near(path: &str, other: &str) -> bool {
    let pairs = || path.split('.').zip(other.split('.'));
    let mut different = pairs().filter(|(one, other)| one != other);
    let pair = different.next().filter(|_| different.next().is_none());
    path.split('.').count() == other.split('.').count()
        && pair.is_some_and(|(one, other)| nearest(one, [other]).is_some())
}

/// A dotted path.
fn dotted(keys: &[Key]) -> String {
    keys.iter().map(|key| Quoted(&key.name).to_string()).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests;
