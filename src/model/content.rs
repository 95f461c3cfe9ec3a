//! What a message says: the parts that are shown and searched, whatever its type.

use std::slice;

use serde::Serialize;
use utoipa::ToSchema;

use super::catalogue::CatalogueItem;
use crate::notification::message::{Contact, ExtendedText, FileData, Location};
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
    /// What a person reads in it, whatever its type; not the caption of a file, nor contacts.
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
    /// The place that it names.
    pub location: Option<&'n Location<'n>>,
    /// The contacts that it brings; their names are its text.
    pub contacts: &'n [Contact<'n>],
    /// The product or the order that it is; a line of it is its text.
    pub catalogue: Option<CatalogueItem<'n>>,
    /// Whether its `typeMessage` is in no document, so that nothing is known of what it says.
    pub is_unknown: bool,
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
            ..Self::default()
        };
        match &message.message_data {
            Some(data) => quote.with(&data.content),
            None => quote,
        }
    }

    fn with(self, content: &'n MessageContent<'_>) -> Self {
        let says = |said: Option<&'n str>| Self { text: said, ..self };
        let extended = |said: &'n ExtendedText<'_>| Self {
            text: text(said.text.as_ref()),
            quoted: self.quoted.or(id(said.stanza_id.as_ref())),
            quoted_participant: self.quoted_participant.or(id(said.participant.as_ref())),
            ..self
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
            | MessageContent::StickerMessage(file) => self.with_file(&file.file_message_data),
            MessageContent::LocationMessage(place) => {
                let place = &place.location_message_data;
                Self {
                    location: Some(place),
                    ..says(text(place.name_location.as_ref()).or(text(place.address.as_ref())))
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
            MessageContent::ListMessage(list) => {
                says(text(list.list_message.content_text.as_ref()))
            }
            MessageContent::TemplateMessage(template) => {
                says(text(template.template_message.content_text.as_ref()))
            }
            MessageContent::EditedMessage(edit) => {
                let edit = &edit.edited_message_data;
                says(text(edit.text_message.as_ref()).or(text(edit.caption.as_ref())))
            }
            MessageContent::InteractiveButtons(buttons) => {
                says(text(buttons.interactive_buttons.content_text.as_ref()))
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

    /// What was pressed or chosen, and the message that has it to press or to choose.
    fn with_answer(self, content: &'n MessageContent<'_>) -> Self {
        let (said, answered) = match content {
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
            text: said,
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
