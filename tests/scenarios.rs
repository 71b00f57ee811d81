//! Every file in `scenarios/` loads, is planned without a warning, and fulfils what it expects.

mod common;

use std::path::Path;
use std::{fs, io};

use rehearsal::experiment::Verdict;
use rehearsal::scenario::Source;

/// The files on this machine.
struct Files;

impl Source for Files {
    fn read(&self, path: &Path) -> io::Result<String> {
        fs::read_to_string(path)
    }
}

#[test]
fn every_scenario_fulfils_its_expectations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let plan = common::plan_of(&Files, &file);
        assert!(plan.warnings.is_empty(), "{}: {:?}", file.display(), plan.warnings);
        assert!(!plan.expectations.is_empty(), "{} expects nothing", file.display());
        for judgement in common::play(&plan).judgements {
            assert_eq!(judgement.verdict, Verdict::Pass, "{}: {judgement:?}", file.display());
        }
    }
}
