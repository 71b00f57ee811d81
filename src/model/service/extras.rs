//! What most services have not: a journal, somebody at the door.

use std::collections::BTreeMap;

use crate::model::journal::{Journal, Record, State};
use crate::process::{Observation, Outcome};

use super::door::Door;
use super::{Cx, Delivery, Envelope, Job, Service, ServiceSpec};

/// What most services have not.
#[derive(Debug)]
pub(super) struct Extras {
    /// What a crash could take, if the service has a state.
    journal: Option<Journal<Job>>,
    /// Who lets requests in, if not everybody may come.
    pub(super) door: Option<Door>,
}

impl Extras {
    /// Those of a new node that finds this on its disk, if it has any.
    pub(super) fn of(spec: &ServiceSpec, disk: &BTreeMap<u64, Vec<u8>>) -> Option<Box<Self>> {
        let has_state = spec.state != State::Elsewhere;
        (has_state || spec.is_guarded()).then(|| {
            let journal = has_state.then(|| Journal::new(disk));
            Box::new(Self { journal, door: Door::of(spec) })
        })
    }

    /// Says how much a crash would take, if that has changed.
    pub(super) fn show(&mut self, cx: &mut Cx<'_>) {
        if let Some(journal) = &mut self.journal
            && journal.at_risk != journal.shown
        {
            journal.shown = journal.at_risk;
            cx.observe(Observation::AtRisk { count: journal.at_risk });
        }
    }
}

impl Service {
    /// Who stands at the door, if anybody does.
    pub(super) fn door(&mut self) -> Option<&mut Door> {
        self.extras.as_mut()?.door.as_mut()
    }

    /// The service's journal, if it has one.
    pub(super) fn journal(&mut self) -> Option<&mut Journal<Job>> {
        self.extras.as_mut()?.journal.as_mut()
    }

    /// A request is over: what is learnt from that, and what is written down if the service keeps its state on disk.
    #[inline(never)]
    pub(super) fn finish_by_rule(&mut self, cx: &mut Cx<'_>, job: Job, outcome: Outcome) {
        let Some(extras) = &mut self.extras else { return };
        if let Some(door) = &mut extras.door {
            door.left(cx.now(), &job, outcome);
        }
        if let (Some(journal), Outcome::Done) = (&mut extras.journal, outcome) {
            let Envelope { number, call, .. } = job.envelope;
            let is_once = self.script.calls[usize::from(call)].policy.delivery == Delivery::ExactlyOnce;
            match self.spec.state {
                State::Elsewhere | State::Volatile => journal.at_risk += 1,
                State::Durable { .. } => {
                    let key = journal.place(is_once);
                    cx.persist(key, Record { caller: job.caller, number, call }.bytes());
                    return journal.wait(key, job);
                }
            }
        }
        self.conclude(cx, job, outcome);
    }
}
