//! What earlier results say, as something to compare with.

/// Earlier results of a scenario.
#[derive(Clone, PartialEq, Debug)]
pub struct Baseline {
    /// What it is called.
    pub name: String,
    /// The scenario's seed: where it is that of the runs that are compared with it, runs of the same index are pairs.
    pub seed: u64,
    /// The fingerprint of its runs.
    pub digest: u64,
    /// How many runs there are one by one, which are the first.
    pub runs: u32,
    /// What it knows.
    pub quantities: Vec<Known>,
}

/// What earlier results say of a quantity.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    /// As it is written.
    pub quantity: String,
    /// Of all runs together.
    pub value: Option<f64>,
    /// Of each run, by its index.
    pub values: Vec<Option<f64>>,
}

impl Baseline {
    /// What it says of this quantity.
    pub(super) fn of(&self, quantity: &str) -> Option<&Known> {
        self.quantities.iter().find(|known| known.quantity == quantity)
    }
}
