//! x
mod dead_letter;
mod error;
mod id;
mod queue;
pub use dead_letter::*;
pub use error::*;
pub use id::*;
pub use queue::*;
