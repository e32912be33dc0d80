//! Prints how often each claim is right, silent and wrong, over the corpus and over random worlds:
//! `cargo run --release --example score -- [--worlds N] [--seed S] [--replay SEED]`.

#[path = "../tests/scoring/mod.rs"]
mod scoring;
#[expect(dead_code, reason = "the worlds use a part of it")]
#[path = "../tests/simulated_path/mod.rs"]
mod simulated_path;
#[path = "../tests/simulators/mod.rs"]
mod simulators;

use std::process::ExitCode;

use clap::Parser;
use scoring::corpus::corpus;
use scoring::score::Score;
use scoring::world::World;
use simulators::{listen, zombie};

/// Scores what wscheck infers.
#[derive(Parser)]
struct Args {
    /// How many random worlds to play
    #[arg(long, default_value_t = 3000)]
    worlds: u64,
    /// The seed of the first one
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Play the world of this seed, and print it and its claims
    #[arg(long)]
    replay: Option<u64>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match args.replay {
        Some(seed) => {
            replay(seed);
            ExitCode::SUCCESS
        }
        None => score(&args),
    }
}

fn replay(seed: u64) {
    let world = World::of(seed);
    println!("seed = {seed}\n");
    #[derive(serde::Serialize)]
    struct File<'a> {
        world: &'a World,
    }
    println!("{}", toml::to_string(&File { world: &world }).expect("a world is TOML"));
    for claim in world.judge(seed) {
        println!("{}: {:?}", claim.code, claim.verdict);
    }
}

/// Fails if a claim is wrong, or an entry of the corpus objects.
fn score(args: &Args) -> ExitCode {
    let (mut by_corpus, mut by_chance) = (Score::default(), Score::default());
    let entries = corpus();
    for entry in &entries {
        by_corpus.add(entry.world.command(), &entry.name, &entry.judge());
    }
    for seed in args.seed..args.seed + args.worlds {
        let world = World::of(seed);
        by_chance.add(world.command(), &seed.to_string(), &world.judge(seed));
    }
    println!("corpus: {} entries\n{by_corpus}", entries.len());
    println!("random: {} worlds from seed {}\n{by_chance}", args.worlds, args.seed);
    let objections: String = entries.iter().map(|entry| entry.objections(&entry.judge())).collect();
    let wrong = format!("{}{}{objections}", by_corpus.mistakes(), by_chance.mistakes());
    print!("{wrong}");
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
