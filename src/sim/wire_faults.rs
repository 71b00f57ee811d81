//! How the network is cut, impaired and held up, and how that ends.

use std::sync::Arc;

use crate::process::{Carriage, Message};

use super::cluster::Cluster;
use super::fault::{FaultId, Impairment, Path, Severed};

impl<M: Message> Cluster<M> {
    pub(super) fn sever(&mut self, id: FaultId, severed: Severed) {
        self.stage.run.health.sever(id, severed);
        self.watch_network();
    }

    pub(super) fn mend(&mut self, id: FaultId, severed: &Severed) {
        self.stage.run.health.mend(id, severed);
        self.watch_network();
    }

    pub(super) fn impair(&mut self, id: FaultId, on: Path, with: Arc<dyn Impairment>) {
        self.stage.run.weather.impair(id, on, with);
        self.watch_network();
    }

    pub(super) fn repair(&mut self, id: FaultId, on: &Path) {
        self.stage.run.weather.repair(id, on);
        self.watch_network();
    }

    pub(super) fn hold(&mut self, id: FaultId, on: Path) {
        self.stage.run.weather.hold(id, on);
        self.watch_network();
    }

    pub(super) fn release(&mut self, id: FaultId, on: &Path) {
        let waiting = self.stage.run.weather.release(id, on);
        self.watch_network();
        for message in waiting {
            let parcel = self.stage.run.carriage.unpack(message.parcel);
            self.stage.pass(message.passage, parcel);
        }
        self.stage.tell_notes();
    }

    /// Has every message judged at length while a fault may concern it.
    fn watch_network(&mut self) {
        let run = &self.stage.run;
        self.stage.network.watch(run.health.is_severed() || !run.weather.is_clear());
    }
}
