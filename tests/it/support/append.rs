//! Appends bodies to the store directly, without a server.

use std::future::Future;
use std::pin::Pin;

use futures_util::FutureExt;
use green_inbox::clock::UnixMillis;
use green_inbox::notification::parse;
use green_inbox::store::{Appended, NewEvent, Unavailable, Writer};
use hyper::body::Bytes;
use tokio::time::timeout;

use super::process::PATIENCE;
use super::server::START;

/// The result of an append.
pub type Stored = Result<Appended, Unavailable>;

/// An append that is queued or was refused. It holds its own handle to the writer.
pub type Queued = Pin<Box<dyn Future<Output = Stored> + Send>>;

/// An event that was received at the start of the test clock.
pub fn event(body: impl Into<Bytes>) -> NewEvent {
    let body = body.into();
    NewEvent::new(UnixMillis(START), &parse(&body), &body)
}

/// Queues a body without waiting for its commit.
pub fn queued(writer: &Writer, body: impl Into<Bytes>) -> Queued {
    let (writer, event) = (writer.clone(), event(body));
    let mut append: Queued = Box::pin(async move {
        let answered = timeout(PATIENCE, writer.append(event)).await;
        answered.unwrap_or_else(|_| panic!("an append did not complete in time"))
    });
    // The first poll queues the append.
    match append.as_mut().now_or_never() {
        Some(answer) => Box::pin(std::future::ready(answer)),
        None => append,
    }
}

/// Queues all bodies before it waits for the first, so that they share commits.
pub async fn append_all<B: Into<Bytes>>(
    writer: &Writer,
    bodies: impl IntoIterator<Item = B>,
) -> Vec<Stored> {
    let appends: Vec<_> = bodies
        .into_iter()
        .map(|body| queued(writer, body))
        .collect();
    let mut stored = Vec::with_capacity(appends.len());
    for append in appends {
        stored.push(append.await);
    }
    stored
}
