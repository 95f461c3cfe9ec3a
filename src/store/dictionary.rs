//! The dictionaries that bodies are compressed with. A frame names its dictionary by a number.
//!
//! The dictionary of this program is a part of it and is read from nowhere else, so that a damaged page of the table
//! `dictionary` costs no body. The table is for other programs, for later versions and for dictionaries of other
//! versions.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Result};
use tracing::error;
use zstd::zstd_safe::{CDict, DDict};

/// The number of the dictionary that new bodies are compressed with.
const NUMBER: u32 = 1;

/// It was trained on the samples of `src/sample` by the test `write_the_dictionary` in `tests/it/store`. It never
/// changes: another one gets another number.
const BYTES: &[u8] = include_bytes!("bodies-1.dict");

/// The compression level. Level 1 takes half of the time and leaves a tenth more bytes.
const LEVEL: i32 = 3;

static FOR_COMPRESSING: LazyLock<CDict<'static>> = LazyLock::new(|| CDict::create(BYTES, LEVEL));

static FOR_EXPANDING: LazyLock<Arc<DDict<'static>>> =
    LazyLock::new(|| Arc::new(DDict::create(BYTES)));

const SELECT: &str = "SELECT bytes FROM dictionary WHERE id = ?1";

const SELECT_ALL: &str = "SELECT id, bytes FROM dictionary";

const INSERT: &str = "INSERT OR REPLACE INTO dictionary (id, bytes) VALUES (?1, ?2)";

/// The dictionary that new bodies are compressed with.
pub(in crate::store) fn for_compressing() -> &'static CDict<'static> {
    &FOR_COMPRESSING
}

/// Puts the program's dictionary into the table, unless it is there. Damaged bytes are replaced.
pub(in crate::store) fn insert(connection: &Connection) -> Result<()> {
    let inserted = select(connection, NUMBER).and_then(|found| match found {
        Some(found) if found == BYTES => Ok(()),
        _ => connection.execute(INSERT, (NUMBER, BYTES)).map(drop),
    });
    match inserted {
        Err(failure) if failure.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            error!(
                %failure,
                "the table `dictionary` is damaged: {failure}\n  help: green-inbox does not need it to read the bodies, \
                 but other programs do; restore a backup"
            );
            Ok(())
        }
        inserted => inserted,
    }
}

/// What is wrong with the program's dictionary in the table, if there is one.
pub(in crate::store) fn problem(connection: &Connection) -> Option<String> {
    let damage = match select(connection, NUMBER) {
        // A server puts it into a new or an old database when it starts.
        Ok(None) => return None,
        Ok(Some(found)) if found == BYTES => return None,
        Ok(Some(_)) => "its bytes have changed".to_owned(),
        // A database of an older schema has no such table.
        Err(failure) if failure.sqlite_error_code() == Some(ErrorCode::Unknown) => return None,
        Err(failure) => failure.to_string(),
    };
    Some(format!(
        "dictionary {NUMBER} is damaged: {damage}; green-inbox has a copy of its own, and a server that starts repairs it"
    ))
}

/// The bytes of a dictionary of the table.
pub(in crate::store) fn select(connection: &Connection, id: u32) -> Result<Option<Vec<u8>>> {
    let mut select = connection.prepare_cached(SELECT)?;
    select.query_row([id], |row| row.get(0)).optional()
}

/// The dictionaries that frames may name.
#[derive(Default)]
pub(in crate::store) struct Dictionaries {
    /// Those that are not a part of this program.
    others: RwLock<BTreeMap<u32, Arc<DDict<'static>>>>,
}

impl Dictionaries {
    /// Reads all dictionaries of the table. Unreadable ones are left out.
    pub(in crate::store) fn read(connection: &Connection) -> Self {
        let dictionaries = Self::default();
        let read = || -> Result<()> {
            let mut select = connection.prepare(SELECT_ALL)?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                if let (Ok(id), Ok(bytes)) = (row.get(0), row.get::<_, Vec<u8>>(1)) {
                    dictionaries.find(id, |_| Some(bytes));
                }
            }
            Ok(())
        };
        // `insert` has reported the damage.
        let _ = read();
        dictionaries
    }

    /// The dictionary `id`. If it is not known yet, `look_up` is asked for its bytes.
    pub(in crate::store) fn find(
        &self,
        id: u32,
        look_up: impl FnOnce(u32) -> Option<Vec<u8>>,
    ) -> Option<Arc<DDict<'static>>> {
        if id == NUMBER {
            return Some(Arc::clone(&FOR_EXPANDING));
        }
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(&id) {
            return Some(Arc::clone(known));
        }
        drop(others);
        let found = Arc::new(DDict::try_create(&look_up(id)?)?);
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(others.entry(id).or_insert(found)))
    }
}

impl std::fmt::Debug for Dictionaries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dictionaries").finish_non_exhaustive()
    }
}
