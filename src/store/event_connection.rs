//! A connection to the database that reads bodies.

use std::borrow::Cow;
use std::ops::Deref;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Row, RowIndex};

use super::compressed::expand;
use super::dictionary::{self, Dictionaries};

/// A connection with the dictionaries that its rows have named so far.
#[derive(Debug)]
pub(in crate::store) struct EventConnection {
    connection: Connection,
    dictionaries: Dictionaries,
}

impl EventConnection {
    pub(in crate::store) fn new(connection: Connection) -> Self {
        Self {
            connection,
            dictionaries: Dictionaries::default(),
        }
    }

    /// The bytes of a body as it was received, from the columns `body` and `size` of a row of this connection. `None`
    /// if the row has no body, or one that cannot be expanded. The caller compares the digest.
    pub(in crate::store) fn body<'r>(
        &self,
        row: &'r Row<'_>,
        (body, size): (impl RowIndex, impl RowIndex),
    ) -> Result<Option<Cow<'r, [u8]>>> {
        let stored = match row.get_ref(body)? {
            ValueRef::Null => return Ok(None),
            value => value.as_blob()?,
        };
        Ok(expand(stored, row.get(size)?, &self.dictionaries, |id| {
            dictionary::select(&self.connection, id).ok().flatten()
        }))
    }
}

impl Deref for EventConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}
