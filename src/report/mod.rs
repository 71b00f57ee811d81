//! Results to bytes: the summary a person reads, the tables a machine reads, and plots.
//!
//! A report is a pure function of [`Results`]: the same results give the same bytes, files are named and never opened, and
//! nothing here knows the command line. Several runs are shown as one: counts are summed and histograms pooled, percentiles
//! are of the pool and never of other percentiles. Whatever a user wrote (titles, names, notes) is escaped where it stands,
//! and made harmless where it could drive a terminal. Plots are functions of the tables' bytes, and of nothing else.

mod aftermath;
mod attribution;
mod bars;
mod charset;
mod compare;
mod curves;
#[cfg(test)]
mod fixture;
mod human;
mod interval;
mod metric;
mod page;
mod plot;
mod saved;
mod shell;
mod stored;
mod story;
mod study;
mod style;
mod summary;
mod sweep;
mod text;
mod theory;
mod timeline;
mod total;
pub mod trace;
mod tune;

use std::fmt;

use crate::experiment::{Ground, Results, Verdict};

pub use charset::Charset;
pub use compare::CompareReport;
pub use page::{PAGE, PageError, page};
pub use saved::{SavedError, baseline};
pub use stored::StoredError;
pub use story::StoryReport;
pub use style::Style;
pub use sweep::SweepReport;
pub use total::Total;
pub use tune::TuneReport;

/// The version that produced a report.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Everything that can be said about some results. [`Display`](fmt::Display) gives the plain summary.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    results: &'a Results,
    total: Total,
    command: Option<Vec<String>>,
}

/// A file of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its name within the report's folder, with `/` between folders.
    pub name: String,
    /// What stands in it.
    pub bytes: Vec<u8>,
}

impl<'a> From<&'a Results> for Report<'a> {
    fn from(results: &'a Results) -> Self {
        Self::new(results, Total::of(&results.runs))
    }
}

impl<'a> Report<'a> {
    /// What these results say, of which not all runs were kept; `total` is all of them.
    pub fn new(results: &'a Results, total: Total) -> Self {
        Self { results, total, command: None }
    }

    /// With the words of the command that plays it again, for summaries to show.
    #[must_use]
    pub fn replayed_by(self, command: Vec<String>) -> Self {
        Self { command: Some(command), ..self }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Style::PLAIN))
    }
}

impl Report<'_> {
    /// The summary for a terminal: everything that a person may want to know.
    pub fn text(&self, style: Style) -> String {
        text::full(self, style)
    }

    /// The summary in few lines: expectations, and three lines for each flow.
    pub fn compact(&self, style: Style) -> String {
        text::compact(self, style)
    }

    /// Every file: the [tables](Self::tables), the page `report.html`, and each plot in `plots/` as SVG and PNG. A plot of something that
    /// never happened is left out.
    pub fn files(&self) -> Vec<File> {
        let mut files = self.tables();
        files.extend(page::of(&files));
        files.extend(drawn(&files));
        files
    }

    /// The files without the plots.
    pub fn tables(&self) -> Vec<File> {
        let (results, total) = (self.results, &self.total);
        let file = |name: &str, bytes| File { name: name.into(), bytes };
        let mut files = vec![
            file("summary.json", self.json()),
            file("summary.csv", self.csv()),
            file("timeline.csv", curves::timeline(results, total)),
            file("latency.csv", curves::latency(results, total)),
            file("utilisation.csv", curves::utilisation(results, total)),
            file("attribution.csv", attribution::attribution(results)),
            file("lost.csv", attribution::lost(results, total)),
            file("scenario.toml", scenario(results)),
            file("system.json", self::json(&results.system)),
        ];
        files.extend(curves::depth(results, total).map(|bytes| file("depth.csv", bytes)));
        files.extend(theory::csv(results).map(|bytes| file("theory.csv", bytes)));
        files.extend(story::of_run(results).map(|bytes| file("stories.json", bytes)));
        files
    }

    /// `summary.json` alone.
    pub fn json(&self) -> Vec<u8> {
        summary::json(self.results, &self.total)
    }

    /// `summary.csv` alone.
    pub fn csv(&self) -> Vec<u8> {
        summary::csv(self.results, &self.total)
    }

    /// The plots alone: those of its tables.
    pub fn plots(&self) -> Vec<File> {
        drawn(&self.tables())
    }
}

/// The plots of tables that a report has just written.
fn drawn(tables: &[File]) -> Vec<File> {
    plots_of(tables).expect("a report can read what it wrote")
}

/// The files that [`plots_of`] asks for, as far as a report has them.
pub const PLOTTED: [&str; 9] = stored::NAMES;

/// The plots of a report that was stored: they are the same bytes as those that it had, as long as the version is the same. Of its files
/// only those that are [`PLOTTED`] matter.
///
/// # Errors
/// When one of them is missing, or is not what a report writes.
pub fn plots_of(files: &[File]) -> Result<Vec<File>, StoredError> {
    stored::Stored::of(files).map(|stored| plot::files(&stored))
}

/// The resolved scenario, and a comment that says what was played.
fn scenario(results: &Results) -> Vec<u8> {
    let variant = results.variant.as_ref().map(|variant| format!(" variant {},", style::clean(variant, 80)));
    let header = format!(
        "# Played with rehearsal {VERSION},{} seed {}, {}; digest {}\n\n",
        variant.unwrap_or_default(),
        results.seed,
        runs(results.count),
        fingerprint(results)
    );
    let end = if results.resolved.ends_with('\n') { "" } else { "\n" };
    format!("{header}{}{end}", results.resolved).into_bytes()
}

/// The fingerprint of all runs.
fn fingerprint(results: &Results) -> String {
    match results.count {
        0 => "none".into(),
        _ => format!("{:016x}", results.digest),
    }
}

/// `1 run`, `10 runs`.
fn runs(count: u32) -> String {
    match count {
        1 => "1 run".into(),
        runs => format!("{runs} runs"),
    }
}

/// `interval`, `each run`, `value`; several if a list of conditions needs them.
fn judged_by(grounds: &[Ground]) -> String {
    grounds.iter().map(|ground| ground.name()).collect::<Vec<_>>().join(" and ")
}

/// A document for machines that people can read too.
fn json(whole: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(whole).expect("plain data with text for keys is JSON");
    bytes.push(b'\n');
    bytes
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_function_of_its_results() {
        let results = fixture::exchange();
        let files = Report::from(&results).files();
        assert_eq!(files, Report::from(&results.clone()).files());
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let tables = [
            "summary.json",
            "summary.csv",
            "timeline.csv",
            "latency.csv",
            "utilisation.csv",
            "attribution.csv",
            "lost.csv",
            "scenario.toml",
        ];
        assert_eq!(names[..8], tables);
        for plot in ["latency-cdf", "throughput", "latency", "fates"] {
            for end in ["svg", "png"] {
                assert!(names.contains(&format!("plots/{plot}.{end}").as_str()), "{plot}.{end}");
            }
        }
    }

    #[test]
    fn what_waits_is_shown_where_something_can_wait() {
        let of_queues = |results: &Results| -> Vec<_> {
            let files = Report::from(results).files().into_iter().map(|file| file.name);
            files.filter(|name| name.contains("depth")).collect()
        };
        assert_eq!(of_queues(&fixture::exchange()), [""; 0]);
        assert_eq!(of_queues(&fixture::brokered()), ["depth.csv", "plots/depth.svg", "plots/depth.png"]);
    }

    #[test]
    fn empty_results_give_a_report() {
        for results in [fixture::empty(), fixture::silent()] {
            let report = Report::from(&results);
            let text = report.to_string();
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
            assert!(report.files().len() >= 5);
        }
    }

    #[test]
    fn a_variants_name_cannot_leave_its_comment() {
        let results = Results { variant: Some("a\nseed = 7".into()), ..fixture::empty() };
        let text = String::from_utf8(scenario(&results)).unwrap();
        assert!(text.starts_with("# Played with rehearsal") && !text.contains("\nseed = 7"), "{text}");
    }
}
