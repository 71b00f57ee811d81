//! When something is measured: `during outage`, `from 60s to 90s`.

use std::fmt;

use super::cursor::Cursor;
use super::document::{InText, Piece};
use super::schema::Duration;
use crate::base::time::Span;

/// When something is measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Window {
    /// Before a fault or a named window begins.
    Before(Piece<String>),
    /// While it lasts.
    During(Piece<String>),
    /// When it is over.
    After(Piece<String>),
    /// From a time to another, or to the end.
    Between {
        /// The start.
        from: Span,
        /// The end.
        to: Option<Span>,
    },
}

impl Window {
    /// Reads the window that stands at `start` of a quantity, if there is one.
    pub(super) fn parse(text: &str, start: usize) -> Result<Option<Self>, InText> {
        const WHAT: &str = "`before`, `during` or `after` with a name, or `from` with a time";
        let mut cursor = Cursor::within(text, start..text.len());
        cursor.skip_spaces();
        if cursor.is_done() {
            return Ok(None);
        }
        let begin = cursor.at();
        let word = cursor.word();
        let word_range = begin..cursor.at();
        cursor.skip_spaces();
        let mut name = || cursor.name("the name of a fault or a window");
        let window = match word {
            "before" => Self::Before(name()?),
            "during" => Self::During(name()?),
            "after" => Self::After(name()?),
            "from" => between(&mut cursor)?,
            "" => return Err(cursor.expected(WHAT)),
            _ => return Err(InText::new(word_range, format!("expected {WHAT}, found `{word}`"))),
        };
        cursor.skip_spaces();
        cursor.finish()?;
        Ok(Some(window))
    }
}

fn between(cursor: &mut Cursor<'_>) -> Result<Window, InText> {
    let start = cursor.at();
    let from = time(cursor)?;
    cursor.skip_spaces();
    let mut to = None;
    if cursor.eat("to ") {
        cursor.skip_spaces();
        to = Some(time(cursor)?);
    }
    if to.is_some_and(|to| to <= from) {
        return Err(InText::new(start..cursor.at(), "this window ends before it begins"));
    }
    Ok(Window::Between { from, to })
}

fn time(cursor: &mut Cursor<'_>) -> Result<Span, InText> {
    let start = cursor.at();
    let text = cursor.take(|letter| letter != ' ');
    text.parse().map_err(|_| InText::new(start..cursor.at(), "expected a time such as `60s`"))
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(name) => write!(f, "before {}", name.value),
            Self::During(name) => write!(f, "during {}", name.value),
            Self::After(name) => write!(f, "after {}", name.value),
            Self::Between { from, to: None } => write!(f, "from {}", Duration(*from)),
            Self::Between { from, to: Some(to) } => write!(f, "from {} to {}", Duration(*from), Duration(*to)),
        }
    }
}
