//! Typical mistakes, and exactly what is said about them: `mistakes.txt` beside this file.
//!
//! Each case is a title, lines `--set PATH=VALUE` and `--variant NAME`, a scenario, `----`, what is said, `====`. What a
//! scenario can be played in spite of is said as a warning.
//! `REHEARSAL_BLESS=1 cargo test typical_mistakes` rewrites what is said.

use std::fmt::Write;

use super::load;
use crate::scenario::plan::Plan;
use crate::scenario::{Mistakes, Overrides, Style};

#[test]
fn typical_mistakes_are_said_in_these_words() {
    let written = include_str!("mistakes.txt");
    let mut said = String::new();
    for case in written.split_terminator("====\n") {
        let (title, rest) = case.split_once('\n').expect("a case has a title");
        let (input, _) = rest.split_once("----\n").expect("a case ends its scenario");
        let (flags, text): (Vec<_>, Vec<_>) = input.lines().partition(|line| line.starts_with("--"));
        let sets = flags.iter().filter_map(|flag| flag.strip_prefix("--set ").map(str::to_owned)).collect();
        let variant = flags.iter().find_map(|flag| flag.strip_prefix("--variant ").map(str::to_owned));
        let overrides = Overrides { sets, variant, ..Overrides::default() };
        let mistakes = doubts(&format!("{}\n", text.join("\n")), &overrides);
        writeln!(said, "{title}\n{input}----\n{mistakes}\n====").expect("a string takes all");
    }
    if std::env::var_os("REHEARSAL_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenario/tests/mistakes.txt");
        std::fs::write(path, &said).expect("the cases can be written");
    } else {
        assert_eq!(written, said, "REHEARSAL_BLESS=1 cargo test typical_mistakes rewrites what is said");
    }
}

/// Everything that is said of a scenario: what is wrong, or what is doubtful if it can be played.
fn doubts(text: &str, overrides: &Overrides) -> String {
    let loaded = match load(text, overrides) {
        Ok(loaded) => loaded,
        Err(mistakes) => return mistakes.render(Style::Plain),
    };
    let texts = loaded.texts.clone();
    let mistakes = match Plan::new(loaded) {
        Ok(plan) => Mistakes { diagnostics: plan.warnings, texts },
        Err(mistakes) => mistakes,
    };
    assert!(!mistakes.diagnostics.is_empty(), "every case has a mistake: {text}");
    mistakes.render(Style::Plain)
}
