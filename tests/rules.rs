//! The page of rules, `docs/brokers.md`: every test that it names exists, and every rule says how it was checked.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of all functions below a folder.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            for rest in source.split("fn ").skip(1) {
                found.insert(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
            }
        }
    }
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_rule_of_a_broker_is_held_by_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/brokers.md")).unwrap();
    let mut known = BTreeSet::new();
    functions(&root.join("src/protocol"), &mut known);
    // Rules that several nodes keep together are held by tests of whole systems.
    functions(&root.join("tests/theory"), &mut known);
    functions(&root.join("tests/laws"), &mut known);
    let mut rules = 0;
    for line in
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Rule") && !line.contains("---"))
    {
        let cells: Vec<_> = line.trim_matches(['|', ' ']).split(" | ").collect();
        let [rule, _, tests, checked] = cells[..] else { panic!("four columns: {line}") };
        assert!(quoted(tests).count() > 0, "no test holds: {rule}");
        for test in quoted(tests) {
            assert!(known.contains(test), "{test}, which is to hold: {rule}");
        }
        let ways = ["real", "doc", "code"];
        assert!(checked.split(", ").all(|way| ways.contains(&way)), "{checked}, which is no way to check: {rule}");
        rules += 1;
    }
    assert!(rules > 100, "{rules} rules");
}
