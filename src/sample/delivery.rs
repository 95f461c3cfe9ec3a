//! `outgoingMessageStatus`. The successful statuses follow one message through its delivery. The failures name
//! messages that no notification announced, which GREEN-API also sends.

use serde_json::{Value, json};

use super::scene::{API, PHONE, Scene};

fn status(scene: &Scene, chat_id: &str, id_message: &str) -> Value {
    json!({
        "chatId": chat_id,
        "idMessage": id_message,
        "status": scene.kind(),
        "sendByApi": true,
    })
}

/// Status of the answer that the bakery's program sent.
pub(super) fn of_answer(scene: &Scene) -> Value {
    status(scene, &scene.customer(), &scene.id(API, "textMessage"))
}

/// Status of the message that was written on the phone.
pub(super) fn of_phone(scene: &Scene) -> Value {
    let mut status = status(scene, &scene.customer(), &scene.id(PHONE, "textMessage"));
    status["sendByApi"] = false.into();
    status
}

pub(super) fn failed(scene: &Scene) -> Value {
    let mut status = status(scene, &scene.person(1), &scene.id(API, "failed"));
    status["description"] = "The messenger did not take the file".into();
    status
}

pub(super) fn group_too_large(scene: &Scene) -> Value {
    let mut status = status(scene, &scene.group(), &scene.id(API, "failed/SWE004"));
    status["description"] = "SWE004: too many participants in the group: 128".into();
    status
}

pub(super) fn no_account(scene: &Scene) -> Value {
    status(scene, &scene.person(2), &scene.id(API, "noAccount"))
}

pub(super) fn not_in_group(scene: &Scene) -> Value {
    status(scene, &scene.group(), &scene.id(API, "notInGroup"))
}

pub(super) fn yellow_card(scene: &Scene) -> Value {
    status(scene, &scene.person(3), &scene.id(API, "yellowCard"))
}
