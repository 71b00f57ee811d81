//! Stories of a run for other tools: those of a sample of its messages, or all packets of a time.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use rehearsal::base::time::{Span, Time};
use rehearsal::experiment::{self, TraceError, Traced, Wish};
use rehearsal::metrics::story::Quest;
use rehearsal::report::trace::{self, FORMATS, Format, Origin, Trace};
use rehearsal::scenario::plan::Plan;

use super::args::Changes;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::output::Output;
use super::progress::ProgressLine;
use super::scenario::{prepare, refuse, stopped};
use super::terminal::Terminal;

/// Writes what happened to messages of a run for other tools
///
/// A sample of the messages is followed on all their ways; which ones follows from their names alone, so that it is the same in every
/// format and on every machine.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal trace-export checkout.toml --format perfetto -o trace.json
  rehearsal trace-export checkout.toml --format otlp --sample 100 -o spans.json
  rehearsal trace-export checkout.toml --format pcapng --packets 100000 -o run.pcapng
  rehearsal trace-export checkout.toml --format csv | head")]
pub struct TraceExport {
    /// The scenario file; `-` is the standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub changes: Changes,
    /// Play this replicate, counted from 0
    #[arg(long, value_name = "I", default_value_t = 0)]
    pub run: u32,
    /// Only messages of this flow, which may be one of calls such as `api->payments`
    #[arg(long, value_name = "FLOW")]
    pub flow: Option<String>,
    /// The format
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub format: &'static Format,
    #[command(flatten)]
    pub extent: Extent,
    /// Write into FILE instead of to the standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// How much is written.
#[derive(Args, Debug)]
pub struct Extent {
    /// Follow so many messages at the most, chosen by their names: all, or every second, or every fourth and so on [default: 1000]
    #[arg(long, value_name = "N", value_parser = count)]
    pub sample: Option<usize>,
    /// Of `pcapng`: take the first N packets of the whole run, instead of those of messages that are followed
    #[arg(long, value_name = "N", value_parser = count, conflicts_with = "sample")]
    pub packets: Option<usize>,
    /// With `--packets`: begin at this time of the run
    #[arg(long, value_name = "TIME", requires = "packets")]
    pub from: Option<Span>,
    /// With `--packets`: end at this time of the run
    #[arg(long, value_name = "TIME", requires = "packets")]
    pub until: Option<Span>,
}

/// How many messages are followed where nothing is said about it.
const SAMPLE: usize = 1_000;

/// The formats by name.
fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let values = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.summary));
    PossibleValuesParser::new(values).map(|name| Format::named(&name).expect("only names of formats are accepted"))
}

/// A number from 1 on.
fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "it is a whole number from 1 on".into())
}

/// Plays a run and writes what was asked for.
pub fn trace_export(terminal: Terminal, args: &TraceExport) -> Exit {
    interrupt::listen();
    match try_export(terminal, args) {
        Ok(()) => Exit::Well,
        Err(exit) => exit,
    }
}

fn try_export(terminal: Terminal, args: &TraceExport) -> Result<(), Exit> {
    let complain = |message: &str, exit: Exit| {
        terminal.complain(&format!("{}: {message}", args.file.display()));
        exit
    };
    let prepared = prepare(&Files::default(), &args.file, &args.changes.overrides());
    let plan = prepared.map_err(|mistakes| refuse(terminal, &mistakes))?.plan;
    if args.run >= plan.runs {
        let last = plan.runs.saturating_sub(1);
        let message =
            format!("there is no run {}: the last one is {last}, and `--runs` says how many there are", args.run);
        return Err(complain(&message, Exit::Wrong));
    }
    if args.extent.packets.is_some() && args.format.name != "pcapng" {
        return Err(complain("`--packets` needs `--format pcapng`", Exit::Wrong));
    }
    let output = Output::claim(terminal, args.output.as_deref(), args.force)?;
    let mut line = ProgressLine::new(terminal, &Files::stem(&args.file));
    let mut watch = |progress| {
        line.tell(experiment::Progress { run: 0, runs: 1, ..progress });
        interrupt::look()
    };
    let failed = |error| match error {
        TraceError::Run(error) => stopped(terminal, &args.file.display().to_string(), &error),
        error => complain(&error.to_string(), Exit::Wrong),
    };
    let rule = if let Some(most) = args.extent.packets {
        let captured = experiment::capture(&plan, args.run, args.extent.window(), most, &mut watch);
        let captured = captured.map_err(|error| failed(error.into()))?;
        let origin = Origin::of(&plan, args.run, trace::rule_of_packets(&captured));
        output.fill(|out| trace::write_packets(&origin, &captured, out))?;
        origin.rule
    } else {
        let wish = args.extent.wish();
        let traced = experiment::trace(&plan, args.run, args.flow.as_deref(), &wish, &mut watch).map_err(failed)?;
        write(&output, args.format, &plan, args.run, &wish, &traced)?
    };
    drop(line);
    let place = args.output.as_ref().map_or(String::new(), |path| format!(", in `{}`", path.display()));
    terminal.note(&format!("{rule}{place}"));
    Ok(())
}

/// Writes stories, and says by which rule they were chosen.
pub fn write(
    output: &Output<'_>,
    format: &Format,
    plan: &Plan,
    run: u32,
    wish: &Wish,
    traced: &Traced,
) -> Result<String, Exit> {
    let trace = Trace::of(plan, run, wish, traced);
    output.fill(|out| format.write(&trace, out))?;
    Ok(trace.origin.rule)
}

impl Extent {
    /// The messages that are followed.
    pub fn wish(&self) -> Wish {
        Wish::Quest(Quest::Sample(self.sample.unwrap_or(SAMPLE)))
    }

    /// The time in which packets are taken.
    pub fn window(&self) -> (Time, Time) {
        let at = |span: Option<Span>, or: Time| span.map_or(or, |span| Time::ZERO + span);
        (at(self.from, Time::ZERO), at(self.until, Time::MAX))
    }
}
