//! Failover: the first member of an order that is up gets everything.
//!
//! Active and passive: while the active member is up, nobody else gets a request. When it is down, the next request goes to the
//! first of the order that is up. Whether and when requests go back to one that stands before the active member is the
//! *failback*: at once, never (until the active one is down in its turn), or after a delay, so that a member that comes and
//! goes is not used before it has stayed. The delay counts from the first pick that finds the earlier member up, and anew if a
//! pick finds it down.
//!
//! Source: Envoy's priority levels and HAProxy's `backup` servers go back at once; Keepalived's `nopreempt` never does, its
//! `preempt_delay` waits.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::{Balance, BalanceError, Balancer, View};
use crate::base::settings::Settings;
use crate::base::time::{Span, Time};

crate::words! {
    /// When requests go back to a member that comes before the active one.
    pub enum Failback {
        /// As soon as it is up, and has been for `failback-delay`.
        AtOnce = "at-once",
        /// Only when the active one is down.
        Never = "never",
    }
}

crate::settings! {
    /// The first member that is up gets everything: active and passive. For services of which only one may work at a time, or
    /// whose standby costs more. How long nobody is active is a matter of how fast callers notice that a member is down.
    pub struct FailoverSettings = "failover", "HAProxy 1.3, backup servers; Keepalived 1.2, nopreempt and preempt_delay" {
        /// Members by their numbers, from 0, the preferred one first; those that are not listed follow in their own order.
        order: Vec<u32> = vec![],
        /// When requests go back to a member that comes before the active one. At once is Envoy's and HAProxy's way.
        failback: Failback = Failback::AtOnce,
        /// How long a member must have been up again before requests go back to it.
        failback_delay: Span = Span::ZERO,
    }
}

impl Settings for FailoverSettings {
    fn check(&self) -> Result<(), String> {
        let mut listed = BTreeSet::new();
        if let Some(twice) = self.order.iter().find(|&&member| !listed.insert(member)) {
            return Err(format!("has member {twice} twice in its `order`"));
        }
        if self.failback == Failback::Never && self.failback_delay != Span::ZERO {
            return Err("has a `failback-delay`, which has no effect where `failback` is \"never\"".into());
        }
        Ok(())
    }
}

impl Balancer for FailoverSettings {
    type Caller = Failover;

    fn caller(&self, members: NonZeroU32) -> Result<Failover, BalanceError> {
        if let Some(&member) = self.order.iter().find(|&&member| member >= members.get()) {
            return Err(BalanceError::Member { member, members: members.get() });
        }
        let listed: BTreeSet<_> = self.order.iter().copied().collect();
        let others = (0..members.get()).filter(|member| !listed.contains(member));
        let order = self.order.iter().copied().chain(others).collect();
        let delay = (self.failback == Failback::AtOnce).then_some(self.failback_delay);
        Ok(Failover(Box::new(State { order, delay, active: 0, back: None })))
    }

    fn shares(&self, members: NonZeroU32) -> Option<Vec<f64>> {
        let first = self.order.first().copied().unwrap_or(0);
        Some((0..members.get()).map(|member| f64::from(u8::from(member == first))).collect())
    }
}

/// Which member is active.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failover(Box<State>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct State {
    order: Arc<[u32]>,
    /// How long to wait before going back; none never does.
    delay: Option<Span>,
    /// The active member's place in the order.
    active: usize,
    /// The place of the first member that is up again, and since when as far as is known.
    back: Option<(usize, Time)>,
}

impl Balance for Failover {
    #[inline(never)]
    fn pick(&mut self, view: &mut impl View) -> usize {
        let State { order, delay, active, back } = &mut *self.0;
        let is_up = |place: usize| view.is_up(order[place] as usize);
        let first = (0..order.len()).find(|&place| is_up(place)).unwrap_or(*active);
        if first >= *active || !is_up(*active) {
            (*active, *back) = (first, None);
        } else if let Some(delay) = *delay {
            let since = back.filter(|(place, _)| *place == first).map_or(view.now(), |(_, since)| since);
            *back = Some((first, since));
            if view.now().since(since) >= delay {
                (*active, *back) = (first, None);
            }
        }
        order[*active] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;
    use crate::base::time::secs;

    /// The members that are picked at each of these seconds while these are down.
    fn picks(settings: &FailoverSettings, story: &[(u64, &[usize])]) -> Vec<usize> {
        let mut policy = settings.caller(NonZeroU32::new(3).unwrap()).unwrap();
        let mut view = Fixed::draws(&[]);
        let mut pick = |&(second, down): &(u64, &[usize])| {
            (view.now, view.down) = (Time::ZERO + secs(second), down.into());
            policy.pick(&mut view)
        };
        story.iter().map(&mut pick).collect()
    }

    const STORY: &[(u64, &[usize])] = &[(0, &[]), (1, &[0]), (2, &[0, 1]), (3, &[0]), (4, &[]), (5, &[]), (6, &[2])];

    #[test]
    fn at_once_the_first_that_is_up_gets_everything() {
        assert_eq!(picks(&FailoverSettings::default(), STORY), [0, 1, 2, 1, 0, 0, 0]);
    }

    #[test]
    fn without_failback_the_active_one_stays_until_it_is_down() {
        let settings = FailoverSettings { failback: Failback::Never, ..Default::default() };
        assert_eq!(picks(&settings, STORY), [0, 1, 2, 2, 2, 2, 0]);
    }

    /// Member 0 is up again at 4 s, and is active again at 9 s; that it was down at 12 s makes it wait from 13 s on.
    #[test]
    fn a_delay_counts_from_when_the_member_was_seen_up() {
        let settings = FailoverSettings { failback_delay: secs(5), ..Default::default() };
        let story: &[(u64, &[usize])] = &[(0, &[0]), (4, &[]), (8, &[]), (9, &[])];
        assert_eq!(picks(&settings, story), [1, 1, 1, 0]);
        let story: &[(u64, &[usize])] = &[(0, &[0]), (8, &[]), (12, &[0]), (13, &[]), (17, &[]), (18, &[])];
        assert_eq!(picks(&settings, story), [1, 1, 1, 1, 1, 0]);
    }

    #[test]
    fn an_order_is_followed_and_checked() {
        let of = |order: &[u32]| FailoverSettings { order: order.into(), ..Default::default() };
        assert_eq!(picks(&of(&[2]), &[(0, &[]), (1, &[2]), (2, &[2, 0])]), [2, 0, 1]);
        assert_eq!(of(&[1, 2, 1]).check().unwrap_err(), "has member 1 twice in its `order`");
        let error = of(&[3]).caller(NonZeroU32::new(3).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "there is no member 3: there are 3, counted from 0");
    }
}
