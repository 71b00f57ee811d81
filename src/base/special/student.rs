//! Student's t law.

use super::{LN_SQRT_TAU, continued_fraction, ln_ratio, normal_quantile, stirling_error};

/// Where the expansion in 1/df has an error below 1e-13 even eight standard deviations out, and the continued fraction
/// begins to be slow.
const DF_LARGE: f64 = 1e5;

/// The value that a variable of Student's t law with `df` > 0 degrees of freedom falls below with probability `p`:
/// infinite at 0 and 1, NaN outside them.
///
/// Newton's method on the logarithm of an area under the density; for very large `df` the expansion of Abramowitz and Stegun
/// 26.7.5.
///
/// # Panics
/// If `df` is not positive.
pub fn student_t_quantile(p: f64, df: f64) -> f64 {
    assert!(df > 0.0, "degrees of freedom are positive");
    let tail = p.min(1.0 - p);
    if tail == 0.0 {
        return f64::INFINITY.copysign(p - 0.5);
    }
    if tail.is_nan() || tail < 0.0 {
        return f64::NAN;
    }
    if tail == 0.5 {
        return 0.0;
    }
    let z = -normal_quantile(tail);
    let size = if df >= DF_LARGE { expansion(z, df) } else { invert(tail, z, df) };
    size.copysign(p - 0.5)
}

/// t in powers of 1/df around the normal quantile z.
fn expansion(z: f64, df: f64) -> f64 {
    let z2 = z * z;
    let g1 = (z2 + 1.0) / 4.0;
    let g2 = ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
    let g3 = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
    z * (1.0 + (g1 + (g2 + g3 / df) / df) / df)
}

/// The t > 0 with P(T > t) = `tail`, by Newton's method from `z`.
fn invert(tail: f64, z: f64, df: f64) -> f64 {
    // Whichever of P(0 < T < t) and P(T > t) is smaller keeps its digits. Over ln t both are log-concave (the density of
    // ln T is), so Newton's steps approach the root from one side after the first.
    let centre = 0.5 - tail;
    let mut t = z;
    for _ in 0..100 {
        let split = Split::at(t, df);
        let step = if centre < tail {
            let area = split.centre();
            libm::log(centre / area) * area / split.slope
        } else {
            let area = split.tail();
            libm::log(area / tail) * area / split.slope
        };
        t *= libm::exp(step);
        // Convergence is quadratic: the error left is about the step's square.
        if step.abs() <= 1e-9 {
            break;
        }
    }
    t
}

/// The area under the density of T, split at t > 0: with x = df/(df + t²) and y = 1 − x, the tail above t is
/// ½ I_x(df/2, ½), the centre between 0 and t is ½ I_y(½, df/2) (Abramowitz and Stegun 26.7.1).
struct Split {
    a: f64,
    x: f64,
    y: f64,
    /// t times the density at t, which is x^a y^b / B(a, b) for a = df/2, b = ½.
    slope: f64,
}

impl Split {
    const B: f64 = 0.5;

    fn at(t: f64, df: f64) -> Self {
        let (a, b) = (0.5 * df, Self::B);
        let (x, y) = (1.0 / (1.0 + t * t / df), 1.0 / (1.0 + df / (t * t)));
        // With Stirling's formula taken out of B(a, b), what is left is (x/x₀)^a (y/y₀)^b around the mean x₀ = a/(a + b).
        let exponent =
            a * ln_ratio(x * (a + b) / a, (b * x - a * y) / a) + b * ln_ratio(y * (a + b) / b, (a * y - b * x) / b);
        let stirling = stirling_error(a + b) - stirling_error(a) - stirling_error(b);
        let scale = libm::sqrt(a * b / (a + b)) * libm::exp(stirling - LN_SQRT_TAU);
        Self { a, x, y, slope: scale * libm::exp(exponent) }
    }

    fn tail(&self) -> f64 {
        0.5 * self.incomplete_beta(self.a, Self::B, self.x, self.y)
    }

    fn centre(&self) -> f64 {
        0.5 * self.incomplete_beta(Self::B, self.a, self.y, self.x)
    }

    /// I_x(a, b) for y = 1 − x, by the continued fraction of Abramowitz and Stegun 26.5.8 on the side where it converges fast.
    fn incomplete_beta(&self, a: f64, b: f64, x: f64, y: f64) -> f64 {
        if x > (a + 1.0) / (a + b + 2.0) {
            return 1.0 - self.incomplete_beta(b, a, y, x);
        }
        let terms = (1_u32..).map(|n| {
            let m = f64::from(n / 2);
            let step = if n % 2 == 1 { -(a + m) * (a + b + m) } else { m * (b - m) };
            let n = f64::from(n);
            (step * x / ((a + n - 1.0) * (a + n)), 1.0)
        });
        self.slope / a * continued_fraction(1.0, terms)
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[track_caller]
    fn assert_near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-12, "found {found}, expected {expected}");
    }

    #[test]
    fn published_tables() {
        for (p, df, t) in [
            (0.975, 1.0, 12.706_204_736_174_7),
            (0.975, 2.0, 4.302_652_729_749_464),
            (0.995, 5.0, 4.032_142_983_557_536),
            (0.975, 10.0, 2.228_138_851_986_274),
            (0.975, 30.0, 2.042_272_456_301_237_3),
        ] {
            assert_near(student_t_quantile(p, df), t);
        }
    }

    /// Values computed with thirty digits (mpmath's incomplete beta function, bisected).
    #[test]
    fn quantiles_far_from_the_centre() {
        for (df, p, t) in [
            (1.0, 1.1102230246251565e-16, -2867080569611329.5),
            (1.5, 0.9999, 242.2640988465241),
            (3.0, 1e-08, -479.5250695797383),
            (30.0, 0.4999, -0.00025276002539339365),
            (100.5, 0.6, 0.2540188186573502),
            (1000.0, 0.9999, 3.732851604575396),
            (9999.0, 0.01, -2.326720875975391),
            (99999.0, 0.9999, 3.7191543840204035),
            (1000000.0, 0.0001, -3.7190302747625434),
        ] {
            assert_near(student_t_quantile(p, df), t);
        }
    }

    /// With one degree of freedom the law is Cauchy's, t = tan(π(p − ½)) = −1 / tan πp; with two, t = (2p − 1) / √(2p(1 − p)).
    #[test]
    fn one_and_two_degrees_of_freedom_have_closed_forms() {
        for p in [1e-12, 0.01, 0.2, 0.4, 0.499_999, 0.500_001, 0.7, 0.99] {
            let turned = if (0.25..0.75).contains(&p) { libm::tan(PI * (p - 0.5)) } else { -1.0 / libm::tan(PI * p) };
            assert_near(student_t_quantile(p, 1.0), turned);
            assert_near(student_t_quantile(p, 2.0), (2.0 * p - 1.0) / libm::sqrt(2.0 * p * (1.0 - p)));
        }
    }

    #[test]
    fn the_law_is_symmetric_and_tends_to_the_normal_one() {
        assert_eq!(student_t_quantile(0.5, 7.0), 0.0);
        assert_eq!(student_t_quantile(0.25, 7.0), -student_t_quantile(0.75, 7.0));
        assert_eq!(student_t_quantile(0.9, f64::INFINITY), normal_quantile(0.9));
        assert_eq!((student_t_quantile(0.0, 3.0), student_t_quantile(1.0, 3.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(student_t_quantile(f64::NAN, 3.0).is_nan() && student_t_quantile(1.5, 3.0).is_nan());
    }
}
