//! The hand of the small parsers: a text, and how far it has been read.

use std::ops::Range;

use super::document::{InText, Piece};

/// A text that is read from left to right.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads only `range` of a text; places still count from the start of the text.
    pub fn within(text: &'a str, range: Range<usize>) -> Self {
        Self { text: &text[..range.end], at: range.start }
    }

    /// Where the next character stands.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub fn is_done(&self) -> bool {
        self.rest().is_empty()
    }

    /// Reads `token` if it is next.
    pub fn eat(&mut self, token: &str) -> bool {
        let is_next = self.rest().starts_with(token);
        if is_next {
            self.at += token.len();
        }
        is_next
    }

    /// Reads as long as `belongs` holds; maybe nothing.
    pub fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|letter| !belongs(letter)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// Reads spaces; maybe none.
    pub fn skip_spaces(&mut self) {
        self.take(|letter| letter == ' ');
    }

    /// Reads a word of letters, digits and hyphens; maybe nothing.
    pub fn word(&mut self) -> &'a str {
        self.take(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    }

    /// Reads the name of something.
    pub fn name(&mut self, what: &str) -> Result<Piece<String>, InText> {
        let start = self.at;
        let mut name = self.take(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
        if name.ends_with('-') && self.rest().starts_with('>') {
            // The hyphen belongs to the arrow between two names.
            name = &name[..name.len() - 1];
            self.at -= 1;
        }
        let range = start..self.at;
        match name.chars().next() {
            None => Err(self.expected(what)),
            Some('a'..='z') => Ok(Piece { value: name.to_owned(), range }),
            Some(_) => Err(InText::new(range, format!("expected {what}, which starts with a small letter"))),
        }
    }

    /// Reads a whole number.
    pub fn number(&mut self, what: &str) -> Result<u32, InText> {
        let start = self.at;
        let digits = self.take(|letter| letter.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.expected(what));
        }
        digits.parse().map_err(|_| InText::new(start..self.at, "this number is too large"))
    }

    /// Reads `token`, which has to be next.
    pub fn require(&mut self, token: &str) -> Result<(), InText> {
        if self.eat(token) { Ok(()) } else { Err(self.expected(&format!("`{token}`"))) }
    }

    /// The mistake that something else stands where `what` should.
    pub fn expected(&self, what: &str) -> InText {
        match self.rest().chars().next() {
            None => InText::new(self.at..self.at, format!("expected {what} at the end")),
            Some(found) => {
                InText::new(self.at..self.at + found.len_utf8(), format!("expected {what}, found `{found}`"))
            }
        }
    }

    /// Everything has to have been read.
    pub fn finish(&self) -> Result<(), InText> {
        if self.is_done() {
            return Ok(());
        }
        Err(InText::new(self.at..self.text.len(), format!("unexpected `{}`", self.rest())))
    }
}
