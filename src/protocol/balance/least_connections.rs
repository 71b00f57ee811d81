//! Least connections: the member with the fewest active requests for its weight, ties in turn.
//!
//! Members are compared by active requests divided by weight, without rounding (the products of each one's requests and the
//! other's weight are compared). Those that have the least share ties by smooth weighted round robin, in which only they take
//! part. So an idle group is used evenly and in order, and nothing is drawn.
//!
//! Source: nginx 1.3.1 and later, `ngx_http_upstream_least_conn_module.c`. HAProxy's `leastconn` compares in the same way, but
//! counts the request to come as well where a member has any.

use std::num::NonZeroU32;

use super::weighted::Rota;
use super::{Balance, BalanceError, Balancer, End, Load, Loads, View, Weights};
use crate::base::settings::Settings;
use crate::base::time::Time;

crate::settings! {
    /// The member with the fewest active requests for its weight, ties in turn by smooth weighted round robin. What nginx and
    /// HAProxy offer for requests that last differently: a member that is slow has more of them open, and gets fewer new
    /// ones. A pick looks at every member.
    pub struct LeastConnectionsSettings = "least-connections", "nginx 1.3.1, least_conn; HAProxy 1.4, leastconn" {
        /// How much each member may have compared with the others, one number for each. All alike if not given.
        weights: Option<Weights> = None,
        /// Whose requests are counted.
        load: Load = Load::Own,
    }
}

impl Settings for LeastConnectionsSettings {}

impl Balancer for LeastConnectionsSettings {
    type Caller = LeastConnections;

    fn caller(&self, members: NonZeroU32) -> Result<LeastConnections, BalanceError> {
        let rota = Rota::new(&Weights::or_equal(self.weights.as_ref(), members)?);
        Ok(LeastConnections(Box::new((rota, Loads::new(members, self.load), members))))
    }

    fn shares(&self, members: NonZeroU32) -> Option<Vec<f64>> {
        Weights::shares(self.weights.as_ref(), members)
    }
}

/// The members' weights, whose turn it is, and their loads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeastConnections(Box<(Rota, Loads, NonZeroU32)>);

impl Balance for LeastConnections {
    #[inline(never)]
    fn pick(&mut self, view: &mut impl View) -> usize {
        let (rota, loads, members) = &mut *self.0;
        let of = |member: usize, weight: u32| (u64::from(loads.of(member, view)), u64::from(weight));
        let is_less = |a: (u64, u64), b: (u64, u64)| a.0 * b.1 < b.0 * a.1;
        let up = (0..members.get() as usize).filter(|&member| view.is_up(member));
        let measures = up.map(|member| of(member, rota.weight(member)));
        let Some(least) = measures.reduce(|least, next| if is_less(next, least) { next } else { least }) else {
            return 0;
        };
        rota.turn(|member, weight| view.is_up(member) && !is_less(least, of(member, weight)))
    }

    fn sent(&mut self, member: usize, _: Time) {
        self.0.1.sent(member);
    }

    fn done(&mut self, member: usize, _: End) {
        self.0.1.done(member);
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    fn of(weights: &[u32]) -> LeastConnections {
        let settings = LeastConnectionsSettings { weights: Weights::new(weights), load: Load::Own };
        settings.caller(NonZeroU32::new(weights.len() as u32).unwrap()).unwrap()
    }

    /// Picks that stay under way. With weights 2 and 1, the loads per weight go 0 0 (member 0 has the larger weight), 1/2 0,
    /// 1/2 1, 1 1 (a tie: the values of the turns are 2 − 3 and 1, so that it is member 1's), and so on.
    #[test]
    fn requests_that_stay_fill_members_by_weight() {
        let (mut policy, mut view) = (of(&[2, 1]), Fixed::draws(&[]));
        let mut picks = vec![];
        for _ in 0..9 {
            let member = policy.pick(&mut view);
            policy.sent(member, Time::ZERO);
            picks.push(member);
        }
        assert_eq!(picks.iter().filter(|&&member| member == 0).count(), 6, "{picks:?}");
    }

    #[test]
    fn an_idle_group_is_used_in_turn() {
        let (mut policy, mut view) = (of(&[1, 1, 1]), Fixed::draws(&[]));
        let picks: Vec<_> = (0..6).map(|_| policy.pick(&mut view)).collect();
        assert_eq!(picks, [0, 1, 2, 0, 1, 2]);
    }

    /// 3 of weight 4 are less than 1 of weight 1, and more than 1 of weight 2.
    #[test]
    fn loads_are_compared_by_weight() {
        let settings = LeastConnectionsSettings { weights: Weights::new(&[4, 1, 2]), load: Load::True };
        let mut policy = settings.caller(NonZeroU32::new(3).unwrap()).unwrap();
        let mut view = Fixed::loads(&[3, 1, 1]);
        assert_eq!(policy.pick(&mut view), 2);
        view.down = vec![2];
        assert_eq!(policy.pick(&mut view), 0);
    }
}
