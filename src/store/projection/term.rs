//! Terms: what can be asked for. Each has its entries in the order of commits.

/// What a term is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::store) enum TermKind {
    /// `idInstance` of an event.
    Instance = 1,
    /// `typeWebhook` of an event.
    TypeWebhook = 2,
    /// `typeMessage` of an event, and of a message.
    TypeMessage = 3,
    /// `chatId` of an event, whatever the instance, and who called.
    Chat = 4,
    /// What was made of an event, where it is not known.
    Outcome = 5,
    /// The status of a message.
    Status = 6,
    /// Calls: all under the empty value, and those of each instance.
    Call = 7,
    /// `idInstance` and a `typeWebhook` that is rare, of an event: see [`pair`].
    InstanceType = 8,
    /// Events with fields that do not fit, under the empty value.
    Drift = 9,
}

impl TermKind {
    /// How many there are.
    pub(in crate::store) const COUNT: usize = 9;

    /// Its place among them.
    pub(in crate::store) const fn place(self) -> usize {
        self as usize - 1
    }
}

/// Seqs of which the entries stand together. Fewer make new entries go to fewer pages, and lists
/// look into more epochs: a list of one chat into 153 of ten million events.
const EPOCH_SEQS: i64 = 65_536;

/// The epoch that a seq lies in.
pub(in crate::store) const fn epoch(seq: i64) -> i64 {
    seq / EPOCH_SEQS
}

/// The types that most events have: of an instance there are enough of each to be found by passing
/// through its events.
const FREQUENT: [&str; 4] = [
    "incomingMessageReceived",
    "outgoingMessageReceived",
    "outgoingAPIMessageReceived",
    "outgoingMessageStatus",
];

/// An instance and a type that is rare, as the value of one term: where both have many entries and
/// few in common, passing through either takes long.
pub(in crate::store) fn pair(id_instance: i64, type_webhook: &str) -> Option<String> {
    let is_rare = !FREQUENT.contains(&type_webhook);
    is_rare.then(|| format!("{id_instance} {type_webhook}"))
}
