//! Bindings: what leads from exchanges to queues, and what of it fits the kind of exchange.

use std::collections::BTreeMap;

use crate::protocol::amqp::{self, Destination, MatchArguments, QueueId};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Origin};
use crate::scenario::schema::{Binding, Consumer, Exchange, ExchangeType, HeaderMatch, Headers, Name, XMatch};

/// The bindings that are written in an exchange to lead to this queue.
pub(super) fn of_queue<'a>(
    exchange: &'a Exchange,
    queue: QueueId,
    written: &'a [Located<Binding>],
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<amqp::Binding> {
    let to = Destination::Queue(queue);
    let read = |one: &Located<Binding>| match (&one.value, is_by_headers(exchange)) {
        (Binding::Key(key), false) => Some(amqp::Binding::by_key(to, key)),
        (Binding::Headers(asked), true) => Some(amqp::Binding::by_headers(to, arguments(asked, one.origin, mistakes)?)),
        (Binding::Key(_), true) => {
            let mistake = Diagnostic::error("a headers exchange does not look at keys").at(one.origin, "");
            mistakes.push(mistake.help("write what it looks for, as in `{ headers = { region = \"eu\" } }`"));
            None
        }
        (Binding::Headers(_), false) => {
            let mistake = Diagnostic::error("only a headers exchange looks at headers").at(one.origin, "");
            mistakes.push(mistake.help("write `type = \"headers\"` in the exchange, or a key here"));
            None
        }
    };
    written.iter().filter_map(read).collect()
}

/// The bindings of the queue that a subscriber of an exchange has for itself.
pub(super) fn of_subscriber(
    (name, consumer): (&Located<Name>, &Consumer),
    exchange: &Exchange,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<Wanted> {
    let (keys, headers) = (consumer.binding_key.as_ref(), consumer.binding_headers.as_ref());
    let kind = exchange.r#type.unwrap_or(ExchangeType::Direct);
    let refused = match kind {
        ExchangeType::Fanout => keys.and_then(|keys| keys.0.first()).map(|key| ("binding-key", key.origin)),
        ExchangeType::Headers => keys.and_then(|keys| keys.0.first()).map(|key| ("binding-key", key.origin)),
        _ => None,
    };
    let of_headers = headers.and_then(|headers| headers.0.first()).map(|first| ("binding-headers", first.origin));
    if let Some((key, at)) = refused.or(of_headers.filter(|_| kind != ExchangeType::Headers)) {
        let word = word(kind);
        let mistake = Diagnostic::error(format!("`{key}` has no effect: a {word} exchange does not look at it"));
        mistakes.push(mistake.at(at, ""));
        return Vec::new();
    }
    let wanted: Vec<_> = match kind {
        ExchangeType::Fanout => return vec![Wanted::Key(String::new())],
        ExchangeType::Headers => {
            let asked = headers.into_iter().flat_map(|headers| &headers.0);
            asked.filter_map(|one| Some(Wanted::Headers(arguments(&one.value, one.origin, mistakes)?))).collect()
        }
        ExchangeType::Direct | ExchangeType::Topic => {
            keys.into_iter().flat_map(|keys| &keys.0).map(|key| Wanted::Key(key.value.clone())).collect()
        }
    };
    if wanted.is_empty() && of_headers.is_none() {
        let key = if kind == ExchangeType::Headers { "binding-headers" } else { "binding-key" };
        let message = format!("`{}` gets nothing: which messages does it want?", name.value);
        let mistake = Diagnostic::error(message).at(name.origin, "");
        mistakes.push(mistake.help(format!("write `{key}`: a {} exchange looks at it", word(kind))));
    }
    wanted
}

/// What a binding asks for, wherever it leads.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// This key.
    Key(String),
    /// These headers.
    Headers(MatchArguments),
}

impl Wanted {
    /// The binding to this queue.
    pub(super) fn to(&self, queue: QueueId) -> amqp::Binding {
        let to = Destination::Queue(queue);
        match self {
            Self::Key(key) => amqp::Binding::by_key(to, key),
            Self::Headers(asked) => amqp::Binding::by_headers(to, asked.clone()),
        }
    }
}

/// The headers that a message carries.
pub(super) fn headers(written: &Headers) -> amqp::Headers {
    amqp::Headers(written.iter().map(|(name, value)| (name.value.clone(), value.0.clone())).collect())
}

/// Whether it looks at headers.
pub(super) fn is_by_headers(exchange: &Exchange) -> bool {
    exchange.r#type == Some(ExchangeType::Headers)
}

fn arguments(asked: &HeaderMatch, at: Origin, mistakes: &mut Vec<Diagnostic>) -> Option<MatchArguments> {
    let with_values = asked.headers.iter().map(|(name, value)| (name.value.clone(), Some(value.0.clone())));
    let present = asked.present.iter().map(|name| (name.value.clone(), None));
    let x_match = asked.x_match.unwrap_or(XMatch::All);
    if let Some(twice) = asked.present.iter().find(|name| asked.headers.get(&name.value).is_some()) {
        let mistake = Diagnostic::error(format!("`{}` is asked for twice", twice.value));
        mistakes.push(mistake.at(twice.origin, "").help("a header with a value has to be there anyway"));
        return None;
    }
    let headers: BTreeMap<_, _> = with_values.chain(present).collect();
    let with_x = matches!(x_match, XMatch::AllWithX | XMatch::AnyWithX);
    if !headers.keys().any(|name| with_x || !name.starts_with("x-")) {
        let (message, help) = match (headers.is_empty(), x_match) {
            (true, XMatch::Any | XMatch::AnyWithX) => {
                ("no message has one of no headers", "write `headers` or `present`")
            }
            (true, _) => return Some(MatchArguments { x_match: x_match.into(), headers }),
            (false, _) => (
                "headers whose names begin with `x-` are not looked at",
                "write `x-match = \"all-with-x\"` or `\"any-with-x\"`",
            ),
        };
        mistakes.push(Diagnostic::error(message).at(at, "").help(help));
        return None;
    }
    Some(MatchArguments { x_match: x_match.into(), headers })
}

fn word(kind: ExchangeType) -> &'static str {
    match kind {
        ExchangeType::Direct => "direct",
        ExchangeType::Fanout => "fanout",
        ExchangeType::Topic => "topic",
        ExchangeType::Headers => "headers",
    }
}
