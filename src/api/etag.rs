//! Entity tags, so that a client does not download bytes again that it has (RFC 9110, sections 8.8.3, 13.1.2 and
//! 13.1.5).

use data_encoding::HEXLOWER;
use headers::{ETag, HeaderMapExt, IfNoneMatch, IfRange};
use hyper::HeaderMap;
use hyper::header::IF_RANGE;

use crate::store::BodyDigest;

/// The strong tag of a body: its SHA-256 digest in hexadecimal and in quotes.
#[derive(Debug)]
pub(super) struct EntityTag(String);

impl EntityTag {
    /// The tag of the body with this digest.
    pub(super) fn of(digest: &BodyDigest) -> Self {
        Self(format!("\"{}\"", HEXLOWER.encode(digest)))
    }

    /// The value of the `ETag` header.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Whether the client has the body already: `If-None-Match` is `*` or lists this tag, weak or strong.
    /// Entries that are not tags are ignored, because sending the body once more is always correct.
    pub(super) fn is_in_if_none_match(&self, headers: &HeaderMap) -> bool {
        let condition = headers.typed_get::<IfNoneMatch>();
        condition
            .zip(self.0.parse::<ETag>().ok())
            .is_some_and(|(condition, tag)| !condition.precondition_passes(&tag))
    }
    /// Whether a part of the body may be sent: `If-Range` is missing, or it is this tag. A time never matches, because
    /// responses have no `Last-Modified`.
    pub(super) fn permits_part(&self, headers: &HeaderMap) -> bool {
        let Some(tag) = self.0.parse::<ETag>().ok() else {
            return false;
        };
        let condition = headers.typed_get::<IfRange>();
        let is_same = condition.is_some_and(|condition| !condition.is_modified(Some(&tag), None));
        is_same || !headers.contains_key(IF_RANGE)
    }
}
