//! Sagas: messages to several services that are to be done all, or undone, by a service that coordinates them.
//!
//! The legs of a saga go out one after the other. When one does not end well, those that may have been done are compensated, the last
//! one first, each until that has ended well, and the saga has failed. A leg may have been done unless every attempt that left was
//! answered with a failure: an answer that did not come says nothing.
//!
//! A coordinator that keeps its state on disk logs each leg before it goes out, and the end. What a crash has left open it
//! compensates when it comes up again, up to the leg that was logged last. One that keeps its state elsewhere forgets, and
//! what it had done stays half done. Each saga has a pair of places on the disk that are written in turn, for a crash may tear what is
//! being written: then the other place says how far it was before.

mod entry;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::random::mix;
use crate::base::time::{Span, secs};
use crate::model::caller::{Errand, nested_luck};
use crate::model::client::NOBODY;
use crate::model::given::Given;
use crate::model::journal::{PLACES, SAGAS, State};
use crate::model::script::{Compensation, Leg, Step};
use crate::model::task::Slab;
use crate::process::{Activity, Boot, Clock, Observation, Outcome, SagaFact, Steady};

use super::{Alarm, Cx, Service, ServiceSpec};
use entry::Entry;

/// Tasks from here on are sagas; requests have lower numbers.
const TASKS: u32 = 1 << 31;

/// How long after a disk had no room for the end of a saga that is written again.
const NO_ROOM: Span = secs(1);

/// Whether messages that were started for this task are those of a saga.
#[inline]
pub(super) fn is_task(task: u32) -> bool {
    task >= TASKS && task != NOBODY
}

/// Whether this is a place of sagas on the disk.
pub(super) fn is_log(key: u64) -> bool {
    (SAGAS..PLACES).contains(&key)
}

/// The sagas of one node.
#[derive(Debug)]
pub(super) struct Sagas {
    /// Whether it is told of a write when that is synced, if it writes.
    log: Option<bool>,
    life: u32,
    /// How many were started in this life.
    started: u32,
    open: Slab<Saga>,
    /// Whose a pair of places is.
    pairs: BTreeMap<u64, u32>,
    /// Pairs that are free, with the side that is written next, and how many there are.
    free: Vec<(u64, u64)>,
    count: u64,
    /// What was on the disk when the node came up.
    found: Vec<(u64, u64, Entry)>,
}

/// A saga that is not over.
#[derive(Debug)]
struct Saga {
    /// Its number in all lives.
    number: u64,
    legs: Arc<[Leg]>,
    /// Where its legs stand in the script.
    step: (u16, u16),
    luck: u64,
    /// A hash of what it is about, if the request that it is done for says that.
    about: Option<u64>,
    deadline: Option<Steady>,
    /// The request that waits for it, unless that has gone or was forgotten in a crash.
    job: Option<u32>,
    /// Whether no further leg is wanted.
    is_given_up: bool,
    has_begun: bool,
    /// Its pair of places and the side that is written next, if it is logged.
    pair: Option<(u64, u64)>,
    /// Compensations that went out in this life.
    tries: u32,
    stage: Stage,
}

/// What a saga waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Until it is on disk that this leg is next.
    Logging(u16),
    /// Until this leg has ended.
    Doing(u16),
    /// Until the compensation of this leg has ended.
    Undoing(u16),
    /// Until the compensation of this leg is tried again.
    Resting(u16),
    /// Until its end is on disk.
    Ending(SagaFact),
}

/// What a saga does next.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// Makes ready for this leg, if there is one.
    Log(u16),
    /// Does this leg.
    Do(u16),
    /// Compensates all legs before this one.
    Undo(u16),
    /// Writes down how it has ended.
    End(SagaFact),
    /// Is over.
    Over(SagaFact),
}

impl Sagas {
    /// Those of a node that finds this on its disk, if it coordinates any.
    pub(super) fn of(spec: &ServiceSpec, boot: &Boot<'_>) -> Option<Box<Self>> {
        let log = match spec.state {
            State::Durable { syncs_first } => Some(syncs_first),
            State::Elsewhere | State::Volatile => None,
        };
        let mut last: BTreeMap<u64, (u64, Entry)> = BTreeMap::new();
        let mut count = 0;
        for (&key, bytes) in boot.disk.range(SAGAS..PLACES) {
            let (pair, side) = ((key - SAGAS) / 2, (key - SAGAS) % 2);
            count = pair + 1;
            let Some(entry) = Entry::read(bytes) else { continue };
            if last.get(&pair).is_none_or(|(_, other)| other.order() < entry.order()) {
                last.insert(pair, (side, entry));
            }
        }
        let untouched = (0..count).filter(|pair| !last.contains_key(pair)).map(|pair| (pair, 0)).collect();
        spec.coordinates.then(|| {
            Box::new(Self {
                log,
                life: boot.restarts,
                started: 0,
                open: Slab::new(),
                pairs: BTreeMap::new(),
                free: untouched,
                count,
                found: last.into_iter().map(|(pair, (side, entry))| (pair, 1 - side, entry)).collect(),
            })
        })
    }

    /// A pair of places for a new saga, if it is logged.
    fn pair(&mut self) -> Option<(u64, u64)> {
        self.log?;
        Some(self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            (self.count - 1, 0)
        }))
    }

    fn add(&mut self, saga: Saga) -> u32 {
        let pair = saga.pair;
        let id = self.open.insert(saga);
        if let Some((pair, _)) = pair {
            self.pairs.insert(pair, id);
        }
        id
    }

    /// Whose place this is.
    fn at(&mut self, key: u64) -> Option<(u32, &mut Saga)> {
        let id = *self.pairs.get(&((key - SAGAS) / 2))?;
        Some((id, self.open.get_mut(id)?))
    }
}

impl Saga {
    /// Writes down how far it is, if it does.
    fn write(&mut self, cx: &mut Cx<'_>, entry: Entry) -> bool {
        let Some((pair, side)) = self.pair else { return false };
        cx.persist(SAGAS + 2 * pair + side, entry.bytes());
        true
    }

    /// The last leg before `end` that can be undone.
    fn to_undo(&self, end: u16) -> Option<(u16, Compensation)> {
        let before = self.legs.iter().take(end.into()).enumerate().rev();
        before.map(|(leg, spec)| (leg as u16, spec.compensation)).find_map(|(leg, undo)| Some((leg, undo?)))
    }
}

impl Service {
    fn sagas(&mut self) -> Option<&mut Sagas> {
        self.extras.as_mut()?.sagas.as_deref_mut()
    }

    fn saga(&mut self, id: u32) -> Option<&mut Saga> {
        self.sagas()?.open.get_mut(id)
    }

    /// A request begins a saga. How that ended, if it has.
    #[cold]
    pub(super) fn begin_saga(&mut self, cx: &mut Cx<'_>, job: u32, legs: Arc<[Leg]>) -> Option<Outcome> {
        let request = self.jobs.get(job)?;
        let passed = super::passed_on(&self.script, &self.spec, &request.envelope);
        let (step, deadline) = (request.progress.place(), request.deadline);
        let luck = mix(request.envelope.luck ^ mix(request.progress.attempt.into()));
        let Some(sagas) = self.sagas() else { return Some(Outcome::Failed) };
        let number = u64::from(sagas.life) << 32 | u64::from(sagas.started);
        sagas.started = sagas.started.wrapping_add(1);
        let pair = sagas.pair();
        let id = sagas.add(Saga {
            number,
            legs,
            step,
            luck,
            about: passed.and_then(|given| given.key),
            deadline,
            job: Some(job),
            is_given_up: false,
            has_begun: false,
            pair,
            tries: 0,
            stage: Stage::Doing(0),
        });
        self.go_on_with_saga(cx, id, Move::Log(0))
    }

    /// Goes on with a saga until it has to wait. How it ended, if it has.
    fn go_on_with_saga(&mut self, cx: &mut Cx<'_>, id: u32, mut next: Move) -> Option<Outcome> {
        loop {
            let sagas = self.sagas()?;
            let syncs_first = sagas.log == Some(true);
            let saga = sagas.open.get_mut(id)?;
            let number = saga.number;
            match next {
                Move::Log(leg) if saga.is_given_up => next = Move::Undo(leg),
                Move::Log(leg) if usize::from(leg) == saga.legs.len() => next = Move::End(SagaFact::Completed),
                Move::Log(leg) => {
                    let entry = Entry::Leg { number, leg, step: saga.step, luck: saga.luck, about: saga.about };
                    if saga.write(cx, entry) {
                        saga.stage = Stage::Logging(leg);
                        self.saga_turns(cx, id, Activity::Stored);
                        return None;
                    }
                    next = Move::Do(leg);
                }
                Move::Do(leg) => {
                    let is_kept = saga.pair.is_some() && syncs_first;
                    saga.stage = Stage::Doing(leg);
                    if !std::mem::replace(&mut saga.has_begun, true) {
                        cx.observe(Observation::Saga { saga: number, fact: SagaFact::Begun { is_kept } });
                    }
                    let (call, luck, deadline) = (saga.legs[usize::from(leg)].call, saga.luck, saga.deadline);
                    let outcome = self.send_for_saga(cx, id, call, (luck, 0), deadline)?;
                    next = self.after_leg(id, leg, outcome);
                }
                Move::Undo(end) => {
                    let Some((leg, undo)) = saga.to_undo(end) else {
                        next = if saga.has_begun {
                            Move::End(SagaFact::Compensated)
                        } else {
                            Move::Over(SagaFact::Compensated)
                        };
                        continue;
                    };
                    saga.stage = Stage::Undoing(leg);
                    saga.tries = saga.tries.saturating_add(1);
                    let (luck, tries) = (saga.luck, saga.tries);
                    cx.observe(Observation::Saga { saga: number, fact: SagaFact::Compensating });
                    // Another life has other luck.
                    let luck = mix(luck ^ mix(self.sagas().map_or(0, |sagas| sagas.life).into()));
                    match self.send_for_saga(cx, id, undo.call, (luck, tries), None)? {
                        Outcome::Done => next = Move::Undo(leg),
                        _ => {
                            self.rest(cx, id, leg);
                            return None;
                        }
                    }
                }
                Move::End(fact) => {
                    if saga.write(cx, Entry::End { number, fact }) {
                        saga.stage = Stage::Ending(fact);
                        self.saga_turns(cx, id, Activity::Stored);
                        return None;
                    }
                    next = Move::Over(fact);
                }
                Move::Over(fact) => {
                    if saga.has_begun {
                        cx.observe(Observation::Saga { saga: number, fact });
                    }
                    let sagas = self.sagas()?;
                    if let Some((pair, side)) = sagas.open.remove(id)?.pair {
                        sagas.pairs.remove(&pair);
                        sagas.free.push((pair, side));
                    }
                    return Some(if fact == SagaFact::Completed { Outcome::Done } else { Outcome::Failed });
                }
            }
        }
    }

    /// States what happens to the request that waits for a saga, and that what is offered next is offered for it; or of the node's own
    /// accord, if none waits.
    fn saga_turns(&mut self, cx: &mut Cx<'_>, id: u32, activity: Activity) {
        match self.saga(id).and_then(|saga| saga.job).and_then(|job| self.jobs.get(job)) {
            Some(job) => {
                job.acts(cx);
                job.turns(cx, activity);
            }
            None => cx.observe(Observation::OnBehalf { message: None }),
        }
    }

    /// Sends a message of a saga. How that ended, if it has.
    fn send_for_saga(
        &mut self,
        cx: &mut Cx<'_>,
        id: u32,
        call: u16,
        (luck, attempt): (u64, u32),
        inherited: Option<Steady>,
    ) -> Option<Outcome> {
        let about = self.saga(id)?.about;
        self.saga_turns(cx, id, Activity::Awaiting);
        let luck = nested_luck(luck, attempt, self.script.calls[usize::from(call)].name);
        let given = about.map(|key| Given { size: None, key: Some(key) });
        let (task, given) = (TASKS | id, given.as_ref());
        let errand = Errand { call, luck, inherited, task, late: Span::ZERO, member: None, given };
        self.caller.start(&self.script, cx, errand)
    }

    /// What follows the end of a leg.
    fn after_leg(&mut self, id: u32, leg: u16, outcome: Outcome) -> Move {
        match outcome {
            Outcome::Done => Move::Log(leg + 1),
            _ if self.caller.was_in_vain(TASKS | id) => Move::Undo(leg),
            _ => Move::Undo(leg + 1),
        }
    }

    /// The compensation of a leg has ended badly: it is tried again after a while.
    fn rest(&mut self, cx: &mut Cx<'_>, id: u32, leg: u16) {
        let Some(saga) = self.saga(id) else { return };
        let Some(Leg { compensation: Some(undo), .. }) = saga.legs.get(usize::from(leg)) else { return };
        let pause = undo.retry_every;
        saga.stage = Stage::Resting(leg);
        cx.set_timer(Clock::Steady, pause, Alarm::Saga(id));
    }

    /// Goes on with a saga, and with the request that it was done for if it has ended.
    fn pursue(&mut self, cx: &mut Cx<'_>, id: u32, next: Move) {
        let job = self.saga(id).and_then(|saga| saga.job);
        let outcome = self.go_on_with_saga(cx, id, next);
        match (job, outcome) {
            (Some(job), Some(Outcome::Done)) => self.go_on(cx, job),
            (Some(job), Some(outcome)) => self.fail(cx, job, outcome),
            _ => {}
        }
    }

    /// A message of a saga has ended.
    #[cold]
    pub(super) fn saga_heard(&mut self, cx: &mut Cx<'_>, task: u32, outcome: Outcome) {
        let id = task - TASKS;
        let Some(stage) = self.saga(id).map(|saga| saga.stage) else { return };
        match stage {
            Stage::Doing(leg) => {
                let next = self.after_leg(id, leg, outcome);
                self.pursue(cx, id, next);
            }
            Stage::Undoing(leg) if outcome == Outcome::Done => self.pursue(cx, id, Move::Undo(leg)),
            Stage::Undoing(leg) => self.rest(cx, id, leg),
            Stage::Logging(_) | Stage::Resting(_) | Stage::Ending(_) => {}
        }
    }

    /// A saga has waited for a while before it tries again.
    #[cold]
    pub(super) fn saga_rested(&mut self, cx: &mut Cx<'_>, id: u32) {
        match self.saga(id).map(|saga| saga.stage) {
            Some(Stage::Resting(leg)) => self.pursue(cx, id, Move::Undo(leg + 1)),
            Some(Stage::Ending(fact)) => self.pursue(cx, id, Move::End(fact)),
            _ => {}
        }
    }

    /// What a saga has written is written, or synced.
    #[cold]
    pub(super) fn saga_is_logged(&mut self, cx: &mut Cx<'_>, key: u64, is_synced: bool) {
        let Some(sagas) = self.sagas().filter(|sagas| sagas.log == Some(is_synced)) else { return };
        let Some((id, saga)) = sagas.at(key) else { return };
        let next = match saga.stage {
            Stage::Logging(leg) if saga.is_given_up => Move::Undo(leg),
            Stage::Logging(leg) => Move::Do(leg),
            Stage::Ending(fact) => Move::Over(fact),
            Stage::Doing(_) | Stage::Undoing(_) | Stage::Resting(_) => return,
        };
        saga.pair = saga.pair.map(|(pair, side)| (pair, 1 - side));
        self.pursue(cx, id, next);
    }

    /// The disk has no room for what a saga has written: a leg that cannot be logged is not done.
    #[cold]
    pub(super) fn saga_is_refused(&mut self, cx: &mut Cx<'_>, key: u64) {
        let Some((id, saga)) = self.sagas().and_then(|sagas| sagas.at(key)) else { return };
        match saga.stage {
            Stage::Logging(leg) => self.pursue(cx, id, Move::Undo(leg)),
            Stage::Ending(_) => {
                cx.set_timer(Clock::Steady, NO_ROOM, Alarm::Saga(id));
            }
            Stage::Doing(_) | Stage::Undoing(_) | Stage::Resting(_) => {}
        }
    }

    /// A request goes that waited for a saga: what was done of it is compensated.
    pub(super) fn leave_saga(&mut self, cx: &mut Cx<'_>, job: u32) {
        let Some(sagas) = self.sagas() else { return };
        let Some(id) = sagas.open.iter().find(|(_, saga)| saga.job == Some(job)).map(|(id, _)| id) else { return };
        let Some(saga) = sagas.open.get_mut(id) else { return };
        saga.job = None;
        saga.is_given_up = true;
        if let Stage::Doing(leg) = saga.stage {
            self.caller.forget(&self.script, cx, TASKS | id);
            self.pursue(cx, id, Move::Undo(leg + 1));
        }
    }

    /// The node has come up, perhaps with sagas on its disk.
    #[cold]
    pub(super) fn take_up_sagas(&mut self, cx: &mut Cx<'_>) {
        let Some(sagas) = self.sagas() else { return };
        for (pair, side, entry) in std::mem::take(&mut sagas.found) {
            let Some(sagas) = self.extras.as_mut().and_then(|extras| extras.sagas.as_deref_mut()) else { return };
            let Entry::Leg { number, leg, step, luck, about } = entry else {
                if let Entry::End { number, fact } = entry {
                    cx.observe(Observation::Saga { saga: number, fact });
                }
                sagas.free.push((pair, side));
                continue;
            };
            let program = self.script.programs.get(usize::from(step.0));
            let Some(Step::Saga(legs)) = program.and_then(|program| program.steps.get(usize::from(step.1))) else {
                sagas.free.push((pair, side));
                continue;
            };
            cx.observe(Observation::Saga { saga: number, fact: SagaFact::Resumed });
            let id = sagas.add(Saga {
                number,
                legs: Arc::clone(legs),
                step,
                luck,
                about,
                deadline: None,
                job: None,
                is_given_up: true,
                has_begun: true,
                pair: Some((pair, side)),
                tries: 0,
                stage: Stage::Doing(leg),
            });
            self.pursue(cx, id, Move::Undo(leg + 1));
        }
    }
}
