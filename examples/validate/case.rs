//! A case: a set-up, and the quantities that are known of it.

use std::fmt;

use rehearsal::metrics::RunResult;

use crate::study::play;

/// A set-up.
#[derive(Clone)]
pub struct Case {
    /// What it is called.
    pub name: &'static str,
    /// The scenario, but for `[run]`.
    pub scenario: &'static str,
    /// How long there is load, as in `run.duration`.
    pub duration: &'static str,
    /// How much of that does not count, at the beginning.
    pub warmup: &'static str,
    /// Independent runs.
    pub runs: u32,
    /// What is known.
    pub quantities: Vec<Quantity>,
}

/// A quantity, and what is known of it.
#[derive(Clone)]
pub struct Quantity {
    /// What it is called.
    pub name: &'static str,
    /// What a formula gives.
    pub theory: f64,
    /// What was published, and where.
    pub published: Option<(&'static str, &'static str)>,
    /// How far off it may be, relative to the theory.
    pub tolerance: f64,
    /// How it is measured in one run.
    pub measure: fn(&RunResult) -> f64,
}

/// A quantity, judged.
pub struct Row {
    case: &'static str,
    quantity: Quantity,
    mean: f64,
    error: f64,
}

impl Quantity {
    /// A quantity of which a formula is known.
    pub fn new(name: &'static str, theory: f64, tolerance: f64, measure: fn(&RunResult) -> f64) -> Self {
        Self { name, theory, published: None, tolerance, measure }
    }

    /// The same quantity, of which this value was published there.
    pub fn published(self, value: &'static str, source: &'static str) -> Self {
        Self { published: Some((value, source)), ..self }
    }
}

impl Case {
    /// Plays the case, and judges its quantities.
    pub fn play(&self) -> Vec<Row> {
        let Self { duration, warmup, runs, scenario, .. } = self;
        let text = format!("run = {{ duration = \"{duration}\", warmup = \"{warmup}\", runs = {runs} }}\n{scenario}");
        let runs = play(&text);
        self.quantities.iter().map(|quantity| Row::new(self.name, quantity.clone(), &runs)).collect()
    }
}

impl Row {
    /// The heading of the table.
    pub const HEADER: &'static str = "case                            quantity                    theory  published    measured  \
                                      ± s.e.     tolerance  verdict";

    fn new(case: &'static str, quantity: Quantity, runs: &[RunResult]) -> Self {
        let values: Vec<f64> = runs.iter().map(quantity.measure).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let error = if values.len() > 1 { libm::sqrt(squares / (count - 1.0) / count) } else { 0.0 };
        Self { case, quantity, mean, error }
    }

    fn allowed(&self) -> f64 {
        self.quantity.tolerance * self.quantity.theory.abs()
    }

    /// Whether it is what it should be.
    pub fn is_well(&self) -> bool {
        (self.mean - self.quantity.theory).abs() <= self.allowed() && self.error <= self.allowed() / 2.0
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, quantity, mean, error } = self;
        let Quantity { name, theory, published, tolerance, .. } = quantity;
        let (value, source) = published.unwrap_or(("", ""));
        let allowed = if *tolerance < 1e-8 { "exact".into() } else { format!("{:.2} %", 100.0 * tolerance) };
        let verdict = if self.is_well() { "ok" } else { "NOT OK" };
        write!(
            f,
            "{case:<31} {name:<24} {theory:>9.6}  {value:>9}  {mean:>10.6}  {error:>9.2e}  {allowed:>9}  {verdict}"
        )?;
        if source.is_empty() { Ok(()) } else { write!(f, "  ({source})") }
    }
}
