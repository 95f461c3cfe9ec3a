//! A contact sent in a message.

use serde::Serialize;
use utoipa::ToSchema;

use super::vcard::VCard;
use crate::notification::message::Contact as Sent;

/// Maximum number of contacts shown for one message; further contacts are dropped.
const MAX_CONTACTS: usize = 256;

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageContact)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Name of the contact as the sender sees it, otherwise the name in the vCard.
    #[schema(required)]
    pub name: Option<String>,
    /// Phone numbers from the vCard, unchanged.
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

    /// The contacts' names, joined as the text of their message.
    pub(super) fn names(contacts: &[Self]) -> Option<String> {
        let names: Vec<_> = contacts
            .iter()
            .filter_map(|contact| contact.name.as_deref())
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}
