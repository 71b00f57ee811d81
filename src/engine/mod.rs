//! The discrete-event kernel: pending events, their order, the digest of what happened.
//!
//! It knows time and order, nothing else: no nodes, no messages, no network. What an event is, its user decides; it must
//! only be able to say when it happens and, among events of one instant, which [`Place`] it has.

mod agenda;
mod calendar;
mod digest;
mod order;

pub use agenda::Agenda;
pub use calendar::Calendar;
pub use digest::{Chain, Digest};
pub use order::{Order, Place, Rank, Schedule};
