//! What a service remembers, and the disks that it needs for that.

use super::distribution::times;
use crate::base::distribution::Distribution;
use crate::base::probability::Probability;
use crate::base::time::Span;
use crate::model::State;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::schema::{self, Fsync, Service, Times};
use crate::sim::{Storage, Sync};

/// What becomes of a service's state in a crash.
pub(super) fn of(service: &Service) -> State {
    match service.state {
        None => State::Elsewhere,
        Some(schema::State::Volatile) => State::Volatile,
        Some(schema::State::Durable { fsync, .. }) => State::Durable { syncs_first: fsync == Fsync::Always },
    }
}

/// Whether a service writes to a disk.
pub(super) fn is_durable(service: &Service) -> bool {
    matches!(service.state, Some(schema::State::Durable { .. }))
}

/// The disks of a service, if it keeps its state there; what is wrong with them goes to `mistakes`.
pub(super) fn storage(service: &Service, mistakes: &mut Vec<Diagnostic>) -> Option<Storage> {
    let Some(schema::State::Durable { fsync, fsync_time, write_time, torn_writes }) = &service.state else {
        return None;
    };
    let mut law = |written: &Option<Times>| {
        let law = written.as_ref().map(times).unwrap_or_else(|| Ok(Distribution::constant(Span::ZERO)));
        law.map_err(|mistake| mistakes.push(mistake)).ok()
    };
    Some(Storage {
        write: law(write_time)?,
        sync: law(fsync_time)?,
        when: match fsync {
            Fsync::Always => Sync::Always,
            Fsync::Every(length) => Sync::Every(length.0),
            Fsync::Never => Sync::Never,
        },
        torn: torn_writes.map_or(Probability::ZERO, |share| share.value.0),
        capacity: None,
    })
}
