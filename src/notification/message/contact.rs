//! Contacts, one or several.

use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::notification::scalar::{Integer, Text};

/// `contactMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ContactMessage<'a> {
    /// The contact.
    pub contact_message_data: Contact<'a>,
}

/// A contact.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Contact<'a> {
    /// Display name.
    pub display_name: Option<Text<'a>>,
    /// The contact as a vCard (RFC 6350).
    pub vcard: Option<Text<'a>>,
    /// Whether the message was forwarded.
    pub is_forwarded: Option<bool>,
    /// How many times the message was forwarded.
    pub forwarding_score: Option<Integer>,
}

/// `contactsArrayMessage`. GREEN-API's docs describe `messageData.contacts`, but the examples nest it as
/// `messageData.messageData.contacts`; both forms are accepted.
#[derive(Debug)]
pub struct ContactsArrayMessage<'a> {
    /// The contacts.
    pub contacts: Vec<Contact<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for ContactsArrayMessage<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
        struct Outer<'a> {
            message_data: Option<Inner<'a>>,
            contacts: Option<Vec<Contact<'a>>>,
        }

        #[derive(Deserialize)]
        #[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
        struct Inner<'a> {
            contacts: Vec<Contact<'a>>,
        }

        let outer = Outer::deserialize(deserializer)?;
        outer
            .message_data
            .map(|inner| inner.contacts)
            .or(outer.contacts)
            .map(|contacts| Self { contacts })
            .ok_or_else(|| de::Error::missing_field("contacts"))
    }
}
