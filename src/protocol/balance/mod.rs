//! Balancing: which member of a group gets the next request.
//!
//! Each caller balances for itself and holds its own state ([`Picker`]), as small as its policy allows; what all callers of a
//! group share (a hash ring, weights) they hold together. What a pick may look at is handed in ([`View`]): draws are taken one
//! by one and only where a policy needs them, loads and health are asked for member by member. No pick allocates (but for more
//! than eight choices, and for keys that are remembered), and round robin, random and choices take the same time however many
//! members there are.
//!
//! A policy is a file: its settings, which say how a scenario writes it, and the state of one caller. One line of `balancers!`
//! makes it known to scenarios, listings, the reference and the laws of the family.

mod load;
mod outstanding;
mod weights;

use std::fmt;
use std::num::NonZeroU32;

use crate::base::random::Uniform;
use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, Time};

pub use load::{LOADS, Load, Loads};
pub use outstanding::Outstanding;
pub use weights::Weights;

/// What a pick may look at. All of it stays the same while the pick lasts, but for the draws.
pub trait View {
    /// A fresh draw each time.
    fn draw(&mut self) -> Uniform;

    /// A member's real load, whatever the caller counts as that.
    fn load(&self, member: usize) -> u32;

    /// Whether a member is up, as far as the caller knows. At least one is: the caller sees to that.
    fn is_up(&self, member: usize) -> bool;

    /// A hash of the request's key.
    fn key(&self) -> u64;

    /// The time, on the caller's own clock.
    fn now(&self) -> Time;
}

/// One caller's way of choosing among the members of a group.
pub trait Balance {
    /// The member for the next request: an index below the number of members, of one that is up.
    fn pick(&mut self, view: &mut impl View) -> usize;

    /// A member for another copy of a request, beside the one it was sent to: nothing is remembered of it, so that the requests
    /// to come go where they would have gone without it.
    fn pick_other(&self, view: &mut impl View) -> usize
    where
        Self: Clone,
    {
        self.clone().pick(view)
    }

    /// A request was sent to `member`.
    #[inline]
    fn sent(&mut self, member: usize, now: Time) {
        let _ = (member, now);
    }

    /// A request sent to `member` was answered or given up.
    #[inline]
    fn done(&mut self, member: usize, end: End) {
        let _ = (member, end);
    }

    /// `member` said that it has nothing to do.
    #[inline]
    fn idle(&mut self, member: usize) {
        let _ = member;
    }

    /// Another caller's state, before its first pick; `draw` decides where it starts, so that callers do not march in step.
    #[must_use]
    fn fresh(&self, draw: Uniform) -> Self
    where
        Self: Clone,
    {
        let _ = draw;
        self.clone()
    }
}

/// How a request ended, as its caller saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// When.
    pub now: Time,
    /// How long after it was sent: until its answer, or until it was given up. None if the caller did not measure it.
    pub took: Option<Span>,
    /// Whether it was answered, and well.
    pub is_well: bool,
}

/// A policy's settings, from which the state of its callers is made.
pub trait Balancer: Settings {
    /// The state of one caller.
    type Caller: Balance;

    /// Whether it wants to know how long answers took.
    const MEASURES: bool = false;
    /// Whether it looks at what requests are about.
    const IS_KEYED: bool = false;

    /// The state that all callers of a group of so many members start from ([`Balance::fresh`]).
    ///
    /// # Errors
    /// If the settings do not fit so many members.
    fn caller(&self, members: NonZeroU32) -> Result<Self::Caller, BalanceError>;

    /// How many requests each member gets of one, in the long run, if they have different keys, all members are up, and none
    /// has any load: what the policy is held to. Nothing if it makes no such promise.
    fn shares(&self, members: NonZeroU32) -> Option<Vec<f64>> {
        Some(vec![1.0 / f64::from(members.get()); members.get() as usize])
    }
}

macro_rules! balancers {
    ($($module:ident::{$caller:ident, $settings:ident};)*) => {
        $(mod $module;)*
        $(pub use $module::{$caller, $settings};)*

        /// How callers choose: plain data.
        #[derive(Clone, PartialEq, Debug)]
        pub enum BalancePolicy {
            $(#[doc = concat!("See [`", stringify!($settings), "`].")] $caller($settings),)*
        }

        $(impl From<$settings> for BalancePolicy {
            fn from(settings: $settings) -> Self {
                Self::$caller(settings)
            }
        })*

        impl BalancePolicy {
            /// The state that all callers of a group of so many members start from ([`Balance::fresh`]). What they share is
            /// worked out here.
            ///
            /// # Errors
            /// If there is no member, or the settings do not fit so many.
            pub fn picker(&self, members: usize) -> Result<Picker, BalanceError> {
                let members = group(members)?;
                Ok(match self {
                    $(Self::$caller(settings) => Picker::$caller(settings.caller(members)?),)*
                })
            }

            /// Whether it wants to know how long answers took.
            pub fn measures(&self) -> bool {
                match self {
                    $(Self::$caller(_) => $settings::MEASURES,)*
                }
            }

            /// Whether it looks at what requests are about.
            pub fn is_keyed(&self) -> bool {
                match self {
                    $(Self::$caller(_) => $settings::IS_KEYED,)*
                }
            }

            /// How many requests each member gets of one, in the long run, if they have different keys, all members are up,
            /// and none has any load. Nothing if the policy makes no such promise.
            pub fn shares(&self, members: usize) -> Option<Vec<f64>> {
                let members = group(members).ok()?;
                match self {
                    $(Self::$caller(settings) => settings.shares(members),)*
                }
            }
        }

        /// One caller's state under any [`BalancePolicy`].
        #[derive(Clone, Debug)]
        pub enum Picker {
            $(#[doc = concat!("See [`", stringify!($caller), "`].")] $caller($caller),)*
        }

        impl Balance for Picker {
            #[inline]
            fn pick(&mut self, view: &mut impl View) -> usize {
                match self {
                    $(Self::$caller(policy) => policy.pick(view),)*
                }
            }

            fn pick_other(&self, view: &mut impl View) -> usize {
                match self {
                    $(Self::$caller(policy) => policy.pick_other(view),)*
                }
            }

            #[inline]
            fn sent(&mut self, member: usize, now: Time) {
                match self {
                    $(Self::$caller(policy) => policy.sent(member, now),)*
                }
            }

            #[inline]
            fn done(&mut self, member: usize, end: End) {
                match self {
                    $(Self::$caller(policy) => policy.done(member, end),)*
                }
            }

            #[inline]
            fn idle(&mut self, member: usize) {
                match self {
                    $(Self::$caller(policy) => policy.idle(member),)*
                }
            }

            fn fresh(&self, draw: Uniform) -> Self {
                match self {
                    $(Self::$caller(policy) => Self::$caller(policy.fresh(draw)),)*
                }
            }
        }

        /// All balancers.
        pub const BALANCERS: &[Listing<BalancePolicy>] = &[$(Listing::of::<$settings>(),)*];
    };
}

balancers! {
    round_robin::{RoundRobin, RoundRobinSettings};
    random::{Random, RandomSettings};
    weighted::{Weighted, WeightedSettings};
    weighted_random::{WeightedRandom, WeightedRandomSettings};
    least_requests::{LeastRequests, LeastRequestsSettings};
    least_connections::{LeastConnections, LeastConnectionsSettings};
    weighted_least_requests::{WeightedLeastRequests, WeightedLeastRequestsSettings};
    choices::{Choices, ChoicesSettings};
    two_choices::{TwoChoices, TwoChoicesSettings};
    peak_ewma::{PeakEwma, PeakEwmaSettings};
    ring_hash::{RingHash, RingHashSettings};
    rendezvous::{Rendezvous, RendezvousSettings};
    sticky::{Sticky, StickySettings};
    join_idle_queue::{JoinIdleQueue, JoinIdleQueueSettings};
    failover::{Failover, FailoverSettings};
}

impl Default for BalancePolicy {
    /// One after the other.
    fn default() -> Self {
        RoundRobinSettings::default().into()
    }
}

/// A group and a policy that do not fit.
#[derive(Clone, PartialEq, Eq, Debug)]
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
    /// There is no such member.
    Member {
        /// The member that was named, from 0.
        member: u32,
        /// How many members there are.
        members: u32,
    },
    /// So many points do not fit on a ring.
    Points {
        /// How many points each member would have.
        each: u32,
        /// How many members there are.
        members: u32,
    },
}

impl fmt::Display for BalanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Members(members) => write!(f, "cannot choose among {members} members"),
            Self::Weights { weights, members } => write!(f, "{weights} weights for {members} members"),
            Self::Member { member, members } => {
                write!(f, "there is no member {member}: there are {members}, counted from 0")
            }
            Self::Points { each, members } => {
                write!(f, "{each} points for each of {members} members do not fit on a ring")
            }
        }
    }
}

impl std::error::Error for BalanceError {}

/// A number of members that can be chosen among.
fn group(members: usize) -> Result<NonZeroU32, BalanceError> {
    u32::try_from(members).ok().and_then(NonZeroU32::new).ok_or(BalanceError::Members(members))
}

/// Any member that is up, each as likely as the others. With all of them up this is the same member as its draw names; if the
/// one that is drawn is down, one of the others is drawn, which leaves those that are up alike.
#[inline]
fn any_up(members: NonZeroU32, view: &mut impl View) -> usize {
    let member = view.draw().below(members.get().into()) as usize;
    if view.is_up(member) { member } else { another_up(members, view) }
}

#[cold]
#[inline(never)]
fn another_up(members: NonZeroU32, view: &mut impl View) -> usize {
    let all = 0..members.get() as usize;
    let up = all.clone().filter(|&member| view.is_up(member)).count();
    let chosen = view.draw().below(up as u64) as usize;
    all.into_iter().filter(|&member| view.is_up(member)).nth(chosen).unwrap_or(0)
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod view;
