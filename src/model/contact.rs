//! A contact that a message brings.

use serde::Serialize;
use utoipa::ToSchema;

use super::vcard::VCard;
use crate::notification::message::Contact as Sent;

/// Contacts of one message that are shown; further ones are left out.
const MAX_CONTACTS: usize = 256;

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageContact)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Name of the contact: the one that the sender sees, else the one in the vCard.
    #[schema(required)]
    pub name: Option<String>,
    /// Phone numbers in the vCard, as they are written there.
    pub phones: Vec<String>,
}

impl Contact {
    /// The contacts of a message.
    pub(super) fn all(sent: &[Sent<'_>]) -> Vec<Self> {
        sent.iter().take(MAX_CONTACTS).map(Self::of).collect()
    }

    fn of(sent: &Sent<'_>) -> Self {
        let card = VCard::read(sent.vcard.as_deref().unwrap_or_default());
        let name = sent.display_name.as_deref().map(str::trim);
        Self {
            name: name
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .or(card.name),
            phones: card.phones,
        }
    }

    /// The names of contacts, as the text of their message.
    pub(super) fn names(contacts: &[Self]) -> Option<String> {
        let names: Vec<_> = contacts
            .iter()
            .filter_map(|contact| contact.name.as_deref())
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}
