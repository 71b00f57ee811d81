//! Where something was written: the texts of a scenario, and places in them.
//!
//! A flag is a text like a file: `--set run.seed=3` is kept as it was typed, so that a mistake in it is shown with the same
//! excerpt and caret as one in a file.

use std::ops::Range;

/// A place in one of the [`Texts`] of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Origin {
    text: u32,
    start: u32,
    end: u32,
}

impl Origin {
    /// The text, as an index into [`Texts`].
    pub const fn text(self) -> usize {
        self.text as usize
    }

    /// The bytes in the text.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The place as numbers: text, start, end.
    pub(crate) const fn parts(self) -> [u32; 3] {
        [self.text, self.start, self.end]
    }

    /// The place that [`parts`](Self::parts) describes.
    pub(crate) const fn from_parts([text, start, end]: [u32; 3]) -> Self {
        Self { text, start, end }
    }
}

/// One text that the scenario was read from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    /// The file's path as the user would write it, or `command line`.
    pub name: String,
    /// What the file or the flag says.
    pub content: String,
    /// Whether this is a flag and not a file.
    pub is_flag: bool,
}

/// Which text something stands in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextId(u32);

impl TextId {
    /// The place `range` in this text.
    pub(crate) fn at(self, range: Range<usize>) -> Origin {
        let narrow = |offset: usize| u32::try_from(offset).expect("a text is shorter than 4 GiB");
        Origin { text: self.0, start: narrow(range.start), end: narrow(range.end) }
    }
}

/// Every file and flag that a scenario was read from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Texts(Vec<Text>);

impl Texts {
    /// Adds a file.
    pub(crate) fn add_file(&mut self, name: String, content: String) -> TextId {
        self.add(Text { name, content, is_flag: false })
    }

    /// Adds a flag as it was typed.
    pub(crate) fn add_flag(&mut self, typed: String) -> TextId {
        self.add(Text { name: "command line".into(), content: typed, is_flag: true })
    }

    fn add(&mut self, text: Text) -> TextId {
        self.0.push(text);
        TextId(u32::try_from(self.0.len() - 1).expect("fewer than four billion texts"))
    }

    /// The text that `origin` points into.
    pub fn of(&self, origin: Origin) -> &Text {
        &self.0[origin.text()]
    }

    /// All texts, in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = &Text> {
        self.0.iter()
    }

    /// The characters at `origin`.
    pub fn excerpt(&self, origin: Origin) -> &str {
        self.of(origin).content.get(origin.range()).unwrap_or("")
    }

    /// Line and column (in characters) of the start of `origin`, both counted from one.
    pub fn line_and_column(&self, origin: Origin) -> (usize, usize) {
        let before = self.of(origin).content.get(..origin.range().start).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The place in words: `base.toml:12`, or the flag itself.
    pub fn describe(&self, origin: Origin) -> String {
        let text = self.of(origin);
        if text.is_flag {
            return text.content.clone();
        }
        format!("{}:{}", text.name, self.line_and_column(origin).0)
    }

    /// The part `range` of the string that stands at `origin`.
    ///
    /// The string may be bare or quoted. If escapes or a line break after the opening quotes shift its characters against the
    /// text's, the whole string is the answer.
    pub fn within(&self, origin: Origin, range: Range<usize>) -> Origin {
        let written = self.excerpt(origin);
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| written.starts_with(quote)).unwrap_or("");
        let inside = &written[quote.len()..];
        if inside.starts_with(['\n', '\r']) || (quote.starts_with('"') && inside.contains('\\')) {
            return origin;
        }
        let start = origin.start as usize + quote.len();
        let part = TextId(origin.text).at(start + range.start..start + range.end);
        if part.end <= origin.end { part } else { origin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let mut texts = Texts::default();
        let file = texts.add_file("a.toml".into(), "x = 1\nß = 'ü' # here\n".into());
        let here = file.at(18..22);
        assert_eq!(texts.excerpt(here), "here");
        assert_eq!(texts.line_and_column(here), (2, 11));
        assert_eq!(texts.describe(here), "a.toml:2");
    }

    #[test]
    fn a_part_of_a_quoted_string_is_found_behind_its_quotes() {
        let mut texts = Texts::default();
        let file = texts.add_file("a.toml".into(), r#"k = "app.p99" # "a\tb""#.into());
        assert_eq!(texts.excerpt(texts.within(file.at(4..13), 4..7)), "p99");
        let escaped = file.at(16..22);
        assert_eq!(texts.within(escaped, 0..1), escaped, "escapes move characters");
    }
}
