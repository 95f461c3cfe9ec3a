//! Every documented `typeWebhook`, in every product line.

use green_inbox::notification::{
    CallStatus, ChatState, DeliveryStatus, Notification, Socket, State,
};
use serde_json::{Value, json};

use super::{columns, known, line, parse};

/// Parses a notification as each product line sends it and asserts its columns and its value.
#[track_caller]
fn check(
    type_webhook: &str,
    fields: &Value,
    expected: &Value,
    holds: impl Fn(&Notification<'_>) -> bool,
) {
    for line in line::all() {
        let body = line.notification(type_webhook, fields.clone()).to_string();
        let parsed = parse(body.as_bytes());
        let expected = line.columns(type_webhook, expected.clone());
        assert_eq!(columns(&parsed), expected, "{}: {body}", line.name);
        let notification = known(&parsed);
        assert!(holds(notification), "{}: {notification:?}", line.name);
    }
}

#[test]
fn outgoing_message_status_is_known_with_its_fields() {
    for (spelled, status) in [
        ("sent", DeliveryStatus::Sent),
        ("delivered", DeliveryStatus::Delivered),
        ("read", DeliveryStatus::Read),
        ("failed", DeliveryStatus::Failed),
        ("noAccount", DeliveryStatus::NoAccount),
        ("notInGroup", DeliveryStatus::NotInGroup),
        ("yellowCard", DeliveryStatus::YellowCard),
    ] {
        let mut fields =
            json!({ "chatId": "79000000001@c.us", "idMessage": "A1B2", "status": spelled });
        let expected = json!({ "chat_id": "79000000001@c.us", "id_message": "A1B2" });
        check("outgoingMessageStatus", &fields, &expected, |found| {
            matches!(found, Notification::OutgoingMessageStatus(found)
                if found.status.as_ref() == Some(&status) && found.description.is_none()
                    && found.chat_id.as_deref() == Some("79000000001@c.us"))
        });
        fields["description"] = json!("SWE004: too many members: 412");
        fields["sendByApi"] = json!(true);
        check("outgoingMessageStatus", &fields, &expected, |found| {
            matches!(found, Notification::OutgoingMessageStatus(found)
                if found.status.as_ref() == Some(&status) && found.send_by_api == Some(true)
                    && found.description.as_deref() == Some("SWE004: too many members: 412"))
        });
    }
}

#[test]
fn state_instance_changed_is_known_with_its_state() {
    for (spelled, state) in [
        ("notAuthorized", State::NotAuthorized),
        ("authorized", State::Authorized),
        ("blocked", State::Blocked),
        ("sleepMode", State::SleepMode),
        ("starting", State::Starting),
        ("yellowCard", State::YellowCard),
        ("suspended", State::Suspended),
        ("pendingCode", State::PendingCode),
        ("pendingPassword", State::PendingPassword),
    ] {
        let fields = json!({ "stateInstance": spelled });
        check("stateInstanceChanged", &fields, &json!({}), |found| {
            matches!(found, Notification::StateInstanceChanged(found)
                if found.state_instance.as_ref() == Some(&state))
        });
    }
}

#[test]
fn status_instance_changed_is_known_with_its_socket() {
    for (spelled, socket) in [
        ("online", Socket::Online),
        ("onLine", Socket::Online),
        ("offline", Socket::Offline),
        ("offLine", Socket::Offline),
    ] {
        let fields = json!({ "statusInstance": spelled });
        check("statusInstanceChanged", &fields, &json!({}), |found| {
            matches!(found, Notification::StatusInstanceChanged(found)
                if found.status_instance.as_ref() == Some(&socket))
        });
    }
}

#[test]
fn device_info_of_a_phone_is_known_with_its_fields() {
    let fields = json!({ "deviceData": {
        "platform": "android",
        "deviceManufacturer": "Завод",
        "deviceModel": "Образец 2",
        "osVersion": "15.1",
        "waVersion": "2.26.1",
        "battery": 71,
    }});
    check("deviceInfo", &fields, &json!({}), |found| {
        let Notification::DeviceInfo(found) = found else {
            return false;
        };
        let device = found.device_data.as_ref().unwrap();
        found.avatar_info.is_none()
            && device.platform.as_deref() == Some("android")
            && device.device_manufacturer.as_deref() == Some("Завод")
            && device.device_model.as_deref() == Some("Образец 2")
            && device.os_version.as_deref() == Some("15.1")
            && device.wa_version.as_deref() == Some("2.26.1")
            && device.battery.map(|percent| percent.0) == Some(71)
    });
}

#[test]
fn device_info_of_an_avatar_is_known_with_its_fields() {
    let fields = json!({ "avatarInfo": {
        "chatId": "79000000002@c.us",
        "urlAvatar": "",
        "reason": "скрыт",
    }});
    let expected = json!({ "chat_id": "79000000002@c.us" });
    check("deviceInfo", &fields, &expected, |found| {
        let Notification::DeviceInfo(found) = found else {
            return false;
        };
        let avatar = found.avatar_info.as_ref().unwrap();
        found.device_data.is_none()
            && avatar.chat_id.as_deref() == Some("79000000002@c.us")
            && avatar.url_avatar.as_deref() == Some("")
            && avatar.reason.as_deref() == Some("скрыт")
    });
}

#[test]
fn incoming_call_is_known_with_its_status() {
    for (spelled, status) in [
        ("offer", CallStatus::Offer),
        ("pickUp", CallStatus::PickUp),
        ("hangUp", CallStatus::HangUp),
        ("missed", CallStatus::Missed),
        ("declined", CallStatus::Declined),
    ] {
        let fields = json!({ "from": "79000000003@c.us", "idMessage": "CA11", "status": spelled });
        let expected = json!({ "sender": "79000000003@c.us", "id_message": "CA11" });
        check("incomingCall", &fields, &expected, |found| {
            matches!(found, Notification::IncomingCall(found)
                if found.status.as_ref() == Some(&status) && found.participants.is_none()
                    && found.from.as_deref() == Some("79000000003@c.us"))
        });
    }
}

#[test]
fn outgoing_call_is_known_with_its_participants() {
    for (spelled, status) in [
        ("pickUp", CallStatus::PickUp),
        ("hungUp", CallStatus::HangUp),
        ("invalid", CallStatus::Invalid),
    ] {
        let fields = json!({
            "from": "79000000004@c.us",
            "isVideo": true,
            "duration": "95",
            "status": spelled,
            "participants": [
                { "wid": "79000000005@c.us", "status": spelled },
                { "id": "790000000000006@lid", "status": "declined" },
            ],
        });
        let expected = json!({ "chat_id": "79000000004@c.us" });
        check("outgoingCall", &fields, &expected, |found| {
            let Notification::OutgoingCall(found) = found else {
                return false;
            };
            let participants = found.participants.as_ref().unwrap();
            found.status.as_ref() == Some(&status)
                && found.is_video == Some(true)
                && found.duration.map(|seconds| seconds.0) == Some(95)
                && participants.len() == 2
                && participants[0].status.as_ref() == Some(&status)
                && participants[1].account() == Some("790000000000006@lid")
                && participants[1].status == Some(CallStatus::Declined)
        });
    }
}

#[test]
fn incoming_block_is_known_with_its_chat_state() {
    let fields = json!({ "chatId": "79000000007@c.us", "chatState": "blocked" });
    let expected = json!({ "chat_id": "79000000007@c.us" });
    check("incomingBlock", &fields, &expected, |found| {
        matches!(found, Notification::IncomingBlock(found)
            if found.chat_state == Some(ChatState::Blocked))
    });
}

#[test]
fn quota_exceeded_is_known_with_or_without_a_timestamp() {
    let mut fields = json!({ "quotaData": {
        "method": "correspondents",
        "used": 7,
        "total": 7,
        "status": "CORRESPONDENTS_QUOTA_EXCEEDED",
        "description": "Чаты этого месяца: 79000000008@c.us",
    }});
    let holds = |found: &Notification<'_>| {
        let Notification::QuotaExceeded(found) = found else {
            return false;
        };
        let quota = &found.quota_data;
        quota.method.as_deref() == Some("correspondents")
            && quota.used.map(|used| used.0) == Some(7)
            && quota.total.map(|total| total.0) == Some(7)
            && quota.status.as_deref() == Some("CORRESPONDENTS_QUOTA_EXCEEDED")
            && quota.description.as_deref() == Some("Чаты этого месяца: 79000000008@c.us")
    };
    check("quotaExceeded", &fields, &json!({}), holds);
    // The documented examples have no timestamp.
    fields["timestamp"] = Value::Null;
    check(
        "quotaExceeded",
        &fields,
        &json!({ "timestamp": null }),
        holds,
    );
}

#[test]
fn undocumented_enum_value_is_kept_and_the_notification_is_known() {
    let body = |type_webhook: &str, field: &str| {
        let fields = json!({ field: "впервые", "chatId": "1" });
        line::waba().notification(type_webhook, fields).to_string()
    };
    let value =
        |type_webhook: &str, field: &str| match known(&parse(body(type_webhook, field).as_bytes()))
        {
            Notification::OutgoingMessageStatus(found) => match &found.status {
                Some(DeliveryStatus::Unknown(text)) => text.to_string(),
                other => panic!("{other:?}"),
            },
            Notification::StateInstanceChanged(found) => match &found.state_instance {
                Some(State::Unknown(text)) => text.to_string(),
                other => panic!("{other:?}"),
            },
            Notification::StatusInstanceChanged(found) => match &found.status_instance {
                Some(Socket::Unknown(text)) => text.to_string(),
                other => panic!("{other:?}"),
            },
            Notification::IncomingBlock(found) => match &found.chat_state {
                Some(ChatState::Unknown(text)) => text.to_string(),
                _ => panic!("{found:?}"),
            },
            Notification::IncomingCall(found) | Notification::OutgoingCall(found) => {
                match &found.status {
                    Some(CallStatus::Unknown(text)) => text.to_string(),
                    other => panic!("{other:?}"),
                }
            }
            other => panic!("{other:?}"),
        };
    for (type_webhook, field) in [
        ("outgoingMessageStatus", "status"),
        ("stateInstanceChanged", "stateInstance"),
        ("statusInstanceChanged", "statusInstance"),
        ("incomingBlock", "chatState"),
        ("incomingCall", "status"),
        ("outgoingCall", "status"),
    ] {
        assert_eq!(value(type_webhook, field), "впервые", "{type_webhook}");
    }
}
