use super::*;

/// Three groups in three regions.
const EVERYWHERE: &str = "[clients.users]\nusers = 2\ncall = \"api\"\nplace = { us = 2, eu = 3 }\n\
                          [services.api]\nnodes = 4\nplace = [\"eu\", \"us\", \"ap\"]\ncall = \"db\"\n\
                          [services.db]\nwork = \"1ms\"\nplace = \"eu\"\n";
const RTT: &str = "[regions]\nrtt = { eu.us = \"80ms\", eu.ap = \"220ms\", us.ap = \"160ms\" }\n";

struct World {
    names: Names,
    regions: Option<Regions>,
    network: Network,
}

fn names(scenario: &Scenario) -> Names {
    let mut names = Names::default();
    let services = scenario.services.iter().map(|(name, service)| (name, service.nodes()));
    let clients = scenario.clients.iter().map(|(name, client)| (name, client.nodes()));
    for (name, nodes) in services.chain(clients) {
        names.add(name.as_str(), nodes.get()).unwrap();
    }
    names
}

fn plan(text: &str) -> (Loaded, Result<World, Vec<Diagnostic>>) {
    let loaded = loaded(text);
    let scenario = &loaded.scenario;
    let names = names(scenario);
    let planned = regions(scenario, &names).and_then(|regions| {
        let (base, links) = (scenario.network.as_ref(), &scenario.links);
        let network = network(base, links, regions.as_ref(), &names, &loaded.texts)?;
        Ok(World { names, regions, network })
    });
    (loaded, planned)
}

fn planned(text: &str) -> World {
    let (loaded, planned) = plan(text);
    planned.unwrap_or_else(|mistakes| panic!("{}", rendered(&loaded, &mistakes)))
}

impl World {
    /// The link of a message from one node to another, as `name latency loss`.
    fn route(&self, from: &str, to: &str) -> String {
        let node = |label: &str| {
            let mut all = self.names.groups().flat_map(|group| self.names.members(group));
            all.find(|node| self.names.label(*node) == label).expect(label)
        };
        let id = self.network.route(node(from), node(to), || 1 << Leg::Out as u8);
        let (_, name, link) = self.network.links().nth(id.index()).unwrap();
        assert!(link.latency.is_constant());
        format!("{name} {} {}", link.latency.minimum(), link.loss)
    }

    /// Where the nodes of a group are, one after the other.
    fn places(&self, group: &str) -> String {
        let regions = self.regions.as_ref().expect("there are regions");
        let members = self.names.members(self.names.group(group).expect(group));
        members
            .map(|node| regions.of(node))
            .map(|at| match at.zone {
                Some(zone) => regions.zone_name(zone),
                None => regions.name(at.region).to_owned(),
            })
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[test]
fn nodes_are_dealt_as_their_places_say() {
    let world = planned(&format!("{RTT}{EVERYWHERE}"));
    assert_eq!(world.places("users"), "eu eu eu us us", "in the order of the names");
    assert_eq!(world.places("api"), "eu us ap eu");
    assert_eq!(world.places("db"), "eu");
}

#[test]
fn between_regions_counts_the_matrix_and_inside_the_network() {
    let world = planned(&format!("[network]\nlatency = \"1ms\"\nloss = \"2%\"\n{RTT}{EVERYWHERE}"));
    for (from, to, link) in [
        ("users[0]", "api[0]", "network 1ms 2%"),
        ("users[0]", "api[1]", "eu->us 40ms 2%"),
        ("api[1]", "users[2]", "us->eu 40ms 2%"),
        ("users[4]", "api[2]", "us->ap 80ms 2%"),
        ("api[2]", "db[0]", "ap->eu 110ms 2%"),
        ("api[3]", "db[0]", "network 1ms 2%"),
    ] {
        assert_eq!(world.route(from, to), link, "{from} -> {to}");
    }
    assert_eq!(world.network.links().count(), 1 + 6, "one for each way");
}

#[test]
fn a_round_trip_takes_exactly_as_long_as_written() {
    let world =
        planned(&format!("[regions]\nrtt = {{ eu.us = \"7ns\", eu.ap = \"1us\", ap.us = \"1us\" }}\n{EVERYWHERE}"));
    assert_eq!(world.route("users[0]", "api[1]"), "eu->us 3ns 0%");
    assert_eq!(world.route("api[1]", "users[0]"), "us->eu 4ns 0%");
}

#[test]
fn one_way_may_differ_from_the_other() {
    let pairs = "[regions.one-way]\neu = { us = \"30ms\", ap = \"5ms\" }\nus = { eu = \"50ms\", ap = \"6ms\" }\n";
    let world = planned(&format!("{pairs}{EVERYWHERE}"));
    assert_eq!(world.route("users[0]", "api[1]"), "eu->us 30ms 0%");
    assert_eq!(world.route("api[1]", "users[0]"), "us->eu 50ms 0%");
    assert_eq!(world.route("api[2]", "users[0]"), "ap->eu 5ms 0%", "as the other direction");
}

#[test]
fn a_preset_names_regions_and_their_distances() {
    let text = "regions.preset = \"azure-2023\"\n[clients.users]\nusers = 1\ncall = \"api\"\nplace = \"west-europe\"\n\
                [services.api]\nnodes = 2\nplace = [\"west-europe\", \"east-us\"]\nwork = \"1ms\"\n";
    let world = planned(text);
    assert_eq!(world.route("users[0]", "api[1]"), "west-europe->east-us 41.5ms 0%");
    assert_eq!(world.regions.unwrap().count(), 7);
}

#[test]
fn links_count_before_regions_key_by_key() {
    let links = "[links.any]\nbetween = [\"*\", \"*\"]\nloss = \"1%\"\n\
                 [links.cable]\nbetween = [\"@eu\", \"@us\"]\nlatency = \"35ms\"\n\
                 [links.group]\nfrom = \"users\"\nto = \"api\"\nloss = \"2%\"\n\
                 [links.part]\nfrom = \"users@us\"\nto = \"api@us\"\nlatency = \"3ms\"\n\
                 [links.node]\nfrom = \"users@us[1]\"\nto = \"api\"\nloss = \"9%\"\n";
    let world = planned(&format!("[network]\nlatency = \"1ms\"\n{RTT}{links}{EVERYWHERE}"));
    for (from, to, link) in [
        ("api[2]", "db[0]", "any 110ms 1%"),
        ("api[0]", "db[0]", "any 1ms 1%"),
        ("api[1]", "db[0]", "cable 35ms 1%"),
        ("api[0]", "api[1]", "cable 35ms 1%"),
        ("users[0]", "api[1]", "group 35ms 2%"),
        ("users[0]", "api[2]", "group 110ms 2%"),
        ("users[3]", "api[1]", "part 3ms 2%"),
        ("users[4]", "api[1]", "part 3ms 9%"),
        ("users[4]", "api[2]", "node 80ms 9%"),
        ("users[0]", "api[0]", "group 1ms 2%"),
    ] {
        assert_eq!(world.route(from, to), link, "{from} -> {to}");
    }
}

#[test]
fn many_nodes_in_few_regions_are_few_parts() {
    let many = EVERYWHERE
        .replace("us = 2, eu = 3", "us = 50_000, eu = 30_000, ap = 20_000")
        .replace("users = 2", "rate = \"1/s\"");
    let world = planned(&format!("{RTT}[links.l]\nfrom = \"users@ap\"\nto = \"api[0]\"\nloss = \"1%\"\n{many}"));
    assert_eq!(world.route("users[0]", "api[0]"), "l 110ms 1%");
    assert_eq!(world.route("users[49999]", "api[0]"), "network 0s 0%");
    assert_eq!(world.route("users[99999]", "api[2]"), "us->ap 80ms 0%");
    assert_eq!(world.network.links().count(), 1 + 6 + 1);
}

#[test]
fn what_is_wrong_with_regions_and_places_is_said_at_its_place() {
    let place = |api: &str| format!("{RTT}{}", EVERYWHERE.replace("place = [\"eu\", \"us\", \"ap\"]", api));
    let regions = |table: &str| format!("[regions]\n{table}\n{EVERYWHERE}");
    for (text, place, said) in [
        (place(""), (8, 11), "where is `api`? With [regions], everything has a place"),
        (place("place = \"us-west\""), (10, 9), "there is no region `us-west`"),
        (place("place = [\"eu\", \"uss\"]"), (10, 16), "there is no region `uss`"),
        (place("place = []"), (10, 9), "`api` is nowhere"),
        (place("place = {}"), (10, 9), "`api` is nowhere"),
        (place("place = { eu = 1, us = 2 }"), (10, 9), "`api` has 4 nodes, and places for 3"),
        (place("place = [\"eu\", \"us\", \"ap\", \"eu\", \"us\"]"), (10, 9), "`api` has 4 nodes for 5 places"),
        (
            EVERYWHERE.replace("place = [\"eu\", \"us\", \"ap\"]", "").replace("place = \"eu\"", ""),
            (5, 9),
            "`place` has a meaning only with [regions]",
        ),
        (
            regions("rtt = { eu.us = \"80ms\", us.ap = \"160ms\" }"),
            (3, 7),
            "how far is it between these regions? `ap.eu` is missing",
        ),
        (regions("rtt = { eu.us = \"80ms\", a.b = \"1ms\" }"), (3, 7), "`a.eu`, `a.us`, `b.eu`, `b.us` are missing"),
        (regions("rtt = { eu.us = \"80ms\", us.eu = \"1ms\" }"), (3, 28), "between `eu` and `us` is written twice"),
        (regions("one-way = { eu.eu = \"80ms\" }"), (3, 16), "inside `eu` messages meet [network]"),
        (format!("{RTT}[links.l]\nbetween = [\"@eu\", \"@uss\"]\n{EVERYWHERE}"), (5, 21), "there is no region `uss`"),
        (format!("{RTT}[links.l]\nbetween = [\"*\", \"users@ap\"]\n{EVERYWHERE}"), (5, 17), "`users@ap` is nobody"),
        (
            format!("{RTT}[links.l]\nbetween = [\"*\", \"api@eu[2]\"]\n{EVERYWHERE}"),
            (5, 17),
            "there is no node 2 in `api@eu`, which has 2 nodes",
        ),
        (
            "[links.l]\nbetween = [\"*\", \"api@eu\"]\n[clients.u]\nusers = 1\ncall = \"api\"\n[services.api]\n".into(),
            (3, 22),
            "a region has a meaning only with [regions]",
        ),
    ] {
        let (loaded, planned) = plan(&text);
        let found = places(&loaded, &planned.map(|_| ()).expect_err(&text));
        assert_eq!(found.len(), 1, "{found:?}");
        let (line, column, message) = &found[0];
        assert_eq!((*line, *column), place, "{message}");
        assert!(message.contains(said), "{message}");
    }
}

/// Zones count in the order of their names, whatever the order in which they are written.
#[test]
fn nodes_are_dealt_over_the_zones_of_their_region() {
    let zones = RTT.to_owned() + "zones = { eu = [\"b\", \"a\"], us = [\"a\"] }\n";
    let world = planned(&format!("{zones}{}", EVERYWHERE.replace("place = \"eu\"", "nodes = 2\nplace = \"eu/b\"")));
    assert_eq!(world.places("users"), "eu/a eu/b eu/a us/a us/a");
    assert_eq!(world.places("api"), "eu/a us/a ap eu/b");
    assert_eq!(world.places("db"), "eu/b eu/b");
    let counts = "place = { us = 1, \"eu/b\" = 2, eu = 2 }";
    let world = planned(&format!("{zones}{}", EVERYWHERE.replace("place = { us = 2, eu = 3 }", counts)));
    assert_eq!(world.places("users"), "eu/a eu/b eu/b eu/b us/a");
}

/// Inside a zone 1 ms, between zones 5 ns there and back, between regions as written; links by zone are narrower than
/// those by region.
#[test]
fn between_zones_counts_their_round_trip_unless_a_link_says_otherwise() {
    let zones = RTT.to_owned() + "zones.eu = [\"a\", \"b\", \"c\"]\nzone-rtt = \"5ns\"\n";
    let links = "[links.region]\nbetween = [\"@eu\", \"@eu\"]\nloss = \"1%\"\n\
                 [links.zone]\nbetween = [\"@eu/a\", \"@eu/c\"]\nloss = \"2%\"\nlatency = \"7ms\"\n\
                 [links.group]\nfrom = \"users@eu/b\"\nto = \"db\"\nloss = \"3%\"\n";
    let world = planned(&format!("network.latency = \"1ms\"\n{zones}{links}{EVERYWHERE}"));
    // Three users in eu/a, eu/b and eu/c, two in us; api in eu/a, us, ap, eu/b; db in eu/a.
    for (from, to, link) in [
        ("users[0]", "api[0]", "region 1ms 1%"),
        ("users[1]", "api[0]", "region 3ns 1%"),
        ("api[0]", "users[1]", "region 2ns 1%"),
        ("users[0]", "users[2]", "zone 7ms 2%"),
        ("users[1]", "users[2]", "region 2ns 1%"),
        ("users[1]", "db[0]", "group 3ns 3%"),
        ("users[0]", "api[1]", "eu->us 40ms 0%"),
    ] {
        assert_eq!(world.route(from, to), link, "{from} -> {to}");
    }
    let bare = planned(&format!("network.latency = \"1ms\"\n{zones}{EVERYWHERE}"));
    assert_eq!(bare.route("users[0]", "users[1]"), "eu/a->eu/b 2ns 0%");
    assert_eq!(bare.route("users[0]", "db[0]"), "network 1ms 0%");
}

/// One region needs no distances.
#[test]
fn a_single_region_may_have_zones() {
    let zones = "[regions]\nzones.eu = [\"a\", \"b\"]\nzone-rtt = \"2ms\"\n[clients.users]\nusers = 1\ncall = \"api\"\n\
                 place = \"eu/a\"\n[services.api]\nnodes = 2\nplace = \"eu\"\n";
    let world = planned(zones);
    assert_eq!(world.route("users[0]", "api[0]"), "network 0s 0%");
    assert_eq!(world.route("users[0]", "api[1]"), "eu/a->eu/b 1ms 0%");
}

#[test]
fn what_is_wrong_with_zones_is_said_at_its_place() {
    let zones = |table: &str| format!("{RTT}{table}\n{EVERYWHERE}");
    let place = |at: &str| zones("zones.eu = [\"a\", \"b\"]").replace("place = \"eu\"", &format!("place = \"{at}\""));
    for (text, place, said) in [
        (zones("zones.eux = [\"a\"]"), (4, 7), "there is no region `eux`"),
        (zones("zones.eu = []"), (4, 12), "no zones of `eu`: leave it out"),
        (zones("zones.eu = [\"a\", \"a\"]"), (4, 18), "zone `a` is written twice"),
        (place("eu/c"), (15, 9), "there is no zone `c`"),
        (place("us/a"), (15, 9), "`us` has no zones"),
        (
            format!(
                "{}[links.l]\nbetween = [\"@eu/a\", \"@eu/d\"]\n{EVERYWHERE}",
                zones("zones.eu = [\"a\"]").replace(EVERYWHERE, "")
            ),
            (6, 26),
            "there is no zone `d`",
        ),
    ] {
        let (loaded, planned) = plan(&text);
        let found = places(&loaded, &planned.map(|_| ()).expect_err(&text));
        assert_eq!(found.len(), 1, "{found:?}");
        let (line, column, message) = &found[0];
        assert_eq!((*line, *column), place, "{message}");
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn an_unknown_region_is_answered_with_the_nearest_one() {
    let (loaded, planned) = plan(&format!("{RTT}{}", EVERYWHERE.replace("us = 2", "usa = 2")));
    assert_eq!(
        rendered(&loaded, &planned.map(|_| ()).unwrap_err()),
        "\
error: there is no region `usa`
 --> dir/s.toml:7:11
  |
7 | place = { usa = 2, eu = 3 }
  |           ^^^
  |
  = help: did you mean `us`?"
    );
}

#[test]
fn two_links_between_regions_conflict_as_others_do() {
    let links = "[links.one]\nbetween = [\"@eu\", \"*\"]\nloss = \"1%\"\n\
                 [links.two]\nfrom = \"*\"\nto = \"@us\"\nloss = \"2%\"\n";
    let (loaded, planned) = plan(&format!("{RTT}{links}{EVERYWHERE}"));
    let found = places(&loaded, &planned.map(|_| ()).unwrap_err());
    assert_eq!(found.len(), 1);
    assert!(found[0].2.contains("both set `loss`"), "{found:?}");
}
