//! Where the time of messages went, in every scenario that ships and all of its variants: parts that add up to each latency, and a
//! run that is the same whether it is followed or not.

use std::ops::ControlFlow;
use std::path::Path;

use rehearsal::experiment::{Wish, play, play_explained, trace};
use rehearsal::metrics::story::{Breakdown, Part, Quest};
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Overrides, Scenario};

use super::common::Disk;

/// The plans of all scenarios and their variants, with what they are called.
fn plans() -> Vec<(String, Plan)> {
    let mut files: Vec<_> = std::fs::read_dir("scenarios").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
    files.sort();
    files.iter().flat_map(|file| of_file(file)).collect()
}

fn of_file(file: &Path) -> Vec<(String, Plan)> {
    let load = |variant: Option<String>| {
        let overrides = Overrides { variant, ..Overrides::default() };
        Scenario::load(&Disk, file, &overrides).expect("a scenario that ships can be loaded")
    };
    let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
    let base = load(None);
    let variants = base.document.variants.iter().map(|variant| Some(variant.name.clone()));
    let all: Vec<_> = std::iter::once(None).chain(variants).collect();
    let name = |variant: &Option<String>| variant.as_ref().map_or(stem.clone(), |variant| format!("{stem}@{variant}"));
    all.into_iter().map(|variant| (name(&variant), Plan::new(load(variant)).unwrap())).collect()
}

#[test]
fn parts_add_up_and_following_changes_nothing() {
    let watch = &mut |_| ControlFlow::Continue(());
    for (name, mut plan) in plans() {
        plan.duration = plan.duration.min(rehearsal::base::time::secs(30));
        let plain = play(&plan, 0, watch).unwrap_or_else(|error| panic!("{name}: {error}"));
        let followed = play_explained(&plan, 0, watch).unwrap();
        assert_eq!((plain.digest, plain.events), (followed.digest, followed.events), "{name}");
        let explained = followed.explained.expect("it was asked");
        for flow in &explained.attribution.flows {
            for point in &flow.points {
                let sum: u64 = point.slices.iter().map(|slice| slice.time.as_nanos()).sum();
                assert_eq!(sum, point.time.as_nanos(), "{name}: {}", point.name);
            }
            let mean = &flow.points[0];
            let other: u64 =
                mean.slices.iter().filter(|slice| slice.part == Part::Other).map(|slice| slice.time.as_nanos()).sum();
            println!(
                "{name} {}: {} of 1 in {}: {}",
                plan.names_of_flows()[usize::from(flow.flow.0)],
                flow.messages,
                explained.attribution.one_in,
                mean.slices
                    .iter()
                    .map(|slice| format!(
                        "{}@{} {:.1}%",
                        slice.part.name(),
                        slice.place,
                        100.0 * slice.time.as_nanos() as f64 / mean.time.as_nanos() as f64
                    ))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            assert!(other * 20 <= mean.time.as_nanos(), "{name}: {other} of {:?} are unaccounted for", mean.time);
        }
        let wish = Wish::Quest(Quest::Sample(200));
        let traced = trace(&plan, 0, None, &wish, watch).unwrap();
        for story in &traced.stories {
            let parts = Breakdown::of(story).map(|breakdown| breakdown.total());
            assert_eq!(parts, story.latency(), "{name}: {:?}", story.root());
        }
    }
}
