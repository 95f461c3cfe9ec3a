//! Calls the methods. The file is longer than others, because every method that the program itself uses has its function
//! here.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::HeaderMap;
use serde_json::{Map, Value, json};

use super::error::{CallError, Refusal, text_of};
use super::journal::{Entry, Journal, JournalReader};
use super::limits::Limits;
use super::method::{self, Method};
use super::notifications::{self, Received};
use super::retry::Retry;
use super::settings::Settings;
use super::state::{self, InstanceState, NewInstance};
use super::{Account, Partner, Product, answer};
use crate::outbound::{Client, Request, Streamed};

/// Time for an answer, of most methods.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Time that a long wait for a notification may take beyond what was asked for.
const MARGIN: Duration = Duration::from_secs(15);

/// Time for a whole journal. A busy account has tens of megabytes a day.
const JOURNAL_TIMEOUT: Duration = Duration::from_mins(10);

/// Bytes of an answer.
const ANSWER_BYTES: usize = 128 * 1024 * 1024;

/// Bytes of a refusal that are read.
const REFUSAL_BYTES: usize = 16 * 1024;

/// Calls GREEN-API's methods. Cheap to clone; clones share the rate limits.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    limits: Arc<Limits>,
}

/// The arguments of a call.
#[derive(Default)]
struct Arguments {
    /// Follows the token in the path.
    rest: String,
    json: Option<Bytes>,
    timeout: Option<Duration>,
}

impl Api {
    /// Calls through this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            limits: Arc::default(),
        }
    }

    /// Calls any method. `data` is an object: the body of a POST, or the query of another verb.
    ///
    /// # Errors
    ///
    /// The call failed, or the answer is not JSON.
    pub async fn call(
        &self,
        account: &Account,
        method: &'static Method,
        data: &Map<String, Value>,
    ) -> Result<Value, CallError> {
        let mut arguments = Arguments::default();
        if method.has_body() {
            arguments.json = Some(Value::Object(data.clone()).to_string().into());
        } else if method.name == method::DELETE_NOTIFICATION {
            let receipt = data
                .get("receiptId")
                .map_or(String::new(), Value::to_string);
            arguments.rest = format!("/{}", receipt.trim_matches('"'));
        } else if !data.is_empty() {
            arguments.rest = answer::query(data);
        }
        if method.name == method::RECEIVE_NOTIFICATION {
            let wait = data.get("receiveTimeout").and_then(Value::as_u64);
            arguments.timeout = Some(Duration::from_secs(wait.unwrap_or(5)) + MARGIN);
        }
        let answer = self.raw(account, method, arguments).await?;
        json(method, &answer)
    }

    /// `getStateInstance`, or the account settings where they tell until when it is suspended.
    pub async fn state(&self, account: &Account) -> Result<InstanceState, CallError> {
        let read = self.get(account, "getStateInstance").await?;
        let state = InstanceState::read(&read);
        if !matches!(&*state.name, "suspended" | "yellowCard") {
            return Ok(state);
        }
        let details = match account.product() {
            Product::Max | Product::Telegram => "getAccountSettings",
            Product::WhatsApp | Product::Waba => "getWaSettings",
        };
        // Without the details the state is still right.
        let details = self.get(account, details).await;
        let details = details.map(|read| InstanceState::read(&read));
        Ok(InstanceState {
            suspended_until: details.ok().and_then(|details| details.suspended_until),
            ..state
        })
    }

    /// `getWebhooksCount`: notifications that wait in GREEN-API's queue.
    pub async fn queue_length(&self, account: &Account) -> Result<i64, CallError> {
        let read = self.get(account, "getWebhooksCount").await?;
        state::queue_length(&read).ok_or_else(|| odd("getWebhooksCount", "it has no count"))
    }

    /// `getSettings`.
    pub async fn settings(&self, account: &Account) -> Result<Settings, CallError> {
        let read = self.get(account, "getSettings").await?;
        Settings::read(read).ok_or_else(|| odd("getSettings", "it is not an object"))
    }

    /// `setSettings`. The instance restarts, and applies the settings within 5 minutes.
    pub async fn set_settings(
        &self,
        account: &Account,
        settings: &Settings,
    ) -> Result<(), CallError> {
        let read = self.post(account, "setSettings", &settings.0).await?;
        confirmed("setSettings", &read, "saveSettings")
    }

    /// `reboot`.
    pub async fn reboot(&self, account: &Account) -> Result<(), CallError> {
        confirmed("reboot", &self.get(account, "reboot").await?, "isReboot")
    }

    /// `logout`: unlinks the phone.
    pub async fn logout(&self, account: &Account) -> Result<(), CallError> {
        confirmed("logout", &self.get(account, "logout").await?, "isLogout")
    }

    /// `receiveNotification`: the head of the queue. Waits up to `seconds` (5 to 60) for it.
    pub async fn receive(
        &self,
        account: &Account,
        seconds: u8,
    ) -> Result<Option<Received>, CallError> {
        let method = known(method::RECEIVE_NOTIFICATION)?;
        let arguments = Arguments {
            rest: format!("?receiveTimeout={seconds}"),
            timeout: Some(Duration::from_secs(seconds.into()) + MARGIN),
            json: None,
        };
        // A long wait is not repeated here: the caller waits between its attempts.
        let answer = self.once(account, method, &arguments).await?;
        notifications::read(&answer).map_err(|problem| odd(method.name, &problem))
    }

    /// `deleteNotification`. Returns false if it was gone already.
    pub async fn delete(&self, account: &Account, receipt: i64) -> Result<bool, CallError> {
        let method = known(method::DELETE_NOTIFICATION)?;
        let arguments = Arguments {
            rest: format!("/{receipt}"),
            ..Arguments::default()
        };
        match self.raw(account, method, arguments).await {
            Ok(answer) => Ok(answer::is_on(&json(method, &answer)?["result"])),
            // GREEN-API's answer to a receipt that it does not know.
            Err(CallError::Refused {
                refusal: Refusal::Server(500, text),
                ..
            }) if text.contains("findUnAckedMessage") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A journal of the last `minutes`, to be read while it arrives.
    pub async fn journal(
        &self,
        account: &Account,
        journal: Journal,
        minutes: i64,
    ) -> Result<JournalReader, CallError> {
        let method = known(journal.method())?;
        let mut retry = Retry::new(method);
        loop {
            self.limits.turn(account.id_instance(), method).await;
            let request = Request {
                method: method.verb(),
                url: account.url(method, &format!("?minutes={minutes}")),
                json: None,
                timeout: JOURNAL_TIMEOUT,
                body_bytes: 0,
            };
            match self.stream(method, request).await {
                Ok(response) => return Ok(JournalReader::new(method.name, response)),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// `getMessage`: one entry; `None` if GREEN-API does not find it.
    pub async fn message(
        &self,
        account: &Account,
        chat_id: &str,
        id_message: &str,
    ) -> Result<Option<Entry>, CallError> {
        let data = json!({ "chatId": chat_id, "idMessage": id_message });
        let data = data.as_object().cloned().unwrap_or_default();
        match self.post(account, "getMessage", &data).await {
            Ok(Value::Object(fields)) => Ok(Some(Entry(fields))),
            Ok(_) => Ok(None),
            Err(CallError::Refused {
                refusal: Refusal::Other(400, text),
                ..
            }) if text.to_lowercase().contains("not found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `downloadFile`: a new link to the file of a message; `None` if GREEN-API has no such file any more. It is
    /// called once: the caller decides when to call again.
    pub async fn download_file(
        &self,
        account: &Account,
        chat_id: &str,
        id_message: &str,
    ) -> Result<Option<String>, CallError> {
        let method = known(method::DOWNLOAD_FILE)?;
        let data = json!({ "chatId": chat_id, "idMessage": id_message });
        let arguments = Arguments {
            json: Some(data.to_string().into()),
            ..Arguments::default()
        };
        match self.once(account, method, &arguments).await {
            Ok(answer) => {
                let read = json(method, &answer)?;
                let url = read["downloadUrl"].as_str().unwrap_or_default();
                Ok(Some(url.to_owned()).filter(|url| !url.is_empty()))
            }
            // The message has no file, or the messenger has deleted it.
            Err(CallError::Refused {
                refusal: Refusal::Other(400, text) | Refusal::Server(500, text),
                ..
            }) if text.contains("url not found") || text.contains("when downloading file") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// `createInstance`.
    pub async fn create_instance(
        &self,
        partner: &Partner,
        settings: &Settings,
    ) -> Result<NewInstance, CallError> {
        let name = method::CREATE_INSTANCE;
        let method = method::find_partner(name).ok_or_else(|| odd(name, "unknown"))?;
        let read = self.call_partner(partner, method, &settings.0).await?;
        NewInstance::read(&read).ok_or_else(|| odd(name, "it has no idInstance or no token"))
    }

    /// Calls a method of partners.
    pub async fn call_partner(
        &self,
        partner: &Partner,
        method: &'static Method,
        data: &Map<String, Value>,
    ) -> Result<Value, CallError> {
        self.limits.turn(0, method).await;
        let body = method
            .has_body()
            .then(|| Value::Object(data.clone()).to_string().into());
        let read = self
            .send(method, partner.url(method), body, TIMEOUT)
            .await?;
        let read = json(method, &read)?;
        // Failures arrive with 200.
        if let Some(code) = answer::number(&read, "code") {
            return Err(CallError::Refused {
                method: method.name,
                refusal: Refusal::of(
                    u16::try_from(code).unwrap_or(500),
                    read.to_string().as_bytes(),
                ),
            });
        }
        Ok(read)
    }

    async fn get(&self, account: &Account, name: &'static str) -> Result<Value, CallError> {
        self.call(account, known(name)?, &Map::new()).await
    }

    pub(super) async fn post(
        &self,
        account: &Account,
        name: &'static str,
        data: &Map<String, Value>,
    ) -> Result<Value, CallError> {
        self.call(account, known(name)?, data).await
    }

    /// Calls a method, and repeats it if that is safe and may help.
    async fn raw(
        &self,
        account: &Account,
        method: &'static Method,
        arguments: Arguments,
    ) -> Result<Bytes, CallError> {
        let mut retry = Retry::new(method);
        loop {
            match self.once(account, method, &arguments).await {
                Ok(answer) => return Ok(answer),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Sends a request whose answer is long, and checks its status.
    async fn stream(
        &self,
        method: &'static Method,
        request: Request,
    ) -> Result<Streamed, CallError> {
        let url = request.url.clone();
        let failed = |error| CallError::NoAnswer {
            method: method.name,
            error,
        };
        let mut response = self
            .client
            .stream(request, HeaderMap::new())
            .await
            .map_err(failed)?;
        if response.status.is_success() {
            return Ok(response);
        }
        let mut body = BytesMut::new();
        while body.len() < REFUSAL_BYTES
            && let Some(piece) = response.piece().await.map_err(failed)?
        {
            body.extend_from_slice(&piece);
        }
        Err(CallError::refused(method, &url, response.status, &body))
    }

    async fn once(
        &self,
        account: &Account,
        method: &'static Method,
        arguments: &Arguments,
    ) -> Result<Bytes, CallError> {
        self.limits.turn(account.id_instance(), method).await;
        let url = account.url(method, &arguments.rest);
        let timeout = arguments.timeout.unwrap_or(TIMEOUT);
        self.send(method, url, arguments.json.clone(), timeout)
            .await
    }

    async fn send(
        &self,
        method: &'static Method,
        url: String,
        json: Option<Bytes>,
        timeout: Duration,
    ) -> Result<Bytes, CallError> {
        let request = Request {
            method: method.verb(),
            url: url.clone(),
            json,
            timeout,
            body_bytes: ANSWER_BYTES,
        };
        let name = method.name;
        let answer = self.client.fetch(request).await;
        let answer = answer.map_err(|error| CallError::NoAnswer {
            method: name,
            error,
        })?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        Err(CallError::refused(
            method,
            &url,
            answer.status,
            &answer.body,
        ))
    }
}

/// A method by its name. It is in the table, so this does not fail.
fn known(name: &'static str) -> Result<&'static Method, CallError> {
    method::find(name).ok_or_else(|| odd(name, "the method is unknown"))
}

fn odd(method: &'static str, problem: &str) -> CallError {
    CallError::Odd {
        method,
        problem: problem.to_owned(),
    }
}

/// The answer as JSON. Some methods answer with nothing at all.
fn json(method: &'static Method, answer: &Bytes) -> Result<Value, CallError> {
    if answer.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(answer).map_err(|_| odd(method.name, "it is not JSON"))
}

/// A change is done if the answer says so: some failures arrive with 200.
fn confirmed(method: &'static str, read: &Value, field: &str) -> Result<(), CallError> {
    if answer::is_on(&read[field]) {
        return Ok(());
    }
    let said = text_of(read.to_string().as_bytes());
    Err(odd(method, &format!("`{field}` is not true: {said}")))
}
