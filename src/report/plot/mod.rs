//! Plots.
use super::{File, total::Total};
use crate::experiment::Results;
pub(super) fn files(_: &Results, _: &Total) -> Vec<File> {
    Vec::new()
}
