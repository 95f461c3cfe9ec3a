//! Changes to an earlier message: edits, deletions, reactions.

use serde_json::{Value, json};

use super::scene::{API, INCOMING, PHONE, Scene};

pub(super) fn customer_edits_text(scene: &Scene) -> Value {
    json!({ "editedMessageData": {
        "stanzaId": scene.id(INCOMING, "textMessage"),
        "textMessage": "Простите, опечатка: речь о завтра.",
    } })
}

pub(super) fn customer_edits_caption(scene: &Scene) -> Value {
    json!({ "editedMessageData": {
        "stanzaId": scene.id(INCOMING, "imageMessage"),
        "caption": "Такой же, но без вишни",
    } })
}

pub(super) fn program_edits_text(scene: &Scene) -> Value {
    json!({ "editedMessageData": {
        "stanzaId": scene.id(API, "textMessage"),
        "textMessage": "Спасибо, что написали! Ответим до полудня.",
    } })
}

/// MAX: an edit that replaced the media. The notification does not contain the new media.
pub(super) fn nothing(_: &Scene) -> Value {
    Value::Null
}

pub(super) fn customer_deletes(scene: &Scene) -> Value {
    json!({ "deletedMessageData": {
        "stanzaId": scene.id(INCOMING, "videoMessage"),
        "typeMessage": "videoMessage",
    } })
}

pub(super) fn bakery_deletes(scene: &Scene) -> Value {
    json!({ "deletedMessageData": { "stanzaId": scene.id(PHONE, "imageMessage") } })
}

fn reaction(scene: &Scene, emoji: &str) -> Value {
    json!({
        "extendedTextMessageData": { "text": emoji },
        "quotedMessage": {
            "stanzaId": scene.id(API, "textMessage"),
            "participant": scene.author(API),
        },
    })
}

pub(super) fn reacted(scene: &Scene) -> Value {
    reaction(scene, "🥐")
}

pub(super) fn reaction_taken_back(scene: &Scene) -> Value {
    reaction(scene, "")
}
