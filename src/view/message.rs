//! A message: what it says, how far it came, and what was done to it.

use serde::Serialize;
use utoipa::ToSchema;

use super::content::{Content, Direction};
use crate::notification::{
    MessageContent, MessageData, MessageReceived, Notification, Outcome, Parsed, parse,
};

/// A message as it is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The account.
    pub id_instance: i64,
    /// The chat.
    pub chat_id: String,
    /// The message, unique only within its chat.
    pub id_message: String,
    /// Which way it went; null until something says so.
    #[schema(required)]
    pub direction: Option<Direction>,
    /// `typeMessage`; null until the message itself has come.
    #[schema(required)]
    pub type_message: Option<String>,
    /// Who wrote it.
    #[schema(required)]
    pub sender: Option<String>,
    /// What the writer is called.
    #[schema(required)]
    pub sender_name: Option<String>,
    /// GREEN-API's own timestamp, seconds since 1970.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// What a person reads in it, after its last edit.
    #[schema(required)]
    pub text: Option<String>,
    /// Its file.
    #[schema(required)]
    pub file: Option<File>,
    /// The message that it quotes or answers.
    #[schema(required)]
    pub quoted: Option<Quoted>,
    /// The furthest of sent, delivered and read, else the last of the others.
    #[schema(required)]
    pub status: Option<String>,
    /// When it came that far, seconds since 1970.
    #[schema(required)]
    pub status_timestamp: Option<i64>,
    /// Why it failed.
    #[schema(required)]
    pub status_description: Option<String>,
    /// Whether it was edited.
    pub edited: bool,
    /// Whether it was deleted.
    pub deleted: bool,
    /// What an operator must hear of: `SWE001` and its like.
    #[schema(required)]
    pub marker: Option<String>,
    /// Its place in lists: the first event that speaks of it.
    pub seq: i64,
}

/// The file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageFile)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Where to get it.
    #[schema(required)]
    pub download_url: Option<String>,
    /// Its name.
    #[schema(required)]
    pub file_name: Option<String>,
    /// Its media type.
    #[schema(required)]
    pub mime_type: Option<String>,
    /// Text under it, after its last edit.
    #[schema(required)]
    pub caption: Option<String>,
}

/// The message that another one quotes or answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quoted {
    /// The message.
    pub id_message: String,
    /// Who wrote it.
    #[schema(required)]
    pub participant: Option<String>,
}

/// Which message it is.
#[derive(Debug, Clone)]
pub struct MessagePlace {
    /// The first event that speaks of it.
    pub seq: i64,
    /// The account.
    pub id_instance: i64,
    /// The chat.
    pub chat_id: String,
    /// The message.
    pub id_message: String,
    /// Which way it went.
    pub direction: Option<Direction>,
}

/// The bodies that say what a message is now.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessageEvents<'e> {
    /// The message itself.
    pub content: Option<&'e [u8]>,
    /// Its last edit.
    pub edit: Option<&'e [u8]>,
    /// The status that stands.
    pub status: Option<&'e [u8]>,
    /// Whether it was deleted.
    pub deleted: bool,
}

impl Message {
    /// Puts a message together, and gives the name of its chat beside it.
    #[must_use]
    pub fn new(place: MessagePlace, events: MessageEvents<'_>) -> (Self, Option<String>) {
        let content = events.content.map(parse);
        let edit = events.edit.map(parse);
        let status = events.status.map(parse);
        let mut message = Self {
            id_instance: place.id_instance,
            chat_id: place.chat_id,
            id_message: place.id_message,
            direction: place.direction,
            type_message: None,
            sender: None,
            sender_name: None,
            timestamp: None,
            text: None,
            file: None,
            quoted: None,
            status: None,
            status_timestamp: None,
            status_description: None,
            edited: edit.is_some(),
            deleted: events.deleted,
            marker: None,
            seq: place.seq,
        };
        let chat_name = content.and_then(|content| message.take_content(&content));
        if let Some(edit) = edit {
            message.take_edit(&edit);
        }
        if let Some(status) = status {
            message.take_status(&status);
        }
        (message, chat_name)
    }

    fn take_content(&mut self, parsed: &Parsed<'_>) -> Option<String> {
        let columns = &parsed.columns;
        self.type_message = columns.type_message.as_deref().map(str::to_owned);
        self.sender = columns.sender.as_deref().map(str::to_owned);
        self.timestamp = columns.timestamp;
        let notification = notification(parsed)?;
        let content = Content::of(notification);
        self.text = content.text.map(str::to_owned);
        self.file = content.is_file.then(|| File {
            download_url: content.download_url.map(str::to_owned),
            file_name: content.file_name.map(str::to_owned),
            mime_type: content.mime_type.map(str::to_owned),
            caption: content.caption.map(str::to_owned),
        });
        self.quoted = content.quoted.map(|id_message| Quoted {
            id_message: id_message.to_owned(),
            participant: content.quoted_participant.map(str::to_owned),
        });
        self.marker = notification.marker().map(str::to_owned);
        let sender = received(notification)?.sender_data.as_ref()?;
        let name = |name: Option<&str>| name.filter(|name| !name.is_empty()).map(str::to_owned);
        self.sender_name = name(sender.sender_name.as_deref())
            .or_else(|| name(sender.sender_contact_name.as_deref()));
        name(sender.chat_name.as_deref())
    }

    fn take_edit(&mut self, parsed: &Parsed<'_>) {
        let Some((text, caption)) = edited(parsed) else {
            return;
        };
        // Some edits of a caption come as a text.
        let (text, caption) = match (&self.file, text, caption) {
            (Some(_), Some(text), None) => (None, Some(text)),
            (_, text, caption) => (text, caption),
        };
        if let Some(text) = text {
            self.text = Some(text.to_owned());
            self.marker = None;
        }
        if let Some(caption) = caption {
            let file = self.file.get_or_insert(File {
                download_url: None,
                file_name: None,
                mime_type: None,
                caption: None,
            });
            file.caption = Some(caption.to_owned());
        }
    }

    fn take_status(&mut self, parsed: &Parsed<'_>) {
        let Some(notification @ Notification::OutgoingMessageStatus(status)) = notification(parsed)
        else {
            return;
        };
        self.status = status.status_name().map(str::to_owned);
        self.status_timestamp = parsed.columns.timestamp;
        self.status_description = status
            .description
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(str::to_owned);
        if let Some(marker) = notification.marker() {
            self.marker.get_or_insert_with(|| marker.to_owned());
        }
    }

    /// What of it is searched for: its text, its caption and the name of its file.
    pub fn searched(&self) -> impl Iterator<Item = &str> {
        let file = self.file.as_ref();
        let caption = file.and_then(|file| file.caption.as_deref());
        let name = file.and_then(|file| file.file_name.as_deref());
        [self.text.as_deref(), caption, name].into_iter().flatten()
    }
}

/// The notification, where it is one.
pub(super) fn notification<'p, 'a>(parsed: &'p Parsed<'a>) -> Option<&'p Notification<'a>> {
    match &parsed.outcome {
        Outcome::Known(notification) | Outcome::Unknown(notification) => Some(notification),
        Outcome::Malformed(_) => None,
    }
}

fn received<'n, 'a>(notification: &'n Notification<'a>) -> Option<&'n MessageReceived<'a>> {
    match notification {
        Notification::IncomingMessageReceived(message)
        | Notification::OutgoingMessageReceived(message)
        | Notification::OutgoingApiMessageReceived(message) => Some(message),
        _ => None,
    }
}

pub(super) fn data<'n, 'a>(notification: &'n Notification<'a>) -> Option<&'n MessageData<'a>> {
    received(notification)?.message_data.as_ref()
}

/// Text and caption after an edit.
pub(super) fn edited<'p>(parsed: &'p Parsed<'_>) -> Option<(Option<&'p str>, Option<&'p str>)> {
    match &data(notification(parsed)?)?.content {
        MessageContent::EditedMessage(edit) => {
            let edit = &edit.edited_message_data;
            Some((edit.text_message.as_deref(), edit.caption.as_deref()))
        }
        _ => None,
    }
}
