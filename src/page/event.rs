//! `/events/{seq}`: one event with its exact body and the other events of its message.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use hyper::HeaderMap;

use super::failure::Failure;
use super::layout::{Layout, Section};
use super::words::Words;
use super::{Page, html};
use crate::clock::UnixMillis;
use crate::model::{Event, FileState, MessageWithHistory, Origin, OutcomeKind, canonical_chat};
use crate::store::{MessageId, Position, ReadError, Single};

/// Bytes of a body that the view shows. Beyond that it links to the whole body.
const MAX_SHOWN_BYTES: usize = 256 * 1024;

/// Other events of the message that are listed.
const MAX_NEIGHBOURS: usize = 100;

#[derive(askama::Template)]
#[template(path = "event.html")]
struct View<'v> {
    layout: &'v Layout,
    event: &'v Event,
    outcome: &'static str,
    origin: &'static str,
    fields: Vec<Field>,
    times: Vec<(&'static str, String)>,
    body: &'v Body,
    message: Option<&'v Neighbours>,
    chat: Option<String>,
    webhook: &'v str,
    /// The names of the forward destinations.
    destinations: Vec<String>,
}

/// A field of the event and its value.
struct Field {
    name: &'static str,
    value: Option<String>,
    is_private: bool,
}

/// The body as text.
#[derive(Default)]
struct Body {
    text: String,
    is_cut: bool,
    is_text: bool,
    is_damaged: bool,
    bytes: usize,
}

/// The other events of the same message.
struct Neighbours {
    status: Option<String>,
    events: Vec<Neighbour>,
}

struct Neighbour {
    seq: i64,
    timestamp: Option<String>,
    what: &'static str,
    detail: String,
    is_private: bool,
}

pub(super) async fn show(
    State(page): State<Arc<Page>>,
    seq: Result<Path<i64>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Path(seq) = seq.map_err(|_| Failure::NotFound)?;
    let layout = Layout::new(&page, &headers, Section::None);
    let found = page.reader.event(seq).await?;
    let Single {
        entry: event,
        memory,
    } = found.ok_or(Failure::NotFound)?;
    let body = page.body(seq).await?;
    let neighbours = page.neighbours(&event, layout.words).await?;
    let chat = (event.id_instance.zip(event.chat_id.as_deref()))
        .map(|(id, chat)| chat_path(id, &canonical_chat(chat)));
    let view = View {
        layout: &layout,
        outcome: outcome(event.outcome, layout.words),
        origin: origin(event.origin, layout.words),
        fields: fields(&event),
        times: times(&event, layout.words),
        body: &body,
        message: neighbours.as_ref(),
        chat,
        webhook: &page.webhook,
        destinations: page.destinations(),
        event: &event,
    };
    Ok(html::held(&view, memory))
}

impl Page {
    async fn body(&self, seq: i64) -> Result<Body, Failure> {
        let (bytes, memory) = match self.reader.body(seq).await {
            Ok(Some(found)) => (found.entry.1, found.memory),
            Ok(None) => return Err(Failure::NotFound),
            Err(ReadError::DamagedBody | ReadError::Damaged(_)) => {
                return Ok(Body {
                    is_damaged: true,
                    ..Body::default()
                });
            }
            Err(failure) => return Err(failure.into()),
        };
        let shown = &bytes[..bytes.len().min(MAX_SHOWN_BYTES)];
        let body = Body {
            text: String::from_utf8_lossy(shown).into_owned(),
            is_cut: shown.len() < bytes.len(),
            is_text: str::from_utf8(&bytes).is_ok(),
            is_damaged: false,
            bytes: bytes.len(),
        };
        drop(memory);
        Ok(body)
    }

    /// The other events of the message that `event` is about.
    async fn neighbours(
        &self,
        event: &Event,
        words: &'static Words,
    ) -> Result<Option<Neighbours>, Failure> {
        let (Some(id_instance), Some(chat_id), Some(id_message)) =
            (event.id_instance, &event.chat_id, &event.id_message)
        else {
            return Ok(None);
        };
        let id = MessageId {
            id_instance,
            chat_id: chat_id.clone(),
            id_message: id_message.clone(),
        };
        self.projected(self.commits.newest()).await;
        let found = match self.reader.message(&id, Position::Start).await {
            // The event itself does not need the projection.
            Err(ReadError::Rebuilding | ReadError::Busy | ReadError::TooLong) => None,
            found => found?,
        };
        Ok(found.map(|found| Neighbours::of(&found.entry, words)))
    }
}

impl Neighbours {
    fn of(found: &MessageWithHistory, words: &'static Words) -> Self {
        let (message, history) = (&found.message, &found.history);
        let mut events = vec![Neighbour {
            seq: message.seq,
            timestamp: unix(message.timestamp),
            what: words.first_event,
            detail: message.type_message.clone().unwrap_or_default(),
            is_private: false,
        }];
        let status = |status: &str| words.statuses.name(status).unwrap_or(words.status);
        events.extend(history.statuses.iter().map(|change| Neighbour {
            seq: change.seq,
            timestamp: unix(change.timestamp),
            what: status(&change.status),
            detail: change.description.clone().unwrap_or_default(),
            is_private: false,
        }));
        events.extend(history.edits.iter().map(|edit| {
            Neighbour {
                seq: edit.seq,
                timestamp: unix(edit.timestamp),
                what: words.edited,
                detail: edit
                    .text
                    .clone()
                    .or(edit.caption.clone())
                    .unwrap_or_default(),
                is_private: true,
            }
        }));
        events.extend(history.deletions.iter().map(|deletion| Neighbour {
            seq: deletion.seq,
            timestamp: unix(deletion.timestamp),
            what: words.deleted,
            detail: String::new(),
            is_private: false,
        }));
        events.extend(history.reactions.iter().map(|reaction| Neighbour {
            seq: reaction.seq,
            timestamp: unix(reaction.timestamp),
            what: words.reaction,
            detail: reaction.reaction.clone(),
            is_private: true,
        }));
        events.extend(history.votes.iter().map(|vote| Neighbour {
            seq: vote.seq,
            timestamp: unix(vote.timestamp),
            what: words.vote,
            detail: vote.sender.clone().unwrap_or_default(),
            is_private: true,
        }));
        events.sort_by_key(|neighbour| neighbour.seq);
        events.dedup_by_key(|neighbour| neighbour.seq);
        events.truncate(MAX_NEIGHBOURS);
        Self {
            status: message
                .status
                .as_deref()
                .map(|name| status(name).to_owned()),
            events,
        }
    }
}

fn outcome(outcome: OutcomeKind, words: &Words) -> &'static str {
    match outcome {
        OutcomeKind::Known => words.outcome_known,
        OutcomeKind::Unknown => words.outcome_unknown,
        OutcomeKind::Malformed => words.outcome_malformed,
    }
}

fn origin(origin: Origin, words: &Words) -> &'static str {
    match origin {
        Origin::Webhook => words.origin_webhook,
        Origin::Pull => words.origin_pull,
        Origin::Journal => words.origin_journal,
    }
}

fn times(event: &Event, words: &Words) -> Vec<(&'static str, String)> {
    let mut times = vec![(words.received, event.received_at.to_string())];
    if let Some(timestamp) = unix(event.timestamp) {
        times.push((words.timestamp, timestamp));
    }
    if event.deliveries > 1 {
        times.push((words.last_received, event.last_received_at.to_string()));
    }
    times
}

fn fields(event: &Event) -> Vec<Field> {
    let number = |number: Option<i64>| number.map(|number| number.to_string());
    let field = |name, value: &Option<String>, is_private| Field {
        name,
        value: value.clone(),
        is_private,
    };
    vec![
        field("idInstance", &number(event.id_instance), false),
        field("typeInstance", &event.type_instance, false),
        field("typeWebhook", &event.type_webhook, false),
        field("typeMessage", &event.type_message, false),
        field("idMessage", &event.id_message, false),
        field("chatId", &event.chat_id, true),
        field("sender", &event.sender, true),
        field("timestamp", &number(event.timestamp), false),
    ]
}

/// Seconds since 1970 as RFC 3339.
fn unix(seconds: Option<i64>) -> Option<String> {
    seconds.map(|seconds| UnixMillis(seconds.saturating_mul(1000)).to_string())
}

/// The address of a chat.
fn chat_path(id_instance: i64, chat_id: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(chat_id.as_bytes()).collect();
    // In a path, a plus sign is a plus sign.
    format!("/chats/{id_instance}/{}", encoded.replace('+', "%20"))
}

#[cfg(test)]
mod tests {
    use super::chat_path;

    #[test]
    fn chat_is_one_segment_of_the_path() {
        assert_eq!(chat_path(1, "79@c.us"), "/chats/1/79%40c.us");
        assert_eq!(
            chat_path(-1, "a/../b c+?#"),
            "/chats/-1/a%2F..%2Fb%20c%2B%3F%23"
        );
    }
}
