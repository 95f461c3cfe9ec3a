//! The `Content-Encoding` of a body. Gzip is decoded within the same limits as a plain body.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use hyper::HeaderMap;
use hyper::header::CONTENT_ENCODING;

use super::body::{BodyError, BodyReader, held};

/// Bytes to decode between two checks of the limits.
const STEP: usize = 64 * 1024;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Not encoded.
    Plain,
    /// Gzip (RFC 1952).
    Gzip,
}

impl Encoding {
    /// Reads the encoding from the headers of a request.
    ///
    /// # Errors
    ///
    /// The encoding is not supported, or there is more than one.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, BodyError> {
        let mut found = Self::Plain;
        for line in headers.get_all(CONTENT_ENCODING) {
            for name in line.as_bytes().split(|byte| *byte == b',') {
                let name = name.trim_ascii().to_ascii_lowercase();
                match (name.as_slice(), found) {
                    (b"" | b"identity", _) => {}
                    (b"gzip" | b"x-gzip", Self::Plain) => found = Self::Gzip,
                    _ => return Err(BodyError::UnsupportedEncoding),
                }
            }
        }
        Ok(found)
    }
}

impl BodyReader {
    /// Decodes a body. A body that turns out not to be gzip is returned as received: nothing is lost, and it
    /// is stored as malformed.
    pub(super) async fn decode(
        &self,
        encoding: Encoding,
        bytes: Bytes,
    ) -> Result<Bytes, BodyError> {
        if encoding == Encoding::Plain {
            return Ok(bytes);
        }
        let (reader, encoded) = (self.clone(), bytes.clone());
        // Decoding a body of several MiB would block the async worker thread for too long.
        let decoded = tokio::task::spawn_blocking(move || reader.decode_gzip(&encoded)).await;
        match decoded {
            Ok(Ok(Some(decoded))) => Ok(decoded),
            Ok(Err(error)) => Err(error),
            Ok(Ok(None)) | Err(_) => Ok(bytes),
        }
    }

    /// Returns `None` if the body is not gzip.
    fn decode_gzip(&self, encoded: &[u8]) -> Result<Option<Bytes>, BodyError> {
        let mut gzip = MultiGzDecoder::new(encoded);
        let mut permit = self.reserve(0)?;
        let mut decoded = Vec::new();
        loop {
            let before = decoded.len();
            let mut step = gzip.by_ref().take(STEP as u64);
            if step.read_to_end(&mut decoded).is_err() {
                return Ok(None);
            }
            let bytes = decoded.len() - before;
            if bytes == 0 {
                return Ok(Some(held(decoded, permit)));
            }
            if decoded.len() > self.limit as usize {
                return Err(BodyError::TooLarge(self.limit));
            }
            let bytes = u32::try_from(bytes).map_err(|_| BodyError::TooLarge(self.limit))?;
            permit.merge(self.reserve(bytes)?);
        }
    }
}
