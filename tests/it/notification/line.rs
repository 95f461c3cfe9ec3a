//! The product lines of GREEN-API and the form of their notifications.

use serde_json::{Value, json};

use super::merged;

/// A product line.
pub(super) struct Line {
    pub(super) name: &'static str,
    type_instance: &'static str,
    chat_id: &'static str,
    sender: &'static str,
    id_message: &'static str,
    sender_data: Value,
}

pub(super) fn all() -> [Line; 4] {
    [whatsapp(), max(), telegram(), waba()]
}

pub(super) fn whatsapp() -> Line {
    Line {
        name: "WhatsApp",
        type_instance: "whatsapp",
        chat_id: "120363000000000777@g.us",
        sender: "790000000000777@lid",
        id_message: "5E0000000000000000000000000007A1",
        sender_data: json!({ "chatName": "Двор", "senderContactName": "Мария" }),
    }
}

pub(super) fn max() -> Line {
    Line {
        name: "MAX",
        type_instance: "v3",
        chat_id: "-70000000000777",
        sender: "10000777",
        id_message: "115700000000000000777",
        sender_data: json!({ "senderPhoneNumber": 79_000_000_777_i64, "chatType": "group" }),
    }
}

pub(super) fn telegram() -> Line {
    Line {
        name: "Telegram",
        type_instance: "telegram",
        chat_id: "-10000000000777",
        sender: "7000000777",
        id_message: "777",
        sender_data: json!({
            "senderPhoneNumber": 0,
            "chatType": "supergroup",
            "senderType": "bot",
        }),
    }
}

pub(super) fn waba() -> Line {
    Line {
        name: "WABA",
        type_instance: "whatsapp",
        chat_id: "79000000778@c.us",
        sender: "79000000778@c.us",
        id_message: "3EB000000000000000A2",
        sender_data: json!({}),
    }
}

impl Line {
    /// A notification of this line with the `fields` specific to its type.
    pub(super) fn notification(&self, type_webhook: &str, fields: Value) -> Value {
        let common = json!({
            "typeWebhook": type_webhook,
            "instanceData": {
                "idInstance": 7_103_000_777_i64,
                "wid": "79000000701@c.us",
                "typeInstance": self.type_instance,
            },
            "timestamp": 1_790_000_777,
        });
        merged(common, fields)
    }

    /// The columns of that notification; `fields` are the columns specific to its type.
    pub(super) fn columns(&self, type_webhook: &str, fields: Value) -> Value {
        let common = json!({
            "id_instance": 7_103_000_777_i64,
            "type_instance": self.type_instance,
            "type_webhook": type_webhook,
            "type_message": null,
            "id_message": null,
            "chat_id": null,
            "sender": null,
            "timestamp": 1_790_000_777,
        });
        merged(common, fields)
    }

    /// A message of this line.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "every caller builds the value for this call"
    )]
    pub(super) fn message(&self, type_webhook: &str, message_data: Value) -> Value {
        let sender_data = merged(
            json!({ "chatId": self.chat_id, "sender": self.sender, "senderName": "Маша" }),
            self.sender_data.clone(),
        );
        self.notification(
            type_webhook,
            json!({
                "idMessage": self.id_message,
                "senderData": sender_data,
                "messageData": message_data,
            }),
        )
    }

    /// The columns of that message.
    pub(super) fn message_columns(&self, type_webhook: &str, type_message: Option<&str>) -> Value {
        self.columns(
            type_webhook,
            json!({
                "type_message": type_message,
                "id_message": self.id_message,
                "chat_id": self.chat_id,
                "sender": self.sender,
            }),
        )
    }
}
