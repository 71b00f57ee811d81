//! Every policy in every registry is told of: in the reference, in the schema, by `explain` and by `list`; and its family has laws
//! that every member of the registry keeps.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rehearsal::base::settings::Listing;
use rehearsal::protocol::{
    balance, breaker, concurrency, health, hedge, keys, queue, rate_limit, retry_budget, shed, throttle, timeout,
    workload,
};
use rehearsal::scenario::reference::Reference;

/// What a registry says of one policy.
struct Policy {
    name: &'static str,
    text: &'static str,
    source: &'static str,
    fields: Vec<(&'static str, &'static str)>,
}

/// The folder of a family, the name of its registry, and its policies.
type Family = (&'static str, &'static str, Vec<Policy>);

fn family<P>(folder: &'static str, name: &'static str, registry: &[Listing<P>]) -> Family {
    let policy = |listing: &Listing<P>| Policy {
        name: listing.name,
        text: listing.text.trim(),
        source: listing.source,
        fields: listing.fields.iter().map(|field| (field.name, field.text.trim())).collect(),
    };
    (folder, name, registry.iter().map(policy).collect())
}

/// Every family whose registry holds listings.
fn families() -> Vec<Family> {
    vec![
        family("balance", "BALANCERS", balance::BALANCERS),
        family("concurrency", "CONCURRENCY_LIMITS", concurrency::CONCURRENCY_LIMITS),
        family("health", "HEALTH_CHECKS", health::HEALTH_CHECKS),
        family("keys", "KEYS", keys::KEYS),
        family("queue", "QUEUES", queue::QUEUES),
        family("rate_limit", "RATE_LIMITS", rate_limit::RATE_LIMITS),
        family("retry_budget", "RETRY_BUDGETS", retry_budget::RETRY_BUDGETS),
        family("shed", "SHEDDERS", shed::SHEDDERS),
        family("throttle", "THROTTLES", throttle::THROTTLES),
        family("timeout", "TIMEOUTS", timeout::TIMEOUTS),
        family("workload/arrivals", "ARRIVALS", workload::arrivals::ARRIVALS),
        family("workload/rate", "RATES", workload::rate::RATES),
    ]
}

/// Those that have no others beside them.
fn singles() -> Vec<Family> {
    vec![
        family("breaker", "CIRCUIT_BREAKER", &[breaker::CIRCUIT_BREAKER]),
        family("health", "EJECTION", &[health::EJECTION]),
        family("hedge.rs", "HEDGE", &[hedge::HEDGE]),
    ]
}

fn source(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/protocol").join(folder)
}

/// Every Rust file in a folder, or the file itself.
fn files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries =
        fs::read_dir(place).expect("a family has a folder").map(|entry| entry.expect("it can be read").path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect();
    files.sort();
    files
}

#[test]
fn every_policy_is_in_the_reference_and_in_the_schema() {
    let reference = Reference::new();
    let (page, schema) = (reference.page(), reference.json_schema());
    let squeezed = |text: &str| text.replace("\\\"", "\"").split_whitespace().collect::<Vec<_>>().join(" ");
    let (page, schema) = (squeezed(&page), squeezed(&schema));
    for (_, registry, policies) in families().into_iter().chain(singles()) {
        for Policy { name, text, source, fields } in policies {
            for (what, whole) in [("the reference", &page), ("the schema", &schema)] {
                assert!(whole.contains(&squeezed(text)), "{registry}: {what} does not explain `{name}`");
                assert!(whole.contains(&squeezed(source)), "{registry}: {what} does not say where `{name}` is from");
                for (field, meaning) in &fields {
                    assert!(whole.contains(&squeezed(meaning)), "{registry}: {what} has no `{field}` of `{name}`");
                }
            }
        }
    }
}

#[test]
fn every_policy_is_listed_and_explained() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_rehearsal")).args(arguments).output().expect("it runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it prints text")
    };
    let list = run(&["list"]);
    let names: BTreeSet<&str> =
        families().into_iter().chain(singles()).flat_map(|(.., policies)| policies).map(|policy| policy.name).collect();
    for name in names {
        assert!(list.lines().any(|line| line.trim_start().starts_with(&format!("{name} "))), "`{name}` is not listed");
        assert!(run(&["explain", name]).contains("Source:"), "`{name}` is not explained");
    }
}

/// A file in a family's folder is a policy of its registry, or something they share; the registry has one line for each.
#[test]
fn a_policy_is_one_file_and_one_line() {
    for (folder, registry, policies) in families() {
        let all = files(&source(folder));
        let declared = |path: &&PathBuf| {
            let text = fs::read_to_string(path).expect("it can be read");
            policies.iter().any(|policy| text.contains(&format!("Settings = \"{}\"", policy.name)))
        };
        let policies_with_files = all.iter().filter(declared).count();
        assert_eq!(policies_with_files, policies.len(), "{registry}: each policy is declared in a file of its own");
    }
}

/// The laws of a family walk its registry: a new policy is held to them without another line.
#[test]
fn every_family_has_laws_that_walk_its_registry() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/laws");
    let of_systems: String =
        files(&tests).iter().map(|path| fs::read_to_string(path).expect("it can be read")).collect();
    for (folder, registry, _) in families() {
        let whole: String =
            files(&source(folder)).iter().map(|path| fs::read_to_string(path).expect("it can be read")).collect();
        let walks =
            |text: &str| text.contains(&format!("in {registry}")) || text.contains(&format!("{registry}.iter()"));
        assert!(whole.contains("proptest!"), "{folder} has no laws");
        assert!(walks(&whole) || registry == "HEALTH_CHECKS", "the laws of {folder} do not walk {registry}");
        assert!(of_systems.contains(registry), "no law of whole systems walks {registry}");
    }
}
