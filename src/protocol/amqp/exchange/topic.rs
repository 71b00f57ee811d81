//! By patterns of words.

use std::collections::BTreeMap;

use super::{Binding, Destination, Exchange, Headers, add, drop_from};
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// To every queue that is bound with a pattern that the routing key matches. Keys are words between dots; in a pattern `*`
    /// stands for one word and `#` for any number of words, none included. An empty key has no words.
    pub struct TopicSettings = "topic", "AMQP 0-9-1 section 3.1.3.3; rabbitmq.com/docs/exchanges" {}
}

impl Settings for TopicSettings {}

/// Patterns as a tree of words.
///
/// A key is matched by walking down with all nodes that the words so far can have reached, each of them once: a long list of
/// `#` costs the square of its length per word, and never more.
#[derive(Clone, Debug)]
pub struct Topic {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    words: BTreeMap<String, usize>,
    /// After `*`.
    one: Option<usize>,
    /// After `#`.
    any: Option<usize>,
    /// Whether this is a node after `#`, where further words may pass.
    loops: bool,
    destinations: Vec<Destination>,
}

/// The words of a key; an empty key has none.
fn words(key: &str) -> impl Iterator<Item = &str> {
    key.split('.').filter(move |_| !key.is_empty())
}

impl Topic {
    /// Nothing is bound.
    pub fn new(_: &TopicSettings) -> Self {
        Self { nodes: vec![Node::default()] }
    }

    /// The node of a pattern, if it was ever bound.
    fn find(&self, pattern: &str) -> Option<usize> {
        words(pattern).try_fold(0, |node, word| match word {
            "*" => self.nodes[node].one,
            "#" => self.nodes[node].any,
            word => self.nodes[node].words.get(word).copied(),
        })
    }

    /// The node of a pattern. Nodes stay when their bindings are gone: patterns are few, and mostly come back.
    fn make(&mut self, pattern: &str) -> usize {
        let mut node = 0;
        for word in words(pattern) {
            let next = self.nodes.len();
            let from = &mut self.nodes[node];
            node = match word {
                "*" => *from.one.get_or_insert(next),
                "#" => *from.any.get_or_insert(next),
                word => *from.words.entry(word.to_owned()).or_insert(next),
            };
            if node == next {
                self.nodes.push(Node { loops: word == "#", ..Node::default() });
            }
        }
        node
    }

    /// Adds a node, and those that no word leads to from there.
    fn reach(&self, node: usize, reached: &mut Vec<usize>) {
        let mut next = Some(node);
        while let Some(node) = next {
            if reached.contains(&node) {
                return;
            }
            reached.push(node);
            next = self.nodes[node].any;
        }
    }
}

impl Exchange for Topic {
    fn bind(&mut self, binding: Binding) {
        let node = self.make(&binding.key);
        add(&mut self.nodes[node].destinations, binding.destination);
    }

    fn unbind(&mut self, binding: &Binding) -> bool {
        let Some(node) = self.find(&binding.key) else { return false };
        drop_from(&mut self.nodes[node].destinations, &binding.destination)
    }

    fn forget(&mut self, destination: Destination) {
        for node in &mut self.nodes {
            node.destinations.retain(|&other| other != destination);
        }
    }

    fn route(&self, key: &str, _: &Headers, found: &mut Vec<Destination>) {
        let (mut reached, mut before) = (vec![], vec![]);
        self.reach(0, &mut reached);
        for word in words(key) {
            std::mem::swap(&mut reached, &mut before);
            reached.clear();
            for &node in &before {
                let from = &self.nodes[node];
                let stay = from.loops.then_some(node);
                for next in stay.into_iter().chain(from.one).chain(from.words.get(word).copied()) {
                    self.reach(next, &mut reached);
                }
            }
        }
        found.extend(reached.into_iter().flat_map(|node| &self.nodes[node].destinations));
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::tests::{found, queue};
    use super::*;
    use crate::protocol::amqp::laws::fixed;

    fn bound(patterns: &[&str]) -> Topic {
        let mut exchange = Topic::new(&TopicSettings {});
        for (index, pattern) in patterns.iter().enumerate() {
            exchange.bind(Binding::by_key(queue(index as u32), pattern));
        }
        exchange
    }

    /// The example of RabbitMQ's fifth tutorial: keys are speed, colour and species.
    #[test]
    fn a_star_is_one_word_and_a_hash_any_number() {
        let exchange = bound(&["*.orange.*", "*.*.rabbit", "lazy.#"]);
        for (key, queues) in [
            ("quick.orange.rabbit", &[0, 1][..]),
            ("lazy.orange.elephant", &[0, 2]),
            ("quick.orange.fox", &[0]),
            ("lazy.brown.fox", &[2]),
            ("lazy.pink.rabbit", &[1, 2]),
            ("quick.brown.fox", &[]),
            ("orange", &[]),
            ("quick.orange.new.rabbit", &[]),
            ("lazy.orange.new.rabbit", &[2]),
            ("lazy", &[2]),
        ] {
            assert_eq!(found(&exchange, key), queues, "{key}");
        }
    }

    /// An empty key has no words; two dots have an empty word between them, and one dot has one on either side.
    #[test]
    fn words_may_be_empty_and_a_key_may_have_none() {
        let exchange = bound(&["#", "*", "", "a.*.b", "*.*", "#.#"]);
        assert_eq!(found(&exchange, ""), [0, 2, 5]);
        assert_eq!(found(&exchange, "a"), [0, 1, 5]);
        assert_eq!(found(&exchange, "a..b"), [0, 3, 5]);
        assert_eq!(found(&exchange, "."), [0, 4, 5]);
    }

    /// Patterns that make a backtracking matcher take 2^40 steps.
    #[test]
    fn no_pattern_is_slow() {
        let pattern = ["#.a"; 40].join(".");
        let exchange = bound(&[&pattern]);
        assert_eq!(found(&exchange, &["a"; 200].join(".")), [0]);
        assert_eq!(found(&exchange, &(["a"; 200].join(".") + ".b")), [0; 0]);
    }

    fn matches(pattern: &[&str], key: &[&str]) -> bool {
        match (pattern, key) {
            ([], key) => key.is_empty(),
            (["#", rest @ ..], key) => matches(rest, key) || !key.is_empty() && matches(pattern, &key[1..]),
            ([_, ..], []) => false,
            ([first, rest @ ..], [word, key @ ..]) => (*first == "*" || first == word) && matches(rest, key),
        }
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn it_agrees_with_a_recursive_matcher(
            patterns in vec(vec(prop::sample::select(vec!["a", "b", "", "*", "#"]), 0..6), 1..8),
            keys in vec(vec(prop::sample::select(vec!["a", "b", "c", ""]), 0..7), 1..8),
        ) {
            let written: Vec<_> = patterns.iter().map(|pattern| pattern.join(".")).collect();
            let exchange = bound(&written.iter().map(String::as_str).collect::<Vec<_>>());
            for key in keys {
                let key = key.join(".");
                let key_words: Vec<_> = words(&key).collect();
                let expected: Vec<_> = (0..).zip(&written)
                    .filter(|(_, pattern)| matches(&words(pattern).collect::<Vec<_>>(), &key_words))
                    .map(|(index, _)| index)
                    .collect();
                prop_assert_eq!(found(&exchange, &key), expected, "{} {:?}", key, written);
            }
        }
    }
}
