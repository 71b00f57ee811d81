//! The stories of some messages of a run: a play that finds them, and one that writes them down.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::names::Names;
use crate::metrics::story::{Cast, Found, Quest, Recorder, Search, Story, Subjects};
use crate::process::{Flow, MessageId};
use crate::scenario::nearest;
use crate::scenario::plan::Plan;

use super::explain;
use super::run::{RunError, Watch, look, play_recorded};
use super::warmup::Cut;

/// Which messages' stories are told.
#[derive(Clone, PartialEq, Debug)]
pub enum Wish {
    /// This message, by the name of its owner and its number there: `shoppers[0]#17`.
    Named(String),
    /// What is found among the messages of a flow, or of all that clients offer of their own accord.
    Quest(Quest),
}

/// Stories of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Traced {
    /// The stories, in the order of the wish.
    pub stories: Vec<Story>,
    /// The names of those who have a part in them.
    pub cast: Cast,
    /// How many messages there were to choose from; unknown where one was named.
    pub among: Option<u64>,
    /// One of so many was looked at.
    pub one_in: u64,
    /// The seed of the run.
    pub seed: u64,
}

/// Why there are no stories.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TraceError {
    /// The run gave no result.
    Run(RunError),
    /// There is no such flow; there are these.
    NoFlow(String, Vec<String>),
    /// No node has this name.
    NoMessage(String),
    /// There is no message of this number; there are so many.
    Beyond(u64, u64),
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(error) => error.fmt(f),
            Self::NoFlow(name, flows) => {
                let flows_are = format!("the flows are {}", one_after_the_other(flows));
                match nearest(name, flows.iter().map(String::as_str)) {
                    Some(meant) => write!(f, "there is no flow `{name}`; did you mean `{meant}`? ({flows_are})"),
                    None => write!(f, "there is no flow `{name}`; {flows_are}"),
                }
            }
            Self::NoMessage(name) => write!(
                f,
                "there is no message `{name}` in this run: a message is called by its number among all, or by its node and its \
                 number there, as in `shoppers[0]#17`"
            ),
            Self::Beyond(number, count) => write!(
                f,
                "there is no message {number}: {count} are due in the measured time, and the first is message 0"
            ),
        }
    }
}

impl std::error::Error for TraceError {}

fn one_after_the_other(flows: &[String]) -> String {
    let quoted: Vec<String> = flows.iter().map(|flow| format!("`{flow}`")).collect();
    quoted.join(", ")
}

impl From<RunError> for TraceError {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

/// Tells the stories of some messages of one run of a plan: of those that clients offer of their own accord, or of one `flow`.
///
/// # Errors
/// When the run gives no result, or there is no such flow or message.
pub fn trace(
    plan: &Plan,
    run: u32,
    flow: Option<&str>,
    wish: &Wish,
    watch: &mut Watch<'_>,
) -> Result<Traced, TraceError> {
    let flows = flows(plan, flow)?;
    // What is left out of the beginning is left out here too.
    let settled = plan.finds_warmup.then(|| Cut::find(plan, watch)).transpose()?.map(|cut| cut.apply(plan));
    let plan = settled.as_ref().unwrap_or(plan);
    let seed = plan.seed_of(run);
    let (chosen, among, one_in) = match wish {
        Wish::Named(name) => {
            let cluster = plan.cluster(seed);
            let message = named(cluster.names(), name).ok_or_else(|| TraceError::NoMessage(name.clone()))?;
            (vec![message], None, 1)
        }
        Wish::Quest(quest) => {
            let search = |names: &Names| {
                let entrusted = plan.places(names).flows.into_keys().collect();
                Search::new(quest.clone(), flows, plan.measured(), names).entrusting(entrusted)
            };
            let search = look(plan, run, search, |search| search.open() > 0, watch)?;
            let (among, one_in) = (search.offered(), search.one_in());
            let found = search.found();
            if let (Quest::Number(number), true) = (quest, found.is_empty()) {
                return Err(TraceError::Beyond(*number, among));
            }
            (found.iter().map(|found: &Found| found.message).collect(), Some(among), one_in)
        }
    };
    let record = |names: &Names| Recorder::new(names, Subjects::Chosen(chosen.clone()));
    let (_, cluster, mut recorder) = play_recorded(plan, run, record, watch)?;
    let mut stories = recorder.stories();
    if let (Wish::Named(name), true) = (wish, stories.is_empty()) {
        return Err(TraceError::NoMessage(name.clone()));
    }
    // In the order of the wish.
    let places: BTreeMap<MessageId, usize> = chosen.iter().copied().zip(0..).collect();
    stories.sort_by_key(|story| places.get(&story.root().message));
    let cast = explain::cast(plan, cluster.names(), &stories);
    Ok(Traced { stories, cast, among, one_in, seed })
}

/// The flow of this name, or those of all that clients offer of their own accord.
fn flows(plan: &Plan, name: Option<&str>) -> Result<Vec<Flow>, TraceError> {
    let names = plan.names_of_flows();
    let all = (0..).map(Flow).zip(&plan.flows).zip(&names);
    let Some(name) = name else {
        return Ok(all.filter(|((_, flow), _)| flow.is_client).map(|((flow, _), _)| flow).collect());
    };
    let found: Vec<Flow> =
        all.filter(|((_, flow), of)| *of == name || flow.offerer() == name).map(|((flow, _), _)| flow).collect();
    if found.is_empty() { Err(TraceError::NoFlow(name.into(), names)) } else { Ok(found) }
}

/// The message that is called so.
fn named(names: &Names, name: &str) -> Option<MessageId> {
    let (node, number) = name.rsplit_once('#')?;
    let number = number.parse().ok()?;
    let owner = names.groups().flat_map(|group| names.members(group)).find(|&owner| names.label(owner) == node)?;
    Some(MessageId { owner, number })
}
