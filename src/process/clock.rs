//! The three clocks a process can read.
//!
//! Each is a type of its own, so that a time read on one cannot be compared with a time of another. The fourth clock, true
//! time, belongs to the driver and the metrics; a process never sees it.

use crate::base::time::Span;

macro_rules! clock {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(u64);

        impl $name {
            /// The reading of `nanos` nanoseconds.
            pub const fn from_nanos(nanos: u64) -> Self {
                Self(nanos)
            }

            /// The reading in nanoseconds.
            pub const fn as_nanos(self) -> u64 {
                self.0
            }

            /// The time that passed on this clock since `earlier`; zero if `earlier` is later.
            pub const fn since(self, earlier: Self) -> Span {
                Span::from_nanos(self.0.saturating_sub(earlier.0))
            }
        }

        impl std::ops::Add<Span> for $name {
            type Output = Self;

            fn add(self, span: Span) -> Self {
                Self(self.0.saturating_add(span.as_nanos()))
            }
        }
    };
}

clock! {
    /// A reading of a node's own clock: it only moves forward, and may drift.
    Steady
}
clock! {
    /// A reading of a node's calendar clock: steady plus an offset, and may step.
    Wall
}
clock! {
    /// A reading of a node's work clock: it advances while the node computes; a slow node's runs slower, a paused one's stops.
    Work
}

/// What a node's clocks show at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clocks {
    /// The node's own clock.
    pub steady: Steady,
    /// The node's calendar clock.
    pub wall: Wall,
    /// The node's work clock.
    pub work: Work,
}

/// The clock a timer is set on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// Deadlines and waiting.
    Steady,
    /// Work that takes the node's time.
    Work,
}
