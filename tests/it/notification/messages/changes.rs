//! Reactions, edits and deletions.

use green_inbox::notification::MessageContent as Content;
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row {
            type_message: "reactionMessage",
            key: "extendedTextMessageData",
            payload: json!({ "text": "" }),
            matches: |found| {
                matches!(found, Content::ReactionMessage(found)
                    if found.extended_text_message_data.text.as_deref() == Some(""))
            },
        },
        Row {
            type_message: "editedMessage",
            key: "editedMessageData",
            payload: json!({ "stanzaId": "B2", "textMessage": "Теперь так", "caption": "и так" }),
            matches: |found| {
                matches!(found, Content::EditedMessage(found)
                    if found.edited_message_data.stanza_id.as_deref() == Some("B2")
                        && found.edited_message_data.text_message.as_deref() == Some("Теперь так")
                        && found.edited_message_data.caption.as_deref() == Some("и так"))
            },
        },
        Row {
            type_message: "deletedMessage",
            key: "deletedMessageData",
            payload: json!({ "stanzaId": "B3", "typeMessage": "textMessage" }),
            matches: |found| {
                matches!(found, Content::DeletedMessage(found)
                    if found.deleted_message_data.stanza_id.as_deref() == Some("B3")
                        && found.deleted_message_data.type_message.as_deref()
                            == Some("textMessage"))
            },
        },
    ]
}
