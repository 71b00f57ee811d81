//! What happens to a request at a node: for whoever asks where its time went.

use super::facts::facts;

facts! {
    /// What happens to a request at a node, until it is something else or over.
    Activity {
        /// It waits for a worker.
        Queued "queue",
        /// A worker works on it, or it has a share of the workers.
        Worked "work",
        /// Its program sleeps.
        Asleep "sleep",
        /// It waits for messages that were sent for it.
        Awaiting "await",
        /// It is written to disk, and nobody is told before that.
        Stored "disk",
    }
}
