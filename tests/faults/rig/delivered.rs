//! What a destination was given: which notifications, how often, and in which order within each chat.

use std::collections::{BTreeSet, HashMap};

use super::chats::Message;

/// The record of one destination.
#[derive(Debug, Default)]
pub struct Delivered {
    /// The notifications that it took.
    taken: BTreeSet<Message>,
    /// The number that each chat expects next.
    next: HashMap<u32, u32>,
    /// The id of each seq.
    ids: HashMap<i64, String>,
    /// Deliveries beyond the first of each notification.
    pub repeated: u64,
    /// The greatest seq in any request.
    pub greatest: i64,
    /// What must not happen: an order or an id that changed.
    pub wrong: Vec<String>,
}

impl Delivered {
    /// Notes a request, whether or not the destination takes it.
    pub fn ask(&mut self, seq: i64, id: &str) {
        self.greatest = self.greatest.max(seq);
        let first = self.ids.entry(seq).or_insert_with(|| id.to_owned());
        if first != id {
            self.wrong
                .push(format!("seq {seq} came as {id} and as {first}"));
        }
    }

    /// Notes that the destination took a notification.
    pub fn take(&mut self, message: Message) {
        if !self.taken.insert(message) {
            self.repeated += 1;
            return;
        }
        let next = self.next.entry(message.chat).or_default();
        if message.number != *next {
            let expected = *next;
            self.wrong
                .push(format!("{message:?} came when {expected} was next"));
        }
        *next = message.number + 1;
    }

    /// Notifications that it took.
    pub fn len(&self) -> usize {
        self.taken.len()
    }

    /// Those of `sent` that it did not take.
    pub fn missing(&self, sent: impl IntoIterator<Item = Message>) -> BTreeSet<Message> {
        let sent = sent.into_iter();
        sent.filter(|one| !self.taken.contains(one)).collect()
    }
}
