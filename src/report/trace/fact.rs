//! What happened, for machines: a name, and what belongs to it.

use serde::Serialize;

use crate::metrics::Setback;
use crate::metrics::story::{Cast, Story, What};
use crate::process::{Close, Exit};

/// One thing that happened.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Fact {
    /// What kind of thing.
    pub name: &'static str,
    /// What belongs to it, by name.
    pub fields: Vec<(&'static str, Field)>,
}

/// Something that belongs to it.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Field {
    Text(String),
    Number(u64),
    Flag(bool),
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl Fact {
    /// What an entry of a story says.
    pub fn of(what: &What, cast: &Cast) -> Self {
        let place = |place: u16| ("place", Field::from(cast.place(place)));
        let number = |number: u16| ("attempt", Field::Number(number.into()));
        let (name, fields) = match *what {
            What::Offered { at_once } => ("offered", vec![("at_once", Field::Flag(at_once))]),
            What::Attempted => ("attempted", vec![]),
            What::AttemptFailed => ("attempt-failed", vec![]),
            What::Sent { leg, attempt, to, size } => {
                let size = ("size", Field::Number(size.into()));
                ("sent", vec![("leg", leg.name().into()), number(attempt), ("to", cast.node(to).into()), size])
            }
            What::Delivered { leg, attempt, from } => {
                ("delivered", vec![("leg", leg.name().into()), number(attempt), ("from", cast.node(from).into())])
            }
            What::NotDelivered { leg, attempt, to, cause } => {
                let cause = ("cause", cause.name().into());
                ("dropped", vec![("leg", leg.name().into()), number(attempt), ("to", cast.node(to).into()), cause])
            }
            What::Duplicated => ("duplicated", vec![]),
            What::Received { duplicate } => ("received", vec![("duplicate", Field::Flag(duplicate))]),
            What::Turned { attempt, activity } => {
                ("turned", vec![number(attempt.into()), ("activity", activity.name().into())])
            }
            What::LetGo { why } => ("let-go", vec![("why", why.name().into())]),
            What::Handled { outcome } => ("handled", vec![("outcome", outcome.name().into())]),
            What::Declined { outcome } => ("declined", vec![("outcome", outcome.name().into())]),
            What::Stored { place: at } => ("stored", vec![place(at)]),
            What::Kept { place: at } => ("kept", vec![place(at)]),
            What::Released { place: at, exit } => {
                let exit = match exit {
                    Exit::Acknowledged => "acknowledged",
                    Exit::HandedOn => "handed-on",
                    Exit::LetGo(loss) => loss.name(),
                };
                ("released", vec![place(at), ("exit", exit.into())])
            }
            What::PassedOver { place: at, why } => ("passed-over", vec![place(at), ("why", why.name().into())]),
            What::Down => ("down", vec![]),
            What::Confirmed => ("confirmed", vec![]),
            What::Closed { why } => ("closed", vec![("why", Field::Text(closed(why)))]),
        };
        Self { name, fields }
    }
}

/// Why an owner wanted to hear no more of a message.
fn closed(why: Close) -> String {
    if why == Close::Sent { "sent".into() } else { Setback::Closed(why).name() }
}

/// How one of a story's messages ended for its owner.
pub(super) fn end(story: &Story, chapter: u32) -> String {
    match (story.closed(chapter), story.known(chapter)) {
        (Some((why, _)), _) => closed(why),
        (None, Some(_)) => "confirmed".into(),
        (None, None) => Setback::UnderWay.name(),
    }
}
