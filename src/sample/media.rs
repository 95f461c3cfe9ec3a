//! Messages with a file: `imageMessage`, `videoMessage`, `documentMessage`, `audioMessage`,
//! `stickerMessage`.

use serde_json::{Value, json};

use super::scene::Scene;

/// A truncated JPEG, in base64.
pub(super) const THUMBNAIL: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2Q==";

/// The customer's caption of the picture.
pub(super) const CAPTION: &str = "Вот такой торт хочется";

/// The `downloadUrl` of a file.
pub(super) fn download_url(scene: &Scene, file_name: &str) -> String {
    let values = scene.values;
    format!(
        "https://files.example.com/{}/{:x}/{file_name}",
        values.id_instance, values.serial
    )
}

fn file(scene: &Scene, file_name: &str, mime_type: &str, caption: &str) -> Value {
    json!({ "fileMessageData": {
        "downloadUrl": download_url(scene, file_name),
        "caption": caption,
        "fileName": file_name,
        "jpegThumbnail": if mime_type.starts_with("audio") { "" } else { THUMBNAIL },
        "mimeType": mime_type,
        "isForwarded": false,
        "forwardingScore": 0,
    } })
}

pub(super) fn image(scene: &Scene) -> Value {
    file(scene, "cake.jpg", "image/jpeg", CAPTION)
}

pub(super) fn shop_window(scene: &Scene) -> Value {
    file(scene, "window.jpg", "image/jpeg", "Our window this morning")
}

pub(super) fn video(scene: &Scene) -> Value {
    file(
        scene,
        "dough.mp4",
        "video/mp4",
        "Смотрите, как подошло тесто",
    )
}

pub(super) fn document(scene: &Scene) -> Value {
    file(scene, "price-list.pdf", "application/pdf", "Prices for May")
}

/// A file larger than 100 MB.
pub(super) fn too_large(_: &Scene) -> Value {
    json!({ "fileMessageData": {
        "downloadUrl": "{{SWE002}}",
        "caption": "",
        "fileName": "whole-wedding.zip",
        "jpegThumbnail": "",
        "mimeType": "application/zip",
        "isForwarded": false,
        "forwardingScore": 0,
    } })
}

pub(super) fn audio(scene: &Scene) -> Value {
    file(scene, "voice.ogg", "audio/ogg; codecs=opus", "")
}

pub(super) fn sticker(scene: &Scene) -> Value {
    json!({ "fileMessageData": {
        "downloadUrl": download_url(scene, "bun.webp"),
        "caption": "",
        "fileName": "bun.webp",
        "jpegThumbnail": "",
        "mimeType": "image/webp",
        "isAnimated": true,
        "isForwarded": true,
        "forwardingScore": 1,
    } })
}
