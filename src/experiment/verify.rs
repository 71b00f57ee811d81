//! Where two plays of what should be one run part: the first event that differs.
//!
//! The checkpoints in both results say in which interval they part. That interval alone is played again, both sides in step:
//! first in strides, then, inside the stride that differs, event by event. With strides of the root of the interval's length
//! this compares digests some thousand times where it could be millions.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::Time;
use crate::metrics::RunResult;
use crate::model::Letter;
use crate::process::{Exit, Kind, MessageId, Observation, Wanted};
use crate::scenario::plan::Plan;
use crate::sim::{Cluster, Observer};

use super::run::{Progress, RunError, Watch};

/// Inputs between two reports of progress, and the longest stride.
const CHUNK: u64 = 1 << 18;

/// Where two plays part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// How many events are the same.
    pub same: u64,
    /// The event after them in the first play; none if it had ended.
    pub one: Option<Happening>,
    /// The event after them in the second play; none if it had ended.
    pub other: Option<Happening>,
}

/// An event, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Happening {
    /// When.
    pub time: Time,
    /// To whom: `api[3]`.
    pub node: String,
    /// Whether a message was delivered; otherwise a timer fired, or the node started.
    pub is_delivery: bool,
    /// What the node stated then: `received sender[0]#17`.
    pub facts: Vec<String>,
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.is_delivery, self.time) {
            (true, _) => "took a message",
            (false, Time::ZERO) => "started",
            (false, _) => "had a timer fire",
        };
        write!(f, "at {} ns {} {what}", self.time.as_nanos(), self.node)?;
        if self.facts.is_empty() { Ok(()) } else { write!(f, ": {}", self.facts.join(", ")) }
    }
}

/// Plays run number `run` of both plans again, as far as needed, and names the first event that differs. `results` are what
/// they gave before. None if they do not differ this time.
///
/// # Errors
/// When it is stopped.
pub fn first_difference(
    plans: [&Plan; 2],
    run: u32,
    results: [&RunResult; 2],
    watch: &mut Watch<'_>,
) -> Result<Option<Difference>, RunError> {
    let (same, differs) = interval(results);
    let end = results[0].end.max(results[1].end);
    let mut search = Search { plans, run, end, watch };
    let pair = search.play(same)?;
    if pair.digests_differ() {
        // Checkpoints of earlier plays do not hold for these: they part before.
        drop(pair);
        let pair = search.play(0)?;
        return search.within(pair, same);
    }
    search.within(pair, differs)
}

/// The events up to which both are the same, as the checkpoints have it, and by which they differ.
fn interval([one, other]: [&RunResult; 2]) -> (u64, u64) {
    let ends = one.events.min(other.events);
    let mut same = 0;
    for (one, other) in one.checkpoints.iter().zip(&other.checkpoints) {
        if one != other {
            return (same, one.events.min(other.events));
        }
        same = one.events;
    }
    (same, ends)
}

struct Search<'a, 'b> {
    plans: [&'a Plan; 2],
    run: u32,
    end: Time,
    watch: &'a mut Watch<'b>,
}

impl Search<'_, '_> {
    /// Both plays, with the first `events` events behind them; the start of all nodes at least.
    fn play(&mut self, events: u64) -> Result<Pair, RunError> {
        let mut pair = Pair { sides: self.plans.map(|plan| Side::new(plan, self.run)), end: self.end };
        pair.advance(0);
        while pair.events() < events {
            self.tell(&pair)?;
            let before = pair.events();
            pair.advance(CHUNK.min(events - before));
            if pair.events() == before {
                break;
            }
        }
        Ok(pair)
    }

    /// The first event that differs, up to number `differs` and the one after it, which only one of both may have.
    fn within(&mut self, mut pair: Pair, differs: u64) -> Result<Option<Difference>, RunError> {
        let stride = differs.saturating_sub(pair.events()).isqrt().clamp(1, CHUNK);
        loop {
            let same = pair.events();
            if same >= differs {
                return Ok(pair.step());
            }
            self.tell(&pair)?;
            pair.advance(stride.min(differs - same));
            if pair.digests_differ() {
                let mut again = self.play(same)?;
                return Ok((0..stride).find_map(|_| again.step()));
            }
            if pair.events() == same {
                return Ok(None);
            }
        }
    }

    fn tell(&mut self, pair: &Pair) -> Result<(), RunError> {
        let now = pair.sides[0].cluster.now();
        let progress = Progress { run: 0, runs: 1, now, end: self.end, events: pair.events(), is_over: false };
        if (self.watch)(progress).is_break() { Err(RunError::Interrupted) } else { Ok(()) }
    }
}

/// Two plays in step.
struct Pair {
    sides: [Side; 2],
    end: Time,
}

impl Pair {
    /// The events behind the first, and behind the second too as long as both are the same.
    fn events(&self) -> u64 {
        self.sides[0].cluster.events()
    }

    fn advance(&mut self, events: u64) {
        for side in &mut self.sides {
            side.cluster.advance(self.end, events);
        }
    }

    fn digests_differ(&self) -> bool {
        let [one, other] = &self.sides;
        one.cluster.digest() != other.cluster.digest()
    }

    /// Plays one event; the difference, if there is one.
    fn step(&mut self) -> Option<Difference> {
        let same = self.events();
        let end = self.end;
        let [one, other] = self.sides.each_mut().map(|side| side.step(end));
        self.digests_differ().then_some(Difference { same, one, other })
    }
}

/// One play, and what its nodes say.
struct Side {
    cluster: Cluster<Letter>,
    said: Arc<Said>,
}

impl Side {
    fn new(plan: &Plan, run: u32) -> Self {
        let mut cluster = plan.cluster(plan.seed_of(run));
        let said = Arc::default();
        cluster.observe(Listener(Arc::clone(&said)));
        Self { cluster, said }
    }

    /// Plays one event; none if there is no more before `end`.
    fn step(&mut self, end: Time) -> Option<Happening> {
        let chains = |cluster: &Cluster<Letter>| cluster.chains().collect::<Vec<_>>();
        let (before, delivered) = (chains(&self.cluster), self.cluster.delivered());
        *held(&self.said) = Some(Vec::new());
        self.cluster.advance(end, 1);
        let said = held(&self.said).take().unwrap_or_default();
        let after = chains(&self.cluster);
        let (&(node, _), _) = after.iter().zip(&before).find(|(after, before)| after != before)?;
        let names = self.cluster.names();
        Some(Happening {
            time: self.cluster.now(),
            node: names.label(node),
            is_delivery: self.cluster.delivered() > delivered,
            facts: said.iter().map(|fact| in_words(fact, names)).collect(),
        })
    }
}

/// What nodes say, while somebody listens.
type Said = Mutex<Option<Vec<Observation>>>;

/// Keeps what nodes say.
struct Listener(Arc<Said>);

impl Observer for Listener {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Message).and(Kind::Station).and(Kind::Attempt).and(Kind::Guard)
    }

    fn observe(&mut self, _: Time, _: NodeId, observation: &Observation) {
        if let Some(said) = &mut *held(&self.0) {
            said.push(*observation);
        }
    }
}

fn held(said: &Said) -> MutexGuard<'_, Option<Vec<Observation>>> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

fn in_words(fact: &Observation, names: &Names) -> String {
    let called = |message: MessageId| format!("{}#{}", names.label(message.owner), message.number);
    match *fact {
        Observation::Offered { message, .. } => format!("offered {}", called(message)),
        Observation::Attempted { message } => format!("attempted {}", called(message)),
        Observation::AttemptFailed { message } => format!("an attempt failed: {}", called(message)),
        Observation::Suspected { member, .. } => format!("takes {} for down", names.label(member)),
        Observation::Trusted { member, .. } => format!("takes {} for up", names.label(member)),
        Observation::Received { message, duplicate: false } => format!("received {}", called(message)),
        Observation::Received { message, duplicate: true } => format!("received {} again", called(message)),
        Observation::Handled { message, outcome } => format!("handled {}: {}", called(message), outcome.name()),
        Observation::Declined { message, outcome } => format!("turned away {}: {}", called(message), outcome.name()),
        Observation::Confirmed { message } => format!("confirmed {}", called(message)),
        Observation::Closed { message, why } => format!("closed {}: {why:?}", called(message)),
        Observation::Dropped { message, cause } => format!("dropped {}: {}", called(message), cause.name()),
        Observation::AnswerDropped { message, cause } => {
            format!("dropped the answer to {}: {}", called(message), cause.name())
        }
        Observation::LetGo { message, why } => format!("let go of {}: {}", called(message), why.name()),
        Observation::Sent { transit, to, .. } => {
            format!("sent {} {} to {}", transit.leg.name(), called(transit.message), names.label(to))
        }
        Observation::Delivered { transit, from } => {
            format!("took {} {} from {}", transit.leg.name(), called(transit.message), names.label(from))
        }
        Observation::NotDelivered { transit, to, cause, .. } => format!(
            "dropped {} {} to {}: {}",
            transit.leg.name(),
            called(transit.message),
            names.label(to),
            cause.name()
        ),
        Observation::Turned { message, activity, .. } => format!("{} {}", activity.name(), called(message)),
        Observation::OnBehalf { message: Some(message) } => format!("acts for {}", called(message)),
        Observation::OnBehalf { message: None } => "acts of its own accord".into(),
        Observation::Duplicated { message } => format!("duplicated {}", called(message)),
        Observation::Stored { message, place, .. } => format!("stored at {place}: {}", called(message)),
        Observation::Replaced { message } => format!("others are kept in place of {}", called(message)),
        Observation::Kept { message, place } => format!("on disk at {place}: {}", called(message)),
        Observation::Released { message, place, exit: Exit::LetGo(why), .. } => {
            format!("released from {place}: {}: {}", called(message), why.name())
        }
        Observation::Released { message, place, .. } => format!("released from {place}: {}", called(message)),
        Observation::PassedOver { message, place, why } => {
            format!("passed over at {place}: {}: {}", called(message), why.name())
        }
        Observation::Queued { queue, fact } => format!("queue {queue}: {}", fact.name()),
        Observation::QueueDepth { queue, ready, unacked } => {
            format!("queue {queue}: {ready} ready, {unacked} unacknowledged")
        }
        Observation::Logged { topic, fact, count } => format!("topic {topic}: {count} {}", fact.name()),
        Observation::LogEnd { topic, partition, offset } => {
            format!("topic {topic}, partition {partition}: readable up to {offset}")
        }
        Observation::Grouped { group, fact, count } => format!("group {group}: {count} {}", fact.name()),
        Observation::Polled { group, topic, partition, from, count } => {
            format!("group {group} is given {count} records of topic {topic}, partition {partition} from {from} on")
        }
        Observation::Progress { group, topic, partition, offset } => {
            format!("group {group} has processed topic {topic}, partition {partition} up to {offset}")
        }
        Observation::Arrived => "arrived".into(),
        Observation::Level { waiting, busy } => format!("{waiting} waiting, {busy} busy"),
        Observation::Served { wait, work } => format!("served after {wait} of waiting and {work} of work"),
        Observation::OutboxDepth { count } => format!("{count} in the outbox"),
        Observation::Saga { saga, fact } => format!("saga {saga} {}", fact.name()),
        Observation::OutboxRefused => "a message of the outbox was refused".into(),
        Observation::AtRisk { count } => format!("{count} answered and not on disk"),
        Observation::Down => "down".into(),
        Observation::Guarded { fact, .. } => format!("guarded: {}", fact.name()),
        Observation::TurnedAway { why } => format!("turned away: {}", why.name()),
        Observation::Refused { why } => format!("refused: {}", why.name()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::ControlFlow;
    use std::path::{Path, PathBuf};

    use super::super::play;
    use super::*;
    use crate::scenario::{Overrides, Scenario};

    const SCENARIO: &str = r#"
        [run]
        duration = "20s"
        [network]
        latency = "5ms"
        [clients.sender]
        rate = "200/s"
        call = "receiver"
        timeout = "50ms"
        [services.receiver]
        work = { exponential = "1ms" }
    "#;

    fn plan(sets: &[&str]) -> Plan {
        let files = BTreeMap::from([(PathBuf::from("s.toml"), SCENARIO.to_owned())]);
        let overrides = Overrides { sets: sets.iter().map(|set| (*set).into()).collect(), ..Overrides::default() };
        let loaded = Scenario::load(&files, Path::new("s.toml"), &overrides).expect("it is a scenario");
        Plan::new(loaded).expect("it can be planned")
    }

    fn compare(one: &Plan, other: &Plan) -> Option<Difference> {
        let mut watch = |_: Progress| ControlFlow::Continue(());
        let results = [one, other].map(|plan| play(plan, 0, &mut watch).expect("it is played"));
        first_difference([one, other], 0, results.each_ref(), &mut watch).expect("nobody stops it")
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        assert_eq!(compare(&plan(&[]), &plan(&[])), None);
    }

    /// All arrivals have other times, so the two part at the first event after the start: the client's first timer.
    #[test]
    fn another_seed_differs_from_the_first_event_on() {
        let difference = compare(&plan(&["run.seed=1"]), &plan(&["run.seed=2"])).expect("they differ");
        assert_eq!(difference.same, 2, "both nodes start in either");
        let (one, other) = (difference.one.unwrap(), difference.other.unwrap());
        assert_eq!((one.node.as_str(), other.node.as_str()), ("sender[0]", "sender[0]"));
        assert!(!one.is_delivery && one.time != other.time);
        assert_eq!(one.facts[0], "offered sender[0]#0");
        assert!(one.to_string().contains("sender[0] had a timer fire: offered sender[0]#0"), "{one}");
    }

    /// A longer load shows only where the shorter one ends, thousands of events later and after several checkpoints.
    #[test]
    fn a_late_difference_is_found_where_it_is() {
        let (short, long) = (plan(&["run.duration=20s"]), plan(&["run.duration=30s"]));
        let difference = compare(&short, &long).expect("they differ");
        let other = difference.other.expect("the longer one goes on");
        assert!(difference.same > 4_096, "{}", difference.same);
        assert!(other.time.as_nanos() > 19_900_000_000, "{other}");
    }
}
