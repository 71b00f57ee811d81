//! The command line as it is typed.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use rehearsal::scenario::Overrides;

use super::ask::{Ask, Kind};
use super::look::{Charset, Color, Summary};

const EXIT_CODES: &str = "\
Exit codes:
  0    all is well
  1    an expectation failed, no setting keeps to its conditions, or two plays of the same scenario differ
  2    the command line or the scenario is wrong
  3    an expectation is undecided
  4    a file could not be read or written
  130  interrupted
Of several the gravest counts, in the order 4, 2, 1, 3, 0.";

/// What options of all commands stand under in the help, behind those of the command.
const LOOKS: &str = "Looks";

/// Plays a distributed system before it exists
///
/// A scenario file describes clients, services, the network between them and what is expected. The same file and the same
/// seed give the same run, to the byte, on every machine.
#[derive(Parser, Debug)]
#[command(name = "rehearsal", version, max_term_width = 100, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// When to use colours: auto, always or never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true, hide_possible_values = true, help_heading = LOOKS)]
    pub color: Color,
    /// Which characters texts are written in: auto, unicode or ascii
    #[arg(long, value_enum, value_name = "SET", default_value_t, global = true, hide_possible_values = true, help_heading = LOOKS)]
    pub charset: Charset,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    Run(Run),
    Compare(Compare),
    Sweep(Sweep),
    Tune(Tune),
    Merge(Merge),
    Plot(super::plot::Plot),
    Export(super::export::Export),
    Report(super::report::Report),
    Trace(super::trace::Trace),
    Check(Check),
    Verify(Verify),
    Init(Init),
    List(List),
    Explain(Explain),
    /// Prints the JSON Schema of scenario files, for editors
    #[command(after_help = "\
Example:
  rehearsal schema > scenario.schema.json
  Then put `#:schema ./scenario.schema.json` at the top of a scenario.")]
    Schema,
    Completions(Completions),
}

/// Plays scenarios and says how they went
///
/// Each scenario is played as often as it says, and its expectations are judged. The summary goes to the standard output;
/// with `-o` a page to read, plots, and every number are written as files too.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal run checkout.toml
  rehearsal run checkout.toml -o out            page, plots and tables in out/
  rehearsal run *.toml -o out                   the same in out/NAME/ for each NAME.toml
  rehearsal run checkout.toml --variant no-breaker --runs 20
  rehearsal run checkout.toml --set policies.default.timeout=50ms --seed 7
  rehearsal run checkout.toml --format json | jq '.expectations[].verdict'
  rehearsal run checkout.toml --run 7           replicate 7 alone
  rehearsal run *.toml --summary compact        expectations, and three lines for each flow")]
pub struct Run {
    /// Scenario files; `-` is the standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub changes: Changes,
    /// Play this replicate only, counted from 0
    #[arg(long, value_name = "I")]
    pub run: Option<u32>,
    /// Write a page, plots and tables into DIR; with several files, into DIR/NAME for each NAME.toml
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    /// Replace the report that DIR already holds
    #[arg(long, requires = "output")]
    pub force: bool,
    /// What goes to the standard output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// How much a summary says: `full` of one file and `compact` of several, unless it is said here
    #[arg(long, value_enum, value_name = "SIZE")]
    pub summary: Option<Summary>,
    /// What an undecided expectation counts as, instead of exit code 3
    #[arg(long, value_enum, value_name = "AS")]
    pub inconclusive: Option<Inconclusive>,
    /// Refuse scenarios with warnings
    #[arg(long)]
    pub strict: bool,
}

/// Plays a scenario and its variants with the same luck, and says what differs
///
/// Runs of the same index share arrivals, demand, wire luck and faults, so that what differs between them differs because of what was
/// changed. Several files are compared with the first.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal compare checkout.toml                        the base and each of its variants
  rehearsal compare checkout.toml --with no-breaker --runs 30
  rehearsal compare before.toml after.toml --metric app.latency.p99
  rehearsal compare before.toml after.toml --margin 5%   exit code 1 if anything is worse by more than 5 %
  rehearsal compare checkout.toml --baseline results     with what `run -o results` wrote earlier")]
pub struct Compare {
    /// Scenario files; the first is the base
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Compare with this variant only; may be repeated
    #[arg(long = "with", value_name = "VARIANT")]
    pub variants: Vec<String>,
    /// Compare with the report that an earlier `run -o DIR` wrote, instead of with the base
    #[arg(long, value_name = "DIR", value_hint = ValueHint::AnyPath, conflicts_with = "shard")]
    pub baseline: Option<PathBuf>,
    /// Change a value in all of them: TOML, or else a string; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
    /// Use this seed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<String>,
    /// Play each N times
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub runs: Option<String>,
    /// Show this quantity, instead of what the base says or expects; may be repeated
    #[arg(long = "metric", value_name = "QUANTITY")]
    pub metrics: Vec<String>,
    /// How much worse anything may be, as a share of its value at the base: beyond it the exit code is 1, or 3 where more runs would tell
    #[arg(long, value_name = "SHARE", value_parser = super::compare::margin, conflicts_with = "shard")]
    pub margin: Option<f64>,
    #[command(flatten)]
    pub keep: Keeping,
    #[command(flatten)]
    pub to: Destination,
}

impl Compare {
    /// What is asked.
    pub fn ask(&self) -> Ask {
        Ask {
            with: self.variants.clone(),
            sets: self.sets.clone(),
            seed: self.seed.clone(),
            runs: self.runs.clone(),
            metrics: self.metrics.clone(),
            has_baseline: self.baseline.is_some(),
            ..Ask::plain(Kind::Compare, self.files.clone())
        }
    }
}

/// Plays a scenario with other values, each with each, and says what matters
///
/// What is varied stands in the table `[sweep]` of the scenario: paths with lists or ranges of values. Each point is played as often as
/// the scenario says, or else ten times, with the same seeds as all others.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal sweep study.toml
  rehearsal sweep study.toml -o out                      page, plots and tables in out/
  rehearsal sweep checkout.toml --sweep policies.default.timeout='[\"50ms\", \"100ms\"]' --metric app.latency.p99
  rehearsal sweep checkout.toml --sweep params.nodes='{ from = 1, to = 8 }'
  rehearsal sweep study.toml --only network.loss=1%      only the points with this value
  rehearsal sweep study.toml --study results             goes on where it was interrupted
  rehearsal sweep study.toml --study results --runs 100  adds runs to those that are there
  rehearsal sweep study.toml --study results --shard 2/7 one of seven parts: see `rehearsal merge`
  rehearsal sweep study.toml --format csv > study.csv")]
pub struct Sweep {
    /// The scenario file; `-` is the standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub changes: Changes,
    /// Vary this as well, or instead of what the file says of it; may be repeated
    #[arg(long = "sweep", value_name = "PATH=VALUES")]
    pub sweeps: Vec<String>,
    /// Play only points with this value; several of one path are alternatives
    #[arg(long, value_name = "PATH=VALUE")]
    pub only: Vec<String>,
    /// Show this quantity, instead of what the scenario says or expects; may be repeated
    #[arg(long = "metric", value_name = "QUANTITY")]
    pub metrics: Vec<String>,
    #[command(flatten)]
    pub keep: Keeping,
    #[command(flatten)]
    pub to: Destination,
    /// What an undecided expectation counts as, instead of exit code 3
    #[arg(long, value_enum, value_name = "AS", conflicts_with = "shard")]
    pub inconclusive: Option<Inconclusive>,
}

impl Sweep {
    /// What is asked.
    pub fn ask(&self) -> Ask {
        Ask {
            metrics: self.metrics.clone(),
            sweeps: self.sweeps.clone(),
            only: self.only.clone(),
            ..self.changes.ask(Kind::Sweep, &self.file)
        }
    }
}

/// Looks for the values with which a quantity is best, while others keep to what they have to be
///
/// What is varied, what is to be best and what has to hold stand in the table `[tune]` of the scenario. The settings that are tried race:
/// all are played a few times with the same luck, those go that surely break a condition or are surely worse than the best, and of the
/// others the worse half, and who is left is played on. Exit code 1 says that nothing keeps to all conditions.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal tune checkout.toml
  rehearsal tune checkout.toml -o out                    page, plots and tables in out/, best values in out/best.toml
  rehearsal tune checkout.toml --minimise app.latency.p99.9
  rehearsal tune checkout.toml --set tune.candidates=16 --runs 32
  rehearsal tune checkout.toml --study results           goes on where it was interrupted
  rehearsal tune checkout.toml --format csv > tried.csv")]
pub struct Tune {
    /// The scenario file; `-` is the standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub changes: Changes,
    /// Make this quantity as small as it can be, instead of what the file says is to be best
    #[arg(long, value_name = "QUANTITY", conflicts_with = "maximise")]
    pub minimise: Option<String>,
    /// Make this quantity as large as it can be, instead of what the file says is to be best
    #[arg(long, value_name = "QUANTITY")]
    pub maximise: Option<String>,
    /// Keep what every run answers in DIR as soon as it is done: the same command goes on where it was interrupted, and plays nothing twice
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub study: Option<PathBuf>,
    #[command(flatten)]
    pub to: Destination,
    /// What it counts as that the best may break a condition, instead of exit code 3
    #[arg(long, value_enum, value_name = "AS")]
    pub inconclusive: Option<Inconclusive>,
}

impl Tune {
    /// What is asked.
    pub fn ask(&self) -> Ask {
        Ask {
            minimise: self.minimise.clone(),
            maximise: self.maximise.clone(),
            ..self.changes.ask(Kind::Tune, &self.file)
        }
    }
}

/// Puts the shards of a study together, and reports it as if one machine had played it
///
/// Every run has to be there; one that is there several times has to be the same each time. Nothing is played, and no other file is
/// needed: the first shard keeps those that the scenario was read from.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal sweep study.toml --study kept --shard 1/2    on one machine
  rehearsal sweep study.toml --study kept --shard 2/2    on another one
  rehearsal merge kept -o out
  rehearsal merge here there                             if each machine has a directory of its own
  rehearsal merge kept --study whole                     a study that goes on on one machine")]
pub struct Merge {
    /// Directories that shards were kept in
    #[arg(required = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directories: Vec<PathBuf>,
    /// Keep all that is put together in DIR too, as a study that `sweep` or `compare --study DIR` goes on with
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub study: Option<PathBuf>,
    #[command(flatten)]
    pub to: Destination,
    /// Of a sweep: what an undecided expectation counts as, instead of exit code 3
    #[arg(long, value_enum, value_name = "AS")]
    pub inconclusive: Option<Inconclusive>,
    /// Of a comparison: how much worse anything may be, as for `compare`
    #[arg(long, value_name = "SHARE", value_parser = super::compare::margin)]
    pub margin: Option<f64>,
}

/// Says what is wrong with scenarios, without playing them
///
/// Every file is checked as it stands and with each of its variants.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal check scenarios/*.toml
  rehearsal check checkout.toml --strict
  rehearsal check checkout.toml --variant no-breaker --show    the merged scenario, and where each value is from")]
pub struct Check {
    /// Scenario files; `-` is the standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub changes: Changes,
    /// Print the merged scenario; each value says in a comment where it was written
    #[arg(long)]
    pub show: bool,
    /// Refuse scenarios with warnings
    #[arg(long)]
    pub strict: bool,
}

/// Plays a scenario twice and compares every byte
///
/// The second time everything is read and planned anew. Should the two differ, the first event that differs is named: that
/// would be a defect of the simulator.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  rehearsal verify checkout.toml --runs 1")]
pub struct Verify {
    /// The scenario file; `-` is the standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub changes: Changes,
}

/// Writes a commented scenario to start from
///
/// It runs as it is. An existing file is never overwritten.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal init
  rehearsal init checkout.toml
  rehearsal init - | rehearsal run -")]
pub struct Init {
    /// Where to write it; `-` is the standard output
    #[arg(value_name = "FILE", default_value = "scenario.toml", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// Lists what scenarios can use: distributions, backoffs, balancers, metrics …
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal list
  rehearsal list distributions")]
pub struct List {
    /// Only this kind
    #[arg(value_name = "KIND", value_enum)]
    pub kind: Option<super::catalogue::Kind>,
}

/// Explains a key of scenario files, or a name that they can use
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal explain policies.backoff
  rehearsal explain clients.app.rate
  rehearsal explain lognormal
  rehearsal explain latency-all")]
pub struct Explain {
    /// A key such as `policies.backoff` or `timeout`, or a name such as `two-choices`
    #[arg(value_name = "KEY|NAME")]
    pub name: String,
}

/// Prints completions for a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal completions bash > ~/.local/share/bash-completion/completions/rehearsal
  rehearsal completions fish > ~/.config/fish/completions/rehearsal.fish")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Where the answers of a study's runs are kept.
#[derive(Args, Debug)]
pub struct Keeping {
    /// Keep what every run answers in DIR as soon as it is done: the same command goes on where it was interrupted, and plays nothing twice
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub study: Option<PathBuf>,
    /// Play one part of the study, from 1/N to N/N, into a file of its own in DIR, and report nothing: `rehearsal merge DIR` does once all
    /// parts are there. `auto` takes K and N from Slurm or an MPI launcher; `auto/N` takes K from there or from Kubernetes
    #[arg(long, value_name = "K/N", requires = "study", conflicts_with_all = ["output", "force", "format"])]
    pub shard: Option<String>,
}

/// Where the report of a study goes.
#[derive(Args, Debug)]
pub struct Destination {
    /// Write a page, plots and tables into DIR
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    /// Replace the report that DIR already holds
    #[arg(long, requires = "output")]
    pub force: bool,
    /// What goes to the standard output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What the command line changes in a scenario.
#[derive(Args, Debug)]
pub struct Changes {
    /// Play this variant instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Change a value: TOML, or else a string; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
    /// Use this seed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<String>,
    /// Play N times, with as many seeds
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub runs: Option<String>,
}

impl Changes {
    /// What a study of one file is asked by them.
    fn ask(&self, kind: Kind, file: &Path) -> Ask {
        Ask {
            variant: self.variant.clone(),
            sets: self.sets.clone(),
            seed: self.seed.clone(),
            runs: self.runs.clone(),
            ..Ask::plain(kind, vec![file.into()])
        }
    }

    /// In the library's words.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            variant: self.variant.clone(),
            sets: self.sets.clone(),
            seed: self.seed.clone(),
            runs: self.runs.clone(),
            ..Overrides::default()
        }
    }
}

/// What goes to the standard output.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Format {
    /// A summary to read
    #[default]
    Text,
    /// Every number, as one JSON document for each file
    Json,
    /// Every number, as one CSV table of all files
    Csv,
    /// Nothing: the exit code says it
    Quiet,
}

/// What an undecided expectation counts as.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inconclusive {
    /// As one that holds
    Pass,
    /// As one that failed
    Fail,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
