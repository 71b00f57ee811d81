//! Stories of a run for other tools: a sample of its messages, or all packets of a time.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use rehearsal::base::time::{Span, Time};
use rehearsal::experiment::{self, Traced, Wish};
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
    #[command(flatten)]
    pub export: Export,
}

/// What is written, and where.
#[derive(Args, Debug)]
pub struct Export {
    /// The format
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub format: &'static Format,
    /// Follow so many messages at the most, chosen by their names: all, or every second, or every fourth and so on
    #[arg(long, value_name = "N", default_value = "1000", value_parser = count)]
    pub sample: usize,
    /// Of `pcapng`: take the first N packets of the whole run, instead of those of the sample
    #[arg(long, value_name = "N", value_parser = count, conflicts_with = "sample")]
    pub packets: Option<usize>,
    /// With `--packets`: begin at this time of the run
    #[arg(long, value_name = "TIME", requires = "packets")]
    pub from: Option<Span>,
    /// With `--packets`: end at this time of the run
    #[arg(long, value_name = "TIME", requires = "packets")]
    pub until: Option<Span>,
    /// Write into FILE instead of to the standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long, requires = "output")]
    pub force: bool,
}

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
    let files = Files::default();
    let prepared = prepare(&files, &args.file, &args.changes.overrides());
    let plan = prepared.map_err(|mistakes| refuse(terminal, &mistakes))?.plan;
    let named = args.file.display().to_string();
    if args.run >= plan.runs {
        let last = plan.runs.saturating_sub(1);
        terminal.complain(&format!("{named}: there is no run {}: the last one is {last}", args.run));
        return Err(Exit::Wrong);
    }
    let output = args.export.claim(terminal)?;
    if let Some(most) = args.export.packets {
        return args.export.packets_of(terminal, &named, &plan, args.run, most, &output);
    }
    let wish = Wish::Quest(Quest::Sample(args.export.sample));
    let mut line = ProgressLine::new(terminal, &Files::stem(&args.file));
    let traced = experiment::trace(&plan, args.run, args.flow.as_deref(), &wish, &mut |progress| {
        line.tell(experiment::Progress { run: 0, runs: 1, ..progress });
        interrupt::look()
    });
    drop(line);
    let traced = traced.map_err(|error| match error {
        experiment::TraceError::Run(error) => stopped(terminal, &named, &error),
        other => {
            terminal.complain(&format!("{named}: {other}"));
            Exit::Wrong
        }
    })?;
    args.export.write(terminal, &plan, args.run, &wish, &traced, &output)
}

impl Export {
    /// Makes ready to write.
    pub fn claim(&self, terminal: Terminal) -> Result<Output<'_>, Exit> {
        if self.packets.is_some() && self.format.name != "pcapng" {
            terminal.complain("`--packets` is about packets: it needs `--format pcapng`");
            return Err(Exit::Wrong);
        }
        Output::claim(terminal, self.output.as_deref(), self.force)
    }

    /// Writes stories, and says how they were chosen.
    pub fn write(
        &self,
        terminal: Terminal,
        plan: &Plan,
        run: u32,
        wish: &Wish,
        traced: &Traced,
        output: &Output<'_>,
    ) -> Result<(), Exit> {
        let trace = Trace::of(plan, run, wish, traced);
        output.fill(|out| self.format.write(&trace, out))?;
        self.tell(terminal, &trace.origin);
        Ok(())
    }

    /// Plays a run for its packets, and writes them.
    fn packets_of(
        &self,
        terminal: Terminal,
        named: &str,
        plan: &Plan,
        run: u32,
        most: usize,
        output: &Output<'_>,
    ) -> Result<(), Exit> {
        let at = |span: Option<Span>, or: Time| span.map_or(or, |span| Time::ZERO + span);
        let window = (at(self.from, Time::ZERO), at(self.until, Time::MAX));
        let mut line = ProgressLine::new(terminal, named);
        let captured = experiment::capture(plan, run, window, most, &mut |progress| {
            line.tell(experiment::Progress { run: 0, runs: 1, ..progress });
            interrupt::look()
        });
        drop(line);
        let captured = captured.map_err(|error| stopped(terminal, named, &error))?;
        let origin = Origin::of(plan, run, trace::rule_of_packets(&captured));
        output.fill(|out| trace::write_packets(&origin, &captured, out))?;
        self.tell(terminal, &origin);
        Ok(())
    }

    /// Says how what was written was chosen.
    fn tell(&self, terminal: Terminal, origin: &Origin<'_>) {
        let place = self.output.as_ref().map_or(String::new(), |path| format!(", in `{}`", path.display()));
        terminal.note(&format!("{}{place}", origin.rule));
    }
}
