//! What happens to records in topics, and how far the groups are that read them.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::process::{GroupFact, Kind, Observation, TopicFact, Wanted};
use crate::sim::Observer;

use super::curve::Curve;

/// The books of all topics of a run, and of all groups that read them.
#[derive(Debug)]
pub struct Topics {
    topics: Vec<TopicBook>,
    groups: Vec<GroupBook>,
    levels: Vec<Level>,
    /// Up to where records can be read, by topic and partition.
    ends: BTreeMap<(u16, u32), u64>,
    /// How far groups are, by topic, partition and group.
    places: BTreeMap<(u16, u32, u16), Place>,
    measured: (Time, Time),
}

/// How far a group is with a partition.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Behind the last record that is processed.
    processed: Option<u64>,
    /// Behind the last record that was ever given to a member.
    given: u64,
}

/// How far a group has been behind since when, in records.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    since: Time,
    lag: u64,
}

/// What happened in a topic while it was measured.
#[derive(Clone, Debug, Default)]
pub struct TopicBook {
    facts: [u64; TopicFact::COUNT],
    /// The length of the measured time in seconds.
    pub seconds: f64,
}

impl TopicBook {
    /// How often this happened.
    pub fn of(&self, fact: TopicFact) -> u64 {
        self.facts[fact as usize]
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        self.facts.iter_mut().zip(other.facts).for_each(|(sum, count)| *sum += count);
        self.seconds += other.seconds;
    }
}

/// What happened to a group while it was measured.
#[derive(Clone, Debug, Default)]
pub struct GroupBook {
    facts: [u64; GroupFact::COUNT],
    /// The integral over time of the number of records that could be read and were not processed: record seconds.
    pub lag_seconds: f64,
    /// The most there were.
    pub lag_max: u64,
    /// The number of records that could be read and were not processed over time, from the start of the run, measured or not.
    pub lag: Curve,
    /// The length of the measured time in seconds.
    pub seconds: f64,
}

impl GroupBook {
    /// How often this happened.
    pub fn of(&self, fact: GroupFact) -> u64 {
        self.facts[fact as usize]
    }

    /// The mean number of records that could be read and were not processed.
    pub fn lag_mean(&self) -> f64 {
        self.lag_seconds / self.seconds
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        self.facts.iter_mut().zip(other.facts).for_each(|(sum, count)| *sum += count);
        self.lag_seconds += other.lag_seconds;
        self.lag_max = self.lag_max.max(other.lag_max);
        self.lag.add(&other.lag);
        self.seconds += other.seconds;
    }
}

impl Topics {
    /// Books of so many topics and groups, measured from `measured.0` to `measured.1`; curves have steps of this length.
    pub fn new(topics: usize, groups: usize, measured: (Time, Time), step: Span) -> Self {
        let seconds = measured.1.since(measured.0).as_secs_f64();
        Self {
            topics: vec![TopicBook { seconds, ..TopicBook::default() }; topics],
            groups: vec![GroupBook { lag: Curve::new(step), seconds, ..GroupBook::default() }; groups],
            levels: vec![Level::default(); groups],
            ends: BTreeMap::new(),
            places: BTreeMap::new(),
            measured,
        }
    }

    /// Ends the run: the books of topics and of groups, in their orders.
    pub fn close(&mut self, end: Time) -> (&[TopicBook], &[GroupBook]) {
        let end = end.max(self.measured.1);
        for group in 0..self.levels.len() {
            self.pass(group, end);
            self.groups[group].lag.close(end);
        }
        (&self.topics, &self.groups)
    }

    fn counts(&self, now: Time) -> bool {
        self.measured.0 <= now && now < self.measured.1
    }

    /// A group stayed as far behind as it was until now.
    fn pass(&mut self, group: usize, now: Time) {
        let (level, book) = (self.levels[group], &mut self.groups[group]);
        // Only what lies within the measured time counts: also what a group was behind when that began.
        let (from, to) = (level.since.max(self.measured.0), now.min(self.measured.1));
        if from < to {
            book.lag_seconds += level.lag as f64 * to.since(from).as_secs_f64();
            book.lag_max = book.lag_max.max(level.lag);
        }
    }

    fn set_lag(&mut self, group: usize, now: Time, change: impl FnOnce(u64) -> u64) {
        if group >= self.levels.len() {
            return;
        }
        self.pass(group, now);
        let (counts, lag) = (self.counts(now), change(self.levels[group].lag));
        let book = &mut self.groups[group];
        book.lag.set(now, lag);
        if counts {
            book.lag_max = book.lag_max.max(lag);
        }
        self.levels[group] = Level { since: now, lag };
    }

    /// Records of a partition can be read up to here.
    fn grow(&mut self, now: Time, topic: u16, partition: u32, offset: u64) {
        let before = self.ends.insert((topic, partition), offset).unwrap_or(0);
        let places = self.places.range((topic, partition, 0)..=(topic, partition, u16::MAX));
        let behind: Vec<_> = places.filter_map(|(&(.., group), place)| Some((group, place.processed?))).collect();
        for (group, place) in behind {
            let (was, is) = (before.saturating_sub(place), offset.saturating_sub(place));
            self.set_lag(group.into(), now, |lag| lag - was + is);
        }
    }

    /// A group has processed a partition up to here, or begins here.
    fn progress(&mut self, now: Time, group: u16, (topic, partition): (u16, u32), offset: u64) {
        let end = self.ends.get(&(topic, partition)).copied().unwrap_or(0);
        let place = self.places.entry((topic, partition, group)).or_default();
        let before = place.processed.replace(offset);
        let (was, is) = (before.map_or(0, |before| end.saturating_sub(before)), end.saturating_sub(offset));
        self.set_lag(group.into(), now, |lag| lag - was + is);
    }

    /// A member of a group is given records.
    fn give(&mut self, now: Time, group: u16, (topic, partition): (u16, u32), from: u64, count: u32) {
        let place = self.places.entry((topic, partition, group)).or_default();
        let again = place.given.saturating_sub(from).min(count.into());
        place.given = place.given.max(from + u64::from(count));
        if self.counts(now)
            && let Some(book) = self.groups.get_mut(usize::from(group))
        {
            book.facts[GroupFact::Polled as usize] += u64::from(count);
            book.facts[GroupFact::Reread as usize] += again;
        }
    }
}

impl Observer for Topics {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Log)
    }

    fn observe(&mut self, now: Time, _: NodeId, observation: &Observation) {
        match *observation {
            Observation::Logged { topic, fact, count } if self.counts(now) => {
                self.topics[usize::from(topic)].facts[fact as usize] += u64::from(count);
            }
            Observation::Grouped { group, fact, count } if self.counts(now) => {
                self.groups[usize::from(group)].facts[fact as usize] += u64::from(count);
            }
            Observation::LogEnd { topic, partition, offset } => self.grow(now, topic, partition, offset),
            Observation::Progress { group, topic, partition, offset } => {
                self.progress(now, group, (topic, partition), offset);
            }
            Observation::Polled { group, topic, partition, from, count } => {
                self.give(now, group, (topic, partition), from, count);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::secs;

    const NODE: NodeId = NodeId::new(0);

    fn at(second: u64) -> Time {
        Time::ZERO + secs(second)
    }

    /// Ten records can be read at 1 s, of which a group has processed none; at 3 s it has processed four, and at 4 s all. From 2 s to
    /// 6 s it is behind by 10, 6, 0 and 0: 16 record seconds. The curve begins at 0 s.
    #[test]
    fn lag_is_what_can_be_read_and_is_not_processed() {
        let mut topics = Topics::new(1, 1, (at(2), at(6)), secs(2));
        let progress = |offset| Observation::Progress { group: 0, topic: 0, partition: 3, offset };
        topics.observe(at(0), NODE, &progress(0));
        topics.observe(at(1), NODE, &Observation::LogEnd { topic: 0, partition: 3, offset: 10 });
        topics.observe(at(3), NODE, &progress(4));
        topics.observe(at(4), NODE, &progress(10));
        let (_, groups) = topics.close(at(8));
        assert_eq!((groups[0].lag_seconds, groups[0].lag_max), (16.0, 10));
        assert_eq!(groups[0].lag_mean(), 4.0);
        let lag: Vec<_> = groups[0].lag.steps.iter().map(|step| (step.mean(), step.max)).collect();
        assert_eq!(lag, [(5.0, 10), (8.0, 10), (0.0, 0), (0.0, 0)]);
    }

    /// Records 0 to 9 are given, then 6 to 15: four of them again.
    #[test]
    fn what_a_group_is_given_again_is_counted() {
        let mut topics = Topics::new(1, 1, (at(0), at(6)), secs(2));
        for from in [0, 6] {
            topics.observe(at(1), NODE, &Observation::Polled { group: 0, topic: 0, partition: 0, from, count: 10 });
        }
        let (_, groups) = topics.close(at(6));
        assert_eq!((groups[0].of(GroupFact::Polled), groups[0].of(GroupFact::Reread)), (20, 4));
    }
}
