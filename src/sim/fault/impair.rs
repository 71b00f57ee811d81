//! The network between some nodes carries messages badly: the frame of all faults that strike messages one by one.

use std::sync::Arc;

use crate::base::random::Block;
use crate::network::Impact;
use crate::process::Message;
use crate::sim::control::Controls;

use super::path::Path;
use super::{Fault, FaultId};

/// What happens to messages, each on its own.
pub trait Impairment: Send + Sync + 'static {
    /// Adds to what happens to a message that has this luck; whether it makes a difference to it.
    fn impair(&self, luck: &Block, impact: &mut Impact) -> bool;
}

/// While it lasts, what happens on some path is worse than its links say. Of faults that overlap each adds its own: losses
/// are independent, delays add up.
#[derive(Clone, Debug)]
pub struct Impair<I> {
    on: Path,
    with: Arc<I>,
}

impl<I: Impairment> Impair<I> {
    /// This impairment, there.
    pub fn new(on: Path, with: I) -> Self {
        Self { on, with: Arc::new(with) }
    }
}

impl<M: Message, I: Impairment> Fault<M> for Impair<I> {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        let with: Arc<dyn Impairment> = Arc::clone(&self.with) as _;
        controls.impair(id, self.on.clone(), with);
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        controls.repair(id, &self.on);
    }
}
