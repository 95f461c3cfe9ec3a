//! Reproducible pseudorandom orders.

/// Shuffles into the same order for the same seed (`SplitMix64` and Fisher-Yates).
pub fn shuffled<T>(mut all: Vec<T>, seed: u64) -> Vec<T> {
    let mut state = seed;
    for last in (1..all.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let other = usize::try_from(bits % (last as u64 + 1)).unwrap();
        all.swap(last, other);
    }
    all
}
