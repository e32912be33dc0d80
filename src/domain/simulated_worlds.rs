//! How many random worlds a test plays, and from which seed.
//!
//! What wscheck infers is true of nearly every world, and a rare exception is always possible. If each run drew other worlds, an
//! exception would fail a change that did not cause it. So the tests draw the same worlds each time; `.ci/long worlds` draws new
//! and many more ones.

use proptest::test_runner::{Config, RngSeed};

/// The seed of the worlds that every run plays.
const SEED: u64 = 1;

/// Plays this many worlds, always the same. proptest's own variables replace the two: `PROPTEST_CASES` and
/// `PROPTEST_RNG_SEED`.
pub fn simulated_worlds(cases: u32) -> Config {
    let given = Config::default();
    let is_set = |name| std::env::var_os(name).is_some();
    let cases = if is_set("PROPTEST_CASES") { given.cases } else { cases };
    let rng_seed = if is_set("PROPTEST_RNG_SEED") { given.rng_seed } else { RngSeed::Fixed(SEED) };
    // A test may skip some worlds, in proportion to all.
    let rejects = cases.saturating_mul(10);
    Config {
        cases,
        rng_seed,
        max_global_rejects: given.max_global_rejects.max(rejects),
        max_local_rejects: given.max_local_rejects.max(rejects),
        // The failing world is printed, and belongs into a test of its own.
        failure_persistence: None,
        ..given
    }
}
