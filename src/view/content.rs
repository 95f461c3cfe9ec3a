//! What a message says: the parts that are shown and searched, whatever its type.

use serde::Serialize;
use utoipa::ToSchema;

use crate::notification::message::ExtendedText;
use crate::notification::scalar::{Id, Text};
use crate::notification::{MessageContent, MessageReceived, Notification};

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// The account received it.
    Incoming,
    /// It was sent from the phone.
    OutgoingPhone,
    /// It was sent through the API.
    OutgoingApi,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 3] = [Self::Incoming, Self::OutgoingPhone, Self::OutgoingApi];

    /// Its name, as it is shown and asked for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::OutgoingPhone => "outgoingPhone",
            Self::OutgoingApi => "outgoingApi",
        }
    }

    /// The `typeWebhook` that messages of this direction come with.
    #[must_use]
    pub const fn type_webhook(self) -> &'static str {
        match self {
            Self::Incoming => "incomingMessageReceived",
            Self::OutgoingPhone => "outgoingMessageReceived",
            Self::OutgoingApi => "outgoingAPIMessageReceived",
        }
    }

    /// Which way the message went that a notification brings or speaks of, as far as it says.
    #[must_use]
    pub fn of(notification: &Notification<'_>) -> Option<Self> {
        match notification {
            Notification::IncomingMessageReceived(_) => Some(Self::Incoming),
            Notification::OutgoingMessageReceived(_) => Some(Self::OutgoingPhone),
            Notification::OutgoingApiMessageReceived(_) => Some(Self::OutgoingApi),
            Notification::OutgoingMessageStatus(status) => status.send_by_api.map(|by_api| {
                if by_api {
                    Self::OutgoingApi
                } else {
                    Self::OutgoingPhone
                }
            }),
            _ => None,
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Content<'n> {
    /// What a person reads in it, whatever its type; not the caption of a file.
    pub text: Option<&'n str>,
    /// Where its file is.
    pub download_url: Option<&'n str>,
    /// Name of its file.
    pub file_name: Option<&'n str>,
    /// Media type of its file.
    pub mime_type: Option<&'n str>,
    /// Text under its file.
    pub caption: Option<&'n str>,
    /// Whether it has a file.
    pub is_file: bool,
    /// The message that it quotes or answers.
    pub quoted: Option<&'n str>,
    /// Who wrote that one.
    pub quoted_participant: Option<&'n str>,
    /// Whether there is anything at all; MAX may send a message with nothing.
    pub is_there: bool,
}

impl<'n> Content<'n> {
    /// What the message says that `notification` brings.
    #[must_use]
    pub fn of(notification: &'n Notification<'_>) -> Self {
        match notification {
            Notification::IncomingMessageReceived(message)
            | Notification::OutgoingMessageReceived(message)
            | Notification::OutgoingApiMessageReceived(message) => Self::of_message(message),
            _ => Self::default(),
        }
    }

    fn of_message(message: &'n MessageReceived<'_>) -> Self {
        let quoted = message.quoted();
        let quote = Self {
            quoted: quoted.and_then(|quoted| id(quoted.stanza_id.as_ref())),
            quoted_participant: quoted.and_then(|quoted| id(quoted.participant.as_ref())),
            is_there: message.message_data.is_some(),
            ..Self::default()
        };
        match &message.message_data {
            Some(data) => quote.with(&data.content),
            None => quote,
        }
    }

    fn with(self, content: &'n MessageContent<'_>) -> Self {
        let says = |said: Option<&'n str>| Self { text: said, ..self };
        let answers = |said: Option<&'n str>, answered: Option<&'n str>| Self {
            text: said,
            quoted: self.quoted.or(answered),
            ..self
        };
        let extended = |said: &'n ExtendedText<'_>| Self {
            quoted_participant: self.quoted_participant.or(id(said.participant.as_ref())),
            ..answers(text(said.text.as_ref()), id(said.stanza_id.as_ref()))
        };
        match content {
            MessageContent::TextMessage(said) => {
                says(text(said.text_message_data.text_message.as_ref()))
            }
            MessageContent::ExtendedTextMessage(said) => extended(&said.extended_text_message_data),
            MessageContent::QuotedMessage(said) => extended(&said.extended_text_message_data),
            MessageContent::ImageMessage(file)
            | MessageContent::VideoMessage(file)
            | MessageContent::DocumentMessage(file)
            | MessageContent::AudioMessage(file)
            | MessageContent::StickerMessage(file) => {
                let file = &file.file_message_data;
                Self {
                    is_file: true,
                    download_url: text(file.download_url.as_ref()),
                    file_name: text(file.file_name.as_ref()),
                    mime_type: text(file.mime_type.as_ref()),
                    caption: text(file.caption.as_ref()),
                    ..self
                }
            }
            MessageContent::LocationMessage(place) => {
                let place = &place.location_message_data;
                says(text(place.name_location.as_ref()).or(text(place.address.as_ref())))
            }
            MessageContent::ContactMessage(contact) => {
                says(text(contact.contact_message_data.display_name.as_ref()))
            }
            MessageContent::ContactsArrayMessage(contacts) => {
                let first = contacts.contacts.first();
                says(first.and_then(|contact| text(contact.display_name.as_ref())))
            }
            MessageContent::ReactionMessage(reaction) => {
                says(text(reaction.extended_text_message_data.text.as_ref()))
            }
            MessageContent::GroupInviteMessage(invite) => {
                let invite = &invite.group_invite_message_data;
                says(text(invite.caption.as_ref()).or(text(invite.group_name.as_ref())))
            }
            MessageContent::PollMessage(poll) => says(text(poll.poll_message_data.name.as_ref())),
            MessageContent::PollUpdateMessage(vote) => {
                says(text(vote.poll_message_data.name.as_ref()))
            }
            MessageContent::ButtonsMessage(buttons) => {
                says(text(buttons.buttons_message.content_text.as_ref()))
            }
            MessageContent::ButtonsResponseMessage(response) => {
                let response = &response.buttons_response_message;
                answers(
                    text(response.selected_button_text.as_ref()),
                    id(response.stanza_id.as_ref()),
                )
            }
            MessageContent::ListMessage(list) => {
                says(text(list.list_message.content_text.as_ref()))
            }
            MessageContent::ListResponseMessage(response) => {
                let response = &response.list_response_message;
                answers(
                    text(response.title.as_ref()),
                    id(response.stanza_id.as_ref()),
                )
            }
            MessageContent::TemplateMessage(template) => {
                says(text(template.template_message.content_text.as_ref()))
            }
            MessageContent::TemplateButtonsReplyMessage(reply) => {
                let reply = &reply.template_button_reply_message;
                answers(
                    text(reply.selected_display_text.as_ref()),
                    id(reply.stanza_id.as_ref()),
                )
            }
            MessageContent::EditedMessage(edit) => {
                let edit = &edit.edited_message_data;
                says(text(edit.text_message.as_ref()).or(text(edit.caption.as_ref())))
            }
            MessageContent::InteractiveButtons(buttons) => {
                says(text(buttons.interactive_buttons.content_text.as_ref()))
            }
            MessageContent::InteractiveButtonsReply(reply) => {
                let reply = &reply.reply;
                answers(
                    text(reply.selected_display_text.as_ref())
                        .or(text(reply.content_text.as_ref())),
                    id(reply.stanza_id.as_ref()),
                )
            }
            MessageContent::InteractiveButtonsResponse(response) => {
                let response = &response.interactive_buttons_response;
                answers(
                    text(response.selected_display_text.as_ref()),
                    id(response.stanza_id.as_ref()),
                )
            }
            MessageContent::ProductMessage(product) => {
                says(text(product.product_message.title.as_ref()))
            }
            MessageContent::OrderMessage(order) => {
                says(text(order.order_message.order_title.as_ref()))
            }
            MessageContent::DeletedMessage(_) | MessageContent::Unknown => self,
        }
    }
}

fn text<'n>(text: Option<&'n Text<'_>>) -> Option<&'n str> {
    text.map(|text| &**text).filter(|text| !text.is_empty())
}

fn id<'n>(id: Option<&'n Id<'_>>) -> Option<&'n str> {
    id.map(|id| &**id).filter(|id| !id.is_empty())
}
