//! Reproducible randomness: splitmix64 (Steele, Lea, Flood 2014).

use super::setting;

/// Pseudorandom numbers from a seed.
pub struct Random(u64);

impl Random {
    /// Uses the seed `FAULTS_SEED`, or a fresh one, and prints it, so that a failure can be
    /// reproduced as far as timing allows.
    pub fn new(test: &str) -> Self {
        let seed = setting("FAULTS_SEED", getrandom::u64().unwrap());
        println!("{test}: FAULTS_SEED={seed}");
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in `times`, on average.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A random item.
    pub fn one_of<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        let index = self.below(items.len() as u64);
        &items[usize::try_from(index).unwrap()]
    }
}

/// Mixes the bits of a number, so that neighbouring numbers give unrelated results.
pub fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
