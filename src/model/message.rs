//! A message: what it says, how far it came, and what was done to it.

use serde::Serialize;
use utoipa::ToSchema;

use super::contact::Contact;
use super::content::Direction;
use super::mention::nonempty;
use super::moment::in_time_order;
use super::version::{Version, Versions};
use crate::notification::{MessageData, MessageReceived, Notification, Outcome, Parsed, parse};

/// A message as it is given back.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The account.
    pub id_instance: i64,
    /// The chat, in its canonical form: `79…:3@c.us` and `79…@s.whatsapp.net` are `79…@c.us`. Null where
    /// the notification names none.
    #[schema(required)]
    pub chat_id: Option<String>,
    /// The message, unique only within its chat. Null where the notification names none.
    #[schema(required)]
    pub id_message: Option<String>,
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
    /// GREEN-API's own timestamp, seconds since 1970; the earliest of those that it came with.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// Text shown to a reader, after the latest edit. Of contacts these are the names.
    #[schema(required)]
    pub text: Option<String>,
    /// Its file.
    #[schema(required)]
    pub file: Option<File>,
    /// The place that it names.
    #[schema(required)]
    pub location: Option<Location>,
    /// The contacts that it brings.
    pub contacts: Vec<Contact>,
    /// The message that it quotes or answers.
    #[schema(required)]
    pub quoted: Option<Quoted>,
    /// The furthest of sent, delivered and read, else the failure with the greatest timestamp.
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

/// A place that a message names.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = MessageLocation)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Degrees to the north; null where the notification has none that can be read.
    #[schema(required)]
    pub latitude: Option<f64>,
    /// Degrees to the east.
    #[schema(required)]
    pub longitude: Option<f64>,
    /// Name of the place.
    #[schema(required)]
    pub name: Option<String>,
    /// Address of the place.
    #[schema(required)]
    pub address: Option<String>,
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
    pub chat_id: Option<String>,
    /// The message.
    pub id_message: Option<String>,
    /// Which way it went.
    pub direction: Option<Direction>,
}

/// The events that say what a message is now.
#[derive(Debug, Clone, Default)]
pub struct MessageEvents<'e> {
    /// Those that [`Chosen`](super::Chosen) names, in whatever order: seq, arrival in milliseconds, body.
    pub versions: Vec<(i64, i64, &'e [u8])>,
    /// The body of the status that stands.
    pub status: Option<&'e [u8]>,
    /// Whether it was deleted.
    pub deleted: bool,
}

impl Message {
    /// Puts a message together, and gives the name of its chat beside it.
    #[must_use]
    pub fn new(place: MessagePlace, events: MessageEvents<'_>) -> (Self, Option<String>) {
        let said = in_time_order(events.versions);
        // A message without a chat is one event's own.
        let id_message = place
            .id_message
            .as_deref()
            .filter(|_| place.chat_id.is_some());
        let versions = Versions::of(id_message, &said);
        let (mut message, chat_name) = Self::of(place, &versions);
        message.deleted = events.deleted;
        if let Some(status) = events.status {
            message.take_status(&parse(status));
        }
        (message, chat_name)
    }

    /// What its versions say of a message, and the name of its chat.
    pub(super) fn of(place: MessagePlace, versions: &Versions<'_>) -> (Self, Option<String>) {
        let mut message = Self {
            id_instance: place.id_instance,
            chat_id: place.chat_id,
            id_message: place.id_message,
            direction: place.direction,
            type_message: None,
            sender: None,
            sender_name: None,
            timestamp: versions.timestamp(),
            text: None,
            file: None,
            location: None,
            contacts: Vec::new(),
            quoted: None,
            status: None,
            status_timestamp: None,
            status_description: None,
            edited: versions.is_edited(),
            deleted: false,
            marker: None,
            seq: place.seq,
        };
        let chat_name = message.take_contents(versions);
        message.take_edits(versions);
        (message, chat_name)
    }

    fn take_contents(&mut self, versions: &Versions<'_>) -> Option<String> {
        let best = versions.contents.first()?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.type_message = owned(versions.first(|version| version.type_message));
        self.sender = owned(versions.first(|version| version.sender));
        self.sender_name = owned(versions.first(|version| version.sender_name));
        self.marker = owned(best.marker);
        let (marked_text, marked_url) = best.marked.unwrap_or_default();
        self.text = versions
            .first(|version| version.text.as_deref())
            .or(marked_text)
            .map(str::to_owned);
        let is_file = versions.contents.iter().any(|said| said.content.is_file);
        self.file = is_file.then(|| File {
            download_url: owned(versions.first(|said| said.download_url).or(marked_url)),
            file_name: owned(versions.first(|said| said.content.file_name)),
            mime_type: owned(versions.first(|said| said.content.mime_type)),
            caption: owned(versions.first(|said| said.content.caption)),
        });
        let is_place = |said: &Version<'_>| said.content.location.is_some();
        self.location = versions.contents.iter().any(is_place).then(|| {
            let coordinates = versions.first(Version::coordinates);
            Location {
                latitude: coordinates.map(|(latitude, _)| latitude),
                longitude: coordinates.map(|(_, longitude)| longitude),
                name: owned(versions.first(Version::place_name)),
                address: owned(versions.first(Version::address)),
            }
        });
        self.contacts = versions
            .first(|said| said.contacts_with_phones())
            .or(versions.first(|said| said.named_contacts()))
            .or(versions.first(|said| (!said.contacts.is_empty()).then_some(&said.contacts[..])))
            .unwrap_or_default()
            .to_vec();
        self.quoted = versions.first(|said| said.content.quoted).map(|id| Quoted {
            id_message: id.to_owned(),
            participant: owned(versions.first(|said| said.content.quoted_participant)),
        });
        owned(versions.first(|version| version.chat_name))
    }

    fn take_edits(&mut self, versions: &Versions<'_>) {
        let (text, caption) = versions.edited(self.file.is_some());
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
        self.status = notification.status_name().map(str::to_owned);
        self.status_timestamp = parsed.columns.timestamp;
        self.status_description = nonempty(status.description.as_deref()).map(str::to_owned);
        if let Some(marker) = notification.marker() {
            self.marker.get_or_insert_with(|| marker.to_owned());
        }
    }

    /// What of it is searched for: its text, its caption, the name of its file, phone numbers.
    pub fn searched(&self) -> impl Iterator<Item = &str> {
        let file = self.file.as_ref();
        let caption = file.and_then(|file| file.caption.as_deref());
        let name = file.and_then(|file| file.file_name.as_deref());
        let phones = self.contacts.iter().flat_map(|contact| &contact.phones);
        [self.text.as_deref(), caption, name]
            .into_iter()
            .flatten()
            .chain(phones.map(String::as_str))
    }
}

/// The notification, where it is one.
pub(super) fn notification<'p, 'a>(parsed: &'p Parsed<'a>) -> Option<&'p Notification<'a>> {
    match &parsed.outcome {
        Outcome::Known(notification) | Outcome::Unknown(notification) => Some(notification),
        Outcome::Malformed(_) => None,
    }
}

pub(super) fn received<'n, 'a>(
    notification: &'n Notification<'a>,
) -> Option<&'n MessageReceived<'a>> {
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
