//! Reading topics: a service whose requests are records.

use crate::base::id::NodeId;
use crate::model::caller::nested_luck;
use crate::model::envelope::{Envelope, Kind};
use crate::model::log::{Bulk, LogAlarm, Producers, Reader, Turn};
use crate::process::{Boot, Observation, Outcome};

use super::{Cx, Service, ServiceSpec};

/// What a node reads.
#[derive(Debug)]
pub(super) struct Reading {
    reader: Reader,
    /// The kind of its deliveries.
    call: u16,
    /// How many there were.
    delivered: u32,
}

impl Reading {
    /// That of a new node, if it reads anything.
    pub(super) fn of(spec: &ServiceSpec, boot: &Boot<'_>) -> Option<Box<Self>> {
        let (call, reader) = spec.reads.as_ref()?;
        let reader = Reader::new(reader, boot.index, boot.restarts);
        Some(Box::new(Self { reader, call: *call, delivered: boot.restarts << 24 }))
    }
}

impl Service {
    fn reading(&mut self) -> Option<&mut Reading> {
        self.extras.as_mut()?.reading.as_deref_mut()
    }

    /// Asks the reader, if there is one, and processes what it has.
    fn with_reader(&mut self, cx: &mut Cx<'_>, ask: impl FnOnce(&mut Reader, &mut Cx<'_>, &mut Producers) -> Turn) {
        let Some(reading) = self.extras.as_mut().and_then(|extras| extras.reading.as_deref_mut()) else { return };
        let turn = ask(&mut reading.reader, cx, self.caller.producers());
        self.process(cx, turn);
    }

    /// It comes up, and begins to read where it does.
    #[cold]
    pub(super) fn begin_to_read(&mut self, cx: &mut Cx<'_>) {
        self.with_reader(cx, |reader, cx, producers| reader.woken(cx, producers));
    }

    /// Brokers of topics say something.
    #[cold]
    pub(super) fn read(&mut self, cx: &mut Cx<'_>, from: NodeId, bulk: Bulk) {
        for ended in self.caller.told(&self.script, cx, from, &bulk) {
            self.resume(cx, Some(ended));
        }
        self.hear_of_records(cx);
        self.with_reader(cx, |reader, cx, producers| reader.heard(cx, from, bulk.into_body(), producers));
        self.show(cx);
    }

    /// The connection to a node is broken.
    #[cold]
    pub(super) fn note_disconnection(&mut self, cx: &mut Cx<'_>, peer: NodeId) {
        self.with_reader(cx, |reader, cx, producers| reader.disconnected(cx, peer, producers));
    }

    /// Something is due that has to do with topics.
    #[cold]
    pub(super) fn look_at_topics(&mut self, cx: &mut Cx<'_>, alarm: LogAlarm) {
        if let LogAlarm::Producer(producer) = alarm {
            for ended in self.caller.produce(&self.script, cx, producer) {
                self.resume(cx, Some(ended));
            }
            self.hear_of_records(cx);
            // The end of a transaction may have waited for that.
            self.with_reader(cx, |reader, cx, producers| reader.go_on(cx, producers));
        } else {
            self.begin_to_read(cx);
        }
    }

    /// Processes what a poll has returned: each record is one more copy of its message.
    fn process(&mut self, cx: &mut Cx<'_>, turn: Turn) {
        let attempt = turn.attempt + 1;
        for parcel in turn.records {
            let Some(reading) = self.reading() else { return };
            let (call, number) = (reading.call, reading.delivered);
            reading.delivered = number.wrapping_add(1);
            let luck = nested_luck(parcel.luck, attempt - 1, self.script.calls[usize::from(call)].name);
            let mut envelope =
                Envelope::new(Kind::Delivery { settled: true, asks: false }, luck, number, call, attempt);
            envelope.name_subject(parcel.message);
            cx.observe(Observation::Duplicated { message: parcel.message });
            self.arrive(cx, cx.me, envelope);
        }
    }

    /// A record is processed, well or not.
    pub(super) fn note_processed(&mut self, cx: &mut Cx<'_>, outcome: Outcome) {
        if let Some(reading) = self.reading()
            && reading.reader.processed(outcome == Outcome::Done)
        {
            reading.reader.wake(cx);
        }
    }
}
