//! Locations, contacts and group invitations.

use green_inbox::notification::MessageContent as Content;
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row {
            type_message: "locationMessage",
            key: "locationMessageData",
            payload: json!({
                "nameLocation": "Причал",
                "address": "наб. Примерная, 1",
                "latitude": 59.5,
                "longitude": -30.25,
                "jpegThumbnail": "cGllcg==",
            }),
            matches: |found| {
                let Content::LocationMessage(found) = found else {
                    return false;
                };
                let data = &found.location_message_data;
                data.name_location.as_deref() == Some("Причал")
                    && data.address.as_deref() == Some("наб. Примерная, 1")
                    && data.latitude.map(|degrees| degrees.0) == Some(59.5)
                    && data.longitude.map(|degrees| degrees.0) == Some(-30.25)
                    && data.jpeg_thumbnail.as_deref() == Some("cGllcg==")
            },
        },
        Row {
            type_message: "contactMessage",
            key: "contactMessageData",
            payload: json!({ "displayName": "Анна", "vcard": "BEGIN:VCARD\nEND:VCARD" }),
            matches: |found| {
                matches!(found, Content::ContactMessage(found)
                    if found.contact_message_data.display_name.as_deref() == Some("Анна")
                        && found.contact_message_data.vcard.as_deref()
                            == Some("BEGIN:VCARD\nEND:VCARD"))
            },
        },
        Row {
            type_message: "contactsArrayMessage",
            key: "messageData",
            payload: json!({ "contacts": [{ "displayName": "Анна" }, { "displayName": "Пётр" }] }),
            matches: |found| {
                matches!(found, Content::ContactsArrayMessage(found)
                    if found.contacts.len() == 2
                        && found.contacts[1].display_name.as_deref() == Some("Пётр"))
            },
        },
        Row {
            type_message: "groupInviteMessage",
            key: "groupInviteMessageData",
            payload: json!({
                "groupJid": "120363000000000012@g.us",
                "inviteCode": "c0de",
                "inviteExpiration": 1_790_900_000,
                "groupName": "Соседи",
                "caption": "Заходите",
                "name": "Мария",
                "jpegThumbnail": null,
            }),
            matches: |found| {
                let Content::GroupInviteMessage(found) = found else {
                    return false;
                };
                let data = &found.group_invite_message_data;
                data.group_jid.as_deref() == Some("120363000000000012@g.us")
                    && data.invite_code.as_deref() == Some("c0de")
                    && data.invite_expiration.map(|time| time.0) == Some(1_790_900_000)
                    && data.group_name.as_deref() == Some("Соседи")
                    && data.caption.as_deref() == Some("Заходите")
                    && data.name.as_deref() == Some("Мария")
                    && data.jpeg_thumbnail.is_none()
            },
        },
    ]
}
