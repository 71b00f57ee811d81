//! Keys that are lost on their way: of a message that is tied to another, or has a place in order, none travels on.

use crate::model::{Call, Program, Step};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::Origin;
use crate::scenario::schema::Scenario;

use super::message::Kept;

/// A kind of message as it was written.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    pub(super) origin: Origin,
    /// Whether it is said what it is about, beside it or in a trace.
    pub(super) has_key: bool,
}

/// What is planned of messages.
pub(super) struct Plans<'a> {
    pub(super) kept: &'a [Kept],
    pub(super) calls: &'a [Call],
    /// How each of the calls was written.
    pub(super) sent: &'a [Sent],
    pub(super) programs: &'a [Program],
    pub(super) scenario: &'a Scenario,
}

/// Refuses messages whose key a balancer further down looks for, and that do not hand it down.
pub(super) fn refuse_the_lost(plans: &Plans<'_>, mistakes: &mut Vec<Diagnostic>) {
    let name_of = |call: &Call| plans.scenario.services.iter().nth(call.target.into()).map(|(name, _)| name.as_str());
    let is_mute = |call: &Call| call.policy.ordered || call.policy.is_tied();
    for (above, written) in plans.calls.iter().zip(plans.sent).filter(|(call, sent)| sent.has_key && is_mute(call)) {
        let sends = |program: u16| plans.programs[usize::from(program)].steps.iter().flat_map(sent_by);
        let below = above.program.all().flat_map(sends).find(|&call| {
            let is_given = plans.sent[usize::from(call)].has_key;
            let route = plans.calls[usize::from(call)].route;
            !is_given && plans.kept[usize::from(route)].balance.is_keyed()
        });
        let Some(below) = below.and_then(|call| name_of(&plans.calls[usize::from(call)])) else { continue };
        let why = if above.policy.ordered { "ordered" } else { "tied" };
        let message = format!("the balancer before `{below}` looks at keys, and {why} messages hand none down");
        if mistakes.iter().any(|known| known.message == message) {
            continue;
        }
        mistakes.push(
            Diagnostic::error(message)
                .at(written.origin, format!("these are {why}"))
                .help(format!("give the messages to `{below}` a `key` of their own, or another `balance`")),
        );
    }
}

/// The kinds of messages that a step sends.
fn sent_by(step: &Step) -> Vec<u16> {
    match step {
        Step::Message { call, .. } => vec![*call],
        Step::Gather(gathering) => gathering.branches.iter().map(|branch| branch.call).collect(),
        Step::Saga(legs) => {
            legs.iter().flat_map(|leg| [Some(leg.call), leg.compensation.map(|undo| undo.call)]).flatten().collect()
        }
        _ => Vec::new(),
    }
}
