//! Cursors: where a list goes on. Opaque, and bound to the filters that they were made for.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::store::{EventFilter, Order};

/// Bytes of the digest that binds a cursor to its filters. It guards against a mix-up, not against
/// an attacker: who can read may read everything.
const BINDING_BYTES: usize = 8;

/// Writes the place behind `seq` in the list of these filters.
pub(super) fn write(seq: i64, filter: &EventFilter, order: Order) -> String {
    let mut bytes = seq.to_be_bytes().to_vec();
    bytes.extend_from_slice(&binding(filter, order));
    BASE64URL_NOPAD.encode(&bytes)
}

/// Reads it again; `None` if it is not one, or one of other filters.
pub(super) fn read(cursor: &str, filter: &EventFilter, order: Order) -> Option<i64> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    let (seq, bound) = bytes.split_first_chunk()?;
    (bound == binding(filter, order)).then(|| i64::from_be_bytes(*seq))
}

fn binding(filter: &EventFilter, order: Order) -> [u8; BINDING_BYTES] {
    let digest = Sha256::digest(format!("events 1 {order:?} {filter:?}"));
    std::array::from_fn(|place| digest[place])
}
