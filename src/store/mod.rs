//! The database: all SQL, in one SQLite file and a derived file beside it.
//!
//! [`open`] returns a [`Store`]: a [`Writer`], whose answer means "on disk", a [`Reader`], whose connections
//! cannot write, and [`Commits`], which wakes readers that follow the events.

mod maintenance;
mod projection;
mod query;
mod write;

mod columns;
mod commits;
mod error;
mod event;
mod feed;
mod lock;
mod open;
mod pragma;
mod priority;

pub use commits::Commits;
pub use error::{OpenError, ReadError, Unavailable};
pub use event::{Appended, BodyDigest, NewEvent};
pub use feed::Feed;
pub use maintenance::reprocess::{Progress, Reprocessed, Step, reprocess, reprocess_dry};
pub use open::{Store, open};
pub use projection::{MAX_WORDS, Projected, ProjectionThread, Words, WordsError};
pub use query::calls::{CallFilter, CallQuery};
pub use query::chats::ChatQuery;
pub use query::events::{EventFilter, EventQuery};
pub use query::history::MessageId;
pub use query::instances::InstanceQuery;
pub use query::memory::{AnswerMemory, Reserved};
pub use query::messages::{MessageFilter, MessageQuery};
pub use query::page::{Order, Page, Position, Single};
pub use query::reader::Reader;
pub use write::writer::{Writer, WriterEnd, WriterThread};
