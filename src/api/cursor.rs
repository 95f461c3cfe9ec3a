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
    /// The epoch of the database.
    pub(super) epoch: &'f str,
}

/// Why a cursor cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is none, or one of another list.
    Foreign,
    /// It is of another epoch.
    Rewound,
}

/// Writes the place behind an entry of this list.
pub(super) fn write(place: i64, list: List<'_>) -> String {
    let mut bytes = place.to_be_bytes().to_vec();
    bytes.extend_from_slice(&digest(list.epoch));
    bytes.extend_from_slice(&binding(list));
    BASE64URL_NOPAD.encode(&bytes)
}

/// Reads it again.
pub(super) fn read(cursor: &str, list: List<'_>) -> Result<i64, Unusable> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes());
    let bytes = bytes.map_err(|_| Unusable::Foreign)?;
    let (place, rest) = bytes.split_first_chunk().ok_or(Unusable::Foreign)?;
    let (epoch, bound) = rest
        .split_first_chunk::<BINDING_BYTES>()
        .ok_or(Unusable::Foreign)?;
    if bound != binding(list) {
        return Err(Unusable::Foreign);
    }
    if *epoch != digest(list.epoch) {
        return Err(Unusable::Rewound);
    }
    Ok(i64::from_be_bytes(*place))
}

fn binding(list: List<'_>) -> [u8; BINDING_BYTES] {
    let List {
        name,
        filter,
        order,
        epoch: _,
    } = list;
    digest(&format!("1 {name} {order:?} {filter:?}"))
}

fn digest(text: &str) -> [u8; BINDING_BYTES] {
    let digest = Sha256::digest(text);
    std::array::from_fn(|place| digest[place])
}
