//! The digest that a stored body must have: that of the received bytes or, once its thumbnails are removed, that of the
//! body without them.

use rusqlite::{Connection, Result};

/// SQL expression for that digest. The argument is the name of the event's table in the statement. Events after the last
/// thinned one, which are nearly all that the projection reads, cost a comparison and no look-up.
macro_rules! stored_digest {
    ($event:literal) => {
        concat!(
            "CASE WHEN ",
            $event,
            ".seq <= (SELECT max(thinned.seq) FROM thinned) THEN coalesce((
                 SELECT thinned.digest FROM thinned WHERE thinned.seq = ",
            $event,
            ".seq), ",
            $event,
            ".digest) ELSE ",
            $event,
            ".digest END"
        )
    };
}
pub(in crate::store) use stored_digest;

/// SQL expression for the digest that the body of `event` must have, in a database of this or an older schema.
pub(in crate::store) fn digest_of_event(connection: &Connection) -> Result<&'static str> {
    Ok(if has_table(connection)? {
        stored_digest!("event")
    } else {
        "event.digest"
    })
}

/// Whether the schema has the table of thinned events.
pub(in crate::store) fn has_table(connection: &Connection) -> Result<bool> {
    let count = "SELECT count(*) FROM sqlite_schema WHERE name = 'thinned'";
    connection.query_row(count, [], |row| row.get(0))
}
