//! Forwarding under laws: a run on a topology is a run like others.

use proptest::prelude::*;
use proptest::sample::select;
use rehearsal::metrics::Fate;

use crate::common::{plan, play};
use crate::system::any_system;
use crate::witness::replay;

/// Topologies of whatever groups there are and four routers, of which one is now and then down, one paused, one cut off.
const TOPOLOGIES: [&str; 6] = [
    "ring = \"*\"",
    "line = [\"source\", \"router\", \"*\"]",
    "star = { hub = \"router[0]\" }",
    "grid = { columns = 3 }",
    "tree = { on = [\"router\", \"*\"], fan-out = 2 }",
    "ring = \"router\"\nedges = [[\"*\", \"router[0-1]\"]]",
];

const FAULTS: &str = "[routers.router]\nnodes = 4\n\
                      [faults.down]\nevery = \"200ms\"\nfor = \"30ms\"\ncrash = \"router[any 1]\"\n\
                      [faults.still]\nevery = \"150ms\"\nfor = \"30ms\"\npause = \"router[any 1]\"\n\
                      [faults.alone]\nevery = \"170ms\"\nfor = \"30ms\"\nisolate = \"router[any 1]\"\n";

proptest! {
    #![proptest_config(crate::cases(48))]

    /// The same again, also in a cluster that was used; the wire's book, whose copies are hops, balances for each link;
    /// every message has one fate.
    #[test]
    fn forwarding_keeps_the_books_and_the_seed(system in any_system(), topology in select(TOPOLOGIES.to_vec())) {
        let plan = plan(&format!("{}[topology]\n{topology}\n{FAULTS}", system.text()));
        let mut used = plan.cluster(plan.seed + 1);
        replay(&mut used);
        used.rewind(plan.seed);
        // What is rewound has no faults any more: those come with the plan.
        let bare = replay(&mut used);
        let (one, other) = (replay(&mut plan.cluster(plan.seed)), replay(&mut plan.cluster(plan.seed)));
        prop_assert_eq!(&one.outcome, &other.outcome);
        prop_assert_eq!(one.stated, other.stated);
        let mut again = plan.cluster(plan.seed);
        again.rewind(plan.seed);
        prop_assert_eq!(bare.outcome, replay(&mut again).outcome);
        let run = play(&plan).runs.remove(0);
        for flow in &run.flows {
            let book = &flow.book.total;
            prop_assert_eq!(book.offered, book.fates.iter().sum::<u64>(), "{}", flow.name());
            prop_assert!(book.fate(Fate::InFlight) <= book.offered);
        }
        for link in &run.links {
            let (book, dropped) = (link.book, link.book.dropped.iter().sum::<u64>());
            prop_assert!(book.delivered + dropped <= book.sent + book.duplicated, "{book:?}");
        }
    }
}
