//! What has to hold at a point of a study: `policies.default.timeout < clients.app.deadline`.

use super::factor::{amount, label};
use crate::scenario::condition::{Amount, Operator};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Data, Origin, Path, Value};

/// A comparison of a value with another one, or with an amount.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Constraint {
    left: String,
    operator: Operator,
    right: Side,
    /// Where it was written.
    pub(super) origin: Origin,
}

#[derive(Clone, PartialEq, Debug)]
enum Side {
    Path(String),
    Amount(Amount),
    Word(String),
}

/// The texts in a string or a list of strings.
pub(super) fn texts(value: &Value, mistakes: &mut Vec<Diagnostic>) -> Vec<Value> {
    let items = match &value.data {
        Data::Array(items) => items.clone(),
        _ => vec![value.clone()],
    };
    let (texts, others): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| matches!(item.data, Data::String(_)));
    mistakes.extend(others.iter().map(|other| {
        Diagnostic::error(format!(
            "a constraint is a string such as \"params.a < params.b\", found {}",
            other.describe()
        ))
        .at(other.origin, "")
    }));
    texts
}

impl Constraint {
    pub(super) fn read(value: &Value, mistakes: &mut Vec<Diagnostic>) -> Option<Self> {
        let Data::String(text) = &value.data else { return None };
        if let Some(message) = impossible(text) {
            mistakes.push(Diagnostic::error(message).at(value.origin, ""));
            return None;
        }
        let read = || {
            let mut words = text.split_whitespace();
            let (left, operator, right) = (words.next()?, words.next()?, words.next()?);
            let left = Path::parse(left).ok()?.to_string();
            let operator = Operator::parse(operator)?;
            let right = match (Amount::parse(right), Path::parse(right)) {
                (Some(amount), _) => Side::Amount(amount),
                (None, Ok(path)) if path.segments().len() > 1 => Side::Path(path.to_string()),
                (None, Ok(path)) => Side::Word(path.segments()[0].name.clone()),
                (None, Err(_)) => Side::Word(right.to_owned()),
            };
            words.next().is_none().then_some(Self { left, operator, right, origin: value.origin })
        };
        let constraint = read();
        if constraint.is_none() {
            mistakes.push(Diagnostic::error(format!("{text:?} is no constraint")).at(value.origin, "").help(
                "a constraint reads like \"policies.default.timeout < clients.app.deadline\" or \"params.nodes != 1\"",
            ));
        }
        constraint
    }

    /// The paths that it is about.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        let right = match &self.right {
            Side::Path(path) => Some(path.as_str()),
            Side::Amount(_) | Side::Word(_) => None,
        };
        std::iter::once(self.left.as_str()).chain(right)
    }

    /// Whether it holds, where values are found so. What has no value, or one of another kind, is equal to nothing.
    pub(super) fn holds(&self, find: &dyn Fn(&str) -> Option<Value>) -> bool {
        let left = find(&self.left);
        let (left, right) = match &self.right {
            Side::Amount(amount) => (left.as_ref().and_then(super::factor::amount), Some(*amount)),
            Side::Path(path) => (left.as_ref().and_then(amount), find(path).as_ref().and_then(amount)),
            Side::Word(word) => {
                let is_word = left.is_some_and(|value| label(&value) == *word);
                return is_word == (self.operator == Operator::Equal);
            }
        };
        let order = left.zip(right).and_then(|(left, right)| compare(left, right));
        match (self.operator, order) {
            (Operator::NotEqual, order) => order != Some(std::cmp::Ordering::Equal),
            (_, None) => false,
            (Operator::Less, Some(order)) => order.is_lt(),
            (Operator::AtMost, Some(order)) => order.is_le(),
            (Operator::More, Some(order)) => order.is_gt(),
            (Operator::AtLeast, Some(order)) => order.is_ge(),
            (Operator::Equal, Some(order)) => order.is_eq(),
        }
    }
}

/// Why a comparison makes no sense, whatever there is at its paths.
fn impossible(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let (left, operator, right) = (words.next()?, Operator::parse(words.next()?)?, words.next()?);
    if Amount::parse(left).is_some() {
        return Some(format!("a constraint begins with a path, found {left}"));
    }
    let is_word = Amount::parse(right).is_none() && Path::parse(right).is_ok_and(|path| path.segments().len() == 1);
    let is_order = !matches!(operator, Operator::Equal | Operator::NotEqual);
    (is_word && is_order).then(|| format!("`{right}` is a word, which is neither more nor less: words have == and !="))
}

fn compare(left: Amount, right: Amount) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Amount::Time(left), Amount::Time(right)) => Some(left.cmp(&right)),
        (Amount::Bytes(left), Amount::Bytes(right)) => Some(left.cmp(&right)),
        (Amount::Rate(left), Amount::Rate(right)) => left.partial_cmp(&right),
        // 1% is 0.01.
        (Amount::Number(left) | Amount::Share(left), Amount::Number(right) | Amount::Share(right)) => {
            left.partial_cmp(&right)
        }
        _ => None,
    }
}
