//! What is measured: observers that turn facts into books, histograms and curves.

mod flow;
mod histogram;
mod ledger;

pub use flow::{Correctness, Curve, Fate, FlowBook, Rates};
pub use histogram::Histogram;
pub use ledger::{Imbalance, Ledger};
