//! Why a call failed, and what to do.

use super::method::Method;
use crate::outbound::{SendError, StatusCode};

/// Characters of a server's text that an error repeats.
const SHOWN: usize = 200;

/// A call failed. The text holds neither the URL nor the token.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no usable response.
    #[error("{method}: {error}\n  help: check green_api.api_url and the network, then try again")]
    NoAnswer {
        /// The method.
        method: &'static str,
        /// What went wrong.
        error: SendError,
    },
    /// GREEN-API refused the call.
    #[error("{method}: {}\n  help: {}", .refusal.problem(), .refusal.help())]
    Refused {
        /// The method.
        method: &'static str,
        /// Why.
        refusal: Refusal,
    },
    /// The response is not what the method returns.
    #[error(
        "{method}: the response is not understood: {problem}\n  help: try again; if it stays so, look at the \
         response with `green-inbox account call {method}`"
    )]
    Odd {
        /// The method.
        method: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl CallError {
    /// The refusal of a call to `url`. A server may repeat the path, which has the token after the name of the method.
    pub(super) fn refused(
        method: &'static Method,
        url: &str,
        status: StatusCode,
        body: &[u8],
    ) -> Self {
        let after_name = url
            .split('/')
            .skip_while(|part| *part != method.name)
            .nth(1);
        let token = after_name
            .and_then(|rest| rest.split('?').next())
            .unwrap_or_default();
        let mut text = String::from_utf8_lossy(body);
        if !token.is_empty() && text.contains(token) {
            text = text.replace(token, "…").into();
        }
        Self::Refused {
            method: method.name,
            refusal: Refusal::of(status.as_u16(), text.as_bytes()),
        }
    }
}

/// Why GREEN-API refused a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The token is wrong.
    Unauthorized,
    /// The instance or the address is wrong, or the method is not allowed.
    Forbidden(String),
    /// The account is restricted by the messenger.
    Suspended,
    /// There is no such method at this address.
    NotFound,
    /// The instance is (re)starting.
    Starting,
    /// The instance is not linked to a phone.
    NotAuthorized,
    /// The tariff has ended, or the instance is deleted.
    Ended(String),
    /// A webhook URL is set, so notifications cannot be pulled.
    WebhookUrlSet,
    /// A monthly limit of the tariff is used up.
    Quota(String),
    /// Too many calls.
    TooMany,
    /// A server error.
    Server(u16, String),
    /// Anything else, with the server's text.
    Other(u16, String),
}

impl Refusal {
    /// The refusal that a status other than 2xx means.
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        let text = text_of(body);
        let lower = text.to_lowercase();
        let says = |part: &str| lower.contains(part);
        match status {
            401 => Self::Unauthorized,
            403 if says("suspended") => Self::Suspended,
            403 => Self::Forbidden(text),
            404 => Self::NotFound,
            429 => Self::TooMany,
            466 => Self::Quota(text),
            400 if says("starting process") => Self::Starting,
            400 if says("starting or not authorized") || says("not authorized") => {
                Self::NotAuthorized
            }
            400 if says("expired") || says("instance is deleted") => Self::Ended(text),
            400 if says("custom webhook url") => Self::WebhookUrlSet,
            500.. => Self::Server(status, text),
            _ => Self::Other(status, text),
        }
    }

    /// Whether the same call can succeed in a moment.
    #[must_use]
    pub fn passes_by_itself(&self) -> bool {
        matches!(self, Self::TooMany | Self::Server(..) | Self::Starting)
    }

    fn problem(&self) -> String {
        let said = |status: &str, text: &str| {
            if text.is_empty() {
                format!("it answered {status}")
            } else {
                format!("it answered {status}: {text}")
            }
        };
        match self {
            Self::Unauthorized => said("401", "the token is wrong"),
            Self::Forbidden(text) => said("403", text),
            Self::Suspended => said("403", "the account is suspended by the messenger"),
            Self::NotFound => said("404", ""),
            Self::Starting => said("400", "the instance is starting"),
            Self::NotAuthorized => said("400", "the instance is not authorized"),
            Self::Ended(text) => said("400", text),
            Self::WebhookUrlSet => said("400", "a webhook URL is set, so nothing can be pulled"),
            Self::Quota(text) => said("466", text),
            Self::TooMany => said("429", "too many calls"),
            Self::Server(status, text) | Self::Other(status, text) => {
                said(&status.to_string(), text)
            }
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Self::Unauthorized => {
                "copy apiTokenInstance of this instance from GREEN-API's console into api_token_file"
            }
            Self::Forbidden(_) => {
                "check id_instance, and take api_url of this instance from GREEN-API's console"
            }
            Self::Suspended => {
                "wait until suspendedUntil of `green-inbox account status`; until then only \
                                saved contacts can be written to"
            }
            Self::NotFound => "check api_url and product of the account in the configuration",
            Self::Starting => {
                "wait up to 5 minutes, then try again; if it stays so, run `green-inbox account \
                               reboot`"
            }
            Self::NotAuthorized => "link the phone: scan the QR code in GREEN-API's console",
            Self::Ended(_) => {
                "renew the instance in GREEN-API's console, or remove the account from the \
                               configuration"
            }
            Self::WebhookUrlSet => {
                "run `green-inbox account connect`, which empties webhookUrl of accounts \
                                    with receive = \"pull\", or set receive = \"webhook\""
            }
            Self::Quota(_) => "change the tariff, or wait until the first of the month",
            Self::TooMany => {
                "wait a moment; another program may call the same method of this instance"
            }
            Self::Server(..) => {
                "try again in a minute; if it stays so, write to GREEN-API's support"
            }
            Self::Other(..) => "correct what the response names",
        }
    }
}

/// The server's own words, on one line and bounded. JSON is searched for a message.
pub(super) fn text_of(body: &[u8]) -> String {
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let found = json.as_ref().and_then(|json| {
        let status = &json["invokeStatus"];
        if let (Some(method), Some(status)) = (status["method"].as_str(), status["status"].as_str())
        {
            return Some(format!("{status} for {method}"));
        }
        let fields = ["message", "description", "error", "reason"];
        let mut texts = fields.iter().filter_map(|field| json[field].as_str());
        texts.next().map(str::to_owned)
    });
    let text = found.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // GREEN-API repeats message identifiers and chats in some errors; digits are left out beyond a status.
    let masked = words.split(' ').map(|word| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        if digits > 5 { "…" } else { word }
    });
    let masked = masked.collect::<Vec<_>>().join(" ");
    masked
        .chars()
        .filter(|letter| !letter.is_control())
        .take(SHOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Refusal, text_of};

    #[test]
    fn refusal_is_found_by_status_and_text() {
        for (status, body, expected) in [
            (401, "", Refusal::Unauthorized),
            (
                403,
                r#"{"message":"Your account is suspended"}"#,
                Refusal::Suspended,
            ),
            (
                400,
                "instance in starting process try later",
                Refusal::Starting,
            ),
            (
                400,
                "instance is starting or not authorized",
                Refusal::NotAuthorized,
            ),
            (
                400,
                "Message cannot be received because custom webhook url is set",
                Refusal::WebhookUrlSet,
            ),
            (
                502,
                "Bad Gateway",
                Refusal::Server(502, "Bad Gateway".to_owned()),
            ),
            (
                466,
                r#"{"invokeStatus":{"method":"getcontacts","used":"1000","total":1000,"status":"QUOTE_EXCEEDED"}}"#,
                Refusal::Quota("QUOTE_EXCEEDED for getcontacts".to_owned()),
            ),
        ] {
            assert_eq!(Refusal::of(status, body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn text_of_the_server_is_one_line_without_numbers_of_people() {
        let body = "no file\n for chatId 79000000002@c.us";
        assert_eq!(text_of(body.as_bytes()), "no file for chatId …");
    }
}
