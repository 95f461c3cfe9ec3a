//! Bodies are compressed on disk, and every reader sees the bytes that were received.

use std::num::NonZeroU32;

use green_inbox::sample::{self, Values};
use zstd::zstd_safe::get_dict_id_from_dict;

/// Bytes of the dictionary.
const DICTIONARY_BYTES: usize = 64 * 1024;

/// Bodies of all samples, with the `serial`s of `passes`, from several accounts.
fn sample_bodies(passes: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    let samples = sample::all();
    let mut bodies = Vec::new();
    for serial in passes {
        let values = Values {
            id_instance: 1_101_000_001 + (serial * 7919 % 899_000_000).cast_signed(),
            serial: serial.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            timestamp: 1_767_225_600 + (serial * 86_413 % 31_536_000).cast_signed(),
        };
        bodies.extend(samples.iter().map(|sample| sample.body(&values)));
    }
    bodies
}

/// Trains a dictionary on the samples as they are now. To give new bodies another dictionary, run this test with the next
/// number, copy the file that it names to `src/store/` and make `src/store/dictionary.rs` use it.
#[test]
#[ignore = "writes a file"]
fn write_the_dictionary() {
    const NUMBER: u32 = 1;
    let bodies = sample_bodies(0..100);
    let mut dictionary = zstd::dict::from_samples(&bodies, DICTIONARY_BYTES).unwrap();
    // Training chooses a random number; a small one makes each frame three bytes shorter (RFC 8878, section 5).
    dictionary[4..8].copy_from_slice(&NUMBER.to_le_bytes());
    assert_eq!(get_dict_id_from_dict(&dictionary), NonZeroU32::new(NUMBER));
    let file = format!("{}/bodies-{NUMBER}.dict", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, dictionary).unwrap();
    println!("trained on {} bodies: {file}", bodies.len());
}
