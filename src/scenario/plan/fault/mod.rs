//! Faults: when they strike, and what they do then.

mod choice;
mod kinds;
mod schedule;

use std::fmt;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::base::id::NodeId;
use crate::base::random::{Seed, Uniform};
use crate::base::time::Time;
use crate::model::Envelope;
use crate::sim::{Cluster, Fault};

pub(super) use kinds::{Surroundings, faults};
use schedule::Schedule;

/// A fault of a scenario, resolved.
#[derive(Clone, Debug)]
pub struct FaultSpec {
    /// What it is called.
    pub name: String,
    /// What it does, as written.
    pub kind: &'static str,
    schedule: Schedule,
    /// What strikes when the schedule says so; each of them has a schedule of its own.
    effects: Vec<Effect>,
}

/// What strikes together.
#[derive(Clone)]
struct Effect {
    /// The node that it is about, if each node has a schedule of its own.
    node: Option<NodeId>,
    /// What happens in one strike: whom it strikes may be drawn.
    strike: Strike,
}

type Strike = Arc<dyn Fn(&mut ChaCha8Rng) -> Arc<dyn Fault<Envelope>> + Send + Sync>;

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effect").field("node", &self.node).finish_non_exhaustive()
    }
}

impl FaultSpec {
    /// From when to when it lasts, if that is known beforehand.
    pub fn window(&self) -> Option<(Time, Time)> {
        self.schedule.window()
    }

    /// Has it happen in a run with this seed that lasts until `end` at most.
    pub(super) fn add_to(&self, cluster: &mut Cluster<Envelope>, seed: Seed, end: Time) {
        for effect in &self.effects {
            let node = effect.node.map(|node| format!(" {:x}", cluster.names().entity(node).bits()));
            let mut luck = seed.generator(&format!("fault {}{}", self.name, node.unwrap_or_default()));
            for times in self.schedule.strikes(&mut luck, end) {
                let fault = (effect.strike)(&mut luck);
                cluster.fault(&self.name, fault, [times]);
            }
        }
    }
}

fn draw(luck: &mut ChaCha8Rng) -> Uniform {
    use rand::rand_core::TryRng;
    let Ok(bits) = luck.try_next_u64();
    Uniform::from_bits(bits)
}
