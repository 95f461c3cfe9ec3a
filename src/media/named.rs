//! The file that an event names.

use crate::model::{Content, canonical_chat};
use crate::notification::{MessageReceived, Notification, Outcome, parse};
use crate::store::MessageId;

/// GREEN-API sends this in place of a link if the file is over 100 MB.
const TOO_LARGE: &str = "{{SWE002}}";

/// The beginning of every marker of this kind.
const MARKER: &str = "{{SWE";

/// The file of a message, as an event describes it. Nothing of it is checked: it comes from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// The message whose file it is. The chat is in its canonical form.
    pub id: MessageId,
    /// The chat as the event has it.
    pub chat_id: String,
    /// The link, if there is one.
    pub url: Option<String>,
    /// Whether GREEN-API does not pass the file on, because of its size.
    pub is_too_large: bool,
    /// Its name.
    pub file_name: Option<String>,
    /// Its media type.
    pub mime_type: Option<String>,
}

/// The file that the body of an event names: that of its message, or else that of the message that it quotes.
#[must_use]
pub fn named_file(body: &[u8]) -> Option<NamedFile> {
    let parsed = parse(body);
    let Outcome::Known(notification) = &parsed.outcome else {
        return None;
    };
    let (Notification::IncomingMessageReceived(message)
    | Notification::OutgoingMessageReceived(message)
    | Notification::OutgoingApiMessageReceived(message)) = notification
    else {
        return None;
    };
    let columns = &parsed.columns;
    let (id_instance, chat_id) = (columns.id_instance?, columns.chat_id.as_deref()?);
    let named = |id_message: &str, url: Option<&str>, name: Option<&str>, mime: Option<&str>| {
        let url = url.map(str::trim).filter(|url| !url.is_empty());
        NamedFile {
            id: MessageId {
                id_instance,
                chat_id: canonical_chat(chat_id).into_owned(),
                id_message: id_message.to_owned(),
            },
            chat_id: chat_id.to_owned(),
            is_too_large: url == Some(TOO_LARGE),
            url: url
                .filter(|url| !url.starts_with(MARKER))
                .map(str::to_owned),
            file_name: name.map(str::to_owned),
            mime_type: mime.map(str::to_owned),
        }
    };
    let content = Content::of(notification);
    if content.is_file {
        let id_message = columns.id_message.as_deref()?;
        return Some(named(
            id_message,
            content.download_url,
            content.file_name,
            content.mime_type,
        ));
    }
    quoted(message).map(|(id, url, name)| named(id, Some(url), name, None))
}

/// Identifier, link and name of the file of a quoted message. The link may be empty.
fn quoted<'m>(message: &'m MessageReceived<'_>) -> Option<(&'m str, &'m str, Option<&'m str>)> {
    let quoted = message.quoted()?;
    let id = quoted.stanza_id.as_deref().filter(|id| !id.is_empty())?;
    let name = quoted.file_name.as_deref().filter(|name| !name.is_empty());
    Some((id, quoted.download_url.as_deref()?, name))
}
