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

/// Path of a message's content.
const DATA: &str = "messageData";

/// Path of a message's type.
const TYPE: &str = "messageData.typeMessage";

/// A message that was received, or sent from the phone or through the API.
///
/// Source: GREEN-API docs, Webhook endpoint > Notification format > Incoming messages.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct MessageReceived<'a> {
    /// Instance that sent the notification.
    pub instance_data: InstanceData<'a>,
    /// When the message was sent, Unix seconds.
    pub timestamp: Option<Integer>,
    /// Identifier of the message; unique only within its chat.
    pub id_message: Option<Id<'a>>,
    /// The chat and the author.
    pub sender_data: Option<SenderData<'a>>,
    /// Content of the message. Only MAX omits it, when an edit replaces the media.
    #[serde(skip)]
    pub message_data: Option<MessageData<'a>>,
    /// The quoted message, if it is next to `messageData` and not inside it.
    pub quoted_message: Option<Box<QuotedMessage<'a>>>,
    /// Raw JSON of `messageData`, which [`Self::read_data`] parses.
    #[serde(rename = "messageData", borrow)]
    json: Option<&'a RawValue>,
}

impl<'a> MessageReceived<'a> {
    /// The message that it quotes or reacts to, in either location.
    #[must_use]
    pub fn quoted(&self) -> Option<&QuotedMessage<'a>> {
        let inside = self.message_data.as_ref();
        inside
            .and_then(|data| data.quoted_message.as_deref())
            .or(self.quoted_message.as_deref())
    }

    /// Whether its `typeMessage` is missing or undocumented.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(&self.message_data, Some(data) if !data.is_described)
    }

    /// Parses `messageData`, whose layout depends on its own `typeMessage`.
    ///
    /// # Errors
    ///
    /// Fails if `messageData` is missing or not an object.
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

/// The chat and the author of a message.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct SenderData<'a> {
    /// Identifier of the chat.
    pub chat_id: Option<Id<'a>>,
    /// Identifier of the author.
    pub sender: Option<Id<'a>>,
    /// Name of the chat.
    pub chat_name: Option<Text<'a>>,
    /// Name that the sender chose.
    pub sender_name: Option<Text<'a>>,
    /// Name of the sender in the account's contacts (WhatsApp).
    pub sender_contact_name: Option<Text<'a>>,
    /// Phone number of the sender, 0 when hidden (MAX, Telegram).
    pub sender_phone_number: Option<Id<'a>>,
    /// Type of the chat: `user`, `group`, `supergroup`, `channel` or `bot` (MAX, Telegram).
    pub chat_type: Option<Text<'a>>,
    /// Type of the sender, with the same values (MAX, Telegram).
    pub sender_type: Option<Text<'a>>,
}

/// Content of a message.
#[derive(Debug)]
pub struct MessageData<'a> {
    /// `typeMessage`, spelled as received.
    pub type_message: Option<Text<'a>>,
    /// Whether GREEN-API documents that type.
    is_described: bool,
    /// The message that is quoted or reacted to.
    pub quoted_message: Option<Box<QuotedMessage<'a>>>,
    /// Whether the message was forwarded, if the key is here and not inside the content.
    pub is_forwarded: Option<bool>,
    /// How many times the message was forwarded, if the key is here and not inside the content.
    pub forwarding_score: Option<Integer>,
    /// The payload, selected by `typeMessage`, or by the payload key if `typeMessage` is undocumented.
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
            // Undocumented content cannot drift, so discard what this pass reports.
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

/// Fields that any message may have besides its content. This is an enum because [`tagged::read`] reads only
/// enums.
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

/// Every message type in GREEN-API's docs: the only table from `typeMessage` to its struct. Aliases cover
/// spellings seen in the wild.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub enum MessageContent<'a> {
    /// Plain text; may be an error marker such as `{{SWE001}}`.
    TextMessage(TextMessage<'a>),
    /// Text with a link, or an advertisement.
    ExtendedTextMessage(ExtendedTextMessage<'a>),
    /// Text that quotes a message.
    QuotedMessage(QuotedTextMessage<'a>),
    /// An image.
    ImageMessage(FileMessage<'a>),
    /// A video.
    VideoMessage(FileMessage<'a>),
    /// A file.
    DocumentMessage(FileMessage<'a>),
    /// An audio file.
    AudioMessage(FileMessage<'a>),
    /// A sticker.
    StickerMessage(FileMessage<'a>),
    /// A location.
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
    /// A row that was chosen from a list.
    #[serde(alias = "ListResponseMessage")]
    ListResponseMessage(ListResponseMessage<'a>),
    /// A template with buttons.
    #[serde(alias = "TemplateMessage")]
    TemplateMessage(TemplateMessage<'a>),
    /// A template button that was pressed.
    #[serde(alias = "templateButtonReplyMessage")]
    TemplateButtonsReplyMessage(TemplateButtonsReplyMessage<'a>),
    /// An edit of a message.
    EditedMessage(EditedMessage<'a>),
    /// A deletion of a message.
    DeletedMessage(DeletedMessage<'a>),
    /// Buttons that copy a text, call a number, open a link or send a reply.
    InteractiveButtons(InteractiveButtons<'a>),
    /// An interactive button that was pressed, or reply buttons.
    #[serde(alias = "interactiveButtonReply")]
    InteractiveButtonsReply(InteractiveButtonsReply<'a>),
    /// An interactive button that a customer pressed.
    InteractiveButtonsResponse(InteractiveButtonsResponse<'a>),
    /// A product from a catalogue.
    ProductMessage(ProductMessage<'a>),
    /// An order from a catalogue.
    OrderMessage(OrderMessage<'a>),
    /// An undocumented `typeMessage`.
    #[serde(other)]
    Unknown,
}
