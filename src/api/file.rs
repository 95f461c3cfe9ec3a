//! `GET …/file` of an event and of a message: the kept file.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Method, StatusCode};
use tokio::task::spawn_blocking;
use tracing::error;

use super::disposition::attachment;
use super::etag::EntityTag;
use super::message::read_id;
use super::parameters::Parameters;
use super::range::Wanted;
use super::{Api, event};
use crate::http::Problem;
use crate::media::{FileDigest, named_file};
use crate::model::{FileState, KeptFile};
use crate::store::NamedRow;

/// Bytes that are read and sent at a time.
const CHUNK: u64 = 64 * 1024;

/// Characters of a media type.
const TYPE_CHARACTERS: usize = 127;

/// `Content-Type` of a file whose type is missing or not usable.
const BYTES: &str = "application/octet-stream";

/// A file comes from a stranger: a browser saves it, and runs nothing in it if it shows it all the same.
const SANDBOX: &str = "sandbox; default-src 'none'";

/// The database may be replaced by another, so caches must revalidate.
const REVALIDATE: &str = "private, no-cache";

/// Returns the file that an event names, byte for byte as it was downloaded
///
/// `Content-Type` and the name in `Content-Disposition` are those of the notification. If the file is not kept, the
/// answer is 404: `file-waiting` (it will be downloaded), `file-lost`, or `file-not-kept` (the event names no file, or
/// its account keeps none).
///
/// A request with `Range: bytes=…` and one range gets that part of the file. Several ranges get the whole file.
#[utoipa::path(
    get,
    path = "/api/v1/events/{seq}/file",
    tag = "events",
    params(("seq" = i64, Path, description = "sequence number of the event")),
    responses(
        (status = OK, description = "the file", content_type = "application/octet-stream", body = Vec<u8>, headers(("etag" = String, description = "strong tag for `If-None-Match`: the SHA-256 of the file"))),
        (status = PARTIAL_CONTENT, description = "the part of the file that `Range` names", content_type = "application/octet-stream", body = Vec<u8>, headers(("content-range" = String, description = "first byte, last byte and bytes of the file"), ("etag" = String, description = "the tag of the whole file, for `If-Range`"))),
        (status = NOT_MODIFIED, description = "`If-None-Match` has the tag of the file"),
        (status = RANGE_NOT_SATISFIABLE, description = "`Range` begins beyond the end of the file", body = Problem, content_type = "application/problem+json", headers(("content-range" = String, description = "bytes of the file"))),
        (status = "4XX", description = "refused, or there is none", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn of_event(
    State(api): State<Arc<Api>>,
    seq: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seq = event::read_seq(seq, query.as_deref())?;
    let row = api.reader.file_of_event(seq).await?;
    if row.is_none() && api.reader.event_without_body(seq).await?.is_none() {
        return Err(Problem::not_found());
    }
    answer(&api, row, &method, &headers).await
}

/// Returns the file of a message, byte for byte as it was downloaded
///
/// Also of a message that is known only because another one quotes it. Headers and errors are those of
/// `/api/v1/events/{seq}/file`.
#[utoipa::path(
    get,
    path = "/api/v1/messages/{idInstance}/{chatId}/{idMessage}/file",
    tag = "messages",
    params(
        ("idInstance" = i64, Path, description = "the account"),
        ("chatId" = String, Path, description = "the chat, in any of its forms"),
        ("idMessage" = String, Path, description = "the message, unique only within its chat"),
    ),
    responses(
        (status = OK, description = "the file", content_type = "application/octet-stream", body = Vec<u8>, headers(("etag" = String, description = "strong tag for `If-None-Match`: the SHA-256 of the file"))),
        (status = PARTIAL_CONTENT, description = "the part of the file that `Range` names", content_type = "application/octet-stream", body = Vec<u8>, headers(("content-range" = String, description = "first byte, last byte and bytes of the file"), ("etag" = String, description = "the tag of the whole file, for `If-Range`"))),
        (status = NOT_MODIFIED, description = "`If-None-Match` has the tag of the file"),
        (status = RANGE_NOT_SATISFIABLE, description = "`Range` begins beyond the end of the file", body = Problem, content_type = "application/problem+json", headers(("content-range" = String, description = "bytes of the file"))),
        (status = "4XX", description = "refused, or there is none", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn of_message(
    State(api): State<Arc<Api>>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    let id = read_id(path)?;
    let row = api.reader.file_of_message(&id).await?;
    answer(&api, row, &method, &headers).await
}

async fn answer(
    api: &Api,
    row: Option<NamedRow>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let NamedRow { digest, file, .. } = row.ok_or_else(not_kept)?;
    let digest = digest.ok_or_else(|| missing(&file))?;
    let tag = EntityTag::of(&digest);
    let bytes = file.bytes.unwrap_or(0).unsigned_abs();
    let is_not_modified = tag.is_in_if_none_match(headers);
    let wanted = Wanted::of(method, headers, &tag, bytes);
    let caching = [
        (ETAG, tag.into_text()),
        (CACHE_CONTROL, REVALIDATE.to_owned()),
    ];
    if is_not_modified {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let (status, first, length, part) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0, bytes, None),
        Wanted::Part(part) => {
            let (first, last) = part.into_inner();
            let shown = [(CONTENT_RANGE, format!("bytes {first}-{last}/{bytes}"))];
            let length = last - first + 1;
            (StatusCode::PARTIAL_CONTENT, first, length, Some(shown))
        }
        Wanted::Beyond => {
            let length = [(CONTENT_RANGE, format!("bytes */{bytes}"))];
            return Ok((length, beyond()).into_response());
        }
    };
    let named = match api.reader.body(file.seq).await? {
        Some(body) => named_file(&body.entry.1),
        None => return Err(Problem::not_found()),
    };
    let (name, mime_type) = named.map_or((None, None), |named| (named.file_name, named.mime_type));
    let opened = open(api, digest, bytes, first).await?;
    let headers = [
        (CONTENT_TYPE, usable_type(mime_type)),
        (CONTENT_DISPOSITION, attachment(name.as_deref())),
        (CONTENT_LENGTH, length.to_string()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CONTENT_SECURITY_POLICY, SANDBOX.to_owned()),
    ];
    let body = stream_of(opened, length);
    Ok((status, caching, headers, part, body).into_response())
}

/// Opens a file at the byte `first`, if it has as many bytes as it had when it was kept.
async fn open(api: &Api, digest: FileDigest, bytes: u64, first: u64) -> Result<File, Problem> {
    let folder = api.files.clone();
    let opened = spawn_blocking(move || {
        let mut file = folder.open(&digest)?;
        let length = file.metadata()?.len();
        if length == bytes {
            file.seek(SeekFrom::Start(first))?;
            Ok(file)
        } else {
            let problem = format!("it has {length} bytes and not {bytes}");
            Err(io::Error::new(ErrorKind::InvalidData, problem))
        }
    });
    opened.await.map_err(io::Error::other).flatten().map_err(|failure| {
        error!(
            "a kept file cannot be read: {failure}\n  help: run `green-inbox verify`, and take the file from a backup"
        );
        Problem::damaged()
    })
}

/// The next bytes of a file, chunk by chunk. A file that ends early breaks the connection off.
fn stream_of(file: File, bytes: u64) -> Body {
    Body::from_stream(stream::try_unfold(
        (file, bytes),
        async |(mut file, left)| {
            if left == 0 {
                return Ok(None);
            }
            let read = spawn_blocking(move || {
                let mut chunk = vec![0; usize::try_from(CHUNK.min(left)).unwrap_or_default()];
                file.read_exact(&mut chunk)?;
                Ok::<_, io::Error>((chunk, file))
            });
            let (chunk, file) = read.await.map_err(io::Error::other)??;
            let left = left - chunk.len() as u64;
            Ok::<_, io::Error>(Some((Bytes::from(chunk), (file, left))))
        },
    ))
}

/// The media type of a notification, if it has the form of one.
fn usable_type(mime_type: Option<String>) -> String {
    let is_token = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
        !part.is_empty() && part.bytes().all(is_plain)
    };
    let is_usable = |text: &String| {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" =\";_.+-".contains(&byte);
        text.len() <= TYPE_CHARACTERS
            && parameters.bytes().all(is_plain)
            && essence
                .trim_end()
                .split_once('/')
                .is_some_and(|(kind, sub)| is_token(kind) && is_token(sub))
    };
    mime_type
        .filter(is_usable)
        .unwrap_or_else(|| BYTES.to_owned())
}

fn beyond() -> Problem {
    Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range-not-satisfiable",
        "The file has none of the bytes in `Range`; its length is in `Content-Range`.",
    )
}

fn not_kept() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "file-not-kept",
        "No file is kept for this: it names none, or its account has no `media = true`.",
    )
}

fn missing(file: &KeptFile) -> Problem {
    let problem = file.problem.as_deref();
    if file.state == FileState::Lost {
        let detail = format!(
            "The file is lost: {}.",
            problem.unwrap_or("no reason is known")
        );
        return Problem::new(StatusCode::NOT_FOUND, "file-lost", detail);
    }
    let detail = problem.map_or_else(
        || "The file is not downloaded yet; retry later.".to_owned(),
        |problem| format!("The file is not downloaded yet; the last attempt failed: {problem}."),
    );
    Problem::new(StatusCode::NOT_FOUND, "file-waiting", detail)
}

#[cfg(test)]
mod tests {
    use super::usable_type;

    #[test]
    fn only_a_media_type_is_a_content_type() {
        let of = |text: &str| usable_type(Some(text.to_owned()));
        for good in [
            "image/jpeg",
            "audio/ogg; codecs=opus",
            "application/vnd.ms-excel",
        ] {
            assert_eq!(of(good), good);
        }
        for bad in [
            "",
            "jpeg",
            "a/b/c",
            "text/html\r\nX: y",
            "image/",
            "a/b;c,d",
            "т/х",
        ] {
            assert_eq!(of(bad), "application/octet-stream", "{bad}");
        }
        assert_eq!(usable_type(None), "application/octet-stream");
    }
}
