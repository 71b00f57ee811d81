//! What can be said about a family of distributions without having one.

/// A family's entry in the registry, in the spelling of scenarios.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Family {
    /// The name, as scenarios spell it.
    pub name: &'static str,
    /// What it is, in half a line.
    pub summary: &'static str,
    /// What it is for and how it behaves, in a paragraph.
    pub explanation: &'static str,
    /// What it is made of.
    pub parameters: &'static [Parameter],
    /// How it is written, one line for each way.
    pub spellings: &'static [&'static str],
    /// Where its mathematics stands.
    pub source: &'static str,
}

/// One parameter of a family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// The name, as scenarios spell it.
    pub name: &'static str,
    /// What it means and what it may be.
    pub meaning: &'static str,
}
