//! Faults: when they strike, and what they do then.

mod choice;
mod kinds;
mod led;
mod schedule;

use std::fmt;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::base::id::Entity;
use crate::base::random::{Seed, Uniform};
use crate::base::time::Time;
use crate::model::{Leaders, Letter};
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
    /// The name of the node that it is about, if each node has a schedule of its own.
    node: Option<Entity>,
    /// What happens in one strike: whom it strikes may be drawn.
    strike: Strike,
}

type Strike = Arc<dyn Fn(&mut ChaCha8Rng, &Leaders) -> Arc<dyn Fault<Letter>> + Send + Sync>;

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

    /// When it strikes in a run with this seed that lasts until `end` at most, and when that heals, if it does: in order,
    /// and once where it strikes several nodes in the same way.
    pub(super) fn strikes_in(&self, seed: Seed, end: Time) -> Vec<(Time, Option<Time>)> {
        let strikes = self.effects.iter().flat_map(|effect| self.schedule.strikes(&mut self.luck(effect, seed), end));
        let mut strikes: Vec<_> = strikes.filter(|(at, _)| *at < end).collect();
        strikes.sort_unstable_by_key(|&(at, heals)| (at, heals.unwrap_or(Time::MAX)));
        strikes.dedup();
        strikes
    }

    /// What an effect's times and choices are drawn from, times first.
    fn luck(&self, effect: &Effect, seed: Seed) -> ChaCha8Rng {
        let node = effect.node.map(|node| format!(" {:x}", node.bits()));
        seed.generator(&format!("fault {}{}", self.name, node.unwrap_or_default()))
    }

    /// Has it happen in a run with this seed that lasts until `end` at most.
    pub(super) fn add_to(&self, cluster: &mut Cluster<Letter>, leaders: &Leaders, seed: Seed, end: Time) {
        for effect in &self.effects {
            let mut luck = self.luck(effect, seed);
            for times in self.schedule.strikes(&mut luck, end) {
                let fault = (effect.strike)(&mut luck, leaders);
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
