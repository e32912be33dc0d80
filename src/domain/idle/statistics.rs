//! Whether chance explains what was seen.

/// The probability of at least `k` of `n` events, each of probability `p`: the binomial distribution's upper
/// tail.
pub(super) fn binomial_tail(k: usize, n: usize, p: f64) -> f64 {
    let mut term = (1.0 - p).powi(n as i32);
    let mut below = 0.0;
    for i in 0..k {
        below += term;
        term *= (n - i) as f64 / (i + 1) as f64 * p / (1.0 - p);
    }
    // Near 1 the difference is lost in rounding, so the tail is summed itself.
    if below < 0.999 {
        return 1.0 - below;
    }
    let mut tail = 0.0;
    for i in k..=n {
        tail += term;
        term *= (n - i) as f64 / (i + 1) as f64 * p / (1.0 - p);
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values from Python: `sum(comb(n, i) * p**i * (1-p)**(n-i) for i in range(k, n+1))`.
    #[test]
    fn binomial_tail_is_the_sum_of_its_terms() {
        for (k, n, expected) in TAILS {
            let tail = binomial_tail(k, n, 0.04);
            assert!((tail / expected - 1.0).abs() < 1e-9, "{k} of {n}: {tail:e}");
        }
    }

    const TAILS: [(usize, usize, f64); 5] = [
        (0, 5, 0.9999999999999998),
        (1, 10, 0.33516736400849895),
        (5, 8, 5.180391423999999e-06),
        (7, 14, 4.3838007836736e-07),
        (9, 200, 0.4074332735799848),
    ];
}
