//! A comparison in words, and as CSV and JSON.

use crate::experiment::{Breach, Comparison, Contrast, Finding, Side, Unit, Verdict};
use crate::scenario::Better;

use super::metric::Value;
use super::style::{Role, Style, clean};
use super::summary::field;
use super::sweep::{plain, unit_name, with_interval};
use super::text::columns;
use super::{File, VERSION, curves, runs, study, verdict_name};

/// Everything that can be said about a comparison.
#[derive(Clone, Copy, Debug)]
pub struct CompareReport<'a> {
    /// What it has come to.
    pub comparison: &'a Comparison,
    /// How much worse anything may be, as a share of its value at the base.
    pub margin: Option<f64>,
}

/// Whether a difference is good news.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum News {
    Good,
    Bad,
    Neither,
}

pub(super) fn news(better: Option<Better>, contrast: Finding) -> News {
    match (better, contrast) {
        (_, Finding::Same | Finding::Unseen | Finding::Unknown) | (None, _) => News::Neither,
        (Some(Better::Lower), Finding::Lower) | (Some(Better::Higher), Finding::Higher) => News::Good,
        _ => News::Bad,
    }
}

/// `10 runs of each, in pairs that share their luck`.
pub(super) fn how(base: u32, others: u32, is_paired: bool) -> String {
    let count = match base == others {
        true => format!("{} of each", runs(base)),
        false => format!("{} beside {} of the base", runs(others), runs(base)),
    };
    let pairs = if is_paired { "in pairs that share their luck" } else { "not in pairs" };
    format!("{count}, {pairs}")
}

/// What is worse than it may be.
fn gate(comparison: &Comparison, margin: f64, style: Style) -> Vec<String> {
    let breaches = comparison.breaches(margin);
    let heading = style.paint(Role::Heading, "Margin");
    let said = format!("anything may be worse by {} of its value at the base", super::human::share(margin));
    let mut lines = vec![format!("{heading}  {}", style.paint(Role::Quiet, &said))];
    if breaches.is_empty() {
        lines.push(format!("  {} nothing is", style.paint(Role::Good, "✓")));
    }
    lines.extend(breaches.iter().map(|breach| {
        let mark = match breach.verdict {
            Verdict::Fail => style.paint(Role::Bad, "✗"),
            Verdict::Pass | Verdict::Inconclusive => style.paint(Role::Quiet, "?"),
        };
        format!("  {mark} {}: {} {}", clean(&breach.side, 40), clean(&breach.quantity, 48), breach.why)
    }));
    lines
}

impl CompareReport<'_> {
    /// The base, then how each of the others differs from it.
    pub fn text(&self, style: Style) -> String {
        let Self { comparison, margin } = self;
        let base_runs = comparison.sides.first().map_or(comparison.runs, |side| side.runs);
        let how = how(base_runs, comparison.runs, comparison.is_paired);
        let mut lines = vec![
            style.paint(Role::Title, &clean(&comparison.title, 80)),
            style.paint(Role::Quiet, &format!("{how}; intervals are 95 %")),
        ];
        for (place, side) in comparison.sides.iter().enumerate() {
            lines.push(String::new());
            lines.push(style.paint(Role::Heading, &clean(&side.name, 60)));
            lines.extend(if place == 0 { base(side) } else { against(side, style) });
        }
        if let Some(margin) = margin {
            lines.push(String::new());
            lines.extend(gate(comparison, *margin, style));
        }
        lines.push(String::new());
        lines.push(style.paint(Role::Quiet, &format!("seed {} · v{VERSION}", comparison.seed)));
        let mut text = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
        text.push('\n');
        style.charset.write(text)
    }

    /// `compare.csv`: a row for each side and quantity.
    pub fn csv(&self) -> Vec<u8> {
        let Self { comparison, .. } = self;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = [
            "side",
            "quantity",
            "unit",
            "value",
            "low",
            "high",
            "difference",
            "half_width",
            "half_width_unpaired",
            "verdict",
            "runs",
            "seed",
            "digest",
            "version",
        ];
        writer.write_record(header).expect("memory can be written");
        for (place, side) in comparison.sides.iter().enumerate() {
            for (column, measured, difference) in &side.quantities {
                let (low, high) = measured.interval.unzip();
                let number = |value: Option<f64>| field(Value::real(value));
                let verdict = match difference {
                    Some(difference) => verdict(difference),
                    None if place == 0 => "base",
                    None => "none",
                };
                let row = [
                    side.name.clone(),
                    column.quantity.clone(),
                    unit_name(measured.unit).into(),
                    number(measured.value),
                    number(low),
                    number(high),
                    number(difference.map(|difference| difference.value)),
                    number(difference.and_then(|difference| difference.half)),
                    number(difference.and_then(|difference| difference.independent)),
                    verdict.into(),
                    side.runs.to_string(),
                    comparison.seed.to_string(),
                    format!("{:016x}", side.digest),
                    VERSION.into(),
                ];
                writer.write_record(row).expect("every row has the header's fields");
            }
        }
        writer.into_inner().expect("memory can be written")
    }

    /// `times.csv`: how the times of each side lie, as `latency.csv` has those of flows; of all runs together. A side is named by its place,
    /// from 0, and its name.
    fn times(&self) -> Option<Vec<u8>> {
        let Self { comparison, .. } = self;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = ["side", "name", "times", "population", "point", "share", "time_ns"];
        writer.write_record(header).expect("memory can be written");
        let mut has_any = false;
        for (place, side) in comparison.sides.iter().enumerate() {
            for times in &side.times {
                let (place, population) = (place.to_string(), times.population.to_string());
                for (point, share, value) in curves::distribution(&times.known, times.population) {
                    let row = [&place, &side.name, &times.of, &population, point, &share, &value];
                    writer.write_record(row).expect("every row has the header's fields");
                    has_any = true;
                }
            }
        }
        has_any.then(|| writer.into_inner().expect("memory can be written"))
    }

    /// `compare.json`: what `compare.csv` says.
    pub fn json(&self) -> Vec<u8> {
        let Self { comparison, margin } = self;
        let mut order: Vec<&str> = Vec::new();
        for (column, ..) in comparison.sides.iter().flat_map(|side| &side.quantities) {
            if !order.contains(&column.quantity.as_str()) {
                order.push(&column.quantity);
            }
        }
        let sides = comparison.sides.iter().map(|side| {
            let quantities: serde_json::Map<_, _> = side
                .quantities
                .iter()
                .map(|(column, measured, difference)| {
                    let mut said = study::measured(measured);
                    said["better"] = study::better(column.measure.metric.better());
                    if let Some(difference) = difference {
                        said["difference"] = study::number(Some(difference.value));
                        said["half_width"] = study::number(difference.half);
                        said["half_width_unpaired"] = study::number(difference.independent);
                        said["verdict"] = verdict(difference).into();
                    }
                    (column.quantity.clone(), said)
                })
                .collect();
            let digest = format!("{:016x}", side.digest);
            serde_json::json!({ "name": side.name, "runs": side.runs, "digest": digest, "quantities": quantities })
        });
        let breaches = margin.map(|margin| comparison.breaches(margin));
        let breaches = breaches.map(|breaches| {
            let said = |breach: &Breach| serde_json::json!({
                "side": breach.side, "quantity": breach.quantity, "verdict": verdict_name(breach.verdict), "why": breach.why,
            });
            breaches.iter().map(said).collect::<Vec<_>>()
        });
        let whole = serde_json::json!({
            "schema": 1, "version": VERSION, "title": comparison.title, "seed": comparison.seed, "runs": comparison.runs,
            "is_paired": comparison.is_paired, "quantities": order, "sides": sides.collect::<Vec<_>>(), "margin": margin, "breaches": breaches,
        });
        super::json(&whole)
    }

    /// The files of a comparison: tables, and its plots as SVG and PNG.
    pub fn files(&self) -> Vec<File> {
        let file = |name: &str, bytes| File { name: name.into(), bytes };
        let mut files = vec![
            file("compare.csv", self.csv()),
            file("compare.json", self.json()),
            file("compare.txt", self.text(Style::PLAIN).into_bytes()),
        ];
        files.extend(self.times().map(|bytes| file("times.csv", bytes)));
        files.extend(super::page::of(&files));
        files.extend(super::drawn(&files));
        files
    }
}

fn base(side: &Side) -> Vec<String> {
    let rows: Vec<Vec<String>> = side
        .quantities
        .iter()
        .map(|(column, measured, _)| vec![clean(&column.quantity, 48), with_interval(measured)])
        .collect();
    columns(&rows)
}

fn against(side: &Side, style: Style) -> Vec<String> {
    let rows: Vec<Vec<String>> = side
        .quantities
        .iter()
        .map(|(column, measured, difference)| {
            let said = difference
                .as_ref()
                .map_or("nothing to compare".into(), |difference| in_words(difference, measured.unit));
            vec![clean(&column.quantity, 48), plain(measured.value, measured.unit), said]
        })
        .collect();
    let lines = columns(&rows);
    let paint = |(line, (column, _, difference)): (String, &(crate::scenario::plan::Column, _, Option<Contrast>))| {
        let contrast = difference.map_or(Finding::Unseen, |difference| difference.finding);
        match news(column.measure.metric.better(), contrast) {
            News::Good => style.paint(Role::Good, &format!("{line}  better")),
            News::Bad => style.paint(Role::Bad, &format!("{line}  worse")),
            News::Neither => line,
        }
    };
    lines.into_iter().zip(&side.quantities).map(paint).collect()
}

/// `18ms ± 3ms lower`, or that no difference was seen.
fn in_words(difference: &Contrast, unit: Unit) -> String {
    let size = |value: f64| match unit {
        // Of two shares the difference is in points.
        Unit::Share => format!("{} points", super::human::number(value * 100.0)),
        unit => plain(Some(value), unit),
    };
    let half = difference.half.map(|half| format!(" ± {}", size(half))).unwrap_or_default();
    match difference.finding {
        Finding::Same => "the same".into(),
        _ if !difference.value.is_finite() => {
            if difference.value > 0.0 { "without end" } else { "not without end any more" }.into()
        }
        Finding::Lower => format!("{}{half} lower", size(difference.value.abs())),
        Finding::Higher => format!("{}{half} higher", size(difference.value.abs())),
        Finding::Unseen => format!("no difference seen (± {})", size(difference.half.unwrap_or(0.0))),
        Finding::Unknown => format!(
            "{} {}, of unknown certainty",
            size(difference.value.abs()),
            if difference.value < 0.0 { "lower" } else { "higher" }
        ),
    }
}

fn verdict(difference: &Contrast) -> &'static str {
    match difference.finding {
        Finding::Same => "same",
        Finding::Unseen => "unseen",
        Finding::Unknown => "unknown",
        Finding::Lower => "lower",
        Finding::Higher => "higher",
    }
}
