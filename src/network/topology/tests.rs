//! Every kind against arithmetic: next hops that follow edges, ways as long as formulas say.

use super::*;

fn nodes(count: u32) -> Vec<NodeId> {
    // Ids out of order: only places count.
    (0..count).map(|place| NodeId::new(count - 1 - place)).collect()
}

fn shapes() -> Vec<Shape> {
    let some = |number| NonZeroU32::new(number).unwrap();
    vec![
        Shape::Star,
        Shape::Ring,
        Shape::Line,
        Shape::Grid { columns: some(1) },
        Shape::Grid { columns: some(4) },
        Shape::Grid { columns: some(50) },
        Shape::Tree { fan_out: some(1) },
        Shape::Tree { fan_out: some(2) },
        Shape::Tree { fan_out: some(5) },
    ]
}

fn distance(topology: &mut Topology, from: u32, to: u32) -> usize {
    let nodes = [from, to].map(|place| topology.nodes()[place as usize]);
    topology.way(nodes[0], nodes[1]).take(1_000).count()
}

/// Arithmetic and breadth-first search, which knows nothing of shapes, must agree on every distance: the ways of shapes lead
/// over their own edges, arrive, and are shortest.
#[test]
fn the_arithmetic_of_every_shape_agrees_with_a_search_over_its_edges() {
    for shape in shapes() {
        for count in [1, 2, 3, 4, 7, 12, 23] {
            let nodes = nodes(count);
            let edges = shape.edges(count).unwrap();
            let ends = |&(one, other): &(u32, u32)| (nodes[one as usize], nodes[other as usize]);
            let ends: Vec<_> = edges.iter().map(ends).collect();
            let mut shaped = Topology::shaped(shape, nodes.clone()).unwrap();
            let mut joined = Topology::joined(nodes.clone(), &ends).unwrap();
            for &from in &nodes {
                for &to in &nodes {
                    let mut at = from;
                    for next in shaped.way(from, to).take(50) {
                        let is_edge = ends.contains(&(at, next)) || ends.contains(&(next, at));
                        assert!(is_edge, "{shape:?} of {count}: {at:?} to {next:?}");
                        at = next;
                    }
                    let (one, other) = (shaped.way(from, to).take(50).count(), joined.way(from, to).count());
                    assert_eq!((at, one), (to, other), "{shape:?} of {count}: {from:?} to {to:?}");
                }
            }
        }
    }
}

/// Ring of 10: from 2 to 9 it is 3 downwards; from 0 to 5 it is 5 either way. Grid of 4 columns: from (0, 0) to (2, 3) it is
/// 2 + 3. Binary tree: places 7 and 10 hang on 3 and 4, these on 1: up two, down two. Line: the difference.
#[test]
fn distances_are_those_of_the_formulas() {
    let some = |number| NonZeroU32::new(number).unwrap();
    for (shape, count, from, to, hops) in [
        (Shape::Ring, 10, 2, 9, 3),
        (Shape::Ring, 10, 0, 5, 5),
        (Shape::Line, 10, 2, 9, 7),
        (Shape::Star, 10, 3, 4, 2),
        (Shape::Star, 10, 0, 4, 1),
        (Shape::Grid { columns: some(4) }, 12, 0, 11, 5),
        (Shape::Tree { fan_out: some(2) }, 15, 7, 10, 4),
        (Shape::Tree { fan_out: some(2) }, 15, 0, 14, 3),
    ] {
        let mut topology = Topology::shaped(shape, nodes(count)).unwrap();
        assert_eq!(distance(&mut topology, from, to), hops, "{shape:?}");
    }
}

/// 10 nodes of a ring, opposite each other: 0 goes to 1, 7 to 8, 9 to 0.
#[test]
fn in_a_ring_the_opposite_node_is_reached_upwards() {
    assert_eq!([ring::next(10, 0, 5), ring::next(10, 7, 2), ring::next(10, 9, 4)], [1, 8, 0]);
}

#[test]
fn a_random_regular_graph_is_simple_connected_and_the_same_again() {
    for (count, degree) in [(1, 0), (2, 1), (4, 3), (5, 2), (50, 3), (50, 4), (20, 17), (9, 6), (200, 90), (1_000, 7)] {
        let edges = random_regular::edges(count, degree, 1).unwrap();
        let mut sorted: Vec<_> = edges.iter().map(|&(one, other)| (one.min(other), one.max(other))).collect();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len() as u32, count * degree / 2, "{count} {degree}: every edge once");
        assert!(sorted.iter().all(|(one, other)| one < other), "{count} {degree}: no loops");
        let of = |node| sorted.iter().filter(|&&(one, other)| one == node || other == node).count();
        assert!((0..count).all(|node| of(node) == degree as usize), "{count} {degree}");
        assert_eq!(Graph::new(count, &edges).out_of_reach(), None);
        assert_eq!(random_regular::edges(count, degree, 1), Ok(edges));
    }
    assert_ne!(random_regular::edges(50, 3, 1), random_regular::edges(50, 3, 2));
}

/// Of six labelled nodes there are 70 graphs of degree 3, all connected: 10 are three nodes joined to three others, each to
/// each, and 60 are prisms. Of 7 000 evenly drawn 1 000 are of the first kind, sd 29: four of them are allowed.
#[test]
fn random_regular_graphs_of_small_degree_are_equally_likely() {
    let is_bipartite = |seed| {
        let edges = random_regular::edges(6, 3, seed).unwrap();
        let others: Vec<u32> = edges
            .iter()
            .filter_map(|&(a, b)| {
                if a == 0 {
                    Some(b)
                } else if b == 0 {
                    Some(a)
                } else {
                    None
                }
            })
            .collect();
        edges.iter().all(|(a, b)| !(others.contains(a) && others.contains(b)))
    };
    let count = (0..7_000).filter(|&seed| is_bipartite(seed)).count();
    assert!((884..=1_116).contains(&count), "{count}");
}

#[test]
fn a_graph_that_cannot_be_is_refused() {
    for (nodes, degree) in [(5, 3), (4, 4), (4, 1), (3, 0), (1, 1)] {
        assert_eq!(random_regular::edges(nodes, degree, 1), Err(TopologyError::NotRegular { nodes, degree }));
    }
    let [a, b, c] = [0, 1, 2].map(NodeId::new);
    let joined = |nodes: &[NodeId], edges: &[_]| Topology::joined(nodes.to_vec(), edges).err();
    assert_eq!(joined(&[a, b, c], &[(a, b)]), Some(TopologyError::Disconnected(a, c)));
    assert_eq!(joined(&[a, b, a], &[]), Some(TopologyError::Twice(a)));
    assert_eq!(joined(&[a, b], &[(a, c)]), Some(TopologyError::Unlisted(c)));
    assert_eq!(joined(&[a, b], &[(b, b)]), Some(TopologyError::Loop(b)));
    assert_eq!(joined(&[a, b], &[(a, b), (b, a)]), None);
    assert_eq!(joined(&[], &[]), None);
}

/// Of several shortest ways both take the one by the smallest neighbour, at every hop.
#[test]
fn the_search_from_both_ends_finds_the_same_next_hop_as_the_table() {
    let grid = Shape::Grid { columns: NonZeroU32::new(6).unwrap() };
    let random = |degree| Shape::RandomRegular { degree, seed: 3 };
    for (shape, count) in [(grid, 40), (random(3), 60), (random(8), 60), (Shape::Star, 9), (Shape::Ring, 11)] {
        let edges = shape.edges(count).unwrap();
        let mut tables = Graph::new(count, &edges);
        let mut searched = Graph::new(count, &edges).with_room(0);
        for from in 0..count {
            for to in (0..count).filter(|&to| to != from) {
                assert_eq!(tables.next(from, to), searched.next(from, to), "{shape:?}: {from} to {to}");
            }
        }
    }
}

/// 10^5 nodes: more receivers than there is room for tables, so that most ways are searched for.
#[test]
fn a_hundred_thousand_nodes_have_ways_without_a_table_for_each() {
    let count = 100_000;
    let degree = Shape::RandomRegular { degree: 4, seed: 1 };
    let mut random = Topology::shaped(degree, nodes(count)).unwrap();
    // Of degree 4, 4 * 3^(d - 1) nodes are within d hops: half of all at 10 or 11, all within 16.
    let far =
        (0..2_000).map(|index| distance(&mut random, index * 37 % count, (index * 101 + 5) % count)).max().unwrap();
    assert!((11..=16).contains(&far), "{far}");
    let columns = NonZeroU32::new(500).unwrap();
    let mut grid = Topology::shaped(Shape::Grid { columns }, nodes(count)).unwrap();
    assert_eq!(distance(&mut grid, 0, count - 1), 199 + 499);
}
