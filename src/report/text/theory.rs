//! Theory beside measurement: what formulas predict, and where none applies.

use crate::experiment::{Basis, Measured, Prediction, Relation, Results, Silence, Unit};
use crate::report::human;
use crate::report::style::{Role, Style, clean};

use super::columns;
use super::table::words;

/// Reasons beyond these are counted.
const SILENCES_MAX: usize = 8;

/// Laws that tie measured numbers to each other are shown one by one where they are further off than this.
const OFF: f64 = 0.05;

pub(super) fn lines(results: &Results, style: Style) -> Vec<String> {
    let theory = &results.theory;
    let is_shown = |prediction: &&Prediction| {
        !prediction.is_law || prediction.difference().is_some_and(|difference| libm::fabs(difference) > OFF)
    };
    let shown: Vec<&Prediction> = theory.predictions.iter().filter(is_shown).collect();
    let kept = theory.predictions.iter().filter(|prediction| prediction.is_law && !is_shown(prediction));
    let kept: Vec<&Prediction> = kept.filter(|prediction| prediction.difference().is_some()).collect();
    // Laws alone are no news where no formula is.
    if shown.is_empty() && theory.silences.is_empty() {
        return Vec::new();
    }
    let heading =
        |about: &str| format!("{}  {}", style.paint(Role::Heading, "Theory"), style.paint(Role::Quiet, about));
    if let ([], [Silence { subject: None, why }]) = (&shown[..], &theory.silences[..]) {
        return vec![heading(&format!("no formula, as {}", clean(why, 76)))];
    }
    let mut lines = vec![heading("what formulas say of the long run, beside what was measured")];
    if !shown.is_empty() {
        lines.extend(table(&shown, style));
        lines.extend(legend(&shown, style));
    }
    if !kept.is_empty() && !shown.is_empty() {
        let names = ["Little's law", "utilisation law", "response time law"];
        let names = names.into_iter().filter(|name| kept.iter().any(|prediction| prediction.formula == *name));
        let most = kept.iter().filter_map(|prediction| prediction.difference()).map(libm::fabs).fold(0.0, f64::max);
        let within = format!("holds among the measured numbers, within {:.1} %", (most * 1_000.0).ceil() / 10.0);
        let names = names.collect::<Vec<_>>().join(", ");
        lines.push(style.paint(Role::Quiet, &format!("    {names}: {within}")));
    }
    lines.extend(silences(&theory.silences, style));
    lines
}

fn table(shown: &[&Prediction], style: Style) -> Vec<String> {
    let formula = |prediction: &Prediction| clean(&prediction.formula, 20);
    // Names to the left, as the first column.
    let width =
        shown.iter().map(|prediction| formula(prediction).chars().count()).max().unwrap_or(0).max("formula".len());
    let row = |prediction: &&Prediction| {
        let bound = match prediction.relation {
            Relation::Equal => "",
            Relation::Near => "≈ ",
            Relation::AtMost => "≤ ",
            Relation::AtLeast => "≥ ",
        };
        let unit = prediction.measured.unit;
        let predicted = prediction.predicted.map(|value| format!("{bound}{}", written(unit, value)));
        let difference = prediction.difference().map(|difference| match unit {
            Unit::Share => format!("{} pp", signed(difference * 100.0)),
            _ => format!("{} %", signed(difference * 100.0)),
        });
        let nothing = || human::NOTHING.to_owned();
        vec![
            clean(&prediction.quantity, 36),
            format!("{:<width$}", formula(prediction)),
            predicted.unwrap_or_else(nothing),
            value(&prediction.measured),
            difference.unwrap_or_else(nothing),
        ]
    };
    let mut header = words(&["quantity", "", "theory", "measured", "difference"]);
    header[1] = format!("{:<width$}", "formula");
    let rows: Vec<Vec<String>> = [vec![header], shown.iter().map(row).collect()].concat();
    let signs = shown.iter().map(|prediction| sign(prediction));
    let signs = std::iter::once((Role::Quiet, " ")).chain(signs);
    let rows = columns(&rows).into_iter().zip(signs).enumerate();
    let line = |(index, (row, (role, sign))): (usize, (String, (Role, &str)))| {
        let row = if index == 0 { style.paint(Role::Quiet, &row) } else { row };
        format!("  {}{row}", style.paint(role, sign))
    };
    rows.map(line).collect()
}

/// Whether the interval of what was measured holds the prediction.
fn sign(prediction: &Prediction) -> (Role, &'static str) {
    match prediction.agrees() {
        Some(true) => (Role::Good, "✓"),
        Some(false) => (Role::Unsure, "✗"),
        None => (Role::Quiet, " "),
    }
}

/// What signs and notes mean.
fn legend(shown: &[&Prediction], style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    let quiet = |text: &str| style.paint(Role::Quiet, &format!("    {text}"));
    let known = shown.iter().filter(|prediction| prediction.agrees().is_some()).count();
    if known > 0 {
        let batches = shown.iter().any(|prediction| matches!(prediction.measured.basis, Basis::Batches(_)));
        let of = if batches { "of batches of the run" } else { "over the runs" };
        lines.push(quiet(&format!(
            "✓ theory lies in the 95 % interval {of}, ✗ not: about one in twenty does not, by chance"
        )));
    }
    if known < shown.len() && shown.iter().any(|prediction| prediction.measured.basis == Basis::Value) {
        lines.push(quiet("without a sign there is no interval to compare with: more runs give one"));
    }
    if shown.iter().any(|prediction| prediction.is_law) {
        lines.push(quiet("a law that does not hold: not as many left as came, so it was no steady state"));
    }
    let mut known: Vec<&str> = Vec::new();
    for prediction in shown {
        let Some(note) = prediction.note.as_deref().filter(|note| !known.contains(note)) else { continue };
        known.push(note);
        lines.extend(wrapped(&format!("{}: {note}", prediction.subject), style));
    }
    lines
}

fn silences(silences: &[Silence], style: Style) -> Vec<String> {
    let text = |silence: &Silence| match &silence.subject {
        Some(subject) => format!("{}: no formula, as {}", clean(subject, 30), silence.why),
        None => format!("no formula, as {}", silence.why),
    };
    let mut lines: Vec<String> =
        silences.iter().take(SILENCES_MAX).flat_map(|silence| wrapped(&text(silence), style)).collect();
    if let Some(more) = silences.len().checked_sub(SILENCES_MAX + 1) {
        lines.push(style.paint(Role::Quiet, &format!("    and {} more: see `theory.csv`", more + 1)));
    }
    lines
}

/// A sentence over as many lines as it needs, the first to the left.
fn wrapped(text: &str, style: Style) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in clean(text, 400).split_whitespace() {
        let last = lines.last_mut().expect("there is a line");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > style.width.max(40) - 6 {
            lines.push(clean(word, style.width.max(40) - 6));
        } else {
            let space = if last.is_empty() { "" } else { " " };
            last.push_str(&format!("{space}{}", clean(word, style.width.max(40) - 6)));
        }
    }
    let indent = |index| if index == 0 { "    " } else { "      " };
    let lines = lines.iter().enumerate().map(|(index, line)| format!("{}{line}", indent(index)));
    lines.map(|line| style.paint(Role::Quiet, &line)).collect()
}

fn signed(value: f64) -> String {
    let size = libm::fabs(value);
    let decimals = if size < 1.0 {
        2
    } else if size < 100.0 {
        1
    } else {
        0
    };
    let text = format!("{size:.decimals$}");
    let is_nothing = text.chars().all(|digit| matches!(digit, '0' | '.'));
    let sign = if is_nothing {
        ""
    } else if value < 0.0 {
        "-"
    } else {
        "+"
    };
    format!("{sign}{text}")
}

/// Numbers near one with a digit more than elsewhere, as three hide what is compared here.
fn written(unit: Unit, value: f64) -> String {
    match unit {
        _ if value == f64::INFINITY => human::FOREVER.into(),
        Unit::Time => human::time(value),
        Unit::Share => human::share(value),
        Unit::Rate => human::rate(value),
        Unit::Number if (0.001..10.0).contains(&value) => {
            let decimals = if value < 1.0 { 4 } else { 3 };
            format!("{value:.decimals$}").trim_end_matches('0').trim_end_matches('.').into()
        }
        Unit::Number => human::number(value),
    }
}

fn value(measured: &Measured) -> String {
    measured.value.map_or_else(|| human::NOTHING.into(), |value| written(measured.unit, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Theory;
    use crate::report::fixture;
    use crate::report::theory::csv;

    fn prediction(quantity: &str, value: f64, unit: Unit) -> Prediction {
        let interval = Some((0.9 * value, 1.1 * value));
        Prediction {
            quantity: format!("server.{quantity}"),
            subject: "server".into(),
            formula: "M/M/1".into(),
            is_law: false,
            source: "Erlang",
            relation: Relation::Equal,
            predicted: Some(0.95 * value),
            measured: Measured { value: Some(value), interval, basis: Basis::Runs(3), unit },
            grain: 0.0,
            note: None,
        }
    }

    fn results() -> Results {
        let share = prediction("busy", 0.5, Unit::Share);
        let off = Prediction { predicted: Some(2e6), ..prediction("wait.mean", 1e6, Unit::Time) };
        let near = Prediction { relation: Relation::Near, note: Some("near it".into()), ..share.clone() };
        let law = Prediction { is_law: true, formula: "Little's law".into(), predicted: Some(0.5), ..share.clone() };
        let silence = Silence { subject: Some("other".into()), why: "nobody knows how it is".into() };
        let theory = Theory { predictions: vec![share, off, near, law], silences: vec![silence] };
        Results { theory, ..fixture::exchange() }
    }

    #[test]
    fn theory_stands_beside_what_was_measured() {
        let lines = lines(&results(), Style::PLAIN);
        let expected = [
            "Theory  what formulas say of the long run, beside what was measured",
            "     quantity          formula    theory  measured  difference",
            "  ✓  server.busy       M/M/1      47.50%    50.00%     +2.5 pp",
            "  ✗  server.wait.mean  M/M/1         2ms       1ms     -50.0 %",
            "     server.busy       M/M/1    ≈ 47.50%    50.00%     +2.5 pp",
            "    ✓ theory lies in the 95 % interval over the runs, ✗ not: about one in twenty does not, by chance",
            "    server: near it",
            "    Little's law: holds among the measured numbers, within 0.0 %",
            "    other: no formula, as nobody knows how it is",
        ];
        let trimmed: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        assert_eq!(trimmed, expected, "{}", lines.join("\n"));
    }

    #[test]
    fn there_is_a_row_for_each() {
        let table = String::from_utf8(csv(&results()).expect("there is theory")).expect("it is text");
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows.len(), 6);
        assert!(
            rows[0].starts_with(
                "quantity,formula,applies,predicted,unit,measured,low,high,difference,agrees,note,source,"
            )
        );
        assert!(
            rows[2]
                .starts_with("server.wait.mean,M/M/1,equal,2000000.0,ns,1000000.0,900000.0,1100000.0,-0.5,no,,Erlang,"),
            "{table}"
        );
        assert!(rows[5].starts_with("other,,no,,,,,,,,nobody knows how it is,,"), "{table}");
        assert_eq!(csv(&fixture::exchange()), None);
    }

    #[test]
    fn a_users_names_are_harmless_and_lines_not_too_wide() {
        let mut results = results();
        let evil = format!("<b>\u{1b}[2J\r\n{}", "very long ".repeat(50));
        for prediction in &mut results.theory.predictions {
            prediction.quantity = evil.clone();
            prediction.formula = evil.clone();
            prediction.note = Some(evil.clone());
        }
        results.theory.silences = vec![Silence { subject: Some(evil.clone()), why: evil.clone() }; 20];
        let lines = lines(&results, Style::PLAIN);
        assert!(lines.iter().all(|line| line.chars().count() <= 100 && !line.contains('\u{1b}')));
        assert!(lines.last().is_some_and(|line| line.contains("and 12 more")), "{lines:?}");
        results.theory = Theory { predictions: Vec::new(), silences: vec![Silence { subject: None, why: evil }] };
        assert_eq!(super::lines(&results, Style::PLAIN).len(), 1);
        assert!(super::lines(&fixture::exchange(), Style::PLAIN).is_empty());
    }
}
