//! By headers.

use std::collections::BTreeMap;

use super::{Binding, Destination, Exchange, add, drop_from};
use crate::base::settings::Settings;
use crate::{settings, words};

settings! {
    /// To every queue whose binding asks for headers that the message has, all of them or any one. A header may be asked for with
    /// a value, or only to be there. The routing key does not matter.
    pub struct HeadersSettings = "headers", "AMQP 0-9-1 section 3.1.3.4; rabbitmq.com/docs/exchanges" {}
}

impl Settings for HeadersSettings {}

words! {
    /// How many of the headers that a binding asks for a message needs (`x-match`).
    pub enum Match {
        /// All; those whose names begin with `x-` are not looked at.
        All = "all",
        /// One at least; those whose names begin with `x-` are not looked at.
        Any = "any",
        /// All, whatever their names.
        AllWithX = "all-with-x",
        /// One at least, whatever their names.
        AnyWithX = "any-with-x",
    }
}

/// What a header holds. Values of different types are never equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HeaderValue {
    /// Words.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Yes or no.
    Flag(bool),
}

/// The headers of a message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Headers(pub BTreeMap<String, HeaderValue>);

/// What a binding asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MatchArguments {
    /// How many of them a message needs.
    pub x_match: Match,
    /// The headers, and their values where these matter.
    pub headers: BTreeMap<String, Option<HeaderValue>>,
}

impl Default for MatchArguments {
    /// All of none: every message has them.
    fn default() -> Self {
        Self { x_match: Match::All, headers: BTreeMap::new() }
    }
}

impl MatchArguments {
    /// Whether a message has what is asked for. `all` of nothing is always there, `any` of nothing never.
    pub fn matches(&self, headers: &Headers) -> bool {
        let with_x = matches!(self.x_match, Match::AllWithX | Match::AnyWithX);
        let mut asked = self.headers.iter().filter(|(name, _)| with_x || !name.starts_with("x-"));
        let has = |(name, value): (&String, &Option<HeaderValue>)| {
            headers.0.get(name).is_some_and(|found| value.as_ref().is_none_or(|value| value == found))
        };
        match self.x_match {
            Match::All | Match::AllWithX => asked.all(has),
            Match::Any | Match::AnyWithX => asked.any(has),
        }
    }
}

/// Bindings, each looked at for every message.
#[derive(Clone, Debug, Default)]
pub struct HeadersExchange(Vec<Binding>);

impl HeadersExchange {
    /// Nothing is bound.
    pub fn new(_: &HeadersSettings) -> Self {
        Self::default()
    }
}

impl Exchange for HeadersExchange {
    fn bind(&mut self, binding: Binding) {
        add(&mut self.0, binding);
    }

    fn unbind(&mut self, binding: &Binding) -> bool {
        drop_from(&mut self.0, binding)
    }

    fn forget(&mut self, destination: Destination) {
        self.0.retain(|binding| binding.destination != destination);
    }

    fn route(&self, _: &str, headers: &Headers, found: &mut Vec<Destination>) {
        found.extend(
            self.0.iter().filter(|binding| binding.arguments.matches(headers)).map(|binding| binding.destination),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::queue;
    use super::*;

    fn text(value: &str) -> HeaderValue {
        HeaderValue::Text(value.into())
    }

    fn headers(list: &[(&str, HeaderValue)]) -> Headers {
        Headers(list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    fn asks(x_match: Match, list: &[(&str, Option<HeaderValue>)]) -> MatchArguments {
        let headers = list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        MatchArguments { x_match, headers }
    }

    #[test]
    fn all_needs_every_header_and_any_needs_one() {
        let message = headers(&[("format", text("pdf")), ("pages", HeaderValue::Whole(3))]);
        let both = [("format", Some(text("pdf"))), ("pages", Some(HeaderValue::Whole(4)))];
        assert!(!asks(Match::All, &both).matches(&message));
        assert!(asks(Match::Any, &both).matches(&message));
        assert!(asks(Match::All, &both[..1]).matches(&message));
        assert!(!asks(Match::Any, &both[1..]).matches(&message));
    }

    #[test]
    fn a_header_without_a_value_has_only_to_be_there() {
        let message = headers(&[("format", text("pdf"))]);
        assert!(asks(Match::All, &[("format", None)]).matches(&message));
        assert!(!asks(Match::All, &[("size", None)]).matches(&message));
    }

    #[test]
    fn values_of_different_types_differ() {
        let message = headers(&[("pages", HeaderValue::Whole(1))]);
        assert!(!asks(Match::All, &[("pages", Some(text("1")))]).matches(&message));
        assert!(!asks(Match::All, &[("pages", Some(HeaderValue::Flag(true)))]).matches(&message));
    }

    /// `x-retry` is asked for and missing, or there alone.
    #[test]
    fn names_that_begin_with_x_count_only_if_they_are_said_to() {
        let asked = [("format", Some(text("pdf"))), ("x-retry", Some(HeaderValue::Flag(true)))];
        let (without, only) = (headers(&[asked_for(&asked[0])]), headers(&[asked_for(&asked[1])]));
        assert!(asks(Match::All, &asked).matches(&without));
        assert!(!asks(Match::AllWithX, &asked).matches(&without));
        assert!(!asks(Match::Any, &asked).matches(&only));
        assert!(asks(Match::AnyWithX, &asked).matches(&only));
    }

    fn asked_for<'a>((name, value): &(&'a str, Option<HeaderValue>)) -> (&'a str, HeaderValue) {
        (name, value.clone().unwrap())
    }

    #[test]
    fn all_of_nothing_is_always_there_and_any_of_nothing_never() {
        assert!(asks(Match::All, &[]).matches(&Headers::default()));
        assert!(!asks(Match::Any, &[]).matches(&headers(&[("a", text("b"))])));
    }

    #[test]
    fn a_headers_exchange_does_not_look_at_keys() {
        let mut exchange = HeadersExchange::default();
        exchange.bind(Binding::by_headers(queue(0), asks(Match::All, &[("format", Some(text("pdf")))])));
        exchange.bind(Binding::by_headers(queue(1), asks(Match::Any, &[("format", None), ("size", None)])));
        let mut found = vec![];
        exchange.route("format", &headers(&[("format", text("zip"))]), &mut found);
        assert_eq!(found, [queue(1)]);
    }
}
