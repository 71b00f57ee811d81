//! `theory.csv`: what formulas predict beside what was measured, one row for each quantity, and one for each station or sender of which
//! none speaks.
//!
//! `predicted`, `measured`, `low` and `high` (the 95 % interval of what was measured) are in `unit`, as in `summary.csv`: nanoseconds,
//! shares of one, per second, or plain numbers. `difference` is measured less predicted for shares, and measured over predicted less
//! one for all else. `applies` says how the prediction is meant: `equal`, `near` (a limit that the system is near), `at most`, `at
//! least`; or `no`, and then `note` says why. `agrees` says whether the interval allows the prediction, where there is one. Of a law
//! (Little's) the prediction is made of other numbers that were measured.

use crate::experiment::{Results, Unit};

use super::metric::Value;
use super::summary::{Table, field};

/// `theory.csv`, if there is anything in it.
pub(super) fn csv(results: &Results) -> Option<Vec<u8>> {
    let theory = &results.theory;
    if theory.predictions.is_empty() && theory.silences.is_empty() {
        return None;
    }
    let header = [
        "quantity",
        "formula",
        "applies",
        "predicted",
        "unit",
        "measured",
        "low",
        "high",
        "difference",
        "agrees",
        "note",
        "source",
    ];
    let mut table = Table::new(results, &header);
    let number = |value: Option<f64>| value.filter(|value| value.is_finite()).map(|value| field(Value::Real(value)));
    for prediction in &theory.predictions {
        let measured = &prediction.measured;
        let unit = match measured.unit {
            Unit::Time => "ns",
            Unit::Share => "share",
            Unit::Rate => "per_s",
            Unit::Number => "",
        };
        let agrees = prediction.agrees().map_or("", |agrees| if agrees { "yes" } else { "no" });
        let (low, high) = measured.interval.unzip();
        let numbers = [prediction.predicted, measured.value, low, high, prediction.difference()];
        let [predicted, value, low, high, difference] = numbers.map(|value| number(value).unwrap_or_default());
        table.row([
            prediction.quantity.as_str(),
            &prediction.formula,
            prediction.relation.name(),
            &predicted,
            unit,
            &value,
            &low,
            &high,
            &difference,
            agrees,
            prediction.note.as_deref().unwrap_or_default(),
            prediction.source,
        ]);
    }
    for silence in &theory.silences {
        let subject = silence.subject.as_deref().unwrap_or("system");
        table.row([subject, "", "no", "", "", "", "", "", "", "", &silence.why, ""]);
    }
    Some(table.into_bytes())
}
