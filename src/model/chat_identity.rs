//! Canonical chat identifiers: one chat can appear under several forms of its identifier.

use std::borrow::Cow;

/// Domain of a private chat identified by a phone number.
const PHONE: &str = "c.us";

/// Domain of a private chat whose phone number is hidden.
const LID: &str = "lid";

/// WhatsApp's own equivalent of [`PHONE`].
const SERVER: &str = "s.whatsapp.net";

/// How a private WhatsApp chat is identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateKind {
    /// By its phone number: `79…@c.us`.
    Phone,
    /// By an identifier that hides the number: `…@lid`.
    Lid,
}

impl PrivateKind {
    /// The kind of a canonical identifier; `None` for groups, other messengers and everything else.
    #[must_use]
    pub fn of(chat: &str) -> Option<Self> {
        match chat.rsplit_once('@')? {
            (_, PHONE) => Some(Self::Phone),
            (_, LID) => Some(Self::Lid),
            _ => None,
        }
    }
}

/// Whether two canonical identifiers are private chats of different kinds, so that both may belong to
/// one person.
#[must_use]
pub fn differ_in_kind(one: &str, other: &str) -> bool {
    match (PrivateKind::of(one), PrivateKind::of(other)) {
        (Some(one), Some(other)) => one != other,
        _ => false,
    }
}

/// Canonical form of a chat identifier: `79…:3@c.us` and `79…@s.whatsapp.net` become `79…@c.us`, and
/// `…:3@lid` becomes `…@lid`. Every other identifier is returned unchanged.
#[must_use]
pub fn canonical_chat(chat: &str) -> Cow<'_, str> {
    let Some((user, domain)) = chat.rsplit_once('@') else {
        return Cow::Borrowed(chat);
    };
    let plain = match domain {
        PHONE | LID => domain,
        SERVER => PHONE,
        _ => return Cow::Borrowed(chat),
    };
    let person = without_device(user);
    if person.is_empty() || (person.len(), plain) == (user.len(), domain) {
        return Cow::Borrowed(chat);
    }
    Cow::Owned(format!("{person}@{plain}"))
}

/// Strips the device number (`:3`) from a user.
fn without_device(user: &str) -> &str {
    let mut user = user;
    while let Some((person, device)) = user.rsplit_once(':')
        && !device.is_empty()
        && device.bytes().all(|byte| byte.is_ascii_digit())
    {
        user = person;
    }
    user
}

#[cfg(test)]
mod tests {
    use super::{canonical_chat, differ_in_kind};

    #[test]
    fn every_form_of_a_private_chat_has_one_canonical_form() {
        for (form, canonical) in [
            ("79004445566@c.us", "79004445566@c.us"),
            ("79004445566:3@c.us", "79004445566@c.us"),
            ("79004445566:12:3@c.us", "79004445566@c.us"),
            ("79004445566@s.whatsapp.net", "79004445566@c.us"),
            ("79004445566:0@s.whatsapp.net", "79004445566@c.us"),
            ("123456789012345@lid", "123456789012345@lid"),
            ("123456789012345:41@lid", "123456789012345@lid"),
        ] {
            assert_eq!(canonical_chat(form), canonical, "{form}");
            assert_eq!(canonical_chat(canonical), canonical);
        }
    }

    #[test]
    fn other_identifiers_are_returned_unchanged() {
        for other in [
            "120363000000000034@g.us",
            "120363000000000034:3@g.us",
            "-69000000000000",
            "10000000",
            "status@broadcast",
            "@c.us",
            ":3@c.us",
            "79004445566:x@c.us",
            "79004445566:@c.us",
            "",
        ] {
            assert_eq!(canonical_chat(other), other);
        }
    }

    #[test]
    fn only_private_whatsapp_chats_differ_in_kind() {
        assert!(differ_in_kind("1@lid", "79@c.us"));
        assert!(differ_in_kind("79@c.us", "1@lid"));
        for other in ["80@c.us", "1@g.us", "10000000", ""] {
            assert!(!differ_in_kind("79@c.us", other), "{other}");
        }
    }
}
