//! Terms: the values that lists can filter by. Each term has its postings in seq order.

/// The property that a term stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::store) enum TermKind {
    /// `idInstance` of an event.
    Instance = 1,
    /// `typeWebhook` of an event.
    TypeWebhook = 2,
    /// `typeMessage` of an event, and of a message.
    TypeMessage = 3,
    /// `chatId` of an event, of any instance, or the caller of a call.
    Chat = 4,
    /// The outcome of parsing an event, unless it is `known`.
    Outcome = 5,
    /// The current status of a message.
    Status = 6,
    /// Calls: all of them under the empty value, and those of each instance under its `idInstance`.
    Call = 7,
    /// `idInstance` together with a rare `typeWebhook` of an event: see [`pair`].
    InstanceType = 8,
    /// Events with fields that do not match the documented format, under the empty value.
    Drift = 9,
}

impl TermKind {
    /// Number of kinds.
    pub(in crate::store) const COUNT: usize = 9;

    /// Index of the kind, from 0.
    pub(in crate::store) const fn index(self) -> usize {
        self as usize - 1
    }
}

/// Seqs per epoch; the postings of an epoch are stored together. With fewer, new postings touch
/// fewer pages, but a list must look into more epochs: 153 for the list of one chat in ten million
/// events.
const EPOCH_SEQS: i64 = 65_536;

/// The epoch that contains a seq.
pub(in crate::store) const fn epoch(seq: i64) -> i64 {
    seq / EPOCH_SEQS
}

/// The types of most events. Each is so frequent in an instance that scanning the events of the
/// instance finds enough of them.
const FREQUENT: [&str; 4] = [
    "incomingMessageReceived",
    "outgoingMessageReceived",
    "outgoingAPIMessageReceived",
    "outgoingMessageStatus",
];

/// The combination of an instance and a rare type, as the value of one term. If both have many
/// postings but few in common, scanning either takes long.
pub(in crate::store) fn pair(id_instance: i64, type_webhook: &str) -> Option<String> {
    let is_rare = !FREQUENT.contains(&type_webhook);
    is_rare.then(|| format!("{id_instance} {type_webhook}"))
}
