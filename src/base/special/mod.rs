//! Special functions of probability, from `libm` alone, so that they give the same bits on every machine.
//!
//! | function | accuracy (relative, tested) |
//! |---|---|
//! | [`normal_cdf`], [`normal_quantile`] | 1e-12, 1e-14 |
//! | [`GammaShape`]: the regularised incomplete gamma function and its inverse | 1e-12 |
//! | [`student_t_quantile`] | 1e-12 |

mod gamma;
mod normal;
mod student;
mod wilson;

pub use gamma::GammaShape;
pub use normal::{normal_cdf, normal_density, normal_quantile};
pub use student::student_t_quantile;
pub use wilson::wilson_interval;

/// ln √(2π).
const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_8;

/// What Stirling's formula leaves out: ln Γ(z) − ((z − ½) ln z − z + ln √(2π)), for z > 0.
///
/// Source: C. Loader, "Fast and Accurate Computation of Binomial Probabilities", 2000. Factoring Stirling's formula out of
/// a density cancels its large terms exactly instead of numerically.
fn stirling_error(z: f64) -> f64 {
    if z < 15.0 {
        return libm::lgamma(z) - ((z - 0.5) * libm::log(z) - z + LN_SQRT_TAU);
    }
    // The next term is below 0.0019 / 15^11 = 2e-16.
    let inverse = 1.0 / (z * z);
    let series = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0];
    series.into_iter().rev().fold(0.0, |sum, term| sum * inverse + term) / z
}

/// ln `ratio`, where `deviation` is `ratio` − 1 without the rounding of either: near 1 the one keeps its digits, far from it
/// the other.
fn ln_ratio(ratio: f64, deviation: f64) -> f64 {
    if deviation.abs() < 0.5 { libm::log1p(deviation) } else { libm::log(ratio) }
}

/// Evaluates a continued fraction 1 / (b₀ + a₁/(b₁ + a₂/(b₂ + …))) by Lentz's method as Thompson and Barnett modified it
/// (J. Comp. Phys. 64, 1986); `terms` gives (a, b) from a₁ on.
fn continued_fraction(b0: f64, terms: impl Iterator<Item = (f64, f64)>) -> f64 {
    let mut d = 1.0 / b0;
    let mut c = f64::INFINITY;
    let mut value = d;
    for (a, b) in terms {
        d = 1.0 / nonzero(b + a * d);
        c = nonzero(b + a / c);
        value *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

/// Keeps a denominator away from zero; what it divides next restores the value.
fn nonzero(value: f64) -> f64 {
    if value.abs() < 1e-290 { 1e-290 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ln Γ(15) = ln 14!, on the border of the two formulas.
    #[test]
    fn the_two_stirling_formulas_meet() {
        assert!((stirling_error(15.0 - 1e-12) - stirling_error(15.0)).abs() < 1e-13);
        let ln_factorial_14 = libm::log(87_178_291_200.0);
        let stirling = 14.5 * libm::log(15.0) - 15.0 + LN_SQRT_TAU + stirling_error(15.0);
        assert!((stirling / ln_factorial_14 - 1.0).abs() < 1e-14);
    }
}
