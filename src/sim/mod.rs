//! The driver: plays processes on a virtual network, event by event.

mod arena;
mod book;
mod cluster;
mod control;
mod event;
mod observer;
mod stage;

pub use crate::engine::{Chain, Digest};
pub use book::{LinkBook, WireBook};
pub use cluster::{Checkpoint, Cluster, Outcome};
pub use control::{Control, Controls, Crash, Restart};
pub use observer::Observer;
