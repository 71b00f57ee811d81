//! A tuning in words, and as CSV, JSON and TOML.

use crate::experiment::{Behind, Candidate, Reason, Tuning, Unit, Verdict};
use crate::scenario::Better;

use super::metric::Value;
use super::study;
use super::style::{Role, Style, clean};
use super::summary::field;
use super::sweep::{short, suffix, with_interval};
use super::text::columns;
use super::{File, VERSION, verdict_name};

/// Candidates that are printed, at the most: the files have them all.
const SHOWN: usize = 20;

/// Everything that can be said about a tuning.
#[derive(Clone, Debug)]
pub struct TuneReport<'a> {
    /// The tuning.
    pub tuning: &'a Tuning,
    /// How the best setting is written in a scenario.
    pub toml: String,
    /// How it is said on the command line.
    pub flags: Vec<String>,
}

impl TuneReport<'_> {
    /// The best setting, what is as good, all that was tried, and how it narrowed.
    pub fn text(&self, style: Style) -> String {
        let Self { tuning, toml, flags } = self;
        let best = tuning.winner();
        let variant =
            tuning.variant.as_ref().map(|variant| format!("  variant {}", clean(variant, 24))).unwrap_or_default();
        let subject: Vec<_> = best
            .judgements
            .iter()
            .map(|judgement| format!("{} {}", clean(&judgement.quantity, 60), clean(&judgement.condition, 40)))
            .collect();
        let subject = if subject.is_empty() { String::new() } else { format!("  subject to {}", subject.join(", ")) };
        let aim = format!("{} {}", self.verb(), clean(&tuning.objective, 60));
        let mut lines = vec![
            format!("{}{}", style.paint(Role::Title, &clean(&tuning.title, 80)), style.paint(Role::Quiet, &variant)),
            style.paint(Role::Quiet, &format!("{aim}{subject}; intervals are 95 %")),
            String::new(),
        ];
        lines.push(match best.verdict() {
            Verdict::Fail => style.paint(Role::Bad, &format!("Nothing keeps to all conditions: {}", self.nearness())),
            _ => style.paint(Role::Heading, "Best"),
        });
        lines.extend(self.measured(best, style));
        lines.push(String::new());
        lines.extend(toml.lines().map(|line| format!("  {}", clean(line, 200))));
        lines.push(String::new());
        lines.push(style.paint(Role::Quiet, &format!("  {}", clean(&flags.join(" "), 1_000))));
        lines.push(String::new());
        lines.push(self.others());
        lines.push(String::new());
        lines.push(style.paint(Role::Heading, "Tried"));
        lines.extend(self.rows(style));
        if tuning.candidates.len() > SHOWN {
            let more = format!("  … {} more; `-o DIR` writes them all", tuning.candidates.len() - SHOWN);
            lines.push(style.paint(Role::Quiet, &more));
        }
        lines.push(String::new());
        lines.push(format!("{}  {}", style.paint(Role::Heading, "Race"), self.race()));
        lines.push(String::new());
        lines.push(style.paint(Role::Quiet, &format!("seed {} · v{VERSION}", tuning.seed)));
        let mut text = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
        text.push('\n');
        style.charset.write(text)
    }

    fn verb(&self) -> &'static str {
        if self.tuning.better == Better::Lower { "minimise" } else { "maximise" }
    }

    /// What is to be best, and what had to hold.
    fn measured(&self, best: &Candidate, style: Style) -> Vec<String> {
        let own = vec![String::new(), clean(&self.tuning.objective, 60), with_interval(&best.value), String::new()];
        let judged = best.judgements.iter().map(|judgement| {
            let mark = match judgement.verdict {
                Verdict::Pass => "✓",
                Verdict::Fail => "✗",
                Verdict::Inconclusive => "?",
            };
            let note = judgement.note.iter().map(|note| format!("  {}", clean(note, 80))).collect::<String>();
            let condition = format!("{}{note}", clean(&judgement.condition, 40));
            vec![mark.into(), clean(&judgement.quantity, 60), with_interval(&judgement.measured), condition]
        });
        let rows: Vec<Vec<String>> = std::iter::once(own).chain(judged).collect();
        let mark = |line: String| {
            let roles = [('✓', Role::Good), ('✗', Role::Bad), ('?', Role::Unsure)];
            let found = roles.into_iter().find(|(mark, _)| line.trim_start().starts_with(*mark));
            found.map_or(line.clone(), |(mark, role)| line.replacen(mark, &style.paint(role, &mark.to_string()), 1))
        };
        columns(&rows).into_iter().map(mark).collect()
    }

    /// How many others miss the conditions by less than the best one, and how many by as much.
    fn as_near(&self) -> (usize, usize) {
        let Self { tuning, .. } = self;
        let others = tuning.candidates.iter().enumerate().filter(|(place, _)| *place != tuning.best);
        let misses: Vec<f64> = others.map(|(_, other)| other.miss).collect();
        let own = tuning.winner().miss;
        let count = |is_meant: &dyn Fn(f64) -> bool| misses.iter().filter(|miss| is_meant(**miss)).count();
        (count(&|miss| miss < own), count(&|miss| miss == own))
    }

    fn nearness(&self) -> &'static str {
        match self.as_near() {
            (0, 0) => "this is nearest",
            (0, _) => "none is nearer than this",
            _ => "of those that stayed longest this is nearest",
        }
    }

    /// Whether others are as good, as far as is known.
    fn others(&self) -> String {
        let Self { tuning, .. } = self;
        if tuning.winner().verdict() == Verdict::Fail {
            return match self.as_near() {
                (0, 0) => "  The values of all others are further from what they have to be.".into(),
                (0, 1) => "  The values of one other are as far from what they have to be.".into(),
                (0, count) => format!("  The values of {count} others are as far from what they have to be."),
                (1, _) => "  One other was nearer, in fewer runs, when it was dropped.".into(),
                (count, _) => format!("  {count} others were nearer, in fewer runs, when they were dropped."),
            };
        }
        let count = |is_meant: &dyn Fn(&Candidate) -> bool| tuning.finalists().filter(|other| is_meant(other)).count();
        let unsure = count(&|other| is_better(tuning.better, other));
        let untested = count(&is_untested);
        let mut text = match count(&is_as_good) {
            0 if unsure + untested > 0 => "  No other is known to be as good.".to_owned(),
            0 => "  The others that stayed to the end are surely worse or break a condition.".to_owned(),
            1 => "  One other is as good within the noise.".to_owned(),
            count => format!("  {count} others are as good within the noise."),
        };
        if tuning.winner().runs < 2 {
            return "  One run of each tells nothing of chance.".into();
        }
        if tuning.finalists().count() == 0 {
            text =
                "  No other is left: each was surely worse, surely broke a condition, or was in the worse half.".into();
        }
        if unsure > 0 {
            text.push_str(&format!(
                " {unsure} may be better, but whether {} keep{} to all conditions is not sure.",
                if unsure == 1 { "it" } else { "they" },
                if unsure == 1 { "s" } else { "" },
            ));
        }
        if untested > 0 {
            let (they, have) = if untested == 1 { ("other", "has") } else { ("others", "have") };
            text.push_str(&format!(" {untested} {they} {have} too few runs with a value to be compared."));
        }
        text
    }

    fn rows(&self, style: Style) -> Vec<String> {
        let Self { tuning, .. } = self;
        let all: Vec<_> = tuning.factors.iter().map(|factor| factor.path.as_str()).collect();
        let paths = all.iter().map(|path| short(path, &all));
        let quantities = tuning.winner().judgements.iter().map(|judgement| clean(&judgement.quantity, 40));
        let header = paths.chain(["runs".to_owned(), clean(&tuning.objective, 40)]).chain(quantities);
        let row = |place: usize| {
            let candidate = &tuning.candidates[place];
            let labels = candidate.labels.iter().map(|label| clean(label, 40));
            let judged = candidate.judgements.iter().map(|judgement| with_interval(&judgement.measured));
            let known = [candidate.runs.to_string(), with_interval(&candidate.value)];
            labels.chain(known).chain(judged).chain([self.fate(place)]).collect()
        };
        let header: Vec<String> = header.chain([String::new()]).collect();
        let ranking = tuning.ranking();
        let rows: Vec<Vec<String>> = std::iter::once(header).chain(ranking.into_iter().take(SHOWN).map(row)).collect();
        let mut lines = columns(&rows);
        lines[0] = style.paint(Role::Quiet, &lines[0]);
        lines
    }

    /// What has become of a candidate.
    fn fate(&self, place: usize) -> String {
        let Self { tuning, .. } = self;
        let candidate = &tuning.candidates[place];
        match candidate.dropped {
            _ if place == tuning.best && candidate.verdict() == Verdict::Fail => "nearest".into(),
            _ if place == tuning.best => "best".into(),
            Some((round, reason)) => {
                let runs = tuning.rounds[round].runs;
                format!("{} after {runs}", told(reason))
            }
            None if candidate.verdict() == Verdict::Fail => "breaks a condition".into(),
            None if is_as_good(candidate) => "as good".into(),
            None if is_untested(candidate) => "untested".into(),
            None if is_better(tuning.better, candidate) => "better, if it may be".into(),
            None => "worse".into(),
        }
    }

    /// How it narrowed, and what that has saved.
    fn race(&self) -> String {
        let Self { tuning, .. } = self;
        let rounds = tuning.rounds.iter().map(|round| format!("{} with {}", round.candidates, round.runs));
        let count = |wanted: Reason| {
            tuning
                .candidates
                .iter()
                .filter(|candidate| candidate.dropped.is_some_and(|(_, reason)| reason == wanted))
                .count()
        };
        let most = tuning.rounds.iter().map(|round| u64::from(round.runs)).max().unwrap_or(0);
        let all = most * tuning.candidates.len() as u64;
        let share = if all > 0 { tuning.runs() as f64 / all as f64 * 100.0 } else { 0.0 };
        format!(
            "{} runs; surely broke a condition {}, surely worse {}, worse half {}\n  {} runs, {share:.0} % of the {all} that it takes to play all so often",
            rounds.collect::<Vec<_>>().join(" → "),
            count(Reason::Infeasible),
            count(Reason::Worse),
            count(Reason::Halved),
            tuning.runs(),
        )
    }

    /// `tune.csv`: a row for each candidate, in the order of the design.
    pub fn csv(&self) -> Vec<u8> {
        let Self { tuning, .. } = self;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut header: Vec<String> = tuning.factors.iter().map(|factor| factor.path.clone()).collect();
        header.push("runs".into());
        let best = tuning.winner();
        let mut quantity = |name: &str, unit: Unit| {
            header.extend(["", " low", " high"].map(|end| format!("{name}{}{end}", suffix(unit))));
        };
        quantity(&tuning.objective, best.value.unit);
        for judgement in &best.judgements {
            quantity(&judgement.quantity, judgement.measured.unit);
        }
        header
            .extend(best.judgements.iter().map(|judgement| format!("{} {}", judgement.quantity, judgement.condition)));
        header.extend(
            ["miss", "behind", "behind half_width", "front", "dropped after", "reason", "digest"].map(String::from),
        );
        writer.write_record(&header).expect("memory can be written");
        for (place, candidate) in tuning.candidates.iter().enumerate() {
            let number = |value: Option<f64>| field(Value::real(value));
            let mut row = candidate.labels.clone();
            row.push(candidate.runs.to_string());
            let judged = candidate.judgements.iter().map(|judgement| &judgement.measured);
            for measured in std::iter::once(&candidate.value).chain(judged) {
                let (low, high) = measured.interval.unzip();
                row.extend([measured.value, low, high].map(number));
            }
            row.extend(candidate.judgements.iter().map(|judgement| verdict_name(judgement.verdict).to_owned()));
            row.push(number(Some(candidate.miss)));
            row.push(number(candidate.behind.map(|behind| behind.value)));
            row.push(number(candidate.behind.and_then(|behind| behind.half)));
            row.push(candidate.is_on_front.to_string());
            let dropped = candidate.dropped;
            row.push(dropped.map_or(String::new(), |(round, _)| tuning.rounds[round].runs.to_string()));
            row.push(reason(tuning, place).into());
            row.push(format!("{:016x}", candidate.digest));
            writer.write_record(&row).expect("every row has the header's fields");
        }
        writer.into_inner().expect("memory can be written")
    }

    /// `tune.json`: what `tune.csv` says, and how it narrowed.
    pub fn json(&self) -> Vec<u8> {
        let Self { tuning, .. } = self;
        let candidates = tuning.candidates.iter().enumerate().map(|(place, candidate)| {
            let conditions = candidate.judgements.iter().zip(&tuning.limits).map(|(judgement, better)| {
                serde_json::json!({
                    "quantity": judgement.quantity, "condition": judgement.condition, "better": study::better(*better),
                    "verdict": verdict_name(judgement.verdict), "measured": study::measured(&judgement.measured),
                })
            });
            serde_json::json!({
                "settings": study::labels(&tuning.factors, &candidate.labels),
                "numbers": study::numbers(&tuning.factors, &candidate.numbers),
                "runs": candidate.runs, "objective": study::measured(&candidate.value),
                "conditions": conditions.collect::<Vec<_>>(), "miss": study::number(Some(candidate.miss)),
                "behind": candidate.behind.map(|behind| serde_json::json!({
                    "value": study::number(Some(behind.value)), "half_width": study::number(behind.half),
                })),
                "front": candidate.is_on_front,
                "dropped_after": candidate.dropped.map(|(round, _)| tuning.rounds[round].runs),
                "reason": reason(tuning, place), "digest": format!("{:016x}", candidate.digest),
            })
        });
        let rounds =
            tuning.rounds.iter().map(|round| serde_json::json!({ "candidates": round.candidates, "runs": round.runs }));
        let whole = serde_json::json!({
            "schema": 1, "version": VERSION, "title": tuning.title, "variant": tuning.variant, "seed": tuning.seed,
            "factors": study::factors(&tuning.factors), "objective": { "quantity": tuning.objective, "aim": self.verb() },
            "best": tuning.best, "verdict": verdict_name(tuning.winner().verdict()), "runs": tuning.runs(),
            "rounds": rounds.collect::<Vec<_>>(), "candidates": candidates.collect::<Vec<_>>(),
        });
        super::json(&whole)
    }

    /// The files of a tuning.
    pub fn files(&self) -> Vec<File> {
        let file = |name: &str, bytes| File { name: name.into(), bytes };
        let mut files = vec![
            file("tune.csv", self.csv()),
            file("tune.json", self.json()),
            file("tune.txt", self.text(Style::PLAIN).into_bytes()),
            file("best.toml", self.toml.clone().into_bytes()),
        ];
        files.extend(super::page::of(&files));
        files.extend(super::drawn(&files));
        files
    }
}

/// Whether a finalist cannot be told from the best, and keeps to all conditions as far as is known.
fn is_as_good(candidate: &Candidate) -> bool {
    candidate.verdict() != Verdict::Fail && candidate.behind.is_some_and(|behind| behind.may_be_nothing())
}

/// Whether nothing says how sure it is that a finalist differs from the best: there is one run, or one without a value.
fn is_untested(candidate: &Candidate) -> bool {
    let is_tested = |behind: Behind| behind.half.is_some() || behind.may_be_nothing();
    candidate.verdict() != Verdict::Fail && !candidate.behind.is_some_and(is_tested)
}

/// Whether a finalist is surely better than the best, of which that is not sure which it keeps to.
fn is_better(better: Better, candidate: &Candidate) -> bool {
    let sign = if better == Better::Lower { 1.0 } else { -1.0 };
    candidate.verdict() == Verdict::Inconclusive
        && candidate.behind.is_some_and(|behind| !behind.may_be_nothing() && behind.value * sign < 0.0)
}

fn told(reason: Reason) -> &'static str {
    match reason {
        Reason::Infeasible => "breaks a condition",
        Reason::Worse => "surely worse",
        Reason::Halved => "worse half",
    }
}

/// What has become of a candidate, for machines.
fn reason(tuning: &Tuning, place: usize) -> &'static str {
    match tuning.candidates[place].dropped {
        _ if place == tuning.best => "best",
        None => "finalist",
        Some((_, Reason::Infeasible)) => "infeasible",
        Some((_, Reason::Worse)) => "worse",
        Some((_, Reason::Halved)) => "halved",
    }
}
