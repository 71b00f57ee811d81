//! What is taken for unused, and what is not because a variant needs it.

use super::*;

fn doubts(text: &str) -> Vec<String> {
    let plan = Plan::new(loaded(text)).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(Style::Plain)));
    plan.warnings.into_iter().map(|doubt| doubt.message).collect()
}

const BASE: &str = "[clients.app]\nrate = \"5/s\"\ncall = \"api\"\n[services.api]\nwork = \"1ms\"\n";

#[test]
fn what_a_variant_refers_to_is_used() {
    let policy = "[policies.patient]\ntimeout = \"1s\"\n";
    assert_eq!(doubts(&format!("{BASE}{policy}")), ["nothing refers to policy `patient`"]);
    assert_eq!(doubts(&format!("{BASE}{policy}[variants.slow]\nclients.app.policy = \"patient\"\n")), [""; 0]);
    let service = "[services.spare]\nwork = \"1ms\"\n";
    assert_eq!(doubts(&format!("{BASE}{service}")), ["nobody calls or sends to service `spare`"]);
    assert_eq!(doubts(&format!("{BASE}{service}[variants.other]\nclients.app.call = \"spare\"\n")), [""; 0]);
}

#[test]
fn what_others_start_from_is_used() {
    let policies = "[policies.base]\ntimeout = \"1s\"\n[policies.default]\nextends = \"base\"\n";
    assert_eq!(doubts(&format!("{BASE}{policies}")), [""; 0]);
}

#[test]
fn a_priority_counts_where_the_receiver_looks_at_it() {
    let client = "[clients.app]\nrate = \"5/s\"\npriority = 1\nsteps = [{ call = \"api\" }, { call = \"db\" }]\n";
    let services = "[services.db]\n[services.api]\n";
    let looked = |rule: &str| doubts(&format!("{client}{services}{rule}"));
    assert_eq!(looked("").len(), 1);
    assert_eq!(looked("queue.discipline = \"priority\"\n"), [""; 0], "one of two looks at it");
    assert_eq!(looked("queue = { limit = 5, when-full = \"reject-lowest\" }\n"), [""; 0]);
    assert_eq!(looked("[variants.ranked]\nservices.db.queue.discipline = \"priority\"\n"), [""; 0]);
}

#[test]
fn a_key_counts_where_some_balancer_looks_at_it() {
    let client = "[clients.app]\nrate = \"5/s\"\ncall = \"api\"\nkey = { uniform = 9 }\n[services.api]\nnodes = 3\n";
    assert_eq!(doubts(client).len(), 1);
    assert_eq!(doubts(&format!("{client}balance = \"ring-hash\"\n")), [""; 0]);
    assert_eq!(doubts(&format!("{client}[variants.hashed]\nservices.api.balance = \"rendezvous\"\n")), [""; 0]);
}

#[test]
fn rules_about_deadlines_count_where_there_are_some() {
    let queue = "queue = { discipline = \"earliest-deadline\", expire-at = \"any\" }\n";
    assert_eq!(doubts(&format!("{BASE}{queue}")).len(), 2);
    assert_eq!(doubts(&format!("{BASE}{queue}[policies.default]\ndeadline = \"1s\"\n")), [""; 0]);
    let lives = "queue = { time-to-live = \"1s\", expire-at = \"any\" }\n";
    assert_eq!(doubts(&format!("{BASE}{lives}")), [""; 0]);
}

#[test]
fn rows_of_a_trace_after_the_run_are_counted() {
    let files = |client: &str| {
        let text = format!("run.duration = \"2s\"\n[services.api]\n[clients.app]\ncall = \"api\"\n{client}");
        let source = BTreeMap::from([
            (PathBuf::from("s.toml"), text),
            (PathBuf::from("t.csv"), "time\n0\n1\n2\n3\n4\n".to_owned()),
        ]);
        let loaded = Scenario::load(&source, Path::new("s.toml"), &Overrides::default()).unwrap();
        let plan = Plan::new(loaded).unwrap();
        plan.warnings.into_iter().map(|doubt| doubt.message).collect::<Vec<_>>()
    };
    assert_eq!(files("trace = \"t.csv\"\n"), ["3 rows of `t.csv` from 2s on are not played"]);
    assert_eq!(files("trace = \"t.csv\"\nuntil = \"2s\"\n"), [""; 0], "it says so");
}
