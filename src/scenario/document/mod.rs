//! From files and flags to one tree: what the user wrote, put together, with the place of every key and value.
//!
//! The order is: files with what they extend; the chosen variant; the command line's changes; a point of a study; named tables with what they
//! extend (so that a change of a table reaches those that extend it); parameters. What comes out names everything once and
//! refers to nothing. This layer knows which sections hold named tables, and nothing else about what a scenario may say.

mod data_file;
mod files;
mod in_text;
mod inherit;
mod layer;
mod located;
mod mentions;
mod opener;
mod origin;
mod overrides;
mod params;
mod parse;
mod path;
mod print;
mod read;
mod tree;
mod variants;

use std::path::Path as FilePath;

pub use data_file::{DataFile, StreamedFile};
pub use files::Source;
pub(crate) use in_text::text_type;
pub use in_text::{InText, Piece};
pub(in crate::scenario) use located::TABLE_OR_VALUE;
pub use located::{Entries, Located, OneOrMany};
pub use mentions::Mentions;
pub use opener::{Opener, Openers};
pub use origin::{Origin, Text, TextId, Texts};
pub use overrides::Overrides;
pub(in crate::scenario) use params::parameter;
pub(in crate::scenario) use path::Quoted;
pub use path::{Path, Segment};
pub use read::{BARE, BARE_LIST, BARE_TABLE, REST, Vocabulary, read};
pub use tree::{Data, Key, Table, Value};

use super::design::{Design, Factor, Point};
use super::diagnostic::Diagnostic;

/// A scenario's tree, whole.
#[derive(Clone, PartialEq, Debug)]
pub struct Document {
    /// Everything that was said; no `extends`, `remove`, `params`, `variants`, `sweep` or `tune` is left in it.
    pub tree: Table,
    /// The names of the variants that the files hold.
    pub variants: Vec<Key>,
    /// What a study of it varies, if it says so.
    pub design: Option<Design>,
    /// What tuning varies, if it says so.
    pub tuned: Option<Design>,
    /// What it says of tuning.
    pub tune: Option<(Key, Value)>,
    /// The start of the scenario's own file.
    pub top: Origin,
    /// All that is said anywhere, in variants that were not chosen too.
    pub mentions: Mentions,
    /// All that is said without the variants that were not chosen.
    pub chosen: Mentions,
    /// All that is said without any variant and flag.
    pub base: Mentions,
}

/// Puts together the scenario at `path`. The texts it was read from are added to `texts`.
///
/// # Errors
/// All mistakes that were found, at least one.
pub fn resolve(
    source: &dyn Source,
    path: &FilePath,
    overrides: &Overrides,
    texts: &mut Texts,
) -> Result<Document, Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let Some(mut tree) = files::Files::new(source, texts, &mut mistakes).read(path, None) else {
        return Err(mistakes);
    };
    let mut used = params::uses(&tree);
    let [mut mentions, mut chosen, mut base] = std::array::from_fn(|_| Mentions::default());
    mentions.add(&tree);
    tree.iter().filter(|(key, _)| key.name != "variants").for_each(|(key, value)| base.add_entry(key, value));
    let variants = variants::choose(&mut tree, overrides.variant.as_deref(), texts, &mut mistakes);
    overrides.apply(&mut tree, texts, &mut mistakes);
    let [design, tuned] = overrides.designs(&mut tree, texts, &mut mistakes);
    chosen.add(&tree);
    mentions.add(&tree);
    inherit::inherit_everywhere(&mut tree, texts, &mut mistakes);
    used.extend(params::uses(&tree));
    params::substitute(&mut tree, &used, &mut mistakes);
    chosen.add(&tree);
    mentions.add(&tree);
    let tune = tree.remove("tune");
    if mistakes.is_empty() {
        Ok(Document { tree, variants, design, tuned, tune, top: Origin::default(), mentions, chosen, base })
    } else {
        Err(mistakes)
    }
}

impl Document {
    /// A tree as TOML that reads back as the same tree.
    pub fn print_tree(tree: &Table) -> String {
        print::Printed { tree, origins: None }.to_string()
    }

    /// What a point of a design sets, as TOML.
    pub fn print_point(design: &Design, point: &Point) -> String {
        let mut tree = Table::default();
        for (keys, value) in design.settings(point) {
            layer::set_at(&mut tree, keys, value).expect("no path of a design is part of another");
        }
        Self::print_tree(&tree)
    }

    /// The same, as flags of the command line.
    pub fn point_as_flags(design: &Design, point: &Point) -> Vec<String> {
        let flag = |(factor, (_, value)): (&Factor, (&[Key], Value))| {
            let set = format!("{}={}", factor.path, print::on_one_line(&value));
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.=/%+".contains(letter);
            if set.chars().all(is_plain) {
                format!("--set {set}")
            } else {
                format!("--set '{}'", set.replace('\'', "'\\''"))
            }
        };
        design.factors.iter().zip(design.settings(point)).map(flag).collect()
    }

    /// A tree with these values set, and then with what its named tables extend. What is wrong with that is said where the same is read.
    pub(in crate::scenario) fn lay_over<'k>(
        mut tree: Table,
        settings: impl Iterator<Item = (&'k [Key], Value)>,
        texts: &Texts,
    ) -> Table {
        for (keys, value) in settings {
            drop(layer::set_at(&mut tree, keys, value));
        }
        inherit::inherit_everywhere(&mut tree, texts, &mut Vec::new());
        tree
    }

    /// The whole tree as TOML that reads back as the same tree; with texts, each value says in a comment where it was written.
    pub fn print(&self, origins: Option<&Texts>) -> String {
        print::Printed { tree: &self.tree, origins }.to_string()
    }
}

#[cfg(test)]
mod tests;
