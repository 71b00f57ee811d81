//! What groups pass over: records that are in the log, and that a group will not read any more.
//!
//! Only the leader knows which records those are, so it says so, when a consumer begins behind them. Nothing that it does depends on
//! that. Whether somebody has processed them, or still does, is for those to say who did.

use crate::model::caller::Cx;
use crate::process::{Loss, Observation};
use crate::protocol::log::fetch::PartAnswer;
use crate::protocol::log::ids::{Offset, TopicPartition};
use crate::protocol::log::partition::Isolation;

use super::super::Parcel;
use super::super::wire::FetchAsk;
use super::LogBroker;

/// There is no limit to what is looked at.
const ALL: crate::base::units::Bytes = crate::base::units::bytes(u64::MAX);

impl LogBroker {
    /// A consumer begins behind what its group has committed, which was perhaps not processed.
    pub(super) fn note_beginning(&mut self, cx: &mut Cx<'_>, ask: &FetchAsk) {
        for part in ask.parts.iter().filter(|part| ask.skips.begins.contains(&part.partition)) {
            self.pass_over(cx, (part.partition, ask.skips.place), part.from, ask.isolation, Loss::CommittedEarly);
        }
    }

    /// A consumer has no place to begin that is in the log: it goes to the end of what it may read.
    pub(super) fn note_reset(
        &mut self,
        cx: &mut Cx<'_>,
        place: u16,
        isolation: Isolation,
        parts: &[(TopicPartition, PartAnswer<Parcel>)],
    ) {
        for (partition, answer) in parts {
            if let Err(range) = answer {
                self.pass_over(cx, (*partition, place), range.end, isolation, Loss::Reset);
            }
        }
    }

    /// What lies before `until`, and was not passed over before, is not read any more by those to whom it is owed at a place.
    fn pass_over(
        &mut self,
        cx: &mut Cx<'_>,
        (partition, place): (TopicPartition, u16),
        until: Offset,
        isolation: Isolation,
        why: Loss,
    ) {
        let Some(replica) = self.replicas.get(partition).filter(|replica| replica.leader().is_some()) else { return };
        let passed = self.passed.entry((partition, place)).or_insert(Offset::ZERO);
        let from = replica.log.start().max(*passed);
        *passed = until.max(*passed);
        // What is not replicated yet is passed over as well. Aborted records are owed to nobody who reads committed ones.
        let isolation = match isolation {
            Isolation::ReadUncommitted => Isolation::LogEnd,
            other => other,
        };
        let Ok(found) = replica.log.fetch(from, ALL, isolation, true) else { return };
        for (_, record) in found.records(from).into_iter().take_while(|(offset, _)| *offset < until) {
            cx.observe(Observation::PassedOver { message: record.value.message, place, why });
        }
    }
}
