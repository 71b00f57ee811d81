//! Who comes in, who waits and for how long, who makes room: whatever a service asks beyond "is there room?".
//!
//! What is here is asked only by services whose queue or door has rules; all others pass it by.

use crate::base::id::Entity;
use crate::base::random::Stream;
use crate::model::Alarm;
use crate::model::clock::time;
use crate::model::line::Turn;
use crate::process::{Clock, Outcome, TurnedAway};
use crate::protocol::queue::Waiting;
use crate::protocol::shed::Arriving;

use super::{Cx, Envelope, Job, Service, ServiceSpec};

/// How many requests a node works on at most; how many of them come in without a question; how many wait without one.
pub(super) fn doors(spec: &ServiceSpec) -> (u32, u32, u32) {
    let workers = spec.workers.filter(|_| !spec.shares_workers).map_or(u32::MAX, |workers| workers.get());
    if spec.is_guarded() || (spec.shares_workers && spec.queue.limit.is_some()) {
        return (workers, 0, 0);
    }
    let has_rule = spec.queue.counts_present || spec.queue.makes_room.is_some();
    (workers, workers, spec.queue.limit.map_or(u32::MAX, |limit| if has_rule { 0 } else { limit }))
}

/// What a request's luck at a queue is for: steps of programs draw from lower places.
#[derive(Clone, Copy, Debug)]
enum Luck {
    /// Its turn.
    Order = 1,
    /// How long it may wait.
    Patience = 2,
    /// Whether it is turned away.
    Entry = 3,
}

impl Service {
    /// A request is looked at before it comes in.
    #[cold]
    #[inline(never)]
    pub(super) fn admit_by_rule(&mut self, cx: &mut Cx<'_>, job: Job) {
        let turned_away = if self.spec.queue.tells { Outcome::Rejected } else { Outcome::Discarded };
        if let Some(why) = self.who_refuses(cx, &job) {
            return self.turn_away(cx, job, turned_away, why);
        }
        let is_free = self.spec.workers.is_none_or(|workers| self.busy < workers.get());
        if !is_free && !self.has_room() {
            let priority = self.call(&job.envelope).priority;
            let Some(other) = self.line.make_room(priority) else {
                return self.turn_away(cx, job, turned_away, TurnedAway::QueueFull);
            };
            self.let_go_unserved(cx, other, turned_away, TurnedAway::QueueFull);
        }
        if let Some(door) = self.door() {
            door.entered(&job);
        }
        self.note_entry(cx, &job);
        if self.has_free_worker() { self.begin(cx, job) } else { self.wait(cx, job) }
    }

    fn has_room(&self) -> bool {
        let present = if self.spec.queue.counts_present { self.busy } else { 0 };
        self.spec.queue.limit.is_none_or(|limit| self.line.len() + present < limit)
    }

    /// Who stands at the door and does not let a request in, if somebody does not.
    fn who_refuses(&mut self, cx: &Cx<'_>, job: &Job) -> Option<TurnedAway> {
        let priority = self.call(&job.envelope).priority;
        let arriving = Arriving {
            waiting: self.line.len(),
            busy: self.busy,
            workers: self.spec.workers.map(Into::into),
            priority,
            left: job.deadline.map(|deadline| deadline.since(cx.now())),
        };
        let luck = self.luck(&job.envelope, Luck::Entry);
        let draw = || luck.clone().draw();
        self.door().and_then(|door| door.refuses(cx.now(), &arriving, draw))
    }

    fn turn_away(&mut self, cx: &mut Cx<'_>, job: Job, outcome: Outcome, why: TurnedAway) {
        job.is_let_go(cx, why);
        self.refuse(cx, &job, outcome);
        self.advance_lane(cx, job.caller, job.envelope, outcome);
    }

    /// A worker would begin with a request whose deadline has passed.
    #[cold]
    pub(super) fn expire_unserved(&mut self, cx: &mut Cx<'_>, job: Job) {
        job.is_let_go(cx, TurnedAway::ExpiredUnserved);
        self.finish(cx, job, Outcome::Expired);
    }

    /// A request joins a queue that has rules.
    #[cold]
    #[inline(never)]
    pub(super) fn wait_by_rule(&mut self, cx: &mut Cx<'_>, id: u32) {
        self.note_place(id);
        let Some(job) = self.jobs.get_mut(id) else { return };
        let (envelope, deadline, now) = (job.envelope, job.deadline, cx.now());
        let queue = &self.spec.queue;
        let patience = queue.time_to_live.as_ref().map(|law| {
            if law.is_constant() { law.minimum() } else { law.sample(self.luck(&envelope, Luck::Patience).draw()) }
        });
        let mut expires = patience.map(|patience| now + patience);
        if queue.expires_at_once {
            expires = expires.into_iter().chain(deadline).min();
            let timer = expires.map(|at| cx.set_timer(Clock::Steady, at.since(now), Alarm::Expire(id)));
            if let Some(job) = self.jobs.get_mut(id) {
                job.timer = timer;
            }
        }
        let priority = self.call(&envelope).priority;
        let item = Waiting { id, since: time(now), priority, deadline: deadline.map(time) };
        let mut luck = self.luck(&envelope, Luck::Order);
        self.line.join_by_rule(item, expires.map(time), || luck.draw());
    }

    /// A turn that is not simply that of whoever came first. Whether there may be another.
    #[cold]
    #[inline(never)]
    pub(super) fn pull_by_rule(&mut self, cx: &mut Cx<'_>, turn: Turn) -> bool {
        match turn {
            Turn::New(id) | Turn::InTime(id) => {
                if let Some(mut job) = self.jobs.remove(id) {
                    if let Some(timer) = job.timer.take() {
                        cx.cancel_timer(timer);
                    }
                    self.begin(cx, job);
                }
            }
            Turn::Again(id) => self.go_on(cx, id),
            Turn::Shed(id) => {
                let outcome = if self.spec.queue.tells { Outcome::Rejected } else { Outcome::Discarded };
                self.let_go_unserved(cx, id, outcome, TurnedAway::QueueDropped);
            }
            Turn::Expired(id) => self.let_go_unserved(cx, id, Outcome::Expired, TurnedAway::ExpiredUnserved),
            Turn::Share => return self.share_freed(),
        }
        true
    }

    /// A request has waited too long.
    #[cold]
    #[inline(never)]
    pub(super) fn expire(&mut self, cx: &mut Cx<'_>, id: u32) {
        if let Some(job) = self.jobs.get_mut(id) {
            job.timer = None;
            job.is_let_go(cx, TurnedAway::ExpiredUnserved);
        }
        self.take_out(cx, id, Outcome::Expired);
    }

    /// A request that waited, and is out of the line, is over without having had a worker.
    fn let_go_unserved(&mut self, cx: &mut Cx<'_>, id: u32, outcome: Outcome, why: TurnedAway) {
        if let Some(job) = self.jobs.get(id) {
            job.is_let_go(cx, why);
        }
        self.let_go_of(cx, id, outcome);
    }

    /// A request that nobody works on and that is out of the line is over.
    pub(super) fn let_go_of(&mut self, cx: &mut Cx<'_>, id: u32, outcome: Outcome) {
        if let Some(timer) = self.jobs.get_mut(id).and_then(|job| job.timer.take()) {
            cx.cancel_timer(timer);
        }
        self.end(cx, id, outcome);
    }

    /// Draws of one request at this queue.
    fn luck(&self, envelope: &Envelope, luck: Luck) -> Stream {
        let position = 1 << 63 | (luck as u64) << 56 | u64::from(envelope.attempt) << 32;
        self.script.keys.demand.stream(Entity::from_bits(envelope.luck), position)
    }
}
