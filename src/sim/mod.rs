//! The driver: plays processes on a virtual network, event by event.

mod arena;
mod book;
mod cluster;
mod control;
mod crossing;
mod errand;
mod event;
mod fault;
mod health;
mod hop;
mod lifecycle;
mod node_clock;
mod observer;
mod segment;
mod stage;
mod storage;
mod streams;
mod weather;

pub use crate::engine::{Chain, Digest};
pub use book::{LinkBook, SegmentBook, WireBook};
pub use cluster::{Checkpoint, Cluster, Outcome};
pub use control::{Control, Controls};
pub use fault::{
    Corrupt, Crash, Cut, Delay, DiskFull, Duplicate, FAULTS, Fault, FaultBook, FaultEntry, FaultId, Hold, Impair,
    Impairment, Loss, Pace, Path, Pause, Reorder, Severed, Skew, Slow, Surge,
};
pub use observer::Observer;
pub use storage::{Storage, Sync};
