//! What formulas say of a queue in the long run: a formula is a file, and a line of [`FORMULAS`].
//!
//! Times are seconds here and rates per second; quantities of the scenario's grammar are made of them in one place, where the queues of
//! nodes that differ are put together.

mod birth_death;
mod bounds;
mod erlang_b;
mod gi_m_1;
mod m_d_1_k;
mod m_g_1;
mod m_g_inf;
mod m_m_c;
mod m_m_c_k;
mod machine_repair;
mod power_of_d;
mod sharing;

use crate::base::distribution::Distribution;

use super::Relation;

/// All formulas: the first that applies speaks, so the more special ones stand first.
pub(super) static FORMULAS: [&Formula; 11] = [
    &m_g_inf::FORMULA,
    &sharing::FORMULA,
    &erlang_b::FORMULA,
    &m_m_c_k::FORMULA,
    &m_d_1_k::FORMULA,
    &m_m_c::FORMULA,
    &m_g_1::FORMULA,
    &gi_m_1::FORMULA,
    &power_of_d::FORMULA,
    &machine_repair::FORMULA,
    &bounds::FORMULA,
];

/// A formula.
pub(super) struct Formula {
    /// Where it was published.
    pub source: &'static str,
    /// What it says of a queue, if it applies to it.
    pub steady: fn(&Case) -> Option<Steady>,
}

/// A queue as formulas see it: one node's, or that of each of many alike.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Case {
    pub load: Load,
    pub work: Work,
    /// As many as there are requests, if there is no number.
    pub workers: Option<u32>,
    /// How many may be present; all if there is no number.
    pub places: Option<u32>,
    /// Whether the workers are shared by all that are present.
    pub is_shared: bool,
    /// Whether turns are taken in the order of arrival. Otherwise they are taken in one that does not look at the work.
    pub is_fifo: bool,
}

/// Who comes.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Load {
    /// Requests at a node, whatever became of the earlier ones.
    Open { rate: f64, gaps: Gaps },
    /// Requests to a group of so many nodes, `rate` for each, of which each goes to the shortest of `choices` queues.
    Pool { rate: f64, choices: u32, nodes: u32 },
    /// Users, each of whom asks again when it has been answered, after a time elsewhere: thought, and on the way.
    Closed { users: u32, elsewhere: f64, nodes: u32 },
}

/// The gaps between requests.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Gaps {
    /// Exponential: requests are a Poisson process.
    Poisson,
    /// As sums of so many exponential phases.
    Gamma(f64),
    /// All the same.
    Even,
}

/// What a request takes of a worker.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Work {
    pub mean: f64,
    pub second_moment: f64,
    pub kind: Kind,
    /// The law and the speed of the node, where it is the same for all.
    pub law: Option<(Distribution, f64)>,
}

/// Which laws formulas tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Exponential,
    Constant,
    Other,
}

/// What is known of a queue in the long run: of each node, what is not known being left out.
#[derive(Default)]
pub(super) struct Steady {
    pub name: String,
    pub relation: Relation,
    /// Workers at work.
    pub busy: Option<f64>,
    /// The share of requests that wait.
    pub waits: Option<f64>,
    /// The mean wait of those that are served.
    pub wait: Option<f64>,
    /// How many wait.
    pub waiting: Option<f64>,
    /// How many are present.
    pub present: Option<f64>,
    /// The mean time from arrival to the end.
    pub residence: Option<f64>,
    /// The share of requests that stay for longer than a time.
    pub longer: Option<Box<dyn Fn(f64) -> f64>>,
    /// The share that finds no room.
    pub loss: Option<f64>,
    /// How many are served, per second and group of all nodes.
    pub served: Option<f64>,
    pub note: Option<String>,
}

impl Case {
    /// The rate of Poisson arrivals, if they are.
    fn poisson(&self) -> Option<f64> {
        match self.load {
            Load::Open { rate, gaps: Gaps::Poisson } => Some(rate),
            _ => None,
        }
    }

    fn is_exponential(&self) -> bool {
        self.work.kind == Kind::Exponential
    }

    /// How many requests come to a node per second; nothing of users, whom all nodes share.
    pub fn rate(&self) -> f64 {
        match self.load {
            Load::Open { rate, .. } | Load::Pool { rate, .. } => rate,
            Load::Closed { .. } => 0.0,
        }
    }

    /// How much work comes to a worker, as a share of what it can do; nothing where there is no end of workers.
    pub fn utilisation(&self) -> Option<f64> {
        let (Load::Open { rate, .. } | Load::Pool { rate, .. }) = self.load else { return None };
        Some(rate * self.work.mean / f64::from(self.workers?))
    }

    /// How long it takes to forget how it began: the relaxation time of M/M/c, 1 / (√(cμ) − √λ)² (Kleinrock, Queueing Systems II,
    /// 1976, section 2.7), longer as gaps and work vary more.
    pub fn relaxation(&self) -> Option<f64> {
        let (Load::Open { rate, .. } | Load::Pool { rate, .. }) = self.load else { return None };
        let (workers, mean) = (f64::from(self.workers?), self.work.mean);
        if self.places.is_some() || mean <= 0.0 {
            return None;
        }
        let root = libm::sqrt(workers / mean) - libm::sqrt(rate);
        let of_gaps = match self.load {
            Load::Open { gaps: Gaps::Even, .. } => 0.0,
            Load::Open { gaps: Gaps::Gamma(shape), .. } => 1.0 / shape,
            _ => 1.0,
        };
        let of_work = self.work.second_moment / (mean * mean) - 1.0;
        let spread = (of_gaps + of_work) / 2.0;
        (root > 0.0).then(|| spread.max(1.0) / (root * root))
    }

    /// In Kendall's notation: who comes, the work, the workers, the places.
    fn named(&self, gaps: &str, work: &str) -> String {
        let workers = self.workers.map_or_else(|| "∞".into(), |workers| workers.to_string());
        let places = self.places.map(|places| format!("/{places}")).unwrap_or_default();
        format!("{gaps}/{work}/{workers}{places}")
    }

    /// The letter of the law of work.
    pub fn work_letter(&self) -> &'static str {
        match self.work.kind {
            Kind::Exponential => "M",
            Kind::Constant => "D",
            Kind::Other => "G",
        }
    }
}

/// Some queues in which every number has a value that is known from elsewhere.
#[cfg(test)]
mod testing {
    use super::*;

    /// One worker, so much room as is needed, Poisson arrivals.
    pub fn open(rate: f64, work: Work) -> Case {
        let load = Load::Open { rate, gaps: Gaps::Poisson };
        Case { load, work, workers: Some(1), places: None, is_shared: false, is_fifo: true }
    }

    pub fn exponential(mean: f64) -> Work {
        Work { mean, second_moment: 2.0 * mean * mean, kind: Kind::Exponential, law: None }
    }

    pub fn constant(mean: f64) -> Work {
        Work { mean, second_moment: mean * mean, kind: Kind::Constant, law: None }
    }

    /// What the registry says, and that it is this formula.
    pub fn said(case: &Case, name: &str) -> Steady {
        let steady = FORMULAS.iter().find_map(|formula| (formula.steady)(case)).expect("a formula applies");
        assert_eq!(steady.name, name);
        steady
    }

    pub fn close(found: Option<f64>, expected: f64) {
        let found = found.expect("it is known");
        assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{found} instead of {expected}");
    }

    #[test]
    fn where_nothing_applies_nothing_is_said() {
        let other = Work { kind: Kind::Other, ..exponential(1.0) };
        let case = Case { workers: Some(2), ..open(1.0, other) };
        assert!(FORMULAS.iter().all(|formula| (formula.steady)(&case).is_none()));
    }
}
