//! A stand-in for GREEN-API's methods: one instance with settings, a queue and journals. It answers as the documents
//! say, with the odd forms too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::process::PATIENCE;

/// The instance.
pub const INSTANCE: i64 = 1_101_000_001;

/// Its API token. It must never be printed.
pub const API_TOKEN: &str = "swordfish-api-token";

/// The partner's token.
pub const PARTNER_TOKEN: &str = "swordfish-partner";

/// Reads of the settings until a change is shown, as after the restart of an instance.
const READS_UNTIL_APPLIED: u32 = 2;

/// How long an empty queue keeps a caller waiting.
const EMPTY_WAIT: Duration = Duration::from_millis(100);

type OnDelete = Box<dyn Fn(&Value) -> bool + Send>;

/// A call that the stand-in got.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    pub verb: String,
    pub query: String,
    pub body: Value,
}

/// What the stand-in knows. Tests change it directly.
pub struct Instance {
    pub state: Value,
    pub settings: Map<String, Value>,
    pending: Option<(Map<String, Value>, u32)>,
    /// The queue: receipts and the texts of notifications.
    pub queue: VecDeque<(i64, String)>,
    next_receipt: i64,
    /// The journals, by the name of their method.
    pub journals: Map<String, Value>,
    /// The `chatId` that `getContactInfo` answers, by the one that it is asked for. Others are answered as they are.
    pub contacts: BTreeMap<String, String>,
    /// Links of `downloadFile`, by message.
    pub links: BTreeMap<String, String>,
    /// Answers in place of the usual one, for the next call of a method.
    pub answers: Vec<(String, u16, String)>,
    /// The switches that the instance has; others are refused.
    pub refused_settings: BTreeSet<String>,
    /// Asked before a notification is deleted. False: it was deleted too early.
    pub may_delete: Option<OnDelete>,
    /// Whether a notification leaves the queue as soon as it is received, for a control.
    pub deletes_first: bool,
    /// Notifications that were deleted too early.
    pub deleted_early: u64,
    /// Notifications that were deleted.
    pub deleted: u64,
}

/// A running stand-in.
#[derive(Clone)]
pub struct GreenApi {
    pub address: SocketAddr,
    instance: Arc<Mutex<Instance>>,
    calls: watch::Sender<Vec<Call>>,
}

impl GreenApi {
    /// An authorized instance with an empty queue.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = json!({
            "wid": "79000000001@c.us", "webhookUrl": "", "webhookUrlToken": "",
            "delaySendMessagesMilliseconds": 500, "incomingWebhook": "yes", "outgoingWebhook": "no",
            "outgoingMessageWebhook": "no", "outgoingAPIMessageWebhook": "no", "stateWebhook": "no",
            "pollMessageWebhook": "no", "incomingCallWebhook": "no",
        });
        let stand_in = Self {
            address,
            instance: Arc::new(Mutex::new(Instance {
                state: json!({ "stateInstance": "authorized" }),
                settings: settings.as_object().unwrap().clone(),
                pending: None,
                queue: VecDeque::new(),
                next_receipt: 1,
                journals: Map::new(),
                contacts: BTreeMap::new(),
                links: BTreeMap::new(),
                answers: Vec::new(),
                refused_settings: BTreeSet::new(),
                may_delete: None,
                deletes_first: false,
                deleted_early: 0,
                deleted: 0,
            })),
            calls: watch::channel(Vec::new()).0,
        };
        let router = Router::new().fallback(receive).with_state(stand_in.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        stand_in
    }

    /// Its address, for `api_url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The instance.
    pub fn instance(&self) -> MutexGuard<'_, Instance> {
        self.instance.lock().unwrap()
    }

    /// Puts a notification at the end of the queue.
    pub fn push(&self, notification: &str) {
        let mut instance = self.instance();
        let receipt = instance.next_receipt;
        instance.next_receipt += 1;
        instance.queue.push_back((receipt, notification.to_owned()));
    }

    /// Makes an entry of the journal of the method `journal`.
    pub fn record(&self, journal: &str, entry: Value) {
        let mut instance = self.instance();
        let entries = instance
            .journals
            .entry(journal)
            .or_insert_with(|| json!([]));
        entries.as_array_mut().unwrap().push(entry);
    }

    /// Turns all switches of the instance on, those too that not every instance has.
    pub fn switch_on(&self) {
        let mut instance = self.instance();
        let settings = &mut instance.settings;
        for name in ["incomingCallWebhook", "outgoingCallWebhook"] {
            settings.insert(name.to_owned(), "yes".into());
        }
        for (name, value) in settings
            .iter_mut()
            .filter(|(name, _)| name.ends_with("Webhook"))
        {
            assert!(value == "yes" || value == "no", "{name}");
            *value = "yes".into();
        }
    }

    /// Answers the next call of `method` like this.
    pub fn answer_next(&self, method: &str, status: u16, body: &str) {
        let answer = (method.to_owned(), status, body.to_owned());
        self.instance().answers.push(answer);
    }

    /// Lets `downloadFile` give this link for a message.
    pub fn offer(&self, id_message: &str, url: &str) {
        let link = (id_message.to_owned(), url.to_owned());
        self.instance().links.extend([link]);
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.borrow().clone()
    }

    /// The calls of `method` so far.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.method == method);
        calls
    }

    /// Waits until `method` was called `count` times.
    pub async fn wait_for(&self, method: &str, count: usize) {
        self.wait_until(|calls| calls.iter().filter(|call| call.method == method).count() >= count)
            .await;
    }

    /// Waits until `is_met` after a call.
    pub async fn wait_until(&self, is_met: impl Fn(&Vec<Call>) -> bool) {
        let mut calls = self.calls.subscribe();
        if timeout(PATIENCE, calls.wait_for(|calls| is_met(calls)))
            .await
            .is_err()
        {
            panic!("not called as expected: {:#?}", self.calls());
        }
    }

    /// Waits until the queue is empty.
    pub async fn wait_until_drained(&self) {
        let instance = Arc::clone(&self.instance);
        self.wait_until(move |_| instance.lock().unwrap().queue.is_empty())
            .await;
    }
}

async fn receive(State(stand_in): State<GreenApi>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let path = head.uri.path().to_owned();
    let mut parts = path.trim_start_matches('/').split('/').peekable();
    if parts.peek() == Some(&"v3") {
        parts.next();
    }
    let (owner, method, token) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default().to_owned(),
        parts.next().unwrap_or_default(),
    );
    let rest = parts.next().unwrap_or_default().to_owned();
    let call = Call {
        method: method.clone(),
        verb: head.method.to_string(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let (status, answer) = if owner == "partner" {
        if token == PARTNER_TOKEN {
            partner(&stand_in, &call)
        } else {
            (
                200,
                r#"{"code":401,"description":"Unauthorized"}"#.to_owned(),
            )
        }
    } else if owner != format!("waInstance{INSTANCE}") {
        (403, "Forbidden".to_owned())
    } else if token != API_TOKEN {
        (401, String::new())
    } else {
        answer(&stand_in, &call, &rest).await
    };
    stand_in.calls.send_modify(|calls| calls.push(call));
    (StatusCode::from_u16(status).unwrap(), answer).into_response()
}

fn partner(stand_in: &GreenApi, call: &Call) -> (u16, String) {
    if let Some(answer) = scripted(stand_in, &call.method) {
        return answer;
    }
    let created = json!({ "idInstance": 3_100_000_009_i64, "apiTokenInstance": "swordfish-new", "typeInstance": "v3" });
    (200, created.to_string())
}

fn scripted(stand_in: &GreenApi, method: &str) -> Option<(u16, String)> {
    let mut instance = stand_in.instance();
    let at = instance
        .answers
        .iter()
        .position(|(name, _, _)| name == method)?;
    let (_, status, body) = instance.answers.remove(at);
    Some((status, body))
}

#[expect(clippy::too_many_lines, reason = "a table of methods")]
async fn answer(stand_in: &GreenApi, call: &Call, rest: &str) -> (u16, String) {
    if let Some(answer) = scripted(stand_in, &call.method) {
        return answer;
    }
    if call.method == "receiveNotification" && stand_in.instance().queue.is_empty() {
        tokio::time::sleep(EMPTY_WAIT).await;
    }
    let instance = &mut *stand_in.instance();
    let ok = |json: Value| (200, json.to_string());
    match &*call.method {
        "getStateInstance" => ok(instance.state.clone()),
        "getWaSettings" | "getAccountSettings" => ok(json!({
            "phone": "79000000001", "stateInstance": instance.state["stateInstance"],
            "suspendedUntil": 1_760_009_999,
        })),
        "getSettings" => {
            if let Some((settings, reads)) = &mut instance.pending {
                *reads -= 1;
                if *reads == 0 {
                    instance.settings = settings.clone();
                    instance.pending = None;
                }
            }
            ok(Value::Object(instance.settings.clone()))
        }
        "setSettings" => {
            let mut settings = instance.settings.clone();
            for (name, value) in call.body.as_object().unwrap() {
                if !settings.contains_key(name) || instance.refused_settings.contains(name) {
                    let text = format!("Bad Request Validation failed. Details: '{name}' is not allowed");
                    return (400, text);
                }
                settings.insert(name.clone(), value.clone());
            }
            instance.pending = Some((settings, READS_UNTIL_APPLIED));
            ok(json!({ "saveSettings": true }))
        }
        // The first letter is Cyrillic, as it is documented.
        "getWebhooksCount" => ok(json!({ "\u{441}ount": instance.queue.len() })),
        "reboot" => ok(json!({ "isReboot": true })),
        "logout" => ok(json!({ "isLogout": true })),
        "receiveNotification" => match instance.queue.front() {
            _ if instance.settings["webhookUrl"] != "" => (
                400,
                "Message cannot be received because custom webhook url is set".to_owned(),
            ),
            None => (200, "null".to_owned()),
            Some((receipt, body)) => {
                let answer = format!(r#"{{"receiptId":{receipt},"body":{body}}}"#);
                if instance.deletes_first {
                    instance.queue.pop_front();
                }
                (200, answer)
            }
        },
        "deleteNotification" => {
            let at = instance.queue.iter().position(|(receipt, _)| receipt.to_string() == rest);
            let Some(at) = at else {
                let text = "Cannot read properties of undefined (reading 'findUnAckedMessage')";
                return (500, text.to_owned());
            };
            let (_, body) = instance.queue.remove(at).unwrap();
            let body = serde_json::from_str(&body).unwrap_or_default();
            instance.deleted += 1;
            if instance.may_delete.as_ref().is_some_and(|may| !may(&body)) {
                instance.deleted_early += 1;
            }
            ok(json!({ "result": true }))
        }
        "getMessage" => {
            let is_meant = |entry: &&Value| {
                entry["idMessage"] == call.body["idMessage"] && entry["chatId"] == call.body["chatId"]
            };
            let mut entries = instance.journals.values().filter_map(Value::as_array).flatten();
            entries.find(is_meant).map_or_else(
                || (400, "Message not found by id".to_owned()),
                |entry| ok(entry.clone()),
            )
        }
        "downloadFile" => {
            let id = call.body["idMessage"].as_str().unwrap_or_default();
            instance.links.get(id).map_or_else(
                || {
                    let chat = &call.body["chatId"];
                    (400, format!("File message encrypted url not found by chatId {chat} and idMessage {id}"))
                },
                |url| ok(json!({ "downloadUrl": url })),
            )
        }
        "getContactInfo" => {
            let asked = call.body["chatId"].as_str().unwrap_or_default();
            if asked.ends_with("@g.us") {
                let text = "Validation failed. Details: The method GetContactInfo does not support group chats";
                return (400, text.to_owned());
            }
            let chat = instance.contacts.get(asked).map_or(asked, String::as_str);
            ok(json!({
                "avatar": "", "name": "Ann", "contactName": "", "email": "", "category": "", "description": "",
                "products": [], "chatId": chat, "lastSeen": null, "isArchive": false, "isDisappearing": false,
                "isMute": false, "messageExpiration": 0, "muteExpiration": null, "isBusiness": false,
            }))
        }
        "sendMessage" => ok(json!({ "idMessage": "BAE500000000AB03" })),
        "updateGroupSettings" => ok(json!({ "updateGroupSettings": false, "reason": "NOT_FOUND" })),
        "getContacts" => (
            466,
            r#"{"invokeStatus":{"method":"getcontacts","used":"1000","total":1000,"status":"QUOTE_EXCEEDED"}}"#.to_owned(),
        ),
        name => match instance.journals.get(name) {
            Some(journal) => ok(journal.clone()),
            None if name.starts_with("last") => ok(json!([])),
            None => (404, "Not Found".to_owned()),
        },
    }
}
