//! A story step by step: what happened to one message at one node at one time is one step.

use crate::base::cause::Cause;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::metrics::story::{Cast, Story, What};
use crate::report::style::{Role, clean};

use super::words::{NAME, Phrase, Teller};

/// What happened to one message at one node at one time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Step {
    pub time: Time,
    pub node: NodeId,
    /// How many messages it was sent for, each for the one before.
    pub depth: usize,
    pub text: String,
    pub role: Option<Role>,
}

/// All steps of a story. Messages that were sent for others have a number in parentheses.
pub(super) fn steps(story: &Story, cast: &Cast) -> Vec<Step> {
    let depths = depths(story);
    let mut teller = Teller::new(story, cast);
    let mut steps: Vec<(u32, Step)> = Vec::new();
    for (index, entry) in story.entries.iter().enumerate() {
        let mut phrases: Vec<Phrase> = Vec::new();
        if entry.chapter > 0 && matches!(entry.what, What::Offered { .. }) {
            let flow = clean(cast.flow(story.chapters[entry.chapter as usize].flow), 2 * NAME);
            phrases.push(Phrase { text: format!("{flow}:"), role: None });
        }
        phrases.extend(teller.tell(index));
        // Where somebody is down is where it happens.
        let node = match entry.what {
            What::NotDelivered { to, cause: Cause::ReceiverDown, .. } => to,
            _ => entry.node,
        };
        for Phrase { text, role } in phrases {
            match steps.last_mut() {
                Some((chapter, step)) if (*chapter, step.time, step.node) == (entry.chapter, entry.time, node) => {
                    let separator = if step.text.ends_with(':') { "" } else { ";" };
                    step.text = format!("{}{separator} {text}", step.text);
                    step.role = graver(step.role, role);
                }
                _ => {
                    let number = if entry.chapter == 0 { String::new() } else { format!("({}) ", entry.chapter) };
                    let depth = depths[entry.chapter as usize];
                    let text = format!("{number}{text}");
                    steps.push((entry.chapter, Step { time: entry.time, node, depth, text, role }));
                }
            }
        }
    }
    steps.into_iter().map(|(_, step)| step).collect()
}

/// Of each chapter, how deep it lies.
fn depths(story: &Story) -> Vec<usize> {
    let mut depths: Vec<usize> = Vec::with_capacity(story.chapters.len());
    for chapter in &story.chapters {
        // A chapter comes after the one that it is for.
        depths.push(chapter.parent.map_or(0, |parent| depths[parent as usize] + 1));
    }
    depths
}

/// Of two roles, the one that counts: what is bad, then what is good.
fn graver(one: Option<Role>, other: Option<Role>) -> Option<Role> {
    let weight = |role: Option<Role>| match role {
        Some(Role::Bad) => 3,
        Some(Role::Unsure) => 2,
        Some(Role::Good) => 1,
        _ => 0,
    };
    match weight(other).cmp(&weight(one)) {
        std::cmp::Ordering::Greater => other,
        std::cmp::Ordering::Less => one,
        std::cmp::Ordering::Equal => one.and(other),
    }
}
