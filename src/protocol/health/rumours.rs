//! Rumours: news that is passed on a limited number of times, the least told first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Update;

/// News to pass on: the latest of each member.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Rumours {
    /// Each member's news, how often it was told, and its age.
    of: BTreeMap<u32, (Update, u32, u64)>,
    /// By how often they were told; of those told as often, the newest first.
    order: BTreeSet<(u32, Reverse<u64>, u32)>,
    added: u64,
}

impl Rumours {
    /// News to pass on, instead of what there was of that member.
    pub(super) fn add(&mut self, update: Update) {
        self.added += 1;
        if let Some((_, told, age)) = self.of.insert(update.member, (update, 0, self.added)) {
            self.order.remove(&(told, Reverse(age), update.member));
        }
        self.order.insert((0, Reverse(self.added), update.member));
    }

    /// What to tell next. After `limit` times it is forgotten.
    pub(super) fn next(&mut self, limit: u32) -> Option<Update> {
        let (told, age, member) = self.order.pop_first()?;
        let (update, count, _) = self.of.get_mut(&member)?;
        let update = *update;
        if told + 1 >= limit {
            self.of.remove(&member);
        } else {
            *count = told + 1;
            self.order.insert((told + 1, age, member));
        }
        Some(update)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::health::Opinion;

    #[test]
    fn the_least_told_is_told_first_and_each_only_so_often() {
        let news = |member, incarnation| Update { member, opinion: Opinion::Suspect, incarnation };
        let mut rumours = Rumours::default();
        rumours.add(news(1, 0));
        rumours.add(news(2, 0));
        assert_eq!(rumours.next(2), Some(news(2, 0)));
        rumours.add(news(1, 1));
        assert_eq!([(); 4].map(|()| rumours.next(2)), [Some(news(1, 1)), Some(news(1, 1)), Some(news(2, 0)), None]);
        assert_eq!(rumours, Rumours { added: 3, ..Rumours::default() });
    }
}
