//! Who asks a station: clients whose requests come to it first, each with its share of what the client brings.

use crate::base::distribution::Distribution;
use crate::model::{Call, ClientSpec, Load, Step};
use crate::scenario::plan::{Plan, ServiceGroup};

use super::Why;
use super::crossing::{Crossing, crossing};

/// A kind of message by which a client asks a station.
pub(in super::super) struct Caller<'a> {
    /// Its place among the flows.
    pub flow: usize,
    pub name: &'a str,
    pub call: &'a Call,
    pub client: &'a ClientSpec,
    /// The share of the client's requests that are of this kind.
    pub share: f64,
    /// How long the client sleeps before it, in seconds on the average; nothing if it does not.
    pub sleep: Option<f64>,
    /// The way there and the way back.
    pub out: Crossing<'a>,
    pub back: Crossing<'a>,
}

/// All that ask a station, if all of them are clients that do so first of all.
pub(super) fn callers<'a>(plan: &'a Plan, group: ServiceGroup<'a>) -> Result<Vec<Caller<'a>>, Why> {
    let mut callers = Vec::new();
    for (index, call) in (0..).zip(plan.calls()).filter(|(_, call)| call.target == group.target) {
        let flow = usize::from(call.flow);
        let Some(name) = plan.flows.get(flow).map(|flow| flow.caller.as_str()) else {
            return Err("its requests come from a broker, which hands them out as it sees fit".into());
        };
        let Some(client) = plan.client(name) else {
            return Err(format!("`{name}` asks it, whose requests come as others are done there, not at random"));
        };
        let mut share = 0.0;
        let mut sleep = None;
        for (weight, program) in client.program.shares() {
            match asks(&plan.programs()[usize::from(program)].steps, index, name)? {
                None => {}
                Some(sleeps) => {
                    share += weight;
                    let means = sleeps.iter().map(|law| super::seconds(law.mean()));
                    sleep = means.reduce(|sum, mean| sum + mean).or(sleep);
                }
            }
        }
        is_steady(plan, name, client)?;
        let (out, back) = (crossing(plan, name, group.name)?, crossing(plan, group.name, name)?);
        callers.push(Caller { flow, name, call, client, share, sleep, out, back });
    }
    Ok(callers)
}

/// What a program sleeps before it asks by this kind of message; nothing if it never asks so.
fn asks<'a>(steps: &'a [Step], index: u16, name: &str) -> Result<Option<Vec<&'a Distribution>>, Why> {
    let times = steps.iter().filter(|step| mentions(step, index)).count();
    if times == 0 {
        return Ok(None);
    }
    let mut sleeps = Vec::new();
    for step in steps {
        match step {
            Step::Sleep(law) => sleeps.push(law),
            Step::Message { call, .. } if *call == index && times == 1 => return Ok(Some(sleeps)),
            Step::Gather(_) if mentions(step, index) => {
                return Err(format!("`{name}` asks several at once: what comes together is not Poisson"));
            }
            _ => break,
        }
    }
    Err(format!("`{name}` asks it after other steps: what comes then is not Poisson"))
}

fn mentions(step: &Step, index: u16) -> bool {
    match step {
        Step::Message { call, .. } | Step::Outbox(call) => *call == index,
        Step::Gather(gathering) => gathering.branches.iter().any(|branch| branch.call == index),
        Step::Saga(legs) => {
            legs.iter().any(|leg| leg.call == index || leg.compensation.is_some_and(|undoing| undoing.call == index))
        }
        Step::Work(_) | Step::Sleep(_) | Step::Fail(_) | Step::Jump(_) | Step::Choose(_) => false,
    }
}

/// Whether the client brings the same load for as long as it is measured.
fn is_steady(plan: &Plan, name: &str, client: &ClientSpec) -> Result<(), Why> {
    let because = |why: &str| Err(format!("`{name}` {why}"));
    match () {
        () if matches!(client.load, Load::Trace(_)) => because("plays a trace, whose arrivals are what they are"),
        () if client.course.profile.is_some() => because("brings a load that changes with time: no steady state"),
        () if client.course.states.is_some() => because("brings bursts: its arrivals are not Poisson"),
        () if client.batch.is_some() => because("brings batches: its arrivals are not Poisson"),
        () if client.count.is_some() => because("stops after so many requests"),
        () if client.from > plan.warmup || client.until < plan.duration => {
            because("does not bring its load for all of the measured time")
        }
        () => Ok(()),
    }
}
