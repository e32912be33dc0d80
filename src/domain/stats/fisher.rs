//! Fisher's exact test of a 2x2 table: whether two shares differ by more than chance.
//!
//! Source: R. A. Fisher, Statistical Methods for Research Workers (1934), 21.02. The two-sided value is the sum over all
//! tables with the same margins that are at most as likely as the observed one, as in R's `fisher.test`.

/// Tables this little more likely than the observed one count as equally likely: the error of their logarithms.
const RELATIVE_ERROR: f64 = 1e-7;

/// How often something happened, of how many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub count: u64,
    pub of: u64,
}

/// More things than any two runs have; their sum would take minutes.
const MAX_COMPARED: u64 = 1_000_000_000;

/// Whether the two can be compared: counts of an edited file may be anything.
fn are_comparable(a: Share, b: Share) -> bool {
    let total = a.of.checked_add(b.of);
    a.count <= a.of && b.count <= b.of && total.is_some_and(|total| total <= MAX_COMPARED)
}

/// The probability of a difference at least as large if both shares are the same; 1 if there is nothing to compare.
pub fn fisher_exact(a: Share, b: Share) -> f64 {
    if !are_comparable(a, b) {
        return 1.0;
    }
    let (happened, all) = (a.count + b.count, a.of + b.of);
    let likelihood =
        |count: u64| ln_choose(a.of, count) + ln_choose(b.of, happened - count) - ln_choose(all, happened);
    let observed = likelihood(a.count);
    let (least, most) = (happened.saturating_sub(b.of), happened.min(a.of));
    let as_unlikely = |ln: &f64| *ln <= observed + RELATIVE_ERROR;
    let sum: f64 = (least..=most).map(likelihood).filter(as_unlikely).map(f64::exp).sum();
    sum.min(1.0)
}

/// The logarithm of a binomial coefficient.
fn ln_choose(n: u64, k: u64) -> f64 {
    let ln_factorial = |n: u64| libm::lgamma(n as f64 + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(a: (u64, u64), b: (u64, u64)) -> f64 {
        fisher_exact(Share { count: a.0, of: a.0 + a.1 }, Share { count: b.0, of: b.0 + b.1 })
    }

    /// Computed with whole numbers in Python; the first is Fisher's tea tasting.
    #[test]
    fn values_agree_with_exact_sums() {
        for (a, b, expected) in [
            ((3, 1), (1, 3), 0.485_714_285_714_285_7),
            ((1, 9), (11, 3), 0.002_759_456_185_220_083_4),
            ((500, 500), (560, 440), 0.008_193_461_025_460_338),
            ((0, 1000), (12, 988), 0.000_472_340_697_463_594_66),
            ((5, 95), (5, 95), 1.0),
            ((2, 18), (0, 20), 0.487_179_487_179_487_2),
        ] {
            let found = p(a, b);
            assert!((found - expected).abs() <= expected * 1e-9, "{a:?} {b:?}: {found} is not {expected}");
        }
    }

    #[test]
    fn impossible_counts_are_no_difference() {
        let share = |count, of| Share { count, of };
        for (a, b) in [
            (share(u64::MAX, u64::MAX), share(1, 2)),
            (share(3, 2), share(1, 2)),
            (share(1, u64::MAX), share(2, 3)),
        ] {
            assert_eq!((fisher_exact(a, b), fisher_exact(b, a)), (1.0, 1.0));
        }
    }

    #[test]
    fn nothing_to_compare_is_no_difference() {
        assert_eq!((p((0, 0), (0, 0)), p((0, 0), (3, 4)), p((0, 9), (0, 9))), (1.0, 1.0, 1.0));
    }

    proptest::proptest! {
        #[test]
        fn it_is_a_probability_and_symmetric(a in 0u64..60, b in 0u64..60, c in 0u64..60, d in 0u64..60) {
            let (one, other) = (p((a, b), (c, d)), p((c, d), (a, b)));
            proptest::prop_assert!((0.0..=1.0).contains(&one));
            proptest::prop_assert!((one - other).abs() < 1e-9);
        }
    }
}
