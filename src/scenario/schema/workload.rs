//! Loads that clients bring: families of policies.

use super::chosen::families;
use crate::protocol::workload::arrivals::{ARRIVALS, ArrivalPolicy};
use crate::protocol::workload::rate::{RATES, RatePolicy};

families! {
    /// How many messages or requests a group starts: a constant such as `"200/s"`, or a rate that changes with time. Times are on
    /// the clock of the run, whenever the load begins.
    LoadRate: RatePolicy = RATES, value = "constant";
    /// How the starts are spread around their rate.
    Arrivals: ArrivalPolicy = ARRIVALS;
}
