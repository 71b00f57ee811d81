//! What happened in a story, in plain words.

use crate::base::cause::Cause;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::metrics::story::{Cast, Entry, Story, What};
use crate::process::{Activity, Close, Exit, Leg, NO_PLACE, Outcome, TurnedAway};
use crate::report::human;
use crate::report::style::{Role, clean};

/// The longest name that is shown.
pub(super) const NAME: usize = 28;

/// Something that happened, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Phrase {
    pub text: String,
    pub role: Option<Role>,
}

/// Tells a story's entries one after the other, and knows what it has told.
pub(super) struct Teller<'a> {
    story: &'a Story,
    cast: &'a Cast,
    threads: Vec<Thread>,
    /// For each entry that is the end of an attempt, when the next one leaves.
    next: Vec<Option<Time>>,
}

/// What was told of a chapter.
#[derive(Clone, Copy, Default)]
struct Thread {
    /// Whether there is more than one attempt, so that each needs its number.
    has_several: bool,
    /// When an attempt left last, and its number.
    left: Option<(Time, u16)>,
    /// When an answer came last.
    answered: Option<Time>,
    /// When and where a copy arrived last.
    arrived: Option<(Time, NodeId)>,
}

impl<'a> Teller<'a> {
    pub fn new(story: &'a Story, cast: &'a Cast) -> Self {
        let mut threads = vec![Thread::default(); story.chapters.len()];
        let mut upcoming = vec![None; story.chapters.len()];
        let mut next = vec![None; story.entries.len()];
        for (index, entry) in story.entries.iter().enumerate().rev() {
            let chapter = entry.chapter as usize;
            match entry.what {
                What::Sent { leg: Leg::Out, attempt, .. } if entry.node == story.chapters[chapter].message.owner => {
                    threads[chapter].has_several |= attempt > 1;
                    upcoming[chapter] = Some(entry.time);
                }
                What::Attempted => upcoming[chapter] = Some(entry.time),
                What::AttemptFailed => next[index] = upcoming[chapter],
                _ => {}
            }
        }
        Self { story, cast, threads, next }
    }

    /// A node's name, harmless and not too long.
    fn name(&self, node: NodeId) -> String {
        clean(self.cast.node(node), NAME)
    }

    fn place(&self, place: u16) -> String {
        clean(self.cast.place(place), NAME)
    }

    /// What happened next, unless something else that was told says it.
    pub fn tell(&mut self, index: usize) -> Option<Phrase> {
        let story = self.story;
        let entry = &story.entries[index];
        let owner = story.chapters[entry.chapter as usize].message.owner;
        let thread = self.threads[entry.chapter as usize];
        let phrase = |role, text: String| Some(Phrase { text, role });
        let plain = |text: &str| phrase(None, text.into());
        match entry.what {
            What::Offered { at_once: true } => None,
            What::Offered { at_once: false } => match self.leaves_at(index) {
                Some(time) if time == entry.time => None,
                Some(time) => phrase(None, format!("held back for {}", span(time.since(entry.time)))),
                None => plain("begins"),
            },
            What::Attempted => None,
            What::AttemptFailed => self.failed(index, entry, thread),
            What::Sent { leg, attempt, to, .. } => {
                let to = self.name(to);
                let number = numbered(thread, attempt);
                if leg == Leg::Out && entry.node == owner {
                    self.threads[entry.chapter as usize].left = Some((entry.time, attempt));
                    return phrase(None, format!("{}sent to {to}", if number.is_empty() { "" } else { &number }));
                }
                match leg {
                    Leg::Out => phrase(None, format!("passed on to {to}")),
                    Leg::Reply => phrase(None, format!("answer{} leaves for {to}", of_attempt(thread, attempt))),
                    Leg::Ack => phrase(None, format!("acknowledgement{} leaves for {to}", of_attempt(thread, attempt))),
                    Leg::Cancel => phrase(None, format!("{number}taken back from {to}")),
                }
            }
            What::Delivered { leg, attempt, from } => {
                let number = numbered(thread, attempt);
                let here = &mut self.threads[entry.chapter as usize];
                if leg.is_answer() && entry.node == owner {
                    here.answered = Some(entry.time);
                }
                match leg {
                    Leg::Out => {
                        here.arrived = Some((entry.time, entry.node));
                        let from = if from == owner { String::new() } else { format!(" from {}", self.name(from)) };
                        phrase(None, format!("{number}arrives{from}"))
                    }
                    Leg::Reply => phrase(None, format!("answer{} arrives", of_attempt(thread, attempt))),
                    Leg::Ack => phrase(None, format!("acknowledgement{} arrives", of_attempt(thread, attempt))),
                    Leg::Cancel => phrase(None, format!("{number}taken back")),
                }
            }
            What::NotDelivered { leg, attempt, to, cause } => {
                let before = index.checked_sub(1).map(|before| &story.entries[before]);
                if cause != Cause::ReceiverDown && before.is_some_and(|before| is_same_departure(before, entry)) {
                    return phrase(Some(Role::Bad), dropped(cause, ""));
                }
                let to = format!(" to {}", self.name(to));
                let what = match leg {
                    Leg::Out => numbered(thread, attempt),
                    Leg::Reply => format!("answer{} ", of_attempt(thread, attempt)),
                    Leg::Ack => format!("acknowledgement{} ", of_attempt(thread, attempt)),
                    Leg::Cancel => format!("{}taken back in vain: ", numbered(thread, attempt)),
                };
                phrase(Some(Role::Bad), format!("{what}{}", dropped(cause, &to)))
            }
            What::Duplicated => match self.follows(index) {
                // A delivery of a broker, or a poll, is one more copy in the books.
                Some(What::Sent { leg: Leg::Out, .. }) => None,
                Some(What::Received { duplicate: false }) => {
                    self.threads[entry.chapter as usize].arrived = Some((entry.time, entry.node));
                    plain("read")
                }
                Some(What::Received { .. }) => plain("read again"),
                _ => plain("the network makes a second copy"),
            },
            What::Received { duplicate: true } => phrase(Some(Role::Quiet), "known already, and left".into()),
            What::Received { duplicate: false } if thread.arrived == Some((entry.time, entry.node)) => None,
            What::Received { duplicate: false } => plain("received"),
            What::Turned { .. } if matches!(self.follows(index), Some(What::Turned { .. })) => None,
            What::Turned { activity, .. } => plain(turned(activity)),
            What::LetGo { why } => phrase(Some(Role::Bad), let_go(why).into()),
            What::Handled { outcome: Outcome::Done } => plain("done"),
            What::Handled { outcome } | What::Declined { outcome } => phrase(Some(Role::Bad), ended(outcome).into()),
            What::Stored { place: NO_PLACE } => plain("kept by its sender"),
            What::Kept { place: NO_PLACE } => plain("safe with its sender"),
            What::Released { place: NO_PLACE, exit: Exit::Acknowledged | Exit::HandedOn } => {
                plain("kept by its sender no longer")
            }
            What::Stored { place } => phrase(None, format!("kept in {}", self.place(place))),
            What::Kept { place } => phrase(None, format!("safe in {}", self.place(place))),
            What::Released { place, exit: Exit::Acknowledged } => {
                phrase(None, format!("leaves {}: acknowledged", self.place(place)))
            }
            What::Released { place, exit: Exit::HandedOn } => {
                phrase(None, format!("leaves {} for another place", self.place(place)))
            }
            What::Released { place, exit: Exit::LetGo(why) } => {
                phrase(Some(Role::Bad), format!("dropped from {} ({})", self.place(place), why.name()))
            }
            What::PassedOver { place, why } => {
                phrase(Some(Role::Bad), format!("{} goes on behind it ({})", self.place(place), why.name()))
            }
            // The node went down with several of its messages.
            What::Down if index > 0 && self.is_down_already(index) => None,
            What::Down => phrase(Some(Role::Bad), "goes down".into()),
            What::Confirmed => {
                let due = story.chapters[entry.chapter as usize].due;
                phrase(Some(Role::Good), format!("confirmed after {}", span(entry.time.since(due))))
            }
            What::Closed { why: Close::Sent } => phrase(Some(Role::Quiet), "no answer is waited for".into()),
            What::Closed { why } => phrase(Some(Role::Bad), closed(why).into()),
        }
    }

    /// An attempt has come to nothing: why, and what follows.
    fn failed(&self, index: usize, entry: &Entry, thread: Thread) -> Option<Phrase> {
        let what = match thread.left {
            _ if thread.answered == Some(entry.time) => "the answer is no".into(),
            Some((left, attempt)) => {
                let number = if thread.has_several { format!("attempt {attempt}") } else { "it".into() };
                format!("{number} timed out after {}", span(entry.time.since(left)))
            }
            None => "it came to nothing".into(),
        };
        let wait = self.next[index].map(|next| next.since(entry.time)).filter(|wait| *wait > Span::ZERO);
        let next = wait.map(|wait| format!(", next attempt in {}", span(wait))).unwrap_or_default();
        Some(Phrase { text: format!("{what}{next}"), role: Some(Role::Unsure) })
    }

    /// When the first copy of a message leaves that is offered here.
    fn leaves_at(&self, index: usize) -> Option<Time> {
        let offered = &self.story.entries[index];
        let behind = self.story.entries[index..].iter();
        let mut leaves = behind.filter(|entry| (entry.chapter, entry.node) == (offered.chapter, offered.node));
        leaves.find(|entry| matches!(entry.what, What::Sent { leg: Leg::Out, .. })).map(|entry| entry.time)
    }

    /// Whether the entry before says of another message that the same node goes down.
    fn is_down_already(&self, index: usize) -> bool {
        let (before, entry) = (&self.story.entries[index - 1], &self.story.entries[index]);
        before.what == What::Down && (before.time, before.node) == (entry.time, entry.node)
    }

    /// What happens next to the same message at the same node and time.
    fn follows(&self, index: usize) -> Option<What> {
        let (entry, next) = (&self.story.entries[index], self.story.entries.get(index + 1)?);
        let is_same = (next.time, next.node, next.chapter) == (entry.time, entry.node, entry.chapter);
        is_same.then_some(next.what)
    }
}

/// Whether one entry says that something leaves, and the next that it was dropped on the spot.
fn is_same_departure(one: &Entry, next: &Entry) -> bool {
    match (one.what, next.what) {
        (What::Sent { leg, attempt, to, .. }, What::NotDelivered { leg: of, attempt: number, to: receiver, .. }) => {
            (one.time, one.node, one.chapter) == (next.time, next.node, next.chapter)
                && (leg, attempt, to) == (of, number, receiver)
        }
        _ => false,
    }
}

/// A length of time.
pub(super) fn span(span: Span) -> String {
    human::time(span.as_nanos() as f64)
}

/// `attempt 2 `, where there are several.
fn numbered(thread: Thread, attempt: u16) -> String {
    if thread.has_several { format!("attempt {attempt} ") } else { String::new() }
}

/// ` to attempt 2`, where there are several.
fn of_attempt(thread: Thread, attempt: u16) -> String {
    if thread.has_several { format!(" to attempt {attempt}") } else { String::new() }
}

fn turned(activity: Activity) -> &'static str {
    match activity {
        Activity::Queued => "waits for a worker",
        Activity::Worked => "a worker is on it",
        Activity::Asleep => "sleeps",
        Activity::Awaiting => "waits for what is sent for it",
        Activity::Stored => "is written to disk",
    }
}

/// Why a copy did not arrive; `to` says where.
fn dropped(cause: Cause, to: &str) -> String {
    match cause {
        Cause::Loss => format!("lost on the way{to}"),
        Cause::Corrupt => format!("damaged on the way{to}, and dropped"),
        Cause::BufferFull => format!("dropped on the way{to}: no room in the link's buffer"),
        Cause::ReceiverDown => "dropped: the node is down".into(),
        Cause::Partition => format!("dropped on the way{to}: the network is cut"),
        Cause::Reset => format!("dropped on the way{to}: the connection was reset"),
    }
}

fn let_go(why: TurnedAway) -> &'static str {
    match why {
        TurnedAway::QueueFull => "the queue is full",
        TurnedAway::Shed => "shed to save others",
        TurnedAway::RateLimited => "above the rate that is let in",
        TurnedAway::ConcurrencyLimited => "above the number that is let in",
        TurnedAway::QueueDropped => "dropped by the queue",
        TurnedAway::ExpiredUnserved => "its deadline passed while it waited",
    }
}

fn ended(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::Rejected => "rejected",
        Outcome::Expired => "expired",
        Outcome::Cancelled => "cancelled",
        Outcome::Discarded => "discarded without a word",
    }
}

/// Why its owner is done with a message that was not confirmed.
pub(in crate::report) fn closed(why: Close) -> &'static str {
    match why {
        Close::Sent => "no answer was waited for",
        Close::TimedOut => "given up: the last attempt timed out",
        Close::Expired => "given up: its deadline passed",
        Close::Rejected => "given up: turned away, as there was no room",
        Close::Failed => "given up: the last attempt failed",
        Close::Abandoned => "given up: nobody wants to know any more",
        Close::Spared => "no longer needed: enough of those sent with it have ended well",
        Close::Forgotten => "forgotten: its sender went down",
    }
}
