//! What is saved beside the events: each change is one transaction of the writer's thread.

use rusqlite::{Connection, Result};

use super::alerts::AlertChange;
use super::contact::ContactChange;
use super::forward::ForwardChange;
use super::media::MediaChange;
use super::offset::Offset;

/// A change to save.
#[derive(Debug)]
pub(in crate::store) enum Change {
    /// The position of a reader.
    Offset(Offset),
    /// The state of the alerts.
    Alerts(AlertChange),
    /// What a forward destination has got.
    Forward(ForwardChange),
    /// What has become of files.
    Media(MediaChange),
    /// What GREEN-API said about chats.
    Contacts(ContactChange),
}

impl Change {
    /// Saves the change. When this returns `Ok`, it is on disk.
    pub(super) fn save(&self, connection: &Connection) -> Result<()> {
        match self {
            Self::Offset(offset) => offset.save(connection),
            Self::Alerts(change) => change.save(connection),
            Self::Forward(change) => change.save(connection),
            Self::Media(change) => change.save(connection),
            Self::Contacts(change) => change.save(connection),
        }
    }

    /// What the log says if that fails.
    pub(super) fn problem(&self) -> &'static str {
        match self {
            Self::Offset(_) => "the position of a reader was not saved",
            Self::Alerts(_) => "the state of the alerts was not saved",
            Self::Forward(_) => "the state of a forward destination was not saved",
            Self::Media(_) => "the state of kept files was not saved",
            Self::Contacts(_) => "what GREEN-API said about a chat was not saved",
        }
    }
}
