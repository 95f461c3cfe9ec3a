//! Which chat an identifier means: one chat has several forms of it.

use std::borrow::Cow;

/// The domain of a private chat that is named by its phone number.
const PHONE: &str = "c.us";

/// The domain of a private chat that hides its phone number.
const LID: &str = "lid";

/// Another name of [`PHONE`], which WhatsApp itself uses.
const SERVER: &str = "s.whatsapp.net";

/// How a private chat of WhatsApp is named.
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

/// Whether two canonical identifiers name private chats in different ways, and so may mean one person.
#[must_use]
pub fn differ_in_kind(one: &str, other: &str) -> bool {
    match (PrivateKind::of(one), PrivateKind::of(other)) {
        (Some(one), Some(other)) => one != other,
        _ => false,
    }
}

/// The canonical form of a chat's identifier: `79…:3@c.us` and `79…@s.whatsapp.net` are `79…@c.us`,
/// and `…:3@lid` is `…@lid`. Everything else is canonical as it is.
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

/// The user without the number of a device (`:3`) behind it.
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
    fn everything_else_is_canonical_as_it_is() {
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
    fn only_private_chats_of_whatsapp_differ_in_kind() {
        assert!(differ_in_kind("1@lid", "79@c.us"));
        assert!(differ_in_kind("79@c.us", "1@lid"));
        for other in ["80@c.us", "1@g.us", "10000000", ""] {
            assert!(!differ_in_kind("79@c.us", other), "{other}");
        }
    }
}
