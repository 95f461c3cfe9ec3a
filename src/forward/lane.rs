//! Lanes: the events of one lane are delivered one after the other.

use sha2::{Digest, Sha256};

use crate::config::ForwardOrder;
use crate::model::canonical_chat;

/// The lane of an event: its chat, or with [`ForwardOrder::None`] the event alone. Events of an instance without a
/// chat share a lane.
///
/// A chat is a digest, so that the table names none. If two chats had the same digest, they would only wait for
/// each other.
pub(super) fn lane(
    order: ForwardOrder,
    seq: i64,
    id_instance: Option<i64>,
    chat: Option<&str>,
) -> i64 {
    if order == ForwardOrder::None {
        return seq;
    }
    let mut digest = Sha256::new();
    digest.update(id_instance.unwrap_or(0).to_le_bytes());
    digest.update(canonical_chat(chat.unwrap_or_default()).as_bytes());
    let digest: [u8; 32] = digest.finalize().into();
    let mut start = [0; 8];
    start.copy_from_slice(&digest[..8]);
    i64::from_le_bytes(start)
}

#[cfg(test)]
mod tests {
    use super::lane;
    use crate::config::ForwardOrder::{Chat, None as Free};

    #[test]
    fn forms_of_one_chat_share_a_lane_and_other_chats_do_not() {
        let of = |instance, chat| lane(Chat, 1, Some(instance), Some(chat));
        assert_eq!(of(1, "79@c.us"), of(1, "79:3@s.whatsapp.net"));
        assert_ne!(of(1, "79@c.us"), of(2, "79@c.us"));
        assert_ne!(of(1, "79@c.us"), of(1, "80@c.us"));
        assert_eq!(lane(Free, 7, Some(1), Some("79@c.us")), 7);
    }
}
