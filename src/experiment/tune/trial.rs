//! A candidate while it races: what its runs have answered so far.

use std::sync::Arc;

use crate::base::random::mix;
use crate::scenario::Better;

use crate::experiment::judge::Judge;
use crate::experiment::record::Record;
use crate::experiment::sample::{CONFIDENCE, Moments, Sample};
use crate::experiment::verdict::Measured;
use crate::experiment::workshop::Setting;

use super::race::{FIRST, Reason};
use super::score;

/// A candidate, and what is known of it.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) setting: Arc<Setting>,
    pub(super) judge: Judge,
    pub(super) digest: u64,
    /// The round in which it was dropped, and why.
    pub(super) dropped: Option<(usize, Reason)>,
    better: Better,
    sample: Sample,
    /// Run by run, so that less is better.
    scores: Vec<f64>,
}

impl Trial {
    /// A candidate that was not played yet.
    pub(super) fn new(setting: Setting, better: Better) -> Self {
        let judge = Judge::new(&setting.plan.expectations);
        let setting = Arc::new(setting);
        Self { setting, judge, digest: 0, dropped: None, better, sample: Sample::default(), scores: Vec::new() }
    }

    /// Takes in the next run.
    pub(super) fn take(&mut self, record: &Record) {
        let Setting { plan, questions, .. } = &*self.setting;
        let (column, answer) = (&plan.columns[0], questions.columns[0]);
        let value = self.sample.add(&record.answers[answer], column.measure.statistic);
        self.scores.push(score(self.better, value));
        self.judge.take(questions.expectations.iter().map(|&answer| &record.answers[answer]));
        self.digest = mix(self.digest ^ record.digest);
    }

    pub(super) fn runs(&self) -> u32 {
        self.sample.runs()
    }

    /// What is to be best, of all runs together.
    pub(super) fn measured(&self) -> Measured {
        let measure = &self.setting.plan.columns[0].measure;
        Measured::of_sample(measure, &self.sample, CONFIDENCE)
    }

    /// The same, so that less is better.
    pub(super) fn score(&self) -> f64 {
        score(self.better, self.sample.value(self.setting.plan.columns[0].measure.statistic))
    }

    /// By how much its scores are above those of another in runs of the same index.
    pub(super) fn differences(&self, other: &Self) -> Moments {
        let pairs = self.scores.iter().zip(&other.scores);
        // Two that have no value are the same.
        pairs.map(|(own, other)| if own == other { 0.0 } else { own - other }).collect()
    }
}

/// Half an interval of the mean of differences. Pairs that all differ by the same are told apart, unless there are next to none.
pub(super) fn half_width(differences: &Moments, confidence: f64) -> Option<f64> {
    differences.half_width_at(confidence).filter(|half| *half > 0.0 || differences.count() >= FIRST)
}
