//! Small scenarios, what they become, and what their mistakes look like.

mod distributions;
mod faults;
mod loads;
mod networks;
mod policies;
mod recovery;
mod regions;
mod system;
mod topologies;
mod unused;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use super::*;
use crate::base::distribution::{Distribution, FAMILIES};
use crate::base::names::Names;
use crate::base::probability::percent;
use crate::base::time::{Span, ms, secs};
use crate::base::units::bytes;
use crate::model::{Cancel, Delivery, GuardSpec, HealthSpec, Policy};
use crate::network::stream::{Algorithm, Stream};
use crate::network::{Buffer, Network};
use crate::process::Leg;
use crate::protocol::balance::{
    ChoicesSettings, LeastRequestsSettings, Load, RandomSettings, RoundRobinSettings, TwoChoicesSettings,
    WeightedSettings, Weights,
};
use crate::protocol::delivery::DedupWindow;
use crate::protocol::retry::{Failure, FailureSet, Jitter, Member, Multiplier, RetryPolicy, Schedule};
use crate::scenario::{Diagnostic, Loaded, Overrides, Scenario, Severity, Style};

const LATENCIES: &str = "latency_ms\n1.5\n2\n10\n";
const PERCENTILES: &str = "quantile,ms\n0,1\n0.5,2\n1,10\n";

fn source(text: &str) -> BTreeMap<PathBuf, String> {
    [
        ("dir/s.toml", text),
        ("dir/latencies.csv", LATENCIES),
        ("dir/percentiles.csv", PERCENTILES),
        ("dir/sizes.csv", "size\n500\n4KiB\n"),
        ("dir/broken.csv", "latency_ms\n1\nfast\n"),
    ]
    .map(|(path, text)| (PathBuf::from(path), text.to_owned()))
    .into()
}

fn loaded(text: &str) -> Loaded {
    let text = format!("run.duration = \"1s\"\n{text}");
    Scenario::load(&source(&text), Path::new("dir/s.toml"), &Overrides::default())
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render(Style::Plain)))
}

fn unloadable(text: &str) -> (Vec<Severity>, String) {
    let mistakes = Scenario::load(&source(text), Path::new("dir/s.toml"), &Overrides::default()).expect_err(text);
    (mistakes.diagnostics.iter().map(|mistake| mistake.severity).collect(), mistakes.render(Style::Plain))
}

fn rendered(loaded: &Loaded, mistakes: &[Diagnostic]) -> String {
    let rendered: Vec<_> = mistakes.iter().map(|mistake| mistake.render(&loaded.texts, Style::Plain)).collect();
    rendered.join("\n\n")
}

/// What every mistake has: a file with line and column, and an excerpt.
fn places(loaded: &Loaded, mistakes: &[Diagnostic]) -> Vec<(usize, usize, String)> {
    let place = |mistake: &Diagnostic| {
        let (line, column) = loaded.texts.line_and_column(mistake.origin().expect("a mistake has a place"));
        (line, column, mistake.message.clone())
    };
    mistakes.iter().map(place).collect()
}
