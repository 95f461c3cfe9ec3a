//! Images, videos, documents, audio files and stickers.

use green_inbox::notification::MessageContent as Content;
use green_inbox::notification::message::FileMessage;
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    fn row(type_message: &'static str, matches: fn(&Content<'_>) -> bool) -> Row {
        Row {
            type_message,
            key: "fileMessageData",
            payload: json!({
                "downloadUrl": "{{SWE002}}",
                "caption": "Смета",
                "fileName": "смета.bin",
                "jpegThumbnail": "",
                "mimeType": "application/octet-stream",
                "isAnimated": true,
                "isForwarded": true,
                "forwardingScore": "2",
            }),
            matches,
        }
    }
    fn is_complete(file: &FileMessage<'_>) -> bool {
        let data = &file.file_message_data;
        data.download_url.as_deref() == Some("{{SWE002}}")
            && data.caption.as_deref() == Some("Смета")
            && data.file_name.as_deref() == Some("смета.bin")
            && data.jpeg_thumbnail.as_deref() == Some("")
            && data.mime_type.as_deref() == Some("application/octet-stream")
            && data.is_animated == Some(true)
            && data.is_forwarded == Some(true)
            && data.forwarding_score.map(|score| score.0) == Some(2)
    }
    vec![
        row(
            "imageMessage",
            |found| matches!(found, Content::ImageMessage(file) if is_complete(file)),
        ),
        row(
            "videoMessage",
            |found| matches!(found, Content::VideoMessage(file) if is_complete(file)),
        ),
        row(
            "documentMessage",
            |found| matches!(found, Content::DocumentMessage(file) if is_complete(file)),
        ),
        row(
            "audioMessage",
            |found| matches!(found, Content::AudioMessage(file) if is_complete(file)),
        ),
        row(
            "stickerMessage",
            |found| matches!(found, Content::StickerMessage(file) if is_complete(file)),
        ),
    ]
}
