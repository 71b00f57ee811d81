//! What producers send, and the ends of transactions: they are written, and answered once they are replicated.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::process::{Observation, TopicFact};
use crate::protocol::log::ids::TopicPartition;
use crate::protocol::log::partition::{AppendError, Batch, NewBatch};
use crate::protocol::log::producer::accumulator::BatchId;
use crate::protocol::log::producer::sender::BatchAnswer;
use crate::protocol::log::replica::{Answer, ReplicaError};
use crate::protocol::log::transaction::Marker;

use super::super::Parcel;
use super::super::wire::Body;
use super::{LogBroker, at};

/// Somebody who waits until something is replicated.
#[derive(Debug)]
pub(super) struct Request {
    from: NodeId,
    answer: Pending,
}

#[derive(Debug)]
enum Pending {
    Produced { request: u64, answers: Vec<(BatchId, BatchAnswer)>, left: usize },
    Marked(Marker),
}

impl LogBroker {
    /// A producer's batches.
    pub(super) fn produce(
        &mut self,
        cx: &mut Cx<'_>,
        from: NodeId,
        request: u64,
        batches: Vec<(TopicPartition, BatchId, NewBatch<Parcel>)>,
    ) {
        let (own, now) = (self.next_request, time(cx.now()));
        self.next_request += 1;
        let (mut answers, mut left, mut is_asked) = (Vec::new(), 0, false);
        let mut grown = BTreeSet::new();
        for (partition, id, batch) in batches {
            let (count, topic) = (batch.records.len() as u32, self.spec.topic(partition).number);
            let Some(place) = self.replicas.place(partition) else {
                answers.push((id, BatchAnswer::Retriable));
                continue;
            };
            let produced = self.replicas.all[place].replica.produce(batch, now);
            let fact = match &produced {
                Ok(produced) if produced.appended.is_duplicate => Some(TopicFact::Deduplicated),
                Ok(_) => Some(TopicFact::Appended),
                Err(ReplicaError::NotEnoughReplicas) => Some(TopicFact::NotEnoughReplicas),
                Err(_) => None,
            };
            if let Some(fact) = fact {
                cx.observe(Observation::Logged { topic, fact, count });
            }
            match produced {
                Ok(produced) => {
                    if !produced.appended.is_duplicate {
                        self.write_last(cx, place);
                        grown.insert(partition);
                    }
                    match produced.answer {
                        Answer::Never => {}
                        Answer::Now => answers.push((id, BatchAnswer::Written(produced.appended.base))),
                        Answer::Replicated(last) => {
                            left += 1;
                            self.waiting.insert((partition, last, own), (id, produced.appended.base));
                            grown.insert(partition);
                        }
                    }
                    is_asked |= produced.answer != Answer::Never;
                }
                Err(error) => {
                    is_asked = true;
                    answers.push((id, refusal(error)));
                }
            }
        }
        if left > 0 {
            let answer = Pending::Produced { request, answers, left };
            self.requests.insert(own, Request { from, answer });
        } else if is_asked {
            self.say(cx, from, Body::Produced { request, answers }, 0);
        }
        grown.into_iter().for_each(|partition| self.moved(cx, partition));
    }

    /// Puts the last batch of a partition on disk.
    fn write_last(&mut self, cx: &mut Cx<'_>, place: usize) {
        let last: Option<Arc<Batch<Parcel>>> = self.replicas.all[place].replica.log.batches().next_back().cloned();
        if let Some(batch) = last {
            let at = at(&self.spec, place, self.replicas.all[place].partition);
            self.tape.write(cx, &at, &batch);
        }
    }

    /// The end of a transaction is written to a partition.
    pub(super) fn mark(&mut self, cx: &mut Cx<'_>, from: NodeId, marker: Marker, partition: TopicPartition) {
        let (own, now) = (self.next_request, time(cx.now()));
        self.next_request += 1;
        let Some(place) = self.replicas.place(partition) else { return };
        let replica = &mut self.replicas.all[place].replica;
        let Some(leader) = replica.leader().filter(|leader| leader.has_enough()) else { return };
        let epoch = leader.epoch();
        match replica.log.append_marker((marker.producer, marker.epoch), marker.control, epoch, now) {
            Ok(offset) => {
                self.requests.insert(own, Request { from, answer: Pending::Marked(marker) });
                self.waiting.insert((partition, offset, own), (BatchId(0), offset));
                self.write_last(cx, place);
                // Alone in sync, it is replicated at once.
                self.replicas.all[place].replica.advance(now);
                self.moved(cx, partition);
            }
            // A later one is there.
            Err(_) => self.say(cx, from, Body::Marked { marker }, 0),
        }
    }

    /// What somebody waited for is replicated, or never will be.
    pub(super) fn replicated(&mut self, cx: &mut Cx<'_>, request: u64, batch: BatchId, answer: BatchAnswer) {
        let Some(waits) = self.requests.get_mut(&request) else { return };
        if let Pending::Produced { answers, left, .. } = &mut waits.answer {
            answers.push((batch, answer));
            *left -= 1;
            if *left > 0 {
                return;
            }
        }
        let Some(Request { from, answer: pending }) = self.requests.remove(&request) else { return };
        match pending {
            Pending::Produced { request, answers, .. } => self.say(cx, from, Body::Produced { request, answers }, 0),
            // One that is not replicated is asked for again.
            Pending::Marked(marker) => {
                if let BatchAnswer::Written(_) = answer {
                    self.say(cx, from, Body::Marked { marker }, 0);
                }
            }
        }
    }
}

/// What a producer is told.
fn refusal(error: ReplicaError) -> BatchAnswer {
    match error {
        ReplicaError::Append(AppendError::OutOfOrderSequence) => BatchAnswer::OutOfOrderSequence,
        ReplicaError::Append(_) => BatchAnswer::Fatal,
        _ => BatchAnswer::Retriable,
    }
}
