//! Counts right, silent and wrong claims.

use std::collections::BTreeMap;
use std::fmt;

use super::judged::{Judged, Verdict};

/// How often a claim was right, silent and wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub right: u64,
    pub silent: u64,
    pub wrong: u64,
}

/// A wrong claim, and how to play it again.
#[derive(Debug, Clone)]
pub struct Mistake {
    /// The seed, or the name of the entry.
    pub world: String,
    pub command: &'static str,
    pub code: &'static str,
    pub why: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistake { world, command, code, why } = self;
        write!(f, "wrong: {command} {code} in {world}: {why}")
    }
}

/// The tallies of all claims.
#[derive(Debug, Clone, Default)]
pub struct Score {
    tallies: BTreeMap<(&'static str, &'static str), Tally>,
    mistakes: Vec<Mistake>,
}

impl Score {
    /// Adds the claims about one world.
    pub fn add(&mut self, command: &'static str, world: &str, claims: &[Judged]) {
        for claim in claims {
            let tally = self.tallies.entry((command, claim.code)).or_default();
            match &claim.verdict {
                Verdict::Right => tally.right += 1,
                Verdict::Silent => tally.silent += 1,
                Verdict::Wrong(why) => {
                    tally.wrong += 1;
                    let (world, why) = (world.to_string(), why.clone());
                    self.mistakes.push(Mistake { world, command, code: claim.code, why });
                }
            }
        }
    }

    /// The wrong claims, one a line.
    pub fn mistakes(&self) -> String {
        self.mistakes.iter().map(|mistake| format!("{mistake}\n")).collect()
    }

    /// The sum of all claims.
    pub fn total(&self) -> Tally {
        let add = |sum: Tally, one: &Tally| Tally {
            right: sum.right + one.right,
            silent: sum.silent + one.silent,
            wrong: sum.wrong + one.wrong,
        };
        self.tallies.values().fold(Tally::default(), add)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<14}{:<30}{:>9}{:>9}{:>9}", "command", "claim", "right", "silent", "wrong")?;
        for ((command, code), Tally { right, silent, wrong }) in &self.tallies {
            writeln!(f, "{command:<14}{code:<30}{right:>9}{silent:>9}{wrong:>9}")?;
        }
        let Tally { right, silent, wrong } = self.total();
        writeln!(f, "{:<14}{:<30}{right:>9}{silent:>9}{wrong:>9}", "all", "")
    }
}
