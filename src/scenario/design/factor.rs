//! A factor of a study: a path, and the values that are tried there.

use super::dotted;
use crate::base::time::Span;
use crate::scenario::condition::Amount;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Data, Key, Origin, Table, Value};
use crate::scenario::nearest::one_of;

/// What may stand in a range.
const RANGE: [&str; 4] = ["from", "to", "step", "log"];

/// The most levels of a factor.
const LEVELS_MAX: u64 = 100_000;

/// A path and its values.
#[derive(Clone, PartialEq, Debug)]
pub struct Factor {
    /// The path, dotted.
    pub path: String,
    /// Its keys, and where they were written.
    pub(super) keys: Vec<Key>,
    levels: Levels,
    /// Whether values between the ends of a range have three digits and no more.
    pub(super) is_rounded: bool,
}

/// Which value of a factor is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// The one at this place in the list of its values.
    Listed(u32),
    /// The one so far from the first to the last: the numerator of a share of 2^32.
    At(u32),
}

#[derive(Clone, PartialEq, Debug)]
enum Levels {
    List(Vec<Value>),
    /// A span between two amounts, with some levels on it where it says how they lie.
    Range {
        from: Amount,
        to: Amount,
        is_log: bool,
        is_whole: bool,
        listed: Vec<Amount>,
        /// Whether there is nothing between those: it says a `step`, or how many there are.
        is_stepped: bool,
        origin: Origin,
    },
}

/// Whether a table is a range, and not a part of a path.
pub(super) fn is_range(table: &Table) -> bool {
    let is_plain = |value: &Value| !matches!(value.data, Data::Array(_) | Data::Table(_));
    ["from", "to"].iter().any(|key| table.get(key).is_some_and(is_plain))
}

impl Factor {
    /// Reads the values at a path: a list, or a range.
    pub(in crate::scenario) fn read(keys: &[Key], value: &Value, mistakes: &mut Vec<Diagnostic>) -> Option<Self> {
        let path = dotted(keys);
        let levels = match &value.data {
            Data::Array(values) if values.is_empty() => {
                mistakes.push(Diagnostic::error(format!("`{path}` has no values")).at(value.origin, ""));
                return None;
            }
            Data::Array(values) => Levels::List(values.clone()),
            Data::Table(table) if is_range(table) => range(&path, table, value.origin, mistakes)?,
            _ => {
                let found = format!("`{path}` takes a list of values or a range, found {}", value.describe());
                mistakes.push(
                    Diagnostic::error(found)
                        .at(value.origin, "")
                        .help("for example [1, 2, 4] or { from = 1, to = 8, step = 1 }"),
                );
                return None;
            }
        };
        Some(Self { path, keys: keys.to_vec(), levels, is_rounded: false })
    }

    /// How many levels are listed; none where there is only a space between two ends.
    pub fn count(&self) -> u64 {
        match &self.levels {
            Levels::List(values) => values.len() as u64,
            Levels::Range { listed, .. } => listed.len() as u64,
        }
    }

    /// A full design needs levels to try.
    pub(super) fn refuse_a_space(&self) -> Option<Diagnostic> {
        let Levels::Range { listed, origin, .. } = &self.levels else { return None };
        let mistake = Diagnostic::error(format!("`{}` says where its values end, and not which there are", self.path));
        listed.is_empty().then(|| {
            mistake
                .at(*origin, "")
                .help("give it a `step`, or say `log = N` for N values, each the same multiple of the one before")
        })
    }

    /// Where in the list a share of the way from the first to the last is, or on the way itself where nothing lists its values.
    pub(super) fn level_at(&self, share: u32) -> Level {
        match &self.levels {
            Levels::List(values) => Level::Listed(((u64::from(share) * values.len() as u64) >> 32) as u32),
            Levels::Range { listed, is_stepped: true, .. } => {
                Level::Listed(((u64::from(share) * listed.len() as u64) >> 32) as u32)
            }
            Levels::Range { .. } => Level::At(share),
        }
    }

    /// Every value of a list, or the ends of a range.
    pub(super) fn ends(&self) -> Vec<Level> {
        match &self.levels {
            Levels::List(values) => (0..values.len() as u32).map(Level::Listed).collect(),
            Levels::Range { listed, .. } if !listed.is_empty() => {
                vec![Level::Listed(0), Level::Listed(listed.len() as u32 - 1)]
            }
            Levels::Range { .. } => vec![Level::At(0), Level::At(u32::MAX)],
        }
    }

    /// The value of a level, with the place where it was written.
    pub(super) fn value(&self, level: Level) -> Value {
        match &self.levels {
            Levels::List(values) => {
                let Level::Listed(place) = level else { return values[0].clone() };
                values.get(place as usize).unwrap_or(&values[0]).clone()
            }
            Levels::Range { origin, .. } => {
                Value::new(*origin, written(self.amount(level).unwrap_or(Amount::Number(0.0))))
            }
        }
    }

    /// The value of a level as a number in base units (nanoseconds, shares, events per second, bytes), if it is one.
    pub fn number(&self, level: Level) -> Option<f64> {
        self.amount(level).map(base)
    }

    /// What its numbers are counted in, where they are not plain numbers.
    pub fn base_unit(&self) -> Option<&'static str> {
        match self.amount(self.level_at(0))? {
            Amount::Time(_) => Some("ns"),
            Amount::Rate(_) => Some("1/s"),
            Amount::Bytes(_) => Some("bytes"),
            Amount::Share(_) => Some("share"),
            Amount::Number(_) => None,
        }
    }

    /// Whether its values are times.
    pub fn is_of_times(&self) -> bool {
        matches!(self.amount(self.level_at(0)), Some(Amount::Time(_)))
    }

    /// Whether its values lie on a scale on which each is a multiple of the one before.
    pub fn is_log(&self) -> bool {
        matches!(self.levels, Levels::Range { is_log: true, .. })
    }

    /// The value of a level as a person would write it.
    pub fn label(&self, level: Level) -> String {
        label(&self.value(level))
    }

    pub(super) fn amount(&self, level: Level) -> Option<Amount> {
        match (&self.levels, level) {
            (Levels::List(_), _) => amount(&self.value(level)),
            (Levels::Range { listed, from, .. }, Level::Listed(place)) => {
                Some(*listed.get(place as usize).unwrap_or(from))
            }
            (Levels::Range { from, to, is_log, is_whole, .. }, Level::At(share)) => {
                let share = f64::from(share) / 4_294_967_296.0;
                let amount = between(*from, *to, share, *is_log, *is_whole);
                let rounded = three_digits(amount);
                let is_within = base(*from) <= base(rounded) && base(rounded) <= base(*to);
                Some(if self.is_rounded && is_within { rounded } else { amount })
            }
        }
    }
}

/// A value as a person would write it, on one line.
pub(super) fn label(value: &Value) -> String {
    match &value.data {
        Data::String(text) => text.clone(),
        Data::Integer(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Boolean(value) => value.to_string(),
        Data::Array(items) => format!("[{}]", items.iter().map(label).collect::<Vec<_>>().join(", ")),
        Data::Table(table) => {
            let entries = table.iter().map(|(key, value)| format!("{} = {}", key.name, label(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// An amount as a number in base units.
fn base(amount: Amount) -> f64 {
    match amount {
        Amount::Number(number) | Amount::Share(number) | Amount::Rate(number) => number,
        Amount::Time(span) => span.as_nanos() as f64,
        Amount::Bytes(bytes) => bytes as f64,
    }
}

/// A value as an amount, if it is one.
pub(super) fn amount(value: &Value) -> Option<Amount> {
    match &value.data {
        Data::Integer(number) => Some(Amount::Number(*number as f64)),
        Data::Float(number) => Some(Amount::Number(*number)),
        Data::String(text) => Amount::parse(text),
        Data::Boolean(_) | Data::Array(_) | Data::Table(_) => None,
    }
}

/// An amount as it is written in a scenario.
fn written(amount: Amount) -> Data {
    match amount {
        Amount::Number(number) if number == libm::trunc(number) && number.abs() < 9e15 => Data::Integer(number as i64),
        Amount::Number(number) => Data::Float(number),
        amount => Data::String(amount.to_string()),
    }
}

/// The amount so far between two of a kind.
fn between(from: Amount, to: Amount, share: f64, is_log: bool, is_whole: bool) -> Amount {
    let mix = |from: f64, to: f64| match is_log {
        true => from * libm::exp(libm::log(to / from) * share),
        false => from + (to - from) * share,
    };
    match (from, to) {
        // Of whole numbers each has the same share of the way.
        (Amount::Number(from), Amount::Number(to)) if is_whole && !is_log => {
            Amount::Number((from + libm::floor((to - from + 1.0) * share)).min(to))
        }
        (Amount::Number(from), Amount::Number(to)) if is_whole => Amount::Number(libm::round(mix(from, to))),
        (Amount::Number(from), Amount::Number(to)) => Amount::Number(mix(from, to)),
        (Amount::Share(from), Amount::Share(to)) => Amount::Share(mix(from, to)),
        (Amount::Rate(from), Amount::Rate(to)) => Amount::Rate(mix(from, to)),
        (Amount::Time(from), Amount::Time(to)) => {
            Amount::Time(Span::from_nanos(libm::round(mix(from.as_nanos() as f64, to.as_nanos() as f64)) as u64))
        }
        (Amount::Bytes(from), Amount::Bytes(to)) => Amount::Bytes(libm::round(mix(from as f64, to as f64)) as u64),
        (from, _) => from,
    }
}

fn range(path: &str, table: &Table, origin: Origin, mistakes: &mut Vec<Diagnostic>) -> Option<Levels> {
    let mut refuse = |message: String, at: Origin| mistakes.push(Diagnostic::error(message).at(at, ""));
    if let Some((key, _)) = table.iter().find(|(key, _)| !RANGE.contains(&key.name.as_str())) {
        refuse(format!("a range has {}; found `{}`", one_of(&RANGE), key.name), key.origin);
        return None;
    }
    let mut end = |key: &str| {
        let value = table.get(key);
        let amount = value.and_then(amount);
        if amount.is_none() {
            let found = value.map_or("nothing".into(), Value::describe);
            refuse(
                format!("the range of `{path}` needs `{key}`, a number or a quantity; found {found}"),
                value.map_or(origin, |value| value.origin),
            );
        }
        amount
    };
    let (from, to) = (end("from")?, end("to")?);
    let is_one_kind = |one: Amount, other: Amount| std::mem::discriminant(&one) == std::mem::discriminant(&other);
    if !is_one_kind(from, to) || base(from) >= base(to) {
        refuse(format!("the range of `{path}` goes from {from} to {to}: up, and in one unit"), origin);
        return None;
    }
    let is_integer = |key: &str| table.get(key).is_none_or(|value| matches!(value.data, Data::Integer(_)));
    let is_whole = is_integer("from") && is_integer("to") && is_integer("step");
    let log = table.get("log");
    let is_log = log.is_some_and(|value| value.data != Data::Boolean(false));
    let mut listed = Vec::new();
    match (table.get("step"), log.map(|value| &value.data)) {
        (Some(_), Some(_)) => {
            refuse(format!("the range of `{path}` has a `step` and `log`: steps are either sums or multiples"), origin);
            return None;
        }
        (Some(step), None) => {
            let amount = amount(step).filter(|step| is_one_kind(*step, from) && base(*step) > 0.0);
            let Some(step_amount) = amount else {
                refuse(
                    format!("the `step` of `{path}` is above 0 and in the unit of its ends, found {}", step.describe()),
                    step.origin,
                );
                return None;
            };
            // A hair more, so that what is written in decimals reaches its end.
            let steps = libm::floor((base(to) - base(from)) / base(step_amount) + 1e-9);
            if steps >= LEVELS_MAX as f64 {
                refuse(format!("`{path}` has more than {LEVELS_MAX} values"), step.origin);
                return None;
            }
            listed = (0..=steps as u32).map(|count| plus(from, step_amount, count)).collect();
        }
        (None, Some(Data::Integer(count))) if (2..=LEVELS_MAX as i64).contains(count) => {
            listed = (0..*count)
                .map(|place| match place {
                    0 => from,
                    last if last == *count - 1 => to,
                    _ => between(from, to, place as f64 / (*count - 1) as f64, true, is_whole),
                })
                .collect();
            listed.dedup();
        }
        (None, Some(Data::Boolean(_)) | None) => {}
        (None, Some(_)) => {
            let log = log.expect("just seen");
            refuse(format!("`log` is a number of values, at least 2, or true; found {}", log.describe()), log.origin);
            return None;
        }
    }
    if is_log && base(from) <= 0.0 {
        refuse(format!("nothing is a multiple of {from}: the range of `{path}` has to begin above 0"), origin);
        return None;
    }
    let is_stepped = !listed.is_empty();
    if listed.is_empty() && is_whole && log.is_none() && base(to) - base(from) < LEVELS_MAX as f64 {
        // Whole numbers are one apart.
        listed = (0..=(base(to) - base(from)) as u32).map(|count| plus(from, Amount::Number(1.0), count)).collect();
    }
    Some(Levels::Range { from, to, is_log, is_whole, listed, is_stepped, origin })
}

/// An amount, and a step so many times.
fn plus(from: Amount, step: Amount, count: u32) -> Amount {
    let times = f64::from(count);
    match (from, step) {
        (Amount::Number(from), Amount::Number(step)) => Amount::Number(tidy(from + times * step)),
        (Amount::Share(from), Amount::Share(step)) => Amount::Share(tidy(from + times * step)),
        (Amount::Rate(from), Amount::Rate(step)) => Amount::Rate(tidy(from + times * step)),
        (Amount::Time(from), Amount::Time(step)) => Amount::Time(from + step.times(count.into())),
        (Amount::Bytes(from), Amount::Bytes(step)) => Amount::Bytes(from + step * u64::from(count)),
        (from, _) => from,
    }
}

/// An amount with three digits: a timeout of 13.7ms is as good as one of 13.704882ms, and easier to read.
fn three_digits(amount: Amount) -> Amount {
    let round = |number: f64| {
        if number == 0.0 || !number.is_finite() {
            return number;
        }
        // As text, since powers of ten as floats are not exact.
        format!("{number:.2e}").parse().unwrap_or(number)
    };
    match amount {
        Amount::Number(number) => Amount::Number(round(number)),
        Amount::Share(share) => Amount::Share(tidy(round(share * 100.0) / 100.0)),
        Amount::Time(span) => Amount::Time(Span::from_nanos(round(span.as_nanos() as f64) as u64)),
        Amount::Rate(rate) => Amount::Rate(round(rate)),
        Amount::Bytes(bytes) => Amount::Bytes(round(bytes as f64) as u64),
    }
}

/// To twelve decimals: 0.1 and 0.2 are 0.3.
fn tidy(number: f64) -> f64 {
    libm::round(number * 1e12) / 1e12
}
