//! The roles a scenario can name, built from the blocks of [`protocol`](crate::protocol).

mod policy;

pub use policy::{Cancel, Delivery, Policy};
