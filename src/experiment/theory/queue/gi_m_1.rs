//! GI/M/1: gaps that are independent, but not exponential; exponential work, one worker.
//!
//! A share σ of requests waits, where σ = A*(μ (1 − σ)) and A* is the Laplace transform of the gaps; stays are exponential of rate
//! μ (1 − σ). Sums of k exponential phases of rate kλ have A*(s) = (1 + s / (kλ))^−k: what one of k nodes gets of a Poisson stream that
//! is dealt round robin. Even gaps have A*(s) = e^(−s/λ).

use super::{Case, Formula, Gaps, Load, Steady};

pub(super) static FORMULA: Formula =
    Formula { source: "Kendall, 1953; Kleinrock, Queueing Systems I, 1975, section 6.4", steady };

fn steady(case: &Case) -> Option<Steady> {
    let Load::Open { rate, gaps } = case.load else { return None };
    let is_one = case.workers == Some(1) && case.is_exponential() && !case.is_shared && case.places.is_none();
    if !is_one || case.utilisation()? >= 1.0 {
        return None;
    }
    let mu = 1.0 / case.work.mean;
    let (letter, waits) = match gaps {
        Gaps::Poisson => return None,
        Gaps::Gamma(shape) if libm::trunc(shape) == shape => {
            (format!("E{shape}"), waits(mu, |s| gamma(shape, rate, s)))
        }
        Gaps::Gamma(shape) => ("G".into(), waits(mu, |s| gamma(shape, rate, s))),
        Gaps::Even => ("D".into(), waits(mu, |s| libm::exp(-s / rate))),
    };
    let leaves = mu * (1.0 - waits);
    let wait = waits / leaves;
    Some(Steady {
        name: case.named(&letter, "M"),
        busy: Some(rate / mu),
        waits: Some(waits),
        wait: Some(wait),
        waiting: Some(rate * wait),
        residence: Some(1.0 / leaves),
        longer: case.is_fifo.then(|| Box::new(move |time: f64| libm::exp(-leaves * time)) as _),
        ..Steady::default()
    })
}

fn gamma(shape: f64, rate: f64, s: f64) -> f64 {
    libm::exp(-shape * libm::log1p(s / (shape * rate)))
}

/// The root below one of σ = A*(μ (1 − σ)), by halving: the transform is above it on the left alone.
fn waits(mu: f64, transform: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if transform(mu * (1.0 - middle)) > middle { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, exponential, open, said};
    use super::*;

    #[test]
    fn regular_arrivals_wait_less() {
        let of = |gaps, name| {
            let load = Load::Open { rate: 0.8, gaps };
            said(&Case { load, ..open(0.8, exponential(1.0)) }, name)
        };
        let steady = of(Gaps::Gamma(3.0), "E3/M/1");
        close(steady.waits, 0.710_934_441);
        close(steady.residence, 3.459_422_848);
        let steady = of(Gaps::Even, "D/M/1");
        close(steady.wait, 1.692_730_840);
        close(Some(steady.longer.expect("it is FIFO")(12.400_483_782_889_625)), 0.01);
        // Of shape one the gaps are exponential.
        close(of(Gaps::Gamma(1.0), "E1/M/1").wait, 4.0);
    }
}
