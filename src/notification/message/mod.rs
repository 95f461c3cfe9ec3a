//! Messages: `incomingMessageReceived`, `outgoingMessageReceived` and `outgoingAPIMessageReceived`.

mod button;
mod contact;
mod edit;
mod file;
mod group_invite;
mod interactive;
mod list;
mod location;
mod poll;
mod quoted;
mod reaction;
mod template;
mod text;

use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::value::RawValue;

pub use button::{Button, Buttons, ButtonsMessage, ButtonsResponse, ButtonsResponseMessage};
pub use contact::{Contact, ContactMessage, ContactsArrayMessage};
pub use edit::{Deleted, DeletedMessage, Edited, EditedMessage};
pub use file::{FileData, FileMessage};
pub use group_invite::{GroupInvite, GroupInviteMessage};
pub use interactive::{
    Interactive, InteractiveButton, InteractiveButtons, InteractiveButtonsReply, InteractiveReply,
};
pub use list::{List, ListMessage, ListResponse, ListResponseMessage, ListRow, ListSection};
pub use location::{Location, LocationMessage};
pub use poll::{Poll, PollMessage, PollOption, PollUpdate, PollUpdateMessage, PollVote};
pub use quoted::QuotedMessage;
pub use reaction::{Reaction, ReactionMessage};
pub use template::{
    CallButton, QuickReplyButton, Template, TemplateButton, TemplateButtonsReply,
    TemplateButtonsReplyMessage, TemplateMessage, UrlButton,
};
pub use text::{
    ExtendedText, ExtendedTextMessage, QuotedTextMessage, TextMessage, TextMessageData,
};

use super::InstanceData;
use super::reason::Reason;
use super::scalar::{Id, Integer, Text};
use super::tagged;

/// A message that was received, or sent from the phone or through the API.
///
/// Source: document 003, section 1.3.4, "Входящие сообщения".
#[derive(Debug, Deserialize)]
#[serde(
    remote = "Self",
    bound(deserialize = "'de: 'a"),
    rename_all = "camelCase"
)]
pub struct MessageReceived<'a> {
    /// The account.
    pub instance_data: InstanceData<'a>,
    /// When it was sent, in seconds since 1970.
    pub timestamp: Option<Integer>,
    /// The message; unique only within its chat.
    pub id_message: Option<Id<'a>>,
    /// The chat and who wrote.
    pub sender_data: Option<SenderData<'a>>,
    /// What was written. Only MAX leaves it out, where an edit replaces the media.
    pub message_data: Option<MessageData<'a>>,
    /// The message that is quoted, where it stands beside `messageData` and not inside.
    pub quoted_message: Option<Box<QuotedMessage<'a>>>,
}

impl<'a> MessageReceived<'a> {
    /// The message that it quotes or reacts to, wherever that stands.
    #[must_use]
    pub fn quoted(&self) -> Option<&QuotedMessage<'a>> {
        let inside = self.message_data.as_ref();
        inside
            .and_then(|data| data.quoted_message.as_deref())
            .or(self.quoted_message.as_deref())
    }

    /// Whether its `typeMessage` is in no document.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(&self.message_data, Some(data) if matches!(data.content, MessageContent::Unknown))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for MessageReceived<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The function that `remote` made of the fields.
        let message = Self::deserialize(deserializer)?;
        if message.message_data.is_none() && !message.instance_data.is_max() {
            return Err(de::Error::missing_field("messageData"));
        }
        Ok(message)
    }
}

/// The chat of a message and who wrote it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct SenderData<'a> {
    /// The chat.
    pub chat_id: Option<Id<'a>>,
    /// Who wrote.
    pub sender: Option<Id<'a>>,
    /// Name of the chat.
    pub chat_name: Option<Text<'a>>,
    /// Name that the sender gave itself.
    pub sender_name: Option<Text<'a>>,
    /// Name of the sender among the contacts of the account (WhatsApp).
    pub sender_contact_name: Option<Text<'a>>,
    /// Phone number of the sender, 0 when hidden (MAX, Telegram).
    pub sender_phone_number: Option<Id<'a>>,
    /// `user`, `group`, `supergroup`, `channel`, `bot` (MAX, Telegram).
    pub chat_type: Option<Text<'a>>,
    /// The same of the sender (MAX, Telegram).
    pub sender_type: Option<Text<'a>>,
}

/// What a message says.
#[derive(Debug)]
pub struct MessageData<'a> {
    /// `typeMessage` as it was spelled.
    pub type_message: Text<'a>,
    /// The message that is quoted or reacted to.
    pub quoted_message: Option<Box<QuotedMessage<'a>>>,
    /// Whether it was forwarded, where it is said here and not inside of the content.
    pub is_forwarded: Option<bool>,
    /// How often it was forwarded, likewise.
    pub forwarding_score: Option<Integer>,
    /// What is inside, by `typeMessage`.
    pub content: MessageContent<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for MessageData<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
        struct Common<'a> {
            type_message: Text<'a>,
            quoted_message: Option<Box<QuotedMessage<'a>>>,
            is_forwarded: Option<bool>,
            forwarding_score: Option<Integer>,
        }

        let json = <&'de RawValue>::deserialize(deserializer)?.get();
        let common: Common<'a> = tagged::read_untagged(json).map_err(Reason::nested)?;
        let content = tagged::read(&common.type_message, json).map_err(Reason::nested)?;
        Ok(Self {
            type_message: common.type_message,
            quoted_message: common.quoted_message,
            is_forwarded: common.is_forwarded,
            forwarding_score: common.forwarding_score,
            content,
        })
    }
}

/// Every message that GREEN-API describes: the one table from `typeMessage` to its struct, with
/// the spellings that were seen in the wild as aliases.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub enum MessageContent<'a> {
    /// Plain text; may be an error marker such as `{{SWE001}}`.
    TextMessage(TextMessage<'a>),
    /// Text with a link, or an advertisement.
    ExtendedTextMessage(ExtendedTextMessage<'a>),
    /// Text that quotes a message.
    QuotedMessage(QuotedTextMessage<'a>),
    /// A picture.
    ImageMessage(FileMessage<'a>),
    /// A video.
    VideoMessage(FileMessage<'a>),
    /// A file.
    DocumentMessage(FileMessage<'a>),
    /// A sound.
    AudioMessage(FileMessage<'a>),
    /// A sticker.
    StickerMessage(FileMessage<'a>),
    /// A place.
    #[serde(alias = "LocationMessage")]
    LocationMessage(LocationMessage<'a>),
    /// A contact.
    ContactMessage(ContactMessage<'a>),
    /// Several contacts.
    ContactsArrayMessage(ContactsArrayMessage<'a>),
    /// A reaction to a message.
    ReactionMessage(ReactionMessage<'a>),
    /// An invitation to a group.
    GroupInviteMessage(GroupInviteMessage<'a>),
    /// A poll.
    PollMessage(PollMessage<'a>),
    /// A vote in a poll.
    PollUpdateMessage(PollUpdateMessage<'a>),
    /// Buttons.
    #[serde(alias = "ButtonsMessage")]
    ButtonsMessage(ButtonsMessage<'a>),
    /// A button that was pressed.
    #[serde(alias = "ButtonsResponseMessage")]
    ButtonsResponseMessage(ButtonsResponseMessage<'a>),
    /// A list to choose from.
    #[serde(alias = "ListMessage")]
    ListMessage(ListMessage<'a>),
    /// What was chosen from a list.
    #[serde(alias = "ListResponseMessage")]
    ListResponseMessage(ListResponseMessage<'a>),
    /// A template with buttons.
    #[serde(alias = "TemplateMessage")]
    TemplateMessage(TemplateMessage<'a>),
    /// A button of a template that was pressed.
    #[serde(alias = "templateButtonReplyMessage")]
    TemplateButtonsReplyMessage(TemplateButtonsReplyMessage<'a>),
    /// A message was edited.
    EditedMessage(EditedMessage<'a>),
    /// A message was deleted.
    DeletedMessage(DeletedMessage<'a>),
    /// Buttons that copy, call, open a link or answer.
    InteractiveButtons(InteractiveButtons<'a>),
    /// One of them that was pressed, or buttons that answer.
    InteractiveButtonsReply(InteractiveButtonsReply<'a>),
    /// A `typeMessage` that is in no document.
    #[serde(other)]
    Unknown,
}
