//! Where the answers of runs are kept, so that none has to be played twice.

use super::record::Record;
use super::warmup::Cut;

/// Keeps the answers of runs, and what had to be played to know what to ask.
pub trait Shelf {
    /// What a run of a point has answered, if that is known.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn get(&mut self, point: u32, run: u32) -> Result<Option<Record>, String>;

    /// Keeps what a run of a point has answered. Whatever ends the program takes no more than what was kept last.
    ///
    /// # Errors
    /// What keeps it from being written.
    fn put(&mut self, point: u32, record: &Record) -> Result<(), String>;

    /// How much of the beginning of a point's runs is left out, if that was found out.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn cut(&mut self, point: u32) -> Result<Option<Cut>, String>;

    /// Keeps how much of the beginning of a point's runs is left out.
    ///
    /// # Errors
    /// What keeps it from being written.
    fn put_cut(&mut self, point: u32, cut: &Cut) -> Result<(), String>;
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

    fn cut(&mut self, _: u32) -> Result<Option<Cut>, String> {
        Ok(None)
    }

    fn put_cut(&mut self, _: u32, _: &Cut) -> Result<(), String> {
        Ok(())
    }
}
