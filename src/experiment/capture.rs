//! What went over the wire in a run: every copy, up to so many.

use crate::base::time::Time;
use crate::metrics::story::Cast;
use crate::metrics::tap::{Packet, Tap};
use crate::scenario::plan::Plan;

use super::run::{RunError, Watch, play_recorded};

/// Copies of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Captured {
    /// The copies, in the order in which they left.
    pub packets: Vec<Packet>,
    /// How many more left in the same time.
    pub left_out: u64,
    /// The names of those between whom they went.
    pub cast: Cast,
    /// The seed of the run.
    pub seed: u64,
}

/// Takes down the first `most` copies of one run of a plan that leave from the beginning of `window` until before its end.
///
/// # Errors
/// When the run gives no result.
pub fn capture(
    plan: &Plan,
    run: u32,
    window: (Time, Time),
    most: usize,
    watch: &mut Watch<'_>,
) -> Result<Captured, RunError> {
    let (_, cluster, mut tap) = play_recorded(plan, run, |_| Tap::new(window, most), watch)?;
    let packets = tap.packets();
    let nodes = packets.iter().flat_map(|packet| [packet.from, packet.to]);
    let cast = Cast::of_nodes(nodes, cluster.names(), plan.names_of_flows(), plan.names_of_places());
    Ok(Captured { packets, left_out: tap.left_out(), cast, seed: plan.seed_of(run) })
}
