//! Message content other than text and files: locations, contacts, invitations.

use serde_json::{Value, json};

use super::media::THUMBNAIL;
use super::scene::Scene;

/// A location. A message and a quote contain the same one.
pub(super) fn place() -> Value {
    json!({
        "nameLocation": "Пекарня «Утро»",
        "address": "Тёплая улица, 7",
        "jpegThumbnail": THUMBNAIL,
        "latitude": 55.750_125,
        "longitude": 37.620_25,
    })
}

/// A contact. A message and a quote contain the same one.
pub(super) fn contact(scene: &Scene, nth: u64) -> Value {
    let (name, phone) = (scene.name(nth), scene.phone(nth));
    json!({
        "displayName": name,
        "vcard": format!(
            "BEGIN:VCARD\nVERSION:3.0\nN:;{name};;;\nFN:{name}\n\
             TEL;type=CELL;waid={phone}:+{phone}\nEND:VCARD"
        ),
    })
}

pub(super) fn location(_: &Scene) -> Value {
    let mut place = place();
    place["isForwarded"] = false.into();
    place["forwardingScore"] = 0.into();
    json!({ "locationMessageData": place })
}

pub(super) fn one_contact(scene: &Scene) -> Value {
    let mut contact = contact(scene, 1);
    contact["isForwarded"] = false.into();
    contact["forwardingScore"] = 0.into();
    json!({ "contactMessageData": contact })
}

/// Several contacts, in the nested form that GREEN-API really sends.
pub(super) fn contacts(scene: &Scene) -> Value {
    json!({
        "messageData": { "contacts": [contact(scene, 1), contact(scene, 2)] },
        "isForwarded": false,
        "forwardingScore": 0,
    })
}

pub(super) fn group_invite(scene: &Scene) -> Value {
    json!({ "groupInviteMessageData": {
        "groupJid": scene.group(),
        "inviteCode": "UtroBakery00Demo",
        "inviteExpiration": "0",
        "groupName": "Друзья пекарни",
        "caption": "Join us, we share recipes",
        "name": scene.name(0),
        "jpegThumbnail": THUMBNAIL,
    } })
}
