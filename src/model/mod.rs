//! Messages with their history, calls, chats and accounts, as the API returns them.
//!
//! This module is pure: it builds its values from notifications, and the result does not depend on the
//! order in which they arrived.

mod accounts;
mod alert;
mod alert_name;
mod alert_text;
mod alerts;
mod attention;
mod call;
mod catalogue;
mod chat;
mod chat_identity;
mod contact;
mod content;
mod digest;
mod event;
mod forward;
mod history;
mod instance;
mod kept_file;
mod last_refused;
mod mention;
mod message;
mod message_with_history;
mod moment;
mod origin;
mod parsed;
mod poll;
mod reconciled;
mod reprocess;
mod stats;
mod status;
mod told;
mod vcard;
mod version;

pub use accounts::{Account, Accounts, Difference};
pub use alert::{Alert, AlertKey, AlertState, ShownAlert};
pub use alert_name::{AlertName, Severity};
pub use alerts::Alerts;
pub use attention::Attention;
pub use call::{Call, CallEvent, CallParticipant, call_rank};
pub use chat::Chat;
pub use chat_identity::{PrivateKind, canonical_chat, differ_in_kind};
pub use contact::Contact;
pub use content::{Content, Direction};
pub use digest::content_digest;
pub use event::{Event, OutcomeKind};
pub use forward::{DeadLetter, ForwardCommand, ForwardState, ForwardStatus, Forwards, Replayed};
pub use history::{Deletion, Edit, History, Reaction, StatusChange};
pub use instance::{Instance, NewestEvent, Quota, Socket, State};
pub use kept_file::{FileState, KeptFile};
pub use last_refused::LastRefused;
pub use mention::{Mention, Role, mentions};
pub use message::{File, Location, Message, MessageEvents, MessagePlace, Quoted};
pub use message_with_history::MessageWithHistory;
pub use moment::Moment;
pub use origin::Origin;
pub use poll::{Poll, PollOption, Vote, VoteOption};
pub use reconciled::{ReconcileCommand, Reconciled};
pub use reprocess::{OutcomeChange, ReprocessPass};
pub use stats::Stats;
pub use status::rank;
pub use told::Told;
pub use version::Chosen;
