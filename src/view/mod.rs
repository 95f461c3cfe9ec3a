//! WHAT notifications say, taken together: messages with what became of them, calls, chats and
//! accounts, as they are given back. Pure: made of notifications, and nothing here depends on the
//! order in which they came.

mod call;
mod chat;
mod content;
mod history;
mod instance;
mod mention;
mod message;
mod moment;
mod status;

pub use call::{Call, CallEvent, CallParticipant, call_rank};
pub use chat::Chat;
pub use content::{Content, Direction};
pub use history::{Deletion, Edit, History, Reaction, StatusChange, Vote, VoteOption};
pub use instance::{Instance, NewestEvent, Quota, Socket, State};
pub use mention::{Mention, Role, mentions};
pub use message::{File, Message, MessageEvents, MessagePlace, Quoted};
pub use moment::Moment;
pub use status::rank;
