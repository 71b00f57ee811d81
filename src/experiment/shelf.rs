//! Where the answers of runs are kept, so that none has to be played twice.

use super::record::Record;

/// Keeps the answers of runs.
pub trait Shelf {
    /// What a run of a point has answered, if that is known.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn get(&mut self, point: u32, run: u32) -> Result<Option<Record>, String>;

    /// Keeps what a run of a point has answered, for good before this returns.
    ///
    /// # Errors
    /// What keeps it from being written.
    fn put(&mut self, point: u32, record: &Record) -> Result<(), String>;
}

/// A shelf that keeps nothing.
#[derive(Clone, Copy, Default, Debug)]
pub struct Bare;

impl Shelf for Bare {
    fn get(&mut self, _: u32, _: u32) -> Result<Option<Record>, String> {
        Ok(None)
    }

    fn put(&mut self, _: u32, _: &Record) -> Result<(), String> {
        Ok(())
    }
}
