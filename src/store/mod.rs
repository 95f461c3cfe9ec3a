//! WHERE it rests: all SQL, in one SQLite file.
//!
//! [`open`] gives two hands: a [`Writer`], which appends and whose answer means "on disk", and a
//! [`Reader`], whose connections cannot write. [`Commits`] wakes whoever follows.

mod append;
mod calls;
mod chats;
mod checkpoint;
mod duplicates;
mod error;
mod event;
mod event_row;
mod events;
mod history;
mod identity;
mod instances;
mod lease;
mod lock;
mod memory;
mod messages;
mod open;
mod page;
#[cfg(test)]
mod plans;
mod pragma;
mod priority;
mod projection;
mod reader;
mod repeats;
mod reprocess;
mod salvage;
mod selection;
mod stats;
mod watch;
mod writer;

pub use calls::{CallFilter, CallQuery};
pub use chats::ChatQuery;
pub use error::{OpenError, ReadError, Unavailable};
pub use event::{Appended, BodyDigest, Event, NewEvent, OutcomeKind};
pub use events::{EventFilter, EventQuery, Order, Position};
pub use history::{MessageId, MessageWithHistory};
pub use instances::InstanceQuery;
pub use memory::{AnswerMemory, Reserved};
pub use messages::{MessageFilter, MessageQuery};
pub use open::{Store, open};
pub use page::{Page, Single};
pub use projection::{MAX_WORDS, Projected, ProjectionThread, Words, WordsError};
pub use reader::Reader;
pub use reprocess::{Progress, Reprocessed, Step, reprocess, reprocess_dry};
pub use stats::Stats;
pub use writer::{Commits, Writer, WriterEnd, WriterThread};
