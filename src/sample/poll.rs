//! `pollMessage` and `pollUpdateMessage`.

use serde_json::{Value, json};

use super::scene::{API, Scene};

const NAME: &str = "Что печём в пятницу?";
const RYE: &str = "Ржаной";
const WHEAT: &str = "Wheat with seeds";

/// The poll. A message and a quote contain the same one.
pub(super) fn data() -> Value {
    json!({
        "name": NAME,
        "options": [{ "optionName": RYE }, { "optionName": WHEAT }],
        "multipleAnswers": false,
    })
}

pub(super) fn asked(_: &Scene) -> Value {
    json!({ "pollMessageData": data() })
}

fn votes(scene: &Scene, rye: &[String], wheat: &[String]) -> Value {
    json!({
        "stanzaId": scene.id(API, "pollMessage"),
        "name": NAME,
        "votes": [
            { "optionName": RYE, "optionVoters": rye },
            { "optionName": WHEAT, "optionVoters": wheat },
        ],
    })
}

/// A vote with `multipleAnswers` next to `pollMessageData`.
pub(super) fn voted(scene: &Scene) -> Value {
    json!({
        "pollMessageData": votes(scene, &[scene.customer()], &[]),
        "multipleAnswers": false,
    })
}

/// The customer's changed vote, with `multipleAnswers` inside `pollMessageData`.
pub(super) fn changed(scene: &Scene) -> Value {
    let mut votes = votes(scene, &[], &[scene.customer()]);
    votes["multipleAnswers"] = false.into();
    json!({ "pollMessageData": votes })
}
