//! `incomingCall` and `outgoingCall`.

use serde_json::{Value, json};

use super::scene::Scene;

const INCOMING_CALL: &str = "incomingCall";
const OUTGOING_CALL: &str = "outgoingCall";

/// An answered call. Its offer and its outcome share one identifier.
pub(super) fn answered(scene: &Scene) -> Value {
    json!({
        "from": scene.customer(),
        "idMessage": scene.id(INCOMING_CALL, "pickUp"),
        "status": scene.kind(),
    })
}

/// An unanswered call whose offer was never sent.
pub(super) fn unanswered(scene: &Scene) -> Value {
    json!({
        "from": scene.customer(),
        "idMessage": scene.id(INCOMING_CALL, scene.kind()),
        "status": scene.kind(),
    })
}

/// The newer form of a call, with all participants.
pub(super) fn group(scene: &Scene) -> Value {
    json!({
        "from": scene.group(),
        "idMessage": scene.id(INCOMING_CALL, "group"),
        "status": scene.kind(),
        "isVideo": true,
        "duration": 312,
        "participants": [
            { "wid": scene.customer(), "status": "pickUp" },
            { "wid": scene.person(1), "status": "missed" },
            { "wid": scene.person(2), "status": "declined" },
        ],
    })
}

pub(super) fn outgoing(scene: &Scene) -> Value {
    let is_answered = scene.kind() == "pickUp";
    json!({
        "from": scene.customer(),
        "idMessage": scene.id(OUTGOING_CALL, scene.kind()),
        "status": scene.kind(),
        "isVideo": false,
        "duration": if is_answered { 47 } else { 0 },
        "participants": [{ "wid": scene.customer(), "status": scene.kind() }],
    })
}

pub(super) fn outgoing_group(scene: &Scene) -> Value {
    json!({
        "from": scene.group(),
        "idMessage": scene.id(OUTGOING_CALL, "group"),
        "status": scene.kind(),
        "isVideo": true,
        "duration": 95,
        "participants": [
            { "wid": scene.customer(), "status": "pickUp" },
            { "wid": scene.person(1), "status": "hungUp" },
            { "wid": scene.person(2), "status": "invalid" },
        ],
    })
}
