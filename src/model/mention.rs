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

/// A message or a call of the notification's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention<'n> {
    /// In which way.
    pub role: Role,
    /// Its `idMessage`; only a message itself and a call may lack it.
    pub id_message: Option<&'n str>,
}

/// Which messages and calls `notification` speaks of, at most two. One that only speaks of a message
/// and says nothing of it (a status without a name, an edit without a text) mentions none.
pub fn mentions<'n>(notification: &'n Notification<'_>) -> impl Iterator<Item = Mention<'n>> {
    let found = match notification {
        Notification::IncomingMessageReceived(message)
        | Notification::OutgoingMessageReceived(message)
        | Notification::OutgoingApiMessageReceived(message) => received(message),
        Notification::OutgoingMessageStatus(status) => {
            let id = nonempty(status.id_message.as_deref());
            let tells = notification.status_name().is_some();
            [id.filter(|_| tells).map(Mention::named(Role::Status)), None]
        }
        Notification::IncomingCall(call) | Notification::OutgoingCall(call) => {
            let id_message = nonempty(call.id_message.as_deref());
            let role = Role::Call;
            let tells = notification.status_name().is_some();
            [tells.then_some(Mention { role, id_message }), None]
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
        // MAX may give an edit the identifier of what it edits.
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

/// In which way this message changes another one, and which, as far as it says.
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

/// Text and caption of an edit; `None` where this is no edit or says neither.
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
