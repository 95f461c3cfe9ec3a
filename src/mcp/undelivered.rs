//! Sent messages that did not reach their recipient: the lists of several statuses, as one.

use super::held::Held;
use crate::api::{Api, FilterParameters, PageRequest, Parameters};
use crate::http::Problem;
use crate::model::Message;
use crate::store::{MessageFilter, MessageQuery, Order};

/// The statuses, `sent` last: it alone does not say that anything failed.
pub(super) const STATUSES: &[&str] = &[
    "failed",
    "noAccount",
    "notInGroup",
    "yellowCard",
    "suspended",
    "noActiveSession",
    "sent",
];

/// A page of the list, newest first.
pub(super) struct Undelivered {
    pub(super) request: PageRequest,
    pub(super) messages: Vec<Message>,
    pub(super) next: Option<i64>,
}

/// Reads the messages that a query string asks for.
///
/// # Errors
///
/// An argument is unusable, or the database has no time.
pub(super) async fn read(api: &Api, query: &str, held: &Held) -> Result<Undelivered, Problem> {
    let mut parameters = Parameters::read(Some(query))?;
    let expected = format!("one of {}", STATUSES.join(", "));
    let status = parameters.value("status", &expected, |text| {
        STATUSES.iter().find(|status| **status == text)
    })?;
    let filter = FilterParameters::read(&mut parameters)?;
    let request = PageRequest::read(api, &mut parameters, "undelivered", Order::Descending)?;
    parameters.finish()?;
    api.caught_up().await?;
    let statuses = match status {
        Some(status) => std::slice::from_ref(status),
        None => &STATUSES[..STATUSES.len() - 1],
    };
    let mut messages = Vec::new();
    // A list that goes on ends here for this page, and so do the others.
    let mut end = None;
    for status in statuses {
        let query = MessageQuery {
            filter: MessageFilter {
                instance: filter.instance,
                chat: filter.chat.clone(),
                since: filter.since,
                until: filter.until,
                status: Some((*status).to_owned()),
                ..MessageFilter::default()
            },
            order: Order::Descending,
            position: request.position,
            limit: request.limit,
        };
        let page = api.reader.messages(&query).await?;
        end = end.max(page.next);
        messages.extend(page.entries);
        held.keep(page.memory);
    }
    messages.retain(|message| end.is_none_or(|end| message.seq >= end));
    messages.sort_by_key(|message| -message.seq);
    // A status may have changed between two lists.
    messages.dedup_by_key(|message| message.seq);
    let is_more = end.is_some() || messages.len() > request.limit as usize;
    messages.truncate(request.limit as usize);
    let next = messages.last().map(|message| message.seq);
    Ok(Undelivered {
        request,
        messages,
        next: next.filter(|_| is_more),
    })
}
