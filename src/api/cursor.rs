//! Cursors: opaque positions in a list, bound to the list, its filters and its order.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::store::Order;

/// Bytes of each digest in a cursor. They guard against a mix-up, not against an attacker: a client that holds
/// a cursor may read everything anyway.
const DIGEST_BYTES: usize = 8;

type ShortDigest = [u8; DIGEST_BYTES];

/// Writes and reads the cursors of one list.
#[derive(Debug)]
pub(super) struct Cursors {
    list: ShortDigest,
    epoch: ShortDigest,
}

/// Why a cursor cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is not a cursor, or belongs to another list.
    Foreign,
    /// It belongs to another epoch.
    Rewound,
}

impl Cursors {
    /// The cursors of the list `name` with these filters in canonical form, in this order.
    pub(super) fn new(name: &str, filter: &str, order: Order, epoch: &str) -> Self {
        let order = match order {
            Order::Ascending => "asc",
            Order::Descending => "desc",
        };
        Self {
            list: digest(&format!("2 {name} {order} {filter}")),
            epoch: digest(epoch),
        }
    }

    /// The cursor of the page after the entry with this key.
    pub(super) fn write(&self, key: i64) -> String {
        let mut bytes = key.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.epoch);
        bytes.extend_from_slice(&self.list);
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The key that a cursor was written with.
    pub(super) fn read(&self, cursor: &str) -> Result<i64, Unusable> {
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes());
        let bytes = bytes.map_err(|_| Unusable::Foreign)?;
        let (key, rest) = bytes.split_first_chunk().ok_or(Unusable::Foreign)?;
        let (epoch, list) = rest
            .split_first_chunk::<DIGEST_BYTES>()
            .ok_or(Unusable::Foreign)?;
        if list != self.list {
            return Err(Unusable::Foreign);
        }
        if *epoch != self.epoch {
            return Err(Unusable::Rewound);
        }
        Ok(i64::from_be_bytes(*key))
    }
}

fn digest(text: &str) -> ShortDigest {
    let digest = Sha256::digest(text);
    std::array::from_fn(|index| digest[index])
}
