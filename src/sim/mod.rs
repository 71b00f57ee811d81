//! The driver: plays processes on a virtual network, event by event.

mod arena;
mod book;
mod cluster;
mod control;
mod errand;
mod event;
mod fault;
mod health;
mod hop;
mod lifecycle;
mod observer;
mod segment;
mod stage;
mod streams;
mod work;

pub use crate::engine::{Chain, Digest};
pub use book::{LinkBook, SegmentBook, WireBook};
pub use cluster::{Checkpoint, Cluster, Outcome};
pub use control::{Control, Controls};
pub use fault::{Crash, Cut, FAULTS, Fault, FaultBook, FaultEntry, FaultId, Pause, Severed, Slow};
pub use observer::Observer;
