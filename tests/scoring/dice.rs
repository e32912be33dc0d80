//! Draws worlds: the same seed gives the same world.

/// Pseudo-random numbers (splitmix64; Steele, Lea and Flood 2014).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1, without 1.
    pub fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn chance(&mut self, part: f64) -> bool {
        self.part() < part
    }

    /// From the first to the second, without the second.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + ((to.saturating_sub(from)) as f64 * self.part()) as u64
    }

    /// Alike many of each size: 1 to 10 as often as 10 to 100.
    pub fn of_any_size(&mut self, from: u64, to: u64) -> u64 {
        let (low, high) = ((from as f64).ln(), (to as f64).ln());
        (low + (high - low) * self.part()).exp().round() as u64
    }

    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.between(0, choices.len() as u64) as usize].clone()
    }

    pub fn perhaps<T>(&mut self, part: f64, draw: impl FnOnce(&mut Dice) -> T) -> Option<T> {
        self.chance(part).then(|| draw(self))
    }

    /// Delays of frames: mostly `usual`, now and then a lost frame that is sent again after `repeat`, at least an eighth of it.
    pub fn delays(&mut self, usual: u64, wobble: u64, lost: f64, repeat: u64) -> Vec<u64> {
        let delay = |dice: &mut Dice| {
            let again = if dice.chance(lost) { dice.between(repeat / 8, repeat) } else { 0 };
            usual + dice.between(0, wobble + 1) + again
        };
        (0..97).map(|_| delay(self)).collect()
    }
}
