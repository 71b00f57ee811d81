//! What is known of a message from outside: a trace says it, or the message that it is sent for.

use std::collections::BTreeMap;

use crate::protocol::delivery::Number;

/// What a trace says of a request, where it says something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Given {
    /// Its size in bytes.
    pub size: Option<u64>,
    /// A hash of what it is about.
    pub key: Option<u64>,
}

impl Given {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.size.is_none() && self.key.is_none()
    }
}

/// What is known of messages under way. Most senders know nothing, and that costs them a pointer.
#[derive(Debug, Default)]
pub(super) struct Givens(Option<Box<Table>>);

#[derive(Debug, Default)]
struct Table(BTreeMap<Number, Given>);

impl Givens {
    /// Whether nothing is known of any message.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Keeps what is known of a message until that has ended.
    #[cold]
    pub(super) fn keep(&mut self, message: Number, given: Given) {
        self.0.get_or_insert_default().0.insert(message, given);
    }

    /// What is known of a message.
    pub(super) fn of(&self, message: Number) -> Given {
        self.0.as_ref().and_then(|table| table.0.get(&message)).copied().unwrap_or_default()
    }

    /// The message has ended.
    #[inline]
    pub(super) fn forget(&mut self, message: Number) {
        if let Some(table) = &mut self.0 {
            table.0.remove(&message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_known_until_it_is_forgotten() {
        let [one, other] = [1, 2].map(Number::new);
        let given = Given { size: Some(5), key: None };
        let mut givens = Givens::default();
        assert!(givens.is_empty() && givens.of(one).is_empty());
        givens.keep(one, given);
        assert_eq!((givens.of(one), givens.of(other)), (given, Given::default()));
        givens.forget(one);
        assert!(givens.of(one).is_empty());
    }
}
