//! WHERE it rests: all SQL, in one SQLite file.
//!
//! [`open`] gives two hands: a [`Writer`], which appends and whose answer means "on disk", and a
//! [`Reader`], whose connections cannot write. [`Commits`] wakes whoever follows.

mod append;
mod error;
mod event;
mod events;
mod open;
mod pragma;
mod reader;
mod writer;

pub use error::{OpenError, ReadError, Unavailable};
pub use event::{Appended, BodyDigest, Event, NewEvent, OutcomeKind};
pub use events::{EventFilter, EventPage, EventQuery, Order, Position};
pub use open::{Store, open};
pub use reader::Reader;
pub use writer::{Commits, Writer, WriterEnd, WriterThread};
