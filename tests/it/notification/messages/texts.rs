//! Text messages.

use green_inbox::notification::MessageContent as Content;
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row {
            type_message: "textMessage",
            key: "textMessageData",
            payload: json!({ "textMessage": "{{SWE001}}", "isTemplateMessage": true }),
            matches: |found| {
                matches!(found, Content::TextMessage(found)
                    if found.text_message_data.text_message.as_deref() == Some("{{SWE001}}")
                        && found.text_message_data.is_template_message == Some(true))
            },
        },
        Row {
            type_message: "extendedTextMessage",
            key: "extendedTextMessageData",
            payload: json!({
                "text": "https://example.org/новости",
                "description": "О жизни двора",
                "title": "Новости",
                "jpegThumbnail": "bmV3cw==",
                "isForwarded": true,
                "forwardingScore": 3,
                "previewType": "None",
                "containsAutoReply": false,
                "mediaType": "IMAGE",
                "showAdAttribution": true,
                "sourceId": "770000000000000013",
                "sourceType": "ad",
                "sourceUrl": "https://ads.example.org/13",
                "thumbnailUrl": "https://ads.example.org/13.jpg",
                "conversionSource": "FB_Ads",
                "entryPointConversionApp": "instagram",
            }),
            matches: |found| {
                let Content::ExtendedTextMessage(found) = found else {
                    return false;
                };
                let data = &found.extended_text_message_data;
                data.text.as_deref() == Some("https://example.org/новости")
                    && data.description.as_deref() == Some("О жизни двора")
                    && data.title.as_deref() == Some("Новости")
                    && data.jpeg_thumbnail.as_deref() == Some("bmV3cw==")
                    && data.is_forwarded == Some(true)
                    && data.forwarding_score.map(|score| score.0) == Some(3)
                    && data.preview_type.as_deref() == Some("None")
                    && data.contains_auto_reply == Some(false)
                    && data.media_type.as_deref() == Some("IMAGE")
                    && data.show_ad_attribution == Some(true)
                    && data.source_id.as_deref() == Some("770000000000000013")
                    && data.source_type.as_deref() == Some("ad")
                    && data.source_url.as_deref() == Some("https://ads.example.org/13")
                    && data.thumbnail_url.as_deref() == Some("https://ads.example.org/13.jpg")
                    && data.conversion_source.as_deref() == Some("FB_Ads")
                    && data.entry_point_conversion_app.as_deref() == Some("instagram")
            },
        },
        Row {
            type_message: "quotedMessage",
            key: "extendedTextMessageData",
            payload: json!({
                "text": "Да",
                "stanzaId": "B1",
                "participant": "79000000011@c.us",
            }),
            matches: |found| {
                matches!(found, Content::QuotedMessage(found)
                    if found.extended_text_message_data.text.as_deref() == Some("Да")
                        && found.extended_text_message_data.stanza_id.as_deref() == Some("B1")
                        && found.extended_text_message_data.participant.as_deref()
                            == Some("79000000011@c.us"))
            },
        },
    ]
}
