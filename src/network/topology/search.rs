//! One hop, searched for from both ends.

use super::graph::Neighbours;

/// The memory of a search: eight bytes a node for each end, used again by the next one.
#[derive(Clone, Default, Debug)]
pub(super) struct Search {
    /// The number of this search: marks of others mean nothing.
    epoch: u32,
    ahead: Side,
    back: Side,
}

/// What was found from one end.
#[derive(Clone, Default, Debug)]
struct Side {
    /// By place: the search that found it, and the distance then.
    marks: Vec<(u32, u32)>,
    /// The farthest places so far.
    rim: Vec<u32>,
    distance: u32,
}

impl Side {
    fn begin(&mut self, count: usize, epoch: u32, from: u32) {
        if self.marks.len() != count || epoch == 1 {
            self.marks.clear();
            self.marks.resize(count, (0, 0));
        }
        self.rim.clear();
        self.rim.push(from);
        self.distance = 0;
        self.marks[from as usize] = (epoch, 0);
    }

    fn has(&self, epoch: u32, place: u32) -> bool {
        self.marks[place as usize].0 == epoch
    }

    /// One hop farther.
    fn widen(&mut self, joined: &Neighbours, epoch: u32) {
        self.distance += 1;
        let mut rim = Vec::new();
        for &place in &self.rim {
            for &other in joined.of(place) {
                if !self.has(epoch, other) {
                    self.marks[other as usize] = (epoch, self.distance);
                    rim.push(other);
                }
            }
        }
        self.rim = rim;
    }

    /// Of those one hop nearer to this end than `places`, all that a shortest way to `places` goes through. Each once.
    fn before(&mut self, joined: &Neighbours, epoch: u32, distance: u32, places: &[u32]) -> Vec<u32> {
        let mut nearer = Vec::new();
        for &place in places {
            for &other in joined.of(place) {
                let mark = &mut self.marks[other as usize];
                if *mark == (epoch, distance - 1) {
                    // Taken: it is not met again.
                    *mark = (epoch, u32::MAX);
                    nearer.push(other);
                }
            }
        }
        nearer
    }
}

impl Search {
    /// The smallest neighbour of `from` on a shortest way to `to`, another place that can be reached.
    pub(super) fn next(&mut self, joined: &Neighbours, from: u32, to: u32) -> u32 {
        self.epoch = self.epoch.checked_add(1).unwrap_or(1);
        let Self { epoch, ahead, back } = self;
        ahead.begin(joined.count(), *epoch, from);
        back.begin(joined.count(), *epoch, to);
        // Every shortest way crosses the rim ahead, once, where the two sides first meet.
        ahead.widen(joined, *epoch);
        let mut met = meeting(ahead, back, *epoch);
        while met.is_empty() {
            let (side, other) =
                if back.rim.len() <= ahead.rim.len() { (&mut *back, &*ahead) } else { (&mut *ahead, &*back) };
            side.widen(joined, *epoch);
            assert!(!side.rim.is_empty(), "every place can be reached");
            met = meeting(side, other, *epoch);
        }
        for distance in (2..=ahead.distance).rev() {
            met = ahead.before(joined, *epoch, distance, &met);
        }
        met.into_iter().min().expect("two sides that met have a way between them")
    }
}

/// Where the rim of one side touches the other.
fn meeting(side: &Side, other: &Side, epoch: u32) -> Vec<u32> {
    side.rim.iter().copied().filter(|&place| other.has(epoch, place)).collect()
}
