//! Balancing: which member of a group gets the next request.
//!
//! Each caller balances for itself and holds its own state ([`Picker`]), as small as its policy allows. Draws are taken one
//! by one and only where a policy needs them; the real load of the members is asked for through a view. No pick allocates
//! (but for more than eight choices), and round robin, random and choices take the same time however many members there
//! are.

mod choices;
mod least_requests;
mod load;
mod random;
mod round_robin;
mod weighted;

use std::fmt;
use std::num::NonZeroU32;

use super::Entry;
use crate::base::random::Uniform;

pub use choices::Choices;
pub use least_requests::LeastRequests;
pub use load::{Load, Loads};
pub use random::Random;
pub use round_robin::RoundRobin;
pub use weighted::Weighted;

/// One caller's way of choosing among the members of a group.
pub trait Balance {
    /// The member for the next request: an index below the number of members.
    ///
    /// `draw` gives a fresh draw each time. `load` answers with a member's real load, whatever the caller counts as that;
    /// it stays the same while the pick lasts.
    fn pick(&mut self, draw: impl FnMut() -> Uniform, load: impl Fn(usize) -> u32) -> usize;

    /// A request was sent to `member`.
    fn sent(&mut self, member: usize) {
        let _ = member;
    }

    /// A request sent to `member` was answered or given up.
    fn done(&mut self, member: usize) {
        let _ = member;
    }
}

/// How callers choose: plain data.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum BalancePolicy {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Any, each as likely as the others.
    Random,
    /// In proportion to weights, one per member, evenly interleaved.
    Weighted(Vec<u32>),
    /// The least loaded of all.
    LeastRequests {
        /// Whose requests count.
        load: Load,
    },
    /// The least loaded of a few drawn at random.
    Choices {
        /// How many are drawn.
        d: NonZeroU32,
        /// Whose requests count.
        load: Load,
        /// Whether one member may be drawn twice.
        replacement: bool,
    },
}

impl BalancePolicy {
    /// The power of two choices, by the caller's own load, without replacement.
    pub const TWO_CHOICES: Self =
        Self::Choices { d: NonZeroU32::MIN.saturating_add(1), load: Load::Own, replacement: false };

    /// A new caller's picker among `members`. `draw` decides where round robin starts, so that callers do not march in
    /// step.
    ///
    /// # Errors
    /// If there is no member, or the weights do not fit.
    pub fn picker(&self, members: usize, draw: Uniform) -> Result<Picker, BalanceError> {
        let members = u32::try_from(members).ok().and_then(NonZeroU32::new).ok_or(BalanceError::Members(members))?;
        Ok(match *self {
            Self::RoundRobin => Picker::RoundRobin(RoundRobin::new(members, draw)),
            Self::Random => Picker::Random(Random::new(members)),
            Self::Weighted(ref weights) => Picker::Weighted(Weighted::new(members, weights)?),
            Self::LeastRequests { load } => Picker::LeastRequests(LeastRequests::new(members, load)),
            Self::Choices { d, load, replacement } => Picker::Choices(Choices::new(members, d, load, replacement)),
        })
    }
}

/// A group and a policy that do not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BalanceError {
    /// This many members cannot be chosen among.
    Members(usize),
    /// There must be one weight per member.
    Weights {
        /// How many weights there are.
        weights: usize,
        /// How many members there are.
        members: u32,
    },
    /// All weights are zero.
    NoWeight,
}

impl fmt::Display for BalanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Members(members) => write!(f, "cannot choose among {members} members"),
            Self::Weights { weights, members } => write!(f, "{weights} weights for {members} members"),
            Self::NoWeight => f.write_str("all weights are zero"),
        }
    }
}

impl std::error::Error for BalanceError {}

/// One caller's state under any [`BalancePolicy`].
#[derive(Clone, Debug)]
pub enum Picker {
    /// See [`RoundRobin`].
    RoundRobin(RoundRobin),
    /// See [`Random`].
    Random(Random),
    /// See [`Weighted`].
    Weighted(Weighted),
    /// See [`LeastRequests`].
    LeastRequests(LeastRequests),
    /// See [`Choices`].
    Choices(Choices),
}

impl Balance for Picker {
    #[inline]
    fn pick(&mut self, draw: impl FnMut() -> Uniform, load: impl Fn(usize) -> u32) -> usize {
        match self {
            Self::RoundRobin(policy) => policy.pick(draw, load),
            Self::Random(policy) => policy.pick(draw, load),
            Self::Weighted(policy) => policy.pick(draw, load),
            Self::LeastRequests(policy) => policy.pick(draw, load),
            Self::Choices(policy) => policy.pick(draw, load),
        }
    }

    #[inline]
    fn sent(&mut self, member: usize) {
        match self {
            Self::RoundRobin(policy) => policy.sent(member),
            Self::Random(policy) => policy.sent(member),
            Self::Weighted(policy) => policy.sent(member),
            Self::LeastRequests(policy) => policy.sent(member),
            Self::Choices(policy) => policy.sent(member),
        }
    }

    #[inline]
    fn done(&mut self, member: usize) {
        match self {
            Self::RoundRobin(policy) => policy.done(member),
            Self::Random(policy) => policy.done(member),
            Self::Weighted(policy) => policy.done(member),
            Self::LeastRequests(policy) => policy.done(member),
            Self::Choices(policy) => policy.done(member),
        }
    }
}

/// Makes a policy for a group of so many members.
pub type ForMembers = fn(usize) -> BalancePolicy;

/// Balancers by their scenario names.
pub const BALANCERS: &[Entry<ForMembers>] = &[
    Entry {
        name: "round-robin",
        summary: "One member after the other, each caller from a start of its own.",
        source: "elementary; the random start as in gRPC's round_robin",
        example: |_| BalancePolicy::RoundRobin,
    },
    Entry {
        name: "random",
        summary: "Any member, each as likely as the others.",
        source: "elementary",
        example: |_| BalancePolicy::Random,
    },
    Entry {
        name: "weighted",
        summary: "Smooth weighted round robin: in exact proportion to the weights, evenly interleaved.",
        source: "nginx 1.3.1, ngx_http_upstream_round_robin.c",
        example: |members| BalancePolicy::Weighted((1..=members as u32).collect()),
    },
    Entry {
        name: "least-requests",
        summary: "The member with the fewest requests of all, ties at random; with the real load, join the shortest queue.",
        source: "Haight, Two queues in parallel, Biometrika 45, 1958",
        example: |_| BalancePolicy::LeastRequests { load: Load::Own },
    },
    Entry {
        name: "choices",
        summary: "The member with the fewest requests among d drawn at random, by default two different ones.",
        source: "Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001",
        example: |_| BalancePolicy::Choices {
            d: NonZeroU32::MIN.saturating_add(2),
            load: Load::True,
            replacement: true,
        },
    },
    Entry {
        name: "two-choices",
        summary: "The less loaded of two different members drawn at random: choices with its defaults.",
        source: "Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001",
        example: |_| BalancePolicy::TWO_CHOICES,
    },
];

/// Whose requests count as a member's load, by scenario name.
pub const LOADS: &[Entry<Load>] = &[
    Entry {
        name: "own",
        summary: "The caller's own requests that are not answered yet.",
        source: "Envoy, Supported load balancers (active requests of one worker)",
        example: Load::Own,
    },
    Entry {
        name: "true",
        summary: "What is really present at the member, known at once and without error, as theory assumes.",
        source: "Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001",
        example: Load::True,
    },
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::{draws, fixed};

    proptest! {
        #![proptest_config(fixed())]

        /// Also with own loads that come and go, and a view that is not to be trusted.
        #[test]
        fn every_balancer_answers_with_a_member(seed: u64, members in 1_usize..40) {
            for entry in BALANCERS {
                let mut draw = draws(seed);
                let mut picker = (entry.example)(members).picker(members, draw()).unwrap();
                let mut outstanding = vec![];
                for _ in 0..200 {
                    let noise = draw().bits();
                    let member = picker.pick(&mut draw, |member| (noise >> (member % 60)) as u32);
                    prop_assert!(member < members, "{}: {} of {}", entry.name, member, members);
                    picker.sent(member);
                    outstanding.push(member);
                    if !noise.is_multiple_of(3) {
                        picker.done(outstanding.swap_remove(noise as usize % outstanding.len()));
                    }
                }
            }
        }

        /// Where nothing tells the members apart, each gets its share: 3000 picks give 3000/n, within five standard
        /// deviations of a binomial count (smooth weighting gives shares by weight and has its own law).
        #[test]
        fn equal_members_get_equal_shares(seed: u64, members in 1_usize..12) {
            for entry in BALANCERS.iter().filter(|entry| entry.name != "weighted") {
                let mut draw = draws(seed);
                let mut picker = (entry.example)(members).picker(members, draw()).unwrap();
                let mut counts = vec![0.0; members];
                for _ in 0..3000 {
                    counts[picker.pick(&mut draw, |_| 0)] += 1.0;
                }
                let share = 1.0 / members as f64;
                let bound = 5.0 * libm::sqrt(3000.0 * share * (1.0 - share)) + 1.0;
                for count in counts {
                    prop_assert!((count - 3000.0 * share).abs() <= bound, "{}: {}", entry.name, count);
                }
            }
        }
    }

    #[test]
    fn a_group_and_a_policy_must_fit() {
        let draw = Uniform::from_bits(0);
        for entry in BALANCERS {
            assert_eq!((entry.example)(0).picker(0, draw).unwrap_err(), BalanceError::Members(0), "{}", entry.name);
        }
        let error = BalancePolicy::Weighted(vec![1, 2]).picker(3, draw).unwrap_err();
        assert_eq!(error.to_string(), "2 weights for 3 members");
        let error = BalancePolicy::Weighted(vec![0, 0]).picker(2, draw).unwrap_err();
        assert_eq!(error, BalanceError::NoWeight);
    }

    /// A million callers stand in memory at once.
    #[test]
    fn a_picker_is_small() {
        assert!(size_of::<Picker>() <= 40, "{}", size_of::<Picker>());
    }

    #[test]
    fn the_two_fast_policies_take_at_most_one_draw() {
        for (policy, expected) in [(BalancePolicy::RoundRobin, 0), (BalancePolicy::Random, 1)] {
            let (mut draw, mut taken) = (draws(1), 0);
            let mut picker = policy.picker(5, draw()).unwrap();
            picker.pick(
                || {
                    taken += 1;
                    draw()
                },
                |_| unreachable!("neither looks at loads"),
            );
            assert_eq!(taken, expected, "{policy:?}");
        }
    }
}
