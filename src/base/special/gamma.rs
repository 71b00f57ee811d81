//! The gamma law of scale 1: the regularised incomplete gamma function and its inverse.

use super::{LN_SQRT_TAU, continued_fraction, ln_ratio, normal_quantile, stirling_error};

/// A shape a > 0 of the gamma law, with what depends on it alone.
///
/// P(a, x) is a power series left of the mean and 1 minus a continued fraction right of it (Abramowitz and Stegun 6.5.29,
/// 6.5.31); near the mean either takes some 6√a terms, so very large shapes are slow and better served by a normal law.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GammaShape {
    shape: f64,
    /// √(a/2π) e^(−stirling_error(a)) = a^a e^(−a) / Γ(a).
    norm: f64,
}

impl GammaShape {
    /// The shape `shape`.
    ///
    /// # Panics
    /// If `shape` is not positive and finite.
    pub fn new(shape: f64) -> Self {
        assert!(shape > 0.0 && shape.is_finite(), "a shape is positive and finite");
        Self { shape, norm: libm::sqrt(shape) * libm::exp(-LN_SQRT_TAU - stirling_error(shape)) }
    }

    /// The shape's number.
    pub fn value(self) -> f64 {
        self.shape
    }

    /// P(a, x), the probability of a value of at most `x`.
    pub fn cdf(self, x: f64) -> f64 {
        self.tails(x).0
    }

    /// P(a, x) and Q(a, x) = 1 − P(a, x), the smaller one to full precision.
    pub fn tails(self, x: f64) -> (f64, f64) {
        if x <= 0.0 {
            return (0.0, 1.0);
        }
        if x == f64::INFINITY {
            return (1.0, 0.0);
        }
        self.tails_given(x, self.density_by_log(x))
    }

    /// x times the density at x: x^a e^(−x) / Γ(a) = norm · e^(−a (μ − ln(1 + μ))) with μ = x/a − 1.
    fn density_by_log(self, x: f64) -> f64 {
        let mu = (x - self.shape) / self.shape;
        self.norm * libm::exp(-self.shape * (mu - ln_ratio(x / self.shape, mu)))
    }

    fn tails_given(self, x: f64, density_by_log: f64) -> (f64, f64) {
        let a = self.shape;
        if x < a + 1.0 {
            let (mut term, mut sum, mut n) = (1.0, 1.0, a);
            while term > sum * f64::EPSILON {
                n += 1.0;
                term *= x / n;
                sum += term;
            }
            let lower = (density_by_log * sum / a).min(1.0);
            (lower, 1.0 - lower)
        } else {
            let terms = (1_u32..).map(|i| {
                let i = f64::from(i);
                (-i * (i - a), x + 1.0 - a + 2.0 * i)
            });
            let upper = (density_by_log * continued_fraction(x + 1.0 - a, terms)).min(1.0);
            (1.0 - upper, upper)
        }
    }

    /// The x with P(a, x) = `p`: 0 at 0, infinite at 1.
    ///
    /// Halley's method on whichever tail is smaller, from the start of Wilson and Hilferty (Abramowitz and Stegun 26.4.17)
    /// where it is good and from the leading terms near 0 and infinity elsewhere, kept inside the bracket found so far.
    pub fn quantile(self, p: f64) -> f64 {
        if p <= 0.0 {
            return 0.0;
        }
        if p >= 1.0 {
            return f64::INFINITY;
        }
        let a = self.shape;
        let mut x = self.start(p);
        let (mut low, mut high) = (0.0, f64::INFINITY);
        // Convergence is cubic on the law's own scale, the smaller of x and the standard deviation: a step of 1e-5 of it
        // leaves an error of 1e-15. Three rounds are the rule, the limit is for the last bits of hopeless tails.
        let scale_max = libm::sqrt(a).max(1.0);
        for _ in 0..60 {
            if x <= f64::MIN_POSITIVE {
                return x;
            }
            let density_by_log = self.density_by_log(x);
            let (lower, upper) = self.tails_given(x, density_by_log);
            let excess = if p < 0.5 { lower - p } else { (1.0 - p) - upper };
            if excess > 0.0 {
                high = x;
            } else {
                low = x;
            }
            let newton = x * excess / density_by_log;
            let curvature = (newton * ((a - 1.0) / x - 1.0)).clamp(-1.0, 1.0);
            let mut next = x - newton / (1.0 - 0.5 * curvature);
            if !(next >= low && next <= high) {
                next = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * x };
            }
            let step = (next - x).abs();
            x = next;
            if step <= 1e-5 * x.min(scale_max) {
                break;
            }
        }
        x
    }

    fn start(self, p: f64) -> f64 {
        let a = self.shape;
        // x^a / Γ(a + 1) = p, the leading term near 0, with Γ(a + 1) = a · a^a e^(−a) / norm.
        let leading = || a * libm::exp((libm::log(p * a / self.norm) - a) / a);
        if a <= 1.0 {
            // The start of Press et al., "Numerical Recipes", 3rd ed., §6.2.1.
            let border = 1.0 - a * (0.253 + a * 0.12);
            return if p < border { leading() } else { 1.0 - libm::log((1.0 - p) / (1.0 - border)) };
        }
        let ninth = 1.0 / (9.0 * a);
        let root = 1.0 - ninth + normal_quantile(p) * libm::sqrt(ninth);
        let wilson_hilferty = a * root * root * root;
        if root > 0.1 { wilson_hilferty } else { leading() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-12, "found {found}, expected {expected}");
    }

    /// The chi-square law with ν degrees of freedom is twice the gamma law of shape ν/2; values of its published tables.
    #[test]
    fn chi_square_tables() {
        for (df, p, chi_square) in [
            (1.0, 0.95, 3.841_458_820_694_124),
            (2.0, 0.99, 9.210_340_371_976_18),
            (5.0, 0.99, 15.086_272_469_388_99),
            (10.0, 0.05, 3.940_299_136_119_061),
            (10.0, 0.95, 18.307_038_053_275_146),
            (100.0, 0.975, 129.561_197_185_836_6),
        ] {
            let shape = GammaShape::new(df / 2.0);
            assert_near(2.0 * shape.quantile(p), chi_square);
            assert_near(shape.cdf(chi_square / 2.0), p);
        }
    }

    /// Values computed with forty digits (mpmath's incomplete gamma function, bisected): small and large shapes, deep tails.
    #[test]
    fn quantiles_far_from_the_mean() {
        for (shape, p, x) in [
            (0.01, 0.5, 4.465535018910355e-31),
            (0.1, 1e-08, 6.073048362407946e-81),
            (0.1, 0.99, 1.5884778179295045),
            (0.5, 0.9999999999999999, 34.38162610583421),
            (0.9, 0.6, 0.8039152396747594),
            (2.0, 1e-300, 1.4142135623730952e-150),
            (5.0, 1e-08, 0.06616397229219073),
            (10.0, 0.99999999, 38.79900750404719),
            (37.5, 1.1102230246251565e-16, 6.612153024158229),
            (100.0, 0.5, 99.66686491931549),
            (1000.0, 0.01, 927.9081597966425),
            (10000.0, 0.9999, 10376.185652970515),
        ] {
            assert_near(GammaShape::new(shape).quantile(p), x);
        }
    }

    /// Shape 1 is exponential: P(1, x) = 1 − e^(−x).
    #[test]
    fn shape_one_is_exponential() {
        let shape = GammaShape::new(1.0);
        for x in [1e-9, 0.1, 1.0, 5.0, 30.0] {
            let (lower, upper) = shape.tails(x);
            assert_near(lower, -libm::expm1(-x));
            assert_near(upper, libm::exp(-x));
        }
    }

    #[test]
    fn the_ends_of_the_law_are_zero_and_infinity() {
        for shape in [0.001, 1.0, 1e6].map(GammaShape::new) {
            assert_eq!((shape.quantile(0.0), shape.quantile(1.0)), (0.0, f64::INFINITY));
            assert_eq!((shape.tails(0.0), shape.tails(f64::INFINITY)), ((0.0, 1.0), (1.0, 0.0)));
        }
    }
}
