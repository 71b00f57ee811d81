//! Nodes start anew.

use super::FaultEntry;

/// How it is explained. What it does is a [`Crash`](super::Crash) that heals at once.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "restart",
    summary: "nodes start anew",
    explanation: "A node goes down and comes up again at once, or after `for`: a process that is killed and restarted, an \
                  upgrade. It forgets what a crash forgets; what is sent to it meanwhile is lost, and what comes afterwards \
                  is for the new one. With `every` and `[any 1]` it is a rolling restart.",
    source: "crash-only software: Candea, Fox, HotOS 2003",
};
