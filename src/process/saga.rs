//! What happens to sagas at whoever coordinates them.

/// Something happened to a saga.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SagaFact {
    /// Its first leg goes out.
    Begun {
        /// Whether a crash leaves it where it is found again.
        is_kept: bool,
    },
    /// A node that had crashed found it on its disk, and goes on with it.
    Resumed,
    /// A compensation goes out, for the first time or again.
    Compensating,
    /// All of its legs ended well.
    Completed,
    /// Some leg did not, and what may have been done is compensated. Stated again by a node that finds it on its disk, for it may
    /// have crashed before it could say so; so is the fact that a saga is completed.
    Compensated,
}

impl SagaFact {
    /// The name in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begun { .. } => "begun",
            Self::Resumed => "resumed",
            Self::Compensating => "compensating",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
        }
    }
}
