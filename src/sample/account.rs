//! Notifications about the account: its state, socket, phone and limits. None has an `idMessage`.

use serde_json::{Value, json};

use super::scene::Scene;

pub(super) fn state(scene: &Scene) -> Value {
    json!({ "stateInstance": scene.kind() })
}

pub(super) fn socket(scene: &Scene) -> Value {
    json!({ "statusInstance": scene.kind() })
}

pub(super) fn device(_: &Scene) -> Value {
    json!({ "deviceData": {
        "platform": "android",
        "deviceManufacturer": "Pomelo",
        "deviceModel": "Pomelo 5",
        "osVersion": "14",
        "waVersion": "2.24.1.5",
        "battery": 76,
    } })
}

pub(super) fn avatar(scene: &Scene) -> Value {
    json!({ "avatarInfo": {
        "chatId": scene.customer(),
        "urlAvatar": "https://example.com/avatars/bun.jpg",
    } })
}

pub(super) fn no_avatar(scene: &Scene) -> Value {
    json!({ "avatarInfo": {
        "chatId": scene.person(1),
        "urlAvatar": "",
        "reason": "shown to contacts only",
    } })
}

pub(super) fn block(scene: &Scene) -> Value {
    json!({ "chatId": scene.person(4), "chatState": scene.kind() })
}

pub(super) fn quota(_: &Scene) -> Value {
    json!({ "quotaData": {
        "method": "correspondents",
        "used": 3,
        "total": 3,
        "status": "CORRESPONDENTS_QUOTA_EXCEEDED",
        "description": "Three chats a month are used up; these stay open until the next one.",
    } })
}
