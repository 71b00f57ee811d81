//! Typical mistakes, and exactly what is said about them: `mistakes.txt` beside this file.
//!
//! Each case is a title, lines `--set PATH=VALUE`, a scenario, `----`, what is said, `====`.
//! `REHEARSAL_BLESS=1 cargo test typical_mistakes` rewrites what is said.

use std::fmt::Write;

use super::load;
use crate::scenario::{Overrides, Style};

#[test]
fn typical_mistakes_are_said_in_these_words() {
    let written = include_str!("mistakes.txt");
    let mut said = String::new();
    for case in written.split_terminator("====\n") {
        let (title, rest) = case.split_once('\n').expect("a case has a title");
        let (input, _) = rest.split_once("----\n").expect("a case ends its scenario");
        let (flags, text): (Vec<_>, Vec<_>) = input.lines().partition(|line| line.starts_with("--set "));
        let sets = flags.iter().map(|flag| flag["--set ".len()..].to_owned()).collect();
        let mistakes = load(&format!("{}\n", text.join("\n")), &Overrides { sets, ..Overrides::default() })
            .expect_err("every case has a mistake");
        writeln!(said, "{title}\n{input}----\n{}\n====", mistakes.render(Style::Plain)).expect("a string takes all");
    }
    if std::env::var_os("REHEARSAL_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenario/tests/mistakes.txt");
        std::fs::write(path, &said).expect("the cases can be written");
    } else {
        assert_eq!(written, said, "REHEARSAL_BLESS=1 cargo test typical_mistakes rewrites what is said");
    }
}
