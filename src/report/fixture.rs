//! Results to test with, played through real books.

use crate::base::cause::Cause;
use crate::base::id::NodeId;
use crate::base::random::{Seed, Uniform, mix};
use crate::base::time::{Span, Time, ms, ns, secs, us};
use crate::experiment::{Basis, Ground, Judgement, Measured, Results, Theory, Unit, Verdict};
use crate::metrics::recovery::Courses;
use crate::metrics::{
    Correctness, FaultResult, FlowBook, FlowResult, Ledger, LinkResult, QueueResult, Queues, ReaderResult, RunResult,
    StationResult, Stations, Topics,
};
use crate::process::{Close, Flow, GuardFact, MessageId, Observation, Outcome, TurnedAway};
use crate::scenario::plan::{Kind, Medium, Part, System, Traffic, Way};
use crate::sim::{Chain, Digest, FaultBook, LinkBook, Observer};

const CLIENT: NodeId = NodeId::new(0);
const SERVER: NodeId = NodeId::new(1);
const LOAD: Span = secs(20);
const MESSAGES: u32 = 4_000;

fn digest(seed: u64) -> Digest {
    let mut chain = Chain::default();
    chain.link(seed, 1, 2, 3);
    let mut digest = Digest::default();
    digest.fold(7, chain);
    digest
}

/// A run of 4000 calls and 4000 one-way messages in 20 s, one of 50 lost on its first attempt, some for good.
fn run(index: u32, seed: u64) -> RunResult {
    let measured = (Time::ZERO + secs(2), Time::ZERO + LOAD);
    let mut ledger = Ledger::new(2, &[Correctness::Answered, Correctness::Once], measured, ms(200));
    let mut stations = Stations::new(2, &[vec![SERVER]], measured, ms(200));
    let outage = (Time::ZERO + secs(8), Some(Time::ZERO + secs(11)));
    let mut courses = Courses::new(2, &[Correctness::Answered, Correctness::Once], LOAD, &[outage]);
    let mut link = LinkBook::default();
    let luck = Seed(seed).key("fixture").stream(Default::default(), 0);
    let mut luck = luck;
    let mut events = Vec::new();
    for number in 0..MESSAGES {
        let due = Time::from_nanos(LOAD.as_nanos() / u64::from(MESSAGES) * u64::from(number));
        for flow in [0, 1] {
            let message = MessageId { owner: CLIENT, number: 2 * number + flow };
            let way = us(300) + ns(Uniform::below(luck.draw(), 1_200_000));
            // A tail: the product of two uniforms, up to some 100 ms.
            let slow = Uniform::below(luck.draw(), 1_000) * Uniform::below(luck.draw(), 1_000) / 10;
            let work = us(200) + us(slow);
            let fortune = Uniform::below(luck.draw(), 1_000);
            events.push((
                due,
                Observation::Offered { message, flow: Flow(flow as u16), late: Span::ZERO, at_once: false },
            ));
            let mut sent = due;
            let losses = if fortune < 3 { 3 } else { u32::from(fortune < 20) };
            for attempt in 0..3 {
                events.push((sent, Observation::Attempted { message }));
                link.sent += 1;
                link.bytes += 100;
                if attempt < losses {
                    link.dropped[0] += 1;
                    events.push((sent, Observation::Dropped { message, cause: Cause::Loss }));
                    sent += ms(80);
                    let timed_out = Observation::Guarded { flow: Flow(flow as u16), fact: GuardFact::TimedOut };
                    events.push((sent, timed_out));
                    if flow == 1 {
                        break;
                    }
                    continue;
                }
                link.delivered += 1;
                let (arrived, done) = (sent + way, sent + way + work);
                events.push((arrived, Observation::Received { message, duplicate: false }));
                if fortune > 994 {
                    events.push((arrived, Observation::TurnedAway { why: TurnedAway::QueueFull }));
                    events.push((arrived, Observation::LetGo { message, why: TurnedAway::QueueFull }));
                    events.push((arrived, Observation::Handled { message, outcome: Outcome::Rejected }));
                    events.push((arrived, Observation::Refused { why: Outcome::Rejected }));
                } else {
                    events.push((done, Observation::Handled { message, outcome: Outcome::Done }));
                    events.push((done, Observation::Served { wait: us(slow / 2), work }));
                    if flow == 0 && fortune > 20 {
                        events.push((done + way, Observation::Confirmed { message }));
                    }
                }
                events.push((arrived, Observation::Arrived));
                break;
            }
            let (end, why) = if flow == 1 { (due, Close::Sent) } else { (due + ms(400), Close::TimedOut) };
            if flow == 1 || fortune <= 20 || fortune > 994 {
                events.push((end, Observation::Closed { message, why }));
            }
        }
    }
    events.push((Time::ZERO, Observation::Level { waiting: 0, busy: 2 }));
    events.push((Time::ZERO + secs(10), Observation::Level { waiting: 3, busy: 3 }));
    events.push((Time::ZERO + secs(11), Observation::Level { waiting: 0, busy: 2 }));
    // A stable sort: statements of one instant keep the order in which they were made.
    events.sort_by_key(|(time, _)| *time);
    for (time, observation) in &events {
        if observation.kind() == crate::process::Kind::Station {
            stations.observe(*time, SERVER, observation);
        } else {
            ledger.observe(*time, CLIENT, observation);
            courses.observe(*time, CLIENT, observation);
        }
    }
    let courses = courses.close();
    let books = ledger.close().expect("the books balance").to_vec();
    let flow = |entry: &str, book: &FlowBook| FlowResult {
        caller: "shoppers".into(),
        entry: Some(entry.into()),
        callee: "api".into(),
        is_client: true,
        is_one_of_several: false,
        book: book.clone(),
    };
    RunResult {
        run: index,
        seed,
        measured,
        end: Time::ZERO + LOAD + ms(400),
        events: events.len() as u64,
        digest: digest(seed),
        checkpoints: Vec::new(),
        flows: vec![flow("buy", &books[0]), flow("log", &books[1])],
        stations: vec![StationResult {
            name: "api".into(),
            workers: Some(4),
            book: stations.close(Time::ZERO + LOAD + ms(400))[0].clone(),
        }],
        queues: Vec::new(),
        topics: Vec::new(),
        readers: Vec::new(),
        links: vec![LinkResult { name: "network".into(), book: link }],
        faults: vec![FaultResult {
            name: "outage".into(),
            kind: "crash",
            book: FaultBook { strikes: 1, nodes: 1, messages: 12, timers: 3 },
            strikes: vec![outage],
        }],
        courses,
        explained: None,
    }
}

fn judgement(quantity: &str, condition: &str, verdict: Verdict, measured: Measured) -> Judgement {
    let grounds = vec![Ground::Value];
    let (quantity, condition) = (quantity.into(), condition.into());
    Judgement { quantity, condition, verdict, grounds, measured, broken_by: None, note: None }
}

/// Shoppers who call an api over a network that loses messages.
fn system() -> System {
    let part = |name: &str, kind, workers| Part {
        name: name.into(),
        kind,
        nodes: Some(1),
        workers,
        at: Vec::new(),
        host: None,
    };
    let way = |kind| Way { from: "shoppers".into(), to: "api".into(), kind };
    System {
        parts: vec![part("shoppers", Kind::Client, None), part("api", Kind::Service, Some(4))],
        ways: vec![way(Traffic::Call), way(Traffic::Send)],
        links: vec![Medium { name: "network".into(), ends: None, is_both_ways: true, does: vec!["2% lost".into()] }],
    }
}

/// One run, expectations of every kind.
pub(super) fn exchange() -> Results {
    let share = Measured {
        value: Some(0.984_2),
        interval: Some((0.980_1, 0.987_9)),
        basis: Basis::Batches(20),
        unit: Unit::Share,
    };
    let time = Measured { value: Some(93_400_000.0), interval: None, basis: Basis::Value, unit: Unit::Time };
    let mut undecided = judgement(
        "shoppers/buy.latency-all.p99",
        "< 250ms",
        Verdict::Inconclusive,
        Measured { value: Some(f64::INFINITY), ..time },
    );
    undecided.note = Some("the percentile lies among messages never confirmed".into());
    Results {
        title: "Checkout at the edge".into(),
        variant: None,
        seed: 42,
        resolved: "title = \"Checkout at the edge\"\n".into(),
        count: 1,
        digest: run(0, 42).digest.bits(),
        runs: vec![run(0, 42)],
        judgements: vec![
            judgement("shoppers/buy.reliability", ">= 95%", Verdict::Pass, share),
            judgement("shoppers/buy.latency.p99", "< 90ms", Verdict::Fail, time),
            undecided,
        ],
        theory: Theory::default(),
        cut: None,
        system: system(),
        idle_faults: Vec::new(),
        warnings: vec!["shoppers/log: messages can be lost, and no policy has a timeout".into()],
    }
}

/// Three runs of a variant.
pub(super) fn replicated() -> Results {
    Results {
        variant: Some("three-runs".into()),
        count: 3,
        digest: (0..3).fold(0, |chain, index| mix(chain ^ run(index, mix(u64::from(index))).digest.bits())),
        runs: (0..3).map(|index| run(index, mix(u64::from(index)))).collect(),
        judgements: Vec::new(),
        warnings: Vec::new(),
        ..exchange()
    }
}

/// Two runs with a queue, in which four messages wait from 1 s on, and eight in the second run, which is a second longer; and with a
/// topic, of which a group has processed nothing.
pub(super) fn brokered() -> Results {
    let mut results = exchange();
    results.runs = (0..2).map(|index| run(index, mix(u64::from(index)))).collect();
    for (index, run) in results.runs.iter_mut().enumerate() {
        let (number, end) = (4 * (index as u32 + 1), Time::ZERO + LOAD + secs(index as u64));
        let (at, node) = (Time::ZERO + secs(1), SERVER);
        let mut queues = Queues::new(1, run.measured, secs(1));
        queues.observe(at, node, &Observation::QueueDepth { queue: 0, ready: number, unacked: 1 });
        let book = queues.close(end)[0].clone();
        run.queues = vec![QueueResult { name: "orders".into(), book, ..QueueResult::default() }];
        let mut topics = Topics::new(1, 1, run.measured, secs(1));
        topics.observe(Time::ZERO, node, &Observation::Progress { group: 0, topic: 0, partition: 0, offset: 0 });
        topics.observe(at, node, &Observation::LogEnd { topic: 0, partition: 0, offset: number.into() });
        let book = topics.close(end).1[0].clone();
        run.readers = vec![ReaderResult { name: "billing".into(), book, ..ReaderResult::default() }];
    }
    results
}

/// No runs at all.
pub(super) fn empty() -> Results {
    Results {
        title: String::new(),
        count: 0,
        runs: Vec::new(),
        judgements: Vec::new(),
        warnings: Vec::new(),
        ..exchange()
    }
}

/// A run in which nothing happened.
pub(super) fn silent() -> Results {
    let mut ledger = Ledger::new(1, &[Correctness::Answered], (Time::ZERO, Time::ZERO), secs(1));
    let book = ledger.close().expect("nothing balances").first().expect("one flow").clone();
    let flow = FlowResult {
        caller: "a".into(),
        entry: None,
        callee: "b".into(),
        is_client: true,
        is_one_of_several: false,
        book,
    };
    let mut run = run(0, 1);
    run.measured = (Time::ZERO, Time::ZERO);
    run.end = Time::ZERO;
    run.flows = vec![flow];
    run.stations = vec![StationResult { name: "b".into(), workers: None, book: Default::default() }];
    run.links = vec![LinkResult { name: "network".into(), book: LinkBook::default() }];
    Results { runs: vec![run], judgements: Vec::new(), ..exchange() }
}

/// Names that try to break out of where they stand.
pub(super) fn hostile() -> Results {
    let evil = "<script>alert('1')</script>\"&]]>\u{202e}\u{1b}[2J\u{0}\u{7}\r\n,;=1+1".to_owned();
    let mut results = exchange();
    results.title = evil.clone() + &"very long ".repeat(1_000);
    results.variant = Some(evil.clone() + &"x".repeat(500));
    results.warnings = vec![evil.clone(), "y".repeat(1_000)];
    results.judgements[0].quantity = evil.clone();
    results.judgements[0].condition = evil.clone();
    results.judgements[0].note = Some(evil.clone());
    let run = &mut results.runs[0];
    run.flows[0].caller = evil.clone();
    run.flows[1].entry = Some("long".repeat(100));
    run.flows[1].callee = evil.clone();
    run.stations[0].name = evil.clone();
    run.links[0].name = evil.clone() + &"z".repeat(100);
    results.resolved = format!("title = \"x\"\n# {evil}\n");
    results.system.parts[0].name = evil.clone();
    results.system.parts[1].at = vec![(evil.clone(), 1)];
    results.system.ways[0] = Way { from: evil.clone(), to: "api".into(), kind: Traffic::Call };
    results.system.links[0].does = vec![evil];
    results
}
