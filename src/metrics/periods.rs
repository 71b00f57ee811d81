//! The instants at which some windows of time begin and end, so that what happened within each can be told exactly.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::time::Time;

/// Spans of time, one after the other, each from its first instant to before its second.
pub type Spans = Vec<(Time, Time)>;

/// Time cut where windows begin and end.
#[derive(Clone, Debug)]
pub struct Periods {
    /// Where pieces begin, but for the first, which begins with the run.
    edges: Vec<Time>,
    /// The kind of each piece: pieces within the same windows are of one kind.
    kinds: Vec<u32>,
}

impl Periods {
    /// Time cut by these windows; nothing if there are none.
    pub fn of(windows: &[Spans]) -> Option<Arc<Self>> {
        let ends = windows.iter().flatten().flat_map(|&(from, to)| [from, to]);
        let mut edges: Vec<_> = ends.filter(|edge| Time::ZERO < *edge && *edge < Time::MAX).collect();
        edges.sort_unstable();
        edges.dedup();
        let mut known = BTreeMap::new();
        let starts = std::iter::once(Time::ZERO).chain(edges.iter().copied());
        let kinds = starts.map(|start| {
            let within: Vec<_> = windows.iter().map(|spans| is_within(spans, start)).collect();
            let next = known.len() as u32;
            *known.entry(within).or_insert(next)
        });
        let kinds = kinds.collect();
        (!windows.is_empty()).then(|| Arc::new(Self { edges, kinds }))
    }

    /// The piece that a time lies in: from when to when, and its kind.
    pub(super) fn piece(&self, time: Time) -> (Time, Time, u32) {
        let piece = self.edges.partition_point(|edge| *edge <= time);
        let from = piece.checked_sub(1).map_or(Time::ZERO, |before| self.edges[before]);
        (from, self.edges.get(piece).copied().unwrap_or(Time::MAX), self.kinds[piece])
    }
}

/// Whether a time lies within one of these spans.
pub(super) fn is_within(spans: &[(Time, Time)], time: Time) -> bool {
    let begun = spans.partition_point(|(from, _)| *from <= time);
    begun.checked_sub(1).is_some_and(|last| time < spans[last].1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::secs;

    #[test]
    fn pieces_within_the_same_windows_are_of_one_kind() {
        let at = |seconds| Time::ZERO + secs(seconds);
        let during = vec![(at(2), at(3)), (at(5), at(6))];
        let periods = Periods::of(&[during, vec![(at(6), Time::MAX)]]).expect("there are windows");
        let kinds: Vec<_> = (0..8).map(|second| periods.piece(at(second)).2).collect();
        assert_eq!(kinds, [0, 0, 1, 0, 0, 1, 2, 2]);
        assert_eq!(periods.piece(at(4)), (at(3), at(5), 0));
        assert!(Periods::of(&[]).is_none());
    }
}
