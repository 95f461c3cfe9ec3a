//! `textMessage` and `extendedTextMessage`.

use serde_json::{Value, json};

use super::media::THUMBNAIL;
use super::scene::Scene;

const QUESTIONS: [&str; 5] = [
    "Доброе утро! Есть ли сегодня ржаной?",
    "Hello! Do you deliver on Sundays?",
    "Здравствуйте, можно заказать торт к субботе?",
    "Hi, are the croissants still warm? 🥐",
    "Подскажите, до скольки вы работаете?",
];

/// The customer's first question.
pub(super) fn question(scene: &Scene) -> &'static str {
    scene.pick(&QUESTIONS)
}

/// The answer of the bakery's program.
pub(super) const ANSWER: &str = "Спасибо, что написали! Ответим за пару минут.";

/// The link that the customer shares.
pub(super) const LINK: &str = "https://example.com/recipes/brioche";

fn said(text: &str) -> Value {
    json!({ "textMessageData": { "textMessage": text } })
}

pub(super) fn asked(scene: &Scene) -> Value {
    said(question(scene))
}

pub(super) fn answered(_: &Scene) -> Value {
    said(ANSWER)
}

pub(super) fn from_phone(_: &Scene) -> Value {
    said("Это Ольга из пекарни, хлеб уже в печи.")
}

pub(super) fn from_template(_: &Scene) -> Value {
    json!({ "textMessageData": {
        "textMessage": "Your order is ready. See you soon!",
        "isTemplateMessage": true,
    } })
}

pub(super) fn to_group(_: &Scene) -> Value {
    said("Всем привет! Кто завтра за булочками?")
}

pub(super) fn post(_: &Scene) -> Value {
    said("New on the shelf: rye with walnuts.")
}

pub(super) fn from_bot(_: &Scene) -> Value {
    said("Order accepted, baking starts at six.")
}

pub(super) fn from_hidden_number(_: &Scene) -> Value {
    said("Это снова я, только с другого телефона.")
}

pub(super) fn swe001(_: &Scene) -> Value {
    said("{{SWE001}}")
}

pub(super) fn arrived_late(_: &Scene) -> Value {
    said("Первое письмо задержалось, но вот оно.")
}

pub(super) fn swe003(_: &Scene) -> Value {
    said("{{SWE003}}")
}

pub(super) fn swe999(_: &Scene) -> Value {
    said("{{SWE999}}")
}

pub(super) fn link(_: &Scene) -> Value {
    json!({ "extendedTextMessageData": {
        "text": LINK,
        "title": "Brioche in an evening",
        "description": "Butter, patience and a warm kitchen",
        "jpegThumbnail": THUMBNAIL,
        "previewType": "None",
        "isForwarded": false,
        "forwardingScore": 0,
    } })
}

pub(super) fn forwarded_link(_: &Scene) -> Value {
    json!({ "extendedTextMessageData": {
        "text": "Смотрите, что нашла: https://example.com/flour",
        "title": "Мука с мельницы",
        "description": "Цельнозерновая, мелем по вторникам",
        "jpegThumbnail": "",
        "previewType": "None",
        "isForwarded": true,
        "forwardingScore": 3,
    } })
}

pub(super) fn advertisement(_: &Scene) -> Value {
    json!({ "extendedTextMessageData": {
        "text": "Хочу узнать про акцию",
        "title": "Второй батон в подарок",
        "description": "Only this week",
        "jpegThumbnail": THUMBNAIL,
        "previewType": "",
        "containsAutoReply": false,
        "mediaType": "IMAGE",
        "showAdAttribution": true,
        "sourceId": "100000000000042",
        "sourceType": "ad",
        "sourceUrl": "https://example.com/ads/42",
        "thumbnailUrl": "https://example.com/ads/42.jpg",
        "conversionSource": "FB_Ads",
        "entryPointConversionApp": "instagram",
        "isForwarded": false,
        "forwardingScore": 0,
    } })
}
