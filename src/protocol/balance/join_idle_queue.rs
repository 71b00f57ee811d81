//! Join idle queue: members that said they are idle, in the order in which they said so; else any.
//!
//! A member that runs out of work tells one of the callers (which one, is the members' affair); the caller keeps them in a
//! queue and sends its next requests to the first. The queue does the work of looking for the least loaded before the request
//! comes, so that a pick costs nothing and needs no loads. With many members at load λ, a request that finds the queue empty
//! goes to a random member, and there are few of those unless λ is high or callers are many.
//!
//! A member leaves the queue when a request is sent to it and when it is found down; it joins again when it says that it is
//! idle again. Who says so twice stands in it once.
//!
//! Source: Lu, Xie, Kliot, Geller, Larus, Greenberg, "Join-Idle-Queue", Performance Evaluation 68(11), 2011 (random assignment
//! where no member is idle).

use std::collections::VecDeque;
use std::num::NonZeroU32;

use super::{Balance, BalanceError, Balancer, View, any_up};
use crate::base::settings::Settings;
use crate::base::time::Time;

crate::settings! {
    /// The member that has been idle for longest among those that said so; any if there is none. Members that run out of work
    /// tell one of the callers, so that no request has to ask for loads. As good as least requests where many callers share
    /// many members, up to high load; it costs a message each time a member becomes idle.
    pub struct JoinIdleQueueSettings = "join-idle-queue", "Lu et al., Join-Idle-Queue, Performance Evaluation 68(11), 2011" {}
}

impl Settings for JoinIdleQueueSettings {}

impl Balancer for JoinIdleQueueSettings {
    type Caller = JoinIdleQueue;

    fn caller(&self, members: NonZeroU32) -> Result<JoinIdleQueue, BalanceError> {
        let is_idle = vec![false; members.get() as usize].into();
        Ok(JoinIdleQueue(Box::new(Idle { members, queue: VecDeque::new(), is_idle })))
    }
}

/// The idle members that one caller knows of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinIdleQueue(Box<Idle>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Idle {
    members: NonZeroU32,
    queue: VecDeque<u32>,
    /// Whether each member stands in the queue.
    is_idle: Box<[bool]>,
}

impl Balance for JoinIdleQueue {
    #[inline(never)]
    fn pick(&mut self, view: &mut impl View) -> usize {
        let Idle { members, queue, is_idle } = &mut *self.0;
        while let Some(member) = queue.pop_front() {
            let member = member as usize;
            is_idle[member] = false;
            if view.is_up(member) {
                return member;
            }
        }
        any_up(*members, view)
    }

    /// A request that goes to a member without a pick takes it out of the queue too.
    fn sent(&mut self, member: usize, _: Time) {
        let Idle { queue, is_idle, .. } = &mut *self.0;
        if std::mem::take(&mut is_idle[member]) {
            queue.retain(|&idle| idle as usize != member);
        }
    }

    fn idle(&mut self, member: usize) {
        let Idle { queue, is_idle, .. } = &mut *self.0;
        if !std::mem::replace(&mut is_idle[member], true) {
            queue.push_back(member as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    fn of_four(idle: &[usize]) -> JoinIdleQueue {
        let mut policy = JoinIdleQueueSettings {}.caller(NonZeroU32::new(4).unwrap()).unwrap();
        idle.iter().for_each(|&member| policy.idle(member));
        policy
    }

    /// The fifth pick finds nobody idle: the draw names the last quarter of the range.
    #[test]
    fn idle_members_come_in_the_order_of_their_reports() {
        let (mut policy, mut view) = (of_four(&[2, 0, 2, 1]), Fixed::draws(&[u64::MAX]));
        let picks: Vec<_> = (0..4).map(|_| policy.pick(&mut view)).collect();
        assert_eq!(picks, [2, 0, 1, 3]);
        assert_eq!(view.taken, 1);
    }

    #[test]
    fn a_member_leaves_the_queue_when_it_is_down_or_gets_a_request() {
        let (mut policy, mut view) = (of_four(&[2, 0, 1]), Fixed::draws(&[]));
        view.down = vec![2];
        policy.sent(0, Time::ZERO);
        assert_eq!(policy.pick(&mut view), 1);
        assert!(policy.0.queue.is_empty() && policy.0.is_idle.iter().all(|is_idle| !is_idle));
        policy.idle(0);
        assert_eq!(policy.pick(&mut view), 0, "who reports again is idle again");
    }
}
