//! A grid: messages go along the row, then along the column.

use std::num::NonZeroU32;

use super::TopologyEntry;

pub(super) const ENTRY: TopologyEntry = TopologyEntry {
    name: "grid",
    summary: "nodes in rows, each joined to those beside, above and below it",
    explanation: "The list is laid out row by row, `columns` nodes in each; the last row may be shorter. The \
                  distance is that of the rows plus that of the columns. Messages go along their row first, then \
                  along the column; past the end of a short last row they leave the row early, on a way of the \
                  same length.",
    source: "dimension-order routing in a mesh: Dally, Towles, Principles and Practices of Interconnection \
             Networks, chapter 8",
};

pub(super) fn edges(count: u32, columns: NonZeroU32) -> impl Iterator<Item = (u32, u32)> {
    (0..count).flat_map(move |place| {
        let right = (place + 1 < count && (place + 1) % columns != 0).then(|| (place, place + 1));
        let below = place.checked_add(columns.get()).filter(|&below| below < count).map(|below| (place, below));
        right.into_iter().chain(below)
    })
}

pub(super) fn next(count: u32, columns: NonZeroU32, from: u32, to: u32) -> u32 {
    let (column, wanted) = (from % columns, to % columns);
    if wanted < column {
        from - 1
    } else if wanted > column && from + 1 < count {
        from + 1
    } else if to > from {
        from + columns.get()
    } else {
        from - columns.get()
    }
}
