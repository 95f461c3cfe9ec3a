//! Bodies as they are on disk, read with SQLite and zstd alone.

use rusqlite::{Connection, OptionalExtension, Result};
use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_dict_id_from_frame;

/// The received bytes of a body, from the columns `body` and `size`. `None` if the frame does not expand.
pub fn expand(database: &Connection, body: Vec<u8>, size: Option<i64>) -> Result<Option<Vec<u8>>> {
    let Some(size) = size else {
        return Ok(Some(body));
    };
    let size = usize::try_from(size).unwrap_or(0);
    let id = get_dict_id_from_frame(&body).map(u32::from);
    let dictionary: Option<Vec<u8>> = database
        .prepare_cached("SELECT bytes FROM dictionary WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let bytes = Decompressor::with_dictionary(&dictionary.unwrap_or_default())
        .and_then(|mut decompressor| decompressor.decompress(&body, size));
    Ok(bytes.ok().filter(|bytes| bytes.len() == size))
}

/// The received bytes of an event, if it is stored.
pub fn received(database: &Connection, seq: i64) -> Result<Option<Vec<u8>>> {
    let stored = database
        .prepare_cached("SELECT body, size FROM event WHERE seq = ?1")?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match stored {
        Some((body, size)) => expand(database, body, size),
        None => Ok(None),
    }
}

/// Stores every body as it was received, so that a test can change its text.
pub fn uncompress(database: &Connection) {
    let mut seqs = database
        .prepare("SELECT seq FROM event WHERE size IS NOT NULL")
        .unwrap();
    let seqs: Vec<i64> = seqs
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for seq in seqs {
        let body = received(database, seq).unwrap().unwrap();
        let update = "UPDATE event SET body = ?2, size = NULL WHERE seq = ?1";
        database.execute(update, (seq, body)).unwrap();
    }
}
