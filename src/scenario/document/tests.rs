//! Whole documents: what they resolve to, and what their mistakes look like.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::scenario::diagnostic::Style;

/// The files `(path, text)`, of which the first is the scenario.
fn resolved(files: &[(&str, &str)], overrides: &Overrides) -> Result<(Document, Texts), String> {
    let source: BTreeMap<PathBuf, String> =
        files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    let mut texts = Texts::default();
    match resolve(&source, FilePath::new(files[0].0), overrides, &mut texts) {
        Ok(document) => Ok((document, texts)),
        Err(mistakes) => {
            Err(mistakes.iter().map(|mistake| mistake.render(&texts, Style::Plain)).collect::<Vec<_>>().join("\n"))
        }
    }
}

fn printed(files: &[(&str, &str)], overrides: &Overrides) -> String {
    match resolved(files, overrides) {
        Ok((document, _)) => document.print(None),
        Err(mistakes) => panic!("{mistakes}"),
    }
}

fn refused(files: &[(&str, &str)], overrides: &Overrides) -> String {
    match resolved(files, overrides) {
        Ok((document, _)) => panic!("accepted as\n{}", document.print(None)),
        Err(mistakes) => mistakes,
    }
}

fn sets(sets: &[&str]) -> Overrides {
    Overrides { sets: sets.iter().map(|set| (*set).to_owned()).collect(), ..Overrides::default() }
}

fn variant(name: &str) -> Overrides {
    Overrides { variant: Some(name.into()), ..Overrides::default() }
}

const NONE: &Overrides = &Overrides {
    variant: None,
    sets: Vec::new(),
    seed: None,
    runs: None,
    metrics: Vec::new(),
    sweeps: Vec::new(),
    point: None,
    minimise: None,
    maximise: None,
    candidate: None,
};

#[test]
fn a_file_is_laid_over_the_files_it_extends_left_to_right() {
    let files = [
        ("a/top.toml", "extends = [\"one.toml\", \"../two.toml\"]\nremove = [\"x.gone\"]\n[x]\nc = 3\n"),
        ("a/one.toml", "[x]\na = 1\nb = 1\ngone = 1\n"),
        ("two.toml", "[x]\nb = 2\n[y.z]\nlist = [1, { k = \"v\" }]\n"),
    ];
    assert_eq!(printed(&files, NONE), "[x]\na = 1\nb = 2\nc = 3\n\n[y]\nz.list = [1, { k = \"v\" }]\n");
}

#[test]
fn files_that_extend_each_other_are_refused_with_the_circle() {
    let files = [("a.toml", "extends = \"b.toml\""), ("b.toml", "extends = \"a.toml\"")];
    assert_eq!(
        refused(&files, NONE),
        "\
error: these files extend each other in a circle
 --> b.toml:1:11
  |
1 | extends = \"a.toml\"
  |           ^^^^^^^^ closes the circle
  |
  = help: a.toml -> b.toml -> a.toml"
    );
}

#[test]
fn a_missing_file_is_reported_where_it_is_named() {
    let files = [("a.toml", "extends = \"b.toml\"")];
    assert_eq!(
        refused(&files, NONE),
        "\
error: cannot read `b.toml`: no such file
 --> a.toml:1:11
  |
1 | extends = \"b.toml\"
  |           ^^^^^^^^ named here"
    );
}

#[test]
fn a_named_table_starts_from_others_of_its_section() {
    let text = "\
[policies.default]\ntimeout = \"1s\"\njitter = \"full\"\nbackoff = { linear = { step = 1, max = 5 } }
[policies.brisk]\nextends = \"default\"\nremove = [\"jitter\"]\ntimeout = \"9ms\"\nbackoff.linear.step = 2
[policies.both]\nextends = [\"brisk\", \"late\"]\n[policies.late]\ntimeout = \"2s\"\n";
    assert_eq!(
        printed(&[("s.toml", text)], NONE),
        "\
[policies.default]
timeout = \"1s\"
jitter = \"full\"
backoff.linear.step = 1
backoff.linear.max = 5

[policies.brisk]
timeout = \"9ms\"
backoff.linear.step = 2
backoff.linear.max = 5

[policies.both]
timeout = \"2s\"
backoff.linear.step = 2
backoff.linear.max = 5

[policies.late]
timeout = \"2s\"
"
    );
}

#[test]
fn names_inside_names_extend_too() {
    let text = "[services.api.ops.list]\nwork = 1\n[services.api.ops.show]\nextends = \"list\"\n";
    assert!(printed(&[("s.toml", text)], NONE).ends_with("[services.api.ops.show]\nwork = 1\n"));
}

#[test]
fn circles_and_strangers_among_named_tables_are_refused_together() {
    let text = "[links.a]\nextends = \"b\"\n[links.b]\nextends = \"a\"\n[links.wan]\n[links.c]\nextends = \"wam\"\n";
    assert_eq!(
        refused(&[("s.toml", text)], NONE),
        "\
error: tables of [links] extend each other in a circle
 --> s.toml:4:11
  |
4 | extends = \"a\"
  |           ^^^ closes the circle
  |
  = help: a -> b -> a
error: there is no [links.wam] to extend
 --> s.toml:7:11
  |
7 | extends = \"wam\"
  |           ^^^^^
  |
  = help: did you mean `wan`?"
    );
}

#[test]
fn a_parameter_is_used_whole_and_anywhere() {
    let text = "[params]\nload = \"5/s\"\ndisk = { pareto = { min = 1, shape = 2 } }
[clients.a]\nrate = \"$load\"\nlist = [\"$disk\", \"no $load\"]\n";
    assert_eq!(
        printed(&[("s.toml", text)], &sets(&["params.load=7/s"])),
        "[clients.a]\nrate = \"7/s\"\nlist = [{ pareto = { min = 1, shape = 2 } }, \"no $load\"]\n"
    );
}

#[test]
fn unknown_and_unused_parameters_are_refused() {
    let text = "[params]\nload = 1\nloud = \"$load\"\n[a]\nb = \"$laod\"\nc = \"$load\"\n";
    assert_eq!(
        refused(&[("s.toml", text)], NONE),
        "\
error: parameter `loud` is not used anywhere
 --> s.toml:3:1
  |
3 | loud = \"$load\"
  | ^^^^
  |
  = help: a value is a parameter if it is \"$loud\" and nothing else
error: a parameter cannot stand in another parameter's value
 --> s.toml:3:8
  |
3 | loud = \"$load\"
  |        ^^^^^^^
error: there is no parameter `laod` in [params]
 --> s.toml:5:5
  |
5 | b = \"$laod\"
  |     ^^^^^^^
  |
  = help: did you mean `$load`?"
    );
}

#[test]
fn a_variant_removes_and_replaces_and_may_extend_another() {
    let text = "title = \"base\"\n[params]\nn = 1\n[policies.p]\na = 1\nb = 2\nn = \"$n\"\n[policies.q]\nextends = \"p\"
[variants.no-a]\nremove = [\"policies.p.a\"]\n[variants.both]\nextends = \"no-a\"\ntitle = \"both\"\npolicies.p.b = 3\n";
    let both = printed(&[("s.toml", text)], &variant("both"));
    assert_eq!(both, "title = \"both\"\n\n[policies.p]\nb = 3\nn = 1\n\n[policies.q]\nb = 3\nn = 1\n");
    let (base, _) = resolved(&[("s.toml", text)], NONE).unwrap();
    assert_eq!(base.variants.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["no-a", "both"]);
}

#[test]
fn an_unknown_variant_is_shown_as_it_was_typed() {
    let text = "[variants.no-breaker]\n";
    assert_eq!(
        refused(&[("s.toml", text)], &variant("no-braker")),
        "\
error: there is no variant `no-braker`
 --> command line:1:11
  |
1 | --variant no-braker
  |           ^^^^^^^^^
  |
  = help: did you mean `no-breaker`?"
    );
}

#[test]
fn removing_what_is_not_there_is_a_mistake() {
    let text = "[policies.p]\njitter = \"full\"\n[variants.x]\nremove = [\"policies.p.jiter\", \"run.seed.deep\"]\n[run]\nseed = 1\n";
    assert_eq!(
        refused(&[("s.toml", text)], &variant("x")),
        "\
error: there is no `policies.p.jiter` to remove
 --> s.toml:4:23
  |
4 | remove = [\"policies.p.jiter\", \"run.seed.deep\"]
  |                       ^^^^^ nothing has this name here
  |
  = help: did you mean `jitter`?
error: there is no `run.seed.deep` to remove
 --> s.toml:4:36
  |
4 | remove = [\"policies.p.jiter\", \"run.seed.deep\"]
  |                                    ^^^^ this is a value, not a table"
    );
}

#[test]
fn a_set_value_is_toml_or_else_a_string() {
    let set = sets(&[
        "a.n=3",
        "a.t=50ms",
        "a.s=\"7\"",
        "a.l=[1, 2]",
        "expect.\"app.latency.p99\"=< 1s",
        "a.b.c=true",
        "a.empty=",
    ]);
    let flags = Overrides { seed: Some("9".into()), ..set };
    assert_eq!(
        printed(&[("s.toml", "")], &flags),
        "\
[a]
n = 3
t = \"50ms\"
s = \"7\"
l = [1, 2]
b.c = true
empty = \"\"

[expect]
\"app.latency.p99\" = \"< 1s\"

[run]
seed = 9
"
    );
}

#[test]
fn a_broken_set_is_shown_as_it_was_typed() {
    assert_eq!(
        refused(&[("s.toml", "[run]\nseed = 1\n")], &sets(&["run.seed", "run.seed.x=1", "run.l=[1,"])),
        "\
error: `=` is missing after the path
 --> command line:1:15
  |
1 | --set run.seed
  |               ^
  |
  = help: `--set` reads like `--set policies.default.timeout=50ms`; a key with other characters is quoted
error: `seed` is the number 1, not a table
 --> command line:1:11
  |
1 | --set run.seed.x=1
  |           ^^^^
  |
 ::: s.toml:2:8
  |
2 | seed = 1
  |        - written here
error: this is not TOML: unclosed array, expected `]`
 --> command line:1:16
  |
1 | --set run.l=[1,
  |                ^"
    );
}

#[test]
fn every_value_says_where_it_was_written() {
    let files = [
        ("top.toml", "extends = \"base.toml\"\n[clients.a]\nrate = \"$load\"\n"),
        ("base.toml", "[params]\nload = \"5/s\"\n[run]\nseed = 1\nduration = \"9s\"\n"),
    ];
    let (document, texts) = resolved(&files, &sets(&["run.seed=2"])).unwrap();
    assert_eq!(
        document.print(Some(&texts)),
        "\
[run]
seed = 2         # --set run.seed=2
duration = \"9s\"  # base.toml:5

[clients.a]
rate = \"5/s\"     # base.toml:2, used at top.toml:3
"
    );
}

#[test]
fn broken_toml_is_reported_with_its_place() {
    assert_eq!(
        refused(&[("s.toml", "[run]\nseed = 1s\n")], NONE),
        "\
error: this is not TOML: string values must be quoted, expected literal string
 --> s.toml:2:8
  |
2 | seed = 1s
  |        ^^"
    );
    assert_eq!(
        refused(&[("s.toml", "[run]\nstart = 2026-01-01\n")], NONE),
        "\
error: nothing in a scenario is a date; write a duration such as \"2m30s\"
 --> s.toml:2:9
  |
2 | start = 2026-01-01
  |         ^^^^^^^^^^"
    );
}

#[test]
fn depth_is_limited_before_the_stack_is() {
    let deep = format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused(&[("s.toml", &deep)], NONE).contains("recursion"));
    let dotted = format!("{}x = 1", "a.".repeat(100_000));
    assert!(refused(&[("s.toml", &dotted)], NONE).contains("recursion"));
    let path = format!("{}x=1", "a.".repeat(100_000));
    assert!(refused(&[("s.toml", "")], &sets(&[&path])).contains("at most"));
}
