//! Scenario files: what may be written, and what was.
//!
//! A scenario is read in steps, none of which forgets where anything was written. [`document`] puts files and flags
//! together into one tree. [`schema`] gives the tree types, whose comments are the language's reference ([`mod@reference`]).
//! Small texts inside strings have grammars of their own: [`quantity`] (what is measured), [`condition`] (what it has to be),
//! [`selector`] (which nodes). [`plan`] turns what is written into values. Every mistake is a [`Diagnostic`] with file, line and column.
//!
//! This layer opens no files: they come from a [`Source`].

pub mod condition;
mod cursor;
pub mod design;
mod diagnostic;
pub mod document;
mod load;
mod metric;
mod nearest;
pub mod plan;
pub mod quantity;
pub mod reference;
pub mod schema;
pub mod selector;
mod trace;
mod window;

pub use diagnostic::{Diagnostic, Label, Severity, Style, unknown_name};
pub use document::{Opener, Openers, Overrides, Source};
pub use load::{Loaded, Mistakes};
pub use metric::{Better, Metric, MetricKind};
pub use nearest::nearest;
pub use schema::Scenario;
pub use trace::{Facts, TraceError, TraceFile};

#[cfg(test)]
mod tests;
