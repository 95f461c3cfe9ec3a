//! Messages: `incomingMessageReceived`, `outgoingMessageReceived` and `outgoingAPIMessageReceived`.

mod button;
mod contact;
mod edit;
mod file;
mod group_invite;
mod interactive;
mod list;
mod location;
mod order;
mod payload;
mod poll;
mod quoted;
mod reaction;
mod template;
mod text;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use button::{Button, Buttons, ButtonsMessage, ButtonsResponse, ButtonsResponseMessage};
pub use contact::{Contact, ContactMessage, ContactsArrayMessage};
pub use edit::{Deleted, DeletedMessage, Edited, EditedMessage};
pub use file::{FileData, FileMessage};
pub use group_invite::{GroupInvite, GroupInviteMessage};
pub use interactive::{
    Interactive, InteractiveButton, InteractiveButtons, InteractiveButtonsReply,
    InteractiveButtonsResponse, InteractiveReply, InteractiveResponse,
};
pub use list::{List, ListMessage, ListResponse, ListResponseMessage, ListRow, ListSection};
pub use location::{Location, LocationMessage};
pub use order::{Order, OrderMessage, Product, ProductMessage};
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

use super::lenient::Required;
use super::misfit::{self, Misfit};
use super::scalar::{Id, Integer, Text};
use super::{Drift, InstanceData, tagged};

/// Where the content of a message stands.
const DATA: &str = "messageData";

/// Where the type of a message stands.
const TYPE: &str = "messageData.typeMessage";

/// A message that was received, or sent from the phone or through the API.
///
/// Source: document 003, section 1.3.4, "Входящие сообщения".
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
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
    #[serde(skip)]
    pub message_data: Option<MessageData<'a>>,
    /// The message that is quoted, where it stands beside `messageData` and not inside.
    pub quoted_message: Option<Box<QuotedMessage<'a>>>,
    /// `messageData` as it stands there, which [`Self::read_data`] reads.
    #[serde(rename = "messageData", borrow)]
    json: Option<&'a RawValue>,
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

    /// Whether its `typeMessage` is missing or in no document.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(&self.message_data, Some(data) if !data.is_described)
    }

    /// Reads `messageData`, which needs its own `typeMessage` to be read.
    ///
    /// # Errors
    ///
    /// It is missing, or no object.
    pub(super) fn read_data(&mut self, drift: &mut Vec<Drift>) -> Result<(), Misfit> {
        let misfit = match self.json.map(RawValue::get) {
            Some(json) if json.starts_with('{') => {
                self.message_data = Some(MessageData::read(json, drift)?);
                return Ok(());
            }
            Some(json) => Misfit::unfit(DATA, "an object", misfit::kind(json)),
            None if self.instance_data.is_max() => return Ok(()),
            None => Misfit::missing(DATA),
        };
        if self.instance_data.may_be_max() {
            drift.push(misfit.drift(DATA.to_owned()));
            return Ok(());
        }
        Err(misfit)
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
    pub type_message: Option<Text<'a>>,
    /// Whether that is a type which GREEN-API describes.
    is_described: bool,
    /// The message that is quoted or reacted to.
    pub quoted_message: Option<Box<QuotedMessage<'a>>>,
    /// Whether it was forwarded, where it is said here and not inside of the content.
    pub is_forwarded: Option<bool>,
    /// How often it was forwarded, likewise.
    pub forwarding_score: Option<Integer>,
    /// What is inside, by `typeMessage`; where nobody has described that, by the key of the payload.
    pub content: MessageContent<'a>,
}

impl<'a> MessageData<'a> {
    fn read(json: &'a str, drift: &mut Vec<Drift>) -> Result<Self, Misfit> {
        let Common::One(common) = tagged::read("", json, DATA, Required::Refused, drift)?;
        let tag = common.type_message.as_deref();
        if tag.is_none() && !drift.iter().any(|known| known.path == TYPE) {
            drift.push(Misfit::unfit(TYPE, "a string", "nothing").drift(TYPE.to_owned()));
        }
        let emptied = Required::Emptied;
        let mut content = tagged::read(tag.unwrap_or_default(), json, DATA, emptied, drift)?;
        let is_described = !matches!(content, MessageContent::Unknown);
        if !is_described && let Some(tag) = payload::type_of(json) {
            // What is not described does not drift.
            content = tagged::read(tag, json, DATA, emptied, &mut Vec::new())?;
        }
        Ok(Self {
            type_message: common.type_message,
            is_described,
            quoted_message: common.quoted_message,
            is_forwarded: common.is_forwarded,
            forwarding_score: common.forwarding_score,
            content,
        })
    }
}

/// What every message may have beside its content. An enum, because everything is read by a tag.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
enum Common<'a> {
    #[serde(rename = "")]
    One(CommonData<'a>),
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct CommonData<'a> {
    type_message: Option<Text<'a>>,
    quoted_message: Option<Box<QuotedMessage<'a>>>,
    is_forwarded: Option<bool>,
    forwarding_score: Option<Integer>,
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
    #[serde(alias = "interactiveButtonReply")]
    InteractiveButtonsReply(InteractiveButtonsReply<'a>),
    /// One of them that a customer pressed.
    InteractiveButtonsResponse(InteractiveButtonsResponse<'a>),
    /// A product of a catalogue.
    ProductMessage(ProductMessage<'a>),
    /// An order from a catalogue.
    OrderMessage(OrderMessage<'a>),
    /// A `typeMessage` that is in no document.
    #[serde(other)]
    Unknown,
}
