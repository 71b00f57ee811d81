//! What holds for every text.

use proptest::prelude::*;

use super::{CHECKOUT, load};
use crate::scenario::condition::Condition;
use crate::scenario::quantity::Quantity;
use crate::scenario::reference::Reference;
use crate::scenario::selector::Selector;
use crate::scenario::{Overrides, Style};

/// Loads a text, and renders whatever is wrong with it: neither may fall over.
fn survives(text: &str, sets: Vec<String>) {
    let overrides = Overrides { sets, ..Overrides::default() };
    match load(text, &overrides) {
        Ok(loaded) => {
            let shown = loaded.document.print(Some(&loaded.texts));
            let again = load(&shown, &Overrides::default()).expect("what is shown can be read");
            assert_eq!(again.document.print(None), loaded.document.print(None));
        }
        Err(mistakes) => {
            assert!(!mistakes.diagnostics.is_empty(), "a refusal has a reason");
            assert!(!mistakes.render(Style::Plain).is_empty());
        }
    }
}

/// The sample with the lines in `range` taken out, doubled or moved, or with a word exchanged for another.
fn mutated() -> impl Strategy<Value = String> {
    let lines: Vec<_> = CHECKOUT.lines().map(str::to_owned).collect();
    let words: Vec<_> = CHECKOUT.split_whitespace().map(str::to_owned).collect();
    let count = lines.len();
    (0..count, 0..count, 0..words.len(), 0..words.len(), 0..4_u8).prop_map(move |(a, b, word, other, kind)| {
        let mut lines = lines.clone();
        match kind {
            0 => drop(lines.remove(a)),
            1 => lines.insert(b, lines[a].clone()),
            2 => lines.swap(a, b),
            _ => return CHECKOUT.replace(&words[word], &words[other]),
        }
        lines.join("\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_mutated_scenario_is_read_or_refused(text in mutated()) {
        survives(&text, Vec::new());
    }

    #[test]
    fn a_scenario_with_characters_exchanged_is_read_or_refused(
        at in 0..CHECKOUT.len(),
        length in 0..12_usize,
        inserted in ".{0,6}",
    ) {
        let start = CHECKOUT.floor_char_boundary(at);
        let end = CHECKOUT.floor_char_boundary((at + length).min(CHECKOUT.len()));
        survives(&format!("{}{inserted}{}", &CHECKOUT[..start], &CHECKOUT[end..]), Vec::new());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}", set in "\\PC{0,30}") {
        survives(&text, vec![set.clone()]);
        survives(CHECKOUT, vec![set]);
    }

    #[test]
    fn text_that_looks_like_toml_is_read_or_refused(
        text in "(\\[?(run|clients|services|policies|links|expect|params)(\\.[a-z]{1,2})?\\]?\n|[a-z\".-]{1,8} = [\\[\\]{}\"$a-z0-9=, ]{0,14}\n){0,8}",
    ) {
        survives(&text, Vec::new());
    }

    #[test]
    fn small_texts_are_read_or_refused_inside_their_bounds(text in "[a-z0-9./>()%+@#\\[\\]<= -]{0,24}") {
        let mistakes = [
            Quantity::parse(&text).err(),
            Condition::parse(&text).err(),
            Selector::parse(&text).err(),
        ];
        for mistake in mistakes.into_iter().flatten() {
            prop_assert!(text.get(mistake.range.clone()).is_some(), "{mistake:?}");
        }
    }

    #[test]
    fn a_quantity_that_is_read_prints_as_one_that_reads_the_same(
        scope in "([a-z]{1,4}(/[a-z]{1,3}|->[a-z]{1,3}|\\[[0-9]\\])?\\.)?",
        rest in "(latency\\.(p[1-9][0-9]|p99\\.9|under\\(5ms\\))|goodput|lost\\.count)( (from 5s( to 9s)?|after [a-z]{1,3}))?",
    ) {
        let quantity = Quantity::parse(&format!("{scope}{rest}")).expect("it is made by the grammar");
        let printed = quantity.to_string();
        prop_assert_eq!(Quantity::parse(&printed).expect("it was printed").to_string(), printed);
    }
}

/// A default that the reference shows has to be a value that can be written.
#[test]
fn every_default_can_be_written() {
    let schema: serde_json::Value = serde_json::from_str(&Reference::new().json_schema()).unwrap();
    let around = [
        ("PolicyKeys", "[policies.p]\n"),
        ("Medium", "[network]\n"),
        ("Queue", "[services.s.queue]\n"),
        ("Service", "[services.s]\ncall = \"s\"\n"),
        ("Client", "[clients.c]\ncall = \"s\"\n"),
    ];
    let mut checked = 0;
    for (name, header) in around {
        for (key, property) in schema["$defs"][name]["properties"].as_object().unwrap() {
            let default = property.pointer("/anyOf/0/default").filter(|default| !default.is_object());
            let Some(default) = default else { continue };
            let beside = match (name, key.as_str()) {
                ("Client", "think") => "users = 1",
                ("Client", "phase") => "rate = \"1/s\"\narrivals = \"even\"",
                ("Client", "arrivals") => "rate = \"1/s\"",
                ("Client", _) => "rate = \"1/s\"",
                _ => "",
            };
            super::loaded(&format!("run.duration = \"1s\"\n{header}{beside}\n{key} = {default}\n"));
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked} defaults were found");
}
