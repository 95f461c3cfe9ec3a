//! Content digest of a notification. GREEN-API may send a second notification for one message with a
//! different timestamp or link; both get the same digest.

use sha2::{Digest, Sha256};

use super::catalogue::CatalogueItem;
use super::content::Content;
use super::mention::{edited, mentions};
use super::parsed::{data, received};
use crate::notification::{MessageContent, Notification};

/// Hashes fields, each prefixed with its length.
struct Fields(Sha256);

impl Fields {
    fn add(&mut self, field: Option<&str>) {
        let length = field.map_or(u64::MAX, |field| field.len() as u64);
        self.0.update(length.to_be_bytes());
        self.0.update(field.unwrap_or_default());
    }
}

/// Digest of `notification`, whose content is `content`, in the canonical chat `chat`: types,
/// identifiers, texts, contacts, poll answers, locations and statuses. Timestamps, sender and chat
/// names, file links and previews are excluded.
#[must_use]
pub fn content_digest(
    (type_webhook, type_message): (Option<&str>, Option<&str>),
    chat: Option<&str>,
    notification: &Notification<'_>,
    content: &Content<'_>,
) -> i64 {
    let mut fields = Fields(Sha256::new());
    for field in [type_webhook, type_message, chat] {
        fields.add(field);
    }
    for mention in mentions(notification) {
        fields.add(mention.id_message);
    }
    let own = received(notification).and_then(|message| message.id_message.as_deref());
    let (text, caption) = received(notification).and_then(edited).unwrap_or_default();
    let description = match notification {
        Notification::OutgoingMessageStatus(status) => status.description.as_deref(),
        _ => None,
    };
    for field in [
        own,
        content.text,
        content.caption,
        notification.marker(),
        content.quoted,
        content.is_file.then_some("file"),
        text,
        caption,
        notification.status_name(),
        description.filter(|text| !text.is_empty()),
    ] {
        fields.add(field);
    }
    fields.add(content.catalogue.and_then(CatalogueItem::line).as_deref());
    for contact in content.contacts {
        fields.add(contact.display_name.as_deref());
        fields.add(contact.vcard.as_deref());
    }
    if let Some(place) = content.location {
        for degrees in [&place.latitude, &place.longitude] {
            let bits = degrees.map_or(u64::MAX, |degrees| degrees.0.to_bits());
            fields.0.update(bits.to_be_bytes());
        }
        fields.add(place.address.as_deref());
    }
    if let Some(MessageContent::PollUpdateMessage(vote)) =
        data(notification).map(|data| &data.content)
    {
        for answer in vote.poll_message_data.votes.iter().flatten() {
            fields.add(answer.option_name.as_deref());
            for voter in answer.option_voters.iter().flatten() {
                fields.add(Some(voter));
            }
        }
    }
    let digest = fields.0.finalize();
    i64::from_be_bytes(std::array::from_fn(|index| digest[index]))
}
