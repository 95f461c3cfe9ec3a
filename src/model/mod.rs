//! Messages with their history, calls, chats and accounts, as the API returns them.
//!
//! This module is pure: it builds its values from notifications, and the result does not depend on the
//! order in which they arrived.

mod call;
mod catalogue;
mod chat;
mod chat_identity;
mod contact;
mod content;
mod digest;
mod event;
mod history;
mod instance;
mod mention;
mod message;
mod message_with_history;
mod moment;
mod parsed;
mod poll;
mod stats;
mod status;
mod vcard;
mod version;

pub use call::{Call, CallEvent, CallParticipant, call_rank};
pub use chat::Chat;
pub use chat_identity::{PrivateKind, canonical_chat, differ_in_kind};
pub use contact::Contact;
pub use content::{Content, Direction};
pub use digest::content_digest;
pub use event::{Event, OutcomeKind};
pub use history::{Deletion, Edit, History, Reaction, StatusChange};
pub use instance::{Instance, NewestEvent, Quota, Socket, State};
pub use mention::{Mention, Role, mentions};
pub use message::{File, Location, Message, MessageEvents, MessagePlace, Quoted};
pub use message_with_history::MessageWithHistory;
pub use moment::Moment;
pub use poll::{Poll, PollOption, Vote, VoteOption};
pub use stats::Stats;
pub use status::rank;
pub use version::Chosen;
