//! What has to hold at a point of a study: `policies.default.timeout < clients.app.deadline`.

use super::factor::amount;
use crate::scenario::condition::{Amount, Operator};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Data, Path, Value};

/// A comparison of a value with another one, or with an amount.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Constraint {
    left: String,
    operator: Operator,
    right: Side,
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
        let read = || {
            let mut words = text.split_whitespace();
            let (left, operator, right) = (words.next()?, words.next()?, words.next()?);
            let left = Path::parse(left).ok()?.to_string();
            let operator = Operator::parse(operator)?;
            let right = match (Amount::parse(right), Path::parse(right)) {
                (Some(amount), _) => Side::Amount(amount),
                (None, Ok(path)) if path.segments().len() > 1 => Side::Path(path.to_string()),
                (None, _) => Side::Word(right.to_owned()),
            };
            words.next().is_none().then_some(Self { left, operator, right })
        };
        let constraint = read();
        if constraint.is_none() {
            mistakes.push(Diagnostic::error(format!("{text:?} is no constraint")).at(value.origin, "").help(
                "a constraint reads like \"policies.default.timeout < clients.app.deadline\" or \"params.nodes != 1\"",
            ));
        }
        constraint
    }

    /// Whether it holds, where values are found so. What has no value, or one of another kind, is equal to nothing.
    pub(super) fn holds(&self, find: &dyn Fn(&str) -> Option<Value>) -> bool {
        let left = find(&self.left);
        let (left, right) = match &self.right {
            Side::Amount(amount) => (left.as_ref().and_then(super::factor::amount), Some(*amount)),
            Side::Path(path) => (left.as_ref().and_then(amount), find(path).as_ref().and_then(amount)),
            Side::Word(word) => {
                let is_word = left.is_some_and(|value| value.data == Data::String(word.clone()));
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
