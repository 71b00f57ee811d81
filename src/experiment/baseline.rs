//! What earlier results say, as something to compare with.

use super::sample::Moments;

/// Earlier results of a scenario.
#[derive(Clone, PartialEq, Debug)]
pub struct Baseline {
    /// What it is called.
    pub name: String,
    /// The version that they are from.
    pub version: String,
    /// The scenario's seed: where it is that of the runs that are compared with it, runs of the same index are pairs.
    pub seed: u64,
    /// The fingerprint of its runs.
    pub digest: u64,
    /// How many runs it knows one by one, which are the first.
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
    pub fn of(&self, quantity: &str) -> Option<&Known> {
        self.quantities.iter().find(|known| known.quantity == quantity)
    }
}

impl Known {
    /// Its value in a run.
    pub(super) fn in_run(&self, run: u32) -> Option<f64> {
        *self.values.get(run as usize)?
    }

    /// Half the 95 % interval of its value, as the runs' own values scatter.
    pub(super) fn half_width(&self) -> Option<f64> {
        let values = self.values.iter().copied().collect::<Option<Vec<f64>>>()?;
        values.into_iter().collect::<Moments>().half_width()
    }
}
