//! WHAT arrives: the notifications of GREEN-API as typed values.
//!
//! Parsing is pure (bytes in, values out) and never fails: what nobody has described is
//! [`Outcome::Unknown`], what does not fit its description is [`Outcome::Malformed`] with a reason,
//! and both are ordinary outcomes. It takes two passes: the first finds the tags and the values
//! that readers filter by, the second reads the one struct that the tag names.
//!
//! To add a notification, write one file with its struct and add one line to [`Notification`];
//! to add a message, do the same with [`MessageContent`].
//!
//! Source: document 003, section 1.3.4 "Формат входящих уведомлений".

mod alert;
mod block;
mod call;
mod columns;
mod device;
mod drift;
mod envelope;
mod fault;
mod instance;
mod lenient;
pub mod message;
mod misfit;
mod quota;
mod reason;
pub mod scalar;
mod state;
mod status;
mod tagged;

use std::panic::catch_unwind;

use serde::Deserialize;

use lenient::Required;
use misfit::Misfit;

pub use block::{ChatState, IncomingBlock};
pub use call::{Call, CallStatus, Participant};
pub use columns::Columns;
pub use device::{AvatarInfo, DeviceData, DeviceInfo};
pub use drift::Drift;
pub use envelope::without_mark;
pub use instance::InstanceData;
pub use message::{MessageContent, MessageData, MessageReceived, QuotedMessage, SenderData};
pub use quota::{QuotaData, QuotaExceeded};
pub use reason::Reason;
pub use state::{Socket, State, StateInstanceChanged, StatusInstanceChanged};
pub use status::{DeliveryStatus, OutgoingMessageStatus};

/// Levels of nesting that a body may have; a deeper one is malformed.
///
/// Readers of JSON have limits, `serde_json` one of 127 levels; three are for what a body is
/// inside of where it is given back.
pub const MAX_DEPTH: usize = 124;

/// Every notification that GREEN-API describes: the one table from `typeWebhook` to its struct.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub enum Notification<'a> {
    /// A message that the account received.
    IncomingMessageReceived(MessageReceived<'a>),
    /// A message that was sent from the phone.
    OutgoingMessageReceived(MessageReceived<'a>),
    /// A message that was sent through the API.
    #[serde(rename = "outgoingAPIMessageReceived")]
    OutgoingApiMessageReceived(MessageReceived<'a>),
    /// What became of a sent message.
    OutgoingMessageStatus(OutgoingMessageStatus<'a>),
    /// The authorization of the account changed.
    StateInstanceChanged(StateInstanceChanged<'a>),
    /// The socket of the account opened or closed (deprecated by GREEN-API).
    StatusInstanceChanged(StatusInstanceChanged<'a>),
    /// The phone, or the avatar of a contact: two layouts under one name.
    DeviceInfo(DeviceInfo<'a>),
    /// A call to the account.
    IncomingCall(Call<'a>),
    /// A call from the account.
    OutgoingCall(Call<'a>),
    /// A chat was blocked.
    IncomingBlock(IncomingBlock<'a>),
    /// A limit of the tariff was reached.
    QuotaExceeded(QuotaExceeded<'a>),
    /// A `typeWebhook` that is in no document.
    #[serde(other)]
    Unknown,
}

impl Notification<'_> {
    /// The status of a message or a call; `None` where it is missing or blank, which says nothing.
    #[must_use]
    pub fn status_name(&self) -> Option<&str> {
        match self {
            Self::OutgoingMessageStatus(status) => status.status_name(),
            Self::IncomingCall(call) | Self::OutgoingCall(call) => call.status_name(),
            _ => None,
        }
    }

    /// The state or the socket of an account, likewise.
    #[must_use]
    pub fn state_name(&self) -> Option<&str> {
        match self {
            Self::StateInstanceChanged(change) => change.state_name(),
            Self::StatusInstanceChanged(change) => change.socket_name(),
            _ => None,
        }
    }

    /// Whether its `typeWebhook`, or the `typeMessage` inside, is in no document.
    fn is_unknown(&self) -> bool {
        match self {
            Self::IncomingMessageReceived(message)
            | Self::OutgoingMessageReceived(message)
            | Self::OutgoingApiMessageReceived(message) => message.is_unknown(),
            Self::Unknown => true,
            _ => false,
        }
    }
}

/// What parsing made of a body.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// A notification that is described, as a typed value.
    Known(Notification<'a>),
    /// A JSON object whose `typeWebhook` or `typeMessage` nobody has described, as far as it is.
    Unknown(Notification<'a>),
    /// Not a notification; the reason names the place and what was expected there.
    Malformed(Reason),
}

/// A body and what was understood of it.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// What readers filter by, as far as the body has it, whatever the outcome.
    pub columns: Columns<'a>,
    /// What the body is.
    pub outcome: Outcome<'a>,
    /// The fields that were left out because they do not fit. Empty for nearly every body.
    pub drift: Vec<Drift>,
}

/// Reads a body as GREEN-API sent it. It takes any bytes and does not panic.
#[must_use]
pub fn parse(body: &[u8]) -> Parsed<'_> {
    // A defect of ours must not become a 500 that GREEN-API repeats for a day.
    catch_unwind(|| {
        let (mut columns, mut drift) = (Columns::default(), Vec::new());
        let outcome = outcome(body, &mut columns, &mut drift).unwrap_or_else(|reason| {
            // The reason says what is wrong.
            drift.clear();
            Outcome::Malformed(reason)
        });
        Parsed {
            columns,
            outcome,
            drift,
        }
    })
    .unwrap_or_else(|_| Parsed {
        columns: Columns::default(),
        outcome: Outcome::Malformed(Reason::defect()),
        drift: Vec::new(),
    })
}

/// Reads a body again that [`parse`] understood before, as far as it is described, and whose
/// `typeWebhook` is known. `None` where it is not understood any more.
#[must_use]
pub fn read<'a>(type_webhook: &str, body: &'a [u8]) -> Option<Notification<'a>> {
    let json = simdutf8::basic::from_utf8(envelope::without_mark(body)).ok()?;
    let json = envelope::fetched(json).unwrap_or(json);
    catch_unwind(|| notification(type_webhook, json, &mut Vec::new()).ok()).ok()?
}

/// A name that says something.
fn said(name: &str) -> Option<&str> {
    Some(name.trim()).filter(|name| !name.is_empty())
}

fn outcome<'a>(
    body: &'a [u8],
    columns: &mut Columns<'a>,
    drift: &mut Vec<Drift>,
) -> Result<Outcome<'a>, Reason> {
    let body = envelope::without_mark(body);
    let mut json = reason::json_object(body).inspect_err(|_| *columns = fault::columns(body))?;
    *columns = Columns::read(json, drift).inspect_err(|_| *columns = fault::columns(body))?;
    if columns.type_webhook.is_none()
        && let Some(inner) = envelope::fetched(json)
    {
        json = reason::json_object(inner.as_bytes())?;
        *columns = Columns::read(json, drift)?;
    }
    let type_webhook = columns
        .type_webhook
        .as_ref()
        .ok_or_else(Reason::no_type_webhook)?;
    let notification = notification(type_webhook, json, drift)?;
    Ok(if notification.is_unknown() {
        Outcome::Unknown(notification)
    } else {
        Outcome::Known(notification)
    })
}

fn notification<'a>(
    type_webhook: &str,
    json: &'a str,
    drift: &mut Vec<Drift>,
) -> Result<Notification<'a>, Misfit> {
    let mut notification = tagged::read(type_webhook, json, "", Required::Refused, drift)?;
    if let Notification::IncomingMessageReceived(message)
    | Notification::OutgoingMessageReceived(message)
    | Notification::OutgoingApiMessageReceived(message) = &mut notification
    {
        message.read_data(drift)?;
    }
    Ok(notification)
}
