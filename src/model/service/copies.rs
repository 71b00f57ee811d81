//! The copies of messages that a node has, found by the messages' names: for whoever takes one of them back.
//!
//! Most services are never asked for one, and keep no book of them: it is opened when the first is looked for.

use std::collections::{BTreeSet, VecDeque};

use super::ties::Word;
use super::{Cancel, Cx, Envelope, Job, NodeId, Outcome, Service, Slab};

/// The book of copies.
#[derive(Debug)]
pub(super) struct Copies {
    /// The places of jobs, by the luck and the number of their messages. Some are of jobs that are gone.
    places: BTreeSet<(u64, u32, u32)>,
    /// When there are more, those that are gone are taken out.
    limit: usize,
    /// Copies that were taken back before they arrived: the newest of them.
    pub(super) untied: VecDeque<Word>,
}

impl Copies {
    fn of(jobs: &Slab<Job>) -> Self {
        let mut copies = Self { places: BTreeSet::new(), limit: 0, untied: VecDeque::new() };
        copies.take_stock(jobs);
        copies
    }

    /// Every job that is there, and no other.
    fn take_stock(&mut self, jobs: &Slab<Job>) {
        let place = |(id, job): (u32, &Job)| (job.envelope.luck, job.envelope.number, id);
        self.places = jobs.iter().map(place).collect();
        self.limit = 2 * self.places.len() + 64;
    }
}

impl Service {
    /// The book of copies, which is kept from now on.
    pub(super) fn copies(&mut self) -> &mut Copies {
        self.copies.get_or_insert_with(|| {
            self.line.watch();
            Box::new(Copies::of(&self.jobs))
        })
    }

    /// A job has its place.
    #[inline(never)]
    pub(super) fn note_place(&mut self, id: u32) {
        let (Some(copies), Some(job)) = (&mut self.copies, self.jobs.get(id)) else { return };
        copies.places.insert((job.envelope.luck, job.envelope.number, id));
        if copies.places.len() > copies.limit {
            copies.take_stock(&self.jobs);
        }
    }

    /// A copy of the message of this luck and number that is like that.
    pub(super) fn find(&mut self, luck: u64, number: u32, is_meant: impl Fn(&Job) -> bool) -> Option<u32> {
        self.copies();
        let places = &self.copies.as_ref()?.places;
        let is_it = |job: &Job| (job.envelope.luck, job.envelope.number) == (luck, number) && is_meant(job);
        let mut found = places.range((luck, number, 0)..=(luck, number, u32::MAX)).map(|&(_, _, id)| id);
        found.find(|&id| self.jobs.get(id).is_some_and(is_it))
    }

    /// A request that is here, wherever it is, is over.
    pub(super) fn take_out(&mut self, cx: &mut Cx<'_>, id: u32, outcome: Outcome) {
        let Some(job) = self.jobs.get(id) else { return };
        let (has_begun, has_worker) = (job.began.is_some(), job.has_worker);
        if !has_worker {
            self.line.leave(id);
        }
        if has_begun {
            self.leave_share(cx, id);
            self.caller.forget(&self.script, cx, id);
            self.leave_outbox(id);
        }
        self.let_go_of(cx, id, outcome);
    }

    /// A caller has given up an attempt of one of its requests.
    pub(super) fn cancel(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: &Envelope) {
        let may_stop = self.call(envelope).policy.cancel == Cancel::Running;
        let is_meant = |job: &Job| {
            job.caller == from && job.envelope.attempt == envelope.attempt && (may_stop || job.began.is_none())
        };
        if let Some(id) = self.find(envelope.luck, envelope.number, is_meant) {
            self.take_out(cx, id, Outcome::Cancelled);
        }
    }
}
