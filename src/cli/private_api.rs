//! The private listener as the commands that read see it.

use clap::Args;
use http_body_util::{BodyExt, Limited};
use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ConfigArgs;
use super::http_client::{
    Answer, HttpClient, HttpError, authorization, http_uri, reachable, token,
};
use crate::config::{ConfigError, Token};

/// Bytes of an answer: a page with one body of up to 512 MiB, and what is around it.
const MAX_ANSWER_BYTES: usize = 640 * 1024 * 1024;

/// Where to read.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// Address of the private listener, as `http://127.0.0.1:8081`, instead of the configured one.
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    from: Option<String>,
    /// The token to read with [default: the first configured one; with --from none].
    #[arg(long, value_name = "TOKEN", value_parser = token)]
    token: Option<Token>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Which events, as in `GET /api/v1/events`.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// Only of this idInstance.
    #[arg(long, value_name = "ID")]
    instance: Option<i64>,
    /// Only of this typeWebhook.
    #[arg(long = "type", value_name = "TYPE")]
    type_webhook: Option<String>,
    /// Only of this typeMessage.
    #[arg(long, value_name = "TYPE")]
    type_message: Option<String>,
    /// Only of this chat.
    #[arg(long, value_name = "CHAT")]
    chat: Option<String>,
    /// Only known, unknown or malformed.
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only with fields that do not fit (true), or without (false).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    drift: Option<bool>,
    /// Without events that say the same as an earlier one.
    #[arg(long)]
    distinct: bool,
    /// Only what came at this moment (RFC 3339) or later.
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    since: Option<String>,
    /// Only what came before this moment (RFC 3339).
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    until: Option<String>,
}

impl FilterArgs {
    /// The parameters of a query that say the same.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        [
            ("instance", self.instance.map(|id| id.to_string())),
            ("type", self.type_webhook.clone()),
            ("typeMessage", self.type_message.clone()),
            ("chat", self.chat.clone()),
            ("outcome", self.outcome.clone()),
            ("drift", self.drift.map(|drift| drift.to_string())),
            ("distinct", self.distinct.then(|| "true".to_owned())),
            ("since", self.since.clone()),
            ("until", self.until.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
    }
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// It was not asked for rightly.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nothing came back, or not all of it.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server refused.
    #[error("{0}")]
    Refused(String),
    /// The seqs that were seen are of another database.
    #[error("{0}\n  help: begin again without --after")]
    Rewound(String),
    /// The server is not ready now.
    #[error("{0}")]
    Unavailable(String),
    /// The answer is not what it should be; perhaps something else listens there.
    #[error("the answer cannot be read ({0}); is it the private listener of green-inbox?")]
    Unreadable(String),
}

impl ReadError {
    /// Whether the same may be asked again with another outcome.
    pub(super) fn passes(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::Http(HttpError::NoAnswer { .. })
        )
    }
}

/// A page of events, each as the server wrote it.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    /// The events, in the order that was asked for.
    pub(super) data: Vec<Box<RawValue>>,
}

/// The seq of an event.
pub(super) fn seq(event: &RawValue) -> Result<i64, serde_json::Error> {
    #[derive(Deserialize)]
    struct Seq {
        seq: i64,
    }
    serde_json::from_str(event.get()).map(|Seq { seq }| seq)
}

/// The private listener.
#[derive(Debug)]
pub(super) struct PrivateApi {
    client: HttpClient,
    base: String,
    authorization: Option<HeaderValue>,
}

impl PrivateApi {
    /// Finds it. A configured token goes to the configured address only.
    pub(super) fn find(args: &SourceArgs) -> Result<Self, ReadError> {
        let mut token = args.token.clone();
        let base = if let Some(from) = &args.from {
            http_uri(from)?;
            from.trim_end_matches('/').to_owned()
        } else {
            let private = args.config.load()?.private;
            if token.is_none() {
                token = private.all_tokens()?.into_iter().next();
            }
            format!("http://{}", reachable(private.listen))
        };
        let authorization = token.as_ref().map(authorization).transpose()?.flatten();
        Ok(Self {
            client: HttpClient::new(),
            base,
            authorization,
        })
    }

    /// The newest seq of all, 0 where there is nothing.
    pub(super) async fn newest_seq(&self) -> Result<i64, ReadError> {
        let page = self.events(&[("limit", "1".to_owned())]).await?;
        let newest = page.data.first().map(|event| seq(event)).transpose();
        let newest = newest.map_err(|error| ReadError::Unreadable(error.to_string()))?;
        Ok(newest.unwrap_or(0))
    }

    /// Asks for a page of events.
    pub(super) async fn events(&self, parameters: &[(&str, String)]) -> Result<Page, ReadError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        let uri = http_uri(&format!("{}/api/v1/events?{query}", self.base))?;
        let answer = self.client.get(&uri, self.authorization.as_ref()).await?;
        let status = answer.status();
        if status != StatusCode::OK {
            let reason = Answer::of(answer).await.reason();
            return Err(if status == StatusCode::CONFLICT {
                ReadError::Rewound(reason)
            } else if status.is_server_error() {
                ReadError::Unavailable(reason)
            } else {
                ReadError::Refused(reason)
            });
        }
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await;
        // An answer that breaks off is that of a server that ended; it can be asked for again.
        let body = body.map_err(|error| ReadError::Unavailable(error.to_string()))?;
        serde_json::from_slice(&body.to_bytes())
            .map_err(|error| ReadError::Unreadable(error.to_string()))
    }
}
