//! Tied requests: two copies that know of each other, so that whoever begins with one has the other taken back.
//!
//! A copy may be taken back before it has arrived: the word of whoever has begun overtook it. Such words are remembered for a
//! while. The sender is told of a copy that was taken back, for it may have to go on: the other one may fail.
//!
//! Source: Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013.

use super::{Beside, Cx, Envelope, Job, Kind, Service};
use crate::process::Outcome;

/// A copy that need not be handled any more. Later attempts of its message are others, and so is an attempt of the same number
/// that is the first of two, where this is the second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Word {
    luck: u64,
    number: u32,
    attempt: u8,
    is_first: bool,
}

/// How many words are remembered.
const MOST: usize = 256;

/// Added to the luck of a message, it is that of the word about it.
const ABOUT: u64 = 0x7469_6564_2063_6f70;

impl Word {
    /// The word about this copy, if it is one of two.
    fn about(envelope: &Envelope) -> Option<Self> {
        let &Envelope { luck, number, attempt, .. } = envelope;
        let (_, is_first) = envelope.beside.as_tie()?;
        Some(Self { luck, number, attempt, is_first })
    }
}

impl Service {
    /// Whether copies of this message are tied. What is ordered has its place where others name the other copy.
    fn is_tied(&self, envelope: &Envelope) -> bool {
        let policy = &self.call(envelope).policy;
        policy.is_tied() && !policy.ordered
    }

    /// A worker begins with a copy: whoever has the other one need not.
    #[inline(never)]
    pub(super) fn untie_other(&self, cx: &mut Cx<'_>, job: &Job) {
        let &Envelope { luck, number, call, attempt, beside, .. } = &job.envelope;
        if !self.is_tied(&job.envelope) {
            return;
        }
        let Some((member, is_first)) = beside.as_tie() else { return };
        let to = self.script.targets[usize::from(self.call(&job.envelope).target)].member(member as usize);
        // The second of the two is the next attempt.
        let other = if is_first { attempt.wrapping_add(1) } else { attempt.wrapping_sub(1) };
        let mut word = Envelope::new(Kind::Untie, luck ^ ABOUT, number, call, other.into());
        word.beside = Beside::tie(member, !is_first);
        cx.send_sized(to, word, 0);
    }

    /// Whoever has the other copy of a message has begun with it.
    pub(super) fn untie(&mut self, cx: &mut Cx<'_>, mut envelope: Envelope) {
        envelope.luck ^= ABOUT;
        let Some(word) = Word::about(&envelope) else { return };
        let Some(id) = self.find(word.luck, word.number, |job| Word::about(&job.envelope) == Some(word)) else {
            let untied = &mut self.copies().untied;
            if untied.len() == MOST {
                untied.pop_front();
            }
            untied.push_back(word);
            return;
        };
        let Some(&Job { caller, envelope, began: None, .. }) = self.jobs.get(id) else { return };
        self.answer(cx, caller, envelope, Outcome::Cancelled);
        self.take_out(cx, id, Outcome::Cancelled);
    }

    /// Whether a copy that arrives was taken back before.
    #[inline]
    pub(super) fn was_untied(&mut self, envelope: &Envelope) -> bool {
        self.copies.is_some() && self.is_tied(envelope) && self.take_word(envelope)
    }

    #[cold]
    fn take_word(&mut self, envelope: &Envelope) -> bool {
        let Some(word) = Word::about(envelope) else { return false };
        let untied = &mut self.copies().untied;
        let place = untied.iter().position(|known| *known == word);
        place.and_then(|place| untied.remove(place)).is_some()
    }
}
