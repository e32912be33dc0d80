//! One server or path, and one claim about it.

use serde::{Deserialize, Serialize};

use super::dice::Dice;
use super::idle_world::IdleWorld;
use super::judged::Judged;
use super::listen_world::ListenWorld;
use super::zombie_world::ZombieWorld;

/// What a command meets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum World {
    ProbeIdle(IdleWorld),
    Listen(ListenWorld),
    ProbeZombie(ZombieWorld),
}

impl World {
    /// Draws the world of a seed; each command has every third one.
    pub fn of(seed: u64) -> World {
        let mut dice = Dice::new(seed);
        match seed % 3 {
            0 => World::ProbeIdle(IdleWorld::draw(&mut dice)),
            1 => World::Listen(ListenWorld::draw(&mut dice)),
            _ => World::ProbeZombie(ZombieWorld::draw(&mut dice)),
        }
    }

    pub fn command(&self) -> &'static str {
        match self {
            World::ProbeIdle(_) => "probe-idle",
            World::Listen(_) => "listen",
            World::ProbeZombie(_) => "probe-zombie",
        }
    }

    /// Plays it and compares each claim with the truth.
    pub fn judge(&self, seed: u64) -> Vec<Judged> {
        match self {
            World::ProbeIdle(world) => world.judge(seed),
            World::Listen(world) => world.judge(seed),
            World::ProbeZombie(world) => world.judge(seed),
        }
    }
}
