use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::*;
use crate::scenario::{Loaded, Mistakes, Overrides, Scenario, Style};

const BASE: &str = r#"
[run]
duration = "1s"
[policies.default]
timeout = "50ms"
[clients.app]
rate = "10/s"
call = "api"
deadline = "100ms"
[services.api]
"#;

fn load(sweep: &str, overrides: &Overrides) -> Result<Loaded, Mistakes> {
    let files = BTreeMap::from([(PathBuf::from("s.toml"), format!("{BASE}\n[sweep]\n{sweep}"))]);
    Scenario::load(&files, Path::new("s.toml"), overrides)
}

fn design(sweep: &str) -> (Design, Vec<Vec<String>>) {
    let loaded = load(sweep, &Overrides::default());
    let loaded = loaded.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(Style::Plain)));
    let design = loaded.document.design.expect("it has a sweep");
    let labels = design.points(&loaded.texts).iter().map(|point| design.labels(point)).collect();
    (design, labels)
}

#[test]
fn a_full_design_tries_each_level_with_each_the_last_factor_first() {
    let (_, labels) = design(
        "policies.default.max-attempts = [1, 2]\nclients.app.rate = { from = \"10/s\", to = \"30/s\", step = \"10/s\" }",
    );
    assert_eq!(labels, [["1", "10/s"], ["1", "20/s"], ["1", "30/s"], ["2", "10/s"], ["2", "20/s"], ["2", "30/s"]]);
}

#[test]
fn ranges_go_in_steps_or_in_multiples() {
    for (range, labels) in [
        ("{ from = \"20ms\", to = \"80ms\", step = \"20ms\" }", vec!["20ms", "40ms", "60ms", "80ms"]),
        ("{ from = \"1ms\", to = \"1s\", log = 4 }", vec!["1ms", "10ms", "100ms", "1s"]),
        ("{ from = \"10ms\", to = \"25ms\", step = \"10ms\" }", vec!["10ms", "20ms"]),
    ] {
        let (_, found) = design(&format!("policies.default.timeout = {range}"));
        assert_eq!(found.concat(), labels, "{range}");
    }
    for (range, labels) in [
        ("{ from = 0.1, to = 0.4, step = 0.1 }", vec!["0.1", "0.2", "0.3", "0.4"]),
        ("{ from = \"0.5%\", to = \"1.5%\", step = \"0.5%\" }", vec!["0.5%", "1%", "1.5%"]),
    ] {
        let (_, found) = design(&format!("network.loss = {range}"));
        assert_eq!(found.concat(), labels, "{range}");
    }
    let (_, found) = design("services.api.speed = { from = 0.3, to = 1.0, log = 7 }");
    assert_eq!(found.concat().last().map(String::as_str), Some("1"), "the last one is the end itself: {found:?}");
    let (_, found) = design("policies.default.max-attempts = { from = 1, to = 3 }");
    assert_eq!(found.concat(), ["1", "2", "3"]);
}

#[test]
fn constraints_leave_points_out() {
    let (_, labels) = design(
        "policies.default.timeout = [\"20ms\", \"60ms\"]\npolicies.default.max-attempts = [1, 2]\n\
         constraints = [\"policies.default.timeout < clients.app.deadline\", \"policies.default.timeout <= 20ms\"]",
    );
    assert_eq!(labels, [["20ms", "1"], ["20ms", "2"]]);
}

/// What a parameter stands for, what a whole table says and what it hands on is known at each point.
#[test]
fn constraints_are_about_the_scenario_at_the_point() {
    let text = r#"
[run]
duration = "1s"
[params]
wait = "20ms"
[policies.default]
timeout = "$wait"
[policies.heir]
extends = "default"
[clients.app]
rate = "10/s"
call = "api"
deadline = "30ms"
[services.api]
[sweep]
"#;
    let labels = |sweep: &str| {
        let files = BTreeMap::from([(PathBuf::from("s.toml"), format!("{text}{sweep}"))]);
        let loaded = Scenario::load(&files, Path::new("s.toml"), &Overrides::default());
        let loaded = loaded.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(Style::Plain)));
        let design = loaded.document.design.expect("it has a sweep");
        design.check(&loaded.texts).expect("its constraints are about something");
        design.points(&loaded.texts).iter().flat_map(|point| design.labels(point)).collect::<Vec<_>>()
    };
    let constraint = "constraints = \"policies.default.timeout < clients.app.deadline\"";
    let inherited = "constraints = \"policies.heir.timeout < clients.app.deadline\"";
    for constraint in [constraint, inherited] {
        assert_eq!(labels(&format!("params.wait = [\"10ms\", \"40ms\"]\n{constraint}")), ["10ms"]);
        let tables = "policies.default = [{ timeout = \"50ms\" }, { timeout = \"5ms\" }]";
        assert_eq!(labels(&format!("{tables}\n{constraint}")), ["{ timeout = 5ms }"]);
    }
    assert_eq!(labels("params.wait = [\"10ms\", \"40ms\"]\nconstraints = \"params.wait > 10ms\""), ["40ms"]);
}

#[test]
fn constraints_about_nothing_are_refused() {
    for (constraint, said) in [
        ("services.api.node != 2", "did you mean `services.api.nodes`?"),
        ("policies.default.backoff != 2", "is to be written out"),
        ("policies.default < 3", "no value at `policies.default`"),
        ("policies.default.timeout < clients.app.deadlin", "did you mean `clients.app.deadline`?"),
        ("full == full", "no value at `full`"),
    ] {
        let sweep = format!("services.api.nodes = [1, 2]\nconstraints = {constraint:?}");
        let loaded = load(&sweep, &Overrides::default()).unwrap();
        let diagnostics = loaded.document.design.unwrap().check(&loaded.texts).expect_err(constraint);
        let mistakes = Mistakes { diagnostics, texts: loaded.texts }.render(Style::Plain);
        assert!(mistakes.contains(said) && mistakes.contains("s.toml:"), "{constraint}: {mistakes}");
    }
}

/// Each of ten parts of each factor's range has one of ten points.
#[test]
fn a_latin_hypercube_has_one_point_in_each_part() {
    let sweep = "policies.default.timeout = { from = \"10ms\", to = \"110ms\" }\nnetwork.loss = { from = 0.0, to = 0.1 }\n\
                 design = { latin-hypercube = 10 }";
    let (design, labels) = design(sweep);
    assert_eq!(labels.len(), 10);
    let points = design.sampling.points(&design.factors, Seed(design.seed));
    for (place, (from, width)) in [(10e6, 10e6), (0.0, 0.01)].into_iter().enumerate() {
        let parts = points.iter().map(|point| {
            let number = design.factors[place].number(point.0[place]).unwrap();
            ((number - from) / width) as u32
        });
        assert_eq!(parts.collect::<BTreeSet<_>>().len(), 10, "factor {place}");
    }
}

/// Of 64 points each of the 8 x 8 cells has one: the first two dimensions of a Sobol sequence are a (0, 6, 2)-net.
#[test]
fn a_sobol_design_fills_the_space_evenly() {
    let sweep = "policies.default.timeout = { from = \"10ms\", to = \"90ms\" }\nnetwork.loss = { from = 0.0, to = 0.8 }\n\
                 design = { sobol = 64 }";
    let (design, _) = design(sweep);
    let points = design.sampling.points(&design.factors, Seed(design.seed));
    let cell = |point: &Point| {
        let number = |place: usize| design.factors[place].number(point.0[place]).unwrap();
        ((number(0) - 10e6) / 10e6) as u32 * 8 + (number(1) / 0.1) as u32
    };
    assert_eq!(points.iter().map(cell).collect::<BTreeSet<_>>().len(), 64);
}

/// A list has each of its values equally often, and a range of whole numbers, too.
#[test]
fn samples_of_lists_and_whole_numbers_are_even() {
    let sweep = "policies.default.jitter = [\"none\", \"full\"]\npolicies.default.max-attempts = { from = 1, to = 4 }\n\
                 design = { latin-hypercube = 8 }";
    let (_, labels) = design(sweep);
    for (place, level, count) in [(0, "none", 4), (0, "full", 4), (1, "1", 2), (1, "4", 2)] {
        assert_eq!(labels.iter().filter(|point| point[place] == level).count(), count, "{level}: {labels:?}");
    }
}

/// What says its steps has nothing between them, and each of them equally often.
#[test]
fn samples_keep_to_steps() {
    for sampling in ["latin-hypercube", "sobol"] {
        let sweep = format!(
            "policies.default.timeout = {{ from = \"10ms\", to = \"40ms\", step = \"10ms\" }}\n\
             network.loss = {{ from = 0.001, to = 0.1, log = 2 }}\ndesign = {{ {sampling} = 16 }}"
        );
        let (_, labels) = design(&sweep);
        for (place, level, count) in [(0, "10ms", 4), (0, "20ms", 4), (0, "40ms", 4), (1, "0.001", 8), (1, "0.1", 8)] {
            assert_eq!(labels.iter().filter(|point| point[place] == level).count(), count, "{level}: {labels:?}");
        }
    }
}

#[test]
fn a_point_is_laid_over_the_scenario() {
    let sweep = "policies.default.timeout = [\"20ms\", \"60ms\"]";
    let point = Point(vec![Level::Listed(1)]);
    let loaded = load(sweep, &Overrides { point: Some(point), ..Overrides::default() }).unwrap();
    let printed = loaded.document.print(Some(&loaded.texts));
    assert!(printed.contains("timeout = \"60ms\""), "{printed}");
    assert!(printed.contains("s.toml:13"), "it says where that was written: {printed}");
}

#[test]
fn flags_vary_more_and_something_else() {
    let overrides = Overrides {
        sweeps: vec!["policies.default.timeout=[\"1ms\"]".into(), "run.seed=[1,2]".into()],
        ..Overrides::default()
    };
    let loaded = load("policies.default.timeout = [\"20ms\", \"60ms\"]", &overrides).unwrap();
    let design = loaded.document.design.unwrap();
    let labels: Vec<_> = design.points(&loaded.texts).iter().map(|point| design.labels(point)).collect();
    assert_eq!(labels, [["1ms", "1"], ["1ms", "2"]]);
    assert_eq!(design.factor("run.sed"), Err("`run.sed` is not varied; did you mean `run.seed`?".into()));
}

#[test]
fn what_is_wrong_with_a_sweep_is_said_where_it_stands() {
    for (sweep, said) in [
        ("policies.default.timeout = 3", "takes a list of values or a range"),
        ("policies.default.timeout = []", "has no values"),
        ("policies.default.timeout = { from = \"1ms\" }", "needs `to`"),
        ("policies.default.timeout = { from = \"1ms\", to = \"2MiB\", step = \"1ms\" }", "in one unit"),
        ("policies.default.timeout = { from = \"2ms\", to = \"1ms\", step = \"1ms\" }", "up, and in one unit"),
        ("policies.default.timeout = { from = \"1ms\", to = \"2ms\", step = \"0ms\" }", "above 0"),
        (
            "policies.default.timeout = { from = \"1ms\", to = \"2ms\", step = \"1ms\", log = 2 }",
            "either sums or multiples",
        ),
        ("policies.default.timeout = { from = \"1ms\", to = \"2ms\", count = 3 }", "found `count`"),
        ("policies.default.timeout = { from = \"1ms\", to = \"2ms\" }", "not which there are"),
        ("policies.default.timeout = { from = \"0ms\", to = \"2ms\", log = 3 }", "above 0"),
        ("design = \"latin\"\nrun.seed = [1]", "a design is"),
        ("design = { sobol = 0 }\nrun.seed = [1]", "of 1 to"),
        ("constraints = \"run.seed is 1\"\nrun.seed = [1]", "is no constraint"),
        ("constraints = \"policies.default.jitter < full\"\nrun.seed = [1]", "neither more nor less"),
        ("run = [{ seed = 1 }, { seed = 2 }]", "vary its keys by their paths"),
        ("tune.candidates = [1, 2]", "a sweep does not play `tune`"),
        ("constraints = \"1ms < 2ms\"\nrun.seed = [1]", "begins with a path"),
        ("run.seed = { from = 1, to = 90000 }\nclients.app.nodes = { from = 1, to = 90000 }", "at most 1000000 points"),
        ("", "varies nothing"),
    ] {
        let mistakes = load(sweep, &Overrides::default()).expect_err(sweep).render(Style::Plain);
        assert!(mistakes.contains(said), "{sweep}: {mistakes}");
    }
}

fn candidates(over: &str, most: u32) -> Vec<Vec<String>> {
    let text = format!("{BASE}\n[tune]\nminimise = \"app.latency.p99\"\n[tune.over]\n{over}");
    let files = BTreeMap::from([(PathBuf::from("s.toml"), text)]);
    let loaded = Scenario::load(&files, Path::new("s.toml"), &Overrides::default());
    let loaded = loaded.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(Style::Plain)));
    let design = loaded.document.tuned.expect("it says what is tuned");
    design.candidates(&loaded.texts, most).iter().map(|point| design.labels(point)).collect()
}

#[test]
fn candidates_are_all_that_there_are_or_a_sample() {
    let over = "policies.default.max-attempts = { from = 1, to = 3 }\npolicies.default.jitter = [\"none\", \"full\"]";
    assert_eq!(candidates(over, 6).len(), 6);
    assert_eq!(candidates(over, 6)[1], ["1", "full"]);
    let some = candidates(over, 4);
    assert_eq!(some.iter().collect::<BTreeSet<_>>().len(), 4, "all differ: {some:?}");
    // A space has as many as are asked for, also where a constraint leaves half of it out.
    let space = "policies.default.timeout = { from = \"1ms\", to = \"200ms\" }\n\
                 constraints = \"policies.default.timeout < clients.app.deadline\"";
    assert_eq!(candidates(space, 32).len(), 32);
    assert_eq!(candidates("policies.default.max-attempts = { from = 1, to = 3, log = true }", 8).len(), 3);
}

#[test]
fn ends_are_every_value_of_a_list_and_both_ends_of_a_range() {
    let over = "policies.default.timeout = { from = \"1ms\", to = \"100ms\", log = true }\n\
                policies.default.jitter = [\"none\", \"full\", \"equal\"]";
    let text = format!("{BASE}\n[tune]\nminimise = \"app.latency.p99\"\n[tune.over]\n{over}");
    let files = BTreeMap::from([(PathBuf::from("s.toml"), text)]);
    let loaded = Scenario::load(&files, Path::new("s.toml"), &Overrides::default()).unwrap();
    let design = loaded.document.tuned.unwrap();
    let labels: Vec<_> = design.ends(&loaded.texts).iter().map(|point| design.labels(point)).collect();
    assert_eq!(labels.len(), 5, "{labels:?}");
    assert_eq!(labels[0], ["1ms", "none"]);
    assert!(["none", "full", "equal"].iter().all(|value| labels.iter().any(|point| point[1] == *value)), "{labels:?}");
    let point = design.ends(&loaded.texts).remove(0);
    let written = crate::scenario::document::Document::print_point(&design, &point);
    assert_eq!(written, "[policies.default]\ntimeout = \"1ms\"\njitter = \"none\"\n");
}
