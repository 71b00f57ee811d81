//! The queue on nexosim, in two forms: one model whose customers arrive by themselves (two events for each), and a
//! source that sends them to the station through an output port.

use std::collections::VecDeque;
use std::time::Duration;

use nexosim::model::{BuildContext, Context, Model, ProtoModel, schedulable};
use nexosim::ports::{Output, QuerySource};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rehearsal::base::distribution::Distribution;
use rehearsal::base::random::Uniform;
use serde::{Deserialize, Serialize};

use super::queue::{GAP, Run, SERVICE};

/// The times of one law, drawn one after the other.
struct Times {
    law: Distribution,
    luck: SmallRng,
}

impl Times {
    fn next(&mut self) -> Duration {
        let span = self.law.sample(Uniform::from_bits(self.luck.next_u64()));
        Duration::from_nanos(span.as_nanos().max(1))
    }
}

/// What the models draw.
struct Draws {
    gaps: Times,
    services: Times,
}

impl Draws {
    fn new(seed: u64) -> Self {
        let times = |mean, stream| Times {
            law: Distribution::exponential(mean).expect("the mean is above zero"),
            luck: SmallRng::seed_from_u64(2 * seed + stream),
        };
        Self { gaps: times(GAP, 0), services: times(SERVICE, 1) }
    }
}

/// A model with its draws, before it is built.
struct Drawing<M> {
    model: M,
    draws: Draws,
}

impl<M: Model<Env = Draws>> ProtoModel for Drawing<M> {
    type Model = M;

    fn build(self, _: &mut BuildContext<Self>) -> (M, Draws) {
        (self.model, self.draws)
    }
}

#[derive(Serialize, Deserialize)]
struct Source {
    to_come: u32,
    customer: Output<()>,
}

#[Model(type Env = Draws)]
impl Source {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>, draws: &mut Draws) {
        self.wait(cx, draws);
    }

    #[nexosim(schedulable)]
    async fn send(&mut self, _: (), cx: &Context<Self>, draws: &mut Draws) {
        self.customer.send(()).await;
        self.wait(cx, draws);
    }

    fn wait(&mut self, cx: &Context<Self>, draws: &mut Draws) {
        if self.to_come > 0 {
            self.to_come -= 1;
            cx.schedule_event(draws.gaps.next(), schedulable!(Self::send), ()).expect("the future");
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Station {
    /// Customers that arrive by themselves.
    to_come: u32,
    present: VecDeque<MonotonicTime>,
    served: u64,
    sojourn: Duration,
}

#[Model(type Env = Draws)]
impl Station {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>, draws: &mut Draws) {
        self.wait(cx, draws);
    }

    fn wait(&mut self, cx: &Context<Self>, draws: &mut Draws) {
        if self.to_come > 0 {
            self.to_come -= 1;
            cx.schedule_event(draws.gaps.next(), schedulable!(Self::come), ()).expect("the future");
        }
    }

    #[nexosim(schedulable)]
    fn come(&mut self, _: (), cx: &Context<Self>, draws: &mut Draws) {
        self.arrive((), cx, draws);
        self.wait(cx, draws);
    }

    fn arrive(&mut self, _: (), cx: &Context<Self>, draws: &mut Draws) {
        self.present.push_back(cx.time());
        if self.present.len() == 1 {
            self.serve(cx, draws);
        }
    }

    fn serve(&mut self, cx: &Context<Self>, draws: &mut Draws) {
        cx.schedule_event(draws.services.next(), schedulable!(Self::leave), ()).expect("the future");
    }

    #[nexosim(schedulable)]
    fn leave(&mut self, _: (), cx: &Context<Self>, draws: &mut Draws) {
        let arrived = self.present.pop_front().expect("somebody was served");
        self.served += 1;
        self.sojourn += cx.time().duration_since(arrived);
        if !self.present.is_empty() {
            self.serve(cx, draws);
        }
    }

    /// Customers served, and the sum of their sojourns.
    async fn book(&mut self) -> (u64, Duration) {
        (self.served, self.sojourn)
    }
}

/// Plays until so many customers are served.
pub fn play(customers: u32, one_model: bool) -> Run {
    let mut bench = SimInit::with_num_threads(1);
    let mailbox = Mailbox::new();
    let book = QuerySource::new().connect(Station::book, &mailbox).register(&mut bench);
    if !one_model {
        let mut source = Source { to_come: customers, customer: Output::default() };
        source.customer.connect(Station::arrive, &mailbox);
        bench = bench.add_model(Drawing { model: source, draws: Draws::new(1) }, Mailbox::new(), "source");
    }
    let station = Station { to_come: if one_model { customers } else { 0 }, ..Station::default() };
    bench = bench.add_model(Drawing { model: station, draws: Draws::new(2) }, mailbox, "station");
    let mut simulation = bench.init(MonotonicTime::EPOCH).expect("the models start");

    #[allow(clippy::disallowed_methods, reason = "a benchmark reads the wall clock")]
    let start = std::time::Instant::now();
    simulation.run().expect("it runs until nothing is left to do");
    let wall = start.elapsed();

    let (served, sojourn) = simulation.process_query(&book, ()).expect("the station answers");
    Run { customers: served, sojourn: sojourn.as_secs_f64() / served as f64, wall }
}
