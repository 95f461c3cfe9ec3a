//! Answers to buttons, lists and templates.

use green_inbox::notification::MessageContent as Content;
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row {
            type_message: "buttonsResponseMessage",
            key: "buttonsResponseMessage",
            payload: json!({
                "stanzaId": "B5",
                "selectedButtonId": "21",
                "selectedButtonText": "Туда",
            }),
            matches: |found| {
                let Content::ButtonsResponseMessage(found) = found else {
                    return false;
                };
                let data = &found.buttons_response_message;
                data.stanza_id.as_deref() == Some("B5")
                    && data.selected_button_id.as_deref() == Some("21")
                    && data.selected_button_text.as_deref() == Some("Туда")
            },
        },
        Row {
            type_message: "listResponseMessage",
            key: "listResponseMessage",
            payload: json!({
                "stanzaId": "B6",
                "title": "Зелёный",
                "listType": 1,
                "singleSelectReply": "tea-2",
            }),
            matches: |found| {
                let Content::ListResponseMessage(found) = found else {
                    return false;
                };
                let data = &found.list_response_message;
                data.stanza_id.as_deref() == Some("B6")
                    && data.title.as_deref() == Some("Зелёный")
                    && data.list_type.as_deref() == Some("1")
                    && data.single_select_reply.as_deref() == Some("tea-2")
            },
        },
        Row {
            type_message: "templateButtonsReplyMessage",
            key: "templateButtonReplyMessage",
            payload: json!({
                "stanzaId": "B7",
                "selectedIndex": 3,
                "selectedId": "go",
                "selectedDisplayText": "Иду",
            }),
            matches: |found| {
                let Content::TemplateButtonsReplyMessage(found) = found else {
                    return false;
                };
                let data = &found.template_button_reply_message;
                data.stanza_id.as_deref() == Some("B7")
                    && data.selected_index.map(|index| index.0) == Some(3)
                    && data.selected_id.as_deref() == Some("go")
                    && data.selected_display_text.as_deref() == Some("Иду")
            },
        },
        Row {
            type_message: "interactiveButtonsReply",
            key: "interactiveButtonsReply",
            payload: json!({
                "titleText": "Вопрос",
                "contentText": "Придёте?",
                "footerText": "ответьте",
                "buttons": [{ "type": "reply", "buttonId": "y", "buttonText": "Приду" }],
            }),
            matches: |found| {
                let Content::InteractiveButtonsReply(found) = found else {
                    return false;
                };
                let data = &found.reply;
                data.title_text.as_deref() == Some("Вопрос")
                    && data.content_text.as_deref() == Some("Придёте?")
                    && data.footer_text.as_deref() == Some("ответьте")
                    && data.buttons.as_ref().unwrap()[0].button_text.as_deref() == Some("Приду")
                    && data.stanza_id.is_none()
            },
        },
    ]
}
