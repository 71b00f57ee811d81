//! What most services have not: a journal, somebody at the door.

use std::collections::BTreeMap;

use crate::base::random::Uniform;
use crate::model::journal::{Journal, Record, State};
use crate::process::{Observation, Outcome};
use crate::protocol::shed::{AnyShed, Arriving, Shed};

use super::{Cx, Delivery, Envelope, Job, Service, ServiceSpec};

/// What most services have not.
#[derive(Debug)]
pub(super) struct Extras {
    /// What a crash could take, if the service has a state.
    journal: Option<Journal<Job>>,
    shed: Option<AnyShed>,
}

impl ServiceSpec {
    /// Whether somebody looks at every request before it comes in.
    pub(super) fn is_guarded(&self) -> bool {
        self.shed.is_some()
    }
}

impl Extras {
    /// Those of a new node that finds this on its disk, if it has any.
    pub(super) fn of(spec: &ServiceSpec, disk: &BTreeMap<u64, Vec<u8>>) -> Option<Box<Self>> {
        let has_state = spec.state != State::Elsewhere;
        (has_state || spec.is_guarded()).then(|| {
            let journal = has_state.then(|| Journal::new(disk));
            Box::new(Self { journal, shed: spec.shed.as_ref().map(|policy| policy.start()) })
        })
    }

    /// Whether a request is let in.
    pub(super) fn admits(&mut self, arriving: &Arriving, draw: impl Fn() -> Uniform) -> bool {
        self.shed.as_mut().is_none_or(|shed| shed.admits(arriving, draw))
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
    /// The service's journal, if it has one.
    pub(super) fn journal(&mut self) -> Option<&mut Journal<Job>> {
        self.extras.as_mut()?.journal.as_mut()
    }

    /// A request is over: what is learnt from that, and what is written down if the service keeps its state on disk.
    #[inline(never)]
    pub(super) fn finish_by_rule(&mut self, cx: &mut Cx<'_>, job: Job, outcome: Outcome) {
        let Some(extras) = &mut self.extras else { return };
        if let (Some(shed), Some(began), Outcome::Done) = (&mut extras.shed, job.began, outcome) {
            shed.served(cx.now().since(began));
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
