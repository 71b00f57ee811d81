//! Wilson's score interval.

/// What a share may be in truth that was found among `n`, `z` standard deviations to each side (E. B. Wilson, 1927).
pub fn wilson_interval(share: f64, n: u64, z: f64) -> (f64, f64) {
    let n = n as f64;
    let scale = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / scale;
    let half = z / scale * libm::sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n));
    // At the ends the bound is the share itself; rounding must not say otherwise.
    let low = if share == 0.0 { 0.0 } else { (centre - half).clamp(0.0, share) };
    let high = if share == 1.0 { 1.0 } else { (centre + half).clamp(share, 1.0) };
    (low, high)
}
