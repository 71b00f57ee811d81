//! What a flow goes through when a fault strikes: until it notices, until it finds a way around, until all is as before.
//!
//! While a run with faults is played, an observer ([`Courses`]) keeps each flow's course: what was due, what came out right,
//! which attempts failed, in cells of a thousandth of the load, cut where a fault strikes or heals, so that no cell lies on
//! both sides of either. From the courses of some flows together follow, for each strike, the four numbers of an
//! [`Aftermath`]. A run without faults has no such observer.
//!
//! *Right* means, as for reliability, that a call was answered, and that anything else was handled. A message does *well* if
//! it comes out right within [`LATE`] of when it was due. *Before* is the measured time until the fault first strikes; where
//! there is none, everything that is offered should do well.
//!
//! *As before* is judged in windows of time, by how they were before. Service is *restored* in a window if, of the messages due
//! in it, the share that do well is at least [`RESTORED`] of the share in the worst such window before, and their number at least
//! [`BUSY`] of the least: users who still wait for answers send nothing. Such a window lasts at least [`HOLD`], and holds at least [`ENOUGH`] messages at the rate of before. Service *suffers* in a
//! window with [`ENOUGH`] messages if that share is lower, or if less than [`HALTED`] as many come out right as in the worst such
//! window before. The worst, and not the mean, because what was noise before is noise afterwards too.

mod aftermath;
mod course;
mod courses;

pub use aftermath::{After, Aftermath};
pub use course::{Cell, Course};
pub use courses::{CourseBook, Courses, Strike};

use crate::base::time::{Span, secs};

/// A message that comes out right, but so long after it was due, does not do well. A second is how long people wait for an
/// answer without losing their train of thought (Nielsen, Usability Engineering, 1993, ch. 5).
pub const LATE: Span = secs(1);

/// Service is restored once it holds so much of what it was before, as a share. Looser than the share of a mean would have to
/// be tight: it applies to the worst window before.
pub const RESTORED: f64 = 0.95;

/// Service is not restored while the messages due are not even so much of the fewest before, as a share: looser than
/// [`RESTORED`], because numbers vary by chance where shares do not.
pub const BUSY: f64 = 0.8;

/// Service suffers where not even so much comes out right as in the worst window before, as a share: it has come to a halt, for
/// a moment, even if all comes out right in the end. Far below [`RESTORED`], because a worst window is found by chance.
pub const HALTED: f64 = 0.5;

/// The messages that a window holds at the rate of before, at least: one that fails among them is within [`RESTORED`].
pub const ENOUGH: f64 = 30.0;

/// How long service has to stay restored, at least: long enough for a retry with the usual timeouts to fail again.
pub const HOLD: Span = secs(1);

/// In short runs service has to stay restored for this part of the load only.
const HOLD_PART: u64 = 100;

/// The parts of the load that a course is kept in, apart from its cuts.
const CELLS: u64 = 1_000;

/// How long service has to stay restored in a run with so much load.
fn hold(load: Span) -> Span {
    HOLD.min(Span::from_nanos(load.as_nanos() / HOLD_PART))
}
