//! What a node's own clock shows, as protocol blocks see it.

use crate::base::time::Time;
use crate::process::Steady;

/// The reading as a point in time of that clock.
pub(super) fn time(steady: Steady) -> Time {
    Time::from_nanos(steady.as_nanos())
}
