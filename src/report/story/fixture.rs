//! Stories to test with.

use crate::base::cause::Cause;
use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::{Time, ms};
use crate::metrics::story::{Cast, Chapter, Entry, Story, What};
use crate::process::{Activity, Close, Flow, Leg, MessageId, Outcome};

use super::Told;

/// A story and its cast, under names of groups: a client, a service and a store.
pub(in crate::report) struct Fixture {
    story: Story,
    cast: Cast,
}

impl Fixture {
    pub fn told(&self) -> Told<'_> {
        Told { is_whole: true, ..Told::new(&self.story, &self.cast, "the slowest of 1,234 messages".into()) }
    }
}

struct Writer {
    story: Story,
}

impl Writer {
    fn new(owner: NodeId) -> Self {
        let message = MessageId { owner, number: 17 };
        let root = Chapter { message, flow: Flow(0), due: Time::ZERO + ms(1_000), parent: None };
        Self { story: Story { chapters: vec![root], entries: Vec::new() } }
    }

    fn at(&mut self, millis: u64, node: NodeId, chapter: u32, what: What) -> &mut Self {
        self.story.entries.push(Entry { time: Time::ZERO + ms(1_000 + millis), node, chapter, what });
        self
    }
}

fn sent(leg: Leg, attempt: u16, to: NodeId) -> What {
    What::Sent { leg, attempt, to, size: 0 }
}

fn delivered(leg: Leg, attempt: u16, from: NodeId) -> What {
    What::Delivered { leg, attempt, from }
}

/// A request whose first attempt is lost and whose second is answered, after the service has asked a store.
pub(in crate::report) fn retried(names: [&str; 3]) -> Fixture {
    let mut all = Names::default();
    let node = |name: &str, all: &mut Names| {
        let group = all.add(name, 2).expect("names differ");
        all.members(group).next().expect("it has members")
    };
    let [client, api, store] = names.map(|name| node(name, &mut all));
    let mut writer = Writer::new(client);
    writer.story.chapters.push(Chapter {
        message: MessageId { owner: api, number: 3 },
        flow: Flow(1),
        due: Time::ZERO + ms(1_140),
        parent: Some(0),
    });
    let turned = |attempt, activity| What::Turned { attempt, activity };
    let done = What::Handled { outcome: Outcome::Done };
    writer
        .at(0, client, 0, What::Offered { at_once: true })
        .at(0, client, 0, sent(Leg::Out, 1, api))
        .at(0, client, 0, What::NotDelivered { leg: Leg::Out, attempt: 1, to: api, cause: Cause::Loss })
        .at(100, client, 0, What::AttemptFailed)
        .at(120, client, 0, What::Attempted)
        .at(120, client, 0, sent(Leg::Out, 2, api))
        .at(125, api, 0, delivered(Leg::Out, 2, client))
        .at(125, api, 0, What::Received { duplicate: false })
        .at(125, api, 0, turned(2, Activity::Queued))
        .at(130, api, 0, turned(2, Activity::Worked))
        .at(140, api, 0, turned(2, Activity::Awaiting))
        .at(140, api, 1, What::Offered { at_once: true })
        .at(140, api, 1, sent(Leg::Out, 1, store))
        .at(145, store, 1, delivered(Leg::Out, 1, api))
        .at(145, store, 1, turned(1, Activity::Worked))
        .at(165, store, 1, done)
        .at(165, store, 1, sent(Leg::Reply, 1, api))
        .at(170, api, 1, delivered(Leg::Reply, 1, store))
        .at(170, api, 1, What::Confirmed)
        .at(170, api, 0, done)
        .at(170, api, 0, sent(Leg::Reply, 2, client))
        .at(175, client, 0, delivered(Leg::Reply, 2, api))
        .at(175, client, 0, What::Confirmed);
    let flows = vec![names[0].to_owned(), format!("{}->{}", names[1], names[2])];
    let cast = Cast::of([&writer.story], &all, flows, Vec::new());
    Fixture { story: writer.story, cast }
}

/// A message to each of forty nodes, again and again, until it is given up; 4,000 moments.
pub(in crate::report) fn endless() -> Fixture {
    let mut all = Names::default();
    let client = all.add("client", 1).expect("it is new");
    let client = all.members(client).next().expect("it has a member");
    let others = all.add("server", 40).expect("it is new");
    let servers: Vec<NodeId> = all.members(others).collect();
    let mut writer = Writer::new(client);
    writer.at(0, client, 0, What::Offered { at_once: true });
    for attempt in 1..=1_000 {
        let (to, at) = (servers[attempt % servers.len()], 100 * attempt as u64);
        let attempt = attempt as u16;
        writer
            .at(at, client, 0, sent(Leg::Out, attempt, to))
            .at(at + 7, to, 0, delivered(Leg::Out, attempt, client))
            .at(at + 7, to, 0, What::Turned { attempt: attempt as u8, activity: Activity::Worked })
            .at(at + 20, to, 0, What::Handled { outcome: Outcome::Failed })
            .at(at + 20, to, 0, sent(Leg::Reply, attempt, client))
            .at(at + 25, client, 0, delivered(Leg::Reply, attempt, to))
            .at(at + 25, client, 0, What::AttemptFailed);
    }
    writer.at(100_025, client, 0, What::Closed { why: Close::Failed });
    let cast = Cast::of([&writer.story], &all, vec!["client".into()], Vec::new());
    Fixture { story: writer.story, cast }
}

/// Names that try to break out of where they stand.
pub(in crate::report) const HOSTILE: [&str; 3] = [
    "<script>alert('1')</script>\"&]]>\u{202e}\u{1b}[2J\u{0}\r\n",
    "a very long name that goes on and on, \u{2067}and on & on, with <b>bold</b> words and \"quotes\" in it",
    "]]><!-- -->",
];
