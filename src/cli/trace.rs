//! `trace`: tells the stories of some messages of a run.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use rehearsal::experiment::{self, Progress, TraceError, Traced, Wish};
use rehearsal::metrics::story::Quest;
use rehearsal::report::StoryReport;
use rehearsal::report::trace::{FORMATS, Format};
use rehearsal::scenario::plan::Plan;

use super::args::Changes;
use super::directory::Directory;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::progress::ProgressLine;
use super::scenario::{prepare, refuse, stopped};
use super::terminal::Terminal;
use super::trace_export::{self, Extent};

/// Tells the stories of some messages: where each went, what happened to it, and what its time was spent on
///
/// Without a wish, it is the slowest message of all that clients offer in the measured time. One run is played, and played again with
/// those messages followed; nothing that happens changes by that.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal trace checkout.toml                          the slowest message
  rehearsal trace checkout.toml --lost 3                 the first three that did not end well
  rehearsal trace checkout.toml --percentile 99          the one at the 99th percentile
  rehearsal trace checkout.toml --slowest 5 --flow 'api->payments'
  rehearsal trace checkout.toml --message 17             the 18th that was offered
  rehearsal trace checkout.toml --message 'shoppers[0]#17' --all
  rehearsal trace checkout.toml --format svg > story.svg
  rehearsal trace checkout.toml --slowest 5 -o stories   texts and pictures in stories/
  rehearsal trace checkout.toml --format perfetto -o trace.json
  rehearsal trace checkout.toml --format pcapng --packets 100000 -o run.pcapng")]
pub struct Trace {
    /// The scenario file; `-` is the standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Tell of the K slowest messages
    #[arg(long, value_name = "K", group = "wish", value_parser = count)]
    pub slowest: Option<usize>,
    /// Tell of the first K messages that did not end well
    #[arg(long, value_name = "K", group = "wish", value_parser = count)]
    pub lost: Option<usize>,
    /// Tell of the message whose latency is percentile P: `50`, `99.9`
    #[arg(long, value_name = "P", group = "wish", value_parser = percentile)]
    pub percentile: Option<f64>,
    /// Tell of this message: its number among all, from 0 and in the order in which they were offered, or its name, as `shoppers[0]#17`
    #[arg(long, value_name = "N|NAME", group = "wish")]
    pub message: Option<String>,
    /// Choose among the messages of this flow: of a client (`shoppers`, `shoppers/buy`), or those that a service sends (`api->payments`)
    #[arg(long, value_name = "NAME")]
    pub flow: Option<String>,
    #[command(flatten)]
    pub changes: Changes,
    /// Tell of this replicate, counted from 0
    #[arg(long, value_name = "I", default_value_t = 0)]
    pub run: u32,
    /// Tell every step, however many there are
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub extent: Extent,
    /// Write texts, pictures and `stories.json` into this directory; with a format for other tools, write this file
    #[arg(short, long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub output: Option<PathBuf>,
    /// Replace what is there already: stories, a report, or the file
    #[arg(long, requires = "output")]
    pub force: bool,
    /// The form
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = forms())]
    pub format: Form,
}

/// The form that stories are told in.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Here: for people.
    Told(Telling),
    /// For other tools.
    Exported(&'static Format),
}

/// How stories are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Telling {
    /// To read.
    Text,
    /// As one document, with texts and pictures.
    Json,
    /// As a picture.
    Svg,
}

const TELLINGS: [(&str, Telling, &str); 3] = [
    ("text", Telling::Text, "Stories to read"),
    ("json", Telling::Json, "All stories as one JSON document, with texts and pictures"),
    ("svg", Telling::Svg, "A picture; of one story only"),
];

/// The forms by name.
fn forms() -> impl TypedValueParser<Value = Form> {
    let told = TELLINGS.iter().map(|(name, _, help)| PossibleValue::new(name).help(help));
    let exported = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.summary));
    PossibleValuesParser::new(told.chain(exported)).map(|name| {
        let telling = TELLINGS.iter().find(|(of, ..)| *of == name).map(|&(_, telling, _)| Form::Told(telling));
        let exported = || Form::Exported(Format::named(&name).expect("only names of forms are accepted"));
        telling.unwrap_or_else(exported)
    })
}

impl Trace {
    /// What is wished for, if anything is.
    pub fn wish(&self) -> Option<Wish> {
        match (&self.message, self.lost, self.percentile) {
            (Some(message), ..) => Some(match message.parse() {
                Ok(number) => Wish::Quest(Quest::Number(number)),
                Err(_) => Wish::Named(message.clone()),
            }),
            (_, Some(count), _) => Some(Wish::Quest(Quest::Lost(count))),
            (.., Some(share)) => Some(Wish::Quest(Quest::Percentile(share))),
            _ => self.slowest.map(|count| Wish::Quest(Quest::Slowest(count))),
        }
    }
}

/// How many stories are told at the most.
const MOST: usize = 1_000;

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (1..=MOST).contains(&count) => Ok(count),
        _ => Err(format!("a number of messages is a whole number from 1 to {MOST}")),
    }
}

/// A percentile as it is typed, as a share.
fn percentile(text: &str) -> Result<f64, String> {
    let number = text.strip_prefix('p').unwrap_or(text);
    match number.parse::<f64>() {
        Ok(percentile) if percentile > 0.0 && percentile <= 100.0 => Ok(percentile / 100.0),
        _ => Err("a percentile is a number above 0 and up to 100, such as 50 or 99.9".into()),
    }
}

/// Plays a run, and tells the stories that are wished for.
pub fn trace(terminal: Terminal, args: &Trace) -> Exit {
    interrupt::listen();
    match try_trace(terminal, args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_trace(terminal: Terminal, args: &Trace) -> Result<Exit, Exit> {
    let complain = |message: &str, exit: Exit| {
        terminal.complain(&format!("{}: {message}", args.file.display()));
        exit
    };
    let files = Files::default();
    let prepared = prepare(&files, &args.file, &args.changes.overrides());
    let plan = prepared.map_err(|mistakes| refuse(terminal, &mistakes))?.plan;
    if args.run >= plan.runs {
        let last = plan.runs.saturating_sub(1);
        let message =
            format!("there is no run {}: the last one is {last}, and `--runs` says how many there are", args.run);
        return Err(complain(&message, Exit::Wrong));
    }
    let telling = match args.format {
        Form::Told(telling) => telling,
        Form::Exported(format) => {
            trace_export::export(terminal, args, format, &plan, complain)?;
            return Ok(Exit::Well);
        }
    };
    if args.extent.is_said() {
        let message = "`--sample` and `--packets` are for other tools: `--format perfetto`, say";
        return Err(complain(message, Exit::Wrong));
    }
    let claim = |path: &PathBuf| Directory::claim(path, args.force);
    let directory = args.output.as_ref().map(claim).transpose();
    let directory = directory.map_err(|refusal| complain(&refusal.to_string(), Exit::File))?;
    let wish = args.wish().unwrap_or(Wish::Quest(Quest::Slowest(1)));
    let traced = play(terminal, args, &plan, &wish).map_err(|error| match error {
        TraceError::Run(error) => stopped(terminal, &args.file.display().to_string(), &error),
        error => complain(&error.to_string(), Exit::Wrong),
    })?;
    if traced.stories.is_empty() && !(is_good_news(&wish, &traced) && telling != Telling::Svg) {
        return Err(complain(&nothing(&wish, &traced), Exit::Wrong));
    }
    let report = StoryReport::new(&plan.title, plan.variant.as_deref(), args.run, &wish, &traced);
    if let (Telling::Svg, 2..) = (telling, traced.stories.len()) {
        let message = "a picture shows one story: ask for one, or write all of them with `-o DIR`";
        return Err(complain(message, Exit::Wrong));
    }
    if let Some(directory) = directory {
        directory.fill(&report.files(args.all)).map_err(|refusal| complain(&refusal.to_string(), Exit::File))?;
    }
    let exit = match telling {
        Telling::Text if traced.stories.is_empty() => terminal.print(format!("{}\n", nothing(&wish, &traced))),
        Telling::Text => terminal.print(report.text(terminal.report_style(), args.all)),
        Telling::Json => terminal.print(report.json()),
        Telling::Svg => terminal.print(report.pictures().concat()),
    };
    if telling == Telling::Text && terminal.is_watched {
        if !args.all && report.leaves_out() {
            terminal.note("\n`--all` tells every step");
        }
        match &args.output {
            Some(path) => terminal.note(&format!("\ntexts and pictures are in `{}`", path.display())),
            None if traced.stories.is_empty() => {}
            None => terminal.note("\n`-o DIR` writes pictures too"),
        }
    }
    Ok(exit)
}

fn play(terminal: Terminal, args: &Trace, plan: &Plan, wish: &Wish) -> Result<Traced, TraceError> {
    let mut line = ProgressLine::new(terminal, &Files::stem(&args.file));
    experiment::trace(plan, args.run, args.flow.as_deref(), wish, &mut |progress: Progress| {
        line.tell(Progress { run: 0, runs: 1, ..progress });
        interrupt::look()
    })
}

/// Whether it is an answer that there is nothing to tell: of messages that did not end well.
pub fn is_good_news(wish: &Wish, traced: &Traced) -> bool {
    traced.among > Some(0) && matches!(wish, Wish::Quest(Quest::Lost(_)))
}

/// Why there is nothing to tell.
pub fn nothing(wish: &Wish, traced: &Traced) -> String {
    let among = traced.among.unwrap_or_default();
    match wish {
        _ if among == 0 => "no message is due in the measured time".into(),
        Wish::Quest(Quest::Lost(_)) => format!("all {among} messages ended well"),
        Wish::Quest(Quest::Sample(_)) => format!("none of {among} messages is in so small a sample: ask for more"),
        _ => format!("none of {among} messages came to a good end; `--lost` tells of them"),
    }
}
