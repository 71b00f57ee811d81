//! What a sender knows of the members of a group: who is up, as far as it can tell.
//!
//! Two sources speak against a member: checks (probes that it does not answer, heartbeats that do not come, others that have
//! found it dead), and the ends of its requests. It is up if neither does. Where too few are up all count as up: checks that
//! take everybody for down are more likely wrong than right, and somebody has to be asked.
//!
//! Suspicion by gossip does not count before it is sure (as in memberlist and Consul): a suspected member has time to object.

mod attendance;
mod circle;
mod clock;
mod spec;

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::process::{Flow, GuardFact, Observation};
use crate::protocol::health::{Change, Detect, Detector, Ejection, HealthPolicy, Opinion, Probe, Wake};

use super::Alarm;
use super::caller::Cx;
use super::envelope::{Envelope, Kind};
use super::script::Script;
use circle::{Circle, News};
use clock::{WakeUp, now, share_of};

pub(super) use attendance::Attendance;
pub use spec::{Duties, HealthSpec, Watch};

/// What one sender knows of the members of one group.
#[derive(Debug)]
pub(super) struct Health {
    watch: u16,
    checks: Checks,
    ejection: Option<Ejection>,
    /// What speaks against each member.
    against: Box<[u8]>,
    /// How many members nothing speaks against, and how many have to be left for that to count.
    up: u32,
    least: u32,
    wake_up: WakeUp,
}

/// Checks speak against a member.
const CHECKED: u8 = 1;
/// The ends of its requests do.
const EJECTED: u8 = 2;

/// How members are looked at.
#[derive(Debug)]
enum Checks {
    None,
    Probes {
        probes: Box<[Probe]>,
        /// When something is due of whom.
        due: BTreeSet<(Time, u32)>,
        /// Added to the numbers of probes, to tell them from those of earlier lives.
        first: u64,
    },
    Heartbeats(Box<[Detector]>),
    Gossip(Box<Circle>),
}

impl Health {
    /// Begins to watch, all members being up; `alarm` is to be handed to [`Health::woken`]. Nothing if there is nothing to
    /// know.
    pub(super) fn begin(script: &Script, cx: &mut Cx<'_>, watch: u16, lives: u32, alarm: Alarm) -> Option<Self> {
        let spec = &script.watches[usize::from(watch)];
        let members = NonZeroU32::new(spec.target(script).len).filter(|_| !spec.health.is_idle())?;
        let mut wake_up = WakeUp::new(alarm);
        let checks = match &spec.health.checks {
            None => Checks::None,
            Some(HealthPolicy::Probe(settings)) => {
                let mut probe = |_| Probe::new(settings, now(cx) + share_of(cx, settings.interval), true);
                let probes: Box<[_]> = (0..members.get()).map(&mut probe).collect();
                let due: BTreeSet<_> = (0..).zip(&probes).map(|(member, probe)| (probe.next(), member)).collect();
                wake_up.set(cx, due.first().map(|due| due.0));
                Checks::Probes { probes, due, first: u64::from(lives) << 32 }
            }
            Some(HealthPolicy::Detector(policy)) => {
                let watches: Box<[_]> = (0..members.get()).map(|_| policy.watch(now(cx))).collect();
                wake_up.set(cx, watches.iter().filter_map(Detect::deadline).min());
                Checks::Heartbeats(watches)
            }
            Some(HealthPolicy::Swim(_)) => match Circle::join(script, cx, watch, lives, alarm) {
                None => Checks::None,
                Some(circle) => Checks::Gossip(Box::new(circle)),
            },
        };
        let least = spec.health.panic_threshold.value() * f64::from(members.get());
        Some(Self {
            watch,
            checks,
            ejection: spec.health.ejection.as_ref().map(|settings| Ejection::new(settings, members, now(cx))),
            against: vec![0; members.get() as usize].into(),
            up: members.get(),
            // What a share leaves of a whole number is rounding.
            least: (libm::ceil(least - 1e-9) as u32).max(1),
            wake_up,
        })
    }

    /// Whether a member is up, or counts as that because too few are.
    #[inline]
    pub(super) fn is_up(&self, member: usize) -> bool {
        self.panics() || self.against[member] == 0
    }

    /// Whether all count as up, because too few are.
    pub(super) fn panics(&self) -> bool {
        self.up < self.least
    }

    /// A message came that says something of its sender.
    pub(super) fn heard(&mut self, script: &Script, cx: &mut Cx<'_>, from: NodeId, envelope: &Envelope) {
        let Some(member) = script.watches[usize::from(self.watch)].target(script).place_of(from) else {
            // Another sender's word.
            if let Checks::Gossip(circle) = &mut self.checks {
                let news = circle.heard(script, cx, from, envelope);
                self.believe(script, cx, &news);
            }
            return;
        };
        let (place, time) = (member as usize, now(cx));
        match &mut self.checks {
            Checks::None => {}
            Checks::Probes { probes, due, .. } => {
                if envelope.kind() != Kind::Alive {
                    return;
                }
                let before = probes[place].next();
                let change = probes[place].answered(envelope.number, true, time);
                due.remove(&(before, member));
                due.insert((probes[place].next(), member));
                let next = due.first().map(|due| due.0);
                self.wake_up.set(cx, next);
                self.change(script, cx, member, change);
            }
            Checks::Heartbeats(watches) => {
                watches[place].heard(time);
                let deadline = watches[place].deadline();
                self.wake_up.set(cx, deadline);
                self.mark(script, cx, member, CHECKED, false);
            }
            Checks::Gossip(circle) => {
                let news = circle.heard(script, cx, from, envelope);
                self.believe(script, cx, &news);
            }
        }
    }

    /// Its alarm went off.
    pub(super) fn woken(&mut self, script: &Script, cx: &mut Cx<'_>) {
        let time = now(cx);
        self.wake_up.fired(cx);
        match &self.checks {
            Checks::None => {}
            Checks::Probes { .. } => self.probe(script, cx),
            Checks::Heartbeats(watches) => {
                let is_silent = |(member, watch): &(u32, &Detector)| {
                    self.against[*member as usize] & CHECKED == 0 && watch.suspects(time)
                };
                let silent: Vec<_> = (0..).zip(watches).filter(is_silent).map(|(member, _)| member).collect();
                silent.into_iter().for_each(|member| self.mark(script, cx, member, CHECKED, true));
            }
            Checks::Gossip(_) => self.gossip(script, cx),
        }
        if let Some(ejection) = &mut self.ejection {
            let mut changes = Vec::new();
            ejection.sweep(time, |member, is_ejected| changes.push((member as u32, is_ejected)));
            changes.into_iter().for_each(|(member, is_down)| self.mark(script, cx, member, EJECTED, is_down));
        }
        self.set_wake_up(cx);
    }

    /// A request to a member has ended, well or not.
    pub(super) fn judge(&mut self, script: &Script, cx: &mut Cx<'_>, member: u32, is_well: bool) {
        let Some(ejection) = &mut self.ejection else { return };
        let is_ejected = ejection.done(member as usize, is_well, now(cx));
        let sweep = ejection.next();
        self.wake_up.set(cx, sweep);
        if is_ejected {
            self.mark(script, cx, member, EJECTED, true);
        }
    }

    /// Asks whom it is time to ask, and stops waiting for whom it is time to.
    fn probe(&mut self, script: &Script, cx: &mut Cx<'_>) {
        let spec = &script.watches[usize::from(self.watch)];
        let (target, time) = (spec.target(script), now(cx));
        loop {
            let Checks::Probes { probes, due, first } = &mut self.checks else { return };
            let Some(&(_, member)) = due.first().filter(|due| due.0 <= time) else { return };
            due.pop_first();
            let probe = &mut probes[member as usize];
            let wake = probe.wake(time);
            due.insert((probe.next(), member));
            match wake {
                Wake::Nothing => {}
                Wake::TimedOut(change) => self.change(script, cx, member, change),
                Wake::Ask(number) => {
                    let luck = spec.luck(script, cx.name().bits(), member, *first + u64::from(number));
                    let envelope = Envelope::new(Kind::Probe, luck, number, self.watch, 1);
                    cx.send_sized(target.member(member as usize), envelope, 0);
                }
            }
        }
    }

    /// It is this node's turn in its circle.
    fn gossip(&mut self, script: &Script, cx: &mut Cx<'_>) {
        let Checks::Gossip(circle) = &mut self.checks else { return };
        let news = circle.woken(script, cx);
        self.believe(script, cx, &news);
    }

    /// The earliest time at which something is due.
    fn set_wake_up(&mut self, cx: &mut Cx<'_>) {
        let checks = match &self.checks {
            // A circle wakes itself.
            Checks::None | Checks::Gossip(_) => None,
            Checks::Probes { due, .. } => due.first().map(|due| due.0),
            Checks::Heartbeats(watches) => {
                let trusted = watches.iter().zip(&self.against).filter(|(_, against)| **against & CHECKED == 0);
                trusted.filter_map(|(watch, _)| watch.deadline()).min()
            }
        };
        let sweep = self.ejection.as_ref().and_then(Ejection::next);
        self.wake_up.set(cx, checks.into_iter().chain(sweep).min());
    }

    fn change(&mut self, script: &Script, cx: &mut Cx<'_>, member: u32, change: Option<Change>) {
        if let Some(change) = change {
            self.mark(script, cx, member, CHECKED, change == Change::Down);
        }
    }

    fn believe(&mut self, script: &Script, cx: &mut Cx<'_>, news: &News) {
        let members = self.against.len();
        for &(member, opinion) in news.iter().filter(|(member, _)| (*member as usize) < members) {
            self.mark(script, cx, member, CHECKED, opinion == Opinion::Dead);
        }
    }

    /// Something speaks against a member, or does so no more.
    fn mark(&mut self, script: &Script, cx: &mut Cx<'_>, member: u32, what: u8, is_down: bool) {
        let against = &mut self.against[member as usize];
        let (was_up, is_new) = (*against == 0, is_down && *against & what == 0);
        *against = if is_down { *against | what } else { *against & !what };
        let is_up = *against == 0;
        if is_new {
            let watch = &script.watches[usize::from(self.watch)];
            let flow = Flow(script.calls[usize::from(watch.call)].flow);
            let fact = if what == EJECTED { GuardFact::Ejected } else { GuardFact::TakenForDown };
            cx.observe(Observation::Guarded { flow, fact });
        }
        if was_up == is_up {
            return;
        }
        if is_up {
            self.up += 1
        } else {
            self.up -= 1
        }
        let spec = &script.watches[usize::from(self.watch)];
        let member = spec.target(script).member(member as usize);
        let calls = script.calls.iter().filter(|call| call.route == spec.route);
        let mut flows: Vec<_> = calls.map(|call| call.flow).collect();
        flows.sort_unstable();
        flows.dedup();
        for flow in flows.into_iter().map(Flow) {
            cx.observe(match is_up {
                true => Observation::Trusted { flow, member },
                false => Observation::Suspected { flow, member },
            });
        }
    }
}
