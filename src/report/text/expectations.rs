//! Expectations, and what else the user should know: it comes first.

use crate::experiment::{Basis, Ground, Judgement, Measured, Results, Unit, Verdict};
use crate::report::human;
use crate::report::style::{Role, Style, clean, left, right, size};

use super::wrap;

pub(super) fn lines(results: &Results, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    let judgements = &results.judgements;
    if !judgements.is_empty() {
        lines.push(heading(judgements, results.count, style));
        let rows: Vec<Row> = judgements.iter().map(|judgement| Row::of(judgement, results.count, style)).collect();
        let width = |text: fn(&Row) -> &String| rows.iter().map(|row| size(text(row))).max().unwrap_or(0);
        let widths = [width(|row| &row.quantity), width(|row| &row.condition), width(|row| &row.value)];
        rows.iter().for_each(|row| lines.extend(row.lines(widths, style)));
    }
    let warning = |warning| format!("  {} {}", style.paint(Role::Unsure, "!"), clean(warning, 1_000));
    lines.extend(results.warnings.iter().map(|text| warning(text)));
    lines
}

/// An expectation, in words.
struct Row {
    verdict: Verdict,
    quantity: String,
    condition: String,
    value: String,
    /// Its interval, and by what else it is judged.
    about: String,
    note: Option<String>,
}

impl Row {
    fn of(judgement: &Judgement, runs: u32, style: Style) -> Self {
        let mut about = interval(&judgement.measured).unwrap_or_default();
        // The heading says what most are judged by.
        if runs > 1 && judgement.grounds != [Ground::Interval] {
            let gap = if about.is_empty() { "" } else { "; " };
            about += &format!("{gap}judged by {}", judged_by(&judgement.grounds));
        }
        let broken = judgement.broken_by.map(|run| format!("run {run} is the first that breaks it"));
        let notes: Vec<_> = broken.into_iter().chain(judgement.note.clone()).collect();
        Self {
            verdict: judgement.verdict,
            quantity: clean(&judgement.quantity, 44.min(style.width - 4)),
            condition: clean(&judgement.condition, 24),
            value: value(&judgement.measured),
            about,
            note: (!notes.is_empty()).then(|| clean(&notes.join("; "), 1_000)),
        }
    }

    /// All on one line if there is room for it, as far as possible; and the note below.
    fn lines(&self, [first, second, third]: [usize; 3], style: Style) -> Vec<String> {
        let (role, sign) = sign(self.verdict);
        let sign = style.paint(role, sign);
        let measured = |condition: usize, value: usize| {
            format!("{}  {}", left(&self.condition, condition), right(&self.value, value))
        };
        let about = style.paint(Role::Quiet, &self.about);
        let row = format!("  {sign} {}  {}", left(&self.quantity, first), measured(second, third));
        let taken = 4 + first + 2 + second + 2 + third;
        let row = match taken <= style.width {
            true => wrap::with(row, &about, style.width),
            false => {
                let measured = wrap::with(format!("      {}", measured(0, 0)), &about, style.width);
                std::iter::once(format!("  {sign} {}", self.quantity)).chain(measured).collect()
            }
        };
        let note = self.note.as_ref().map(|note| format!("      {}", style.paint(Role::Quiet, note)));
        row.into_iter().chain(note).collect()
    }
}

fn heading(judgements: &[Judgement], runs: u32, style: Style) -> String {
    let count = |verdict| judgements.iter().filter(|judgement| judgement.verdict == verdict).count();
    let parts = [
        (count(Verdict::Pass), "as expected", Role::Good),
        (count(Verdict::Fail), "not", Role::Bad),
        (count(Verdict::Inconclusive), "undecided", Role::Unsure),
    ];
    let parts = parts.into_iter().filter(|(count, ..)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, name, role)| style.paint(role, &format!("{count} {name}"))).collect();
    let basis = match runs {
        1 => "  judged by the value: there is one run".into(),
        _ if judgements.iter().any(|judgement| judgement.grounds == [Ground::Interval]) => {
            format!("  judged by the 95 % interval over {runs} runs")
        }
        _ => String::new(),
    };
    let basis = style.paint(Role::Quiet, &basis);
    format!("{}  {}{basis}", style.paint(Role::Heading, "Expectations"), parts.join(", "))
}

/// In words.
fn judged_by(grounds: &[Ground]) -> String {
    let words = grounds.iter().map(|ground| match ground {
        Ground::Interval => "the interval",
        Ground::EachRun => "each run",
        Ground::Value => "the value",
    });
    words.collect::<Vec<_>>().join(" and ")
}

fn sign(verdict: Verdict) -> (Role, &'static str) {
    match verdict {
        Verdict::Pass => (Role::Good, "✓"),
        Verdict::Fail => (Role::Bad, "✗"),
        Verdict::Inconclusive => (Role::Unsure, "?"),
    }
}

fn written(unit: Unit, value: f64) -> String {
    match unit {
        _ if value == f64::INFINITY => human::FOREVER.into(),
        Unit::Time => human::time(value),
        Unit::Share => human::share(value),
        Unit::Rate => human::rate(value),
        // Whole numbers to the last digit: `== 0` must not look met by 0.001, nor 1,234,567 be 1.23M.
        Unit::Number if (0.0..1e15).contains(&value) && libm::trunc(value) == value => human::count(value as u64),
        Unit::Number => human::number(value),
    }
}

fn value(measured: &Measured) -> String {
    measured.value.map_or_else(|| human::NOTHING.into(), |value| written(measured.unit, value))
}

fn interval(measured: &Measured) -> Option<String> {
    let (low, high) = measured.interval?;
    let ends = match measured.unit {
        Unit::Share if low.is_finite() && high.is_finite() => human::shares(&[low, high]).join(" – "),
        unit => format!("{} – {}", written(unit, low), written(unit, high)),
    };
    Some(match measured.basis {
        Basis::Runs(runs) => format!("{ends} (95 %, {runs} runs)"),
        Basis::Batches(batches) => format!("{ends} (95 %, {batches} batches)"),
        Basis::Value => ends,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_end_is_shown_as_such() {
        let measured = Measured { value: Some(f64::INFINITY), interval: None, basis: Basis::Value, unit: Unit::Time };
        assert_eq!(value(&measured), "∞");
        assert_eq!(value(&Measured { value: None, ..measured }), "-");
        assert_eq!(value(&Measured { unit: Unit::Number, value: Some(1_234_567.0), ..measured }), "1,234,567");
        let open = Measured { interval: Some((1e6, f64::INFINITY)), basis: Basis::Runs(3), ..measured };
        assert_eq!(interval(&open).unwrap(), "1ms – ∞ (95 %, 3 runs)");
    }
}
