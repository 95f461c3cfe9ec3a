//! Load generator: connections that post messages until the server is gone, and a record of every
//! response.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hyper::StatusCode;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::process::PATIENCE;
use crate::support::{Connection, get};

/// Concurrent connections.
const CONNECTIONS: usize = 16;

/// Bodies to send. Bodies without a response come first.
#[derive(Default)]
pub struct Supply {
    again: VecDeque<Bytes>,
    made: u64,
}

impl Supply {
    pub fn next(&mut self) -> Bytes {
        self.again.pop_front().unwrap_or_else(|| {
            self.made += 1;
            message(self.made, 14)
        })
    }

    /// A body of about 1 MB, which takes the server a while to write.
    pub fn next_large(&mut self) -> Bytes {
        self.made += 1;
        message(self.made, 18_000)
    }

    /// Queues unanswered bodies for a retry, as GREEN-API would.
    pub fn take_back(&mut self, unanswered: Vec<Bytes>) {
        self.again.extend(unanswered);
    }
}

/// The `number`th text message, distinct for each number; about 1 KB with 14 sentences.
fn message(number: u64, sentences: usize) -> Bytes {
    let sentence = format!("Parcel {number} is at the front desk until the evening. ");
    let text = sentence.repeat(sentences);
    let timestamp = 1_767_225_600 + number / 50;
    format!(
        r#"{{"typeWebhook":"incomingMessageReceived","instanceData":{{"idInstance":1101000001,"wid":"15550000001@c.us","typeInstance":"whatsapp"}},"timestamp":{timestamp},"idMessage":"3EB0{number:016X}","senderData":{{"chatId":"15550000002@c.us","sender":"15550000002@c.us","chatName":"Ada","senderName":"Ada"}},"messageData":{{"typeMessage":"textMessage","textMessageData":{{"textMessage":"{text}"}}}}}}"#
    )
    .into()
}

/// The result of a load.
#[derive(Default)]
pub struct Outcome {
    /// Seq and body of every 200.
    pub answered: Vec<(i64, Bytes)>,
    /// Bodies sent without a 200, which may or may not be stored.
    pub unanswered: Vec<Bytes>,
}

/// Posts until every connection has ended. Calls `act` the moment the `nth` response arrives.
pub async fn run(
    address: SocketAddr,
    supply: &Arc<Mutex<Supply>>,
    nth: usize,
    act: impl FnOnce() + Send + 'static,
) -> Outcome {
    let answers = Arc::new(AtomicUsize::new(0));
    let act = Arc::new(Mutex::new(Some(act)));
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (supply, answers, act) = (Arc::clone(supply), Arc::clone(&answers), Arc::clone(&act));
        tasks.spawn(async move {
            let mut outcome = Outcome::default();
            let Ok(mut connection) = Connection::open(address).await else {
                return outcome;
            };
            loop {
                let body = supply.lock().unwrap().next();
                let Ok(answer) = connection.post(body.clone()).await else {
                    outcome.unanswered.push(body);
                    return outcome;
                };
                if answers.fetch_add(1, Ordering::SeqCst) + 1 == nth {
                    let act = act.lock().unwrap().take();
                    act.expect("it is called once")();
                }
                match answer.status {
                    StatusCode::OK => {
                        let seq = answer.json()["seq"].as_i64().unwrap();
                        outcome.answered.push((seq, body));
                    }
                    StatusCode::SERVICE_UNAVAILABLE => outcome.unanswered.push(body),
                    other => panic!("{other}: {answer:?}"),
                }
            }
        });
    }
    let mut outcome = Outcome::default();
    let parts = timeout(PATIENCE, tasks.join_all()).await;
    for part in parts.expect("the server closes its connections") {
        outcome.answered.extend(part.answered);
        outcome.unanswered.extend(part.unanswered);
    }
    outcome
}

/// Reads the events after the last seq in `stored` and adds them.
pub async fn read_on(private: SocketAddr, stored: &mut BTreeMap<i64, Bytes>) {
    #[derive(Deserialize)]
    struct Page {
        data: Vec<Event>,
    }
    #[derive(Deserialize)]
    struct Event {
        seq: i64,
        body: Box<RawValue>,
    }
    loop {
        let after = stored.last_key_value().map_or(0, |(seq, _)| *seq);
        let path = format!("/api/v1/events?after={after}&limit=500&body=true");
        let page: Page = serde_json::from_slice(&get(private, &path).await.body).unwrap();
        if page.data.is_empty() {
            return;
        }
        for event in page.data {
            let body = Bytes::from(event.body.get().to_owned());
            assert_eq!(stored.insert(event.seq, body), None, "seq {}", event.seq);
        }
    }
}

/// Asserts that every acknowledged body is stored under its seq.
pub fn assert_kept(answered: &[(i64, Bytes)], stored: &BTreeMap<i64, Bytes>) {
    let lost: Vec<i64> = answered
        .iter()
        .filter(|(seq, body)| stored.get(seq) != Some(body))
        .map(|(seq, _)| *seq)
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} acknowledged events are lost: seq {lost:?}",
        lost.len(),
        answered.len()
    );
}
