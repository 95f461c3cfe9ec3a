//! Content of a message: the parts that are shown and searched, whatever its type.

use std::slice;

use serde::Serialize;
use utoipa::ToSchema;

use super::catalogue::CatalogueItem;
use crate::notification::message::{Contact, ExtendedText, FileData, Location};
use crate::notification::scalar::{Id, Text};
use crate::notification::{MessageContent, MessageReceived, Notification};

/// Direction of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// The account received it.
    Incoming,
    /// The account's phone sent it.
    OutgoingPhone,
    /// It was sent through GREEN-API's API.
    OutgoingApi,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 3] = [Self::Incoming, Self::OutgoingPhone, Self::OutgoingApi];

    /// Its name in responses and query parameters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::OutgoingPhone => "outgoingPhone",
            Self::OutgoingApi => "outgoingApi",
        }
    }

    /// The `typeWebhook` of messages in this direction.
    #[must_use]
    pub const fn type_webhook(self) -> &'static str {
        match self {
            Self::Incoming => "incomingMessageReceived",
            Self::OutgoingPhone => "outgoingMessageReceived",
            Self::OutgoingApi => "outgoingAPIMessageReceived",
        }
    }

    /// Direction of the message that a notification carries or refers to, if the notification says.
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

/// Content of a message.
#[derive(Debug, Clone, Copy, Default)]
pub struct Content<'n> {
    /// Text shown to a reader, whatever the type. Excludes file captions and contacts.
    pub text: Option<&'n str>,
    /// Download URL of its file.
    pub download_url: Option<&'n str>,
    /// Name of its file.
    pub file_name: Option<&'n str>,
    /// Media type of its file.
    pub mime_type: Option<&'n str>,
    /// Caption of its file.
    pub caption: Option<&'n str>,
    /// Whether it has a file.
    pub is_file: bool,
    /// Identifier of the message that it quotes or replies to.
    pub quoted: Option<&'n str>,
    /// Author of the quoted message.
    pub quoted_participant: Option<&'n str>,
    /// Its location.
    pub location: Option<&'n Location<'n>>,
    /// Its contacts; their names serve as its text.
    pub contacts: &'n [Contact<'n>],
    /// Its product or order, rendered as one line to serve as its text.
    pub catalogue: Option<CatalogueItem<'n>>,
    /// Whether its `typeMessage` is undocumented, so that its content cannot be interpreted.
    pub is_unknown: bool,
}

impl<'n> Content<'n> {
    /// Content of the message in `notification`.
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
            ..Self::default()
        };
        match &message.message_data {
            Some(data) => quote.with(&data.content),
            None => quote,
        }
    }

    fn with(self, content: &'n MessageContent<'_>) -> Self {
        let with_text = |text: Option<&'n str>| Self { text, ..self };
        let extended = |data: &'n ExtendedText<'_>| Self {
            text: text(data.text.as_ref()),
            quoted: self.quoted.or(id(data.stanza_id.as_ref())),
            quoted_participant: self.quoted_participant.or(id(data.participant.as_ref())),
            ..self
        };
        match content {
            MessageContent::TextMessage(message) => {
                with_text(text(message.text_message_data.text_message.as_ref()))
            }
            MessageContent::ExtendedTextMessage(message) => {
                extended(&message.extended_text_message_data)
            }
            MessageContent::QuotedMessage(message) => extended(&message.extended_text_message_data),
            MessageContent::ImageMessage(file)
            | MessageContent::VideoMessage(file)
            | MessageContent::DocumentMessage(file)
            | MessageContent::AudioMessage(file)
            | MessageContent::StickerMessage(file) => self.with_file(&file.file_message_data),
            MessageContent::LocationMessage(place) => {
                let place = &place.location_message_data;
                Self {
                    location: Some(place),
                    ..with_text(text(place.name_location.as_ref()).or(text(place.address.as_ref())))
                }
            }
            MessageContent::ContactMessage(contact) => Self {
                contacts: slice::from_ref(&contact.contact_message_data),
                ..self
            },
            MessageContent::ContactsArrayMessage(contacts) => Self {
                contacts: &contacts.contacts,
                ..self
            },
            MessageContent::ReactionMessage(reaction) => {
                with_text(text(reaction.extended_text_message_data.text.as_ref()))
            }
            MessageContent::GroupInviteMessage(invite) => {
                let invite = &invite.group_invite_message_data;
                with_text(text(invite.caption.as_ref()).or(text(invite.group_name.as_ref())))
            }
            MessageContent::PollMessage(poll) => {
                with_text(text(poll.poll_message_data.name.as_ref()))
            }
            MessageContent::PollUpdateMessage(vote) => {
                with_text(text(vote.poll_message_data.name.as_ref()))
            }
            MessageContent::ButtonsMessage(buttons) => {
                with_text(text(buttons.buttons_message.content_text.as_ref()))
            }
            MessageContent::ListMessage(list) => {
                with_text(text(list.list_message.content_text.as_ref()))
            }
            MessageContent::TemplateMessage(template) => {
                with_text(text(template.template_message.content_text.as_ref()))
            }
            MessageContent::EditedMessage(edit) => {
                let edit = &edit.edited_message_data;
                with_text(text(edit.text_message.as_ref()).or(text(edit.caption.as_ref())))
            }
            MessageContent::InteractiveButtons(buttons) => {
                with_text(text(buttons.interactive_buttons.content_text.as_ref()))
            }
            MessageContent::ProductMessage(product) => {
                let product = &product.product_message;
                Self {
                    catalogue: Some(CatalogueItem::Product(product)),
                    ..product
                        .file_message_data
                        .as_ref()
                        .map_or(self, |file| self.with_file(file))
                }
            }
            MessageContent::OrderMessage(order) => {
                let order = &order.order_message;
                Self {
                    catalogue: Some(CatalogueItem::Order(order)),
                    ..order
                        .file_message_data
                        .as_ref()
                        .map_or(self, |file| self.with_file(file))
                }
            }
            MessageContent::DeletedMessage(_) => self,
            MessageContent::ButtonsResponseMessage(_)
            | MessageContent::ListResponseMessage(_)
            | MessageContent::TemplateButtonsReplyMessage(_)
            | MessageContent::InteractiveButtonsReply(_)
            | MessageContent::InteractiveButtonsResponse(_) => self.with_answer(content),
            MessageContent::Unknown => Self {
                is_unknown: true,
                ..self
            },
        }
    }

    fn with_file(self, file: &'n FileData<'_>) -> Self {
        Self {
            is_file: true,
            download_url: text(file.download_url.as_ref()),
            file_name: text(file.file_name.as_ref()),
            mime_type: text(file.mime_type.as_ref()),
            caption: text(file.caption.as_ref()),
            ..self
        }
    }

    /// The option that was pressed or chosen, and the message that offered it.
    fn with_answer(self, content: &'n MessageContent<'_>) -> Self {
        let (selected, answered) = match content {
            MessageContent::ButtonsResponseMessage(response) => {
                let response = &response.buttons_response_message;
                (
                    text(response.selected_button_text.as_ref()),
                    &response.stanza_id,
                )
            }
            MessageContent::ListResponseMessage(response) => {
                let response = &response.list_response_message;
                (text(response.title.as_ref()), &response.stanza_id)
            }
            MessageContent::TemplateButtonsReplyMessage(reply) => {
                let reply = &reply.template_button_reply_message;
                (text(reply.selected_display_text.as_ref()), &reply.stanza_id)
            }
            MessageContent::InteractiveButtonsReply(reply) => {
                let reply = &reply.reply;
                let pressed = text(reply.selected_display_text.as_ref());
                (
                    pressed.or(text(reply.content_text.as_ref())),
                    &reply.stanza_id,
                )
            }
            MessageContent::InteractiveButtonsResponse(response) => {
                let response = &response.interactive_buttons_response;
                (
                    text(response.selected_display_text.as_ref()),
                    &response.stanza_id,
                )
            }
            _ => return self,
        };
        Self {
            text: selected,
            quoted: self.quoted.or(id(answered.as_ref())),
            ..self
        }
    }
}

fn text<'n>(text: Option<&'n Text<'_>>) -> Option<&'n str> {
    text.map(|text| &**text).filter(|text| !text.is_empty())
}

fn id<'n>(id: Option<&'n Id<'_>>) -> Option<&'n str> {
    id.map(|id| &**id).filter(|id| !id.is_empty())
}
