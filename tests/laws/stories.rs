//! A message's story is what happened: held against a witness that writes down every statement of the same run, in random small systems
//! and in one of each kind. Where its time went adds up to its latency, and those that were asked for are those that are found.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use proptest::prelude::*;
use rehearsal::base::id::NodeId;
use rehearsal::base::time::{Span, Time};
use rehearsal::experiment::{self, TraceError, Traced, Wish};
use rehearsal::metrics::RunResult;
use rehearsal::metrics::story::{Breakdown, Entry, Part, Quest, Story, What};
use rehearsal::process::{Close, Flow, Kind, Leg, MessageId, Observation, Outcome, Wanted};
use rehearsal::scenario::plan::Plan;
use rehearsal::sim::Observer;

use crate::common::{plan, play};
use crate::kinds::SYSTEMS;
use crate::system::any_system;

/// Every statement of a run.
#[derive(Default, Debug)]
struct Witness(Vec<(Time, NodeId, Observation)>);

impl Observer for Witness {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Message).and(Kind::Attempt).and(Kind::Wire).and(Kind::Step).and(Kind::Life)
    }

    fn observe(&mut self, now: Time, node: NodeId, observation: &Observation) {
        self.0.push((now, node, *observation));
    }
}

/// What a run stated, told message by message.
#[derive(Default)]
struct Told {
    /// When each message was due, and its flow.
    offered: BTreeMap<MessageId, (Time, Flow)>,
    /// Messages that were offered on behalf of nobody, in that order.
    own: Vec<MessageId>,
    /// What was offered on behalf of each.
    parts: BTreeMap<MessageId, BTreeSet<MessageId>>,
    /// What was stated about each: when, where, what.
    about: BTreeMap<MessageId, Vec<(Time, NodeId, What)>>,
}

impl Told {
    fn of(plan: &Plan, run: &RunResult) -> Self {
        let mut cluster = plan.cluster(run.seed);
        cluster.observe(Witness::default());
        cluster.run_until(run.end);
        let witness: Box<Witness> = cluster.take_observer().expect("it was attached");
        let mut told = Self::default();
        let mut behalf: BTreeMap<NodeId, Option<MessageId>> = BTreeMap::new();
        for &(now, node, stated) in &witness.0 {
            match stated {
                Observation::OnBehalf { message } => drop(behalf.insert(node, message)),
                Observation::Offered { message, flow, late, .. } => {
                    let due = Time::from_nanos(now.as_nanos() - late.as_nanos());
                    assert_eq!(told.offered.insert(message, (due, flow)), None, "{message:?} is offered twice");
                    match behalf.get(&node).copied().flatten() {
                        Some(parent) => drop(told.parts.entry(parent).or_default().insert(message)),
                        None => told.own.push(message),
                    }
                }
                _ => {}
            }
            if let Some((message, what)) = what(&stated) {
                let at = if let Observation::NotDelivered { from, .. } = stated { from } else { node };
                told.about.entry(message).or_default().push((now, at, what));
            }
        }
        told
    }

    /// From due to the end that a message has for its owner, or for its receiver where the owner asks for no answer.
    fn latency(&self, message: MessageId) -> Option<Span> {
        let about = self.about.get(&message)?;
        let first = |is: &dyn Fn(&What) -> bool| about.iter().find(|(_, _, what)| is(what)).map(|(time, ..)| *time);
        let reached = |what: &What| matches!(what, What::Received { .. } | What::Handled { outcome: Outcome::Done });
        let end = first(&|what| *what == What::Confirmed).or_else(|| {
            first(&|what| *what == What::Closed { why: Close::Sent })?;
            first(&reached)
        })?;
        Some(end.since(self.offered[&message].0))
    }
}

/// A statement as a story tells it, and whom it is about.
fn what(stated: &Observation) -> Option<(MessageId, What)> {
    Some(match *stated {
        Observation::Offered { message, at_once, .. } => (message, What::Offered { at_once }),
        Observation::Attempted { message } => (message, What::Attempted),
        Observation::AttemptFailed { message } => (message, What::AttemptFailed),
        Observation::Sent { transit, to, size } => {
            let (leg, attempt, size) = (transit.leg, transit.attempt, size as u32);
            (transit.message, What::Sent { leg, attempt, to, size })
        }
        Observation::Delivered { transit, from } => {
            (transit.message, What::Delivered { leg: transit.leg, attempt: transit.attempt, from })
        }
        Observation::NotDelivered { transit, to, cause, .. } => {
            (transit.message, What::NotDelivered { leg: transit.leg, attempt: transit.attempt, to, cause })
        }
        Observation::Duplicated { message } => (message, What::Duplicated),
        Observation::Received { message, duplicate } => (message, What::Received { duplicate }),
        Observation::Turned { message, attempt, activity } => (message, What::Turned { attempt, activity }),
        Observation::LetGo { message, why } => (message, What::LetGo { why }),
        Observation::Handled { message, outcome } => (message, What::Handled { outcome }),
        Observation::Declined { message, outcome } => (message, What::Declined { outcome }),
        Observation::Stored { message, place, .. } => (message, What::Stored { place }),
        Observation::Kept { message, place } => (message, What::Kept { place }),
        Observation::Released { message, place, exit, .. } => (message, What::Released { place, exit }),
        Observation::PassedOver { message, place, why } => (message, What::PassedOver { place, why }),
        Observation::Confirmed { message } => (message, What::Confirmed),
        Observation::Closed { message, why } => (message, What::Closed { why }),
        _ => return None,
    })
}

fn traced(plan: &Plan, flow: Option<&str>, quest: Quest) -> Traced {
    let wish = Wish::Quest(quest);
    let traced = experiment::trace(plan, 0, flow, &wish, &mut |_| ControlFlow::Continue(()));
    traced.unwrap_or_else(|error| panic!("{error}"))
}

/// More messages than any of these runs has.
const ALL: usize = 1_000_000;

/// The story of every message that clients offer, after all of them were held against a witness.
fn checked(plan: &Plan) -> (Vec<Story>, Told, RunResult) {
    let run = play(plan).runs.remove(0);
    let told = Told::of(plan, &run);
    let stories = traced(plan, None, Quest::Sample(ALL)).stories;
    let is_of_clients = |flow: Flow| run.flows[usize::from(flow.0)].is_client;
    let measured = |due: Time| run.measured.0 <= due && due < run.measured.1;
    let own: Vec<MessageId> = told
        .own
        .iter()
        .copied()
        .filter(|message| measured(told.offered[message].0) && is_of_clients(told.offered[message].1))
        .collect();
    let found: Vec<MessageId> = stories.iter().map(|story| story.root().message).collect();
    assert_eq!(found, own, "every message has a story, in the order in which they were offered");
    for story in &stories {
        agrees(story, &told);
        adds_up(story, &told);
    }
    (stories, told, run)
}

/// A story says what was stated, all of it and nothing else; and has all that was sent for it.
fn agrees(story: &Story, told: &Told) {
    assert!(story.entries.is_sorted_by_key(|entry| entry.time));
    for (number, chapter) in (0..).zip(&story.chapters) {
        assert_eq!((chapter.due, chapter.flow), told.offered[&chapter.message]);
        let is_told = |entry: &&Entry| entry.what != What::Down;
        let entries = story.of_chapter(number).filter(is_told).map(|entry| (entry.time, entry.node, entry.what));
        let stated = told.about.get(&chapter.message).cloned().unwrap_or_default();
        assert_eq!(entries.collect::<Vec<_>>(), stated, "{:?} of {:?}", chapter.message, story.root());
        let parts = story.chapters.iter().filter(|other| other.parent == Some(number)).map(|other| other.message);
        let offered = told.parts.get(&chapter.message).cloned().unwrap_or_default();
        assert_eq!(parts.collect::<BTreeSet<_>>(), offered, "what was sent for {:?}", chapter.message);
    }
}

/// Its latency is the witness's, and its parts add up to that.
fn adds_up(story: &Story, told: &Told) {
    let latency = told.latency(story.root().message);
    assert_eq!(story.latency(), latency);
    let breakdown = Breakdown::of(story);
    assert_eq!(breakdown.as_ref().map(Breakdown::total), latency, "{breakdown:?} of {story:#?}");
    for share in breakdown.iter().flat_map(|breakdown| &breakdown.shares) {
        assert!(share.time > Span::ZERO);
        // Of two copies of one attempt that a node has at the same time, it cannot be told which one went on.
        assert!(share.part != Part::Other || has_doubles(story), "{breakdown:?} of {story:#?}");
    }
}

/// Whether a node has got two copies of one attempt.
fn has_doubles(story: &Story) -> bool {
    let mut seen = BTreeSet::new();
    story.entries.iter().any(|entry| match entry.what {
        What::Delivered { leg: Leg::Out, attempt, .. } => !seen.insert((entry.chapter, entry.node, attempt)),
        _ => false,
    })
}

proptest! {
    #![proptest_config(crate::cases(48))]

    #[test]
    fn stories_agree_with_a_witness(system in any_system()) {
        checked(&plan(&system.text()));
    }
}

/// A plan of one of the systems, of two seconds of load.
fn short(system: &str) -> Plan {
    plan(&format!("run = {{ duration = \"2s\", drain = \"20s\" }}\n{}", system.replace("\n        ", "\n")))
}

#[test]
fn stories_of_every_kind_of_system_agree_with_a_witness() {
    for (name, system) in SYSTEMS {
        let (stories, ..) = checked(&short(system));
        assert!(stories.len() > 80, "{name}: {}", stories.len());
    }
}

/// The slowest are the slowest, those that did not end well are those, a percentile is that one, and a number is that of its message.
#[test]
fn what_is_asked_for_is_found() {
    for (name, system) in SYSTEMS {
        let plan = short(system);
        let (stories, _, run) = checked(&plan);
        let root = |story: &Story| story.root().message;
        let mut by_latency: Vec<_> = stories.iter().filter(|story| story.latency().is_some()).collect();
        by_latency.sort_by_key(|story| story.latency());
        let slowest = traced(&plan, None, Quest::Slowest(5)).stories;
        let latencies: Vec<_> = slowest.iter().map(Story::latency).collect();
        let expected: Vec<_> = by_latency.iter().rev().take(5).map(|story| story.latency()).collect();
        assert_eq!(latencies, expected, "{name}");
        let median = traced(&plan, None, Quest::Percentile(0.5)).stories;
        let rank = by_latency.len().div_ceil(2);
        assert_eq!(median[0].latency(), by_latency[rank - 1].latency(), "{name}");
        // The summary's, as far as histograms tell.
        let confirmed = stories.iter().filter(|story| story.known(0).is_some()).count() as u64;
        let clients = || run.flows.iter().filter(|flow| flow.is_client);
        assert_eq!(confirmed, clients().map(|flow| flow.book.total.confirmed).sum::<u64>(), "{name}");
        if let ([flow], true) = (&clients().collect::<Vec<_>>()[..], confirmed as usize == by_latency.len()) {
            assert_eq!(latencies[0], flow.book.total.latency.max(), "{name}");
        }
        let lost = traced(&plan, None, Quest::Lost(ALL)).stories;
        let not_well: u64 = clients().flat_map(|flow| flow.book.setbacks.values()).sum();
        assert_eq!(lost.len() as u64, not_well, "{name}");
        assert!(not_well > 0 || !name.contains("lose"), "{name}");
        let expected = stories.iter().filter(|story| lost.iter().any(|lost| root(lost) == root(story)));
        assert_eq!(lost, expected.cloned().collect::<Vec<_>>(), "{name}: the first first");
        for number in [0, stories.len() / 2, stories.len() - 1] {
            let found = traced(&plan, None, Quest::Number(number as u64));
            assert_eq!((&found.stories[0], found.among), (&stories[number], Some(stories.len() as u64)), "{name}");
            let called = found.cast.message(root(&stories[number]));
            let wish = Wish::Named(called.clone());
            let by_name = experiment::trace(&plan, 0, None, &wish, &mut |_| ControlFlow::Continue(()));
            assert_eq!(by_name.expect("it is there").stories, found.stories, "{name}: {called}");
        }
    }
}

/// Who follows messages only until their owners know how they ended says the same about where their time went.
#[test]
fn what_latency_is_made_of_is_what_stories_say() {
    for (name, system) in SYSTEMS {
        let (stories, _, run) = checked(&short(system));
        let explained = run.explained.as_deref().expect("the first run of a plan is explained");
        assert_eq!(explained.attribution.one_in, 1, "{name}");
        let whole = |story: &Story| stories.iter().find(|whole| whole.root() == story.root()).expect("it has a story");
        for story in explained.slowest.iter().chain(&explained.typical) {
            assert_eq!(Breakdown::of(story), Breakdown::of(whole(story)), "{name}");
        }
        for story in &explained.unconfirmed {
            assert_eq!(whole(story).known(0), None, "{name}");
        }
        for flow in explained.attribution.flows.iter().filter(|flow| run.flows[usize::from(flow.flow.0)].is_client) {
            let latencies = stories.iter().filter(|story| story.root().flow == flow.flow).filter_map(Story::latency);
            let latencies: Vec<Span> = latencies.collect();
            let mean = &flow.points[0];
            assert_eq!((flow.messages, mean.messages), (latencies.len() as u64, flow.messages), "{name}");
            let sum = |times: &mut dyn Iterator<Item = Span>| times.fold(Span::ZERO, |sum, time| sum + time);
            assert_eq!(mean.time, sum(&mut latencies.into_iter()), "{name}");
            assert_eq!(mean.time, sum(&mut mean.slices.iter().map(|slice| slice.time)), "{name}");
        }
    }
}

/// Messages that services send have stories of their own, which are chapters of those that they were sent for.
#[test]
fn messages_of_services_have_stories_too() {
    let plan = short(SYSTEMS[1].1);
    let (stories, _, run) = checked(&plan);
    let nested = traced(&plan, Some("api->store"), Quest::Sample(ALL)).stories;
    let chapters = stories.iter().flat_map(|story| story.chapters.iter().skip(1));
    let measured = chapters.filter(|chapter| chapter.due < run.measured.1).map(|chapter| chapter.message);
    let chapters: BTreeSet<MessageId> = measured.collect();
    assert_eq!(nested.iter().map(|story| story.root().message).collect::<BTreeSet<_>>(), chapters);
    assert!(nested.len() > 150, "{}", nested.len());
}

#[test]
fn what_is_not_there_is_not_found() {
    let plan = short(SYSTEMS[0].1);
    let refused = |flow: Option<&str>, wish: Wish| {
        experiment::trace(&plan, 0, flow, &wish, &mut |_| ControlFlow::Continue(())).expect_err("it is not there")
    };
    let slowest = || Wish::Quest(Quest::Slowest(1));
    assert!(refused(Some("page->laef"), slowest()).to_string().contains("did you mean `page->leaf`?"));
    assert!(matches!(refused(None, Wish::Quest(Quest::Number(99_999))), TraceError::Beyond(99_999, _)));
    for name in ["app[0]#99999", "app[7]#1", "nobody#1", "app[0]", "#", "app[0]#-1", "app[0]#99999999999999"] {
        assert_eq!(refused(None, Wish::Named(name.into())), TraceError::NoMessage(name.into()));
    }
}
