//! Reads the saved position of a reader inside the program.

use sqlx::Row;

use super::reader::{Files, Reader};
use crate::store::error::ReadError;

const OFFSET: &str = "
    SELECT seq FROM reader_offset WHERE name = ? AND epoch = (SELECT epoch FROM identity)";

impl Reader {
    /// The seq that was saved under `name` in this epoch.
    pub(in crate::store) async fn saved_offset(
        &self,
        name: &str,
    ) -> Result<Option<i64>, ReadError> {
        let row = sqlx::query(OFFSET)
            .bind(name)
            .fetch_optional(&mut *self.lease(Files::Events).await?)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}
