//! Compares what wscheck infers with the truth, over a corpus of files and over random worlds. See "Evidence before
//! inference" in `docs/contributing.md`.

pub mod corpus;
pub mod dice;
mod idle_world;
pub mod judged;
mod listen_world;
pub mod score;
pub mod world;
mod zombie_world;
