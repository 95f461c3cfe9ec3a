//! Downloads a file into the folder, chunk by chunk. Nothing of a file is held in memory but a few chunks.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::folder::{Complete, Folder, Incoming};
use super::guard::{Guard, Refused};
use super::room::{NoRoom, Room, Taken};
use crate::config;
use crate::outbound::{SendError, innermost};

/// Time to connect to a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Time without a byte after which a download fails.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Redirects of one download. Each is checked like the first URL.
const MAX_REDIRECTS: usize = 5;

/// Bytes of a URL.
const URL_BYTES: usize = 8 * 1024;

/// Chunks that wait to be written. A server that is faster than the disk is read more slowly.
const CHUNKS: usize = 4;

/// Why there is no file. The texts hold neither a URL nor a word of the response.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The URL must not be requested.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The link does not work, and will not.
    #[error("the link is dead: {0}")]
    Dead(String),
    /// The file is larger than allowed.
    #[error("the file is larger than media.max_file_bytes")]
    TooLarge,
    /// There is no room for it at the moment.
    #[error("{0}")]
    NoRoom(#[from] NoRoom),
    /// The server or the network failed.
    #[error("{0}")]
    Network(String),
    /// The file cannot be written.
    #[error("the file cannot be written: {0}")]
    Disk(#[from] io::Error),
}

/// Downloads files. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    secure: (Client, Guard),
    plain: (Client, Guard),
    max_bytes: u64,
    timeout: Duration,
}

impl Fetcher {
    /// Prepares the clients without opening a connection.
    pub(super) fn new(settings: &config::Media) -> Result<Self, SendError> {
        let client = |guard: Guard| {
            let built = Client::builder()
                // A proxy would resolve names itself.
                .no_proxy()
                // Each redirect is checked here.
                .redirect(Policy::none())
                .referer(false)
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(STALL_TIMEOUT)
                .https_only(guard.is_secure())
                .dns_resolver(guard.clone())
                .user_agent(concat!("green-inbox/", env!("CARGO_PKG_VERSION")))
                .build();
            built
                .map(|client| (client, guard))
                .map_err(|error| SendError::Setup(innermost(&error)))
        };
        Ok(Self {
            secure: client(Guard::secure(&settings.allow_private))?,
            plain: client(Guard::plain(&settings.allow_private))?,
            max_bytes: settings.max_file_bytes,
            timeout: Duration::from_secs(settings.timeout_seconds.into()),
        })
    }

    /// Downloads a file. It is complete and on disk, and has no name yet.
    pub(super) async fn fetch(
        &self,
        url: &str,
        folder: &Folder,
        room: &Room,
    ) -> Result<Complete, FetchError> {
        let download = async {
            let response = self.request(url).await?;
            self.save(response, folder, room).await
        };
        timeout(self.timeout, download).await.unwrap_or_else(|_| {
            let seconds = self.timeout.as_secs();
            let problem = format!("the file did not arrive within {seconds} s");
            Err(FetchError::Network(problem))
        })
    }

    /// Requests a URL and follows its redirects. The response is a success.
    async fn request(&self, url: &str) -> Result<Response, FetchError> {
        if url.len() > URL_BYTES {
            return Err(FetchError::Dead("it is too long".to_owned()));
        }
        let unreadable = |_| FetchError::Dead("it is no URL".to_owned());
        let mut url = Url::parse(url).map_err(unreadable)?;
        for _ in 0..=MAX_REDIRECTS {
            let (client, guard) = match url.scheme() {
                "https" => &self.secure,
                "http" => &self.plain,
                _ => return Err(Refused::Scheme.into()),
            };
            guard.check(&url)?;
            let response = client.get(url.clone()).send().await.map_err(failed)?;
            if !response.status().is_redirection() {
                return checked(response);
            }
            let location = response.headers().get(LOCATION);
            let next = location.and_then(|to| to.to_str().ok());
            let next = next.filter(|to| to.len() <= URL_BYTES);
            url = next
                .and_then(|to| url.join(to).ok())
                .ok_or_else(|| FetchError::Dead("it redirects to no URL".to_owned()))?;
        }
        Err(FetchError::Dead("it redirects too often".to_owned()))
    }

    /// Writes the body of a response.
    async fn save(
        &self,
        mut response: Response,
        folder: &Folder,
        room: &Room,
    ) -> Result<Complete, FetchError> {
        if response
            .content_length()
            .is_some_and(|bytes| bytes > self.max_bytes)
        {
            return Err(FetchError::TooLarge);
        }
        let (chunks, waiting) = mpsc::channel(CHUNKS);
        let (folder, taken) = (folder.clone(), room.begin());
        let written = spawn_blocking(move || write(&folder, taken, waiting));
        let mut bytes = 0;
        // The file is removed if the loop ends without the end of the body, as when this future is dropped.
        loop {
            let chunk = response.chunk().await.map_err(failed)?;
            bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
            if bytes > self.max_bytes {
                return Err(FetchError::TooLarge);
            }
            let is_end = chunk.is_none();
            // The writing has failed if nobody waits for the chunk.
            if chunks.send(chunk).await.is_err() || is_end {
                break;
            }
        }
        if bytes == 0 {
            return Err(FetchError::Dead("the file is empty".to_owned()));
        }
        written.await.map_err(io::Error::other)?
    }
}

/// Writes chunks until `None`, which is the end of the body.
fn write(
    folder: &Folder,
    mut taken: Taken,
    mut chunks: mpsc::Receiver<Option<Bytes>>,
) -> Result<Complete, FetchError> {
    let mut incoming: Incoming = folder.begin()?;
    while let Some(chunk) = chunks.blocking_recv() {
        let Some(chunk) = chunk else {
            return Ok(incoming.complete(Some(taken))?);
        };
        taken.take(chunk.len() as u64)?;
        incoming.write(&chunk)?;
    }
    Err(FetchError::Network("the download was given up".to_owned()))
}

fn checked(response: Response) -> Result<Response, FetchError> {
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    let answered = format!("the server answered {}", status.as_u16());
    // These, and only these of the client errors, say that the same request may succeed later.
    let passes = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    if status.is_server_error() || passes.contains(&status) {
        Err(FetchError::Network(answered))
    } else {
        Err(FetchError::Dead(answered))
    }
}

/// The failure of a request. The URL is left out.
fn failed(error: reqwest::Error) -> FetchError {
    let error = error.without_url();
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return FetchError::Refused(*refused);
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        return FetchError::Network("the server did not answer in time".to_owned());
    }
    FetchError::Network(format!("no response: {}", innermost(&error)))
}
