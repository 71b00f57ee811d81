//! Dotted paths to a value, as `--set`, `remove` and messages write them: `expect."app.latency.p99"`.

use std::fmt;
use std::ops::Range;

/// The longest path; nothing in a scenario nests as deep.
const SEGMENTS_MAX: usize = 32;

/// The way from the top of a scenario to a value.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Path(Vec<Segment>);

/// One key of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// The key without quotes.
    pub name: String,
    /// Its bytes in the path's text.
    pub range: Range<usize>,
}

impl Path {
    /// Reads the path at the start of `text`: it ends before the first character that cannot continue it.
    ///
    /// Returns the path and its length in bytes.
    pub(super) fn parse_prefix(text: &str) -> Result<(Self, usize), String> {
        let mut segments = Vec::new();
        let mut at = 0;
        loop {
            let (name, length) = segment(&text[at..])?;
            segments.push(Segment { name, range: at..at + length });
            if segments.len() > SEGMENTS_MAX {
                return Err(format!("a path has at most {SEGMENTS_MAX} keys"));
            }
            at += length;
            if !text[at..].starts_with('.') {
                return Ok((Self(segments), at));
            }
            at += 1;
        }
    }

    /// Reads a whole text as a path.
    pub(in crate::scenario) fn parse(text: &str) -> Result<Self, String> {
        let (path, length) = Self::parse_prefix(text)?;
        match text[length..].chars().next() {
            None => Ok(path),
            Some(strange) => Err(format!("`{strange}` cannot stand in a path unquoted")),
        }
    }

    /// The keys from the top.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }
}

fn segment(text: &str) -> Result<(String, usize), String> {
    if let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let end = text[1..].find(quote).ok_or_else(|| format!("a key's closing {quote} is missing"))?;
        return Ok((text[1..=end].to_owned(), end + 2));
    }
    let length = text.find(|letter| !is_bare(letter)).unwrap_or(text.len());
    if length == 0 {
        return Err("a key is missing; a path reads like `policies.default.timeout`".into());
    }
    Ok((text[..length].to_owned(), length))
}

/// What a key can hold without quotes.
fn is_bare(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

/// A key as it is written in a path: quoted if it has to be.
pub(crate) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && self.0.chars().all(is_bare) {
            return f.write_str(self.0);
        }
        write_string(f, self.0)
    }
}

/// A TOML basic string.
pub(super) fn write_string(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(f, "\\{letter}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            control if control.is_control() => write!(f, "\\u{:04X}", control as u32)?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            Quoted(&segment.name).fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let path = Path::parse(text).expect(text);
        path.segments().iter().map(|segment| segment.name.clone()).collect()
    }

    #[test]
    fn quoted_keys_may_hold_dots() {
        assert_eq!(names("run.seed"), ["run", "seed"]);
        assert_eq!(names(r#"expect."app.latency.p99""#), ["expect", "app.latency.p99"]);
        assert_eq!(names("expect.'a b'.c"), ["expect", "a b", "c"]);
        let path = Path::parse(r#"expect."a.b""#).unwrap();
        assert_eq!(path.to_string(), r#"expect."a.b""#);
        assert_eq!(path.segments()[1].range, 7..12);
    }

    #[test]
    fn broken_paths_say_what_is_missing() {
        for (text, said) in [
            ("", "a key is missing"),
            ("a..b", "a key is missing"),
            ("a.", "a key is missing"),
            ("a.\"b", "closing \""),
            ("a b", "` ` cannot stand"),
        ] {
            let error = Path::parse(text).expect_err(text);
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_prefix_ends_at_the_equals_sign() {
        let (path, length) = Path::parse_prefix("run.seed=3").unwrap();
        assert_eq!((path.to_string().as_str(), length), ("run.seed", 8));
    }
}
