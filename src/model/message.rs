//! A message: its content, its delivery status, and the edits and deletion applied to it.

use serde::Serialize;
use utoipa::ToSchema;

use super::contact::Contact;
use super::content::Direction;
use super::kept_file::KeptFile;
use super::mention::nonempty;
use super::moment::in_time_order;
use super::parsed::notification;
use super::version::{Chosen, Version, Versions};
use crate::notification::{Notification, Parsed, parse};

/// A message as the API returns it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Instance number of the account.
    pub id_instance: i64,
    /// Canonical identifier of the chat: `79…:3@c.us` and `79…@s.whatsapp.net` become `79…@c.us`. Null if
    /// the notification has none.
    #[schema(required)]
    pub chat_id: Option<String>,
    /// The same person's other chat, if known: the `@c.us` chat for a `@lid` chat, and vice versa.
    #[schema(required)]
    pub alias_of: Option<String>,
    /// Identifier of the message, unique only within its chat. Null if the notification has none.
    #[schema(required)]
    pub id_message: Option<String>,
    /// Direction; null until a notification indicates it.
    #[schema(required)]
    pub direction: Option<Direction>,
    /// `typeMessage`; null until the message itself arrives.
    #[schema(required)]
    pub type_message: Option<String>,
    /// Author of the message.
    #[schema(required)]
    pub sender: Option<String>,
    /// Name of the author.
    #[schema(required)]
    pub sender_name: Option<String>,
    /// Timestamp from the notification, Unix seconds. If the message arrived several times, the earliest.
    #[schema(required)]
    pub timestamp: Option<i64>,
    /// Text shown to a reader, after the latest edit. For contacts, their names.
    #[schema(required)]
    pub text: Option<String>,
    /// Attached file.
    #[schema(required)]
    pub file: Option<File>,
    /// Location that was sent.
    #[schema(required)]
    pub location: Option<Location>,
    /// Contacts that were sent.
    pub contacts: Vec<Contact>,
    /// Message that this one quotes or replies to.
    #[schema(required)]
    pub quoted: Option<Quoted>,
    /// The most advanced of `sent`, `delivered` and `read`; if there is none of these, the latest failure by
    /// timestamp.
    #[schema(required)]
    pub status: Option<String>,
    /// When the message reached this status, Unix seconds.
    #[schema(required)]
    pub status_timestamp: Option<i64>,
    /// Reason for a failure.
    #[schema(required)]
    pub status_description: Option<String>,
    /// Whether the message was edited.
    pub edited: bool,
    /// Whether the message was deleted.
    pub deleted: bool,
    /// GREEN-API error marker that needs an operator's attention, such as `SWE001`.
    #[schema(required)]
    pub marker: Option<String>,
    /// Present and true if an event of the message is damaged on disk. What that event reported is left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
    /// Position in lists: the seq of the first event that mentions the message.
    pub seq: i64,
}

/// The file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageFile)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Download URL.
    #[schema(required)]
    pub download_url: Option<String>,
    /// File name.
    #[schema(required)]
    pub file_name: Option<String>,
    /// Media type.
    #[schema(required)]
    pub mime_type: Option<String>,
    /// Caption, after the latest edit.
    #[schema(required)]
    pub caption: Option<String>,
    /// What has become of the file, if its account keeps files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptFile>,
}

/// A location sent in a message.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = MessageLocation)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Latitude in degrees, positive to the north; null if missing or unreadable.
    #[schema(required)]
    pub latitude: Option<f64>,
    /// Longitude in degrees, positive to the east.
    #[schema(required)]
    pub longitude: Option<f64>,
    /// Name of the location.
    #[schema(required)]
    pub name: Option<String>,
    /// Address of the location.
    #[schema(required)]
    pub address: Option<String>,
}

/// A message that another message quotes or replies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quoted {
    /// Identifier of the quoted message.
    pub id_message: String,
    /// Author of the quoted message.
    #[schema(required)]
    pub participant: Option<String>,
}

/// Identity of a message.
#[derive(Debug, Clone)]
pub struct MessagePlace {
    /// Seq of the first event that mentions it.
    pub seq: i64,
    /// Instance number of the account.
    pub id_instance: i64,
    /// Canonical identifier of the chat.
    pub chat_id: Option<String>,
    /// Identifier of the message.
    pub id_message: Option<String>,
    /// Direction.
    pub direction: Option<Direction>,
}

/// The events that determine the current form of a message.
#[derive(Debug, Clone, Default)]
pub struct MessageEvents<'e> {
    /// Events that [`Chosen`](super::Chosen) lists, in any order: seq, arrival in milliseconds, body.
    pub versions: Vec<(i64, i64, &'e [u8])>,
    /// Body of the event that holds the current status.
    pub status: Option<&'e [u8]>,
    /// Whether it was deleted.
    pub deleted: bool,
}

impl Message {
    /// Builds a message and returns it with the name of its chat.
    #[must_use]
    pub fn new(place: MessagePlace, events: MessageEvents<'_>) -> (Self, Option<String>) {
        let parsed = in_time_order(events.versions);
        // A message without a chat consists of a single event.
        let id_message = place
            .id_message
            .as_deref()
            .filter(|_| place.chat_id.is_some());
        let versions = Versions::of(id_message, &parsed);
        let (mut message, chat_name) = Self::of(place, &versions);
        message.deleted = events.deleted;
        if let Some(status) = events.status {
            message.take_status(&parse(status));
        }
        (message, chat_name)
    }

    /// Chooses the events to keep among those of a message that has an identifier, and returns the choice
    /// with the message. Choosing from an earlier choice plus one new event gives the same result as choosing
    /// from all events.
    pub fn choose<'e>(
        place: MessagePlace,
        events: impl IntoIterator<Item = (i64, i64, &'e [u8])>,
    ) -> (Chosen, Self) {
        let parsed = in_time_order(events);
        let id_message = place.id_message.clone();
        let versions = Versions::of(id_message.as_deref(), &parsed);
        (Chosen::of(&versions), Self::of(place, &versions).0)
    }

    /// Builds a message from its versions and returns it with the name of its chat.
    fn of(place: MessagePlace, versions: &Versions<'_>) -> (Self, Option<String>) {
        let mut message = Self {
            id_instance: place.id_instance,
            chat_id: place.chat_id,
            alias_of: None,
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
            damaged: false,
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
        let is_file = versions
            .contents
            .iter()
            .any(|version| version.content.is_file);
        self.file = is_file.then(|| File {
            download_url: owned(
                versions
                    .first(|version| version.download_url)
                    .or(marked_url),
            ),
            file_name: owned(versions.first(|version| version.content.file_name)),
            mime_type: owned(versions.first(|version| version.content.mime_type)),
            caption: owned(versions.first(|version| version.content.caption)),
            kept: None,
        });
        let has_location = |version: &Version<'_>| version.content.location.is_some();
        self.location = versions.contents.iter().any(has_location).then(|| {
            let coordinates = versions.first(Version::coordinates);
            Location {
                latitude: coordinates.map(|(latitude, _)| latitude),
                longitude: coordinates.map(|(_, longitude)| longitude),
                name: owned(versions.first(Version::place_name)),
                address: owned(versions.first(Version::address)),
            }
        });
        self.contacts = versions
            .first(|version| version.contacts_with_phones())
            .or(versions.first(|version| version.named_contacts()))
            .or(versions
                .first(|version| (!version.contacts.is_empty()).then_some(&version.contacts[..])))
            .unwrap_or_default()
            .to_vec();
        self.quoted = versions
            .first(|version| version.content.quoted)
            .map(|id| Quoted {
                id_message: id.to_owned(),
                participant: owned(versions.first(|version| version.content.quoted_participant)),
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
                kept: None,
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

    /// The parts of the message that search covers: text, caption, file name, phone numbers.
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
