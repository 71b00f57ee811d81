//! Transactions of a reader: what one poll has returned, and what was published for that, counts together or not at all.

use crate::base::time::Time;
use crate::model::caller::Cx;
use crate::process::{GroupFact, Observation};
use crate::protocol::log::group::member::Action;
use crate::protocol::log::partition::Control;
use crate::protocol::log::transaction::TransactionError;

use super::super::Producers;
use super::super::wire::{Answer, Producer, Question};
use super::{BACKOFF, Open, Reader};

/// What a reader knows of its transactions: each holds what one poll has returned.
#[derive(Debug, Default)]
pub(super) struct ExactlyOnce {
    /// Its producer, once it has one.
    pub(super) identity: Option<Producer>,
    /// Whether one of the records failed.
    pub(super) has_failed: bool,
    /// How the present one ends, once that is decided.
    ends: Option<Control>,
}

impl Reader {
    /// All that the last poll returned is processed: that counts once everything that was published for it is written, and the
    /// coordinator knows how far it is. Whether there is anything to do now.
    pub(super) fn end_transaction(&mut self, cx: &mut Cx<'_>, producers: &mut Producers, now: Time) -> bool {
        let Some(exactly_once) = &mut self.exactly_once else { return false };
        let Some(identity) = exactly_once.identity.filter(|_| producers.is_flushed()) else { return false };
        let is_well = !exactly_once.has_failed && !producers.has_failed();
        match (is_well, self.standing()) {
            (true, Some((member, generation))) => {
                let offsets = self.polled.clone();
                self.ask(cx, Question::AddOffsets(identity, self.spec.group, member, generation, offsets), None, now);
            }
            // Nothing is open that could be aborted.
            _ if !producers.has_written() => self.abort(cx, producers),
            _ => self.end(cx, identity, Control::Abort, now),
        }
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, identity: Producer, control: Control, now: Time) {
        if let Some(exactly_once) = &mut self.exactly_once {
            exactly_once.ends = Some(control);
        }
        self.ask(cx, Question::End(identity, control), None, now);
    }

    /// The transaction is committed.
    fn note_committed(&mut self, cx: &mut Cx<'_>, producers: &mut Producers) {
        self.settle(cx);
        self.begin_anew(producers);
        self.attempt = 0;
        let group = self.spec.group.0 as u16;
        cx.observe(Observation::Grouped { group, fact: GroupFact::Committed, count: 1 });
    }

    /// Nothing of the transaction counts: it reads again what it has read in it.
    fn abort(&mut self, cx: &mut Cx<'_>, producers: &mut Producers) {
        self.polled.clear();
        if producers.has_failed()
            && let Some(exactly_once) = &mut self.exactly_once
        {
            // What was not written has left a gap: another epoch begins at 0.
            exactly_once.identity = None;
        }
        self.begin_anew(producers);
        self.attempt += 1;
        let group = self.spec.group.0 as u16;
        cx.observe(Observation::Grouped { group, fact: GroupFact::Aborted, count: 1 });
        let owned: Vec<_> = self.member.owned().collect();
        owned.iter().for_each(|&partition| self.fetcher.remove(partition));
        self.todo.push_back(Action::Assigned(owned));
    }

    fn begin_anew(&mut self, producers: &mut Producers) {
        producers.begin_anew();
        if let Some(exactly_once) = &mut self.exactly_once {
            (exactly_once.has_failed, exactly_once.ends) = (false, None);
        }
    }

    /// The answers to what it asks about its transactions.
    pub(super) fn transacted(
        &mut self,
        cx: &mut Cx<'_>,
        open: Open,
        answer: Answer,
        producers: &mut Producers,
        now: Time,
    ) {
        let Some(exactly_once) = &mut self.exactly_once else { return };
        let (identity, ends) = (exactly_once.identity, exactly_once.ends);
        match (answer, identity) {
            (Answer::Init(Ok(identity)), _) => {
                exactly_once.identity = Some(identity);
                producers.write_as(identity, self.spec.cluster.controller, self.life);
            }
            (Answer::Added(Ok(())), Some(identity)) => self.end(cx, identity, Control::Commit, now),
            (Answer::Ended(Ok(())), _) if ends == Some(Control::Commit) => self.note_committed(cx, producers),
            (Answer::Ended(Ok(()) | Err(TransactionError::InvalidState)), _) if ends == Some(Control::Abort) => {
                self.abort(cx, producers);
            }
            // Something is being completed: later.
            (
                Answer::Init(Err(_))
                | Answer::Added(Err(TransactionError::ConcurrentTransactions))
                | Answer::Ended(Err(TransactionError::ConcurrentTransactions)),
                _,
            ) => self.open = Some(Open { again: now + BACKOFF, is_anew: true, ..open }),
            // Another one has taken its place, or the coordinator has aborted what took too long: it begins anew.
            (Answer::Added(Err(_)) | Answer::Ended(Err(_)), _) => {
                exactly_once.identity = None;
                self.abort(cx, producers);
            }
            _ => {}
        }
    }
}
