//! The columns of an event that parsing its body gives: one list and one struct for every statement that
//! writes or reads them.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Result, Row, Statement};

use crate::model::OutcomeKind;
use crate::notification::scalar::Text;
use crate::notification::{Outcome, Parsed};

/// The names of the columns of [`EventColumns`], in its order.
macro_rules! event_columns {
    () => {
        "outcome, reason, id_instance, type_instance, type_webhook, type_message, id_message, chat_id, sender, \
         timestamp"
    };
}
pub(in crate::store) use event_columns;

/// How a body was parsed, and the fields that filters use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct EventColumns {
    pub(in crate::store) outcome: OutcomeKind,
    pub(in crate::store) reason: Option<String>,
    pub(in crate::store) id_instance: Option<i64>,
    pub(in crate::store) type_instance: Option<String>,
    pub(in crate::store) type_webhook: Option<String>,
    pub(in crate::store) type_message: Option<String>,
    pub(in crate::store) id_message: Option<String>,
    pub(in crate::store) chat_id: Option<String>,
    pub(in crate::store) sender: Option<String>,
    pub(in crate::store) timestamp: Option<i64>,
}

impl EventColumns {
    /// How many columns there are.
    pub(in crate::store) const COUNT: usize = 10;

    /// The columns of a parsed body.
    pub(in crate::store) fn of(parsed: &Parsed<'_>) -> Self {
        let (outcome, reason) = match &parsed.outcome {
            Outcome::Known(_) => (OutcomeKind::Known, None),
            Outcome::Unknown(_) => (OutcomeKind::Unknown, None),
            Outcome::Malformed(reason) => (OutcomeKind::Malformed, Some(reason.to_string())),
        };
        let owned = |text: &Option<Text<'_>>| text.as_deref().map(str::to_owned);
        let columns = &parsed.columns;
        Self {
            outcome,
            reason,
            id_instance: columns.id_instance,
            type_instance: owned(&columns.type_instance),
            type_webhook: owned(&columns.type_webhook),
            type_message: owned(&columns.type_message),
            id_message: owned(&columns.id_message),
            chat_id: owned(&columns.chat_id),
            sender: owned(&columns.sender),
            timestamp: columns.timestamp,
        }
    }

    /// Binds the columns to the parameters 1 to [`COUNT`](Self::COUNT) of a statement.
    pub(in crate::store) fn bind(&self, statement: &mut Statement<'_>) -> Result<()> {
        let values: [&dyn ToSql; Self::COUNT] = [
            &self.outcome,
            &self.reason,
            &self.id_instance,
            &self.type_instance,
            &self.type_webhook,
            &self.type_message,
            &self.id_message,
            &self.chat_id,
            &self.sender,
            &self.timestamp,
        ];
        for (index, value) in values.into_iter().enumerate() {
            statement.raw_bind_parameter(index + 1, value)?;
        }
        Ok(())
    }

    /// Reads the columns from a row whose first columns they are.
    pub(in crate::store) fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            outcome: row.get(0)?,
            reason: row.get(1)?,
            id_instance: row.get(2)?,
            type_instance: row.get(3)?,
            type_webhook: row.get(4)?,
            type_message: row.get(5)?,
            id_message: row.get(6)?,
            chat_id: row.get(7)?,
            sender: row.get(8)?,
            timestamp: row.get(9)?,
        })
    }
}

impl ToSql for OutcomeKind {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for OutcomeKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_name(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}
