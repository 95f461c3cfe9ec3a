//! Pseudorandom numbers, the same for the same seed.

/// `SplitMix64` (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        fold(mix(self.0), end)
    }

    /// A number below `end`, small numbers more often than large ones, like word frequencies.
    pub(crate) fn small_below(&mut self, end: usize) -> usize {
        let under = self.below(end) + 1;
        self.below(under)
    }

    /// Shuffles `items` (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// Mixes `number` into 64 pseudorandom bits, different for each number.
pub(crate) fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Maps 64 bits to a number below `end`.
pub(crate) fn fold(bits: u64, end: usize) -> usize {
    let index = (u128::from(bits) * end as u128) >> 64;
    // Less than `end`, so it fits.
    usize::try_from(index).unwrap_or(0)
}
