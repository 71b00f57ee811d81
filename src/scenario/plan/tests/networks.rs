use super::*;

const GROUPS: &str = "[clients.users]\nnodes = 2\nusers = 2\ncall = \"api\"\n[services.api]\nnodes = 3\ncall = \"db\"\n\
                      [services.db]\nwork = \"1ms\"\n";

fn names() -> Names {
    let mut names = Names::default();
    for (name, nodes) in [("users", 2), ("api", 3), ("db", 1)] {
        names.add(name, nodes).unwrap();
    }
    names
}

fn plan(text: &str) -> (Loaded, Result<Network, Vec<Diagnostic>>) {
    let loaded = loaded(&format!("{text}{GROUPS}"));
    let scenario = &loaded.scenario;
    let planned = network(scenario.network.as_ref(), &scenario.links, None, &names(), &loaded.texts);
    (loaded, planned)
}

fn planned(text: &str) -> Network {
    let (loaded, planned) = plan(text);
    planned.unwrap_or_else(|mistakes| panic!("{}", rendered(&loaded, &mistakes)))
}

/// The link of a message as `name latency loss`, for messages such as `users[0] -> api[1]`.
fn route(network: &Network, from: &str, to: &str, leg: Leg) -> String {
    let names = names();
    let node = |label: &str| {
        let mut all = names.groups().flat_map(|group| names.members(group));
        all.find(|node| names.label(*node) == label).expect(label)
    };
    let id = network.route(node(from), node(to), || 1 << leg as u8);
    let (_, name, link) = network.links().nth(id.index()).unwrap();
    format!("{name} {} {}", link.latency.minimum(), link.loss)
}

#[test]
fn without_links_the_network_is_the_same_everywhere() {
    assert_eq!(route(&planned(""), "users[0]", "api[0]", Leg::Out), "network 0s 0%");
    let network = planned(
        "[network]\nlatency = \"2ms\"\nloss = \"1%\"\nbandwidth = \"1Gbit/s\"\nbuffer = \"3KiB\"\norder = \"fifo\"\n\
         duplicate = 0.1\ncorrupt = 0.2\n",
    );
    let (_, name, link) = network.links().next().unwrap();
    assert_eq!((name, network.links().count()), ("network", 1));
    let expected = crate::network::Link {
        latency: ms(2).into(),
        loss: percent(1.0),
        duplicate: percent(10.0),
        corrupt: percent(20.0),
        bandwidth: "1Gbit/s".parse().ok(),
        buffer: Buffer::Bytes(3072),
        order: crate::network::Arrival::Fifo,
        ..crate::network::Link::default()
    };
    assert_eq!(*link, expected);
}

#[test]
fn a_link_between_two_groups_goes_both_ways_and_inherits_the_rest() {
    let network =
        planned("[network]\nlatency = \"2ms\"\n[links.last-mile]\nbetween = [\"users\", \"api\"]\nloss = \"1%\"\n");
    for (from, to, link) in [
        ("users[1]", "api[2]", "last-mile 2ms 1%"),
        ("api[2]", "users[0]", "last-mile 2ms 1%"),
        ("users[0]", "users[1]", "network 2ms 0%"),
        ("api[0]", "db[0]", "network 2ms 0%"),
    ] {
        assert_eq!(route(&network, from, to, Leg::Out), link, "{from} -> {to}");
    }
    assert_eq!(network.links().count(), 2);
}

#[test]
fn one_way_is_one_way() {
    let network = planned("[links.up]\nfrom = \"users\"\nto = \"*\"\nlatency = \"2ms\"\n");
    assert_eq!(route(&network, "users[0]", "db[0]", Leg::Out), "up 2ms 0%");
    assert_eq!(route(&network, "users[0]", "users[1]", Leg::Out), "up 2ms 0%");
    assert_eq!(route(&network, "db[0]", "users[0]", Leg::Reply), "network 0s 0%");
}

#[test]
fn a_link_may_be_for_some_messages_alone() {
    let network = planned(
        "[links.asks]\nbetween = [\"users\", \"api\"]\nonly = \"request\"\nloss = \"1%\"\n\
         [links.answers]\nbetween = [\"users\", \"api\"]\nonly = [\"reply\", \"ack\"]\nloss = \"2%\"\n",
    );
    let legs = [Leg::Out, Leg::Reply, Leg::Ack, Leg::Cancel];
    let routes = legs.map(|leg| route(&network, "users[0]", "api[0]", leg));
    assert_eq!(routes, ["asks 0s 1%", "answers 0s 2%", "answers 0s 2%", "asks 0s 1%"]);
}

#[test]
fn the_narrower_link_wins_key_by_key() {
    let network = planned(
        "[network]\nlatency = \"1ms\"\n[links.any]\nbetween = [\"*\", \"api\"]\nloss = \"1%\"\nlatency = \"2ms\"\n\
         [links.far]\nbetween = [\"users\", \"api\"]\nlatency = \"3ms\"\n\
         [links.bad]\nfrom = \"users[1]\"\nto = \"api[0,2]\"\nloss = \"9%\"\n\
         [links.answers]\nbetween = [\"users\", \"api\"]\nonly = \"reply\"\nlatency = \"4ms\"\n",
    );
    for (from, to, leg, link) in [
        ("db[0]", "api[0]", Leg::Out, "any 2ms 1%"),
        ("api[0]", "api[1]", Leg::Out, "any 2ms 1%"),
        ("users[0]", "api[0]", Leg::Out, "far 3ms 1%"),
        ("api[1]", "users[0]", Leg::Ack, "far 3ms 1%"),
        ("users[1]", "api[1]", Leg::Out, "far 3ms 1%"),
        ("users[1]", "api[2]", Leg::Out, "bad 3ms 9%"),
        ("users[1]", "api[0]", Leg::Reply, "bad 4ms 9%"),
        ("api[0]", "users[1]", Leg::Reply, "answers 4ms 1%"),
        ("users[0]", "db[0]", Leg::Out, "network 1ms 0%"),
    ] {
        assert_eq!(route(&network, from, to, leg), link, "{from} -> {to} {leg:?}");
    }
    let names: Vec<_> = network.links().map(|(_, name, _)| name).collect();
    assert_eq!(names, ["network", "any", "far", "bad", "bad", "answers"]);
}

#[test]
fn links_that_cross_combine_where_they_set_different_keys() {
    let network = planned(
        "[links.up]\nfrom = \"users\"\nto = \"*\"\nlatency = \"2ms\"\n[links.down]\nfrom = \"*\"\nto = \"db\"\nloss = \"1%\"\n",
    );
    assert_eq!(route(&network, "users[0]", "db[0]", Leg::Out), "up 2ms 1%");
    assert_eq!(route(&network, "api[0]", "db[0]", Leg::Out), "down 0s 1%");
}

#[test]
fn two_links_of_equal_narrowness_are_refused_together() {
    let (loaded, planned) = plan(
        "[links.one]\nbetween = [\"users\", \"api\"]\nloss = \"1%\"\nlatency = \"1ms\"\n\
         [links.two]\nfrom = \"users\"\nto = \"api\"\nloss = \"2%\"\n",
    );
    assert_eq!(
        rendered(&loaded, &planned.unwrap_err()),
        "\
error: links `one` and `two` both set `loss` from `users` to `api`, and neither is narrower
 --> dir/s.toml:9:8
  |
4 | loss = \"1%\"
  |        ---- in `one`
...
9 | loss = \"2%\"
  |        ^^^^ in `two`
  |
  = help: nodes are narrower than a group, a group than a zone, a zone than a region, a region than `*`, and `only` some messages than all"
    );
}

#[test]
fn neither_of_two_links_is_narrower_at_one_end_each() {
    let crossing = "[links.up]\nfrom = \"users\"\nto = \"*\"\nloss = \"2%\"\n[links.down]\nfrom = \"*\"\nto = \"db\"\nloss = \"1%\"\n";
    let (loaded, planned) = plan(crossing);
    let message = "links `up` and `down` both set `loss` from `users` to `db`, and neither is narrower";
    assert_eq!(places(&loaded, &planned.unwrap_err()), [(9, 8, message.to_owned())]);
    let settled = format!("{crossing}[links.both]\nfrom = \"users\"\nto = \"db\"\nloss = \"3%\"\n");
    assert_eq!(route(&super::networks::planned(&settled), "users[0]", "db[0]", Leg::Out), "both 0s 3%");
}

#[test]
fn links_that_extend_one_table_are_told_apart_by_name() {
    let (loaded, planned) =
        plan("[links.one]\nbetween = [\"users\", \"api\"]\nloss = \"1%\"\n[links.two]\nextends = \"one\"\n");
    let places = places(&loaded, &planned.unwrap_err());
    assert_eq!(places.len(), 1);
    assert_eq!((places[0].0, places[0].1), (5, 8));
}

#[test]
fn a_buffer_counts_where_a_bandwidth_does() {
    let network = planned(
        "[network]\nbuffer = { packets = 5 }\n[links.slow]\nbetween = [\"users\", \"api\"]\nbandwidth = \"1Mbit/s\"\n",
    );
    assert_eq!(network.links().nth(1).unwrap().2.buffer, Buffer::Packets(5));
}

#[test]
fn what_a_link_cannot_be_is_said_at_its_place() {
    for (text, place, said) in [
        ("[links.l]\nbetween = [\"users\", \"apj\"]\n", (3, 22), "there is no group `apj`"),
        ("[links.l]\nbetween = [\"users\", \"ap[0]\"]\n", (3, 22), "there is no group `ap`"),
        ("[links.l]\nbetween = [\"users\", \"rest\"]\n", (3, 21), "a link has no `rest`"),
        ("[links.l]\nbetween = [\"users\", \"*[0]\"]\n", (3, 21), "`*` stands for all nodes"),
        ("[links.l]\nbetween = [\"users\", \"db#0\"]\n", (3, 21), "partitions of topics are not supported yet"),
        ("[links.l]\nbetween = [\"users\", \"api[any 1]\"]\n", (3, 21), "between the same nodes all the time"),
        ("[links.l]\nbetween = [\"users\", \"api[leader]\"]\n", (3, 21), "between the same nodes all the time"),
        ("[links.l]\nfrom = \"api[1-3]\"\nto = \"*\"\n", (3, 8), "there is no node 3 in `api`, which has 3 nodes"),
        ("[links.l]\nbetween = [\"users\", \"api\"]\nonly = []\n", (2, 8), "link `l` is for no messages at all"),
        ("[network]\nbuffer = \"1KiB\"\n", (3, 10), "`buffer` has no effect"),
        ("[links.l]\nbetween = [\"users\", \"api\"]\nbuffer = \"1KiB\"\n", (4, 10), "`buffer` has no effect"),
        ("[network]\nlatency = { exponential = \"0s\" }\n", (3, 11), "exponential: mean is 0s"),
        (
            "[links.l]\nbetween = [\"users\", \"api\"]\nlatency = { samples = \"broken.csv\" }\n",
            (4, 11),
            "`dir/broken.csv`, line 3",
        ),
    ] {
        let (loaded, planned) = plan(text);
        let found = places(&loaded, &planned.map(|_| ()).expect_err(text));
        assert_eq!(found.len(), 1, "{found:?}");
        let (line, column, message) = &found[0];
        assert_eq!((*line, *column), place, "{message}");
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn an_unknown_group_is_answered_with_the_nearest_one() {
    let (loaded, planned) = plan("[links.l]\nbetween = [\"users\", \"apj\"]\n");
    assert_eq!(
        rendered(&loaded, &planned.unwrap_err()),
        "\
error: there is no group `apj`
 --> dir/s.toml:3:22
  |
3 | between = [\"users\", \"apj\"]
  |                      ^^^
  |
  = help: did you mean `api`?"
    );
}

#[test]
fn bursts_and_correlation_are_as_written() {
    let network = planned(
        "[network]\nlatency = { uniform = [\"1ms\", \"2ms\"] }\nlatency-correlation = 0.9\n\
         loss = { bursty = { loss = \"1%\", mean-burst = 4 } }\n",
    );
    let (_, _, link) = network.links().next().unwrap();
    assert_eq!(link.bursts, crate::network::Bursts::new(percent(1.0), 4.0).ok());
    assert_eq!((link.loss, link.correlation), (percent(0.0), crate::network::Correlation::new(0.9).unwrap()));
}

#[test]
fn a_preset_sets_what_is_not_written_beside_it() {
    for preset in &crate::network::PRESETS {
        let network = planned(&format!("[network]\npreset = \"{}\"\n", preset.name));
        assert_eq!(*network.links().next().unwrap().2, preset.link(), "{}", preset.name);
    }
    let network = planned(
        "[network]\nlatency = \"2ms\"\n[links.far]\nbetween = [\"users\", \"api\"]\npreset = \"satellite\"\n\
         loss = \"3%\"\n[links.one]\nfrom = \"users[0]\"\nto = \"api\"\nlatency = \"7ms\"\n",
    );
    assert_eq!(route(&network, "api[0]", "users[1]", Leg::Reply), "far 250ms 3%");
    assert_eq!(route(&network, "users[0]", "api[1]", Leg::Out), "one 7ms 3%");
    assert_eq!(route(&network, "api[0]", "db[0]", Leg::Out), "network 2ms 0%");
}

#[test]
fn bursts_that_cannot_be_and_correlations_of_nothing_are_refused_at_their_place() {
    let refused = |text: &str| {
        let (loaded, planned) = plan(text);
        rendered(&loaded, &planned.expect_err("there is a mistake"))
    };
    let far = "[links.far]\nbetween = [\"users\", \"api\"]\n";
    let text = refused(&format!("{far}loss = {{ bursty = {{ loss = \"60%\", mean-burst = 1 }} }}\n"));
    assert!(text.contains("bursts with a mean of 1 cannot lose 60% of all messages"), "{text}");
    assert!(text.contains("mean-burst = 2` or more"), "{text}");
    let text = refused("[network]\nloss = { bursty = { loss = \"1%\", mean-burst = 0.5 } }\n");
    assert!(text.contains("at least one message; found a mean of 0.5"), "{text}");
    let text = refused("[network]\nlatency = \"1ms\"\nlatency-correlation = 0.5\n");
    assert!(text.contains("`latency-correlation` has no effect"), "{text}");
    planned(&format!("[network]\nlatency-correlation = 0.5\n{far}preset = \"wifi\"\n"));
}

#[test]
fn a_transport_is_a_key_like_any_other() {
    let network = planned(
        "[network]\ntransport = \"stream\"\n[links.plain]\nbetween = [\"users\", \"api\"]\ntransport = \"datagram\"\n\
         [links.tuned]\nfrom = \"api\"\nto = \"db\"\ntransport = { stream = { congestion-control = \"reno\", mss = \"500B\", \
         initial-window = 2, receive-window = \"4KiB\", initial-rto = \"3s\", min-rto = \"1s\", max-rto = \"60s\", retries = 3, \
         syn-retries = 1, delayed-ack = \"40ms\", slow-start-after-idle = false, idle-timeout = \"1min\", connections = 4 } }\n",
    );
    let streams: Vec<_> = network.links().map(|(id, name, _)| (name, network.stream(id))).collect();
    let tuned = Stream {
        congestion_control: Algorithm::Reno,
        mss: bytes(500),
        initial_window: NonZeroU32::new(2).unwrap(),
        receive_window: bytes(4096),
        send_buffer: None,
        initial_rto: secs(3),
        min_rto: secs(1),
        max_rto: secs(60),
        retries: 3,
        syn_retries: 1,
        delayed_ack: ms(40),
        slow_start_after_idle: false,
        idle_timeout: Some(secs(60)),
        connections: NonZeroU32::new(4).unwrap(),
    };
    let usual = Stream::default();
    assert_eq!(streams, [("network", Some(&usual)), ("plain", None), ("tuned", Some(&tuned))]);
}

#[test]
fn a_stream_that_cannot_be_is_refused() {
    let (loaded, planned) = plan(
        "[network]\ntransport = { stream = { mss = \"0B\", min-rto = \"3s\", max-rto = \"2s\", idle-timeout = \"0s\" } }\n\
         [links.a]\nbetween = [\"users\", \"api\"]\ntransport = { stream = { mss = \"64KiB\", initial-rto = \"0s\" } }\n",
    );
    let said: Vec<_> = places(&loaded, &planned.unwrap_err()).into_iter().map(|(line, _, said)| (line, said)).collect();
    let expected = [
        (3, "`mss` is at least 1B, and at most 65495B"),
        (3, "no timeout is at least 3s and at most 2s"),
        (3, "`idle-timeout` is no time at all"),
        (6, "`mss` is at least 1B, and at most 65495B"),
        (6, "`initial-rto` is no time at all"),
    ];
    assert_eq!(said, expected.map(|(line, said)| (line, said.to_owned())));
}
