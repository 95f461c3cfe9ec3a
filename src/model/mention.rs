//! The messages and calls that a notification mentions.

use crate::notification::{MessageContent, MessageReceived, Notification};

/// How a notification relates to a message or call that it mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The notification is the message itself.
    Content,
    /// A status of the message.
    Status,
    /// An edit of the message.
    Edit,
    /// A deletion of the message.
    Deletion,
    /// A reaction to the message.
    Reaction,
    /// A vote in the message, which is a poll.
    Vote,
    /// The notification's own identifier, if it is an edit, deletion, reaction or vote and not a message.
    Notice,
    /// The notification is about the call.
    Call,
}

/// A message or call of the notification's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention<'n> {
    /// How the notification relates to it.
    pub role: Role,
    /// Its `idMessage`; absent only for some [`Role::Content`] and [`Role::Call`] mentions.
    pub id_message: Option<&'n str>,
}

/// The messages and calls that `notification` mentions, at most two. A status without a name and an edit
/// without text or caption carry no information about their message, so they do not mention it.
pub fn mentions<'n>(notification: &'n Notification<'_>) -> impl Iterator<Item = Mention<'n>> {
    let found = match notification {
        Notification::IncomingMessageReceived(message)
        | Notification::OutgoingMessageReceived(message)
        | Notification::OutgoingApiMessageReceived(message) => received(message),
        Notification::OutgoingMessageStatus(status) => {
            let id = nonempty(status.id_message.as_deref());
            let has_status = notification.status_name().is_some();
            [
                id.filter(|_| has_status).map(Mention::named(Role::Status)),
                None,
            ]
        }
        Notification::IncomingCall(call) | Notification::OutgoingCall(call) => {
            let id_message = nonempty(call.id_message.as_deref());
            let role = Role::Call;
            [Some(Mention { role, id_message }), None]
        }
        _ => [None, None],
    };
    found.into_iter().flatten()
}

impl<'n> Mention<'n> {
    fn named(role: Role) -> impl Fn(&'n str) -> Self {
        move |id_message| Self {
            role,
            id_message: Some(id_message),
        }
    }
}

fn received<'n>(message: &'n MessageReceived<'_>) -> [Option<Mention<'n>>; 2] {
    let own = nonempty(message.id_message.as_deref());
    let notice = |other: Option<&str>| {
        // On MAX an edit may carry the identifier of the message that it edits.
        own.filter(|own| Some(*own) != other)
            .map(Mention::named(Role::Notice))
    };
    let content = Mention {
        role: Role::Content,
        id_message: own,
    };
    let Some((role, changed)) = changed(message) else {
        return [Some(content), None];
    };
    match (role, changed) {
        (Role::Edit, changed) if edited(message).is_none() => [notice(changed), None],
        (_, None) => [Some(content), None],
        (role, Some(id)) => [Some(Mention::named(role)(id)), notice(changed)],
    }
}

/// How this message changes another message, and that message's identifier if present.
fn changed<'n>(message: &'n MessageReceived<'_>) -> Option<(Role, Option<&'n str>)> {
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
    Some((role, nonempty(changed.as_deref())))
}

/// Text and caption of an edit; `None` if this is not an edit or has neither.
pub(super) fn edited<'n>(
    message: &'n MessageReceived<'_>,
) -> Option<(Option<&'n str>, Option<&'n str>)> {
    let MessageContent::EditedMessage(edit) = &message.message_data.as_ref()?.content else {
        return None;
    };
    let edit = &edit.edited_message_data;
    let text = nonempty(edit.text_message.as_deref());
    let caption = nonempty(edit.caption.as_deref());
    (text.is_some() || caption.is_some()).then_some((text, caption))
}

pub(super) fn nonempty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
