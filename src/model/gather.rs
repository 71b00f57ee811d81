//! Messages that were sent at once and are waited for together: fan-out, scatter and gather.
//!
//! A task waits for one such set at a time. It goes on when as many have ended well as it needs, and fails as soon as that has
//! become impossible; the rest is then nobody's any more.

use std::collections::BTreeMap;

use crate::process::Outcome;
use crate::protocol::delivery::Number;

/// The sets that tasks of one node wait for, by task.
#[derive(Debug, Default)]
pub(super) struct Gathers(Sets);

#[allow(clippy::box_collection, reason = "most nodes have none, and a map of 24 bytes would cost each of them more")]
type Sets = Option<Box<BTreeMap<u32, Gather>>>;

/// A set that is waited for.
#[derive(Debug)]
struct Gather {
    /// How many have to end well still.
    needed: u32,
    /// How many may fail.
    spare: u32,
    /// Those that have not ended.
    open: Vec<Number>,
}

/// What the end of one message means for the set.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gathered {
    /// Nobody waits for a set: the message was waited for alone.
    Alone,
    /// Others are still waited for.
    Waiting,
    /// The set has come to this end; these messages have not, and nobody waits for them any more.
    Complete(Outcome, Vec<Number>),
}

impl Gathers {
    /// `task` waits for `total` messages, of which `needed` have to end well.
    pub(super) fn begin(&mut self, task: u32, needed: u32, total: u32) {
        let spare = total.saturating_sub(needed);
        self.0.get_or_insert_default().insert(task, Gather { needed, spare, open: Vec::new() });
    }

    /// This message is one of those that `task` waits for, if it still waits.
    pub(super) fn add(&mut self, task: u32, number: Number) {
        if let Some(gather) = self.0.as_mut().and_then(|gathers| gathers.get_mut(&task)) {
            gather.open.push(number);
        }
    }

    /// A message of `task` has ended.
    #[inline]
    pub(super) fn ended(&mut self, task: u32, number: Number, outcome: Outcome) -> Gathered {
        match &mut self.0 {
            None => Gathered::Alone,
            Some(gathers) => ended(gathers, task, number, outcome),
        }
    }

    /// `task` waits for nothing any more.
    pub(super) fn forget(&mut self, task: u32) {
        if let Some(gathers) = &mut self.0 {
            gathers.remove(&task);
        }
    }
}

#[inline(never)]
fn ended(gathers: &mut BTreeMap<u32, Gather>, task: u32, number: Number, outcome: Outcome) -> Gathered {
    let Some(gather) = gathers.get_mut(&task) else { return Gathered::Alone };
    gather.open.retain(|open| *open != number);
    let whole = match outcome {
        Outcome::Done => {
            gather.needed -= 1;
            (gather.needed == 0).then_some(Outcome::Done)
        }
        _ if gather.spare == 0 => Some(Outcome::Failed),
        _ => {
            gather.spare -= 1;
            None
        }
    };
    let Some(whole) = whole else { return Gathered::Waiting };
    let open = gathers.remove(&task).map(|gather| gather.open).unwrap_or_default();
    Gathered::Complete(whole, open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u64) -> Number {
        Number::new(number)
    }

    fn of_three(needed: u32) -> Gathers {
        let mut gathers = Gathers::default();
        gathers.begin(7, needed, 3);
        (0..3).for_each(|index| gathers.add(7, number(index)));
        gathers
    }

    #[test]
    fn it_goes_on_when_enough_have_ended_well() {
        let mut gathers = of_three(2);
        assert_eq!(gathers.ended(7, number(1), Outcome::Done), Gathered::Waiting);
        assert_eq!(gathers.ended(7, number(0), Outcome::Done), Gathered::Complete(Outcome::Done, vec![number(2)]));
        assert_eq!(gathers.ended(7, number(2), Outcome::Done), Gathered::Alone, "nobody waits any more");
    }

    #[test]
    fn it_fails_as_soon_as_too_few_are_left() {
        let mut gathers = of_three(2);
        assert_eq!(gathers.ended(7, number(0), Outcome::Failed), Gathered::Waiting);
        assert_eq!(
            gathers.ended(7, number(1), Outcome::Rejected),
            Gathered::Complete(Outcome::Failed, vec![number(2)])
        );
    }

    #[test]
    fn whoever_waits_for_one_message_waits_for_no_set() {
        assert_eq!(Gathers::default().ended(1, number(0), Outcome::Done), Gathered::Alone);
        assert_eq!(of_three(1).ended(1, number(9), Outcome::Done), Gathered::Alone);
    }
}
