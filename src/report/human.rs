//! Numbers as people read them: three digits, and a unit that keeps them before the point. `1.25ms`, `12.3k/s`, `99.87%`.

/// What stands where there is no value.
pub(super) const NOTHING: &str = "-";

/// What stands for a time longer than any.
pub(super) const FOREVER: &str = "∞";

/// A number with three digits, without trailing zeros, in [0, 1000).
fn three_digits(value: f64) -> String {
    let text = if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// A value in the first of the units (from small to large, with what one of them is) that keeps it below 1000.
fn scaled(value: f64, units: &[(f64, &str)], behind: &str) -> String {
    if !value.is_finite() {
        return NOTHING.into();
    }
    let (sign, size) = if value < 0.0 { ("-", -value) } else { ("", value) };
    let largest = units.len() - 1;
    let end = |index: usize| units.get(index + 1).map_or(999.5, |next| (next.0 / units[index].0).min(1_000.0) * 0.9995);
    let index = (0..largest).find(|&index| size / units[index].0 < end(index)).unwrap_or(largest);
    let number = size / units[index].0;
    let digits = if number < 999.5 { three_digits(number) } else { format!("{number:.0}") };
    if digits == "0" && size > 0.0 {
        // Three digits of something very small.
        return format!("{sign}{number:.1e}{}{behind}", units[index].1);
    }
    let sign = if digits == "0" { "" } else { sign };
    format!("{sign}{digits}{}{behind}", units[index].1)
}

/// Nanoseconds.
pub(super) fn time(nanos: f64) -> String {
    if nanos == 0.0 {
        return "0s".into();
    }
    let units = [(1.0, "ns"), (1e3, "us"), (1e6, "ms"), (1e9, "s"), (6e10, "min"), (3.6e12, "h"), (8.64e13, "d")];
    // Seconds are read well up to some minutes.
    if (1e9..6e11).contains(&nanos.abs()) {
        return scaled(nanos / 1e9, &[(1.0, "")], "s");
    }
    scaled(nanos, &units, "")
}

/// A time that may be missing because it is longer than any.
pub(super) fn time_or_forever(nanos: Option<f64>) -> String {
    nanos.map_or_else(|| FOREVER.into(), time)
}

/// Events per second.
pub(super) fn rate(per_second: f64) -> String {
    number_with(per_second, "/s")
}

/// A plain number.
pub(super) fn number(value: f64) -> String {
    number_with(value, "")
}

fn number_with(value: f64, behind: &str) -> String {
    scaled(value, &[(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")], behind)
}

/// A count, exact, with commas.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share of one in percent, for the marks of an axis, which are round: `50%`, `0.001%`.
pub(super) fn percent_mark(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A share of one in percent: two decimals, and more where two would claim nothing or everything.
pub(super) fn share(share: f64) -> String {
    shares(&[share]).pop().unwrap_or_default()
}

/// Shares that stand together, with equally many decimals.
pub(super) fn shares(shares: &[f64]) -> Vec<String> {
    let decimals = shares.iter().map(|&share| decimals_of(share)).max().unwrap_or(2);
    shares.iter().map(|&share| percent(share, decimals)).collect()
}

fn decimals_of(share: f64) -> usize {
    if is_whole(share) {
        return 2;
    }
    let percent = share * 100.0;
    let tells = |decimals: &usize| {
        let text = format!("{percent:.decimals$}", decimals = *decimals);
        let read: f64 = text.parse().unwrap_or(percent);
        (read != 0.0 && read != 100.0) || read == percent
    };
    (2..=6).find(tells).unwrap_or(6)
}

/// All or nothing, but for what rounding does to sums.
fn is_whole(share: f64) -> bool {
    share.abs() < 1e-12 || (share - 1.0).abs() < 1e-12
}

fn percent(share: f64, decimals: usize) -> String {
    match share {
        share if !share.is_finite() => NOTHING.into(),
        share if is_whole(share) => if share < 0.5 { "0%" } else { "100%" }.into(),
        share => format!("{:.decimals$}%", share * 100.0),
    }
}

/// A part of a whole, if there is a whole.
pub(super) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0 && part.is_finite()).then(|| part / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_near_unit() {
        for (nanos, text) in [
            (0.0, "0s"),
            (7.0, "7ns"),
            (999.7, "1us"),
            (1_250_000.0, "1.25ms"),
            (20_000_001.0, "20ms"),
            (612_400_000.0, "612ms"),
            (999_600_000.0, "1s"),
            (90e9, "90s"),
            (7.2e12, "2h"),
            (-1_250.0, "-1.25us"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(time(nanos), text, "{nanos}");
        }
    }

    #[test]
    fn rates_and_counts() {
        assert_eq!(rate(12_345.0), "12.3k/s");
        assert_eq!(rate(999.9), "1k/s");
        assert_eq!(rate(0.0), "0/s");
        assert_eq!(rate(0.000_12), "1.2e-4/s");
        assert_eq!(number(1.5), "1.5");
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(123), "123");
    }

    #[test]
    fn shares_never_claim_all_or_nothing_when_it_is_not_so() {
        assert_eq!(share(0.998_7), "99.87%");
        assert_eq!(share(0.999_999), "99.9999%");
        assert_eq!(share(1.0), "100%");
        assert_eq!(share(0.000_004), "0.0004%");
        assert_eq!(share(0.0), "0%");
        assert_eq!(shares(&[0.5, 0.999_99]), ["50.000%", "99.999%"]);
    }
}
