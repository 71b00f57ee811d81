//! Forwarding: hops that add up, queues at every hop, what stops on the way.

use rehearsal::base::time::{Time, ms, secs};
use rehearsal::metrics::{Fate, RunResult};
use rehearsal::network::Cause;
use rehearsal::sim::LinkBook;

use crate::common::plan;
use crate::study::{Study, flow, mean_ms};
use crate::trace::Trace;

fn link<'a>(run: &'a RunResult, name: &str) -> &'a LinkBook {
    &run.links.iter().find(|link| link.name == name).expect("a link of that name").book
}

/// 100 packets of 1 ms over three links of 5 ms each: the first arrives after 3 x (1 + 5) = 18 ms, the last after
/// (100 + 3 - 1) x 1 + 3 x 5 = 117 ms (Kurose and Ross, chapter 1). Load of time zero is due one nanosecond later.
#[test]
fn routers_store_and_forward() {
    let trace = Trace::of(
        r#"
        [network]
        bandwidth = "10Mbit/s"
        latency = "5ms"
        [topology]
        line = ["source", "one", "two", "sink"]
        [routers]
        one = {}
        two = {}
        [clients.source]
        rate = "1000000000/s"
        arrivals = "even"
        phase = "aligned"
        count = 100
        send = "sink"
        size = "1250B"
        [services.sink]
        workers = "unlimited"
        work = "1ns"
        "#,
        secs(1),
    );
    // The last packet is due 100 ns after the first, long before the first has left.
    assert_eq!(trace.busy(), (100, ms(18), ms(117)));
}

/// A call there and back takes twice the hops, 1 ms each: in a ring of 10 to the opposite node 5 hops, in one of 11 over the
/// end; in a line all nodes between; in a star over the hub; in a grid of 4 columns from corner to corner 3 + 2; in a binary
/// tree of 15 from the leftmost to the rightmost leaf up 3 and down 3; among six nodes that are all joined directly; over a
/// chord of a ring 1 + 1.
#[test]
fn a_message_takes_as_long_as_all_its_hops() {
    for (topology, routers, hops) in [
        ("ring = [\"user\", \"r[0-3]\", \"api\", \"r[4-7]\"]", 8, 5),
        ("ring = [\"r[0-2]\", \"user\", \"r[3-6]\", \"api\", \"r[7-8]\"]", 9, 5),
        ("line = [\"user\", \"r\", \"api\"]", 5, 6),
        ("star = { hub = \"r\" }", 1, 2),
        ("star = { hub = \"api\" }", 7, 1),
        ("grid = { on = [\"user\", \"r\", \"api\"], columns = 4 }", 10, 5),
        ("tree = { on = [\"r[0-6]\", \"user\", \"r[7-12]\", \"api\"], fan-out = 2 }", 13, 6),
        ("random-regular = { degree = 5 }", 4, 1),
        ("edges = [[\"*\", \"*\"]]", 4, 1),
        ("edges = [[\"user\", \"r[0]\"], [\"r[0]\", \"r[1-2]\"], [\"r[1-2]\", \"api\"]]", 3, 3),
        ("ring = [\"r[0-5]\"]\nedges = [[\"user\", \"r[0]\"], [\"r[3]\", \"api\"]]", 6, 5),
        ("ring = [\"r\"]\nedges = [[\"user\", \"r[0]\"], [\"r[3]\", \"api\"], [\"r[0]\", \"r[3]\"]]", 6, 3),
    ] {
        let run = Study::exact(
            1,
            &format!(
                "[network]\nlatency = \"1ms\"\n[topology]\n{topology}\n[routers.r]\nnodes = {routers}\n\
                 [clients.user]\nrate = \"10/s\"\ncall = \"api\"\n[services.api]\n"
            ),
        );
        let book = flow(&run, "user");
        assert_eq!(book.fate(Fate::Confirmed), book.offered, "{topology}");
        assert_eq!((book.latency.min(), book.latency.max()), (Some(ms(2 * hops)), Some(ms(2 * hops))), "{topology}");
        // Every hop of every message is one of the network's messages.
        assert_eq!(link(&run, "network").sent, book.offered * 2 * hops, "{topology}");
    }
}

/// Two hops over links of their own, 3 ms and 4 ms, then one of 10 ms back and one of the network's 1 ms: answers go over
/// links too.
#[test]
fn every_hop_is_the_link_between_its_two_nodes() {
    let run = Study::exact(
        1,
        r#"
        network.latency = "1ms"
        [topology]
        line = ["user", "r", "api"]
        [routers.r]
        [links.near]
        between = ["user", "r"]
        only = "request"
        latency = "3ms"
        [links.far]
        from = "r"
        to = "api"
        latency = "4ms"
        [links.back]
        from = "api"
        to = "r"
        latency = "10ms"
        [clients.user]
        rate = "10/s"
        call = "api"
        [services.api]
        "#,
    );
    assert_eq!(flow(&run, "user").latency.mean(), Some(18e6));
    let offered = flow(&run, "user").offered;
    for name in ["near", "far", "back", "network"] {
        assert_eq!((link(&run, name).sent, link(&run, name).delivered), (offered, offered), "{name}");
    }
}

/// Four sources on links of their own meet in one router, whose way on carries a packet a millisecond: Poisson at 0.8,
/// M/D/1, a sojourn of 1 + 0.8 / (2 (1 - 0.8)) = 3 ms (Erlang 1909), to which 2 ms of latency are added. c is that of
/// M/D/1's sojourn.
#[test]
fn the_queue_at_a_router_is_md1() {
    let study = Study::of(
        101,
        1,
        r#"
        [topology]
        star = { hub = "switch" }
        [routers.switch]
        [links.port]
        from = "switch"
        to = "sink"
        bandwidth = "10Mbit/s"
        latency = "2ms"
        [clients.sources]
        nodes = 4
        rate = "800/s"
        send = "sink"
        size = "1250B"
        [services.sink]
        "#,
    );
    study.mean("sojourn", 3.0, 5.4, |run| mean_ms(&run.flows[0].book.one_way) - 2.0);
}

/// One message each 10 ms, due 1 ns after the full tens, 1 ms for each of two hops. While the router is down, from 995.5
/// ms on for 1 s, it gets what is sent from 1000 to 1990 ms: 100 messages. While it is paused instead, these wait for its
/// end at 1995.5 ms: the first for 994.5 ms, the last for 4.5 ms.
#[test]
fn a_router_that_is_down_drops_and_one_that_is_paused_keeps() {
    let play = |fault: &str| {
        Study::exact(
            3,
            &format!(
                "network.latency = \"1ms\"\n[topology]\nline = [\"user\", \"r\", \"api\"]\n[routers.r]\n\
                 [clients.user]\nrate = \"100/s\"\narrivals = \"even\"\nphase = \"aligned\"\nsend = \"api\"\n[services.api]\n\
                 [faults.stop]\nat = \"995.5ms\"\nfor = \"1s\"\n{fault} = \"r\"\n"
            ),
        )
    };
    let down = play("crash");
    assert_eq!((flow(&down, "user").offered, flow(&down, "user").fate(Fate::Lost)), (300, 100));
    let book = link(&down, "network");
    assert_eq!((book.sent, book.delivered, book.dropped_for(Cause::ReceiverDown)), (300 + 200, 200 + 200, 100));
    assert_eq!(down.faults[0].book.messages, 100);
    let paused = play("pause");
    assert_eq!(flow(&paused, "user").fate(Fate::Handled), 300);
    assert_eq!(paused.faults[0].book.messages, 100);
    // 200 messages take 2 ms, 100 what is left of the pause and then 1 ms of the second hop.
    let waits: f64 = (0..100).map(|index| 996.5 - 10.0 * f64::from(index) - 1.0 + 1.0).sum();
    let mean = (200.0 * 2.0 + waits) / 300.0;
    let measured = mean_ms(&paused.flows[0].book.one_way);
    assert!((measured - mean).abs() < 1e-3, "{measured} for {mean}");
}

/// The same clock: a cut from 995.5 ms on for 1 s stops what is sent into the cut hop, and what is on it. On the first
/// hop that are the 100 messages of 1000 to 1990 ms; on the second hop, which starts 1 ms later, those sent from 1000 to
/// 1990 ms too. A router that is on no side of a partition is a bridge: everything passes.
#[test]
fn a_cut_stops_the_hops_that_cross_it() {
    for (fault, first, second) in [
        ("partition = [\"user\", \"rest\"]", 100, 0),
        ("partition = [\"user\", \"api\"]", 0, 0),
        ("cut = { from = \"r\", to = \"api\" }", 0, 100),
        ("cut = { from = \"api\", to = \"r\" }", 0, 0),
        ("isolate = \"r\"", 100, 0),
    ] {
        let run = Study::exact(
            3,
            &format!(
                "network.latency = \"1ms\"\n[topology]\nline = [\"user\", \"r\", \"api\"]\n[routers.r]\n\
                 [links.first]\nbetween = [\"user\", \"r\"]\nlatency = \"1ms\"\n\
                 [clients.user]\nrate = \"100/s\"\narrivals = \"even\"\nphase = \"aligned\"\nsend = \"api\"\n[services.api]\n\
                 [faults.stop]\nat = \"995.5ms\"\nfor = \"1s\"\n{fault}\n"
            ),
        );
        let dropped = [link(&run, "first"), link(&run, "network")].map(|book| book.dropped_for(Cause::Partition));
        assert_eq!(dropped, [first, second], "{fault}");
        assert_eq!(flow(&run, "user").fate(Fate::Lost), first + second, "{fault}");
        assert_eq!(run.faults[0].book.messages, first + second, "{fault}");
    }
}

/// Each of three hops loses 10 % on its own: 1 - 0.9^3 = 27.1 % are lost, and of the rest each hop makes two of 20 %:
/// 1.2^3 = 1.728 copies for each that sets out if none was lost, with losses (0.9 x 1.2)^3 = 1.259712 on average.
#[test]
fn losses_and_copies_of_hops_multiply() {
    let study = Study::of(
        60,
        0,
        r#"
        network = { loss = "10%", duplicate = "20%" }
        [topology]
        line = ["user", "r", "api"]
        [routers.r]
        nodes = 2
        [clients.user]
        rate = "500/s"
        send = "api"
        [services.api]
        "#,
    );
    // Copies at the end are those who left the wire where the way ends: handed to the service's process.
    study.mean("copies", 1.259712, 1.0, |run| {
        let book = flow(run, "user");
        let station = &run.stations[0].book;
        (station.arrived as f64) / book.offered as f64
    });
    // Nothing arrives if the first hop loses it, or all copies behind it are lost: p = 0.1 + 0.9 (0.8 q + 0.2 q^2), where
    // q is the same for the hops that are left; from q = 0: 0.1, 0.1738, 0.230573.
    let unlucky = |q: f64| 0.1 + 0.9 * (0.8 * q + 0.2 * q * q);
    let lost = unlucky(unlucky(unlucky(0.0)));
    study.share("lost", lost, |run| {
        let book = flow(run, "user");
        book.fate(Fate::Lost) as f64 / book.offered as f64
    });
}

const BUSY: &str = r#"
[network]
latency = { exponential = "2ms" }
loss = "2%"
duplicate = "2%"
corrupt = "1%"
bandwidth = "20Mbit/s"
buffer = { packets = 6 }
[policies.default]
timeout = "60ms"
max-attempts = 4
"#;

fn groups() -> [&'static str; 4] {
    [
        "[clients.users]\nnodes = 6\nrate = \"900/s\"\ncall = \"api\"\nsize = \"1250B\"\n",
        "[services.api]\nnodes = 3\nsteps = [{ work = \"1ms\" }, { call = \"db\", size = \"1250B\" }]\nworkers = 8\n",
        "[services.db]\nnodes = 2\nwork = { exponential = \"1ms\" }\n",
        "[routers.switch]\nnodes = 5\n",
    ]
}

const SHAPES: [&str; 7] = [
    "star = { hub = \"switch[0]\" }",
    "ring = \"*\"",
    "line = [\"users\", \"switch\", \"*\"]",
    "grid = { columns = 4 }",
    "tree = { on = [\"switch\", \"*\"], fan-out = 2 }",
    "random-regular = { degree = 3, seed = 5 }",
    "ring = \"switch\"\nedges = [[\"users\", \"switch[0]\"], [\"api\", \"switch[2]\"], [\"db\", \"switch[2-3]\"]]",
];

/// The driver refuses to report a run whose wire does not balance; after the faults nothing is in flight on any link, so
/// that every link's own book balances. 8 seeds of each of 7 topologies, in which nodes crash, pause, slow down and are
/// cut off again and again.
#[test]
fn the_books_balance_under_random_faults() {
    for topology in SHAPES {
        let scenario = format!(
            "{BUSY}{}[topology]\n{topology}\n\
             [links.uplink]\nbetween = [\"switch\", \"*\"]\nlatency = {{ exponential = \"1ms\" }}\n\
             [faults.crash]\nevery = {{ exponential = \"300ms\" }}\nfor = {{ exponential = \"50ms\" }}\ncrash = \"*[any 2]\"\n\
             [faults.pause]\nevery = {{ exponential = \"300ms\" }}\nfor = {{ exponential = \"50ms\" }}\npause = \"*[any 2]\"\n\
             [faults.slow]\nevery = {{ exponential = \"300ms\" }}\nfor = {{ exponential = \"50ms\" }}\n\
             slow = {{ on = \"*[any 2]\", factor = 4 }}\n\
             [faults.part]\nevery = {{ exponential = \"300ms\" }}\nfor = {{ exponential = \"50ms\" }}\n\
             isolate = \"*[any 2]\"\n",
            groups().concat()
        );
        let plan = plan(&format!("run.duration = \"3s\"\n{scenario}"));
        for run in 0..8 {
            let mut cluster = plan.cluster(plan.seed_of(run));
            let outcome = cluster.run_until(Time::ZERO + secs(60));
            let mut book = LinkBook::default();
            for (id, name, _) in cluster.network().links() {
                assert_eq!(outcome.wire.link(id).in_flight(), 0, "{topology}: {name}");
                book.add(outcome.wire.link(id));
            }
            let dropped = [Cause::ReceiverDown, Cause::Partition, Cause::Loss, Cause::Corrupt, Cause::BufferFull];
            for cause in dropped {
                assert!(book.dropped_for(cause) > 0, "{topology}: no {}", cause.name());
            }
        }
    }
}

/// Two packets of 1 ms each, at once, from the hub to two leaves: each edge has a transmitter of its own, so both arrive
/// after 1 ms; two to one leaf wait for each other: 1 and 2 ms. Without a topology the node's transmitter is one.
#[test]
fn every_edge_has_a_transmitter_of_its_own() {
    let mean = |leaves: u32, topology: &str| {
        let scenario = format!(
            "network.bandwidth = \"10Mbit/s\"\n{topology}\n[clients.hub]\nrate = \"1000000000/s\"\narrivals = \"even\"\n\
             phase = \"aligned\"\ncount = 2\nsend = \"leaf\"\nsize = \"1250B\"\n[services.leaf]\nnodes = {leaves}\n"
        );
        mean_ms(&Study::exact(1, &scenario).flows[0].book.one_way)
    };
    // The second is due a nanosecond after the first.
    let is = |mean: f64, expected: f64| assert!((mean - expected).abs() < 1e-5, "{mean} for {expected}");
    is(mean(2, "topology.star.hub = \"hub\""), 1.0);
    is(mean(1, "topology.star.hub = \"hub\""), 1.5);
    is(mean(2, ""), 1.5);
}

/// A seed is a run, in whatever order its tables are written, and set back it is the same again.
#[test]
fn neither_repeating_nor_the_order_of_tables_changes_anything() {
    for topology in SHAPES {
        let [users, api, db, switch] = groups();
        let faults = "[faults.stop]\nat = \"100ms\"\nfor = \"200ms\"\npause = \"switch[1]\"\n\
                      [faults.part]\nat = \"400ms\"\nfor = \"100ms\"\nisolate = \"switch[0]\"\n";
        let topology = format!("[topology]\n{topology}\n");
        let outcome = |tables: &[&str]| {
            let plan = plan(&format!("run = {{ duration = \"1s\", seed = 7 }}\n{BUSY}{}", tables.concat()));
            let mut cluster = plan.cluster(plan.seed);
            let first = cluster.run_until(Time::ZERO + secs(2));
            let mut fresh = plan.cluster(plan.seed + 1);
            fresh.run_until(Time::ZERO + ms(500));
            (first, fresh.outcome().digest)
        };
        let one = outcome(&[users, api, db, switch, &topology, faults]);
        assert_eq!(one, outcome(&[users, api, db, switch, &topology, faults]), "{topology}");
        assert_ne!(one.0.digest, one.1, "{topology}");
        assert_eq!(one, outcome(&[faults, &topology, switch, db, users, api]), "{topology}");
    }
}

/// Where every node is joined to every other, nothing is forwarded, and the run is the one without a topology: the same
/// luck, the same order, also where everything happens at whole milliseconds and every order is a matter of ties. (Without
/// a bandwidth: on a topology each edge has its own.)
#[test]
fn a_full_mesh_is_the_network_without_a_topology() {
    let lucky = BUSY.replace("bandwidth = \"20Mbit/s\"\nbuffer = { packets = 6 }\n", "");
    let tied = "network.latency = \"1ms\"\npolicies.default.timeout = \"4ms\"\n".to_owned();
    let even = "rate = \"6000/s\"\narrivals = \"even\"\nphase = \"aligned\"\n";
    for (network, users) in [(lucky, groups()[0].to_owned()), (tied, groups()[0].replace("rate = \"900/s\"\n", even))] {
        let outcome = |topology: &str| {
            let rest = groups()[1..3].concat().replace("{ exponential = \"1ms\" }", "\"1ms\"");
            let plan = plan(&format!("run = {{ duration = \"1s\", seed = 7 }}\n{network}{users}{rest}{topology}"));
            plan.cluster(plan.seed).run_until(Time::ZERO + secs(2))
        };
        let without = outcome("");
        assert!(without.events > 5_000);
        assert_eq!(outcome("[topology]\nedges = [[\"*\", \"*\"]]\n"), without);
    }
}

/// 10^5 nodes whose messages go all over a sparse graph: the memory is that of the graph and of some tables, and each
/// message is there after the graph's few hops (random, degree 4: within 16) or the sum of rows and columns (grid).
#[test]
fn a_hundred_thousand_nodes_forward_for_each_other() {
    for (topology, most) in [("random-regular = { degree = 4 }", 16), ("grid = { columns = 400 }", 400 + 250)] {
        let run = Study::exact(
            1,
            &format!(
                "network.latency = \"1ms\"\n[topology]\n{topology}\n[routers.r]\nnodes = 98990\n\
                 [clients.users]\nnodes = 1000\nrate = \"3000/s\"\nsend = \"api\"\n[services.api]\nnodes = 10\n"
            ),
        );
        let book = flow(&run, "users");
        assert_eq!(book.fate(Fate::Handled), book.offered, "{topology}");
        let slowest = run.flows[0].book.one_way.max();
        assert!(slowest <= Some(ms(most)), "{topology}: {slowest:?}");
    }
}
