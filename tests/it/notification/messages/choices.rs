//! Messages that offer buttons or a list.

use green_inbox::notification::MessageContent as Content;
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row {
            type_message: "buttonsMessage",
            key: "buttonsMessage",
            payload: json!({
                "contentText": "Куда?",
                "footer": "Выберите",
                "buttons": [{ "buttonId": 21, "buttonText": "Туда" }],
            }),
            matches: |found| {
                let Content::ButtonsMessage(found) = found else {
                    return false;
                };
                let data = &found.buttons_message;
                let buttons = data.buttons.as_ref().unwrap();
                data.content_text.as_deref() == Some("Куда?")
                    && data.footer.as_deref() == Some("Выберите")
                    && buttons[0].button_id.as_deref() == Some("21")
                    && buttons[0].button_text.as_deref() == Some("Туда")
            },
        },
        Row {
            type_message: "listMessage",
            key: "listMessage",
            payload: json!({
                "contentText": "Что?",
                "title": "Меню",
                "footer": "Выберите",
                "buttonText": "Открыть",
                "sections": [{ "title": "Чай", "rows": [
                    { "title": "Чёрный", "rowId": "tea-1" },
                    { "title": "Зелёный", "rowId": "tea-2", "description": "остывает быстро" },
                ]}],
            }),
            matches: |found| {
                let Content::ListMessage(found) = found else {
                    return false;
                };
                let data = &found.list_message;
                let section = &data.sections.as_ref().unwrap()[0];
                let rows = section.rows.as_ref().unwrap();
                data.content_text.as_deref() == Some("Что?")
                    && data.title.as_deref() == Some("Меню")
                    && data.footer.as_deref() == Some("Выберите")
                    && data.button_text.as_deref() == Some("Открыть")
                    && section.title.as_deref() == Some("Чай")
                    && rows[0].description.is_none()
                    && rows[1].title.as_deref() == Some("Зелёный")
                    && rows[1].row_id.as_deref() == Some("tea-2")
                    && rows[1].description.as_deref() == Some("остывает быстро")
            },
        },
    ]
}

/// Messages whose buttons can also open a link, make a call or copy a code.
pub(super) fn action_rows() -> Vec<Row> {
    vec![
        Row {
            type_message: "templateMessage",
            key: "templateMessage",
            payload: json!({
                "contentText": "Заказ готов",
                "footer": "Ждём",
                "namespace": "shop",
                "elementName": "ready",
                "buttons": [
                    { "index": 1, "urlButton": { "displayText": "Открыть", "url": "https://example.org/o" } },
                    { "index": "2", "callButton": { "displayText": "Звонок", "phoneNumber": 79_000_000_014_i64 } },
                    { "index": 3, "quickReplyButton": { "displayText": "Иду", "id": "go" } },
                ],
            }),
            matches: |found| {
                let Content::TemplateMessage(found) = found else {
                    return false;
                };
                let data = &found.template_message;
                let buttons = data.buttons.as_ref().unwrap();
                let url = buttons[0].url_button.as_ref().unwrap();
                let call = buttons[1].call_button.as_ref().unwrap();
                let reply = buttons[2].quick_reply_button.as_ref().unwrap();
                data.content_text.as_deref() == Some("Заказ готов")
                    && data.footer.as_deref() == Some("Ждём")
                    && data.namespace.as_deref() == Some("shop")
                    && data.element_name.as_deref() == Some("ready")
                    && url.display_text.as_deref() == Some("Открыть")
                    && url.url.as_deref() == Some("https://example.org/o")
                    && buttons[1].index.map(|index| index.0) == Some(2)
                    && call.display_text.as_deref() == Some("Звонок")
                    && call.phone_number.as_deref() == Some("79000000014")
                    && reply.display_text.as_deref() == Some("Иду")
                    && reply.id.as_deref() == Some("go")
            },
        },
        Row {
            type_message: "interactiveButtons",
            key: "interactiveButtons",
            payload: json!({
                "titleText": "Промокод",
                "contentText": "Скидка",
                "footerText": "до пятницы",
                "buttons": [
                    { "type": "copy", "buttonId": "1", "buttonText": "Код", "copyCode": 7007 },
                    { "type": "call", "buttonId": "2", "phoneNumber": "+79000000015" },
                    { "type": "url", "buttonId": "3", "url": "https://example.org/p" },
                    { "type": "reply", "buttonId": "4" },
                ],
            }),
            matches: |found| {
                let Content::InteractiveButtons(found) = found else {
                    return false;
                };
                let data = &found.interactive_buttons;
                let buttons = data.buttons.as_ref().unwrap();
                data.title_text.as_deref() == Some("Промокод")
                    && data.content_text.as_deref() == Some("Скидка")
                    && data.footer_text.as_deref() == Some("до пятницы")
                    && buttons[0].kind.as_deref() == Some("copy")
                    && buttons[0].button_text.as_deref() == Some("Код")
                    && buttons[0].copy_code.as_deref() == Some("7007")
                    && buttons[1].phone_number.as_deref() == Some("+79000000015")
                    && buttons[2].url.as_deref() == Some("https://example.org/p")
                    && buttons[3].kind.as_deref() == Some("reply")
                    && buttons[3].button_id.as_deref() == Some("4")
            },
        },
    ]
}
