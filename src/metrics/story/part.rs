//! What a message's time is made of.

use crate::process::Activity;

macro_rules! parts {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal,)*) => {
        /// A part of a message's time.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Part {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Part {
            /// All of them, in the order in which a message goes through them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in reports.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

parts! {
    /// It was due, and its sender was held up.
    Late "late",
    /// Its sender held it back: a window, a rate limit, a broker that read nothing.
    ClientQueue "client-queue",
    /// In its producer: until its batch was sent, and on the way with it to who leads the partition.
    Producer "producer",
    /// An attempt that came to nothing; the next one went to the same receiver.
    FailedAttempt "failed-attempt",
    /// An attempt that came to nothing; the next one went to another receiver.
    Failover "failover",
    /// The wait between an attempt that came to nothing and the next.
    BackOff "back-off",
    /// An attempt was under way, and the copy that won was not yet sent.
    HedgeDelay "hedge-delay",
    /// On the way between two nodes, either way.
    Link "link",
    /// At a receiver that holds it until earlier ones have come.
    Held "held-for-order",
    /// Waiting for a worker.
    Queue "queue",
    /// With a worker.
    Work "work",
    /// Asleep, as its program says.
    Sleep "sleep",
    /// Being written to disk.
    Disk "disk",
    /// At a broker, or on its ways there that no single copy tells of.
    Broker "broker",
    /// Whatever no statement tells of.
    Other "other",
}

impl From<Activity> for Part {
    fn from(activity: Activity) -> Self {
        match activity {
            Activity::Queued => Self::Queue,
            Activity::Worked => Self::Work,
            Activity::Asleep => Self::Sleep,
            Activity::Stored => Self::Disk,
            // What it waited for is looked into; this is what is left.
            Activity::Awaiting => Self::Other,
        }
    }
}
