//! Bodies by number, so that a test remembers a number and not a body.

use std::collections::VecDeque;
use std::sync::Mutex;

use hyper::body::Bytes;

use super::random::mixed;

/// How large bodies are.
#[derive(Debug, Clone, Copy)]
pub enum Size {
    /// As much text.
    Bytes(usize),
    /// Most under 1 KB, one in eight up to 64 KB.
    Mixed,
}

/// Messages, no two of which are the same.
pub struct Bodies {
    size: Size,
    numbers: Mutex<Numbers>,
}

#[derive(Default)]
struct Numbers {
    next: u64,
    again: VecDeque<u64>,
}

impl Bodies {
    pub fn new(size: Size) -> Self {
        Self {
            size,
            numbers: Mutex::default(),
        }
    }

    /// The number of the body to send next: first those that were given back.
    pub fn next(&self) -> u64 {
        let mut numbers = self.numbers.lock().unwrap();
        numbers.again.pop_front().unwrap_or_else(|| {
            numbers.next += 1;
            numbers.next
        })
    }

    /// Gives back what was not answered, which GREEN-API sends again.
    pub fn give_back(&self, unanswered: &[u64]) {
        self.numbers.lock().unwrap().again.extend(unanswered);
    }

    /// The body of this number, always the same.
    pub fn body(&self, number: u64) -> Bytes {
        let length = match self.size {
            Size::Bytes(length) => length,
            Size::Mixed => {
                let random = mixed(number);
                let most = if random.is_multiple_of(8) {
                    64 * 1024
                } else {
                    1024
                };
                usize::try_from(random >> 32).unwrap() % most
            }
        };
        let sentence = format!("Basket {number} waits behind the second door. ");
        let mut text = sentence.repeat(length / sentence.len() + 1);
        text.truncate(length);
        let timestamp = 1_767_225_600 + number / 50;
        format!(
            r#"{{"typeWebhook":"incomingMessageReceived","instanceData":{{"idInstance":1101000001,"wid":"15550000001@c.us","typeInstance":"whatsapp"}},"timestamp":{timestamp},"idMessage":"3EB0{number:016X}","senderData":{{"chatId":"15550000002@c.us","sender":"15550000002@c.us","chatName":"Ada","senderName":"Ada"}},"messageData":{{"typeMessage":"textMessage","textMessageData":{{"textMessage":"{text}"}}}}}}"#
        )
        .into()
    }
}
