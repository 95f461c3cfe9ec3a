//! Reads what is saved about the files of messages.

use data_encoding::HEXLOWER;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::history::MessageId;
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::model::{FileState, KeptFile, Message, canonical_chat};
use crate::store::error::ReadError;

/// Events that may name a file: those of the types with a file, and those that quote a message with one. A text that
/// quotes has the type `quotedMessage`, so the bodies of plain texts, which are most, are not searched. Nor are
/// compressed ones, which the caller reads.
const CANDIDATES: &str = "
    SELECT seq FROM event
    WHERE seq > ?1 AND seq <= ?2 AND id_instance IN (SELECT value FROM json_each(?3))
      AND outcome = 'known' AND received_at >= ?4
      AND type_webhook IN ('incomingMessageReceived', 'outgoingMessageReceived', 'outgoingAPIMessageReceived')
      AND (type_message IN ('imageMessage', 'videoMessage', 'documentMessage', 'audioMessage', 'stickerMessage')
           OR type_message <> 'textMessage'
              AND (size IS NOT NULL OR instr(body, CAST('\"downloadUrl\"' AS BLOB)) > 0))
    ORDER BY seq LIMIT ?5";

/// The files that are due. One that is due later than any delay allows counts too: the clock was set back.
const DUE: &str = "
    SELECT seq, attempts, id_instance FROM media_file
    WHERE due_at IS NOT NULL AND (due_at <= ?1 OR due_at > ?2) ORDER BY due_at LIMIT ?3";

macro_rules! columns {
    () => {
        "SELECT seq, id_instance, chat, id_message, attempts, due_at, digest, bytes, problem FROM media_file "
    };
}

const OF_EVENT: &str = concat!(columns!(), "WHERE seq = ?1");

/// A kept one comes first, then the oldest.
const OF_MESSAGE: &str = concat!(
    columns!(),
    "WHERE id_message = ?1 AND id_instance = ?2 AND chat = ?3
     ORDER BY digest IS NULL, due_at IS NULL, seq LIMIT 1"
);

/// The same for each of a JSON array of accounts, chats and messages.
const OF_MESSAGES: &str = concat!(
    columns!(),
    "WHERE seq IN (
        SELECT (SELECT one.seq FROM media_file AS one
                WHERE one.id_message = wanted.value ->> 2 AND one.id_instance = wanted.value ->> 0
                  AND one.chat = wanted.value ->> 1
                ORDER BY one.digest IS NULL, one.due_at IS NULL, one.seq LIMIT 1)
        FROM json_each(?1) AS wanted)"
);

const EXPIRED: &str = "SELECT seq, digest FROM media_file WHERE seq <= ?1 ORDER BY seq LIMIT ?2";

const WITH_DIGEST: &str = "SELECT 1 FROM media_file WHERE digest = ?1 LIMIT 1";

const DIGESTS: &str = "
    SELECT DISTINCT digest FROM media_file WHERE digest >= ?1 AND digest <= ?2";

const WAITING: &str = "
    SELECT count(*), count(*) FILTER (WHERE attempts = 0) FROM media_file WHERE due_at IS NOT NULL";

const BYTES: &str = "
    SELECT coalesce(sum(bytes), 0) FROM (
        SELECT DISTINCT digest, bytes FROM media_file WHERE digest IS NOT NULL)";

/// A file whose next attempt is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueFile {
    /// The event that names it.
    pub seq: i64,
    /// Attempts so far.
    pub attempts: u32,
    /// The account.
    pub id_instance: i64,
}

/// A file that an event names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRow {
    /// The message whose file it is.
    pub id: MessageId,
    /// SHA-256 of the file, if it is kept.
    pub digest: Option<[u8; 32]>,
    /// What has become of it.
    pub file: KeptFile,
}

impl Reader {
    /// At most `limit` events after `after` and up to `through` that may name a file: messages of these accounts that
    /// arrived at `since` or later.
    pub(in crate::store) async fn media_candidates(
        &self,
        (after, through): (i64, i64),
        instances: &str,
        since: UnixMillis,
        limit: u32,
    ) -> Result<Vec<i64>, ReadError> {
        let rows = sqlx::query(CANDIDATES)
            .bind(after)
            .bind(through)
            .bind(instances)
            .bind(since.0)
            .bind(limit)
            .fetch_all(&mut *self.lease(Files::Events).await?)
            .await;
        let rows = self.check_events(rows.map_err(ReadError::from))?;
        Ok(rows
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?)
    }

    /// At most `limit` files that are due at `now`. One that is due after `latest` counts too.
    pub(in crate::store) async fn due_media(
        &self,
        (now, latest): (UnixMillis, UnixMillis),
        limit: u32,
    ) -> Result<Vec<DueFile>, ReadError> {
        let rows = sqlx::query(DUE)
            .bind(now.0)
            .bind(latest.0)
            .bind(limit)
            .fetch_all(&mut *self.lease(Files::Events).await?)
            .await?;
        let due = rows.iter().map(|row| {
            Ok(DueFile {
                seq: row.try_get("seq")?,
                attempts: row.try_get("attempts")?,
                id_instance: row.try_get("id_instance")?,
            })
        });
        Ok(due.collect::<Result<_, sqlx::Error>>()?)
    }

    /// The file that the event `seq` names, if one is recorded.
    pub async fn file_of_event(&self, seq: i64) -> Result<Option<NamedRow>, ReadError> {
        let row = sqlx::query(OF_EVENT)
            .bind(seq)
            .fetch_optional(&mut *self.lease(Files::Events).await?)
            .await?;
        Ok(row.as_ref().map(named).transpose()?)
    }

    /// The file of a message, if one is recorded. Of several, a kept one.
    pub async fn file_of_message(&self, id: &MessageId) -> Result<Option<NamedRow>, ReadError> {
        let row = sqlx::query(OF_MESSAGE)
            .bind(&id.id_message)
            .bind(id.id_instance)
            .bind(canonical_chat(&id.chat_id).into_owned())
            .fetch_optional(&mut *self.lease(Files::Events).await?)
            .await?;
        Ok(row.as_ref().map(named).transpose()?)
    }

    /// Says of the files of messages what has become of them. Messages without a file cost nothing.
    pub(super) async fn mark_files<'m>(
        &self,
        messages: impl IntoIterator<Item = &'m mut Message>,
    ) -> Result<(), ReadError> {
        let with_file = |message: &&mut Message| message.file.is_some();
        let mut messages: Vec<_> = messages.into_iter().filter(with_file).collect();
        if messages.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = messages
            .iter()
            .map(|message| (message.id_instance, &message.chat_id, &message.id_message))
            .collect();
        let rows = sqlx::query(OF_MESSAGES)
            .bind(serde_json::to_string(&ids).unwrap_or_default())
            .fetch_all(&mut *self.lease(Files::Events).await?)
            .await?;
        let rows: Vec<_> = rows.iter().map(named).collect::<Result<_, _>>()?;
        for message in &mut messages {
            let (chat, id) = (message.chat_id.as_deref(), message.id_message.as_deref());
            let found = rows.iter().find(|row| {
                row.id.id_instance == message.id_instance
                    && Some(&*row.id.chat_id) == chat
                    && Some(&*row.id.id_message) == id
            });
            if let (Some(file), Some(found)) = (&mut message.file, found) {
                file.kept = Some(found.file.clone());
            }
        }
        Ok(())
    }

    /// At most `limit` rows of deleted events, from the oldest on: the last of their seqs, and the files that they
    /// name. `None` if there are none up to `through`.
    pub(in crate::store) async fn expired_media(
        &self,
        through: i64,
        limit: u32,
    ) -> Result<Option<(i64, Vec<[u8; 32]>)>, ReadError> {
        let rows = sqlx::query(EXPIRED)
            .bind(through)
            .bind(limit)
            .fetch_all(&mut *self.lease(Files::Events).await?)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let mut digests = Vec::new();
        for row in &rows {
            digests.extend(digest(row)?);
        }
        digests.sort_unstable();
        digests.dedup();
        Ok(Some((last.try_get("seq")?, digests)))
    }

    /// Whether an event names a kept file with this digest.
    pub(in crate::store) async fn has_media(&self, digest: &[u8; 32]) -> Result<bool, ReadError> {
        let found = sqlx::query(WITH_DIGEST)
            .bind(&digest[..])
            .fetch_optional(&mut *self.lease(Files::Events).await?)
            .await?;
        Ok(found.is_some())
    }

    /// The digests of kept files that begin with `first`.
    pub(in crate::store) async fn media_digests(
        &self,
        first: u8,
    ) -> Result<Vec<[u8; 32]>, ReadError> {
        let (mut least, mut most) = ([0; 32], [u8::MAX; 32]);
        (least[0], most[0]) = (first, first);
        let rows = sqlx::query(DIGESTS)
            .bind(&least[..])
            .bind(&most[..])
            .fetch_all(&mut *self.lease(Files::Events).await?)
            .await?;
        let mut digests = Vec::with_capacity(rows.len());
        for row in &rows {
            digests.extend(digest(row)?);
        }
        Ok(digests)
    }

    /// How many files wait, and how many of them were never tried.
    pub(in crate::store) async fn waiting_media(&self) -> Result<(u64, u64), ReadError> {
        let row = sqlx::query(WAITING)
            .fetch_one(&mut *self.lease(Files::Events).await?)
            .await?;
        let (waiting, untried): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok((waiting.unsigned_abs(), untried.unsigned_abs()))
    }

    /// The bytes of all kept files.
    pub(in crate::store) async fn media_bytes(&self) -> Result<u64, ReadError> {
        let row = sqlx::query(BYTES)
            .fetch_one(&mut *self.lease(Files::Events).await?)
            .await?;
        let bytes: i64 = row.try_get(0)?;
        Ok(bytes.unsigned_abs())
    }
}

fn digest(row: &SqliteRow) -> Result<Option<[u8; 32]>, sqlx::Error> {
    let bytes: Option<&[u8]> = row.try_get("digest")?;
    bytes
        .map(|bytes| {
            bytes
                .try_into()
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))
        })
        .transpose()
}

fn named(row: &SqliteRow) -> Result<NamedRow, sqlx::Error> {
    let digest = digest(row)?;
    let due_at: Option<i64> = row.try_get("due_at")?;
    let problem: &str = row.try_get("problem")?;
    let state = match (digest, due_at) {
        (Some(_), _) => FileState::Kept,
        (None, Some(_)) => FileState::Waiting,
        (None, None) => FileState::Lost,
    };
    Ok(NamedRow {
        id: MessageId {
            id_instance: row.try_get("id_instance")?,
            chat_id: row.try_get("chat")?,
            id_message: row.try_get("id_message")?,
        },
        digest,
        file: KeptFile {
            state,
            bytes: row.try_get("bytes")?,
            sha256: digest.map(|digest| HEXLOWER.encode(&digest)),
            attempts: row.try_get("attempts")?,
            problem: Some(problem)
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            seq: row.try_get("seq")?,
        },
    })
}
