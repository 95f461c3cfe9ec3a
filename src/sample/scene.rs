//! The people, chats and identifiers of a sample, all derived from its values.

use serde_json::{Value, json};

use super::Values;
use super::line::Line;

/// Type of a message that the account received.
pub(super) const INCOMING: &str = "incomingMessageReceived";
/// Type of a message sent from the phone.
pub(super) const PHONE: &str = "outgoingMessageReceived";
/// Type of a message sent through the API.
pub(super) const API: &str = "outgoingAPIMessageReceived";

const NAMES: [&str; 10] = [
    "Анна Волкова",
    "Boris Klein",
    "Вера Лис",
    "Глеб Орлов",
    "Dana Petit",
    "Ева Сокол",
    "Жанна Мирная",
    "Ian Moss",
    "Лев Гончар",
    "Mira Stone",
];

/// The chat of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chat {
    /// The chat with the customer.
    Private,
    /// The chat with the customer when WhatsApp hides the phone number.
    Hidden,
    /// A group.
    Group,
    /// A chat with a bot (Telegram, MAX).
    Bot,
    /// A channel (Telegram, MAX).
    Channel,
}

/// One rendering of one sample. The account is a bakery, and the other person is its customer.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) line: Line,
    pub(super) values: Values,
    rest: &'static str,
}

impl Scene {
    pub(super) fn new(line: Line, values: Values, rest: &'static str) -> Self {
        Self { line, values, rest }
    }

    /// The sample's `typeMessage`, state or status.
    pub(super) fn kind(&self) -> &'static str {
        self.rest
            .split_once('/')
            .map_or(self.rest, |(kind, _)| kind)
    }

    /// One of `texts`. Consecutive serials get different ones.
    pub(super) fn pick(&self, texts: &[&'static str]) -> &'static str {
        let count = texts.len().max(1) as u64;
        let index = usize::try_from(self.values.serial % count).unwrap_or(0);
        texts.get(index).copied().unwrap_or_default()
    }

    /// `idMessage` of the sample of this product line with this `typeWebhook` and `rest` of the name.
    pub(super) fn id(&self, type_webhook: &str, rest: &str) -> String {
        let topic = [self.line.name(), type_webhook, rest]
            .into_iter()
            .fold(FNV_OFFSET, fnv);
        self.line.message_id(mix(self.values.serial ^ topic))
    }

    /// The sender of messages with this `typeWebhook`.
    pub(super) fn author(&self, type_webhook: &str) -> String {
        if type_webhook == INCOMING {
            self.customer()
        } else {
            self.account()
        }
    }

    /// `instanceData`, with a `wid` derived from the serial.
    pub(super) fn instance_data(&self) -> Value {
        json!({
            "idInstance": self.values.id_instance,
            "wid": format!("{}@c.us", self.account_phone()),
            "typeInstance": self.line.type_instance(),
        })
    }

    /// `senderData` of a message with this `typeWebhook` in this chat.
    pub(super) fn sender_data(&self, type_webhook: &str, chat: Chat) -> Value {
        let is_incoming = type_webhook == INCOMING;
        let phone = if is_incoming {
            self.phone(0)
        } else {
            self.account_phone()
        };
        let name = if is_incoming {
            self.name(0)
        } else {
            "Пекарня «Утро»"
        };
        let chat_id = self.chat_id(chat);
        let sender = match chat {
            Chat::Private | Chat::Group => self.line.person_id(phone),
            Chat::Hidden | Chat::Bot | Chat::Channel => chat_id.clone(),
        };
        let chat_name = match chat {
            Chat::Private | Chat::Hidden => self.name(0),
            Chat::Group => "Друзья пекарни",
            Chat::Bot => "Bread bot",
            Chat::Channel => "Вести с печи",
        };
        match self.line {
            Line::WhatsApp | Line::Waba => json!({
                "chatId": chat_id,
                "chatName": chat_name,
                "sender": sender,
                "senderName": name,
                "senderContactName": if is_incoming { name } else { "" },
            }),
            Line::Max | Line::Telegram => json!({
                "chatId": chat_id,
                "chatName": chat_name,
                "chatType": self.chat_type(chat),
                "sender": sender,
                "senderName": if sender == chat_id { chat_name } else { name },
                "senderType": if chat == Chat::Group { "user" } else { self.chat_type(chat) },
                // GREEN-API sends 0 for a hidden number.
                "senderPhoneNumber": if chat == Chat::Private { phone } else { 0 },
            }),
        }
    }

    /// Identifier of the account, as in `sender`.
    pub(super) fn account(&self) -> String {
        self.line.person_id(self.account_phone())
    }

    /// Identifier of the customer, whose chat is the default.
    pub(super) fn customer(&self) -> String {
        self.person(0)
    }

    /// Identifier of person `nth`. Below 50 all differ from each other and from the account.
    pub(super) fn person(&self, nth: u64) -> String {
        self.line.person_id(self.phone(nth))
    }

    /// Name of person `nth`.
    pub(super) fn name(&self, nth: u64) -> &'static str {
        usize::try_from(self.phone(nth) % 10)
            .ok()
            .and_then(|index| NAMES.get(index))
            .copied()
            .unwrap_or_default()
    }

    /// Identifier of the group.
    pub(super) fn group(&self) -> String {
        self.chat_id(Chat::Group)
    }

    /// Phone number of person `nth`.
    pub(super) fn phone(&self, nth: u64) -> u64 {
        // Half the range away from the account's number, so that nobody writes to themselves.
        79_000_000_000 + (self.values.serial % 100 + 50 + nth) % 100
    }

    fn account_phone(&self) -> u64 {
        79_000_000_000 + self.values.serial % 10_000_000
    }

    fn chat_id(&self, chat: Chat) -> String {
        let number = self.values.serial % 50;
        match chat {
            Chat::Private => self.customer(),
            Chat::Hidden => format!("1000000000000{number:02}@lid"),
            Chat::Group => self.line.group_id(number),
            Chat::Bot => self.person(49),
            Chat::Channel => self.line.group_id(50 + number),
        }
    }

    fn chat_type(&self, chat: Chat) -> &'static str {
        match chat {
            Chat::Private | Chat::Hidden => "user",
            Chat::Group if self.line == Line::Telegram => "supergroup",
            Chat::Group => "group",
            Chat::Bot => "bot",
            Chat::Channel => "channel",
        }
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(hash: u64, text: &str) -> u64 {
    // The slash separates the parts of a name.
    text.bytes().chain([b'/']).fold(hash, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The last step of `SplitMix64`: distinct inputs give distinct outputs, and consecutive inputs give unrelated
/// outputs.
fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
