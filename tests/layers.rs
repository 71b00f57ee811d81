//! The layers: which module may import which, held against every line of the source.
//!
//! What matters most are the absences: `protocol` cannot know that it is simulated, `network` never sees a message's contents,
//! `engine` has no word for a node, and roles are processes like any others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Direct imports beside `base`, which all may import. A module that is not here may not exist.
fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let scenario = ["model", "check", "metrics", "sim", "network", "protocol", "process"];
    let experiment: Vec<_> = scenario.into_iter().chain(["explore", "scenario"]).collect();
    let hunt: Vec<_> = experiment.iter().copied().chain(["experiment"]).collect();
    let report: Vec<_> = hunt.iter().copied().chain(["hunt"]).collect();
    let table: [(&str, &[&str]); 15] = [
        ("base", &[]),
        ("engine", &[]),
        ("process", &[]),
        ("network", &[]),
        ("protocol", &["process"]),
        ("check", &["process"]),
        ("explore", &["process"]),
        ("model", &["protocol", "process"]),
        ("sim", &["engine", "process", "network"]),
        ("metrics", &["sim", "process"]),
        ("scenario", &scenario),
        ("experiment", &experiment),
        ("hunt", &hunt),
        ("report", &report),
        // The binary alone stands above the library, and sees it from outside.
        ("cli", &[]),
    ];
    table.into_iter().map(|(module, imports)| (module, imports.iter().copied().collect())).collect()
}

/// The first names of all paths that begin at the crate's root, `use crate::{a::b, c}` included.
fn imports(source: &str) -> BTreeSet<String> {
    let code: String = source.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for path in code.split("crate::").skip(1) {
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match path.strip_prefix('{') {
            None => drop(found.insert(word(path))),
            Some(group) => {
                let mut depth = 1;
                let mut start = true;
                for (index, c) in group.char_indices() {
                    if depth == 1 && start && (c.is_alphabetic() || c == '_') {
                        found.insert(word(&group[index..]));
                        start = false;
                    }
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => start = true,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn modules_import_what_the_table_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.sort();
    let allowed = allowed();
    let mut violations = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let own = inside.iter().next().unwrap().to_str().unwrap();
        // `lib.rs` names the modules, `main.rs` is the binary.
        if own == "lib.rs" || own == "main.rs" {
            continue;
        }
        let own = own.trim_end_matches(".rs");
        let Some(allowed) = allowed.get(own) else {
            violations.push(format!("src/{own} has no place among the layers"));
            continue;
        };
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            // Macros that `base` exports stand at the root.
            let is_base = ["base", "settings", "words", "setting_name", "setting_need"].contains(&import.as_str());
            let is_own = import == own || is_base;
            // The binary is a crate of its own.
            if own != "cli" && !is_own && !allowed.contains(import.as_str()) {
                violations.push(format!("src/{} imports {import}", inside.display()));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn all_spellings_of_an_import_are_seen() {
    let source = "use crate::sim::Cluster; // crate::comment\nuse crate::{engine::{Rank, Order}, model, network::Link};\n\
                  fn f(x: crate::report::Style) { crate::hunt::seeds() }\n/// [`crate::check`]\n";
    let expected = ["engine", "hunt", "model", "network", "report", "sim"];
    assert_eq!(imports(source).into_iter().collect::<Vec<_>>(), expected);
}
