//! A load of chats: within each, a notification is sent only after the one before it was stored.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::Connection;
use crate::support::said::{self, NOON};

/// Pause after the server was not there.
const PAUSE: Duration = Duration::from_millis(20);

/// A notification: the `number`-th of its chat, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    pub chat: u32,
    pub number: u32,
}

impl Message {
    pub fn body(self) -> Bytes {
        let Self { chat, number } = self;
        let text = said::text(&format!("M-{chat}-{number}"), NOON, "Good morning");
        let body = said::within(&format!("7900{chat:07}@c.us"), text);
        body.to_string().into()
    }

    /// The notification with this body.
    pub fn of(body: &[u8]) -> Option<Self> {
        let json: serde_json::Value = serde_json::from_slice(body).ok()?;
        let mut parts = json["idMessage"].as_str()?.split('-').skip(1);
        let mut part = || parts.next()?.parse().ok();
        Some(Self {
            chat: part()?,
            number: part()?,
        })
    }
}

/// All notifications of `chats` with `each` notifications in each.
pub fn all(chats: std::ops::Range<u32>, each: u32) -> impl Iterator<Item = Message> {
    (0..each).flat_map(move |number| {
        let chats = chats.clone();
        chats.map(move |chat| Message { chat, number })
    })
}

/// Sends them on `connections` connections to the server at `address`, which may go and come back elsewhere.
pub fn send(
    chats: &std::ops::Range<u32>,
    each: u32,
    connections: u32,
    address: &watch::Receiver<SocketAddr>,
) -> JoinSet<()> {
    let mut sending = JoinSet::new();
    for nth in 0..connections {
        let messages = all(chats.clone(), each);
        let own: Vec<_> = messages
            .filter(|message| message.chat % connections == nth)
            .collect();
        sending.spawn(send_each(own, address.clone()));
    }
    sending
}

async fn send_each(messages: Vec<Message>, address: watch::Receiver<SocketAddr>) {
    let mut connection: Option<Connection> = None;
    for message in messages {
        loop {
            if connection.is_none() {
                let at = *address.borrow();
                connection = Connection::open(at).await.ok();
            }
            let answered = match &mut connection {
                Some(connection) => connection.post(message.body()).await.ok(),
                None => None,
            };
            if answered.is_some_and(|answer| answer.status == 200) {
                break;
            }
            connection = None;
            sleep(PAUSE).await;
        }
    }
}
