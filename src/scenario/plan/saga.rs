//! Sagas: their legs, and what undoes each.

use super::patterns::outbox_of;
use super::roles::{Planner, Sender};
use crate::base::time::Span;
use crate::model;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::Located;
use crate::scenario::schema::{Leg, Step, Verb};

impl Planner<'_> {
    /// A step that does all of its legs, or undoes them.
    pub(super) fn saga(
        &mut self,
        sender: &Sender<'_>,
        legs: &Located<Vec<Located<Leg>>>,
        path: &str,
    ) -> Option<model::Step> {
        if sender.is_client {
            let message = "a client coordinates no saga: what it forgets, nobody takes up";
            self.mistakes
                .push(Diagnostic::error(message).at(legs.origin, "").help("call a service that has these legs"));
            return None;
        }
        if self.is_transactional(sender.group) {
            let message =
                "what is read and written in transactions coordinates no saga: its own end does or undoes all";
            self.mistakes.push(Diagnostic::error(message).at(legs.origin, "").help("leave one of them out"));
            return None;
        }
        if legs.value.is_empty() {
            self.mistakes.push(Diagnostic::error("a saga without legs").at(legs.origin, "nothing to do or undo"));
            return None;
        }
        self.coordinators.insert(sender.group.to_owned());
        let mut planned = Vec::new();
        for (position, leg) in legs.value.iter().enumerate() {
            let call = self.of_saga(sender, &leg.value.step, &format!("{path}.{position}"));
            let retry_every = leg.value.retry_every;
            if let Some(pause) = retry_every.filter(|pause| pause.value.0 == Span::ZERO) {
                let message = "who tries again without a pause would never let time go on";
                self.mistakes.push(Diagnostic::error(message).at(pause.origin, "write `\"1s\"`"));
            }
            let compensation = match &leg.value.compensate {
                Some(step) => {
                    let call = self.of_saga(sender, &step.value, &format!("{path}.{position}.compensate"));
                    let retry_every = retry_every.map_or(Leg::RETRY_EVERY, |pause| pause.value.0);
                    call.map(|call| model::Compensation { call, retry_every })
                }
                None => {
                    if let Some(pause) = retry_every {
                        let message = "`retry-every` has no effect: this leg has nothing that undoes it";
                        self.mistakes.push(Diagnostic::error(message).at(pause.origin, "").help("write `compensate`"));
                    }
                    None
                }
            };
            planned.extend(call.map(|call| model::Leg { call, compensation }));
        }
        Some(model::Step::Saga(planned.into()))
    }

    /// The kind of message of a leg, or of what undoes it.
    fn of_saga(&mut self, sender: &Sender<'_>, step: &Step, path: &str) -> Option<u16> {
        match step.verb()? {
            verb @ (Verb::Call(target) | Verb::Send(target)) => {
                self.sent_or_asked(sender, step, target, verb, path).map(|(call, _)| call)
            }
            Verb::Publish(to, _) => {
                if let Some((outbox, _)) = outbox_of(sender, step) {
                    let message = "what belongs to a saga does not go through an outbox: its end has to be known";
                    self.mistakes
                        .push(Diagnostic::error(message).at(outbox.origin, "").at(to.origin, "published here"));
                    return None;
                }
                self.published(sender, step, to, path)
            }
            _ => None,
        }
    }
}
