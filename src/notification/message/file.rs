//! Files: picture, video, document, sound, sticker.

use serde::Deserialize;

use crate::notification::scalar::{Integer, Text};

/// `imageMessage`, `videoMessage`, `documentMessage`, `audioMessage`, `stickerMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct FileMessage<'a> {
    /// The file.
    pub file_message_data: FileData<'a>,
}

/// A file and where to get it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct FileData<'a> {
    /// Where to get it, or `{{SWE002}}` where it is over 100 MB.
    pub download_url: Option<Text<'a>>,
    /// Text under it.
    pub caption: Option<Text<'a>>,
    /// Its name; made up by GREEN-API for all but documents.
    pub file_name: Option<Text<'a>>,
    /// Preview in base64.
    pub jpeg_thumbnail: Option<Text<'a>>,
    /// Its media type.
    pub mime_type: Option<Text<'a>>,
    /// Whether a sticker moves.
    pub is_animated: Option<bool>,
    /// Whether it was forwarded.
    pub is_forwarded: Option<bool>,
    /// How often it was forwarded.
    pub forwarding_score: Option<Integer>,
}
