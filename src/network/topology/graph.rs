//! Any graph: ways are worked out for the receivers that there are messages for.

use std::sync::Arc;

use super::search::Search;

/// Places, and which of them are joined.
///
/// The next hops towards a receiver are a table, four bytes a node, made by one breadth-first search when a message first
/// needs it. The tables of the first receivers are kept, [`TABLES_MAX`] bytes of them: those of every receiver for up to
/// 4 096 nodes, those of 160 receivers for 10^5. Towards others each hop is searched for, from both ends at once, which
/// visits few nodes where distances are short; either way the answer is the same.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    /// Shared by all runs on it.
    joined: Arc<Neighbours>,
    /// Where the table of each receiver stands, plus one.
    known: Vec<u32>,
    tables: Vec<Box<[u32]>>,
    tables_max: usize,
    search: Search,
}

/// The most bytes that all tables take.
const TABLES_MAX: usize = 64 << 20;

/// The neighbours of each place, in order.
#[derive(Clone, Debug)]
pub(super) struct Neighbours {
    starts: Vec<u32>,
    list: Vec<u32>,
}

impl Neighbours {
    fn new(count: u32, edges: &[(u32, u32)]) -> Self {
        let mut ends: Vec<_> = edges.iter().flat_map(|&(one, other)| [(one, other), (other, one)]).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut starts = vec![0; count as usize + 1];
        ends.iter().for_each(|&(from, _)| starts[from as usize + 1] += 1);
        for place in 0..count as usize {
            starts[place + 1] += starts[place];
        }
        Self { starts, list: ends.into_iter().map(|(_, to)| to).collect() }
    }

    /// The neighbours of a place, the smallest first.
    pub(super) fn of(&self, place: u32) -> &[u32] {
        let place = place as usize;
        &self.list[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    pub(super) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Every place that can be reached from `root`, nearest first, with its neighbour on the way to the root: the
    /// smallest of those that are nearer.
    fn towards(&self, root: u32) -> (Vec<u32>, Box<[u32]>) {
        let mut next = vec![u32::MAX; self.count()].into_boxed_slice();
        let mut depth = vec![u32::MAX; self.count()];
        let mut found = Vec::with_capacity(self.count());
        found.push(root);
        (next[root as usize], depth[root as usize]) = (root, 0);
        let mut done = 0;
        while let Some(&place) = found.get(done) {
            done += 1;
            for &other in self.of(place) {
                if depth[other as usize] == u32::MAX {
                    depth[other as usize] = depth[place as usize] + 1;
                    found.push(other);
                }
                if depth[other as usize] == depth[place as usize] + 1 {
                    let best = &mut next[other as usize];
                    *best = place.min(*best);
                }
            }
        }
        (found, next)
    }
}

impl Graph {
    /// So many places, joined by `edges`.
    pub(super) fn new(count: u32, edges: &[(u32, u32)]) -> Self {
        let joined = Arc::new(Neighbours::new(count, edges));
        Self {
            joined,
            known: vec![0; count as usize],
            tables: Vec::new(),
            tables_max: TABLES_MAX,
            search: Search::default(),
        }
    }

    /// The pairs of places that are joined, each once.
    pub(super) fn edges(&self) -> impl Iterator<Item = (u32, u32)> {
        let of = |place: u32| self.joined.of(place).iter().map(move |&other| (place, other));
        (0..self.joined.count() as u32).flat_map(of).filter(|(one, other)| one < other)
    }

    /// A place that cannot be reached from the first one.
    pub(super) fn out_of_reach(&self) -> Option<u32> {
        if self.joined.count() == 0 {
            return None;
        }
        let (_, next) = self.joined.towards(0);
        next.iter().position(|&next| next == u32::MAX).map(|place| place as u32)
    }

    /// The neighbour of `from` on the shortest way to `to`, another place: the smallest, where there are several such ways.
    pub(super) fn next(&mut self, from: u32, to: u32) -> u32 {
        let known = self.known[to as usize] as usize;
        if known > 0 {
            return self.tables[known - 1][from as usize];
        }
        let bytes = self.joined.count() * size_of::<u32>();
        if (self.tables.len() + 1) * bytes > self.tables_max {
            return self.search.next(&self.joined, from, to);
        }
        let (_, table) = self.joined.towards(to);
        let next = table[from as usize];
        self.tables.push(table);
        self.known[to as usize] = self.tables.len() as u32;
        next
    }

    /// The same graph with other room for tables.
    #[cfg(test)]
    pub(super) fn with_room(self, tables_max: usize) -> Self {
        Self { tables_max, ..self }
    }
}
