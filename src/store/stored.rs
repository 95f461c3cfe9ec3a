//! Rows of any table, byte for byte. Text is copied even where damage has made it invalid UTF-8.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Result, Row};

/// A value as SQLite stores it, in SQLite's order.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(in crate::store) enum Stored {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl From<ValueRef<'_>> for Stored {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => Self::Text(bytes.to_vec()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl ToSql for Stored {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(bytes) => ValueRef::Text(bytes),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The values of a row, in the order of the table's columns.
pub(in crate::store) type StoredRow = Vec<Stored>;

/// Reads all columns of a row.
pub(in crate::store) fn read(row: &Row<'_>) -> Result<StoredRow> {
    (0..row.as_ref().column_count())
        .map(|column| row.get_ref(column).map(Stored::from))
        .collect()
}
