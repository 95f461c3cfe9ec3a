//! Synthetic notifications of many instances and chats: incoming and outgoing messages, their
//! statuses and edits, calls, and states of instances. The same number gives the same notification
//! in every run.

const WORDS: [&str; 64] = [
    "заказ",
    "доставка",
    "курьер",
    "завтра",
    "утром",
    "вечером",
    "адрес",
    "оплата",
    "картой",
    "наличными",
    "спасибо",
    "пожалуйста",
    "хлеб",
    "булочка",
    "торт",
    "круассан",
    "ваниль",
    "шоколад",
    "коробка",
    "подарок",
    "праздник",
    "ребёнок",
    "открытка",
    "свеча",
    "время",
    "минута",
    "подъезд",
    "этаж",
    "звонок",
    "ключ",
    "улица",
    "дом",
    "order",
    "delivery",
    "tomorrow",
    "morning",
    "evening",
    "address",
    "payment",
    "card",
    "cash",
    "thanks",
    "please",
    "bread",
    "bun",
    "cake",
    "croissant",
    "vanilla",
    "chocolate",
    "box",
    "gift",
    "party",
    "child",
    "postcard",
    "candle",
    "time",
    "minute",
    "entrance",
    "floor",
    "bell",
    "key",
    "street",
    "house",
    "window",
];

/// The instances and chats of the notifications.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// Number of instances.
    pub instances: u64,
    /// Number of chats of all instances together.
    pub chats: u64,
}

/// Events per message number: an incoming message, an outgoing one, and its three statuses.
const STEPS: u64 = 5;

impl Story {
    /// The instance with this number.
    pub fn instance(number: u64) -> u64 {
        1_101_000_000 + number
    }

    /// The chat of message `number`: its instance and its identifier.
    pub fn chat(self, number: u64) -> (u64, String) {
        let chat = mix(number) % self.chats;
        let instance = Self::instance(chat % self.instances);
        (instance, format!("7900{chat:07}@c.us"))
    }

    /// `idMessage` of message `number`.
    pub fn id(number: u64) -> String {
        format!("3EB0{:016X}", mix(number ^ 0x5bd1_e995))
    }

    /// A word that about one message in 2,000 contains.
    pub fn rare_word(number: u64) -> String {
        format!("номер{}", number % 2000)
    }

    /// The event with this number.
    pub fn event(self, number: u64) -> String {
        // Three of five events are statuses of an outgoing message.
        let (message, step) = (number / STEPS, number % STEPS);
        let timestamp = 1_767_225_600 + number / 50;
        let (instance, chat) = self.chat(message);
        let head = format!(
            r#""instanceData":{{"idInstance":{instance},"wid":"15550000001@c.us","typeInstance":"whatsapp"}},"timestamp":{timestamp}"#
        );
        let id = Self::id(message);
        match step {
            0 if message % 500 == 7 => format!(
                r#"{{"typeWebhook":"stateInstanceChanged",{head},"stateInstance":"authorized"}}"#
            ),
            0 if message % 20 == 9 => format!(
                r#"{{"typeWebhook":"incomingCall",{head},"from":"{chat}","idMessage":"CALL{id}","status":"missed"}}"#
            ),
            0 => written(
                "incomingMessageReceived",
                &head,
                &format!("IN{id}"),
                &chat,
                message,
            ),
            1 if message % 40 == 3 => format!(
                r#"{{"typeWebhook":"outgoingMessageReceived",{head},"idMessage":"{id}","senderData":{{"chatId":"{chat}","sender":"15550000001@c.us","chatName":"Ada","senderName":"Shop"}},"messageData":{{"typeMessage":"editedMessage","editedMessageData":{{"stanzaId":"{}","textMessage":"changed {}"}}}}}}"#,
                Self::id(message.saturating_sub(1)),
                text(message)
            ),
            1 => written("outgoingAPIMessageReceived", &head, &id, &chat, message),
            _ => {
                let status = ["sent", "delivered", "read"][usize::try_from(step - 2).unwrap_or(0)];
                format!(
                    r#"{{"typeWebhook":"outgoingMessageStatus","chatId":"{chat}",{head},"idMessage":"{id}","status":"{status}","sendByApi":true}}"#
                )
            }
        }
    }
}

fn written(type_webhook: &str, head: &str, id: &str, chat: &str, message: u64) -> String {
    format!(
        r#"{{"typeWebhook":"{type_webhook}",{head},"idMessage":"{id}","senderData":{{"chatId":"{chat}","sender":"{chat}","chatName":"Ada","senderName":"Ada"}},"messageData":{{"typeMessage":"textMessage","textMessageData":{{"textMessage":"{}"}}}}}}"#,
        text(message)
    )
}

/// About forty words, the same for the same message.
fn text(message: u64) -> String {
    let mut text = Story::rare_word(mix(message ^ 0x4d));
    let mut bits = mix(message);
    for word in 0..40 {
        if word % 10 == 0 {
            bits = mix(bits);
        }
        text.push(' ');
        text.push_str(WORDS[usize::try_from(bits % 64).unwrap_or(0)]);
        bits >>= 6;
    }
    text
}

/// The last step of `SplitMix64`.
pub fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
