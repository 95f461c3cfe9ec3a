//! Makes a notification from an entry of a journal, as the documents map one to the other. What a journal does not have
//! (the name of a chat, some fields of advertisements) is left out.

use serde_json::{Map, Value, json};

use crate::account::Configured;
use crate::green_api::{Entry, Journal, Product, Settings};

/// What a file of a message is described by.
const FILE_FIELDS: [&str; 8] = [
    "downloadUrl",
    "caption",
    "fileName",
    "jpegThumbnail",
    "mimeType",
    "isAnimated",
    "isForwarded",
    "forwardingScore",
];

/// Fields of an entry that are not the content of the message.
const COMMON_FIELDS: [&str; 18] = [
    "type",
    "idMessage",
    "timestamp",
    "typeMessage",
    "chatId",
    "senderId",
    "senderName",
    "senderContactName",
    "statusMessage",
    "sendByApi",
    "isForwarded",
    "forwardingScore",
    "quotedMessage",
    "isEdited",
    "isDeleted",
    "editedMessageId",
    "deletedMessageId",
    "chatState",
];

/// The account of the entries.
pub(super) struct Owner {
    id_instance: i64,
    wid: String,
    type_instance: String,
}

impl Owner {
    pub(super) fn new(configured: &Configured, settings: &Settings) -> Self {
        let type_instance = match configured.account.product() {
            Product::WhatsApp | Product::Waba => "whatsapp",
            Product::Max => "v3",
            Product::Telegram => "telegram",
        };
        let told = Some(settings.text("typeInstance")).filter(|told| !told.is_empty());
        Self {
            id_instance: configured.account.id_instance(),
            wid: settings.text("wid"),
            type_instance: told.unwrap_or_else(|| type_instance.to_owned()),
        }
    }

    /// `instanceData` of a notification.
    fn data(&self) -> Value {
        let mut data =
            json!({ "idInstance": self.id_instance, "typeInstance": self.type_instance });
        if !self.wid.is_empty() {
            data["wid"] = json!(self.wid);
        }
        data
    }

    /// The notification of an entry; `None` if the entry lacks the content.
    pub(super) fn notification(&self, journal: Journal, entry: &Entry) -> Option<Vec<u8>> {
        let notification = if journal.has_calls() {
            self.call(journal, entry)
        } else {
            self.message(journal, entry)
        };
        // Values serialize without errors.
        serde_json::to_vec(&notification?).ok()
    }

    fn message(&self, journal: Journal, entry: &Entry) -> Option<Value> {
        let chat_id = entry.text("chatId")?;
        let mut sender = json!({ "chatId": chat_id });
        let type_webhook = if journal == Journal::IncomingMessages {
            sender["sender"] = json!(entry.text("senderId").unwrap_or(chat_id));
            for field in ["senderName", "senderContactName"] {
                if let Some(name) = entry.0.get(field).filter(|name| name.is_string()) {
                    sender[field] = name.clone();
                }
            }
            "incomingMessageReceived"
        } else {
            if !self.wid.is_empty() {
                sender["sender"] = json!(self.wid);
            }
            if entry.is_true("sendByApi") {
                "outgoingAPIMessageReceived"
            } else {
                "outgoingMessageReceived"
            }
        };
        Some(json!({
            "typeWebhook": type_webhook,
            "instanceData": self.data(),
            "timestamp": entry.timestamp()?,
            "idMessage": entry.text("idMessage")?,
            "senderData": sender,
            "messageData": content(entry)?,
        }))
    }

    fn call(&self, journal: Journal, entry: &Entry) -> Option<Value> {
        let type_webhook = if journal == Journal::IncomingCalls {
            "incomingCall"
        } else {
            "outgoingCall"
        };
        let mut call = json!({
            "typeWebhook": type_webhook,
            "instanceData": self.data(),
            "timestamp": entry.timestamp()?,
            "idMessage": entry.text("idMessage")?,
            "from": entry.text("chatId")?,
            "status": entry.text("status")?,
        });
        for field in ["isVideo", "duration", "participants"] {
            if let Some(value) = entry.0.get(field).filter(|value| !value.is_null()) {
                call[field] = value.clone();
            }
        }
        Some(call)
    }

    /// The notification of the status of a sent message.
    pub(super) fn status(&self, entry: &Entry) -> Option<Vec<u8>> {
        let mut status = json!({
            "typeWebhook": "outgoingMessageStatus",
            "instanceData": self.data(),
            "timestamp": entry.timestamp()?,
            "idMessage": entry.text("idMessage")?,
            "chatId": entry.text("chatId")?,
            "status": entry.text("statusMessage")?,
        });
        if entry.0.contains_key("sendByApi") {
            status["sendByApi"] = json!(entry.is_true("sendByApi"));
        }
        serde_json::to_vec(&status).ok()
    }
}

/// `messageData` of an entry.
fn content(entry: &Entry) -> Option<Value> {
    let fields = &entry.0;
    let object = |names: &[&str]| {
        let mut found = names.iter().filter_map(|name| fields.get(*name));
        found.find(|value| value.is_object()).cloned()
    };
    let type_message = entry.text("typeMessage")?;
    let mut data = Map::new();
    match &*type_message.to_ascii_lowercase() {
        "textmessage" => {
            let text = fields.get("textMessage").filter(|text| text.is_string())?;
            data.insert("textMessageData".to_owned(), json!({ "textMessage": text }));
        }
        "extendedtextmessage" | "quotedmessage" | "reactionmessage" => {
            let text = fields.get("textMessage").filter(|text| text.is_string());
            let text = || text.map(|text| json!({ "text": text }));
            let names = ["extendedTextMessage", "extendedTextMessageData"];
            let found = object(&names).or_else(text)?;
            data.insert("extendedTextMessageData".to_owned(), found);
        }
        "imagemessage" | "videomessage" | "documentmessage" | "audiomessage" | "stickermessage" => {
            // An empty link can still be replaced by `downloadFile`.
            fields.get("downloadUrl")?;
            let described = FILE_FIELDS.into_iter().filter_map(|name| {
                let value = fields.get(name)?;
                Some((name.to_owned(), value.clone()))
            });
            let file = Value::Object(described.collect());
            data.insert("fileMessageData".to_owned(), file);
        }
        "locationmessage" => {
            let found = object(&["location", "locationMessageData"])?;
            data.insert("locationMessageData".to_owned(), found);
        }
        "contactmessage" => {
            let found = object(&["contact", "contactMessageData"])?;
            data.insert("contactMessageData".to_owned(), found);
        }
        "pollmessage" | "pollupdatemessage" => {
            let found = object(&["pollMessageData"])?;
            data.insert("pollMessageData".to_owned(), found);
            if let Some(several) = fields.get("multipleAnswers") {
                data.insert("multipleAnswers".to_owned(), several.clone());
            }
        }
        // Buttons, templates, lists and newer types have their content under a name of their own.
        _ => {
            let own = fields.iter().filter(|(name, value)| {
                !COMMON_FIELDS.contains(&name.as_str()) && !value.is_null()
            });
            data.extend(own.map(|(name, value)| (name.clone(), value.clone())));
            if data.is_empty() {
                return None;
            }
        }
    }
    if !data.contains_key("fileMessageData") {
        for name in ["isForwarded", "forwardingScore"] {
            if let Some(value) = fields.get(name).filter(|value| !value.is_null()) {
                data.insert(name.to_owned(), value.clone());
            }
        }
    }
    if let Some(quoted) = object(&["quotedMessage"]) {
        data.insert("quotedMessage".to_owned(), quoted);
    }
    data.insert("typeMessage".to_owned(), json!(type_message));
    Some(Value::Object(data))
}
