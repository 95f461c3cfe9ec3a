//! The content of a sample, and the composition of its body.

use serde_json::{Map, Value};

use super::scene::{API, Chat, INCOMING, PHONE, Scene};

/// Makes the sample's own part of the body: an object, or null for a message without `messageData`.
type Content = fn(&Scene) -> Value;

/// A sample without its product line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script {
    pub(super) type_webhook: &'static str,
    /// The rest of the name: `typeMessage`, state or status, then an optional suffix.
    pub(super) rest: &'static str,
    says: Says,
}

#[derive(Debug, Clone, Copy)]
enum Says {
    Message {
        id_of: &'static str,
        chat: Chat,
        data: Content,
    },
    Event(Content),
    Untimed(Content),
}

/// A message from the customer.
pub(super) const fn incoming(rest: &'static str, data: Content) -> Script {
    message(INCOMING, rest, data)
}

/// A message that the bakery wrote on its phone.
pub(super) const fn phone(rest: &'static str, data: Content) -> Script {
    message(PHONE, rest, data)
}

/// A message that the bakery's program sent.
pub(super) const fn api(rest: &'static str, data: Content) -> Script {
    message(API, rest, data)
}

/// A notification that is not a message.
pub(super) const fn event(
    type_webhook: &'static str,
    rest: &'static str,
    fields: Content,
) -> Script {
    Script {
        type_webhook,
        rest,
        says: Says::Event(fields),
    }
}

/// A notification without a `timestamp` that is not a message.
pub(super) const fn untimed(
    type_webhook: &'static str,
    rest: &'static str,
    fields: Content,
) -> Script {
    Script {
        type_webhook,
        rest,
        says: Says::Untimed(fields),
    }
}

const fn message(type_webhook: &'static str, rest: &'static str, data: Content) -> Script {
    Script {
        type_webhook,
        rest,
        says: Says::Message {
            id_of: rest,
            chat: Chat::Private,
            data,
        },
    }
}

impl Script {
    /// Puts the message in another chat than the customer's.
    pub(super) const fn within(mut self, place: Chat) -> Self {
        if let Says::Message { chat, .. } = &mut self.says {
            *chat = place;
        }
        self
    }

    /// Gives the message the `idMessage` of another sample with the same `typeWebhook`.
    pub(super) const fn with_id_of(mut self, other: &'static str) -> Self {
        if let Says::Message { id_of, .. } = &mut self.says {
            *id_of = other;
        }
        self
    }

    /// Composes the whole body.
    pub(super) fn play(&self, scene: &Scene) -> Value {
        let mut body = Map::new();
        body.insert("typeWebhook".to_owned(), self.type_webhook.into());
        body.insert("instanceData".to_owned(), scene.instance_data());
        match self.says {
            Says::Message { id_of, chat, data } => {
                body.insert("timestamp".to_owned(), scene.values.timestamp.into());
                body.insert(
                    "idMessage".to_owned(),
                    scene.id(self.type_webhook, id_of).into(),
                );
                body.insert(
                    "senderData".to_owned(),
                    scene.sender_data(self.type_webhook, chat),
                );
                if let Value::Object(mut data) = data(scene) {
                    data.insert("typeMessage".to_owned(), scene.kind().into());
                    body.insert("messageData".to_owned(), data.into());
                }
            }
            Says::Event(fields) => {
                body.insert("timestamp".to_owned(), scene.values.timestamp.into());
                body.extend(members(fields(scene)));
            }
            Says::Untimed(fields) => body.extend(members(fields(scene))),
        }
        body.into()
    }
}

fn members(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value {
        members
    } else {
        Map::new()
    }
}
