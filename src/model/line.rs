//! Who waits for a worker of one node.
//!
//! Most lines are plain: who came first is next. Everything else (another discipline, those that want their worker back,
//! waits that are limited, who makes room for whom, those that leave before their turn) is a line's [`Rules`], which a plain one
//! has not.

use std::collections::{BTreeSet, VecDeque};

use crate::base::random::Uniform;
use crate::base::time::Time;
use crate::protocol::queue::{AnyQueue, Fifo, Popped, Queue, QueuePolicy, Waiting};

/// Requests that wait. Those that had a worker before go first.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Line {
    /// How many there are: in front, because it is asked for at every message.
    len: u32,
    /// Whether those that come join without more ado.
    is_plain: bool,
    /// Requests that never had a worker, in order, where the line is plain.
    new: VecDeque<u32>,
    rules: Option<Box<Rules>>,
}

/// What a line has beside its order.
#[derive(Debug, Default)]
struct Rules {
    /// Requests that had a worker, and need one again.
    again: Fifo,
    /// Requests that are at work without a worker of their own, because all share them.
    sharing: u32,
    /// Who keeps those that never had a worker, if the line is not plain.
    queue: Option<AnyQueue>,
    /// Who makes room when there is none.
    makes_room: Option<MakesRoom>,
    /// Those that never had a worker: who would make room first in front.
    ranks: BTreeSet<(u64, u64, u32)>,
    /// What is known of those that wait, by their places.
    marks: Vec<Mark>,
    /// How many ever came.
    came: u64,
}

/// What is known of one that waits.
#[derive(Clone, Copy, Default, Debug)]
struct Mark {
    rank: (u64, u64),
    expires: Option<Time>,
}

/// Who makes room for a newcomer that finds none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MakesRoom {
    /// Whoever waits longest.
    Oldest,
    /// The last one among those of the lowest priority, if that is lower than the newcomer's.
    Lowest,
}

/// A request whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// It had a worker before.
    Again(u32),
    /// It never had one.
    New(u32),
    /// It never had one, and has not waited too long.
    InTime(u32),
    /// It never had one, and gets none: its discipline lets it go.
    Shed(u32),
    /// It never had one, and gets none: it has waited too long.
    Expired(u32),
    /// One that shares the workers now has one to itself, as far as anybody can tell.
    Share,
}

impl Line {
    /// The line under this discipline; `is_watched` if whoever comes has to be looked at for another reason.
    pub(super) fn new(discipline: &QueuePolicy, makes_room: Option<MakesRoom>, is_watched: bool) -> Self {
        let is_plain = *discipline == QueuePolicy::default() && makes_room.is_none() && !is_watched;
        let queue = || Some(discipline.start());
        let rules = (!is_plain).then(|| Box::new(Rules { queue: queue(), makes_room, ..Rules::default() }));
        Self { len: 0, is_plain, new: VecDeque::new(), rules }
    }

    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// Whether new requests stand in order of arrival, and nothing else is to be known of them.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// A new request joins a plain line.
    #[inline]
    pub(super) fn join(&mut self, id: u32) {
        self.new.push_back(id);
        self.len += 1;
    }

    /// From now on somebody may want to leave before it is their turn: the line knows where each of them is.
    #[cold]
    pub(super) fn watch(&mut self) {
        if !std::mem::take(&mut self.is_plain) {
            return;
        }
        let mut queue = AnyQueue::default();
        self.new.drain(..).for_each(|id| queue.push(anonymous(id), || unreachable!("it needs no luck")));
        self.rules.get_or_insert_default().queue = Some(queue);
    }

    /// A new request joins a line that has rules; `expires` is when it has waited too long.
    pub(super) fn join_by_rule(&mut self, item: Waiting, expires: Option<Time>, draw: impl FnMut() -> Uniform) {
        let rules = self.rules.get_or_insert_default();
        let place = item.id as usize;
        if rules.marks.len() <= place {
            rules.marks.resize(place + 1, Mark::default());
        }
        rules.came += 1;
        let rank = match rules.makes_room {
            Some(MakesRoom::Lowest) => (item.priority.into(), u64::MAX - rules.came),
            _ => (0, rules.came),
        };
        rules.marks[place] = Mark { rank, expires };
        if rules.makes_room.is_some() {
            rules.ranks.insert((rank.0, rank.1, item.id));
        }
        match &mut rules.queue {
            Some(queue) => queue.push(item, draw),
            None => self.new.push_back(item.id),
        }
        self.len += 1;
    }

    /// A request that had a worker needs one again.
    pub(super) fn join_again(&mut self, id: u32) {
        self.rules.get_or_insert_default().again.push(anonymous(id), || unreachable!("it needs no luck"));
        self.len += 1;
    }

    /// One more shares workers of which there are too few.
    pub(super) fn join_sharing(&mut self) {
        self.rules.get_or_insert_default().sharing += 1;
        self.len += 1;
    }

    /// Takes out whoever is next.
    #[inline]
    pub(super) fn next(&mut self, now: impl FnOnce() -> Time) -> Option<Turn> {
        if self.len == 0 {
            return None;
        }
        if self.rules.is_some() {
            return self.next_by_rule(now());
        }
        self.len -= 1;
        self.new.pop_front().map(Turn::New)
    }

    #[inline(never)]
    fn next_by_rule(&mut self, now: Time) -> Option<Turn> {
        let rules = self.rules.as_mut()?;
        let turn = if let Popped::Serve(id) = rules.again.pop(now) {
            Turn::Again(id)
        } else {
            let popped = match &mut rules.queue {
                Some(queue) => queue.pop(now),
                None => self.new.pop_front().map_or(Popped::Empty, Popped::Serve),
            };
            match popped {
                Popped::Serve(id) => match rules.left(id) {
                    None => Turn::New(id),
                    Some(expires) if expires <= now => Turn::Expired(id),
                    Some(_) => Turn::InTime(id),
                },
                Popped::Shed(id) => {
                    rules.left(id);
                    Turn::Shed(id)
                }
                Popped::Empty if rules.sharing > 0 => {
                    rules.sharing -= 1;
                    Turn::Share
                }
                Popped::Empty => return None,
            }
        };
        self.len -= 1;
        Some(turn)
    }

    /// Takes out the one that makes room for a newcomer of this priority, if there is one.
    pub(super) fn make_room(&mut self, priority: u8) -> Option<u32> {
        let rules = self.rules.as_mut()?;
        let &(rank, _, id) = rules.ranks.first()?;
        if rules.makes_room == Some(MakesRoom::Lowest) && rank >= priority.into() {
            return None;
        }
        self.leave(id);
        Some(id)
    }

    /// This one waits no more, if it did.
    pub(super) fn leave(&mut self, id: u32) {
        self.watch();
        let Some(rules) = &mut self.rules else { return };
        let was_new = rules.queue.as_mut().is_some_and(|queue| queue.remove(id));
        if was_new {
            rules.left(id);
        }
        self.len -= u32::from(was_new || rules.again.remove(id));
    }
}

/// One of which a line in order of arrival knows no more than its handle.
fn anonymous(id: u32) -> Waiting {
    Waiting { id, since: Time::ZERO, priority: 0, deadline: None }
}

impl Rules {
    /// A request that never had a worker is out of the line: when it would have waited too long.
    fn left(&mut self, id: u32) -> Option<Time> {
        let mark = self.marks.get_mut(id as usize).map(std::mem::take)?;
        self.ranks.remove(&(mark.rank.0, mark.rank.1, id));
        mark.expires
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::queue::QUEUES;

    fn waiting(id: u32, priority: u8) -> Waiting {
        Waiting { id, since: Time::ZERO, priority, deadline: None }
    }

    fn turns(line: &mut Line, now: u64) -> Vec<Turn> {
        std::iter::from_fn(|| line.next(|| Time::from_nanos(now))).collect()
    }

    #[test]
    fn those_that_had_a_worker_go_first() {
        for listing in QUEUES.iter().filter(|listing| listing.name != "random") {
            let mut line = Line::new(&listing.example(), None, false);
            assert_eq!(line.is_plain(), listing.name == "fifo");
            line.join_by_rule(waiting(0, 0), None, || unreachable!());
            line.join_by_rule(waiting(1, 0), None, || unreachable!());
            line.join_again(2);
            line.join_by_rule(waiting(3, 0), None, || unreachable!());
            line.join_again(4);
            line.leave(1);
            line.leave(2);
            assert_eq!(line.len(), 3);
            let turns = turns(&mut line, 0);
            let [first, rest @ ..] = &turns[..] else { panic!("three wait") };
            assert_eq!((*first, rest.len()), (Turn::Again(4), 2), "{}", listing.name);
            assert!(rest.contains(&Turn::New(0)) && rest.contains(&Turn::New(3)), "{}: {turns:?}", listing.name);
            assert_eq!(line.len(), 0);
        }
    }

    #[test]
    fn a_plain_line_is_an_order_of_arrival() {
        let mut line = Line::new(&QueuePolicy::default(), None, false);
        [5, 6, 7].into_iter().for_each(|id| line.join(id));
        assert!(line.is_plain());
        assert_eq!((line.len(), turns(&mut line, 0)), (3, [5, 6, 7].map(Turn::New).to_vec()));
    }

    #[test]
    fn a_line_that_somebody_leaves_keeps_its_order() {
        let mut line = Line::new(&QueuePolicy::default(), None, false);
        [5, 6, 7].into_iter().for_each(|id| line.join(id));
        line.leave(6);
        line.leave(9);
        assert!(!line.is_plain());
        line.join_by_rule(waiting(6, 0), None, || unreachable!());
        assert_eq!((line.len(), turns(&mut line, 0)), (3, [5, 7, 6].map(Turn::New).to_vec()));
    }

    #[test]
    fn who_has_waited_too_long_gets_no_turn() {
        let mut line = Line::new(&QueuePolicy::default(), None, true);
        for (id, expires) in [(0, 10), (1, 11), (2, 20)] {
            line.join_by_rule(waiting(id, 0), Some(Time::from_nanos(expires)), || unreachable!());
        }
        assert_eq!(turns(&mut line, 11), [Turn::Expired(0), Turn::Expired(1), Turn::InTime(2)]);
    }

    #[test]
    fn the_oldest_or_the_lowest_makes_room() {
        let line = |makes_room| {
            let mut line = Line::new(&QueuePolicy::default(), Some(makes_room), false);
            for (id, priority) in [(0, 3), (1, 1), (2, 1), (3, 2)] {
                line.join_by_rule(waiting(id, priority), None, || unreachable!());
            }
            line
        };
        let mut oldest = line(MakesRoom::Oldest);
        assert_eq!([0, 0].map(|priority| oldest.make_room(priority)), [Some(0), Some(1)]);
        assert_eq!((oldest.len(), turns(&mut oldest, 0)), (2, vec![Turn::New(2), Turn::New(3)]));
        assert_eq!(oldest.make_room(9), None);
        let mut lowest = line(MakesRoom::Lowest);
        assert_eq!([1, 2, 2, 2, 3].map(|priority| lowest.make_room(priority)), [None, Some(2), Some(1), None, Some(3)]);
        assert_eq!(turns(&mut lowest, 0), [Turn::New(0)]);
    }
}
