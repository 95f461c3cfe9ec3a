//! Finds the words of the search index that have the prefixes of a search.
//!
//! FTS5 answers a query for a prefix by merging the entries of all words that have it before it returns the first
//! message. The same words, combined by OR, are read from the newest message on, and only as far as the page needs.

use std::collections::BTreeMap;

use super::reader::{Files, Reader};
use crate::store::error::ReadError;
use crate::store::projection::Words;

/// Words that a prefix is replaced by. If there are more, FTS5 merges them: to look for each takes longer then.
const MAX_ALTERNATIVES: u32 = 128;

/// Jumps from each word to the next. `instance` has a row for each message, which `LIMIT 1` does not read. No word has the
/// character 1 in it.
const WITH_PREFIX: &str = "
    WITH RECURSIVE found (term) AS (
        SELECT (SELECT term FROM projection.vocabulary WHERE term >= ?1 LIMIT 1)
        UNION ALL
        SELECT (SELECT term FROM projection.vocabulary WHERE term >= found.term || char(1) LIMIT 1)
        FROM found WHERE found.term < ?2
    )
    SELECT term FROM found WHERE term >= ?1 AND term < ?2 LIMIT ?3";

impl Reader {
    /// The words of the index with each prefix of a search. A prefix that very many words have is left out.
    pub(super) async fn words_with_prefixes(
        &self,
        words: &Words,
    ) -> Result<BTreeMap<String, Vec<String>>, ReadError> {
        let mut known = BTreeMap::new();
        for prefix in words.prefixes() {
            let mut lease = self.lease(Files::Both).await?;
            let found: Vec<String> = sqlx::query_scalar(WITH_PREFIX)
                .bind(prefix)
                .bind(format!("{prefix}{}", char::MAX))
                .bind(MAX_ALTERNATIVES + 1)
                .fetch_all(&mut *lease)
                .await?;
            if found.len() <= MAX_ALTERNATIVES as usize {
                known.insert(prefix.to_owned(), found);
            }
        }
        Ok(known)
    }
}
