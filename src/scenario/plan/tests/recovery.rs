use super::*;

const SCENARIO: &str = "\
run.warmup = \"100ms\"
[clients.a]
rate = \"5/s\"
call = \"b\"
timeout = \"1s\"
[services.b]
[faults.outage]
at = \"0.5s\"
for = \"0.1s\"
crash = \"b\"
[faults.early]
at = \"0s\"
for = \"1ms\"
crash = \"b\"
[windows]
peak = [\"0.1s\", \"0.2s\"]
[expect]
";

fn planned(expectation: &str) -> Result<Plan, String> {
    Plan::new(loaded(&format!("{SCENARIO}{expectation}"))).map_err(|mistakes| mistakes.render(Style::Plain))
}

#[test]
fn what_follows_a_fault_can_be_expected() {
    for expectation in [
        "\"a.recovery after outage\" = \"< 1s\"",
        "\"recovery.max after outage\" = \"< 1s\"",
        "\"a.detect.min after outage\" = \"> 1ms\"",
        "\"a.failover after outage\" = \"< 1s\"",
        "\"a->b.goodput-lost after outage\" = [\"> 1\", \"< 10\"]",
        "\"outage.touched\" = \">= 1\"",
        "\"outage.touched-nodes\" = \"== 1\"",
        "\"outage.strikes.count\" = \"== 1\"",
    ] {
        let found = planned(expectation).expect(expectation);
        assert_eq!(found.expectations.len(), 1);
    }
}

#[test]
fn what_cannot_be_said_of_a_fault_is_said_at_its_place() {
    for (expectation, said) in [
        ("\"a.recovery\" = \"< 1s\"", "`recovery` is measured after a fault: say which"),
        ("\"a.detect during outage\" = \"< 1s\"", "write `detect after outage`"),
        ("\"a.failover after peak\" = \"< 1s\"", "`failover` is measured after a fault: say which"),
        ("\"a.recovery after outrage\" = \"< 1s\"", "did you mean `outage`?"),
        ("\"b.recovery after outage\" = \"< 1s\"", "`recovery` is not measured for a service"),
        ("\"a.recovery.p99 after outage\" = \"< 1s\"", "one value for each strike has: mean, min, max"),
        ("\"a.goodput-lost after outage\" = \"< 1s\"", "`goodput-lost` compares with a number of messages"),
        ("\"a.recovery after outage\" = \"< 3\"", "`recovery` compares with a time"),
        ("\"a.recovery after early\" = \"< 1s\"", "`early` strikes when nothing is measured"),
        ("\"outage.touched after outage\" = \">= 1\"", "`touched` is of the whole run: it has no window"),
        ("\"outage.touched.rate\" = \">= 1/s\"", "this has: count"),
        ("\"outage.recovery after outage\" = \"< 1s\"", "measured for a fault: touched, touched-nodes"),
        ("\"a.touched\" = \">= 1\"", "`touched` is not measured for messages"),
    ] {
        let found = planned(expectation).expect_err(expectation);
        assert!(found.contains(said), "{expectation}:\n{found}");
        assert!(found.contains("dir/s.toml:"), "{found}");
    }
}
