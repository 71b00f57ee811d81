//! Reading schema types out of a tree: a serde deserializer that knows places.
//!
//! Schema types are plain derived structs and enums; whatever they refuse is reported at the place of the key or value. One
//! pass of serde ends at its first error. To find the others, the value that was refused is cut out and the rest is read
//! again, until nothing new is found; what is missing only because it was cut is no mistake.
//!
//! - A struct's keys are checked against its fields before any is read.
//! - A field named [`REST`] takes all keys that no other field claims: a struct inside a struct, written without a name of its
//!   own. It is what serde calls flatten, without its loss of places, and the inner struct still refuses unknown keys.
//! - An enum is a bare name, or a table with the name as its one key. A variant named `=` takes a bare value, one named `[]` a
//!   list, and one named `{}` a table with keys of its own.
//! - A [`DataFile`](super::DataFile) is the name of a file, and what the file says.

mod choice;
mod error;
mod node;
mod tables;

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::files::Source;
use super::origin::{Origin, Texts};
use super::tree::{Data, Table, Value};
use crate::scenario::diagnostic::Diagnostic;
use node::{Node, Trail};

/// The field that takes the keys which no other field of its struct claims.
pub const REST: &str = "..";
/// The variant that takes a bare value.
pub const BARE: &str = "=";
/// The variant that takes a bare list.
pub const BARE_LIST: &str = "[]";
/// The variant that takes a table in which none of the others is named.
pub const BARE_TABLE: &str = "{}";

/// What the reader asks about words that a schema type does not know.
pub trait Vocabulary {
    /// Whether `key` is a word of the language in the schema type `table` that is not supported yet.
    fn is_planned(&self, table: &str, key: &str) -> bool;

    /// The tables in which `key` may stand, as a user would write their headers.
    fn homes(&self, key: &str) -> Vec<String>;

    /// Which of the accepted words is meant by `word`, which other tools use, and what differs.
    fn synonym(&self, word: &str, accepted: &[&str]) -> Option<(&'static str, &'static str)>;

    /// The names of those that have `key` among their settings, where one of several things is chosen.
    fn owners(&self, key: &str) -> Vec<String>;
}

/// Reads a `T` from the whole of `tree`, and from `source` the files of data that it names. `top` is the place to show for
/// what is missing at the top.
///
/// # Errors
/// All mistakes that were found, at least one, in the order of their places.
pub fn read<T: DeserializeOwned>(
    tree: &Table,
    top: Origin,
    texts: &Texts,
    vocabulary: &dyn Vocabulary,
    source: &dyn Source,
) -> Result<T, Vec<Diagnostic>> {
    let root = Value::new(top, Data::Table(tree.clone()));
    let reading = Reading { texts, vocabulary, source, found: RefCell::default(), refused: RefCell::default() };
    loop {
        let known = reading.refused.borrow().len();
        let result = T::deserialize(Node { reading: &reading, value: &root, trail: &Trail::Top, above: &[] });
        let has_news = reading.refused.borrow().len() > known;
        match result {
            Ok(value) if reading.found.borrow().is_empty() => return Ok(value),
            Err(_) if has_news => {}
            _ => break,
        }
    }
    let mut found = reading.found.into_inner();
    assert!(!found.is_empty(), "a tree is refused for a mistake");
    found.sort_by_key(Diagnostic::origin);
    Err(found)
}

/// What the passes over one tree share.
struct Reading<'a> {
    texts: &'a Texts,
    vocabulary: &'a dyn Vocabulary,
    source: &'a dyn Source,
    found: RefCell<Vec<Diagnostic>>,
    /// Places of keys and values that are cut out from now on. Copies (of an inherited value, say) share their place, so a
    /// mistake is reported once.
    refused: RefCell<BTreeSet<Origin>>,
}

impl Reading<'_> {
    fn is_refused(&self, place: Origin) -> bool {
        self.refused.borrow().contains(&place)
    }

    /// Cuts out what stands at `place`, and reports `mistake` if that is new.
    fn refuse(&self, place: Origin, mistake: Diagnostic) {
        if self.refused.borrow_mut().insert(place) {
            self.found.borrow_mut().push(mistake);
        }
    }

    /// Cuts out what stands at `place` because of a mistake inside it.
    fn cut(&self, place: Origin) {
        self.refused.borrow_mut().insert(place);
    }
}
