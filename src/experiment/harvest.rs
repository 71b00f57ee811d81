//! What is gathered while runs of one plan come in, each of which may be forgotten afterwards.

use crate::metrics::RunResult;
use crate::scenario::plan::Plan;

use super::Results;
use super::chain::Chain;
use super::enough::Enough;
use super::judge::Judge;
use super::record::{Questions, Record};
use super::theory::Beside;
use super::warmup::Cut;

/// What is known of the runs so far.
pub(super) struct Harvest<'a> {
    plan: &'a Plan,
    questions: Questions,
    judge: Judge,
    beside: Beside,
    enough: Option<Enough>,
    is_enough: bool,
    count: u32,
    chain: Chain,
    /// By fault: whether it has touched nothing so far.
    is_idle: Vec<bool>,
    kept: Vec<RunResult>,
}

impl<'a> Harvest<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            questions: Questions::of(plan),
            judge: Judge::new(&plan.expectations),
            beside: Beside::new(plan),
            enough: plan.enough.as_ref().map(Enough::new),
            is_enough: false,
            count: 0,
            chain: Chain::default(),
            is_idle: vec![true; plan.faults.len()],
            kept: Vec::new(),
        }
    }

    /// Takes in the next run, and keeps it if it is one of the first `keep`; whether enough is known.
    pub fn take(&mut self, run: RunResult, keep: usize) -> bool {
        let Record { answers, digest, .. } = self.questions.answer(&run);
        self.judge.take(self.questions.expectations.iter().map(|&expectation| &answers[expectation]));
        self.beside.take(&run, self.count == 0);
        if self.count == 0 {
            self.judge.take_batches(&run);
        }
        self.chain.add(digest);
        for (is_idle, fault) in self.is_idle.iter_mut().zip(&run.faults) {
            *is_idle &= fault.book.is_idle();
        }
        self.count += 1;
        if self.kept.len() < keep {
            self.kept.push(run);
        }
        let targets = self.questions.targets.iter().map(|&target| &answers[target]);
        self.is_enough = self.enough.as_mut().is_some_and(|enough| enough.take(targets));
        self.is_enough
    }

    /// What all runs together say.
    pub fn results(self, cut: Option<Cut>) -> Results {
        let Self { plan, .. } = self;
        let is_idle = self.is_idle.into_iter().map(|is_idle| is_idle && self.count > 0);
        let idle_faults: Vec<_> = plan
            .faults
            .iter()
            .zip(is_idle)
            .filter(|(_, is_idle)| *is_idle)
            .map(|(fault, _)| fault.name.clone())
            .collect();
        let idle = idle_faults.iter().map(|name| format!("fault `{name}` touched nothing"));
        let unsettled = cut.iter().flat_map(Cut::unsettled).map(|flow| {
            format!(
                "`{flow}` does not settle in the first half of the load: half is left out, and a longer run would say more"
            )
        });
        let is_missed = self.enough.is_some() && !self.is_enough;
        let missed = is_missed
            .then(|| format!("not all that is asked is known as well as it is asked after {} runs", self.count));
        let warnings = plan
            .warnings
            .iter()
            .map(|warning| warning.message.clone())
            .chain(idle)
            .chain(unsettled)
            .chain(missed)
            .collect();
        Results {
            title: plan.title.clone(),
            variant: plan.variant.clone(),
            seed: plan.seed,
            resolved: plan.resolved.clone(),
            count: self.count,
            digest: self.chain.digest(),
            judgements: self.judge.judgements(),
            theory: self.beside.theory(),
            system: plan.system.clone(),
            idle_faults,
            warnings,
            runs: self.kept,
            cut,
        }
    }
}
