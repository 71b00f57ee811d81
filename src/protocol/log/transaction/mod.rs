//! Transactions: writes to many partitions, and offsets, that count together or not at all.
//!
//! The coordinator of a *transactional id* knows the producer's epoch and where the open transaction has written. A producer first asks
//! for an epoch, which fences all earlier ones of its id, and ends what they left open. Before it writes to a partition it adds that to
//! the transaction. At the end the coordinator decides (*prepare*), and then has a marker written to every partition; once all are
//! written the transaction is *complete*. Readers of committed records wait for markers.
//!
//! For exactly-once consume, process and produce, the offsets of what was consumed are committed within the transaction.
//!
//! Source: Apache Kafka 3.9, `TransactionCoordinator`, `TransactionMetadata`; KIP-98, KIP-447, KIP-360. An epoch for every
//! transaction (KIP-890, transactions version 2 of Kafka 4.0) is not built.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::ids::{GroupId, ProducerEpoch, ProducerId, TopicPartition};
use super::partition::Control;
use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, Time, secs};
use crate::settings;

settings! {
    /// How long a transaction may be open. What its producer leaves open holds up all readers of committed records until then.
    pub struct TransactionSettings = "transaction", "Apache Kafka 3.9 and 4.0, producer configuration" {
        /// A transaction that is open for so long is aborted (Kafka: 60 s).
        transaction_timeout: Span = secs(60),
    }
}

/// What can be said about transactions.
pub const TRANSACTION: Listing<TransactionSettings> = Listing::of::<TransactionSettings>();

impl Settings for TransactionSettings {}

/// Where a transaction is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionState {
    /// There was none in this epoch.
    Empty,
    /// It is open.
    Ongoing,
    /// It is to be committed: markers are being written.
    PrepareCommit,
    /// It is to be aborted: markers are being written.
    PrepareAbort,
    /// It is committed.
    CompleteCommit,
    /// It is aborted.
    CompleteAbort,
}

/// Why a producer is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionError {
    /// Markers are being written: try again (`CONCURRENT_TRANSACTIONS`).
    ConcurrentTransactions,
    /// A later incarnation has taken over (`PRODUCER_FENCED`).
    ProducerFenced,
    /// There is nothing to end, or it was ended the other way (`INVALID_TXN_STATE`).
    InvalidState,
}

/// What a transaction writes to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Target {
    /// A partition.
    Partition(TopicPartition),
    /// The offsets of a consumer group.
    Offsets(GroupId),
}

/// A marker that has to be written, until [`TransactionCoordinator::written`] says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marker {
    /// Whose.
    pub producer: ProducerId,
    /// In which incarnation; a later one than that of the transaction if its producer has been fenced.
    pub epoch: ProducerEpoch,
    /// How it ends.
    pub control: Control,
    /// Where it is written.
    pub target: Target,
}

/// The coordinator of one transactional id.
#[derive(Clone, Debug)]
pub struct TransactionCoordinator {
    settings: TransactionSettings,
    producer: ProducerId,
    /// None before the first producer has come.
    epoch: Option<ProducerEpoch>,
    state: TransactionState,
    began: Time,
    targets: BTreeSet<Target>,
}

impl TransactionCoordinator {
    /// A transactional id, with the producer id that belongs to it.
    pub fn new(producer: ProducerId, settings: &TransactionSettings) -> Self {
        Self {
            settings: settings.clone(),
            producer,
            epoch: None,
            state: TransactionState::Empty,
            began: Time::ZERO,
            targets: BTreeSet::new(),
        }
    }

    /// Where the transaction is.
    pub fn state(&self) -> TransactionState {
        self.state
    }

    /// A producer begins (`InitProducerId`): its id and epoch. Whatever is open is aborted first: then it has to ask again, and there are
    /// markers to be written ([`TransactionCoordinator::markers`]).
    ///
    /// # Errors
    /// [`TransactionError::ConcurrentTransactions`] while markers are being written.
    pub fn init(&mut self) -> Result<(ProducerId, ProducerEpoch), TransactionError> {
        match self.state {
            TransactionState::Ongoing => {
                self.fence();
                Err(TransactionError::ConcurrentTransactions)
            }
            TransactionState::PrepareCommit | TransactionState::PrepareAbort => {
                Err(TransactionError::ConcurrentTransactions)
            }
            _ => {
                let epoch = self.epoch.map_or(ProducerEpoch(0), ProducerEpoch::next);
                self.epoch = Some(epoch);
                self.state = TransactionState::Empty;
                Ok((self.producer, epoch))
            }
        }
    }

    /// The transaction is going to write here (`AddPartitionsToTxn`, `AddOffsetsToTxn`); it begins with the first.
    ///
    /// # Errors
    /// If the producer has been fenced, or the transaction before is being completed.
    pub fn add(
        &mut self,
        producer: (ProducerId, ProducerEpoch),
        targets: impl IntoIterator<Item = Target>,
        now: Time,
    ) -> Result<(), TransactionError> {
        self.check(producer)?;
        match self.state {
            TransactionState::PrepareCommit | TransactionState::PrepareAbort => {
                return Err(TransactionError::ConcurrentTransactions);
            }
            TransactionState::Ongoing => {}
            _ => {
                self.state = TransactionState::Ongoing;
                self.began = now;
            }
        }
        self.targets.extend(targets);
        Ok(())
    }

    /// The producer ends the transaction (`EndTxn`). From then on it is decided; the markers follow. Asking again for the same is no error.
    ///
    /// # Errors
    /// If the producer has been fenced, there is nothing to end, or it was ended the other way.
    pub fn end(&mut self, producer: (ProducerId, ProducerEpoch), control: Control) -> Result<(), TransactionError> {
        self.check(producer)?;
        match (self.state, control) {
            (TransactionState::Ongoing, _) => {
                self.prepare(control);
                Ok(())
            }
            (TransactionState::CompleteCommit, Control::Commit) | (TransactionState::CompleteAbort, Control::Abort) => {
                Ok(())
            }
            (TransactionState::PrepareCommit, Control::Commit) | (TransactionState::PrepareAbort, Control::Abort) => {
                Err(TransactionError::ConcurrentTransactions)
            }
            _ => Err(TransactionError::InvalidState),
        }
    }

    /// The markers that are not known to be written. Writing one twice does no harm.
    pub fn markers(&self) -> Vec<Marker> {
        let control = match self.state {
            TransactionState::PrepareCommit => Control::Commit,
            TransactionState::PrepareAbort => Control::Abort,
            _ => return Vec::new(),
        };
        let (producer, epoch) = (self.producer, self.epoch.unwrap_or_default());
        self.targets.iter().map(|&target| Marker { producer, epoch, control, target }).collect()
    }

    /// A marker is written; whether that was the last.
    pub fn written(&mut self, marker: Marker) -> bool {
        let complete = match self.state {
            TransactionState::PrepareCommit => TransactionState::CompleteCommit,
            TransactionState::PrepareAbort => TransactionState::CompleteAbort,
            _ => return false,
        };
        if Some(marker.epoch) != self.epoch || !self.targets.remove(&marker.target) || !self.targets.is_empty() {
            return false;
        }
        self.state = complete;
        true
    }

    /// Aborts what has been open for too long; whether it did. Its producer is fenced.
    pub fn tick(&mut self, now: Time) -> bool {
        let is_late = self.state == TransactionState::Ongoing && now >= self.began + self.settings.transaction_timeout;
        if is_late {
            self.fence();
        }
        is_late
    }

    /// When [`TransactionCoordinator::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Time> {
        let is_open = self.state == TransactionState::Ongoing;
        is_open.then(|| self.began + self.settings.transaction_timeout)
    }

    /// Aborts under an epoch of its own, so that what the producer still writes is refused once the marker is there.
    fn fence(&mut self) {
        self.epoch = self.epoch.map(ProducerEpoch::next);
        self.prepare(Control::Abort);
    }

    fn prepare(&mut self, control: Control) {
        self.state = match control {
            Control::Commit => TransactionState::PrepareCommit,
            Control::Abort => TransactionState::PrepareAbort,
        };
        if self.targets.is_empty() {
            self.state = match control {
                Control::Commit => TransactionState::CompleteCommit,
                Control::Abort => TransactionState::CompleteAbort,
            };
        }
    }

    fn check(&self, (producer, epoch): (ProducerId, ProducerEpoch)) -> Result<(), TransactionError> {
        if producer == self.producer && Some(epoch) == self.epoch {
            Ok(())
        } else {
            Err(TransactionError::ProducerFenced)
        }
    }
}
