//! Arrivals that are more or less regular than without memory.

use super::{Arrivals, Gaps};
use crate::base::settings::Settings;
use crate::settings;

/// The shapes that gamma laws take.
const SHAPES: std::ops::RangeInclusive<f64> = 0.01..=1e6;

settings! {
    /// Gaps between the arrivals at a node are independent with this coefficient of variation, by a gamma law: below 1 more
    /// regular than Poisson, 1 is Poisson, above 1 in clumps. A renewal process: clumps have no memory beyond one gap, and many
    /// nodes together look like Poisson again; for bursts of a whole group there is `mmpp`.
    pub struct GammaSettings = "gamma", "Whitt, Approximating a Point Process by a Renewal Process, Oper. Res. 30(1), 1982" {
        /// Standard deviation of a gap, relative to its mean: between 0.001 and 10.
        cv: f64, alone = 2.0,
    }
}

impl Settings for GammaSettings {
    fn check(&self) -> Result<(), String> {
        if SHAPES.contains(&self.shape()) { Ok(()) } else { Err("needs a `cv` between 0.001 and 10".into()) }
    }
}

impl GammaSettings {
    fn shape(&self) -> f64 {
        1.0 / (self.cv * self.cv)
    }
}

/// Arrivals with gamma gaps.
#[derive(Clone, PartialEq, Debug)]
pub struct Gamma {
    shape: f64,
}

impl Gamma {
    /// The process under these settings.
    pub fn new(settings: &GammaSettings) -> Self {
        Self { shape: settings.shape() }
    }
}

impl Arrivals for Gamma {
    fn gaps(&self) -> Gaps {
        Gaps::Gamma(self.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    #[test]
    fn gaps_have_the_wanted_variation() {
        for cv in [0.5, 1.0, 3.0] {
            let law = Gamma::new(&GammaSettings { cv }).gaps().law(ms(7)).unwrap().unwrap();
            assert!((libm::sqrt(law.variance()) / law.mean() - cv).abs() < 1e-12);
        }
        assert!(GammaSettings { cv: 10.0 }.check().is_ok() && GammaSettings { cv: 10.1 }.check().is_err());
    }
}
