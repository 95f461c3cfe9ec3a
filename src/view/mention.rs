//! Which messages and calls a notification speaks of.

use crate::notification::{MessageContent, MessageReceived, Notification};

/// In which way a notification speaks of a message or a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is the message.
    Content,
    /// What became of the message.
    Status,
    /// What the message says now.
    Edit,
    /// The message is gone.
    Deletion,
    /// A reaction to the message.
    Reaction,
    /// Votes in the poll that the message is.
    Vote,
    /// The identifier is that of an edit, a deletion, a reaction or a vote, which are no messages.
    Notice,
    /// It is of the call.
    Call,
}

/// A message or a call of the notification's chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention<'n> {
    /// In which way.
    pub role: Role,
    /// Its `idMessage`.
    pub id_message: &'n str,
}

/// Which messages and calls `notification` speaks of, at most two.
pub fn mentions<'n>(notification: &'n Notification<'_>) -> impl Iterator<Item = Mention<'n>> {
    let mention = |role, id: Option<&'n str>| {
        id.filter(|id| !id.is_empty())
            .map(|id_message| Mention { role, id_message })
    };
    let found = match notification {
        Notification::IncomingMessageReceived(message)
        | Notification::OutgoingMessageReceived(message)
        | Notification::OutgoingApiMessageReceived(message) => {
            let own = message.id_message.as_deref();
            match changed(message) {
                Some((role, changed)) => [
                    mention(role, Some(changed)),
                    // MAX may give an edit the identifier of what it edits.
                    mention(Role::Notice, own).filter(|notice| notice.id_message != changed),
                ],
                None => [mention(Role::Content, own), None],
            }
        }
        Notification::OutgoingMessageStatus(status) => {
            [mention(Role::Status, status.id_message.as_deref()), None]
        }
        Notification::IncomingCall(call) | Notification::OutgoingCall(call) => {
            [mention(Role::Call, call.id_message.as_deref()), None]
        }
        _ => [None, None],
    };
    found.into_iter().flatten()
}

/// The message that this one only changes, and in which way.
fn changed<'n>(message: &'n MessageReceived<'_>) -> Option<(Role, &'n str)> {
    let data = message.message_data.as_ref()?;
    let (role, changed) = match &data.content {
        MessageContent::EditedMessage(edit) => (Role::Edit, &edit.edited_message_data.stanza_id),
        MessageContent::DeletedMessage(deletion) => {
            (Role::Deletion, &deletion.deleted_message_data.stanza_id)
        }
        MessageContent::PollUpdateMessage(vote) => (Role::Vote, &vote.poll_message_data.stanza_id),
        MessageContent::ReactionMessage(_) => {
            let quoted = message.quoted();
            (Role::Reaction, &quoted?.stanza_id)
        }
        _ => return None,
    };
    let changed = changed.as_deref().filter(|id| !id.is_empty())?;
    Some((role, changed))
}
