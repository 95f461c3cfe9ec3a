//! One attempt to get a file: from its link, or from a new link of `downloadFile`.

use std::collections::HashMap;

use super::fetch::{FetchError, Fetcher};
use super::folder::{Complete, FileDigest, Folder};
use super::named::{NamedFile, named_file};
use super::room::Room;
use crate::green_api::{Account, Api, CallError, Refusal};
use crate::store::{DueFile, ReadError, Reader};

/// Failed attempts after which `downloadFile` is called although the link may work again. Its calls are limited.
const PATIENCE: u32 = 2;

/// Makes attempts.
#[derive(Debug)]
pub(super) struct Downloader {
    pub(super) reader: Reader,
    pub(super) fetcher: Fetcher,
    pub(super) folder: Folder,
    pub(super) room: Room,
    /// The accounts that keep files.
    pub(super) accounts: HashMap<i64, Account>,
    pub(super) api: Api,
}

/// How an attempt ended. A problem holds neither a URL nor a word of a response.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The file is complete, and has no name yet.
    Complete(Complete),
    /// The same message has its file already.
    Same(FileDigest, u64),
    /// A later attempt may succeed.
    Failed(String),
    /// No attempt will succeed.
    Lost(String),
    /// The event is deleted.
    Gone,
    /// The database could not be read, so no attempt was made.
    NotNow,
}

impl Downloader {
    pub(super) async fn attempt(&self, due: DueFile) -> Verdict {
        // The memory of the body is free before the download begins.
        let file = match self.reader.body(due.seq).await {
            Ok(Some(body)) => named_file(&body.entry.1),
            Ok(None) => return Verdict::Gone,
            Err(ReadError::Damaged(_) | ReadError::DamagedBody) => {
                return Verdict::Lost("the event that names the file is damaged".to_owned());
            }
            Err(_) => return Verdict::NotNow,
        };
        let Some(file) = file else {
            return Verdict::Gone;
        };
        if file.is_too_large {
            return Verdict::Lost("GREEN-API does not pass on files over 100 MB".to_owned());
        }
        let Some(account) = self.accounts.get(&due.id_instance) else {
            return Verdict::Lost("its account keeps no files any more".to_owned());
        };
        match self.reader.file_of_message(&file.id).await {
            Ok(Some(row)) => {
                let bytes = row.digest.and_then(|digest| self.folder.length(&digest));
                if let (Some(digest), Some(bytes)) = (row.digest, bytes) {
                    return Verdict::Same(digest, bytes);
                }
            }
            Ok(None) => {}
            Err(_) => return Verdict::NotNow,
        }
        self.download(account, &file, due.attempts).await
    }

    async fn download(&self, account: &Account, file: &NamedFile, attempts: u32) -> Verdict {
        let failure = match &file.url {
            Some(url) => match self.fetch(url).await {
                Ok(complete) => return Verdict::Complete(complete),
                Err(failure) => failure,
            },
            None => FetchError::Dead("the event has none".to_owned()),
        };
        let may_pass = match &failure {
            FetchError::TooLarge => return Verdict::Lost(failure.to_string()),
            FetchError::NoRoom(_) | FetchError::Disk(_) => {
                return Verdict::Failed(failure.to_string());
            }
            FetchError::Network(_) => true,
            FetchError::Refused(_) | FetchError::Dead(_) => false,
        };
        if may_pass && attempts < PATIENCE {
            return Verdict::Failed(failure.to_string());
        }
        let called = self
            .api
            .download_file(account, &file.chat_id, &file.id.id_message);
        match called.await {
            Ok(Some(url)) if file.url.as_ref() != Some(&url) => match self.fetch(&url).await {
                Ok(complete) => Verdict::Complete(complete),
                Err(failure @ FetchError::TooLarge) => Verdict::Lost(failure.to_string()),
                Err(failure) => Verdict::Failed(format!("downloadFile: {failure}")),
            },
            Ok(Some(_)) => Verdict::Failed(format!("{failure}; downloadFile has the same link")),
            Ok(None) if may_pass => Verdict::Failed(failure.to_string()),
            Ok(None) => Verdict::Lost(format!("{failure}; downloadFile has no file")),
            Err(error) => Verdict::Failed(format!("{failure}; downloadFile: {}", said(&error))),
        }
    }

    async fn fetch(&self, url: &str) -> Result<Complete, FetchError> {
        self.fetcher.fetch(url, &self.folder, &self.room).await
    }
}

/// A failed call in a few words, without the server's text.
fn said(error: &CallError) -> &'static str {
    match error {
        CallError::NoAnswer { .. } => "no response",
        CallError::Odd { .. } => "the response is not understood",
        CallError::Refused { refusal, .. } => match refusal {
            Refusal::Unauthorized => "the API token is wrong",
            Refusal::Quota(_) => "the monthly quota of the tariff is used up",
            Refusal::TooMany => "too many calls",
            Refusal::NotAuthorized => "the instance is not authorized",
            Refusal::Starting => "the instance is starting",
            Refusal::Server(..) => "a server error",
            _ => "refused",
        },
    }
}
