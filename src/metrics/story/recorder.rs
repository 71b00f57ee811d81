//! Who writes stories down while a run is played.

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::Time;
use crate::process::{Close, Followed, Kind, Leg, MessageId, Observation, Transit, Wanted};
use crate::sim::Observer;

use super::draws::Draws;
use super::entry::{Entry, What};
use super::open::{Open, Place};
use super::sample::{Sample, Sampled};
use super::{Chapter, Story};

/// Which stories are written down.
#[derive(Debug)]
pub enum Subjects {
    /// Those that begin with these messages, whole: to the end of the run.
    Chosen(Vec<MessageId>),
    /// Those of a sample of the messages that are due in this interval, until their owner knows how they ended; what is told of each
    /// is where its time went.
    Sampled(Box<Sample>, (Time, Time)),
}

/// Writes stories down.
#[derive(Debug)]
pub struct Recorder {
    subjects: Subjects,
    draws: Draws,
    open: Open,
    stories: Vec<Option<Story>>,
    free: Vec<u32>,
    /// What the node that spoke last offers for another message: the node, and where that message is followed, if it is.
    behalf: Option<(NodeId, Option<Place>)>,
}

/// The most chapters of a story. What is sent for a message beyond that is not followed.
const CHAPTERS: usize = 4_096;

/// The most entries of a story of a sample; one with more is no part of it.
const ENTRIES: usize = 16_384;

impl Recorder {
    /// One that writes down stories of these subjects, in a system of these nodes.
    pub fn new(names: &Names, mut subjects: Subjects) -> Self {
        if let Subjects::Chosen(chosen) = &mut subjects {
            chosen.sort_unstable();
        }
        let open = Open::of(names.span());
        Self { subjects, draws: Draws::of(names), open, stories: Vec::new(), free: Vec::new(), behalf: None }
    }

    /// The stories of messages that were chosen, in the order in which they were offered.
    pub fn stories(&mut self) -> Vec<Story> {
        let mut stories: Vec<_> = std::mem::take(&mut self.stories).into_iter().flatten().collect();
        stories.sort_by_key(|story| {
            let Chapter { message, due, .. } = *story.root();
            (due, self.draws.name(message.owner), message.number)
        });
        stories
    }

    /// What the sample says, if there is one. What has not come to its end by now never will.
    pub fn sampled(&mut self) -> Option<Sampled> {
        if matches!(self.subjects, Subjects::Sampled(..)) {
            for story in self.stories() {
                let draw = self.draws.draw(story.root().message);
                if let Subjects::Sampled(sample, _) = &mut self.subjects {
                    sample.take(draw, story, false);
                }
            }
        }
        match &mut self.subjects {
            Subjects::Chosen(_) => None,
            Subjects::Sampled(sample, _) => Some(sample.close()),
        }
    }

    /// How many stories are being written.
    pub(super) fn followed(&self) -> usize {
        self.stories.len() - self.free.len()
    }

    #[inline(never)]
    fn write(&mut self, now: Time, node: NodeId, place: Place, what: What) {
        let most = if let Subjects::Chosen(_) = self.subjects { usize::MAX } else { ENTRIES };
        if let Some(Some(story)) = self.stories.get_mut(place.story as usize)
            && story.entries.len() < most
        {
            story.entries.push(Entry { time: now, node, chapter: place.chapter, what });
        }
    }

    #[inline(always)]
    fn note(&mut self, now: Time, node: NodeId, message: MessageId, what: What) {
        if let Some(place) = self.open.find(message) {
            self.write(now, node, place, what);
        }
    }

    fn offer(&mut self, now: Time, node: NodeId, offered: &Chapter, at_once: bool) {
        let message = offered.message;
        let place = match self.behalf.filter(|&(of, _)| of == node) {
            Some((_, None)) if !self.is_chosen(message) => return,
            Some((_, Some(parent))) => match &mut self.stories[parent.story as usize] {
                Some(story) if story.chapters.len() < CHAPTERS => {
                    let chapter = story.chapters.len() as u32;
                    story.chapters.push(Chapter { parent: Some(parent.chapter), ..*offered });
                    Place { story: parent.story, chapter }
                }
                _ => return,
            },
            _ if self.is_subject(offered) => {
                self.make_room();
                if !self.is_subject(offered) {
                    return;
                }
                let story = Some(Story::of(message, offered.flow, offered.due));
                let place = self.free.pop().unwrap_or_else(|| {
                    self.stories.push(None);
                    self.stories.len() as u32 - 1
                });
                self.stories[place as usize] = story;
                Place { story: place, chapter: 0 }
            }
            _ => return,
        };
        self.open.insert(message, place);
        self.write(now, node, place, What::Offered { at_once });
    }

    fn is_chosen(&self, message: MessageId) -> bool {
        matches!(&self.subjects, Subjects::Chosen(chosen) if chosen.binary_search(&message).is_ok())
    }

    fn is_subject(&self, offered: &Chapter) -> bool {
        match &self.subjects {
            Subjects::Chosen(_) => self.is_chosen(offered.message),
            Subjects::Sampled(sample, (from, to)) => {
                (*from..*to).contains(&offered.due) && sample.has(self.draws.draw(offered.message))
            }
        }
    }

    /// Where as many are followed as a sample may have, and none of them ends, about half of them are let go.
    fn make_room(&mut self) {
        let followed = self.followed();
        match &mut self.subjects {
            Subjects::Sampled(sample, _) if sample.is_full_with(followed) => sample.halve(),
            _ => return,
        }
        for place in 0..self.stories.len() as u32 {
            let root = self.stories[place as usize].as_ref().map(|story| story.root().message);
            if let (Some(message), Subjects::Sampled(sample, _)) = (root, &self.subjects)
                && !sample.has(self.draws.draw(message))
            {
                self.let_go(place);
            }
        }
    }

    /// A story of a sample has come to an end for the owner of its message, if this place is that message's.
    fn conclude(&mut self, place: Place, is_known: bool) {
        if place.chapter > 0 || matches!(self.subjects, Subjects::Chosen(_)) {
            return;
        }
        let Some(story) = self.let_go(place.story) else { return };
        let draw = self.draws.draw(story.root().message);
        let is_whole = story.entries.len() < ENTRIES && story.chapters.len() < CHAPTERS;
        if let Subjects::Sampled(sample, _) = &mut self.subjects
            && is_whole
        {
            sample.take(draw, story, is_known);
        }
    }

    /// A story is followed no longer.
    fn let_go(&mut self, place: u32) -> Option<Story> {
        let story = self.stories[place as usize].take()?;
        self.free.push(place);
        // What is offered for it after this is nobody's.
        if let Some((_, on_behalf)) = &mut self.behalf
            && on_behalf.is_some_and(|other| other.story == place)
        {
            *on_behalf = None;
        }
        story.chapters.iter().for_each(|chapter| self.open.remove(chapter.message));
        Some(story)
    }

    /// A node goes down: every story that it has a part in is told. What it has offered itself and knows no end of, it never will.
    fn goes_down(&mut self, now: Time, node: NodeId) {
        let mut forgotten = Vec::new();
        for (place, story) in (0..).zip(&mut self.stories) {
            let Some(story) = story else { continue };
            let has = |chapter: u32| {
                let is_owner = story.chapters[chapter as usize].message.owner == node;
                let there = story.of_chapter(chapter).rfind(|entry| {
                    entry.node == node
                        && matches!(
                            entry.what,
                            What::Handled { .. }
                                | What::Declined { .. }
                                | What::Delivered { leg: Leg::Out, .. }
                                | What::Turned { .. }
                                | What::Stored { .. }
                                | What::Released { .. }
                        )
                });
                let has_left =
                    |what: What| matches!(what, What::Handled { .. } | What::Declined { .. } | What::Released { .. });
                let is_there = there.is_some_and(|entry| !has_left(entry.what));
                let is_end = |entry: &Entry| matches!(entry.what, What::Confirmed | What::Closed { .. });
                let is_open = !story.of_chapter(chapter).any(is_end);
                is_owner && is_open || is_there
            };
            let chapters: Vec<u32> = (0..story.chapters.len() as u32).filter(|&chapter| has(chapter)).collect();
            let down = |chapter| Entry { time: now, node, chapter, what: What::Down };
            story.entries.extend(chapters.into_iter().map(down));
            if story.closed(0).is_some_and(|(why, _)| why == Close::Forgotten) {
                forgotten.push(Place { story: place, chapter: 0 });
            }
        }
        forgotten.into_iter().for_each(|place| self.conclude(place, false));
    }
}

impl Observer for Recorder {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Message).and(Kind::Attempt).and(Kind::Wire).and(Kind::Step).and(Kind::Life)
    }

    fn followed(&self) -> Option<Followed> {
        Some(self.open.followed.clone())
    }

    #[inline]
    fn observe(&mut self, now: Time, node: NodeId, observation: &Observation) {
        match *observation {
            Observation::Offered { message, flow, late, at_once } => {
                let due = now.earlier_by(late);
                self.offer(now, node, &Chapter { message, flow, due, parent: None }, at_once);
            }
            Observation::OnBehalf { message } => {
                self.behalf = message.map(|message| (node, self.open.find(message)));
            }
            Observation::Sent { transit, to, size } => {
                let size = u32::try_from(size).unwrap_or(u32::MAX);
                let Transit { leg, attempt, .. } = transit;
                self.note(now, node, transit.message, What::Sent { leg, attempt, to, size });
            }
            Observation::Delivered { transit, from } => {
                let Transit { leg, attempt, .. } = transit;
                self.note(now, node, transit.message, What::Delivered { leg, attempt, from });
            }
            Observation::NotDelivered { transit, from, to, cause } => {
                let Transit { leg, attempt, .. } = transit;
                self.note(now, from, transit.message, What::NotDelivered { leg, attempt, to, cause });
            }
            Observation::Attempted { message } => self.note(now, node, message, What::Attempted),
            Observation::AttemptFailed { message } => self.note(now, node, message, What::AttemptFailed),
            Observation::Duplicated { message } => self.note(now, node, message, What::Duplicated),
            Observation::Received { message, duplicate } => {
                self.reach(now, node, message, What::Received { duplicate })
            }
            Observation::Turned { message, attempt, activity } => {
                self.note(now, node, message, What::Turned { attempt, activity });
            }
            Observation::LetGo { message, why } => self.note(now, node, message, What::LetGo { why }),
            Observation::Handled { message, outcome } => self.reach(now, node, message, What::Handled { outcome }),
            Observation::Declined { message, outcome } => self.note(now, node, message, What::Declined { outcome }),
            Observation::Stored { message, place, .. } => self.note(now, node, message, What::Stored { place }),
            Observation::Kept { message, place } => self.note(now, node, message, What::Kept { place }),
            Observation::Released { message, place, exit, .. } => {
                self.note(now, node, message, What::Released { place, exit });
            }
            Observation::PassedOver { message, place, why } => {
                self.note(now, node, message, What::PassedOver { place, why });
            }
            Observation::Confirmed { message } => {
                if let Some(place) = self.open.find(message) {
                    self.write(now, node, place, What::Confirmed);
                    self.conclude(place, true);
                }
            }
            Observation::Closed { message, why } => {
                if let Some(place) = self.open.find(message) {
                    self.write(now, node, place, What::Closed { why });
                    // Of what nobody confirms, it is the receiver who knows.
                    if why != Close::Sent {
                        self.conclude(place, false);
                    }
                }
            }
            Observation::Down => self.goes_down(now, node),
            _ => {}
        }
    }
}

impl Recorder {
    /// A receiver has a copy, or is done with it: the end of a message that nobody confirms.
    fn reach(&mut self, now: Time, node: NodeId, message: MessageId, what: What) {
        let Some(place) = self.open.find(message) else { return };
        self.write(now, node, place, what);
        if place.chapter == 0
            && let Subjects::Sampled(..) = self.subjects
            && let Some(Some(story)) = self.stories.get(place.story as usize)
            && story.latency().is_some()
        {
            self.conclude(place, true);
        }
    }
}
