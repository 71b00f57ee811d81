//! By what a study and its points are known.

use std::fmt;
use std::io;

use rehearsal::experiment::Cut;
use rehearsal::scenario::document::{Document, Table};

use crate::cli::files::Files;
use crate::cli::scenario::Prepared;

/// Where a hash begins.
pub const START: u64 = 0xcbf2_9ce4_8422_2325;
/// Where a second one begins: both together have 128 bits.
const OTHER: u64 = 0x6c62_272e_07bb_0142;

/// FNV-1a: the same on every machine.
pub fn hash(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// A fingerprint.
#[derive(Clone, Copy)]
pub struct Print([u64; 2]);

impl fmt::Display for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([one, other]) = self;
        write!(f, "{one:016x}{other:016x}")
    }
}

/// A point of a study.
pub struct Point {
    /// What a person would call it.
    pub label: String,
    /// How often it is played, at the most.
    pub runs: u32,
    /// Whether it may be played less often.
    pub ends_early: bool,
    /// A fingerprint of all that its runs depend on, and of what is asked of them: not of its title, of how often it is played, nor of
    /// what is expected.
    pub runs_print: Print,
    /// A fingerprint of all that is said about it.
    pub whole_print: Print,
}

impl Point {
    /// The point at which this is played.
    pub fn of(prepared: &Prepared, label: String, files: &Files) -> io::Result<Self> {
        let Prepared { plan, document, data, .. } = prepared;
        let asked: Vec<_> = plan.asked().map(str::to_owned).collect();
        let hashes = data.iter().map(|path| files.hash(path)).collect::<io::Result<Vec<_>>>()?;
        let tail: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        // With other runs to look at, another beginning might be left out of them.
        let pilots = Some(Cut::pilots(plan)).filter(|&pilots| pilots > 0);
        let pilots = pilots.map(u32::to_le_bytes).unwrap_or_default();
        let print = |text: String| {
            let asked = asked.iter().flat_map(|quantity| quantity.bytes().chain([0]));
            of_bytes(text.bytes().chain(asked).chain(tail.iter().copied()).chain(pilots))
        };
        Ok(Self {
            label,
            runs: plan.runs,
            ends_early: plan.enough.is_some(),
            runs_print: print(played(&document.tree)),
            whole_print: print(document.print(None)),
        })
    }
}

/// A fingerprint of a scenario: of all that its runs depend on.
pub fn of_scenario(base: &Prepared, files: &Files) -> io::Result<Print> {
    let hashes = base.data.iter().map(|path| files.hash(path)).collect::<io::Result<Vec<_>>>()?;
    let tail = hashes.iter().flat_map(|hash| hash.to_le_bytes());
    Ok(of_bytes(played(&base.document.tree).bytes().chain(tail)))
}

/// A fingerprint of all points of a study, in their order.
pub fn of_points(points: &[Point]) -> Print {
    let bytes = |point: &Print| point.0.into_iter().flat_map(u64::to_le_bytes);
    of_bytes(points.iter().flat_map(|point| bytes(&point.whole_print).chain(point.label.bytes()).chain([0])))
}

/// The part of a scenario that its runs depend on, as a text.
fn played(tree: &Table) -> String {
    let mut tree = tree.clone();
    ["title", "expect", "requires"].into_iter().for_each(|key| drop(tree.remove(key)));
    if let Some(run) = tree.get_mut("run").and_then(|run| run.as_table_mut()) {
        ["runs", "metrics"].into_iter().for_each(|key| drop(run.remove(key)));
    }
    Document::print_tree(&tree)
}

fn of_bytes(bytes: impl Iterator<Item = u8>) -> Print {
    Print(bytes.fold([START, OTHER], |prints, byte| prints.map(|print| hash(print, byte))))
}
