//! Compresses bodies before they are stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zstd::bulk;

use super::dictionary;

/// Bytes of the smallest body that is compressed. A smaller one gains little, if anything.
const MIN_BYTES: usize = 64;

/// Bytes of the largest body that is compressed before its commit, which takes half a millisecond. A larger one is
/// compressed later.
const MAX_BYTES_AT_ONCE: usize = 64 * 1024;

/// Whether bodies are compressed. Shared by the writer, which asks it, and the configuration, which changes it.
#[derive(Debug, Clone)]
pub(in crate::store) struct Compression(Arc<AtomicBool>);

impl Default for Compression {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Compression {
    pub(in crate::store) fn set(&self, is_on: bool) {
        self.0.store(is_on, Ordering::Relaxed);
    }

    pub(in crate::store) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Compresses bodies one after the other, with the program's dictionary.
pub(in crate::store) struct Compressor {
    /// `None` if there was no memory for it: nothing is compressed then.
    context: Option<bulk::Compressor<'static>>,
    frame: Vec<u8>,
}

impl Compressor {
    pub(in crate::store) fn new() -> Self {
        let mut context = bulk::Compressor::default();
        let has_dictionary = context
            .context_mut()
            .ref_cdict(dictionary::for_compressing())
            .is_ok();
        Self {
            context: has_dictionary.then_some(context),
            frame: Vec::new(),
        }
    }

    /// The frame of a body, while other commands wait. `None` also if the body is so large that they would wait long.
    pub(in crate::store) fn compress_at_once(&mut self, body: &[u8]) -> Option<&[u8]> {
        if body.len() > MAX_BYTES_AT_ONCE {
            return None;
        }
        self.compress(body)
    }

    /// The frame of a body. `None` if it would not be smaller than the body.
    pub(in crate::store) fn compress(&mut self, body: &[u8]) -> Option<&[u8]> {
        if body.len() < MIN_BYTES {
            return None;
        }
        self.frame.clear();
        self.frame.reserve_exact(body.len());
        let context = self.context.as_mut()?;
        let bytes = context.compress_to_buffer(body, &mut self.frame).ok()?;
        (bytes < body.len()).then_some(&self.frame[..])
    }
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}
