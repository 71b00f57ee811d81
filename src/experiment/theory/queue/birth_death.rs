//! Chains that go up and down by one.

/// The share of time in each state of a chain with so many states above 0, which goes from `n` to `n + 1` at the rate `up(n)` and back
/// at `down(n + 1)`. Logarithms keep long chains from overflowing.
pub(super) fn shares(states: u32, up: impl Fn(u32) -> f64, down: impl Fn(u32) -> f64) -> Vec<f64> {
    let mut weight = 0.0;
    let mut weights = vec![weight];
    for state in 0..states {
        weight += libm::log(up(state) / down(state + 1));
        weights.push(weight);
    }
    let most = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut shares: Vec<f64> = weights.iter().map(|weight| libm::exp(weight - most)).collect();
    let sum: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

/// The mean of `of` a state, by these shares.
pub(super) fn mean(shares: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    shares.iter().enumerate().map(|(state, share)| of(state as f64) * share).sum()
}
