//! What shows that two chats are aliases. It is kept with the alias, which is forgotten with it.

/// An alias, and what shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FoundAlias {
    pub(super) id_instance: i64,
    pub(super) chat: i64,
    pub(super) other: i64,
    /// The key of the message or call that is in both chats. 0 if an event shows it by itself.
    pub(super) key: i64,
}

/// What shows that two chats belong to one person.
#[derive(Clone, Copy)]
pub(super) struct Evidence {
    /// The account.
    pub(super) id_instance: i64,
    /// The key of the message or call that is in both chats. 0 if an event shows it by itself.
    pub(super) key: i64,
    /// The event that shows it.
    pub(super) seq: i64,
}
