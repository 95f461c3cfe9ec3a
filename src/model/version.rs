//! Versions of a message: each event that carries or edits the message supplies some of its fields.
//!
//! One message may arrive several times, and a later version may have fewer fields than an earlier one. So
//! each field is taken from the best version that has it, whatever the order of arrival, and an event is
//! kept only if it supplies a field.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::contact::Contact;
use super::content::{Content, Direction};
use super::mention::{Role, edited, mentions, nonempty};
use super::moment::Moment;
use super::parsed::{notification, received};
use crate::notification::{Notification, Parsed};

/// Number of fields that a message takes from its versions.
const FIELDS: usize = 19;

/// How much content a version has. A version with a marker in place of its text or file ranks below a
/// version with content, and a version with neither ranks lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Nothing,
    Marker,
    Something,
}

/// The fields that one event supplies for its message.
pub(super) struct Version<'p> {
    pub(super) at: Moment,
    weight: Weight,
    pub(super) timestamp: Option<i64>,
    pub(super) direction: Option<Direction>,
    pub(super) type_message: Option<&'p str>,
    pub(super) sender: Option<&'p str>,
    pub(super) sender_name: Option<&'p str>,
    pub(super) chat_name: Option<&'p str>,
    pub(super) marker: Option<&'static str>,
    /// The text. If the version has a marker, the text is in `marked` instead.
    pub(super) text: Option<Cow<'p, str>>,
    /// Text and file URL as received, if one of them is a marker.
    pub(super) marked: Option<(Option<&'p str>, Option<&'p str>)>,
    pub(super) download_url: Option<&'p str>,
    pub(super) content: Content<'p>,
    pub(super) contacts: Vec<Contact>,
}

impl<'p> Version<'p> {
    fn of(at: Moment, parsed: &'p Parsed<'_>) -> Option<Self> {
        let columns = &parsed.columns;
        let notification = notification(parsed)?;
        let content = Content::of(notification);
        let marker = notification.marker();
        let contacts = Contact::all(content.contacts);
        let sender = received(notification)?.sender_data.as_ref();
        let name = |name: Option<&'p str>| nonempty(name);
        let mut version = Self {
            at,
            weight: Weight::Nothing,
            timestamp: columns.timestamp,
            direction: Direction::of(notification),
            type_message: columns.type_message.as_deref(),
            sender: columns.sender.as_deref(),
            sender_name: sender.and_then(|sender| {
                name(sender.sender_name.as_deref()).or(name(sender.sender_contact_name.as_deref()))
            }),
            chat_name: sender.and_then(|sender| name(sender.chat_name.as_deref())),
            marker,
            text: content
                .text
                .map(Cow::Borrowed)
                .or_else(|| Contact::names(&contacts).map(Cow::Owned))
                .or_else(|| content.catalogue?.line().map(Cow::Owned)),
            marked: None,
            download_url: content.download_url,
            content,
            contacts,
        };
        if marker.is_some() {
            version.marked = Some((content.text, content.download_url));
            (version.text, version.download_url) = (None, None);
        }
        version.weight = version.weight();
        Some(version)
    }

    fn weight(&self) -> Weight {
        if self.marker.is_some() {
            Weight::Marker
        } else if self.text.is_some()
            || self.download_url.is_some()
            || self.content.is_unknown
            || self.has_location()
        {
            Weight::Something
        } else {
            Weight::Nothing
        }
    }

    fn has_location(&self) -> bool {
        self.coordinates().is_some() || self.place_name().is_some() || self.address().is_some()
    }

    /// Latitude and longitude in degrees, if both are present.
    pub(super) fn coordinates(&self) -> Option<(f64, f64)> {
        let place = self.content.location?;
        Some((place.latitude?.0, place.longitude?.0))
    }

    /// Name of its location.
    pub(super) fn place_name(&self) -> Option<&'p str> {
        nonempty(self.content.location?.name_location.as_deref())
    }

    /// Address of its location.
    pub(super) fn address(&self) -> Option<&'p str> {
        nonempty(self.content.location?.address.as_deref())
    }

    /// Its contacts, if any of them has a name.
    pub(super) fn named_contacts(&self) -> Option<&[Contact]> {
        let has = |contact: &Contact| contact.name.is_some();
        self.contacts.iter().any(has).then_some(&self.contacts)
    }

    /// Its contacts, if any of them has a phone number.
    pub(super) fn contacts_with_phones(&self) -> Option<&[Contact]> {
        let has = |contact: &Contact| !contact.phones.is_empty();
        self.contacts.iter().any(has).then_some(&self.contacts)
    }

    /// Which fields it has. Every field that a message takes from its versions must be listed here.
    fn fields(&self) -> [bool; FIELDS] {
        let content = &self.content;
        [
            self.type_message.is_some(),
            self.sender.is_some(),
            self.sender_name.is_some(),
            self.chat_name.is_some(),
            self.text.is_some(),
            content.is_file,
            self.download_url.is_some(),
            content.file_name.is_some(),
            content.mime_type.is_some(),
            content.caption.is_some(),
            content.quoted.is_some(),
            content.quoted_participant.is_some(),
            content.location.is_some(),
            self.coordinates().is_some(),
            self.place_name().is_some(),
            self.address().is_some(),
            self.named_contacts().is_some(),
            self.contacts_with_phones().is_some(),
            !self.contacts.is_empty(),
        ]
    }
}

/// Text and caption of one edit.
#[derive(Debug, Clone, Copy)]
pub(super) struct EditVersion<'p> {
    at: Moment,
    text: Option<&'p str>,
    caption: Option<&'p str>,
}

/// All versions of one message: contents sorted best first, edits sorted newest first.
pub(super) struct Versions<'p> {
    pub(super) contents: Vec<Version<'p>>,
    edits: Vec<EditVersion<'p>>,
}

impl<'p> Versions<'p> {
    /// Collects the versions of the message `id_message` from events. `None` means a message without an
    /// identity, which consists of a single event.
    pub(super) fn of(id_message: Option<&str>, events: &'p [(Moment, Parsed<'_>)]) -> Self {
        let (mut contents, mut edits) = (Vec::new(), Vec::new());
        for (at, parsed) in events {
            match notification(parsed).and_then(|found| role(found, id_message)) {
                Some(Role::Content) => contents.extend(Version::of(*at, parsed)),
                Some(Role::Edit) => {
                    let edit = notification(parsed).and_then(received).and_then(edited);
                    edits.extend(edit.map(|(text, caption)| EditVersion {
                        at: *at,
                        text,
                        caption,
                    }));
                }
                _ => {}
            }
        }
        contents.sort_by_key(|version| Reverse((version.weight, version.at)));
        edits.sort_by_key(|edit| Reverse(edit.at));
        Self { contents, edits }
    }

    /// A field, from the best version that has it.
    pub(super) fn first<'v, T>(
        &'v self,
        field: impl Fn(&'v Version<'p>) -> Option<T>,
    ) -> Option<T> {
        self.contents.iter().find_map(field)
    }

    /// The earliest timestamp.
    pub(super) fn timestamp(&self) -> Option<i64> {
        self.contents
            .iter()
            .filter_map(|version| version.timestamp)
            .min()
    }

    /// Whether there is an edit.
    pub(super) fn is_edited(&self) -> bool {
        !self.edits.is_empty()
    }

    /// Text and caption after all edits: the newest of each.
    pub(super) fn edited(&self, is_file: bool) -> (Option<&'p str>, Option<&'p str>) {
        // Some caption edits arrive as a text edit.
        let text =
            |edit: &EditVersion<'p>| edit.text.filter(|_| !is_file || edit.caption.is_some());
        let caption = |edit: &EditVersion<'p>| edit.caption.or(edit.text.filter(|_| is_file));
        (
            self.edits.iter().find_map(text),
            self.edits.iter().find_map(caption),
        )
    }

    /// Seqs of the events that supply a field, best first. The other events do not affect the message.
    fn content_seqs(&self) -> Vec<i64> {
        let fields: Vec<_> = self.contents.iter().map(Version::fields).collect();
        let mut needed = vec![false; fields.len()];
        if let Some(best) = needed.first_mut() {
            *best = true;
        }
        for field in 0..FIELDS {
            if let Some(version) = fields.iter().position(|has| has[field]) {
                needed[version] = true;
            }
        }
        let earliest = self.timestamp();
        if earliest.is_some()
            && let Some(version) =
                (self.contents.iter()).position(|version| version.timestamp == earliest)
        {
            needed[version] = true;
        }
        let seqs = self.contents.iter().map(|version| version.at.seq);
        seqs.zip(needed)
            .filter_map(|(seq, needed)| needed.then_some(seq))
            .collect()
    }

    /// Seqs of the edits that supply a field, newest first.
    fn edit_seqs(&self) -> Vec<i64> {
        let newest = |has: fn(&EditVersion<'_>) -> bool| self.edits.iter().position(has);
        let mut needed: Vec<_> = [
            newest(|_| true),
            newest(|edit| edit.text.is_some()),
            newest(|edit| edit.caption.is_some()),
            newest(|edit| edit.text.is_some() && edit.caption.is_some()),
        ]
        .into_iter()
        .flatten()
        .collect();
        needed.sort_unstable();
        needed.dedup();
        (needed.into_iter())
            .map(|index| self.edits[index].at.seq)
            .collect()
    }
}

/// The events kept for a message, and the fields that are queried without reading those events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Seq of the event with the best content.
    pub content: Option<i64>,
    /// Seq of the newest edit.
    pub edit: Option<i64>,
    /// Seqs of further events that supply a field, in ascending order.
    pub extra: Vec<i64>,
    /// Direction of the message, from its best content.
    pub direction: Option<Direction>,
    /// The `typeMessage` that is shown.
    pub type_message: Option<String>,
}

impl Chosen {
    /// Chooses among the events of a message that has an identifier.
    pub(super) fn of(versions: &Versions<'_>) -> Self {
        let contents = versions.content_seqs();
        let edits = versions.edit_seqs();
        let mut extra: Vec<_> = [&contents, &edits]
            .into_iter()
            .flat_map(|seqs| seqs.iter().skip(1).copied())
            .collect();
        extra.sort_unstable();
        Self {
            content: contents.first().copied(),
            edit: edits.first().copied(),
            extra,
            direction: versions.contents.first().and_then(|best| best.direction),
            type_message: versions
                .first(|version| version.type_message)
                .map(str::to_owned),
        }
    }
}

/// How a notification relates to a message. A message without an identity has only its own notification.
fn role(notification: &Notification<'_>, id_message: Option<&str>) -> Option<Role> {
    if id_message.is_none() {
        return Some(Role::Content);
    }
    mentions(notification)
        .find(|mention| mention.id_message == id_message)
        .map(|mention| mention.role)
}
