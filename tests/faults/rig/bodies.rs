//! Bodies generated from a number, so that a test stores numbers instead of bodies.

use std::collections::VecDeque;
use std::sync::Mutex;

use hyper::body::Bytes;

use super::random::mixed;

/// The size of the bodies.
#[derive(Debug, Clone, Copy)]
pub enum Size {
    /// This many bytes of text.
    Bytes(usize),
    /// Most under 1 KB, one in eight up to 64 KB.
    Mixed,
}

/// A supply of distinct messages.
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

    /// The number of the next body to send. Numbers given back come first.
    pub fn next(&self) -> u64 {
        let mut numbers = self.numbers.lock().unwrap();
        numbers.again.pop_front().unwrap_or_else(|| {
            numbers.next += 1;
            numbers.next
        })
    }

    /// Gives back unanswered bodies, which GREEN-API would retry.
    pub fn give_back(&self, unanswered: &[u64]) {
        self.numbers.lock().unwrap().again.extend(unanswered);
    }

    /// The body for this number, always the same.
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
