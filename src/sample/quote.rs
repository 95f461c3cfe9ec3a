//! Replies that quote a message. `quotedMessage` contains the quoted payload under its own keys. The old form,
//! type `quotedMessage`, names the quoted message a second time.

use serde_json::{Value, json};

use super::media::{self, THUMBNAIL};
use super::scene::{API, INCOMING, Scene};

use super::{card, poll, text};

/// A `quotedMessage` with the reference to a message and its payload.
fn quoted(scene: &Scene, type_webhook: &str, type_message: &str, payload: Value) -> Value {
    let mut quoted = payload;
    quoted["stanzaId"] = scene.id(type_webhook, type_message).into();
    quoted["participant"] = scene.author(type_webhook).into();
    quoted["typeMessage"] = type_message.into();
    quoted
}

fn quoted_answer(scene: &Scene) -> Value {
    quoted(
        scene,
        API,
        "textMessage",
        json!({ "textMessage": text::ANSWER }),
    )
}

fn quoted_image(scene: &Scene) -> Value {
    quoted(
        scene,
        INCOMING,
        "imageMessage",
        json!({
            "downloadUrl": media::download_url(scene, "cake.jpg"),
            "caption": media::CAPTION,
            "jpegThumbnail": THUMBNAIL,
        }),
    )
}

fn quoted_location(scene: &Scene) -> Value {
    quoted(
        scene,
        INCOMING,
        "locationMessage",
        json!({ "location": card::place() }),
    )
}

fn quoted_contact(scene: &Scene) -> Value {
    quoted(
        scene,
        INCOMING,
        "contactMessage",
        json!({ "contact": card::contact(scene, 1) }),
    )
}

fn quoted_link(scene: &Scene) -> Value {
    quoted(
        scene,
        INCOMING,
        "extendedTextMessage",
        json!({
            "textMessage": text::LINK,
            "extendedTextMessage": {
                "title": "Brioche in an evening",
                "description": "Butter, patience and a warm kitchen",
                "previewType": "None",
                "jpegThumbnail": null,
            },
        }),
    )
}

fn quoted_poll(scene: &Scene) -> Value {
    quoted(
        scene,
        API,
        "pollMessage",
        json!({ "pollMessageData": poll::data() }),
    )
}

/// Adds a quote to the data of any message.
fn answer(mut data: Value, quoted: Value) -> Value {
    data["quotedMessage"] = quoted;
    data
}

/// The old form: a text with the quoted message's identifier, then the quote.
fn old_form(text: &str, quoted: Value) -> Value {
    let data = json!({ "extendedTextMessageData": {
        "text": text,
        "stanzaId": quoted["stanzaId"],
        "participant": quoted["participant"],
    } });
    answer(data, quoted)
}

pub(super) fn without_payload(scene: &Scene) -> Value {
    json!({ "extendedTextMessageData": {
        "text": "Вот об этом и речь",
        "stanzaId": scene.id(API, "textMessage"),
        "participant": scene.author(API),
    } })
}

pub(super) fn text(scene: &Scene) -> Value {
    old_form("Хорошо, подожду", quoted_answer(scene))
}

pub(super) fn image(scene: &Scene) -> Value {
    old_form("Such a cake is three days of work", quoted_image(scene))
}

pub(super) fn location(scene: &Scene) -> Value {
    old_form("Вход со двора?", quoted_location(scene))
}

pub(super) fn contact(scene: &Scene) -> Value {
    old_form("Позвоните лучше сюда", quoted_contact(scene))
}

pub(super) fn link(scene: &Scene) -> Value {
    old_form("I tried this one, it works", quoted_link(scene))
}

pub(super) fn poll(scene: &Scene) -> Value {
    old_form("А можно оба?", quoted_poll(scene))
}

pub(super) fn text_with_text(scene: &Scene) -> Value {
    let data = json!({ "textMessageData": { "textMessage": "Договорились!" } });
    answer(data, quoted_answer(scene))
}

pub(super) fn image_with_text(scene: &Scene) -> Value {
    answer(media::image(scene), quoted_answer(scene))
}

pub(super) fn audio_with_image(scene: &Scene) -> Value {
    answer(media::audio(scene), quoted_image(scene))
}

pub(super) fn contact_with_location(scene: &Scene) -> Value {
    answer(card::one_contact(scene), quoted_location(scene))
}

pub(super) fn location_with_contact(scene: &Scene) -> Value {
    answer(card::location(scene), quoted_contact(scene))
}
