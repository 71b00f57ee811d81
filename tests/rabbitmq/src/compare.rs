//! One sequence, played to both sides.

use std::time::Duration;

use tokio::time::Instant;

use crate::draw::Draw;
use crate::model::Model;
use crate::operation::Operation;
use crate::real::{Fault, Real};
use crate::topology::Topology;
use crate::view::{Count, View};

/// How far operations may lag behind their time when they are done, and half of it when they begin.
const LAG: Duration = Duration::from_millis(220);

/// Runs of a sequence that lagged behind, before it is given up.
const TRIES: u32 = 5;

/// What is played.
#[derive(Clone, Debug)]
pub struct Case {
    /// What there is.
    pub topology: Topology,
    /// What is done.
    pub operations: Vec<Operation>,
}

/// A difference.
#[derive(Debug)]
pub struct Difference {
    /// What was done, with what both saw of it: the last one differs.
    pub history: Vec<(Operation, u64, View)>,
    /// What RabbitMQ showed of the last one.
    pub real: View,
}

impl Case {
    /// That of a seed.
    pub fn of(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let topology = Topology::draw(&mut draw);
        let operations = Operation::draw_all(&mut draw, &topology);
        Self { topology, operations }
    }

    /// Plays it to both. How many operations there were if they agree, or where they do not.
    pub async fn play(&self, address: &str, prefix: &str) -> Result<Result<usize, Difference>, Fault> {
        for attempt in 0..TRIES {
            let prefix = format!("{prefix}-{attempt}-");
            match self.try_to_play(address, &prefix).await {
                Ok(Some(result)) => return Ok(result),
                // A channel that the broker closes may be used before it is known why.
                Err(fault) if attempt + 1 == TRIES => return Err(fault),
                Ok(None) | Err(_) => {}
            }
        }
        Ok(Ok(0))
    }

    /// As [`play`](Self::play); None if it lagged behind.
    async fn try_to_play(&self, address: &str, prefix: &str) -> Result<Option<Result<usize, Difference>>, Fault> {
        let mut model = Model::new(&self.topology);
        let declared = Instant::now();
        let mut real = Real::new(address, &self.topology, prefix).await?;
        let (begin, mut history) = (Instant::now(), vec![]);
        if self.topology.is_timed && begin > declared + LAG {
            real.end().await?;
            return Ok(None);
        }
        for operation in &self.operations {
            let Some(played) = model.play(operation) else { continue };
            let due = Duration::from_nanos(model.now().as_nanos());
            if self.topology.is_timed {
                tokio::time::sleep(due.saturating_sub(begin.elapsed())).await;
            }
            let is_late = |most: Duration| self.topology.is_timed && begin.elapsed() > due + most;
            let was_late = is_late(LAG / 2);
            let mut view = real.play(operation, played.tag, &played.view).await?;
            if was_late || is_late(LAG) {
                real.end().await?;
                return Ok(None);
            }
            for queue in 0..self.topology.queues.len() {
                if !model.has_queue(queue)
                    && matches!(operation, Operation::Wait { .. })
                    && !real.is_gone(queue).await?
                {
                    view.queues.insert(queue, Count { ready: 0, consumers: None });
                }
            }
            let is_same = view == played.view;
            history.push((operation.clone(), played.tag, played.view));
            if !is_same {
                real.end().await?;
                return Ok(Some(Err(Difference { history, real: view })));
            }
        }
        real.end().await?;
        Ok(Some(Ok(history.len())))
    }

    /// A shorter one that still differs: operations are taken out, many at a time at first, and then what is not needed of the
    /// topology.
    pub async fn shrink(mut self, address: &str, prefix: &str) -> Result<Self, Fault> {
        let mut number = 0;
        let mut chunk = self.operations.len() / 2;
        while chunk > 0 {
            let mut start = 0;
            while start < self.operations.len() {
                let mut shorter = self.clone();
                shorter.operations.drain(start..(start + chunk).min(self.operations.len()));
                number += 1;
                if shorter.play(address, &format!("{prefix}-s{number}")).await?.is_err() {
                    self = shorter;
                } else {
                    start += chunk;
                }
            }
            chunk /= 2;
        }
        Ok(self)
    }
}

impl Difference {
    /// Tells it to whoever has to find out why.
    pub fn tell(&self, topology: &Topology) -> String {
        let mut lines = vec![];
        for (index, queue) in topology.queues.iter().enumerate() {
            lines.push(format!("  queue {index}: {:?}, letters {:?}", queue.settings, queue.letters));
        }
        for (index, exchange) in (1..).zip(&topology.exchanges) {
            lines.push(format!("  exchange {index}: {exchange:?}"));
        }
        lines.push(format!("  consumers: {:?}", topology.consumers));
        for (operation, tag, view) in &self.history {
            lines.push(format!("  {operation:?} (tag {tag})"));
            lines.extend(view.lines().into_iter().map(|line| format!("      {line}")));
        }
        lines.push("  RabbitMQ showed of the last one:".to_owned());
        lines.extend(self.real.lines().into_iter().map(|line| format!("      {line}")));
        lines.join("\n")
    }
}
