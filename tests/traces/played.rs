//! Runs whose messages are followed: of small systems of each kind, and one with names that try to break out of where they stand.

use std::ops::ControlFlow;

use rehearsal::base::cause::Cause;
use rehearsal::base::names::Names;
use rehearsal::base::time::{Time, ms};
use rehearsal::experiment::{self, Traced, Wish};
use rehearsal::metrics::story::{Cast, Chapter, Entry, Quest, Story, What};
use rehearsal::process::{Activity, Close, Flow, Leg, MessageId, Outcome};
use rehearsal::report::trace::{Format, Trace};
use rehearsal::scenario::plan::Plan;

use super::common;

/// A run, and some of its messages.
pub struct Played {
    pub plan: Plan,
    pub traced: Traced,
}

/// The most messages that are followed.
pub const MOST: usize = 64;

fn wish() -> Wish {
    Wish::Quest(Quest::Sample(MOST))
}

/// A sample of a plan's first run.
pub fn sampled(plan: Plan) -> Played {
    let traced = experiment::trace(&plan, 0, None, &wish(), &mut |_| ControlFlow::Continue(()));
    Played { traced: traced.unwrap_or_else(|error| panic!("{error}")), plan }
}

/// What is written in a format.
pub fn exported(played: &Played, format: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let trace = Trace::of(&played.plan, 0, &wish(), &played.traced);
    Format::named(format).expect("there is such a format").write(&trace, &mut bytes).expect("memory can be written");
    bytes
}

/// Calls within calls, some of them to several at a time, with retries and hedges, on a network that loses and doubles, and a crash.
const CALLS: &str = r#"
title = "Calls"
[run]
seed = 3
duration = "4s"
[network]
latency = { uniform = ["1ms", "9ms"] }
loss = "5%"
duplicate = "5%"
[policies.default]
timeout = "60ms"
max-attempts = 4
backoff = { linear = { initial = "10ms", step = "5ms", max = "50ms" } }
[policies.hedged]
hedge = { delay = "15ms" }
[clients.shoppers]
nodes = 3
rate = "100/s"
call = "api"
[services.api]
nodes = 2
workers = 8
steps = [
  { work = "2ms" },
  { parallel = [{ call = "stock" }, { call = "payments", policy = "hedged" }] },
  { work = "1ms" },
]
[services.stock]
work = { exponential = "3ms" }
workers = 2
queue = { limit = 4 }
[services.payments]
nodes = 2
workers = 2
work = { exponential = "5ms" }
[faults.outage]
crash = "payments[1]"
at = "1s"
for = "500ms"
"#;

/// A queue between a publisher and those who work.
const QUEUE: &str = r#"
title = "A queue"
[run]
duration = "4s"
[network]
latency = "2ms"
loss = "5%"
[clients.shop]
rate = "50/s"
publish = "jobs"
timeout = "100ms"
max-attempts = 3
confirm = true
[queues.jobs]
[consumers.worker]
nodes = 2
queue = "jobs"
work = { exponential = "10ms" }
"#;

/// Messages that are not confirmed, larger than what a packet of IPv4 can say.
const NOTICES: &str = r#"
title = "Notices"
[run]
duration = "4s"
[network]
latency = "2ms"
loss = "2%"
[clients.sensors]
nodes = 4
rate = "50/s"
send = "store"
size = "100KB"
[services.store]
work = "1ms"
"#;

/// Runs of each kind of system.
pub fn systems() -> Vec<(&'static str, Played)> {
    [("calls", CALLS), ("queue", QUEUE), ("notices", NOTICES)]
        .map(|(name, text)| (name, sampled(common::plan(text))))
        .into()
}

/// A story that is put together by hand, of nodes and streams with hostile names.
pub fn hostile() -> Played {
    const EVIL: &str = "<script>alert('1')</script>\"&]]>\u{202e}\u{1b}[2J\u{0}\u{7}\r\n,;=1+1 \\u0000 ===";
    let mut names = Names::default();
    let long = format!("{}{}", "ü".repeat(500), EVIL);
    let (evil, other) = (names.add(EVIL, 1).unwrap(), names.add(&long, 70_000).unwrap());
    let (client, server) = (names.members(evil).next().unwrap(), names.members(other).last().unwrap());
    let at = |millis| Time::ZERO + ms(millis);
    let message = |owner, number| MessageId { owner, number };
    let chapters = vec![
        Chapter { message: message(client, 1), flow: Flow(0), due: at(0), parent: None },
        Chapter { message: message(server, u32::MAX), flow: Flow(1), due: at(20), parent: Some(0) },
    ];
    let sent = |leg, attempt, to| What::Sent { leg, attempt, to, size: u32::MAX };
    let turned = |attempt, activity| What::Turned { attempt, activity };
    let lost = What::NotDelivered { leg: Leg::Out, attempt: 1, to: client, cause: Cause::Partition };
    let entries = [
        (1, client, 0, What::Offered { at_once: true }),
        (1, client, 0, sent(Leg::Out, 300, server)),
        (10, server, 0, What::Delivered { leg: Leg::Out, attempt: 300, from: client }),
        (10, server, 0, turned(300_u16 as u8, Activity::Queued)),
        (20, server, 0, turned(300_u16 as u8, Activity::Awaiting)),
        (20, server, 1, What::Offered { at_once: true }),
        (20, server, 1, sent(Leg::Out, 1, client)),
        (20, server, 1, lost),
        (25, server, 1, What::Stored { place: 0 }),
        (30, server, 1, What::Closed { why: Close::TimedOut }),
        (30, server, 0, What::Handled { outcome: Outcome::Failed }),
        (30, server, 0, sent(Leg::Reply, 300, client)),
        (35, client, 0, What::Closed { why: Close::Expired }),
        (40, client, 0, What::Delivered { leg: Leg::Reply, attempt: 300, from: server }),
    ];
    let entries = entries.map(|(time, node, chapter, what)| Entry { time: at(time), node, chapter, what });
    let stories = vec![Story { chapters, entries: entries.into() }];
    let cast = Cast::of(&stories, &names, vec![EVIL.into(), long.clone()], vec![EVIL.into()]);
    let mut plan = common::plan(NOTICES);
    plan.title = EVIL.into();
    plan.variant = Some(long);
    let seed = plan.seed_of(0);
    Played { plan, traced: Traced { stories, cast, among: Some(1), one_in: 1, seed } }
}
