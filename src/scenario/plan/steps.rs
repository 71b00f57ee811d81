//! Steps: from what is written to programs.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::FlowSpec;
use super::distribution::times;
use super::patterns::outbox_of;
use super::roles::{Planner, Sender};
use crate::base::distribution::Distribution;
use crate::metrics::Correctness;
use crate::model::{self, Branch, Choice, Copies, Delivery, Gathering, Program};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Origin};
use crate::scenario::schema::{FanOut, Step, Steps, Verb, WaitFor, Way};

/// The most steps of a program, repeated ones counted each time: a message's luck has room for the place of its step.
const STEPS_MAX: usize = 10_000;

impl Planner<'_> {
    /// The program of a group or an entry: its steps, or its only one.
    pub(super) fn program(&mut self, sender: &Sender<'_>, steps: Option<&Steps>, own: &Step) -> Program {
        let (mut program, flows, calls) = (Vec::new(), self.flows.len(), self.calls.len());
        match steps {
            Some(steps) => {
                if steps.value.is_empty() {
                    self.mistakes
                        .push(Diagnostic::error("no steps").at(steps.origin, "leave the key out, or write a step"));
                }
                self.steps(sender, steps, "", &mut program);
            }
            None => self.step(sender, own, "0", &mut program),
        }
        if let Some(steps) = steps {
            self.refuse_the_endless(&program, steps.origin);
        }
        let flow = (sender.is_client && self.is_whole(&program)).then(|| self.whole(sender, flows, calls));
        Program { steps: program, flow }
    }

    /// Whether a client knows how its request ends, and that is more than how one message ends.
    fn is_whole(&self, program: &[model::Step]) -> bool {
        let is_told = |call: u16| {
            let call = &self.calls[usize::from(call)];
            call.is_request || call.policy.delivery != Delivery::AtMostOnce
        };
        let is_awaited = |step: &model::Step| match step {
            model::Step::Message { call, wait } => *wait && is_told(*call),
            model::Step::Gather(gathering) => {
                gathering.wait && gathering.branches.iter().any(|branch| is_told(branch.call))
            }
            _ => false,
        };
        !matches!(program, [] | [model::Step::Message { .. }]) && program.iter().any(is_awaited)
    }

    /// The flow of a client's whole requests. Those of its messages, which are the newest from these places on, are parts of it.
    fn whole(&mut self, sender: &Sender<'_>, flows: usize, calls: usize) -> u16 {
        let parts = self.flows.split_off(flows);
        let whole = self.flow(FlowSpec {
            caller: sender.group.into(),
            entry: sender.entry.map(Into::into),
            callee: String::new(),
            is_client: true,
            correctness: Correctness::Answered,
            is_call: true,
        });
        let part = |spec| self.flow(FlowSpec { entry: None, is_client: false, ..spec });
        let parts: Vec<u16> = parts.into_iter().map(part).collect();
        for call in &mut self.calls[calls..] {
            let part = usize::from(call.flow).checked_sub(flows).and_then(|part| parts.get(part));
            call.flow = part.copied().unwrap_or_default();
        }
        whole
    }

    /// Adds steps that follow each other; `path` leads to the list.
    fn steps(&mut self, sender: &Sender<'_>, steps: &Steps, path: &str, program: &mut Vec<model::Step>) {
        for (position, step) in steps.value.iter().enumerate() {
            self.step(sender, &step.value, &format!("{path}{position}"), program);
        }
    }

    fn step(&mut self, sender: &Sender<'_>, step: &Step, path: &str, program: &mut Vec<model::Step>) {
        let Some(verb) = step.verb() else { return };
        match verb {
            Verb::Work(work) if sender.is_client => self.mistakes.push(
                Diagnostic::error("a client does not work").at(work.origin, "only services do; use `sleep` or `think`"),
            ),
            Verb::Work(law) => program.extend(self.law(times(law)).map(model::Step::Work)),
            Verb::Sleep(law) => program.extend(self.law(times(law)).map(model::Step::Sleep)),
            Verb::Fail(share) => program.push(model::Step::Fail(share.value.0)),
            Verb::Call(target) | Verb::Send(target) => {
                let Some((call, nodes)) = self.sent_or_asked(sender, step, target, verb, path) else { return };
                let wait = step.wait.as_ref().is_none_or(|wait| wait.value);
                program.extend(match self.copies(step, call, nodes) {
                    Some(Copies::One) => Some(model::Step::Message { call, wait }),
                    Some(copies) => self.gather(step, vec![Branch { call, copies }]),
                    None => None,
                });
            }
            Verb::Publish(to, _) => {
                let relayed = outbox_of(sender, step);
                // What a relay does not heed is no part of a policy that could be wrong.
                if let Some((outbox, polling)) = relayed
                    && !self.outbox(sender, step, outbox, polling)
                {
                    return;
                }
                let Some(call) = self.published(sender, step, to, path) else { return };
                if let Some((outbox, _)) = relayed {
                    if self.calls[usize::from(call)].policy.delivery == Delivery::AtMostOnce {
                        let message =
                            "what goes through an outbox is published until it is confirmed: not at most once";
                        self.mistakes
                            .push(Diagnostic::error(message).at(outbox.origin, "").at(to.origin, "published here"));
                    }
                    program.push(model::Step::Outbox(call));
                    return;
                }
                let wait = step.wait.as_ref().is_none_or(|wait| wait.value);
                program.push(model::Step::Message { call, wait });
            }
            Verb::Parallel(branches) => {
                let mut planned = Vec::new();
                for (position, branch) in branches.value.iter().enumerate() {
                    let place = format!("{path}.{position}");
                    let (target, verb) = match branch.verb() {
                        Some(verb @ (Verb::Call(target) | Verb::Send(target))) => (target, verb),
                        Some(Verb::Publish(to, _)) => {
                            if let Some((outbox, _)) = outbox_of(sender, branch) {
                                let message = "what goes out at once does not go through an outbox";
                                self.mistakes.push(
                                    Diagnostic::error(message)
                                        .at(outbox.origin, "")
                                        .help("write it as a step of its own"),
                                );
                            }
                            let call = self.published(sender, &branch.value, to, &place);
                            planned.extend(call.map(|call| Branch { call, copies: Copies::One }));
                            continue;
                        }
                        _ => continue,
                    };
                    let Some((call, nodes)) = self.sent_or_asked(sender, &branch.value, target, verb, &place) else {
                        continue;
                    };
                    planned.extend(self.copies(&branch.value, call, nodes).map(|copies| Branch { call, copies }));
                }
                program.extend(self.gather(step, planned));
            }
            Verb::Saga(legs) => program.extend(self.saga(sender, legs, path)),
            Verb::Choose(ways) => {
                if ways.is_empty() {
                    self.mistakes.push(Diagnostic::error("nothing to choose from").at(ways.origin, ""));
                    return;
                }
                self.choose(sender, ways.iter(), path, program);
            }
            Verb::Repeat(repeat) => {
                let mut first = None;
                for time in 0..repeat.times.get() {
                    let (calls, routes) = (self.calls.len(), self.routes.len());
                    self.steps(sender, &repeat.steps, &format!("{path}.{time}."), program);
                    // What waits for each other waits for the same step, however often that is repeated.
                    match first.clone() {
                        None => first = Some(calls..self.calls.len()),
                        Some(first) if first.len() == self.calls.len() - calls => {
                            for (call, same) in (calls..self.calls.len()).zip(first) {
                                self.calls[call].route = self.calls[same].route;
                            }
                            self.routes.truncate(routes);
                            self.kept.truncate(routes);
                        }
                        Some(_) => {}
                    }
                    if self.refuse_the_endless(program, repeat.origin) {
                        return;
                    }
                }
            }
        }
    }

    /// Whether a program has become too long, which is a mistake, though only one.
    fn refuse_the_endless(&mut self, program: &[model::Step], origin: Origin) -> bool {
        let is_too_long = program.len() > STEPS_MAX;
        if is_too_long {
            self.refuse_once(format!("more than {STEPS_MAX} steps, each repeated one counted"), origin, "these steps");
        }
        is_too_long
    }

    /// A mistake that is the same at many places, and is said at the first of them.
    pub(super) fn refuse_once(&mut self, message: String, origin: Origin, label: &str) {
        if self.mistakes.iter().all(|known| known.message != message) {
            self.mistakes.push(Diagnostic::error(message).at(origin, label));
        }
    }

    /// The ways stand one after the other; from the end of each a jump leads to what follows all of them.
    fn choose<'s>(
        &mut self,
        sender: &Sender<'_>,
        ways: impl Iterator<Item = (&'s Located<crate::scenario::schema::Name>, &'s Way)>,
        path: &str,
        program: &mut Vec<model::Step>,
    ) {
        let start = program.len();
        program.push(model::Step::Jump(0));
        let (mut entries, mut ends) = (Vec::new(), Vec::new());
        for (name, way) in ways {
            entries.push((way.weight.value(), program.len() as u16));
            self.steps(sender, &way.steps, &format!("{path}.{}.", name.as_str()), program);
            if self.refuse_the_endless(program, name.origin) {
                return;
            }
            ends.push(program.len());
            program.push(model::Step::Jump(0));
        }
        let after = program.len() as u16;
        ends.into_iter().for_each(|end| program[end] = model::Step::Jump(after));
        program[start] = model::Step::Choose(Choice::weighted(entries));
    }

    fn law(&mut self, law: Result<Distribution, Diagnostic>) -> Option<Distribution> {
        law.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    /// To how many of so many nodes the message of a step goes.
    fn copies(&mut self, step: &Step, call: u16, nodes: NonZeroU32) -> Option<Copies> {
        let Some(written) = &step.fan_out else { return Some(Copies::One) };
        if self.calls[usize::from(call)].policy.ordered && nodes.get() > 1 {
            self.mistakes.push(
                Diagnostic::error("`fan-out` breaks `ordered`: what goes to several nodes has no order")
                    .at(written.origin, "to several nodes")
                    .help("leave one of them out"),
            );
            return None;
        }
        match written.value {
            FanOut::All => Some(Copies::All(nodes.get())),
            FanOut::Constant(count) if count > nodes => {
                let message = format!("fans out to {count} of {nodes} nodes");
                self.mistakes.push(
                    Diagnostic::error(message).at(written.origin, "each copy goes to a different node of the service"),
                );
                None
            }
            FanOut::Constant(count) => Some(Copies::Many(count.get())),
        }
    }

    /// Messages that go out at once, and how many of them are waited for.
    fn gather(&mut self, step: &Step, branches: Vec<Branch>) -> Option<model::Step> {
        let total: u32 = branches.iter().map(|branch| branch.copies.count()).sum();
        let needed = match &step.wait_for {
            None => total,
            Some(written) => match written.value {
                WaitFor::All => total,
                WaitFor::First => total.min(1),
                WaitFor::Quorum => total / 2 + 1,
                WaitFor::Constant(count) if count.get() > total => {
                    self.mistakes.push(
                        Diagnostic::error(format!("waits for {count} of {total} messages"))
                            .at(written.origin, "so many never end well"),
                    );
                    return None;
                }
                WaitFor::Constant(count) => count.get(),
            },
        };
        let wait = step.wait.as_ref().is_none_or(|wait| wait.value);
        (total > 0).then(|| model::Step::Gather(Arc::new(Gathering { branches, needed, wait })))
    }
}
