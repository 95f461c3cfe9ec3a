//! Which bytes of a file a request wants (`Range`, RFC 9110, section 14.2). A player of audio or video moves within a
//! file with it, and a client continues a download that was cut off.

use std::ops::RangeInclusive;

use http_range_header::{RangeUnsatisfiableError, parse_range_header};
use hyper::header::RANGE;
use hyper::{HeaderMap, Method};

use super::etag::EntityTag;

/// What a request wants of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes, which it has.
    Part(RangeInclusive<u64>),
    /// Only bytes that it does not have.
    Beyond,
}

impl Wanted {
    /// The part of a file that this request asks for. The arguments are the tag of the file and its length in bytes.
    ///
    /// A server may ignore `Range`, and this one does so if the header is not understood, is repeated or names several
    /// parts, if `If-Range` has another tag, and for every method but GET.
    pub(super) fn of(method: &Method, headers: &HeaderMap, tag: &EntityTag, bytes: u64) -> Self {
        let mut values = headers.get_all(RANGE).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Self::Whole;
        };
        if method != Method::GET || !tag.permits_part(headers) {
            return Self::Whole;
        }
        let parsed = value.to_str().ok().map(parse_range_header);
        let Some(Ok(ranges)) = parsed else {
            return Self::Whole;
        };
        match ranges.validate(bytes) {
            Ok(mut ranges) if ranges.len() == 1 => ranges.pop().map_or(Self::Whole, Self::Part),
            Err(RangeUnsatisfiableError::Unsatisfiable) => Self::Beyond,
            Ok(_) | Err(_) => Self::Whole,
        }
    }
}
