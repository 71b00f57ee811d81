//! Faults that strike whoever leads a partition at that time.

use std::sync::{Arc, Mutex, PoisonError};

use crate::base::id::NodeId;
use crate::model::{Leaders, Letter};
use crate::sim::{Controls, Fault, FaultId};

/// Who leads a partition, or who follows there.
#[derive(Clone, Debug)]
pub(super) struct Led {
    /// Where its leader is shown.
    pub(super) slot: usize,
    /// The brokers that have it.
    pub(super) replicas: Vec<NodeId>,
    /// Whether those are meant that do not lead.
    pub(super) follows: bool,
}

/// A fault on those who lead, or follow, when it strikes: it heals where it has struck.
pub(super) struct AtLeaders<B> {
    led: Led,
    leaders: Leaders,
    blow: B,
    struck: Mutex<Option<Arc<dyn Fault<Letter>>>>,
}

impl<B: Fn(Vec<NodeId>) -> Arc<dyn Fault<Letter>>> AtLeaders<B> {
    pub(super) fn new(led: Led, leaders: &Leaders, blow: B) -> Self {
        Self { led, leaders: leaders.clone(), blow, struck: Mutex::new(None) }
    }

    fn nodes(&self) -> Vec<NodeId> {
        let leader = self.leaders.of(self.led.slot);
        let is_meant = |node: &&NodeId| (leader == Some(**node)) != self.led.follows;
        self.led.replicas.iter().filter(is_meant).copied().collect()
    }
}

impl<B: Fn(Vec<NodeId>) -> Arc<dyn Fault<Letter>> + Send + Sync + 'static> Fault<Letter> for AtLeaders<B> {
    fn strike(&self, controls: &mut Controls<'_, Letter>, id: FaultId) {
        let blow = (self.blow)(self.nodes());
        blow.strike(controls, id);
        *self.struck.lock().unwrap_or_else(PoisonError::into_inner) = Some(blow);
    }

    fn heal(&self, controls: &mut Controls<'_, Letter>, id: FaultId) {
        let struck = self.struck.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(blow) = struck {
            blow.heal(controls, id);
        }
    }
}
