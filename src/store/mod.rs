//! WHERE it rests: all SQL, in one SQLite file.
//!
//! [`open`] gives two hands: a [`Writer`], which appends and whose answer means "on disk", and a
//! [`Reader`], whose connections cannot write. [`Commits`] wakes whoever follows.

mod append;
mod calls;
mod chats;
mod checkpoint;
mod error;
mod event;
mod events;
mod instances;
mod messages;
mod open;
#[cfg(test)]
mod plans;
mod pragma;
mod projection;
mod reader;
mod repeats;
mod reprocess;
mod selection;
mod stats;
mod writer;

pub use calls::{CallFilter, CallQuery};
pub use chats::ChatQuery;
pub use error::{OpenError, ReadError, Unavailable};
pub use event::{Appended, BodyDigest, Event, NewEvent, OutcomeKind};
pub use events::{EventFilter, EventPage, EventQuery, Order, Position};
pub use instances::InstanceQuery;
pub use messages::{MessageFilter, MessageQuery, MessageWithHistory};
pub use open::{Store, open};
pub use projection::{Projected, ProjectionThread};
pub use reader::{Page, Reader};
pub use reprocess::{Progress, Reprocessed, Step, reprocess, reprocess_dry};
pub use stats::Stats;
pub use writer::{Commits, Writer, WriterEnd, WriterThread};
