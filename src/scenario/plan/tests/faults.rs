use super::*;

const GROUPS: &str = "\
[links.line]
between = [\"users\", \"api\"]
[clients.many]
rate = \"9/s\"
size = \"1KiB\"
call = \"api\"
timeout = \"1s\"
[clients.users]
nodes = 2
users = 2
size = \"1KiB\"
call = \"api\"
timeout = \"1s\"
[services.api]
nodes = 3
state = \"durable\"
";

fn planned(fault: &str) -> Result<Plan, String> {
    let loaded = loaded(&format!("{GROUPS}[faults.x]\n{fault}"));
    Plan::new(loaded).map_err(|mistakes| mistakes.render(Style::Plain))
}

#[test]
fn the_window_of_a_fault_is_known_where_its_times_are() {
    let window = |fault| planned(fault).expect(fault).faults[0].window();
    let at = |time: Span| crate::base::time::Time::ZERO + time;
    assert_eq!(window("at = \"1s\"\nfor = \"2s\"\ncrash = \"api\""), Some((at(secs(1)), at(secs(3)))));
    assert_eq!(window("at = \"1s\"\npause = \"api[0-1]\""), Some((at(secs(1)), crate::base::time::Time::MAX)));
    assert_eq!(window("at = { uniform = [\"1s\", \"2s\"] }\ncrash = \"api\""), None);
    assert_eq!(window("every = \"1s\"\nfor = \"2s\"\nisolate = \"users\""), None);
}

#[test]
fn every_kind_is_planned() {
    for kind in [
        "crash = \"api[0]\"",
        "pause = [\"api[0]\", \"users\"]",
        "slow = { on = \"api[any 2]\", factor = 3 }",
        "partition = [\"api[0]\", \"rest\"]",
        "partition = [\"api\", \"users[0]\", \"users[1]\"]",
        "partition = [[\"api[0]\", \"users[any 1]\"], \"rest\"]",
        "isolate = \"*\"",
        "cut = { from = \"api\", to = \"users\" }",
        "restart = \"api[each]\"",
        "pause = \"*[each]\"",
        "skew = { on = \"api[each]\", rate = 1.01 }",
        "hold = {}",
        "disk-full = \"api[each]\"",
        "hold = { on = \"line\" }",
        "loss = { on = \"api[any 1]\", share = \"10%\" }",
        "duplicate = { between = [\"api[0]\", \"users\"], share = 1 }",
        "corrupt = { from = \"api\", to = [\"users\", \"many\"], share = 0.5 }",
        "latency = { on = \"network\", add = { exponential = \"1s\" } }",
        "bandwidth = { on = \"line\", rate = \"1Mbit/s\" }",
        "reorder = { share = \"1%\", by = \"10ms\" }",
        "load = { on = \"many\", factor = 3 }",
    ] {
        let plan = planned(&format!("at = \"1s\"\n{kind}")).expect(kind);
        assert_eq!(plan.faults[0].kind, kind.split(' ').next().unwrap());
    }
}

#[test]
fn what_a_fault_cannot_be_is_said_at_its_place() {
    for (fault, said) in [
        ("crash = \"api\"", "fault `x` needs a time: `at`, or `every` with `for`"),
        ("every = \"1s\"\ncrash = \"api\"", "heals in between: it needs `for`"),
        ("every = \"1s\"\nat = \"1s\"\nfor = \"1s\"\ncrash = \"api\"", "strikes once, `at` a time, or again and again"),
        ("every = \"1ns\"\nfor = \"1ns\"\ncrash = \"api\"", "this would strike about 2e10 times"),
        ("at = \"1s\"\ncrash = \"apo\"", "there is no group `apo`"),
        ("at = \"1s\"\ncrash = \"api[3]\"", "there is no node 3 among the 3 of `api`"),
        ("at = \"1s\"\ncrash = \"api[any 4]\"", "there are only 3 nodes to draw 4 from"),
        ("at = \"1s\"\ncrash = [\"api[each]\", \"users\"]", "`each` stands alone"),
        ("every = \"100ms\"\nrestart = \"users[0]\"", "a node that sends would start about 310 times"),
        ("at = \"1s\"\ncrash = \"api[any 0]\"", "none of them is nobody"),
        ("at = \"40s\"\ncrash = \"api\"", "would strike after the end of the run"),
        ("at = \"1s\"\nhold = { on = [\"line\", \"api\"] }", "a fault is on links or on nodes, not on both"),
        ("at = \"1s\"\nhold = { on = \"lime\" }", "there is no group `lime`"),
        ("at = \"1s\"\nhold = { from = \"api\" }", "messages are chosen by one of"),
        ("at = \"1s\"\nhold = { on = \"api\", between = [\"api\", \"users\"] }", "messages are chosen by one of"),
        ("at = \"1s\"\ndisk-full = \"*\"", "only services with `state = \"durable\"` write to a disk"),
        (
            "at = \"1s\"\nload = { on = \"users\", factor = 2 }",
            "only clients with a `rate` or a `trace` bring more load",
        ),
        (
            "at = \"1s\"\nload = { on = \"*[each]\", factor = 2 }",
            "only clients with a `rate` or a `trace` bring more load",
        ),
        ("every = \"10us\"\nfor = \"10us\"\ncrash = \"api[each]\"", "this would strike about 5e6 times"),
        ("at = \"1s\"\ncrash = \"rest\"", "`rest` has a meaning only beside the sides of a partition"),
        ("at = \"1s\"\npartition = [\"api\"]", "a partition has two sides at least"),
        ("at = \"1s\"\npartition = [\"rest\", \"api\", \"rest\"]", "only one side is the rest"),
        ("at = \"1s\"\npartition = [\"api\", \"api[0]\"]", "a node is on one side of a partition, not on two"),
        ("at = \"1s\"\nslow = { on = \"api\", factor = 0.5 }", "`factor` is at least 1"),
    ] {
        let found = planned(fault).expect_err(fault);
        assert!(found.contains(said), "{fault}:\n{found}");
        assert!(found.contains("dir/s.toml:"), "{found}");
    }
}

#[test]
fn a_fault_is_of_one_kind() {
    for (fault, said) in [
        ("at = \"1s\"", "fault `x` does nothing"),
        ("at = \"1s\"\ncrash = \"api\"\npause = \"api\"", "a fault is of one kind; found `crash` and `pause`"),
        ("at = \"1s\"\nfail = \"api\"", "`fail` is not supported yet"),
        ("at = \"1s\"\nisolate = { on = \"api\" }", "expected"),
        ("at = \"1s\"\nskew = { on = \"api\", rate = 1, offset = \"1s\" }", "`offset` is not supported yet"),
        ("at = \"1s\"\ncrush = \"api\"", "crash"),
    ] {
        let (_, found) = unloadable(&format!("run.duration = \"1s\"\n{GROUPS}[faults.x]\n{fault}"));
        assert!(found.contains(said), "{fault}:\n{found}");
    }
}

/// The fault strikes when it does in this run, and the windows of expectations with it.
#[test]
fn windows_on_faults_follow_their_strikes() {
    let expect = "[expect]\n\"users.reliability during x\" = \"> 0%\"\n";
    let fault = |at: &str| planned(&format!("at = {at}\nfor = \"0.1s\"\ncrash = \"api\"\n{expect}")).expect(at);
    let at = |time: Span| crate::base::time::Time::ZERO + time;
    let known = fault("\"0.5s\"");
    assert_eq!(known.windows(&known.strikes(7)), [[(at(ms(500)), at(ms(600)))]]);
    let drawn = fault("{ uniform = [\"0s\", \"0.8s\"] }");
    let struck = |seed| drawn.strikes(seed)[0][0];
    let (from, healed) = struck(7);
    assert_eq!(drawn.windows(&drawn.strikes(7)), [[(from, healed.expect("it heals"))]]);
    assert_eq!(healed, Some(from + ms(100)));
    assert!(struck(7) == struck(7) && struck(7) != struck(8));
}

#[test]
fn a_region_can_be_struck() {
    let planned = |fault: &str| {
        let text = format!(
            "regions.rtt = {{ eu.us = \"80ms\" }}\n\
             [clients.users]\nplace = {{ eu = 1, us = 2 }}\nusers = 3\nsize = \"1KiB\"\ncall = \"api\"\ntimeout = \"1s\"\n\
             [services.api]\nplace = \"eu\"\n[faults.x]\nat = \"1s\"\n{fault}"
        );
        Plan::new(loaded(&text)).map_err(|mistakes| mistakes.render(Style::Plain))
    };
    for fault in ["partition = [\"@eu\", \"rest\"]", "crash = \"users@us[1]\"", "isolate = \"api@eu\""] {
        assert_eq!(planned(fault).expect(fault).faults.len(), 1);
    }
    for (fault, said) in [
        ("crash = \"users@us[2]\"", "there is no node 2 among the 2 of `users`"),
        ("crash = \"@uk\"", "there is no region `uk`"),
        ("crash = \"api@us\"", "there is no such node"),
    ] {
        let found = planned(fault).expect_err(fault);
        assert!(found.contains(said), "{fault}:\n{found}");
    }
}
