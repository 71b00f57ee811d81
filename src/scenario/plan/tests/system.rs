//! The system as a picture shows it.

use super::*;

fn system(text: &str) -> System {
    Plan::new(loaded(text)).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(Style::Plain))).system
}

fn way(from: &str, to: &str, kind: Traffic) -> Way {
    Way { from: from.into(), to: to.into(), kind }
}

#[test]
fn callers_and_callees_are_drawn_with_what_lies_between() {
    let system = system(
        r#"
[network]
latency = "20ms"
loss = "1%"
[links.local]
between = ["app", "db"]
latency.exponential = "1ms"
duplicate = "2%"
[clients.users]
nodes = 3
rate = "10/s"
call = "app"
[services.app]
nodes = 2
workers = 4
steps = [{ call = "db" }, { send = "audit" }]
[services.db]
[services.audit]
workers = "unlimited"
"#,
    );
    let part = |name: &str| system.parts.iter().find(|part| part.name == name).expect("it is there");
    let facts = ["users", "app", "db", "audit"].map(|name| (part(name).kind, part(name).nodes, part(name).workers));
    assert_eq!(facts[0], (Kind::Client, Some(3), None));
    assert_eq!(facts[1], (Kind::Service, Some(2), Some(4)));
    assert_eq!((facts[2].2, facts[3].2), (Some(1), None));
    let mut ways = system.ways.clone();
    ways.sort();
    let [call, send] = [Traffic::Call, Traffic::Send];
    assert_eq!(ways, [way("app", "audit", send), way("app", "db", call), way("users", "app", call)]);
    assert_eq!((&system.links[0].ends, &system.links[0].does[..]), (&None, &["20ms".into(), "1% lost".into()][..]));
    assert_eq!(system.links[1].ends, Some(["app".into(), "db".into()]));
    assert_eq!(system.links[1].does, ["about 1ms", "1% lost", "2% doubled"]);
}

#[test]
fn messages_go_by_exchanges_and_queues_to_consumers() {
    let system = system(
        r#"
[clients.shop]
rate = "10/s"
publish = "events"
[brokers.rabbit]
nodes = 3
[exchanges.events]
type = "fanout"
bindings = { orders = "" }
[queues.orders]
dead-letter-queue = "dead"
[queues.dead]
[consumers.packers]
queue = "orders"
"#,
    );
    let kinds: Vec<_> = system.parts.iter().map(|part| (part.name.as_str(), part.kind)).collect();
    for known in [("packers", Kind::Consumers), ("rabbit", Kind::Broker), ("events", Kind::Exchange)] {
        assert!(kinds.contains(&known), "{kinds:?}");
    }
    let queue = system.parts.iter().find(|part| part.name == "orders").expect("it is there");
    assert_eq!((queue.kind, queue.nodes, queue.host.as_deref()), (Kind::Queue, None, Some("rabbit")));
    let ways = [
        way("shop", "events", Traffic::Publish),
        way("events", "orders", Traffic::Bind),
        way("orders", "dead", Traffic::DeadLetter),
        way("orders", "packers", Traffic::Deliver),
    ];
    assert_eq!(system.ways, ways);
}

#[test]
fn groups_are_where_their_nodes_are() {
    let system = system(
        r#"
[regions]
rtt = { eu.us = "80ms" }
[clients.users]
place = "us"
rate = "10/s"
call = "app"
[services.app]
place = { us = 1, eu = 2 }
"#,
    );
    let at = |name: &str| system.parts.iter().find(|part| part.name == name).expect("it is there").at.clone();
    assert_eq!(at("users"), [("us".to_owned(), 1)]);
    assert_eq!(at("app"), [("eu".to_owned(), 2), ("us".to_owned(), 1)]);
}
