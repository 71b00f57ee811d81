//! Health: who is up, as far as others can tell.
//!
//! Nobody can tell a member that is down from one that is slow or cut off; what differs is who looks, at what, and how soon
//! they believe it. [`Detect`] judges one peer from the heartbeats it sends, and there are several ways to do so. A [`Probe`]
//! asks a member again and again. An [`Ejection`] judges the members of a group from the requests that they answer anyway. A
//! [`Swim`] node and its like find out together and tell each other.
//!
//! All of these are state machines without clock or network: time and draws are handed in, they say when they want to be woken
//! next, and what they want to send is handed out.

mod ejection;
mod gossip;
mod probe;
mod rumours;
mod swim;

use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, Time};

pub use ejection::{Ejection, EjectionSettings};
pub use gossip::{Gossip, GossipKind, Opinion, Update};
pub use probe::{Change, Probe, ProbeSettings, Wake};
pub use swim::{Effect, Swim, SwimSettings, Targets};

/// What judges one peer from the heartbeats that come of it.
pub trait Detect {
    /// A heartbeat came.
    fn heard(&mut self, now: Time);

    /// When the peer is suspected if nothing comes before; never if none.
    fn deadline(&self) -> Option<Time>;

    /// Whether the peer is suspected. What comes at the deadline itself is in time.
    fn suspects(&self, now: Time) -> bool {
        self.deadline().is_some_and(|deadline| now >= deadline)
    }
}

/// A detector's settings.
pub trait Detection: Settings {
    /// What watches one peer.
    type Watch: Detect;

    /// Begins to watch a peer at `now`, which counts as a heartbeat.
    fn watch(&self, now: Time) -> Self::Watch;

    /// How often a peer sends heartbeats.
    fn interval(&self) -> Span;
}

macro_rules! detectors {
    ($($module:ident::{$watch:ident, $settings:ident};)*) => {
        $(mod $module;)*
        $(pub use $module::{$watch, $settings};)*

        /// How a peer is judged from its heartbeats: plain data.
        #[derive(Clone, PartialEq, Debug)]
        pub enum DetectorPolicy {
            $(#[doc = concat!("See [`", stringify!($settings), "`].")] $watch($settings),)*
        }

        $(impl From<$settings> for DetectorPolicy {
            fn from(settings: $settings) -> Self {
                Self::$watch(settings)
            }
        })*

        impl DetectorPolicy {
            /// Begins to watch a peer at `now`, which counts as a heartbeat.
            pub fn watch(&self, now: Time) -> Detector {
                match self {
                    $(Self::$watch(settings) => Detector::$watch(settings.watch(now)),)*
                }
            }

            /// How often a peer sends heartbeats.
            pub fn interval(&self) -> Span {
                match self {
                    $(Self::$watch(settings) => settings.interval(),)*
                }
            }
        }

        /// What watches one peer under any [`DetectorPolicy`].
        #[derive(Clone, Debug)]
        pub enum Detector {
            $(#[doc = concat!("See [`", stringify!($watch), "`].")] $watch($watch),)*
        }

        impl Detect for Detector {
            fn heard(&mut self, now: Time) {
                match self {
                    $(Self::$watch(watch) => watch.heard(now),)*
                }
            }

            fn deadline(&self) -> Option<Time> {
                match self {
                    $(Self::$watch(watch) => watch.deadline(),)*
                }
            }
        }

        /// All detectors of one peer.
        pub const DETECTORS: &[Listing<DetectorPolicy>] = &[$(Listing::of::<$settings>(),)*];

        $(impl From<$settings> for HealthPolicy {
            fn from(settings: $settings) -> Self {
                Self::Detector(settings.into())
            }
        })*

        /// All ways in which a sender finds out who is up.
        pub const HEALTH_CHECKS: &[Listing<HealthPolicy>] =
            &[Listing::of::<ProbeSettings>(), $(Listing::of::<$settings>(),)* Listing::of::<SwimSettings>()];
    };
}

detectors! {
    heartbeat::{Heartbeat, HeartbeatSettings};
    phi_accrual::{PhiAccrual, PhiAccrualSettings};
}

/// How a sender finds out which members of a group are up: plain data.
#[derive(Clone, PartialEq, Debug)]
pub enum HealthPolicy {
    /// It asks each of them.
    Probe(ProbeSettings),
    /// It listens to the heartbeats of each.
    Detector(DetectorPolicy),
    /// All of them find out together, and tell each other.
    Swim(SwimSettings),
}

impl From<ProbeSettings> for HealthPolicy {
    fn from(settings: ProbeSettings) -> Self {
        Self::Probe(settings)
    }
}

impl From<SwimSettings> for HealthPolicy {
    fn from(settings: SwimSettings) -> Self {
        Self::Swim(settings)
    }
}

/// What can be said about probes.
pub const PROBE: Listing<ProbeSettings> = Listing::of::<ProbeSettings>();
/// What can be said about ejection.
pub const EJECTION: Listing<EjectionSettings> = Listing::of::<EjectionSettings>();
/// What can be said about SWIM.
pub const SWIM: Listing<SwimSettings> = Listing::of::<SwimSettings>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::ms;
    use crate::protocol::family::well_kept;
    use crate::protocol::laws::{draws, fixed};

    proptest! {
        #![proptest_config(fixed())]

        /// Heartbeats of any spacing, some of them too late.
        #[test]
        fn every_detector_suspects_at_its_deadline_and_a_heartbeat_clears_it(seed: u64) {
            for listing in DETECTORS {
                let mut draw = draws(seed);
                let mut now = Time::ZERO + ms(draw().below(1000));
                let mut detector = listing.example().watch(now);
                for _ in 0..50 {
                    let deadline = detector.deadline().expect("a silent peer is suspected some day");
                    prop_assert!(deadline > now, "{}", listing.name);
                    prop_assert!(!detector.suspects(now), "{}: cleared by what was heard", listing.name);
                    let just_before = Time::from_nanos(deadline.as_nanos() - 1);
                    prop_assert!(!detector.suspects(just_before), "{}: not before its deadline", listing.name);
                    prop_assert!(detector.suspects(deadline), "{}: at its deadline", listing.name);
                    prop_assert!(detector.suspects(deadline + ms(draw().below(100_000))), "{}: and on", listing.name);
                    prop_assert_eq!(detector.deadline(), Some(deadline), "{}: looking changes nothing", listing.name);
                    now += ms(1 + draw().below(2 * deadline.since(now).as_nanos() / 1_000_000));
                    detector.heard(now);
                }
            }
        }
    }

    #[test]
    fn a_peer_that_keeps_its_interval_is_never_suspected() {
        for listing in DETECTORS {
            let policy = listing.example();
            let (mut now, mut detector) = (Time::ZERO, policy.watch(Time::ZERO));
            for _ in 0..2000 {
                now += policy.interval();
                assert!(!detector.suspects(now), "{}", listing.name);
                detector.heard(now);
            }
        }
    }

    #[test]
    fn the_registries_are_well_kept() {
        well_kept(DETECTORS);
        well_kept(HEALTH_CHECKS);
        well_kept(&[PROBE]);
        well_kept(&[EJECTION]);
        well_kept(&[SWIM]);
    }
}
