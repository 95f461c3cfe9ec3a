//! Messages with buttons, lists and templates, and the recipient's choices.

use serde_json::{Value, json};

use super::scene::{API, Scene};

pub(super) fn buttons(_: &Scene) -> Value {
    json!({ "buttonsMessage": {
        "contentText": "Доставить или заберёте сами?",
        "footer": "Пекарня «Утро»",
        "buttons": [
            { "buttonId": "1", "buttonText": "Доставить" },
            { "buttonId": "2", "buttonText": "Заберу" },
        ],
    } })
}

pub(super) fn button_pressed(scene: &Scene) -> Value {
    json!({ "buttonsResponseMessage": {
        "stanzaId": scene.id(API, "buttonsMessage"),
        "selectedButtonId": "2",
        "selectedButtonText": "Заберу",
    } })
}

pub(super) fn list(_: &Scene) -> Value {
    json!({ "listMessage": {
        "title": "Today's bread",
        "contentText": "Everything is still warm",
        "footer": "Пекарня «Утро»",
        "buttonText": "Выбрать",
        "sections": [
            { "title": "Хлеб", "rows": [
                { "rowId": "rye", "title": "Ржаной", "description": "На закваске" },
                { "rowId": "wheat", "title": "Пшеничный" },
            ] },
            { "title": "Sweet", "rows": [
                { "rowId": "bun", "title": "Cinnamon bun", "description": "With raisins" },
            ] },
        ],
    } })
}

pub(super) fn list_chosen(scene: &Scene) -> Value {
    json!({ "listResponseMessage": {
        "stanzaId": scene.id(API, "listMessage"),
        "title": "Cinnamon bun",
        "listType": 1,
        "singleSelectReply": "bun",
    } })
}

pub(super) fn template(scene: &Scene) -> Value {
    json!({ "templateMessage": {
        "contentText": "Ваш заказ готов",
        "footer": "Пекарня «Утро»",
        "buttons": [
            { "index": 1, "urlButton": {
                "displayText": "Посмотреть заказ",
                "url": "https://example.com/orders",
            } },
            { "index": 2, "callButton": {
                "displayText": "Call the bakery",
                "phoneNumber": scene.phone(1).to_string(),
            } },
            { "index": 3, "quickReplyButton": { "displayText": "Уже иду", "id": "coming" } },
        ],
    } })
}

fn reply(scene: &Scene, asked: &str, id: &str, text: &str, index: u8) -> Value {
    json!({ "templateButtonReplyMessage": {
        "stanzaId": scene.id(API, asked),
        "selectedIndex": index,
        "selectedId": id,
        "selectedDisplayText": text,
    } })
}

pub(super) fn template_pressed(scene: &Scene) -> Value {
    reply(scene, "templateMessage", "coming", "Уже иду", 3)
}

/// A message with all four types of button.
pub(super) fn interactive(scene: &Scene) -> Value {
    json!({ "interactiveButtons": {
        "titleText": "Скидка на выходные",
        "contentText": "Show the code at the counter 🥖",
        "footerText": "До воскресенья",
        "buttons": [
            { "type": "copy", "buttonId": "1", "buttonText": "Copy code", "copyCode": "UTRO10" },
            {
                "type": "call",
                "buttonId": "2",
                "buttonText": "Позвонить",
                "phoneNumber": scene.phone(1).to_string(),
            },
            {
                "type": "url",
                "buttonId": "3",
                "buttonText": "Open the menu",
                "url": "https://example.com/menu",
            },
            { "type": "reply", "buttonId": "4", "buttonText": "Напомните в пятницу" },
        ],
    } })
}

fn replies() -> Value {
    json!({
        "titleText": "Как вам хлеб?",
        "contentText": "Нам важно знать",
        "footerText": "Пекарня «Утро»",
        "buttons": [
            { "type": "reply", "buttonId": "1", "buttonText": "Отлично" },
            { "type": "reply", "buttonId": "2", "buttonText": "Could be better" },
        ],
    })
}

/// A message with reply buttons.
pub(super) fn interactive_replies(_: &Scene) -> Value {
    json!({ "interactiveButtonsReply": replies() })
}

/// Reply buttons under the key used on other pages of GREEN-API's documentation.
pub(super) fn interactive_replies_other_key(_: &Scene) -> Value {
    json!({ "interactiveButtons": replies() })
}

pub(super) fn interactive_pressed(scene: &Scene) -> Value {
    reply(scene, "interactiveButtonsReply", "1", "Отлично", 0)
}
