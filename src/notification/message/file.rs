//! Files: images, videos, documents, audio and stickers.

use serde::Deserialize;

use crate::notification::scalar::{Integer, Text};

/// `imageMessage`, `videoMessage`, `documentMessage`, `audioMessage`, `stickerMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct FileMessage<'a> {
    /// The file.
    pub file_message_data: FileData<'a>,
}

/// A file and its download URL.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct FileData<'a> {
    /// Download URL, or `{{SWE002}}` if the file is over 100 MB.
    pub download_url: Option<Text<'a>>,
    /// Caption.
    pub caption: Option<Text<'a>>,
    /// File name; GREEN-API generates it, except for documents.
    pub file_name: Option<Text<'a>>,
    /// Base64-encoded preview.
    pub jpeg_thumbnail: Option<Text<'a>>,
    /// Media type.
    pub mime_type: Option<Text<'a>>,
    /// Whether a sticker is animated.
    pub is_animated: Option<bool>,
    /// Whether the message was forwarded.
    pub is_forwarded: Option<bool>,
    /// How many times the message was forwarded.
    pub forwarding_score: Option<Integer>,
}
