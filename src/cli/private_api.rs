//! A client of the private listener, for the commands that read.

use clap::Args;
use hyper::header::HeaderValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::ConfigArgs;
use super::http_client::{
    Answer, HttpClient, HttpError, authorization, http_url, reachable, token,
};
use crate::config::{ConfigError, Private, Token};
use crate::outbound::{SendError, StatusCode, Streamed};

/// Bytes of a response: a page with one body of up to 512 MiB, plus its JSON. A larger response is an error.
const MAX_ANSWER_BYTES: usize = 640 * 1024 * 1024;

/// The server to read from.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// URL of the private listener, such as `http://127.0.0.1:8081` [default: the configured listener].
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    from: Option<String>,
    /// Read token [default: the first configured token; none with --from].
    #[arg(long, value_name = "TOKEN", value_parser = token)]
    token: Option<Token>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Filters of events, as in `GET /api/v1/events`.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// Only events of this idInstance.
    #[arg(long, value_name = "ID")]
    instance: Option<i64>,
    /// Only events of this typeWebhook.
    #[arg(long = "type", value_name = "TYPE")]
    type_webhook: Option<String>,
    /// Only events of this typeMessage.
    #[arg(long, value_name = "TYPE")]
    type_message: Option<String>,
    /// Only events of this chatId.
    #[arg(long, value_name = "CHAT")]
    chat: Option<String>,
    /// Only events with this outcome: known, unknown or malformed.
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only events with fields that do not match their documented type (true), or without such fields (false).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    drift: Option<bool>,
    /// Leave out events that report the same as an earlier event.
    #[arg(long)]
    distinct: bool,
    /// Only events received at or after this time (RFC 3339).
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Only events received before this time (RFC 3339).
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
}

impl FilterArgs {
    /// The filters as query parameters.
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

/// Why a request for events failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The request could not be sent or got no response.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server refused the request.
    #[error("{0}")]
    Refused(String),
    /// The seq to continue from belongs to another database.
    #[error("{0}\n  help: start again without --after")]
    Rewound(String),
    /// The server is temporarily unavailable.
    #[error("{0}")]
    Unavailable(String),
    /// The response is not a page of events. Another program may be listening there.
    #[error(
        "the response is not a page of events ({0})\n  help: check that the URL is the private listener of \
         green-inbox"
    )]
    Unreadable(String),
}

impl ReadError {
    /// Whether the same request may succeed later.
    pub(super) fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::Http(HttpError::NoAnswer { .. })
        )
    }
}

/// A page of events, each in the server's own JSON.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    /// The events, in the requested order.
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

/// A comparison of the journals of an account with the database.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reconciled {
    /// When it began.
    pub(super) started_at: String,
    /// When it ended.
    pub(super) finished_at: Option<String>,
    /// Messages and calls since this time were compared.
    pub(super) since: String,
    /// Whether nothing was to be stored.
    pub(super) dry_run: bool,
    /// Messages and calls that were compared.
    pub(super) found: u64,
    /// Those that the database did not have.
    pub(super) missing: u64,
    /// Those that were stored.
    pub(super) stored: u64,
    /// Those that GREEN-API does not have either.
    pub(super) not_recoverable: u64,
    /// Missing statuses that were stored.
    pub(super) statuses: u64,
    /// Why it ended early.
    pub(super) failure: Option<String>,
}

/// A client of the private listener.
#[derive(Debug)]
pub(super) struct PrivateApi {
    client: HttpClient,
    base: String,
    authorization: Option<HeaderValue>,
}

impl SourceArgs {
    /// The server of a configuration.
    pub(super) fn configured(config: ConfigArgs) -> Self {
        Self {
            from: None,
            token: None,
            config,
        }
    }
}

/// How far a server is with parsing all events again.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReprocessProgress {
    pub(super) version: String,
    pub(super) is_running: bool,
    pub(super) seq: u64,
    pub(super) last_seq: u64,
    pub(super) events: u64,
    pub(super) damaged: u64,
    pub(super) changed: Vec<ReprocessChange>,
    pub(super) is_deriving: bool,
    pub(super) derived_seq: u64,
}

/// Events whose outcome or columns changed.
#[derive(Debug, Deserialize)]
pub(super) struct ReprocessChange {
    pub(super) before: String,
    pub(super) after: String,
    pub(super) events: u64,
}

impl PrivateApi {
    /// Takes the URL and the token from the arguments or the configuration. A configured token is sent only to
    /// the configured address.
    pub(super) fn find(args: &SourceArgs) -> Result<Self, ReadError> {
        let token = args.token.as_ref();
        let Some(from) = &args.from else {
            return Self::configured(&args.config.load()?.private, token);
        };
        http_url(from)?;
        Self::at(from.trim_end_matches('/').to_owned(), token)
    }

    /// The configured listener, with its first token unless there is another one.
    pub(super) fn configured(private: &Private, token: Option<&Token>) -> Result<Self, ReadError> {
        let first = match token {
            Some(token) => Some(token.clone()),
            None => private.all_tokens()?.into_iter().next(),
        };
        let base = format!("http://{}", reachable(private.listen));
        Self::at(base, first.as_ref())
    }

    fn at(base: String, token: Option<&Token>) -> Result<Self, ReadError> {
        Ok(Self {
            client: HttpClient::new()?,
            base,
            authorization: token.map(authorization).transpose()?.flatten(),
        })
    }

    /// The newest seq, or 0 if there are no events.
    pub(super) async fn newest_seq(&self) -> Result<i64, ReadError> {
        let page = self.events(&[("limit", "1".to_owned())]).await?;
        let newest = page.data.first().map(|event| seq(event)).transpose();
        let newest = newest.map_err(|error| ReadError::Unreadable(error.to_string()))?;
        Ok(newest.unwrap_or(0))
    }

    /// Requests a page of events.
    pub(super) async fn events(&self, parameters: &[(&str, String)]) -> Result<Page, ReadError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        let url = http_url(&format!("{}/api/v1/events?{query}", self.base))?;
        let response = self.client.get(&url, self.authorization.as_ref()).await?;
        Self::read(response).await
    }

    /// Sends stored events to the destination `name` again. Returns how many.
    pub(super) async fn replay(
        &self,
        name: &str,
        parameters: &[(&str, String)],
    ) -> Result<u64, ReadError> {
        #[derive(Deserialize)]
        struct Queued {
            queued: u64,
        }
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let url = http_url(&format!(
            "{}/api/v1/forward/{name}/replay?{query}",
            self.base
        ))?;
        let response = self
            .client
            .post_empty(&url, self.authorization.as_ref())
            .await?;
        Self::read(response).await.map(|Queued { queued }| queued)
    }

    /// Asks the server to parse all events again.
    pub(super) async fn begin_reprocess(&self) -> Result<ReprocessProgress, ReadError> {
        let url = http_url(&format!("{}/api/v1/reprocess", self.base))?;
        let response = self
            .client
            .post_empty(&url, self.authorization.as_ref())
            .await?;
        Self::read(response).await
    }

    /// How far the server is with it.
    pub(super) async fn reprocess_progress(&self) -> Result<ReprocessProgress, ReadError> {
        let url = http_url(&format!("{}/api/v1/reprocess", self.base))?;
        let response = self.client.get(&url, self.authorization.as_ref()).await?;
        Self::read(response).await
    }

    /// Begins to compare the journals of an account. Returns when it began.
    pub(super) async fn reconcile(
        &self,
        id_instance: i64,
        parameters: &[(&str, String)],
    ) -> Result<Reconciled, ReadError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        let url = http_url(&format!(
            "{}/api/v1/accounts/{id_instance}/reconcile?{query}",
            self.base
        ))?;
        let response = self
            .client
            .post_empty(&url, self.authorization.as_ref())
            .await?;
        Self::read(response).await
    }

    /// The last comparison of an account; `None` if the server does not know it, or has compared nothing.
    pub(super) async fn reconciled(
        &self,
        id_instance: i64,
    ) -> Result<Option<Reconciled>, ReadError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Account {
            id_instance: i64,
            reconciled: Option<Reconciled>,
        }
        #[derive(Deserialize)]
        struct Accounts {
            data: Vec<Account>,
        }
        let url = http_url(&format!("{}/api/v1/accounts", self.base))?;
        let response = self.client.get(&url, self.authorization.as_ref()).await?;
        let Accounts { data } = Self::read(response).await?;
        let mut accounts = data.into_iter();
        let account = accounts.find(|account| account.id_instance == id_instance);
        Ok(account.and_then(|account| account.reconciled))
    }

    /// Reads a response, which must be a 200.
    async fn read<T: DeserializeOwned>(mut response: Streamed) -> Result<T, ReadError> {
        let status = response.status;
        if status != StatusCode::OK {
            let reason = Answer::of(response).await.reason();
            return Err(if status == StatusCode::CONFLICT {
                ReadError::Rewound(reason)
            } else if status.is_server_error() {
                ReadError::Unavailable(reason)
            } else {
                ReadError::Refused(reason)
            });
        }
        let mut body = Vec::new();
        // A truncated response usually means that the server stopped, so the request can be retried.
        let interrupted = |error: SendError| ReadError::Unavailable(error.to_string());
        while let Some(chunk) = response.piece().await.map_err(interrupted)? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                let reason = format!("it is larger than {MAX_ANSWER_BYTES} bytes");
                return Err(ReadError::Unreadable(reason));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|error| ReadError::Unreadable(error.to_string()))
    }
}
