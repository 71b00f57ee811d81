//! An observer that writes down what was stated, by names, and checks that time goes on.

use std::any::Any;
use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};

use rehearsal::base::id::{Entity, NodeId};
use rehearsal::base::names::Names;
use rehearsal::base::time::{Span, Time, secs};
use rehearsal::model::Letter;
use rehearsal::process::{Kind, MessageId, Observation, Outcome, Wanted};
use rehearsal::scenario::plan::Plan;
use rehearsal::sim::{Cluster, Observer, Outcome as RunOutcome};

/// Every statement of a run, with the batch of statements it belongs to.
#[derive(Default, Debug)]
pub struct Witness {
    pub stated: Vec<Batch>,
    last: Time,
}

/// What a node stated at one time.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    pub now: Time,
    pub node: NodeId,
    pub observations: Vec<Observation>,
}

impl Observer for Witness {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Message).and(Kind::Station)
    }

    fn observe(&mut self, now: Time, node: NodeId, observation: &Observation) {
        assert!(now >= self.last, "time runs backwards from {} to {now}", self.last);
        self.last = now;
        match self.stated.last_mut() {
            Some(batch) if (batch.now, batch.node) == (now, node) => batch.observations.push(*observation),
            _ => self.stated.push(Batch { now, node, observations: vec![*observation] }),
        }
    }
}

/// A message by the name of whoever offered it.
pub type Named = (Entity, u32);

/// What a run stated, with the names of its nodes.
pub struct Played {
    pub stated: Vec<Batch>,
    pub outcome: RunOutcome,
    pub names: Names,
}

/// Plays a plan's first run for `seconds`, and a bit to let the last message end.
pub fn witnessed(plan: &Plan) -> Played {
    let mut cluster = plan.cluster(plan.seed);
    replay(&mut cluster)
}

/// Plays what is in a cluster.
pub fn replay(cluster: &mut Cluster<Letter>) -> Played {
    cluster.observe(Witness::default());
    let outcome = cluster.run_until(Time::ZERO + secs(3));
    let observer: Box<dyn Any> = cluster.take_observers().remove(0);
    let witness: Witness = *observer.downcast().expect("the only observer");
    Played { stated: witness.stated, outcome, names: cluster.names().clone() }
}

impl Played {
    /// Every statement, one by one.
    pub fn each(&self) -> impl Iterator<Item = (Time, NodeId, &Observation)> {
        self.stated.iter().flat_map(|batch| batch.observations.iter().map(|stated| (batch.now, batch.node, stated)))
    }

    fn name(&self, message: MessageId) -> Named {
        (self.names.entity(message.owner), message.number)
    }

    /// What the nodes of a group stated, told by names: when, who, what, about which message.
    pub fn retold(&self, group: &str) -> Vec<(Time, Entity, Discriminant<Observation>, Option<Named>)> {
        let group = self.names.group(group);
        let members: Vec<NodeId> = group.into_iter().flat_map(|group| self.names.members(group)).collect();
        let ours = self.each().filter(|(_, node, _)| members.contains(node));
        let retell = |(now, node, stated): (Time, NodeId, &Observation)| {
            let message = message_of(stated).map(|message| self.name(message));
            (now, self.names.entity(node), discriminant(stated), message)
        };
        ours.map(retell).collect()
    }

    /// When each message was due.
    pub fn arrivals(&self) -> BTreeMap<Named, Time> {
        let offered = self.each().filter_map(|(now, _, stated)| match stated {
            Observation::Offered { message, .. } => Some((self.name(*message), now)),
            _ => None,
        });
        offered.collect()
    }

    /// For how long a worker was busy with each message when it was first handled well.
    pub fn demands(&self) -> BTreeMap<Named, Span> {
        let mut demands = BTreeMap::new();
        for batch in &self.stated {
            for pair in batch.observations.windows(2) {
                if let [Observation::Served { work, .. }, Observation::Handled { message, outcome: Outcome::Done }] =
                    pair
                {
                    demands.entry(self.name(*message)).or_insert(*work);
                }
            }
        }
        demands
    }

    /// Messages that were dropped at the moment they were offered: their first attempt was lost on the wire.
    pub fn lost_at_first(&self) -> Vec<Named> {
        let offered = self.arrivals();
        let dropped = self.each().filter_map(|(now, _, stated)| match stated {
            Observation::Dropped { message, .. } => Some((now, self.name(*message))),
            _ => None,
        });
        let at_first = dropped.filter(|(now, message)| offered.get(message) == Some(now));
        let mut lost: Vec<_> = at_first.map(|(_, message)| message).collect();
        lost.sort_unstable();
        lost
    }
}

/// The message that something was stated about.
fn message_of(stated: &Observation) -> Option<MessageId> {
    match *stated {
        Observation::Offered { message, .. }
        | Observation::Attempted { message }
        | Observation::Received { message, .. }
        | Observation::Handled { message, .. }
        | Observation::Declined { message, .. }
        | Observation::Confirmed { message }
        | Observation::Closed { message, .. }
        | Observation::Dropped { message, .. }
        | Observation::Duplicated { message } => Some(message),
        _ => None,
    }
}
