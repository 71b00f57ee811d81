//! A sweep as a table to read, and as CSV and JSON.

use crate::experiment::{Judgement, Measured, Sweep, Unit, Verdict};

use super::human;
use super::metric::Value;
use super::study;
use super::style::{Role, Style, clean};
use super::summary::field;
use super::text::columns;
use super::{File, VERSION, verdict_name};

/// Points that are printed, at the most: the files have them all.
const SHOWN: usize = 100;

/// Factors that matter less than this are not worth a line.
const MATTERS: f64 = 0.01;

/// Everything that can be said about a sweep.
#[derive(Clone, Copy, Debug)]
pub struct SweepReport<'a>(pub &'a Sweep);

impl SweepReport<'_> {
    /// A row for each point, and which factor matters for which quantity.
    pub fn text(&self, style: Style) -> String {
        let Self(sweep) = self;
        let count = sweep.points.len();
        let points = if count == 1 { "1 point".to_owned() } else { format!("{count} points") };
        let variant =
            sweep.variant.as_ref().map(|variant| format!("  variant {}", clean(variant, 24))).unwrap_or_default();
        let mut lines = vec![
            format!("{}{}", style.paint(Role::Title, &clean(&sweep.title, 80)), style.paint(Role::Quiet, &variant)),
            String::new(),
            format!("{}  {points}, intervals are 95 %", style.paint(Role::Heading, "Sweep")),
        ];
        lines.extend(self.rows(style));
        if count > SHOWN {
            lines.push(
                style.paint(Role::Quiet, &format!("  … {} more points; `-o DIR` writes them all", count - SHOWN)),
            );
        }
        let effects = self.effects();
        if !effects.is_empty() {
            lines.push(String::new());
            lines.push(format!("{}  share of the variance between points", style.paint(Role::Heading, "What matters")));
            lines.extend(effects);
        }
        lines.push(String::new());
        lines.push(style.paint(Role::Quiet, &format!("seed {} · v{VERSION}", sweep.seed)));
        let mut text = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
        text.push('\n');
        style.charset.write(text)
    }

    fn rows(&self, style: Style) -> Vec<String> {
        let Self(sweep) = self;
        let expects = sweep.points.iter().any(|point| !point.outcome.judgements.is_empty());
        let paths = sweep
            .factors
            .iter()
            .map(|factor| short(&factor.path, &sweep.factors.iter().map(|f| f.path.as_str()).collect::<Vec<_>>()));
        let quantities = sweep.columns().map(|column| clean(&column.quantity, 40));
        let judged = expects.then(|| "expected".to_owned());
        let header = paths.chain(["runs".to_owned()]).chain(quantities).chain(judged).collect();
        let row = |point: &crate::experiment::SweepPoint| {
            let labels = point.labels.iter().map(|label| clean(label, 40));
            let measured = point.outcome.columns.iter().map(|(_, measured)| with_interval(measured));
            let verdict =
                expects.then(|| mark(point.outcome.judgements.iter().map(|judgement| judgement.verdict), Style::PLAIN));
            labels.chain([point.outcome.runs.to_string()]).chain(measured).chain(verdict).collect()
        };
        let rows: Vec<Vec<String>> = std::iter::once(header).chain(sweep.points.iter().take(SHOWN).map(row)).collect();
        let mut lines = columns(&rows);
        lines[0] = style.paint(Role::Quiet, &lines[0]);
        lines
    }

    fn effects(&self) -> Vec<String> {
        let Self(sweep) = self;
        if sweep.factors.len() < 2 && sweep.points.len() < 3 {
            return Vec::new();
        }
        let mut rows = Vec::new();
        for (place, column) in sweep.columns().enumerate() {
            for effect in sweep.effects(place).iter().filter(|effect| effect.share >= MATTERS) {
                let unit = sweep.points[0].outcome.columns[place].1.unit;
                let ends = effect.levels.as_ref().map_or(String::new(), |[(least, low), (most, high)]| {
                    let value = |value: f64| plain(Some(value), unit);
                    format!("{} at {}, {} at {}", value(*low), clean(least, 24), value(*high), clean(most, 24))
                });
                let percent = format!("{:.0} %", effect.share * 100.0);
                rows.push(vec![
                    clean(&column.quantity, 40),
                    clean(&sweep.factors[effect.factor].path, 48),
                    percent,
                    ends,
                ]);
            }
        }
        columns(&rows)
    }

    /// `sweep.csv`: a row for each point. A quantity has three columns, its value and the ends of its interval, in the unit of its name.
    pub fn csv(&self) -> Vec<u8> {
        let Self(sweep) = self;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut header: Vec<String> = sweep.factors.iter().map(|factor| factor.path.clone()).collect();
        header.push("runs".into());
        for (column, measured) in sweep.points.iter().take(1).flat_map(|point| &point.outcome.columns) {
            let suffix = suffix(measured.unit);
            header.extend(["", " low", " high"].map(|end| format!("{}{suffix}{end}", column.quantity)));
        }
        let named = |judgement: &Judgement| format!("{} {}", judgement.quantity, judgement.condition);
        let mut judged: Vec<String> = Vec::new();
        for name in sweep.points.iter().flat_map(|point| point.outcome.judgements.iter().map(named)) {
            if !judged.contains(&name) {
                judged.push(name);
            }
        }
        header.extend(judged.iter().cloned());
        header.push("digest".into());
        writer.write_record(&header).expect("memory can be written");
        for point in &sweep.points {
            let mut row = point.labels.clone();
            row.push(point.outcome.runs.to_string());
            for (_, measured) in &point.outcome.columns {
                let (low, high) = measured.interval.unzip();
                row.extend([measured.value, low, high].map(|value| field(Value::real(value))));
            }
            row.extend(judged.iter().map(|name| {
                let judgement = point.outcome.judgements.iter().find(|judgement| named(judgement) == *name);
                judgement.map_or(String::new(), |judgement| verdict_name(judgement.verdict).to_owned())
            }));
            row.push(format!("{:016x}", point.outcome.digest));
            writer.write_record(&row).expect("every row has the header's fields");
        }
        writer.into_inner().expect("memory can be written")
    }

    /// `sweep.json`: what `sweep.csv` says, and which factors matter.
    pub fn json(&self) -> Vec<u8> {
        let Self(sweep) = self;
        let points = sweep.points.iter().map(|point| {
            let columns = &point.outcome.columns;
            let quantities: serde_json::Map<_, _> =
                columns.iter().map(|(column, measured)| (column.quantity.clone(), study::measured(measured))).collect();
            let expectations: Vec<_> = point.outcome.judgements.iter().map(|judgement| serde_json::json!({
                "quantity": judgement.quantity, "condition": judgement.condition, "verdict": verdict_name(judgement.verdict),
            })).collect();
            serde_json::json!({
                "factors": study::labels(&sweep.factors, &point.labels),
                "numbers": study::numbers(&sweep.factors, &point.numbers),
                "runs": point.outcome.runs, "quantities": quantities, "expectations": expectations,
                "digest": format!("{:016x}", point.outcome.digest),
            })
        });
        let effects: serde_json::Map<_, _> = sweep
            .columns()
            .enumerate()
            .map(|(place, column)| {
                let effects = sweep.effects(place);
                let effects: Vec<_> = effects
                    .iter()
                    .map(|effect| {
                        serde_json::json!({
                            "factor": sweep.factors[effect.factor].path, "share": study::number(Some(effect.share)),
                        })
                    })
                    .collect();
                (column.quantity.clone(), effects.into())
            })
            .collect();
        let whole = serde_json::json!({
            "schema": 1, "version": VERSION, "title": sweep.title, "variant": sweep.variant, "seed": sweep.seed,
            "factors": study::factors(&sweep.factors),
            "quantities": sweep.columns().map(|column| &column.quantity).collect::<Vec<_>>(),
            "points": points.collect::<Vec<_>>(), "effects": effects,
        });
        super::json(&whole)
    }

    /// The files of a sweep.
    pub fn files(&self) -> Vec<File> {
        let file = |name: &str, bytes| File { name: name.into(), bytes };
        let mut files = vec![
            file("sweep.csv", self.csv()),
            file("sweep.json", self.json()),
            file("sweep.txt", self.text(Style::PLAIN).into_bytes()),
        ];
        files.extend(super::page::of(&files));
        files.extend(super::drawn(&files));
        files
    }
}

/// As much of a path from its end as tells it from the others: `timeout` for `policies.default.timeout`.
pub(super) fn short(path: &str, all: &[&str]) -> String {
    let ends = path.match_indices('.').map(|(at, _)| &path[at + 1..]).collect::<Vec<_>>();
    let is_own =
        |end: &str| all.iter().filter(|other| **other == end || other.ends_with(&format!(".{end}"))).count() == 1;
    let end = ends.into_iter().rev().find(|end| is_own(end)).unwrap_or(path);
    clean(end, 40)
}

/// ✓ if all are as expected, else how many are not.
pub(super) fn mark(verdicts: impl Iterator<Item = Verdict>, style: Style) -> String {
    let (mut failed, mut unsure, mut all) = (0, 0, 0);
    for verdict in verdicts {
        all += 1;
        failed += u32::from(verdict == Verdict::Fail);
        unsure += u32::from(verdict == Verdict::Inconclusive);
    }
    match (failed, unsure) {
        (0, 0) if all == 0 => String::new(),
        (0, 0) => style.paint(Role::Good, "✓"),
        (0, unsure) => style.paint(Role::Unsure, &format!("? {unsure}")),
        (failed, 0) => style.paint(Role::Bad, &format!("✗ {failed}")),
        (failed, unsure) => style.paint(Role::Bad, &format!("✗ {failed} ? {unsure}")),
    }
}

/// `93.4ms ± 1.2ms`.
pub(super) fn with_interval(measured: &Measured) -> String {
    let value = plain(measured.value, measured.unit);
    match (measured.value, measured.interval) {
        (Some(centre), Some((low, high))) => {
            let half = (high - centre).max(centre - low);
            format!("{value} ± {}", plain(Some(half), measured.unit))
        }
        _ => value,
    }
}

/// A value in its unit.
pub(super) fn plain(value: Option<f64>, unit: Unit) -> String {
    match (value, unit) {
        (None, _) => human::NOTHING.into(),
        (Some(value), _) if value == f64::INFINITY => human::FOREVER.into(),
        (Some(value), Unit::Time) => human::time(value),
        (Some(value), Unit::Share) => human::share(value),
        (Some(value), Unit::Rate) => human::rate(value),
        (Some(value), Unit::Number) => human::number(value),
    }
}

pub(super) fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::Time => " (ns)",
        Unit::Rate => " (1/s)",
        Unit::Share | Unit::Number => "",
    }
}

pub(super) fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Time => "ns",
        Unit::Rate => "per_s",
        Unit::Share => "share",
        Unit::Number => "",
    }
}
