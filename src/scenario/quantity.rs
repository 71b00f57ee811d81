//! The grammar for what is measured: `shoppers/buy.latency.p99 during outage`.
//!
//! ```text
//! quantity  = [scope "."] metric ["." statistic] [" " window]
//! scope     = name | group "/" entry | caller "->" callee | group "[" which "]"
//! statistic = count rate share mean sd cv min max p50 … p99.99 under(x) at-least(x) final
//! window    = ("before" | "during" | "after") NAME | "from" TIME ["to" TIME]
//! ```

use std::fmt;
use std::ops::Range;

use super::condition::{Amount, decimal};
use super::cursor::Cursor;
use super::document::{InText, Piece, text_type};
use super::metric::Metric;
use super::nearest::nearest;
use super::plan::is_measured;
use super::selector::{self, Which};
pub use super::window::Window;

/// Something that a run measures.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantity {
    /// Who measures it; the whole system if none is named.
    pub scope: Option<Scope>,
    /// What is measured.
    pub metric: Piece<Metric>,
    /// Which number of the many that are measured.
    pub statistic: Statistic,
    /// When; all measured time if none is named.
    pub window: Option<Window>,
}

/// Who measures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// A group, queue, topic, store, link or fault.
    Name(Piece<String>),
    /// One entry of a client's mix, or one operation of a service.
    Entry {
        /// The group.
        group: Piece<String>,
        /// The entry.
        entry: Piece<String>,
    },
    /// The calls of one group to another.
    Flow {
        /// Who calls.
        caller: Piece<String>,
        /// Who is called.
        callee: Piece<String>,
    },
    /// Some nodes of a group.
    Nodes {
        /// The group.
        group: Piece<String>,
        /// Which of its nodes.
        which: Which,
    },
}

/// Which number of the many that are measured.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Statistic {
    /// How many.
    Count,
    /// How many per second.
    Rate,
    /// Which part of all.
    Share,
    /// The mean.
    Mean,
    /// The standard deviation.
    Sd,
    /// The standard deviation divided by the mean.
    Cv,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// A percentile.
    Percentile(Percentile),
    /// The share below a limit.
    Under(Amount),
    /// The share at or above a limit.
    AtLeast(Amount),
    /// The value when the window ends.
    Final,
}

/// A percentile in hundredths: `p99.9` is 9990.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Percentile(u16);

impl Percentile {
    /// The share of values below it, from 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

const STATISTICS: [(&str, Statistic); 9] = [
    ("count", Statistic::Count),
    ("rate", Statistic::Rate),
    ("share", Statistic::Share),
    ("mean", Statistic::Mean),
    ("sd", Statistic::Sd),
    ("cv", Statistic::Cv),
    ("min", Statistic::Min),
    ("max", Statistic::Max),
    ("final", Statistic::Final),
];

impl Statistic {
    /// How statistics are written that something measured has, and what each of them is.
    pub const SPELLINGS: &[(&str, &str)] = &[
        ("count", "How many."),
        ("rate", "How many per second."),
        ("share", "Which part of all."),
        ("mean", "The mean."),
        ("sd", "The standard deviation."),
        ("cv", "The standard deviation divided by the mean."),
        ("min", "The smallest."),
        ("max", "The largest."),
        ("p50", "The median; in the same way every percentile up to `p99.99`."),
        ("under(x)", "The share below a limit, as in `under(200ms)`."),
        ("at-least(x)", "The share at or above a limit, as in `at-least(1s)`."),
    ];
}

impl Quantity {
    /// Reads a quantity.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn parse(text: &str) -> Result<Self, InText> {
        let (parts, end) = parts(text);
        let is_metric = |part: &Range<usize>| Metric::named(&text[part.clone()]).is_some();
        let (scope, metric, statistic) = match parts.as_slice() {
            [metric] => (None, metric, None),
            [metric, statistic] if is_metric(metric) && !is_metric(statistic) => (None, metric, Some(statistic)),
            [scope, metric] => (Some(scope), metric, None),
            [scope, metric, statistic] => (Some(scope), metric, Some(statistic)),
            [_, _, _, extra @ ..] => {
                let start = extra.first().map_or(end, |part| part.start);
                return Err(InText::new(start..end, "a quantity has at most a scope, a metric and a statistic"));
            }
            [] => unreachable!("a text has at least one part, maybe empty"),
        };
        let scope = scope.map(|part| Scope::parse(text, part.clone())).transpose()?;
        let metric = metric_in(text, metric.clone())?;
        let statistic = match statistic {
            Some(part) => Statistic::parse(text, part.clone())?,
            None => metric.kind().statistic().ok_or_else(|| {
                let name = metric.name();
                InText::new(metric.range.clone(), format!("`{name}` is many times: say which is meant"))
                    .help(format!("for example `{name}.p99` or `{name}.mean`"))
            })?,
        };
        let window = Window::parse(text, end)?;
        Ok(Self { scope, metric, statistic, window })
    }
}

/// The parts between points, up to the first space, and where that is. Brackets hold together, and so does `p99.9`.
fn parts(text: &str) -> (Vec<Range<usize>>, usize) {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut end) = (0, 0_u32, text.len());
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                end = at;
                break;
            }
            '.' if depth == 0 && !is_inside_percentile(&text[start..], at - start) => {
                parts.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(start..end);
    (parts, end)
}

fn is_inside_percentile(part: &str, point: usize) -> bool {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let before =
        part[..point].strip_prefix('p').is_some_and(|digits| !digits.is_empty() && digits.chars().all(is_digit));
    before && part[point + 1..].starts_with(is_digit)
}

fn metric_in(text: &str, range: Range<usize>) -> Result<Piece<Metric>, InText> {
    let name = &text[range.clone()];
    if let Some(metric) = Metric::named(name) {
        return Ok(Piece { value: metric, range });
    }
    if Statistic::parse(text, range.clone()).is_ok() {
        let message = format!("`{name}` is a statistic: name the metric before it");
        return Err(InText::new(range, message).help(format!("for example `latency.{name}`")));
    }
    let known: Vec<_> = Metric::ALL.iter().filter(|metric| is_measured(**metric)).map(|metric| metric.name()).collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("metrics are {}", known.join(", ")),
    };
    let message = if name.is_empty() { "a metric is missing".into() } else { format!("there is no metric `{name}`") };
    Err(InText::new(range, message).help(help))
}

impl Scope {
    fn parse(text: &str, range: Range<usize>) -> Result<Self, InText> {
        if text[range.clone()].starts_with('@') {
            return Err(InText::new(range, "regions are not supported yet"));
        }
        let mut cursor = Cursor::within(text, range);
        let group = cursor.name("a group's name")?;
        let scope = if cursor.eat("/") {
            Self::Entry { group, entry: cursor.name("an entry's name")? }
        } else if cursor.eat("->") {
            Self::Flow { caller: group, callee: cursor.name("the name of who is called")? }
        } else if cursor.eat("[") {
            Self::Nodes { group, which: selector::which(&mut cursor)? }
        } else {
            Self::Name(group)
        };
        cursor.finish()?;
        Ok(scope)
    }
}

impl Statistic {
    fn parse(text: &str, range: Range<usize>) -> Result<Self, InText> {
        let name = &text[range.clone()];
        if let Some((_, statistic)) = STATISTICS.iter().find(|(known, _)| *known == name) {
            return Ok(*statistic);
        }
        if let Some(percentile) = percentile(name) {
            return Ok(Self::Percentile(percentile));
        }
        let mut cursor = Cursor::within(text, range.clone());
        let build = if cursor.eat("under(") {
            Self::Under
        } else if cursor.eat("at-least(") {
            Self::AtLeast
        } else {
            let near = nearest(name, STATISTICS.iter().map(|(known, _)| *known));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "statistics are count, rate, share, mean, sd, cv, min, max, p50 to p99.99, under(x) and \
                         at-least(x)"
                    .into(),
            };
            return Err(InText::new(range, format!("there is no statistic `{name}`")).help(help));
        };
        let limit = Amount::take(&mut cursor)?;
        cursor.require(")")?;
        cursor.finish()?;
        Ok(build(limit))
    }
}

/// Reads `p50`, `p99.9`, `p99.99`: above 0, below 100, at most two decimals.
fn percentile(name: &str) -> Option<Percentile> {
    let digits = name.strip_prefix('p')?;
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let percent = decimal(digits).filter(|percent| *percent > 0.0 && *percent < 100.0 && decimals <= 2)?;
    Some(Percentile((percent * 100.0 + 0.5) as u16))
}

impl fmt::Display for Quantity {
    /// In full, with the statistic.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            None => {}
            Some(Scope::Name(name)) => write!(f, "{}.", name.value)?,
            Some(Scope::Entry { group, entry }) => write!(f, "{}/{}.", group.value, entry.value)?,
            Some(Scope::Flow { caller, callee }) => write!(f, "{}->{}.", caller.value, callee.value)?,
            Some(Scope::Nodes { group, which }) => write!(f, "{}{which}.", group.value)?,
        }
        write!(f, "{}.{}", self.metric.name(), self.statistic)?;
        self.window.iter().try_for_each(|window| write!(f, " {window}"))
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(Percentile(hundredths)) => write!(f, "p{}", f64::from(*hundredths) / 100.0),
            Self::Under(limit) => write!(f, "under({limit})"),
            Self::AtLeast(limit) => write!(f, "at-least({limit})"),
            other => {
                let named = STATISTICS.iter().find(|(_, statistic)| statistic == other);
                f.write_str(named.expect("every other statistic is listed").0)
            }
        }
    }
}

text_type!(Quantity, "quantity", "a quantity such as \"app.latency.p99\" or \"app.goodput from 60s\"");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::plan::has;

    #[test]
    fn every_statistic_is_written_as_it_is_listed() {
        for (spelling, _) in Statistic::SPELLINGS {
            let text = format!("app.latency.{}", spelling.replace("(x)", "(1s)"));
            assert!(Quantity::parse(&text).is_ok(), "{text}");
        }
        for (name, statistic) in STATISTICS {
            let is_used = Metric::ALL.iter().any(|metric| is_measured(*metric) && has(*metric, statistic));
            assert_eq!(is_used, Statistic::SPELLINGS.iter().any(|(spelling, _)| *spelling == name), "{name}");
        }
    }

    #[test]
    fn quantities_read_and_print_alike() {
        for text in [
            "latency.p99",
            "app.latency.p99.9",
            "shoppers/buy.latency.p99 during outage",
            "shoppers->api.attempts.mean",
            "api[0-2].waiting.max",
            "api[any 2].busy.share before cut",
            "app.goodput.rate from 60s",
            "app.goodput.rate from 60s to 90s",
            "app.latency.under(12.5ms)",
            "app.latency.at-least(1s) after outage",
            "ledger.consistency.final",
        ] {
            assert_eq!(Quantity::parse(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn a_statistic_may_be_left_out_where_one_is_meant() {
        for (text, whole) in [
            ("reliability", "reliability.share"),
            ("app.goodput", "app.goodput.rate"),
            ("app.attempts", "app.attempts.mean"),
            ("app.recovery after stall", "app.recovery.mean after stall"),
            ("stall.touched", "stall.touched.count"),
            ("server.rejected", "server.rejected.share"),
        ] {
            assert_eq!(Quantity::parse(text).expect(text).to_string(), whole);
        }
    }

    #[test]
    fn mistakes_are_found_inside_the_text() {
        for (text, range, said) in [
            ("", 0..0, "a metric is missing"),
            ("app.latnecy.p99", 4..11, "there is no metric `latnecy`"),
            ("app.latency", 4..11, "say which is meant"),
            ("app.p99", 4..7, "`p99` is a statistic"),
            ("latency.p100", 8..12, "there is no statistic `p100`"),
            ("app.latency.p99.999", 12..19, "there is no statistic"),
            ("app.latency.under(x)", 18..19, "`x` is not a value"),
            ("app.latency.under(1s", 20..20, "expected `)` at the end"),
            ("a.b.latency.p99", 12..15, "at most a scope"),
            ("app.latency.p99 while outage", 16..21, "found `while`"),
            ("app.latency.p99 during", 22..22, "the name of a fault"),
            ("app.latency.p99 from 9s to 5s", 21..29, "ends before it begins"),
            ("app.latency.p99 from soon", 21..25, "a time such as"),
            ("@eu.latency.p99", 0..3, "regions are not supported yet"),
            ("App.latency.p99", 0..1, "found `A`"),
            (".latency.p99", 0..0, "a group's name"),
        ] {
            let mistake = Quantity::parse(text).expect_err(text);
            assert!(mistake.message.contains(said), "{text}: {}", mistake.message);
            assert_eq!(mistake.range, range, "{text}: {}", mistake.message);
        }
    }

    #[test]
    fn no_metric_is_called_like_a_statistic() {
        for metric in Metric::ALL {
            assert!(Statistic::parse(metric.name(), 0..metric.name().len()).is_err(), "{}", metric.name());
        }
    }
}
