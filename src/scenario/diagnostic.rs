//! What is wrong with a scenario, and where: the one error type of this layer.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Renderer, Snippet};

use super::document::{Located, Origin, Texts};
use super::nearest::{nearest, one_of};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// The scenario cannot be played.
    Error,
    /// A file could not be read; the scenario itself may be well.
    Unreadable,
    /// The scenario can be played, and may not mean what its author thinks.
    Warning,
}

/// A place with a remark.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The place.
    pub origin: Origin,
    /// What to say there; may be empty.
    pub text: String,
}

/// One mistake or doubt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What was found, in one line.
    pub message: String,
    /// Where: the first label is the place of the mistake, the others explain it.
    pub labels: Vec<Label>,
    /// What could be done.
    pub help: Vec<String>,
}

/// How to render for a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Letters only.
    Plain,
    /// With ANSI colours.
    Coloured,
}

impl Diagnostic {
    /// A mistake, as yet without a place.
    pub fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), labels: Vec::new(), help: Vec::new() }
    }

    /// A file that could not be read, as yet without the place that names it.
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self { severity: Severity::Unreadable, ..Self::error(message) }
    }

    /// A doubt, as yet without a place.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Adds a place; the first one added is the place of the mistake.
    pub fn at(mut self, origin: Origin, text: impl Into<String>) -> Self {
        self.labels.push(Label { origin, text: text.into() });
        self
    }

    /// Adds advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds advice, if there is any.
    pub fn help_if(self, help: Option<impl Into<String>>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// The place of the mistake.
    pub fn origin(&self) -> Option<Origin> {
        self.labels.first().map(|label| label.origin)
    }

    /// The mistake with file, line, column and excerpts, without a final line break.
    pub fn render(&self, texts: &Texts, style: Style) -> String {
        let level = match self.severity {
            Severity::Error | Severity::Unreadable => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut elements: Vec<Element<'_>> = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let here = |label: &&Label| label.origin.text() == number;
            if !self.labels.iter().any(|label| here(&label)) {
                continue;
            }
            let annotations = self.labels.iter().enumerate().filter(|(_, label)| here(label)).map(|(index, label)| {
                let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                let remark = (!label.text.is_empty()).then(|| label.text.clone());
                kind.span(first_line(&text.content, label.origin.range())).label(remark)
            });
            let snippet: Snippet<'_, Annotation<'_>> =
                Snippet::source(&text.content).path(&text.name).annotations(annotations);
            let is_primary = self.origin().is_some_and(|origin| origin.text() == number);
            elements.insert(if is_primary { 0 } else { elements.len() }, snippet.into());
        }
        elements.extend(self.help.iter().map(|help| Level::HELP.message(help).into()));
        let report = [level.primary_title(&self.message).elements(elements)];
        match style {
            Style::Plain => Renderer::plain().render(&report),
            Style::Coloured => Renderer::styled().render(&report),
        }
    }
}

/// The part of `range` that stands on its first line, moved to whole characters inside `content`.
fn first_line(content: &str, range: Range<usize>) -> Range<usize> {
    let start = content.floor_char_boundary(range.start);
    let end = content.ceil_char_boundary(range.end).max(start);
    let line = content[start..end].find('\n').map_or(end, |newline| start + newline);
    start..line
}

/// A name that nobody bears: `kind` says what was looked for (`service`), `candidates` are the names that exist.
pub fn unknown_name<'a>(
    name: &Located<impl AsRef<str>>,
    kind: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let written = name.value.as_ref();
    let candidates: Vec<_> = candidates.into_iter().collect();
    let found = Diagnostic::error(format!("there is no {kind} `{written}`")).at(name.origin, "");
    match nearest(written, candidates.iter().copied()) {
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None if candidates.is_empty() => found.help(format!("the scenario names no {kind} at all")),
        None => found.help(format!("there is {}", one_of(&candidates))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::document::Piece;

    #[test]
    fn a_name_inside_a_text_is_shown_with_what_was_meant() {
        let mut texts = Texts::default();
        let content = "[clients.a]\ncall = \"apj/list\"\n".to_owned();
        let whole = texts.add_file("s.toml".into(), content).at(19..29);
        let piece = Piece { value: "apj".to_owned(), range: 0..3 };
        let found = unknown_name(&piece.located(whole, &texts), "service", ["db", "api"]);
        assert_eq!(
            found.render(&texts, Style::Plain),
            "\
error: there is no service `apj`
 --> s.toml:2:9
  |
2 | call = \"apj/list\"
  |         ^^^
  |
  = help: did you mean `api`?"
        );
        assert!(found.render(&texts, Style::Coloured).contains("\u{1b}["));
    }

    #[test]
    fn a_place_of_several_lines_is_shown_by_its_first() {
        let mut texts = Texts::default();
        let file = texts.add_file("s.toml".into(), "a = [\n  1,\n]\n".into());
        let found = Diagnostic::warning("long").at(file.at(4..13), "").render(&texts, Style::Plain);
        assert_eq!(found, "warning: long\n --> s.toml:1:5\n  |\n1 | a = [\n  |     ^");
    }
}
