//! M/D/1/K: Poisson arrivals, one worker, constant work, room for `K`.
//!
//! The number that a departure leaves behind is a chain: with a_j the chance of j arrivals during one work, its shares follow from
//! x_(j+1) a_0 = x_j − a_j x_0 − Σ a_(j−i+1) x_i, and the share that is lost is 1 − 1 / (π_0 + ρ).

use super::{Case, Formula, Kind, Steady};

pub(super) static FORMULA: Formula =
    Formula { source: "Gross et al., Fundamentals of Queueing Theory, 4th ed. 2008, section 5.1.8", steady };

/// The recursion loses its digits in longer queues.
const MOST: u32 = 50;

fn steady(case: &Case) -> Option<Steady> {
    let rate = case.poisson().filter(|_| case.workers == Some(1) && case.work.kind == Kind::Constant)?;
    let places = case.places.filter(|places| (1..=MOST).contains(places) && !case.is_shared)?;
    let load = rate * case.work.mean;
    let loss = loss(load, places as usize);
    Some(Steady {
        name: case.named("M", "D"),
        busy: Some(load * (1.0 - loss)),
        loss: Some(loss),
        served: Some(rate * (1.0 - loss)),
        ..Steady::default()
    })
}

fn loss(load: f64, places: usize) -> f64 {
    let mut arrivals = vec![libm::exp(-load)];
    for count in 1..=places {
        arrivals.push(arrivals[count - 1] * load / count as f64);
    }
    let mut left = vec![1.0];
    for j in 0..places - 1 {
        let sum: f64 = (1..=j).map(|i| arrivals[j - i + 1] * left[i]).sum();
        left.push((left[j] - arrivals[j] * left[0] - sum) / arrivals[0]);
    }
    let empty = left[0] / left.iter().sum::<f64>();
    1.0 - 1.0 / (empty + load)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, constant, open, said};
    use super::*;

    #[test]
    fn small_buffers() {
        close(said(&Case { places: Some(5), ..open(0.9, constant(1.0)) }, "M/D/1/5").loss, 0.064_361_897);
        close(said(&Case { places: Some(3), ..open(0.8, constant(1.0)) }, "M/D/1/3").loss, 0.103_298_990);
    }
}
