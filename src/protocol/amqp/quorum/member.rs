//! One replica of a quorum queue: who leads, what is in the log, and how far it is committed.
//!
//! A member that hears nothing of a leader for a while asks the others for their votes in a new term; each votes once in a term, and
//! only for whoever has a log at least as complete as its own. The leader appends entries, sends them to the others, and counts who
//! has written them ([`Replication`]); what a follower has that the leader has not is dropped. A leader begins its term with an entry
//! that says nothing, with which all before it are committed.
//!
//! What a member says may rest on what its disk has: such words are given as [`Effect::Reply`], to be sent once all that was written
//! before is durable; and so is what it says to itself about its own disk and vote. A log whose beginning nobody needs any more is cut
//! off there ([`compact`](Member::compact)): a follower that is further behind than that begins anew from there, since what was cut off
//! is settled.
//!
//! Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, figure 2 and section 7.

use std::collections::{BTreeSet, VecDeque};

use super::Replication;

/// An entry of the log; one that says nothing begins a term.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<E> {
    /// The term in which it was appended.
    pub term: u64,
    /// What it says.
    pub what: Option<E>,
}

/// What members say to each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word<E> {
    /// The leader's entries that follow the one at `prev`; none, to say that it is there.
    Append {
        /// The leader's term.
        term: u64,
        /// The entry before.
        prev: u64,
        /// Its term.
        prev_term: u64,
        /// The entries.
        entries: Vec<Entry<E>>,
        /// How far the log is committed.
        committed: u64,
        /// Where the leader's log begins: after this entry.
        base: u64,
    },
    /// What became of that: written up to `index`, or it does not fit and should begin after `index`.
    Appended {
        /// The follower's term.
        term: u64,
        /// See above.
        index: u64,
        /// Whether it fitted.
        is_match: bool,
    },
    /// A candidate asks for a vote.
    Ask {
        /// Its term.
        term: u64,
        /// The last entry of its log.
        last: u64,
        /// The term of that.
        last_term: u64,
    },
    /// The vote.
    Vote {
        /// The voter's term.
        term: u64,
        /// Whether the candidate has it.
        is_granted: bool,
    },
}

/// What a member wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect<E> {
    /// Say this to a member, at once.
    Send(u32, Word<E>),
    /// Write entries from the first to before the second, and term and vote if it says so.
    Write(u64, u64, bool),
    /// Say this to a member, or to this one itself, once all that was written before is durable.
    Reply(u32, Word<E>),
    /// A leader was heard, or a vote given: wait for as long as ever before the next election.
    Patience,
}

/// What a disk keeps of a member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Durable<E> {
    /// Its term.
    pub term: u64,
    /// Whom it voted for in that.
    pub voted: Option<u32>,
    /// Where its log begins: after this entry, of this term.
    pub base: (u64, u64),
    /// Its log.
    pub log: Vec<Entry<E>>,
}

impl<E> Default for Durable<E> {
    fn default() -> Self {
        Self { term: 0, voted: None, base: (0, 0), log: Vec::new() }
    }
}

/// A replica.
#[derive(Clone, Debug)]
pub struct Member<E> {
    me: u32,
    replicas: u32,
    term: u64,
    voted: Option<u32>,
    base: u64,
    base_term: u64,
    log: VecDeque<Entry<E>>,
    committed: u64,
    leader: Option<u32>,
    role: Role,
}

#[derive(Clone, Debug)]
enum Role {
    Follower,
    Candidate(BTreeSet<u32>),
    Leader {
        replication: Replication,
        /// The entry that each member is sent next.
        next: Vec<u64>,
    },
}

impl<E: Clone> Member<E> {
    /// The member `me` of so many, with what its disk has.
    pub fn new(me: u32, replicas: u32, Durable { term, voted, base: (base, base_term), log }: Durable<E>) -> Self {
        let (log, role) = (log.into(), Role::Follower);
        Self { me, replicas, term, voted, base, base_term, log, committed: base, leader: None, role }
    }

    /// Whether it leads.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// Who leads, as far as it knows.
    pub fn leader(&self) -> Option<u32> {
        if self.is_leader() { Some(self.me) } else { self.leader }
    }

    /// Its term, and whom it voted for in that.
    pub fn vote(&self) -> (u64, Option<u32>) {
        (self.term, self.voted)
    }

    /// Where its log begins: after this entry, of this term.
    pub fn base(&self) -> (u64, u64) {
        (self.base, self.base_term)
    }

    /// The last entry of its log.
    pub fn last(&self) -> u64 {
        self.base + self.log.len() as u64
    }

    /// How far it knows the log to be committed.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// An entry of the log, if it is there.
    pub fn entry(&self, index: u64) -> Option<&Entry<E>> {
        self.log.get(usize::try_from(index.checked_sub(self.base + 1)?).ok()?)
    }

    /// The term of an entry; of what was cut off, that of the last.
    pub fn term_at(&self, index: u64) -> u64 {
        self.entry(index).map_or(self.base_term, |entry| entry.term)
    }

    /// Nothing was heard of a leader for too long: stands for election.
    pub fn stand(&mut self, effects: &mut Vec<Effect<E>>) {
        if self.is_leader() {
            return;
        }
        self.term += 1;
        (self.voted, self.leader, self.role) = (Some(self.me), None, Role::Candidate(BTreeSet::new()));
        let term = self.term;
        let ask = Word::Ask { term, last: self.last(), last_term: self.term_at(self.last()) };
        let next = self.last() + 1;
        effects.extend([Effect::Patience, Effect::Write(next, next, true)]);
        // Others may not vote for whoever could forget that it voted for itself.
        effects.extend(self.others().map(|other| Effect::Reply(other, ask.clone())));
        effects.push(Effect::Reply(self.me, Word::Vote { term, is_granted: true }));
    }

    /// The leader says that it is there, and sends again what was not confirmed.
    pub fn beat(&mut self, effects: &mut Vec<Effect<E>>) {
        if let Role::Leader { replication, next } = &mut self.role {
            for (other, next) in (0..).zip(next.iter_mut()) {
                *next = (replication.written_by(other) + 1).max(self.base + 1);
            }
        }
        self.others().for_each(|other| self.send_entries(other, effects));
    }

    /// Appends an entry, if it leads: its index.
    pub fn propose(&mut self, what: Option<E>, effects: &mut Vec<Effect<E>>) -> Option<u64> {
        let Role::Leader { replication, .. } = &mut self.role else { return None };
        let index = replication.append();
        self.log.push_back(Entry { term: self.term, what });
        effects.push(Effect::Write(index, index + 1, false));
        effects.push(Effect::Reply(self.me, Word::Appended { term: self.term, index, is_match: true }));
        self.others().for_each(|other| self.send_entries(other, effects));
        Some(index)
    }

    /// Nobody needs entries up to this one any more: they are committed, and all that they began is settled.
    pub fn compact(&mut self, index: u64) {
        let index = index.min(self.committed);
        while self.base < index
            && let Some(entry) = self.log.pop_front()
        {
            self.base += 1;
            self.base_term = entry.term;
        }
    }

    /// A member said something.
    pub fn hear(&mut self, from: u32, word: Word<E>, effects: &mut Vec<Effect<E>>) {
        match word {
            Word::Append { term, prev, prev_term, entries, committed, base } => {
                let index = prev + entries.len() as u64;
                if term < self.term {
                    let word = Word::Appended { term: self.term, index: 0, is_match: false };
                    return effects.push(Effect::Send(from, word));
                }
                let is_new = self.follow(term, Some(from));
                effects.push(Effect::Patience);
                let is_match = self.fits(prev, prev_term, base);
                let first = if is_match { self.take(prev, entries) } else { self.last() + 1 };
                if is_new || first <= self.last() {
                    effects.push(Effect::Write(first, self.last() + 1, is_new));
                }
                if is_match {
                    self.committed = self.committed.max(committed.min(index));
                    self.compact(base);
                }
                let index = if is_match { index } else { self.last().min(prev.saturating_sub(1)) };
                effects.push(Effect::Reply(from, Word::Appended { term, index, is_match }));
            }
            Word::Appended { term, index, is_match } => {
                if term > self.term {
                    return self.step_down(term, effects);
                }
                let Role::Leader { replication, next } = &mut self.role else { return };
                if term < self.term {
                    return;
                }
                let next = &mut next[from as usize];
                if !is_match {
                    *next = (index + 1).min(*next).max(self.base + 1);
                    return self.send_entries(from, effects);
                }
                *next = (index + 1).max(*next);
                self.committed = replication.written(from, index).unwrap_or(self.committed).max(self.committed);
            }
            Word::Ask { term, last, last_term } => {
                let is_new = term > self.term && self.follow(term, None);
                let is_complete = (last_term, last) >= (self.term_at(self.last()), self.last());
                let is_free = self.voted.is_none_or(|voted| voted == from);
                let is_granted = term == self.term && is_complete && is_free;
                if is_granted {
                    self.voted = Some(from);
                    effects.push(Effect::Patience);
                }
                if is_new || is_granted {
                    effects.push(Effect::Write(self.last() + 1, self.last() + 1, true));
                }
                effects.push(Effect::Reply(from, Word::Vote { term: self.term, is_granted }));
            }
            Word::Vote { term, is_granted } => {
                if term > self.term {
                    return self.step_down(term, effects);
                }
                let Role::Candidate(votes) = &mut self.role else { return };
                if term == self.term && is_granted {
                    votes.insert(from);
                    if votes.len() as u32 > self.replicas / 2 {
                        self.lead(effects);
                    }
                }
            }
        }
    }

    fn lead(&mut self, effects: &mut Vec<Effect<E>>) {
        let replication = Replication::new(self.replicas, self.last(), self.committed);
        self.role = Role::Leader { replication, next: vec![self.last() + 1; self.replicas as usize] };
        self.propose(None, effects);
    }

    /// Follows in this term; whether term or vote changed.
    fn follow(&mut self, term: u64, leader: Option<u32>) -> bool {
        let is_new = term > self.term;
        if is_new {
            (self.term, self.voted) = (term, None);
        }
        (self.leader, self.role) = (leader, Role::Follower);
        is_new
    }

    fn step_down(&mut self, term: u64, effects: &mut Vec<Effect<E>>) {
        self.follow(term, None);
        effects.push(Effect::Write(self.last() + 1, self.last() + 1, true));
    }

    /// Whether entries fit that follow this one; if the leader has none before it, the log begins there.
    fn fits(&mut self, prev: u64, prev_term: u64, base: u64) -> bool {
        if prev < self.base || prev <= self.last() && self.term_at(prev) == prev_term {
            return true;
        }
        if prev == base {
            self.log.clear();
            (self.base, self.base_term, self.committed) = (prev, prev_term, self.committed.max(prev));
        }
        prev == base
    }

    /// Takes entries that follow the one at `prev`, and drops what is different; the first that is new.
    fn take(&mut self, prev: u64, entries: Vec<Entry<E>>) -> u64 {
        let mut first = None;
        for (index, entry) in (prev + 1..).zip(entries) {
            // What lies before its beginning it had, and it is settled.
            if index <= self.base || self.entry(index).is_some_and(|known| known.term == entry.term) {
                continue;
            }
            self.log.truncate((index - self.base - 1) as usize);
            self.log.push_back(entry);
            first.get_or_insert(index);
        }
        first.unwrap_or(self.last() + 1)
    }

    fn others(&self) -> impl Iterator<Item = u32> + use<E> {
        let me = self.me;
        (0..self.replicas).filter(move |&other| other != me)
    }

    fn send_entries(&mut self, other: u32, effects: &mut Vec<Effect<E>>) {
        let (last, term, committed, base) = (self.last(), self.term, self.committed, self.base);
        let Role::Leader { next, .. } = &mut self.role else { return };
        let from = std::mem::replace(&mut next[other as usize], last + 1).max(base + 1);
        next[other as usize] = last + 1;
        let prev = from - 1;
        let entries = self.log.range((prev - base) as usize..).cloned().collect();
        let prev_term = self.term_at(prev);
        effects.push(Effect::Send(other, Word::Append { term, prev, prev_term, entries, committed, base }));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::amqp::laws::fixed;

    /// Members whose disks are instant, and the words that are on their way.
    struct Group {
        members: Vec<Member<u32>>,
        words: VecDeque<(u32, u32, Word<u32>)>,
        /// What every member ever knew to be committed.
        committed: BTreeMap<u64, Entry<u32>>,
    }

    impl Group {
        fn of(replicas: u32) -> Self {
            let member = |me| Member::new(me, replicas, Durable::default());
            let members = (0..replicas).map(member).collect();
            Self { members, words: VecDeque::new(), committed: BTreeMap::new() }
        }

        fn with(&mut self, me: u32, act: impl FnOnce(&mut Member<u32>, &mut Vec<Effect<u32>>)) {
            let mut effects = Vec::new();
            act(&mut self.members[me as usize], &mut effects);
            for effect in effects {
                if let Effect::Send(to, word) | Effect::Reply(to, word) = effect {
                    self.words.push_back((me, to, word));
                }
            }
            let member = &self.members[me as usize];
            for index in member.base + 1..=member.committed {
                let entry = member.entry(index).expect("what is committed is there").clone();
                let known = self.committed.entry(index).or_insert_with(|| entry.clone());
                assert_eq!(*known, entry, "two entries are committed at {index}");
            }
        }

        fn deliver(&mut self, place: usize) {
            let Some((from, to, word)) = self.words.remove(place) else { return };
            self.with(to, |member, effects| member.hear(from, word, effects));
        }

        fn settle(&mut self) {
            while !self.words.is_empty() {
                self.deliver(0);
            }
        }

        fn leader(&self) -> Option<u32> {
            (0..)
                .zip(&self.members)
                .filter(|(_, member)| member.is_leader())
                .max_by_key(|(_, m)| m.term)
                .map(|(i, _)| i)
        }
    }

    /// The first that stands is elected, its empty entry is committed, and with it the way is free for others.
    #[test]
    fn whoever_stands_first_leads_and_commits() {
        for replicas in [1, 2, 3, 5] {
            let mut group = Group::of(replicas);
            group.with(0, Member::stand);
            group.settle();
            assert_eq!((group.leader(), group.members[0].committed()), (Some(0), 1), "{replicas}");
            group.with(0, |leader, effects| assert_eq!(leader.propose(Some(7), effects), Some(2)));
            group.settle();
            assert_eq!(group.members[0].committed(), 2);
            group.with(0, Member::beat);
            group.settle();
            assert!(group.members.iter().all(|member| member.committed() == 2 && member.leader() == Some(0)));
        }
    }

    /// The leader of three is cut off with an entry of its own. Another is elected and commits; when the first is back, its entry is
    /// gone and it follows.
    #[test]
    fn what_only_an_old_leader_had_is_dropped() {
        let mut group = Group::of(3);
        group.with(0, Member::stand);
        group.settle();
        group.with(0, |leader, effects| _ = leader.propose(Some(1), effects));
        group.words.clear();
        group.with(1, Member::stand);
        group.words.retain(|&(from, to, _)| from != 0 && to != 0);
        while let Some(place) = group.words.iter().position(|&(from, to, _)| from != 0 && to != 0) {
            group.deliver(place);
        }
        group.words.clear();
        group.with(1, |leader, effects| _ = leader.propose(Some(2), effects));
        group.settle();
        group.with(1, Member::beat);
        group.settle();
        assert_eq!(group.leader(), Some(1));
        let logs: Vec<Vec<_>> = group.members.iter().map(|m| m.log.iter().map(|e| e.what).collect()).collect();
        assert!(logs.iter().all(|log| *log == [None, None, Some(2)]), "{logs:?}");
    }

    /// A member that was away while the others cut off the beginning of their logs begins where theirs does.
    #[test]
    fn a_member_that_is_too_far_behind_begins_anew() {
        let mut group = Group::of(3);
        group.with(0, Member::stand);
        group.settle();
        for number in 0..10 {
            group.with(0, |leader, effects| _ = leader.propose(Some(number), effects));
            group.words.retain(|&(from, to, _)| from != 2 && to != 2);
            group.settle();
        }
        group.members[0].compact(9);
        group.with(0, Member::beat);
        group.settle();
        group.with(0, Member::beat);
        group.settle();
        assert_eq!((group.members[2].base(), group.members[2].last()), ((9, 1), 11));
        assert_eq!(group.members[0].committed(), 11);
        assert_eq!(group.members[2].committed(), 11);
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Whatever is lost, doubled and delivered late, and whoever stands or proposes: there is one leader in a term at the most, and
        /// two members never take different entries for committed (asserted wherever one acts). In the end, undisturbed, all agree.
        #[test]
        fn members_never_disagree_about_what_is_committed(
            replicas in 1_u32..6,
            steps in vec((0_u8..8, any::<prop::sample::Index>(), 0_u32..5), 0..200),
        ) {
            let mut group = Group::of(replicas);
            let mut leaders = BTreeMap::new();
            for (number, (step, place, member)) in (0..).zip(steps) {
                let member = member % replicas;
                match step {
                    0 => group.with(member, Member::stand),
                    1 => group.with(member, Member::beat),
                    2 => group.with(member, |member, effects| _ = member.propose(Some(number), effects)),
                    3 if !group.words.is_empty() => _ = group.words.remove(place.index(group.words.len())),
                    4 if !group.words.is_empty() => {
                        let again = group.words[place.index(group.words.len())].clone();
                        group.words.push_back(again);
                    }
                    5 => {
                        let committed = group.members[member as usize].committed();
                        group.members[member as usize].compact(committed.saturating_sub(2));
                    }
                    _ if !group.words.is_empty() => group.deliver(place.index(group.words.len())),
                    _ => {}
                }
                for (index, member) in (0..).zip(&group.members).filter(|(_, member)| member.is_leader()) {
                    let known: u32 = *leaders.entry(member.term).or_insert(index);
                    prop_assert_eq!(known, index, "two leaders in a term");
                }
            }
            group.settle();
            while group.leader().is_none() {
                (0..replicas).for_each(|member| { group.with(member, Member::stand); group.settle(); });
            }
            let leader = group.leader().expect("there is one");
            for _ in 0..3 {
                group.with(leader, Member::beat);
                group.settle();
            }
            group.with(leader, |leader, effects| _ = leader.propose(Some(u32::MAX), effects));
            group.settle();
            group.with(leader, Member::beat);
            group.settle();
            let lasts: Vec<_> = group.members.iter().map(|member| (member.last(), member.committed())).collect();
            prop_assert!(lasts.iter().all(|last| *last == lasts[0] && last.0 == last.1), "{lasts:?}");
        }
    }
}
