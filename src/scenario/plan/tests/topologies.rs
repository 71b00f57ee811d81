use super::*;

const GROUPS: &str = "[clients.users]\nnodes = 2\nrate = \"5/s\"\ncall = \"api\"\n[services.api]\nnodes = 3\n\
                      work = \"1ms\"\n[services.db]\n[routers.r]\nnodes = 2\n";

fn plan(text: &str) -> Result<Plan, String> {
    Plan::new(loaded(&format!("{text}\n{GROUPS}"))).map_err(|mistakes| mistakes.render(Style::Plain))
}

/// The nodes over which a message goes from one to another.
fn way(topology: &str, from: &str, to: &str) -> String {
    let plan = plan(&format!("[topology]\n{topology}")).unwrap_or_else(|said| panic!("{said}"));
    let cluster = plan.cluster(1);
    let names = cluster.names();
    let mut topology = cluster.network().topology().expect("there is one").clone();
    let node = |label: &str| *topology.nodes().iter().find(|node| names.label(**node) == label).expect(label);
    let (from, to) = (node(from), node(to));
    topology.way(from, to).map(|node| names.label(node)).collect::<Vec<_>>().join(" ")
}

/// Sorted by name, then place: api 0 to 2, db, r 0 and 1, users 0 and 1.
#[test]
fn nodes_stand_in_the_order_of_their_names_or_as_they_are_listed() {
    assert_eq!(way("line = \"*\"", "api[1]", "users[0]"), "api[2] db[0] r[0] r[1] users[0]");
    assert_eq!(way("ring = \"*\"", "api[1]", "users[0]"), "api[0] users[1] users[0]");
    let listed = "line = [\"users\", \"r[1]\", \"api[0,2]\", \"*\"]";
    assert_eq!(way(listed, "users[0]", "api[1]"), "users[1] r[1] api[0] api[2] api[1]");
    assert_eq!(way("star.hub = \"db\"", "api[1]", "r[0]"), "db[0] r[0]");
    assert_eq!(way("grid.columns = 4", "api[1]", "users[1]"), "api[2] db[0] users[1]");
    // Root r[0]; under it r[1] and api[0]; under r[1] api[1] and api[2], under api[0] db and users[0]; users[1] under
    // api[1].
    let tree = "tree = { on = [\"r\", \"*\"], fan-out = 2 }";
    assert_eq!(way(tree, "users[1]", "users[0]"), "api[1] r[1] r[0] api[0] users[0]");
}

/// Of the two ways of two hops the one over r[0] is taken, whatever comes first in the file.
#[test]
fn edges_join_all_of_one_to_all_of_the_other() {
    let edges = "edges = [[\"r\", \"users\"], [\"api\", \"r\"], [\"db\", \"r[1]\"]]";
    assert_eq!(way(edges, "users[1]", "api[2]"), "r[0] api[2]");
    assert_eq!(way(edges, "api[0]", "db[0]"), "r[1] db[0]");
    let beside = "ring = \"api\"\nedges = [[\"*\", \"api[0]\"]]";
    assert_eq!(way(beside, "users[1]", "api[2]"), "api[0] api[2]");
}

#[test]
fn what_cannot_be_joined_is_refused() {
    for (topology, said) in [
        ("topology = {}", "[topology] needs `star`, `ring`, `line`, `grid`, `tree`, `random-regular` or `edges`"),
        ("[topology]\nring = \"*\"\nstar.hub = \"r[0]\"", "a topology has one form; found `star` and `ring`"),
        ("[topology]\nedges = []", "no edges: nothing is joined to anything"),
        ("[topology]\nstar.hub = \"r\"", "the hub is one node; `r` are 2"),
        ("[topology]\nring = \"api\"", "`db` is not on the topology, so that no message reaches it"),
        ("[topology]\nline = [\"api\", \"db\", \"users[0]\", \"r\"]", "`users[1]` is not on the topology"),
        ("[topology]\nedges = [[\"api\", \"db\"], [\"users\", \"r\"]]", "there is no way from `api[0]` to `r[0]`"),
        ("[topology]\nedges = [[\"db\", \"db\"]]", "this joins a node to itself, and nothing else"),
        ("[topology]\nring = [\"*\", \"rest\"]", "a topology has no `rest`"),
        ("[topology]\nring = \"api[any 2]\"", "edges join the same nodes all the time"),
        ("[topology]\nring = \"api[3]\"", "there is no node 3 among the 3 of `api`"),
        ("[topology]\nring = \"*[0]\"", "places are counted in one group"),
        ("[topology]\nring = \"apu\"", "there is no group `apu`"),
        ("[topology]\nring = \"@eu\"", "a region has a meaning only with [regions]"),
        ("[topology]\nrandom-regular.degree = 8", "no connected graph of 8 nodes gives each 8 neighbours"),
        ("[topology]\nrandom-regular.degree = 4000000000", "16000000000 edges; there are at most 20000000"),
        ("", "routers have a meaning only with [topology]"),
    ] {
        let said_so = match Scenario::load(
            &source(&format!("run.duration = \"1s\"\n{topology}\n{GROUPS}")),
            Path::new("dir/s.toml"),
            &Overrides::default(),
        ) {
            Ok(_) => plan(topology).expect_err(topology),
            Err(mistakes) => mistakes.render(Style::Plain),
        };
        assert!(said_so.contains(said) && said_so.contains("s.toml:"), "{topology}: {said_so}");
    }
}

#[test]
fn a_link_that_no_edge_goes_over_is_doubted() {
    let text = "[links.near]\nbetween = [\"users\", \"r\"]\nlatency = \"1ms\"\n\
                [links.idle]\nbetween = [\"users\", \"api\"]\nlatency = \"2ms\"\n[topology]\nline = [\"api\", \"db\", \"r\", \"users\"]";
    let warnings: Vec<_> = plan(text).unwrap().warnings.into_iter().map(|doubt| doubt.message).collect();
    assert_eq!(warnings, ["nothing goes over link `idle`: no edge of the topology joins its ends"]);
}

#[test]
fn routers_have_places_too() {
    let regions = "[regions]\nrtt.eu.us = \"80ms\"\n[topology]\nline = [\"@eu\", \"@us\"]\n";
    let placed = |router: &str| {
        let groups =
            "[clients.users]\nplace = \"eu\"\nrate = \"5/s\"\ncall = \"api\"\n[services.api]\nplace = \"us\"\n";
        Plan::new(loaded(&format!("{regions}{groups}[routers.r]\n{router}")))
            .map_err(|mistakes| mistakes.render(Style::Plain))
    };
    assert!(placed("").unwrap_err().contains("where is `r`?"));
    let plan = placed("place = { eu = 1, us = 2 }").unwrap();
    let cluster = plan.cluster(1);
    let label = |node| cluster.names().label(node);
    let edges = cluster.network().topology().unwrap().edges();
    let edges: Vec<_> = edges.map(|(one, other)| format!("{}-{}", label(one), label(other))).collect();
    assert_eq!(edges, ["r[0]-users[0]", "users[0]-api[0]", "api[0]-r[1]", "r[1]-r[2]"]);
}
