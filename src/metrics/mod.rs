//! What is measured: observers that turn facts into books, histograms and curves.

mod curve;
mod custody;
mod flow;
mod guards;
mod histogram;
mod ledger;
mod periods;
mod queue;
pub mod recovery;
mod result;
mod saga;
mod series;
mod setback;
mod station;
pub mod story;
pub mod tap;
mod topic;

pub use curve::{Curve, CurveStep};
pub use custody::{CustodyBook, LossCounts, Places};
pub use flow::{Correctness, Fate, FlowBook, Rates, Tally};
pub use guards::GuardCounts;
pub use histogram::Histogram;
pub use ledger::{Imbalance, Ledger};
pub use periods::{Periods, Spans};
pub use queue::{QueueBook, Queues};
pub use result::{
    Explained, FaultResult, FlowResult, LinkResult, QueueResult, ReaderResult, RunResult, StationResult, TopicResult,
};
pub use saga::SagaBook;
pub use series::{Cell, Series};
pub use setback::Setback;
pub use station::{StationBook, Stations, curve_step};
pub use topic::{GroupBook, TopicBook, Topics};
