//! What most services have not: a journal, somebody at the door.

use crate::base::id::NodeId;
use crate::model::envelope::Kind;
use crate::model::health::Attendance;
use crate::model::journal::{Journal, Record, State};
use crate::process::{Activity, Boot, Observation, Outcome};

use super::consumption::Consumption;
use super::door::Door;
use super::outbox::{self, Outbox};
use super::reading::Reading;
use super::saga::{self, Sagas};
use super::{Alarm, Cx, Delivery, Envelope, Job, Service, ServiceSpec};

/// What most services have not.
#[derive(Debug)]
pub(super) struct Extras {
    /// What a crash could take, if the service has a state.
    journal: Option<Journal<Job>>,
    /// Who lets requests in, if not everybody may come.
    pub(super) door: Option<Door>,
    /// What it does for those that want to know how it is.
    attendance: Option<Attendance>,
    /// What it consumes.
    pub(super) consumption: Option<Consumption>,
    /// What it reads.
    pub(super) reading: Option<Box<Reading>>,
    /// What it has to publish.
    pub(super) outbox: Option<Box<Outbox>>,
    /// The sagas it coordinates.
    pub(super) sagas: Option<Box<Sagas>>,
}

impl Extras {
    /// Those of a new node, if it has any.
    pub(super) fn of(spec: &ServiceSpec, boot: &Boot<'_>) -> Option<Box<Self>> {
        let has_state = spec.state != State::Elsewhere;
        let attends = !spec.duties.is_empty();
        let consumption = spec.consumes.map(|call| Consumption::new(call, boot.restarts));
        let reading = Reading::of(spec, boot);
        let has_work = consumption.is_some() || reading.is_some() || spec.coordinates;
        (has_state || spec.is_guarded() || attends || has_work).then(|| {
            let journal = has_state.then(|| Journal::new(boot.disk));
            let attendance = attends.then(|| Attendance::new(&spec.duties, boot.restarts));
            let (outbox, sagas) = (Outbox::of(spec, boot), Sagas::of(spec, boot));
            Box::new(Self { journal, door: Door::of(spec), attendance, consumption, reading, outbox, sagas })
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
        if let Some(outbox) = &mut self.outbox {
            outbox.show(cx);
        }
    }

    /// The node goes down without having heard that this write is synced: what that means.
    pub(super) fn unheard(&mut self, key: u64, state: &mut dyn FnMut(Observation)) {
        if outbox::is_row(key) {
            self.outbox.iter_mut().for_each(|outbox| outbox.unheard(key, state));
        } else if !saga::is_log(key)
            && let Some(journal) = &mut self.journal
        {
            // Whoever waited for that is not answered any more.
            let _ = journal.synced(key);
            state(Observation::AtRisk { count: journal.at_risk });
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
                    job.turns(cx, Activity::Stored);
                    let key = journal.place(is_once);
                    cx.persist(key, Record { caller: job.caller, number, call }.bytes());
                    return journal.wait(key, job);
                }
            }
        }
        self.conclude_and_tell(cx, job, outcome);
    }

    /// A request is over, and written down where it has to be. Whoever wants to know is told if nobody waits for a worker.
    pub(super) fn conclude_and_tell(&mut self, cx: &mut Cx<'_>, job: Job, outcome: Outcome) {
        self.conclude(cx, job, outcome);
        let is_idle = self.line.len() == 0 && self.has_free_worker();
        if let Some(attendance) = self.extras.as_mut().and_then(|extras| extras.attendance.as_mut())
            && is_idle
        {
            attendance.is_idle(&self.script, cx);
        }
    }

    /// The node has come up: its duties begin.
    #[inline]
    pub(super) fn attend(&mut self, cx: &mut Cx<'_>) {
        if let Some(attendance) = self.extras.as_mut().and_then(|extras| extras.attendance.as_mut()) {
            attendance.start(&self.script, cx);
        }
        self.subscribe(cx);
        self.begin_to_read(cx);
        self.open_outbox(cx);
        self.take_up_sagas(cx);
    }

    /// One of the alarms of its duties went off.
    #[cold]
    pub(super) fn attend_to(&mut self, cx: &mut Cx<'_>, alarm: Alarm) {
        let Some(attendance) = self.extras.as_mut().and_then(|extras| extras.attendance.as_mut()) else { return };
        match alarm {
            Alarm::Beat(watch) => attendance.beat(&self.script, cx, watch),
            Alarm::Gossip(watch) => attendance.woken(&self.script, cx, watch),
            _ => {}
        }
    }

    /// A message about who is up came: it is answered at once, whoever waits, as by a thread of its own.
    #[cold]
    pub(super) fn heard_of(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: &Envelope) {
        let is_sender = || {
            let watch = self.script.watches.get(usize::from(envelope.call));
            watch.is_some_and(|watch| watch.senders.place_of(cx.me).is_some())
        };
        match envelope.kind() {
            Kind::Probe => cx.send_sized(from, envelope.turned(Kind::Alive), 0),
            Kind::Gossip(_) if !is_sender() => {
                if let Some(attendance) = self.extras.as_mut().and_then(|extras| extras.attendance.as_mut()) {
                    attendance.heard(&self.script, cx, from, envelope);
                }
            }
            _ => self.caller.heard_of(&self.script, cx, from, envelope),
        }
    }
}
