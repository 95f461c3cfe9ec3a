//! Cursors: where a list goes on. Opaque, and bound to the filters that they were made for.

use std::fmt::Debug;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::store::Order;

/// Bytes of the digest that binds a cursor to its filters. It guards against a mix-up, not against
/// an attacker: who can read may read everything.
const BINDING_BYTES: usize = 8;

/// A list that is asked for: which one, with which filters, in which order.
#[derive(Debug, Clone, Copy)]
pub(super) struct List<'f> {
    /// Its name, which is its address.
    pub(super) name: &'static str,
    /// What is asked for.
    pub(super) filter: &'f (dyn Debug + Sync),
    /// In which order.
    pub(super) order: Order,
}

/// Writes the place behind an entry of this list.
pub(super) fn write(place: i64, list: List<'_>) -> String {
    let mut bytes = place.to_be_bytes().to_vec();
    bytes.extend_from_slice(&binding(list));
    BASE64URL_NOPAD.encode(&bytes)
}

/// Reads it again; `None` if it is not one, or one of another list.
pub(super) fn read(cursor: &str, list: List<'_>) -> Option<i64> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    let (place, bound) = bytes.split_first_chunk()?;
    (bound == binding(list)).then(|| i64::from_be_bytes(*place))
}

fn binding(list: List<'_>) -> [u8; BINDING_BYTES] {
    let List {
        name,
        filter,
        order,
    } = list;
    let digest = Sha256::digest(format!("1 {name} {order:?} {filter:?}"));
    std::array::from_fn(|place| digest[place])
}
