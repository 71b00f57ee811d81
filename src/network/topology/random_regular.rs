//! A random regular graph: every node has the same number of neighbours, and nothing else is regular.
//!
//! Stubs, one for each end of an edge, are shuffled and joined in pairs. Up to degree 4 a pairing that joins a node to
//! itself or twice to the same is thrown away as a whole, which makes all graphs equally likely; beyond that hardly one
//! in 400 would be kept, so only the stubs of such pairs are shuffled again, which makes all graphs of many nodes nearly
//! equally likely. What cannot be finished, or is not connected, is begun anew. A dense graph is what a sparse one leaves
//! out.

use crate::base::id::Entity;
use crate::base::random::{Seed, Stream};

use super::graph::Graph;
use super::{TopologyEntry, TopologyError};

pub(super) const ENTRY: TopologyEntry = TopologyEntry {
    name: "random-regular",
    summary: "a random graph in which every node has so many neighbours",
    explanation: "A connected graph without loops and double edges, drawn by its own `seed`: the same in every \
                  run. Distances are short, about log n / log (degree - 1) hops, there is no centre, and it \
                  takes many failures to part it: the overlay of gossip and peer-to-peer systems. The number of \
                  nodes times the degree is even.",
    source: "Steger, Wormald, Generating Random Regular Graphs Quickly, Combinatorics, Probability and Computing \
             8, 1999",
};

/// How often a graph is begun before none is believed to exist.
const ATTEMPTS: u64 = 1_000;
/// How often the last stubs are shuffled without any success.
const PATIENCE: u32 = 50;
/// Up to this degree a pairing is kept or thrown away as a whole.
const WHOLE_MAX: u32 = 4;

pub(super) fn edges(count: u32, degree: u32, seed: u64) -> Result<Vec<(u32, u32)>, TopologyError> {
    let none = TopologyError::NotRegular { nodes: count, degree };
    let is_even = u64::from(count) * u64::from(degree) % 2 == 0;
    let can_connect = degree >= 2 || count == degree + 1;
    if degree >= count || !is_even || !can_connect {
        return Err(none);
    }
    let key = Seed(seed).key("topology");
    let mut streams = (0..2 * ATTEMPTS).map(|attempt| key.stream(Entity::default(), attempt << 40));
    if degree == 2 {
        return Ok(circle(count, streams.next()));
    }
    // A node that is joined to more than half of the others can be reached from everywhere.
    let is_dense = degree > (count - 1) / 2;
    let drawn = if is_dense { count - 1 - degree } else { degree };
    for (mut luck, attempt) in streams.zip(0..) {
        let is_whole = drawn <= WHOLE_MAX && attempt < ATTEMPTS;
        let Some(joined) = join_stubs(count, drawn, is_whole, &mut luck) else { continue };
        let edges = joined.edges(count, is_dense);
        if is_dense || Graph::new(count, &edges).out_of_reach().is_none() {
            return Ok(edges);
        }
    }
    Err(none)
}

/// The only connected graph in which each has two neighbours.
fn circle(count: u32, luck: Option<Stream>) -> Vec<(u32, u32)> {
    let mut order: Vec<_> = (0..count).collect();
    luck.into_iter().for_each(|mut luck| shuffle(&mut order, &mut luck));
    super::ring::edges(count).map(|(one, other)| (order[one as usize], order[other as usize])).collect()
}

/// All stubs joined, if they could be.
fn join_stubs(count: u32, degree: u32, is_whole: bool, luck: &mut Stream) -> Option<Joined> {
    let mut joined = Joined::none(count, degree);
    let mut stubs: Vec<u32> = (0..count).flat_map(|node| std::iter::repeat_n(node, degree as usize)).collect();
    let mut failures = 0;
    while !stubs.is_empty() {
        shuffle(&mut stubs, luck);
        let mut left = Vec::new();
        for pair in stubs.chunks_exact(2) {
            if !joined.join(pair[0], pair[1]) {
                if is_whole {
                    return None;
                }
                left.extend_from_slice(pair);
            }
        }
        failures = if left.len() == stubs.len() { failures + 1 } else { 0 };
        if failures > PATIENCE {
            return None;
        }
        stubs = left;
    }
    Some(joined)
}

/// Who is joined to whom.
struct Joined {
    degree: usize,
    /// The neighbours of each node, `degree` places for each.
    lists: Vec<u32>,
    lens: Vec<usize>,
}

impl Joined {
    fn none(count: u32, degree: u32) -> Self {
        let (count, degree) = (count as usize, degree as usize);
        Self { degree, lists: vec![0; count * degree], lens: vec![0; count] }
    }

    fn of(&self, node: u32) -> &[u32] {
        let start = node as usize * self.degree;
        &self.lists[start..start + self.lens[node as usize]]
    }

    /// Joins two nodes that are not joined; whether they were not.
    fn join(&mut self, one: u32, other: u32) -> bool {
        if one == other || self.of(one).contains(&other) {
            return false;
        }
        for (from, to) in [(one, other), (other, one)] {
            let len = &mut self.lens[from as usize];
            self.lists[from as usize * self.degree + *len] = to;
            *len += 1;
        }
        true
    }

    /// The pairs that are joined, or those that are not; each once.
    fn edges(&self, count: u32, is_complement: bool) -> Vec<(u32, u32)> {
        let mut edges = Vec::new();
        for node in 0..count {
            let others = self.of(node);
            if is_complement {
                edges.extend((node + 1..count).filter(|other| !others.contains(other)).map(|other| (node, other)));
            } else {
                edges.extend(others.iter().filter(|&&other| other > node).map(|&other| (node, other)));
            }
        }
        edges
    }
}

/// Fisher and Yates.
fn shuffle(items: &mut [u32], luck: &mut Stream) {
    for last in (1..items.len()).rev() {
        items.swap(last, luck.draw().below(last as u64 + 1) as usize);
    }
}
