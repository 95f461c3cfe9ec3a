//! The requests: each is a distinct incoming text message of 1 KB.
//!
//! One buffer is composed once, and only the parts that differ between requests are overwritten,
//! because the generator shares its CPUs with the measured server.

use std::ops::Range;

use super::chance::{Chance, fold, mix};
use super::words;

/// Bytes of a body.
pub(crate) const BODY: usize = 1024;

/// The token in `webhookUrlToken`.
pub(crate) const TOKEN: &str = "Bearer open-sesame";

/// The client address in `X-Forwarded-For`: one of GREEN-API's.
const SOURCE: &str = "46.101.109.139";

/// Offset, so that number 0 gives an `idMessage` like any other.
const FIRST: u64 = 0x9E37_79B9_7F4A_7C15;

/// Sentences in one text.
const SENTENCES: usize = 4;

/// Who writes to whom.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Crowd {
    /// Chats over which the messages are spread.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=9_999_999))]
    pub(crate) chats: u32,
    /// Instances over which the chats are spread.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=999_999))]
    pub(crate) instances: u32,
}

/// Composes requests, each into the same buffer.
#[derive(Debug, Clone)]
pub(crate) struct Composer {
    crowd: Crowd,
    sentences: Vec<String>,
    bytes: Vec<u8>,
    body: usize,
    holes: Holes,
}

/// Byte ranges of the buffer that are overwritten for each request.
#[derive(Debug, Clone, Default)]
struct Holes {
    instances: Vec<Range<usize>>,
    chats: Vec<Range<usize>>,
    timestamp: Range<usize>,
    id: Range<usize>,
    order: Range<usize>,
    sentences: Vec<Range<usize>>,
}

impl Composer {
    /// A composer of requests to `path`.
    pub(crate) fn new(path: &str, crowd: Crowd) -> Self {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: inbox.example\r\nuser-agent: GREEN-API\r\n\
             content-type: application/json; charset=utf-8\r\ncontent-length: {BODY}\r\n\
             authorization: {TOKEN}\r\nx-forwarded-for: {SOURCE}\r\n\r\n"
        );
        let mut draft = Draft(head.into_bytes());
        let body = draft.0.len();
        let mut holes = Holes::default();
        draft.text(r#"{"typeWebhook":"incomingMessageReceived","instanceData":{"idInstance":1101"#);
        holes.instances.push(draft.hole(6));
        draft.text(r#","wid":"79001"#);
        holes.instances.push(draft.hole(6));
        draft.text(r#"@c.us","typeInstance":"whatsapp"},"timestamp":"#);
        holes.timestamp = draft.hole(10);
        draft.text(r#","idMessage":"3EB0"#);
        holes.id = draft.hole(16);
        draft.text(r#"","senderData":{"chatId":"7900"#);
        holes.chats.push(draft.hole(7));
        draft.text(r#"@c.us","sender":"7900"#);
        holes.chats.push(draft.hole(7));
        draft.text(r#"@c.us","chatName":"Покупатель "#);
        holes.chats.push(draft.hole(7));
        draft.text(r#"","senderName":"Покупатель "#);
        holes.chats.push(draft.hole(7));
        draft.text(r#"","senderContactName":""},"messageData":{"typeMessage":"textMessage","#);
        draft.text(r#""textMessageData":{"textMessage":""#);
        let end = "\"}}}";
        let order = "№ 000000";
        let each = (body + BODY - draft.0.len() - order.len() - end.len()) / SENTENCES;
        for _ in 0..SENTENCES {
            holes.sentences.push(draft.hole(each));
        }
        draft.text("№ ");
        holes.order = draft.hole(6);
        // Fill the remainder of the division.
        while draft.0.len() + end.len() < body + BODY {
            draft.text("!");
        }
        draft.text(end);
        Self {
            crowd,
            sentences: words::sentences(each, &mut Chance::new(1)),
            bytes: draft.0,
            body,
            holes,
        }
    }

    /// The request with this number. Each number gives a different `idMessage`.
    pub(crate) fn request(&mut self, number: u64, timestamp: u64) -> &[u8] {
        let bits = mix(number.wrapping_add(FIRST));
        let more = mix(!bits);
        let chat = fold(more, self.crowd.chats as usize) as u64;
        let instance = chat % u64::from(self.crowd.instances);
        let Self { bytes, holes, .. } = self;
        for hole in &holes.instances {
            decimal(&mut bytes[hole.clone()], instance);
        }
        for hole in &holes.chats {
            decimal(&mut bytes[hole.clone()], chat);
        }
        decimal(&mut bytes[holes.timestamp.clone()], timestamp);
        hexadecimal(&mut bytes[holes.id.clone()], bits);
        decimal(&mut bytes[holes.order.clone()], number % 1_000_000);
        let mut which = bits;
        for hole in &holes.sentences {
            let sentence = &self.sentences[fold(which, self.sentences.len())];
            bytes[hole.clone()].copy_from_slice(sentence.as_bytes());
            which = which.rotate_left(16);
        }
        bytes
    }

    /// The body of the request with this number.
    pub(crate) fn body(&mut self, number: u64, timestamp: u64) -> &[u8] {
        let body = self.body;
        &self.request(number, timestamp)[body..]
    }
}

struct Draft(Vec<u8>);

impl Draft {
    fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Reserves `bytes` bytes to overwrite later.
    fn hole(&mut self, bytes: usize) -> Range<usize> {
        let start = self.0.len();
        self.0.resize(start + bytes, b'0');
        start..start + bytes
    }
}

fn decimal(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
}

fn hexadecimal(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789ABCDEF"[(number % 16) as usize];
        number /= 16;
    }
}
