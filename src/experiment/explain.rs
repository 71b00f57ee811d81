//! What a run says about where its time went: which messages are followed, and what is kept of them.

use crate::base::names::Names;
use crate::metrics::Explained;
use crate::metrics::story::{Attribution, Cast, Recorder, Sample, Sampled, Story, Subjects};
use crate::scenario::plan::Plan;

/// The most messages that are looked at for what latency is made of; of more, every second, fourth and so on, by their names.
const MOST: usize = 8_192;

/// Who follows a sample of a run's messages.
pub(super) fn recorder(plan: &Plan, names: &Names) -> Recorder {
    Recorder::new(names, Subjects::Sampled(Box::new(Sample::new(MOST)), plan.measured()))
}

/// What it found.
pub(super) fn explained(plan: &Plan, names: &Names, sampled: Sampled) -> Explained {
    let attribution = Attribution::of(&sampled, |node| names.name(names.group_of(node)).to_owned());
    let Sampled { slowest, typical, unconfirmed, .. } = sampled;
    let typical: Vec<Story> = middle(typical).into_iter().collect();
    let cast = cast(plan, names, slowest.iter().chain(&typical).chain(&unconfirmed));
    Explained { attribution, slowest, typical, unconfirmed, cast }
}

/// The names of those who have a part in these stories.
pub(super) fn cast<'a>(plan: &Plan, names: &Names, stories: impl IntoIterator<Item = &'a Story>) -> Cast {
    Cast::of(stories, names, plan.names_of_flows(), plan.names_of_places())
}

/// Of some stories, the one in the middle by latency.
fn middle(mut stories: Vec<Story>) -> Option<Story> {
    stories.sort_by_key(Story::latency);
    let middle = stories.len() / 2;
    (middle < stories.len()).then(|| stories.swap_remove(middle))
}
