//! An invitation to a group.

use serde::Deserialize;

use crate::notification::scalar::{Id, Integer, Text};

/// `groupInviteMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct GroupInviteMessage<'a> {
    /// The invitation.
    pub group_invite_message_data: GroupInvite<'a>,
}

/// An invitation to a group.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct GroupInvite<'a> {
    /// Identifier of the group.
    pub group_jid: Option<Id<'a>>,
    /// Invite code for joining the group.
    pub invite_code: Option<Text<'a>>,
    /// When the invitation expires, Unix seconds.
    pub invite_expiration: Option<Integer>,
    /// Name of the group.
    pub group_name: Option<Text<'a>>,
    /// Text of the message.
    pub caption: Option<Text<'a>>,
    /// Name of the sender.
    pub name: Option<Text<'a>>,
    /// Base64-encoded preview.
    pub jpeg_thumbnail: Option<Text<'a>>,
}
