//! How what a person reads looks.

use clap::ValueEnum;

/// When to use colours.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Which characters texts for people are written in.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Charset {
    /// All, unless a terminal's locale is of another character set
    #[default]
    Auto,
    /// All
    Unicode,
    /// Those of ASCII
    Ascii,
}

/// How much a summary says.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Summary {
    /// Expectations and warnings, and for each flow goodput, latency and reliability in three lines
    Compact,
    /// That, and percentiles, histograms, fates, services, queues, links, courses over time and faults
    Full,
}
