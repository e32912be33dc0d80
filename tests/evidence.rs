//! What wscheck infers is true: of every entry of the corpus, and of random worlds.

mod scoring;
#[expect(dead_code, reason = "the worlds use a part of it")]
#[path = "simulated_path/mod.rs"]
mod simulated_path;
mod simulators;

use scoring::corpus::corpus;
use scoring::score::Score;
use scoring::world::World;
use simulators::{listen, zombie};

#[test]
fn corpus_is_claimed_as_it_may_be() {
    let entries = corpus();
    let objections: String = entries.iter().map(|entry| entry.objections(&entry.judge())).collect();
    assert!(objections.is_empty(), "\n{objections}");
    assert!(entries.len() >= 60, "{} entries", entries.len());
}

#[test]
fn no_random_world_is_claimed_wrongly() {
    let mut score = Score::default();
    for seed in 0..500 {
        let world = World::of(seed);
        score.add(world.command(), &seed.to_string(), &world.judge(seed));
    }
    assert!(score.mistakes().is_empty(), "\n{}", score.mistakes());
    let total = score.total();
    assert!(total.right > 800, "{total:?}");
}

#[test]
fn same_seed_gives_the_same_world_and_claims() {
    for seed in [0, 1, 2] {
        assert_eq!(World::of(seed), World::of(seed));
        assert_eq!(World::of(seed).judge(seed), World::of(seed).judge(seed));
    }
}
