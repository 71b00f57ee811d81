//! Expectations, and what else the user should know: it comes first.

use crate::experiment::{Basis, Ground, Judgement, Measured, Results, Unit, Verdict};
use crate::report::human;
use crate::report::style::{Role, Style, clean};

pub(super) fn lines(results: &Results, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    let judgements = &results.judgements;
    if !judgements.is_empty() {
        lines.push(heading(judgements, results.count, style));
        let quantities: Vec<String> = judgements.iter().map(|judgement| clean(&judgement.quantity, 44)).collect();
        let conditions: Vec<String> = judgements.iter().map(|judgement| clean(&judgement.condition, 24)).collect();
        let values: Vec<String> = judgements.iter().map(|judgement| value(&judgement.measured)).collect();
        let width = |texts: &[String]| texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
        let (first, second, third) = (width(&quantities), width(&conditions), width(&values));
        for (index, judgement) in judgements.iter().enumerate() {
            let (role, sign) = sign(judgement.verdict);
            let (quantity, condition, value) = (&quantities[index], &conditions[index], &values[index]);
            let row = format!("{quantity:first$}  {condition:<second$}  {value:>third$}");
            let mut about = interval(&judgement.measured).unwrap_or_default();
            // The heading says what most are judged by.
            if results.count > 1 && judgement.grounds != [Ground::Interval] {
                let gap = if about.is_empty() { "" } else { "; " };
                about += &format!("{gap}judged by {}", judged_by(&judgement.grounds));
            }
            // The interval goes to a line of its own where there is no room beside the value.
            let fits = 4 + row.chars().count() + 2 + about.chars().count() <= super::WIDTH;
            let (beside, below) = if fits { (about, None) } else { (String::new(), Some(about)) };
            lines.push(format!("  {} {row}  {}", style.paint(role, sign), style.paint(Role::Quiet, &beside)));
            let note = judgement.note.as_ref().map(|note| clean(note, 94));
            lines
                .extend(below.into_iter().chain(note).map(|text| format!("      {}", style.paint(Role::Quiet, &text))));
        }
    }
    for warning in &results.warnings {
        lines.extend(wrapped(&clean(warning, 1_000), style));
    }
    lines
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

/// A warning over as many lines as it needs.
fn wrapped(warning: &str, style: Style) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in warning.split_whitespace() {
        let last = lines.last_mut().expect("there is a line");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > super::WIDTH - 4 {
            lines.push(clean(word, super::WIDTH - 4));
        } else {
            let space = if last.is_empty() { "" } else { " " };
            last.push_str(&format!("{space}{}", clean(word, super::WIDTH - 4)));
        }
    }
    let sign = |index| if index == 0 { style.paint(Role::Unsure, "!") } else { " ".into() };
    lines.iter().enumerate().map(|(index, line)| format!("  {} {line}", sign(index))).collect()
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

    #[test]
    fn warnings_are_wrapped() {
        let warning = "word ".repeat(60);
        let lines = wrapped(&warning, Style::Plain);
        assert!(lines.len() > 1 && lines.iter().all(|line| line.chars().count() <= super::super::WIDTH));
        assert!(lines[0].starts_with("  ! word"));
    }
}
