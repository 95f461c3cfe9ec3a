//! GREEN-API's notifications as typed values.
//!
//! Parsing is pure (bytes in, values out) and never fails. An undocumented notification is
//! [`Outcome::Unknown`]; a body that is not a valid notification is [`Outcome::Malformed`] with a reason.
//! Both are ordinary outcomes. Parsing takes two passes: the first extracts the tags and the values that
//! clients filter by, the second deserializes the one struct that the tag selects.
//!
//! To add a notification, write one file with its struct and add one line to [`Notification`];
//! to add a message type, do the same with [`MessageContent`].
//!
//! Source: GREEN-API docs, Webhook endpoint > Notification format.

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
mod thumbnail;

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
pub use thumbnail::without_thumbnails;

/// Maximum nesting levels of a body; a deeper body is malformed.
///
/// `serde_json` stops at 127 levels. Three of them are reserved for the JSON that surrounds the body in a
/// response.
pub const MAX_DEPTH: usize = 124;

/// Every notification in GREEN-API's docs: the only table from `typeWebhook` to its struct.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub enum Notification<'a> {
    /// A message that the account received.
    IncomingMessageReceived(MessageReceived<'a>),
    /// A message sent from the phone.
    OutgoingMessageReceived(MessageReceived<'a>),
    /// A message sent through the API.
    #[serde(rename = "outgoingAPIMessageReceived")]
    OutgoingApiMessageReceived(MessageReceived<'a>),
    /// Delivery status of a sent message.
    OutgoingMessageStatus(OutgoingMessageStatus<'a>),
    /// The authorization of the account changed.
    StateInstanceChanged(StateInstanceChanged<'a>),
    /// The socket of the account opened or closed (deprecated by GREEN-API).
    StatusInstanceChanged(StatusInstanceChanged<'a>),
    /// The phone or the avatar of a contact: two layouts under one name.
    DeviceInfo(DeviceInfo<'a>),
    /// An incoming call.
    IncomingCall(Call<'a>),
    /// An outgoing call.
    OutgoingCall(Call<'a>),
    /// A chat was blocked.
    IncomingBlock(IncomingBlock<'a>),
    /// A tariff limit was reached.
    QuotaExceeded(QuotaExceeded<'a>),
    /// An undocumented `typeWebhook`.
    #[serde(other)]
    Unknown,
}

impl Notification<'_> {
    /// Its documented `typeWebhook`; `None` for an undocumented one.
    #[must_use]
    pub fn type_webhook(&self) -> Option<&'static str> {
        Some(match self {
            Self::IncomingMessageReceived(_) => "incomingMessageReceived",
            Self::OutgoingMessageReceived(_) => "outgoingMessageReceived",
            Self::OutgoingApiMessageReceived(_) => "outgoingAPIMessageReceived",
            Self::OutgoingMessageStatus(_) => "outgoingMessageStatus",
            Self::StateInstanceChanged(_) => "stateInstanceChanged",
            Self::StatusInstanceChanged(_) => "statusInstanceChanged",
            Self::DeviceInfo(_) => "deviceInfo",
            Self::IncomingCall(_) => "incomingCall",
            Self::OutgoingCall(_) => "outgoingCall",
            Self::IncomingBlock(_) => "incomingBlock",
            Self::QuotaExceeded(_) => "quotaExceeded",
            Self::Unknown => return None,
        })
    }

    /// The status of a message or call; `None` if it is missing or blank.
    #[must_use]
    pub fn status_name(&self) -> Option<&str> {
        match self {
            Self::OutgoingMessageStatus(status) => status.status_name(),
            Self::IncomingCall(call) | Self::OutgoingCall(call) => call.status_name(),
            _ => None,
        }
    }

    /// The authorization or socket state of an account; `None` if it is missing or blank.
    #[must_use]
    pub fn state_name(&self) -> Option<&str> {
        match self {
            Self::StateInstanceChanged(change) => change.state_name(),
            Self::StatusInstanceChanged(change) => change.socket_name(),
            _ => None,
        }
    }

    /// Whether its `typeWebhook` or `typeMessage` is undocumented.
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

/// Result of parsing a body.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// A documented notification as a typed value.
    Known(Notification<'a>),
    /// A JSON object with an undocumented `typeWebhook` or `typeMessage`. Its documented parts are parsed.
    Unknown(Notification<'a>),
    /// Not a valid notification. The reason gives the path and what was expected there.
    Malformed(Reason),
}

/// Everything that parsing extracts from a body.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// The values that clients filter by, as far as the body has them, for every outcome.
    pub columns: Columns<'a>,
    /// The notification, or why there is none.
    pub outcome: Outcome<'a>,
    /// Fields omitted because they do not match their documented form. Empty for nearly every body.
    pub drift: Vec<Drift>,
}

/// Parses a body as GREEN-API sent it. Accepts any bytes and never panics.
#[must_use]
pub fn parse(body: &[u8]) -> Parsed<'_> {
    // A bug in the parser must not become a 500 response that GREEN-API retries for a day.
    catch_unwind(|| {
        let (mut columns, mut drift) = (Columns::default(), Vec::new());
        let outcome = outcome(body, &mut columns, &mut drift).unwrap_or_else(|reason| {
            // The reason already describes the problem.
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

/// Parses a body again that [`parse`] accepted before, given its `typeWebhook`. `None` if the parser no
/// longer accepts it.
#[must_use]
pub fn read<'a>(type_webhook: &str, body: &'a [u8]) -> Option<Notification<'a>> {
    let json = simdutf8::basic::from_utf8(envelope::without_mark(body)).ok()?;
    let json = envelope::fetched(json).unwrap_or(json);
    catch_unwind(|| notification(type_webhook, json, &mut Vec::new()).ok()).ok()?
}

/// A trimmed name; `None` if it is blank.
fn nonblank(name: &str) -> Option<&str> {
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
