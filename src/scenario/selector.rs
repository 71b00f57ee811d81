//! The grammar for nodes, in links and faults: `api`, `api[0-2]`, `api@eu`, `@eu/a`, `payments#0[leader]`, `*`, `rest`.
//!
//! ```text
//! selector = (group ["#" partition] | "*") ["@" region ["/" zone]] ["[" which "]"] | "@" region ["/" zone] | "rest"
//! which    = 0 | 0-2 (both ends) | 0,3 | any N | each | leader | followers
//! ```

use std::fmt;

use super::cursor::Cursor;
use super::document::{InText, Piece, text_type};

/// Some of the nodes of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    /// Of which groups.
    pub base: Base,
    /// In which region; in all if it is left out.
    pub region: Option<Piece<String>>,
    /// In which of its zones; in all if it is left out.
    pub zone: Option<Piece<String>>,
    /// Which of their nodes there.
    pub which: Which,
}

/// The groups that a selector looks at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Base {
    /// One group, or one partition of a topic.
    Group {
        /// The group's name.
        name: Piece<String>,
        /// The partition.
        partition: Option<u32>,
    },
    /// Every node.
    All,
    /// Every node that no other selector beside this one names.
    Rest,
}

/// Which nodes of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    /// All of them, as one.
    All,
    /// These places, from the first to the last of each range.
    Indices(Vec<(u32, u32)>),
    /// So many, drawn.
    Any(u32),
    /// All of them, each on its own.
    Each,
    /// Who leads when the selector is resolved.
    Leader,
    /// Who does not.
    Followers,
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn parse(text: &str) -> Result<Self, InText> {
        let mut cursor = Cursor::new(text);
        let base = if cursor.rest().starts_with('@') || cursor.eat("*") {
            Base::All
        } else {
            let name = cursor.name("a group's name, `*`, `@` and a region, or `rest`")?;
            if *name == "rest" && cursor.is_done() {
                return Ok(Self { base: Base::Rest, region: None, zone: None, which: Which::All });
            }
            let partition = if cursor.eat("#") { Some(cursor.number("a partition's number")?) } else { None };
            Base::Group { name, partition }
        };
        let region = if cursor.eat("@") { Some(cursor.name("a region's name")?) } else { None };
        let zone = if region.is_some() && cursor.eat("/") { Some(cursor.name("a zone's name")?) } else { None };
        let which = if !text.starts_with('@') && cursor.eat("[") { which(&mut cursor)? } else { Which::All };
        cursor.finish()?;
        Ok(Self { base, region, zone, which })
    }
}

/// Reads what stands in brackets, with the closing one; the opening one has been read.
pub(super) fn which(cursor: &mut Cursor<'_>) -> Result<Which, InText> {
    const WHAT: &str = "a node's place such as 0 or 0-2, `any N`, `each`, `leader` or `followers`";
    let start = cursor.at();
    let word = cursor.take(|letter| letter.is_ascii_alphabetic());
    let which = match word {
        "" => indices(cursor, WHAT)?,
        "any" => {
            cursor.skip_spaces();
            Which::Any(cursor.number("how many")?)
        }
        "each" => Which::Each,
        "leader" => Which::Leader,
        "followers" => Which::Followers,
        _ => return Err(InText::new(start..cursor.at(), format!("expected {WHAT}, found `{word}`"))),
    };
    cursor.require("]")?;
    Ok(which)
}

fn indices(cursor: &mut Cursor<'_>, what: &str) -> Result<Which, InText> {
    let mut ranges = Vec::new();
    loop {
        let start = cursor.at();
        let first = cursor.number(what)?;
        let last = if cursor.eat("-") { cursor.number("the last place")? } else { first };
        if last < first {
            return Err(InText::new(start..cursor.at(), "this range ends before it begins"));
        }
        ranges.push((first, last));
        if !cursor.eat(",") {
            return Ok(Which::Indices(ranges));
        }
        cursor.skip_spaces();
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.region.is_none() || self.which != Which::All || self.base != Base::All {
            self.base.fmt(f)?;
        }
        if let Some(region) = &self.region {
            write!(f, "@{}", region.value)?;
        }
        if let Some(zone) = &self.zone {
            write!(f, "/{}", zone.value)?;
        }
        self.which.fmt(f)
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group { name, partition: None } => f.write_str(name),
            Self::Group { name, partition: Some(partition) } => write!(f, "{}#{partition}", name.value),
            Self::All => f.write_str("*"),
            Self::Rest => f.write_str("rest"),
        }
    }
}

impl fmt::Display for Which {
    /// With brackets; all nodes are nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::Indices(ranges) => {
                for (index, (first, last)) in ranges.iter().enumerate() {
                    f.write_str(if index == 0 { "[" } else { "," })?;
                    if first == last { write!(f, "{first}")? } else { write!(f, "{first}-{last}")? }
                }
                f.write_str("]")
            }
            Self::Any(count) => write!(f, "[any {count}]"),
            Self::Each => f.write_str("[each]"),
            Self::Leader => f.write_str("[leader]"),
            Self::Followers => f.write_str("[followers]"),
        }
    }
}

text_type!(Selector, "selector", "nodes such as \"api\", \"api[0-2]\", \"@eu\", \"api@eu\", \"*\" or \"rest\"");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_read_and_print_alike() {
        let words = "api api[0] api[0-2] api[0,3-4] *[each] log#3[leader] rest * @eu api@eu api@eu-west[0-2] *@eu[each] @eu/a \
             api@eu/a[0]";
        for text in words.split(' ').chain(["api[any 2]"]) {
            assert_eq!(Selector::parse(text).expect(text).to_string(), text);
        }
        assert_eq!(Selector::parse("*@eu").unwrap().to_string(), "@eu");
    }

    #[test]
    fn mistakes_are_found_inside_the_text() {
        for (text, range, said) in [
            ("", 0..0, "expected a group's name, `*`, `@` and a region, or `rest` at the end"),
            ("Api", 0..1, "found `A`"),
            ("api[", 4..4, "a node's place"),
            ("api[x]", 4..5, "found `x`"),
            ("api[2-1]", 4..7, "ends before it begins"),
            ("api[1", 5..5, "expected `]` at the end"),
            ("api[1]]", 6..7, "unexpected `]`"),
            ("api@", 4..4, "expected a region's name"),
            ("@eu/", 4..4, "expected a zone's name at the end"),
            ("api/a", 3..5, "unexpected `/a`"),
            ("@eu[0]", 3..6, "unexpected `[0]`"),
            ("9api", 0..4, "starts with a small letter"),
            ("api[99999999999]", 4..15, "too large"),
        ] {
            let mistake = Selector::parse(text).expect_err(text);
            assert_eq!(mistake.range, range, "{text}: {}", mistake.message);
            assert!(mistake.message.contains(said), "{text}: {}", mistake.message);
        }
    }
}
