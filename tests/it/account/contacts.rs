//! The program asks `getContactInfo` for the phone number of chats whose identifier hides it.

use std::collections::BTreeMap;
use std::time::Duration;

use green_inbox::config::{Account, Config, Product};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::account;
use super::reconcile::{CHAT, NOW, data, instance_data};
use crate::support::process::PATIENCE;
use crate::support::{GreenApi, TestServer, get, post};

const LID: &str = "240000000000017@lid";
const METHOD: &str = "getContactInfo";
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn configure(green_api: &GreenApi) -> impl FnOnce(&mut Config) {
    let mut account = account(green_api);
    account.watch_seconds = 0;
    |config| config.accounts = vec![account]
}

async fn server(green_api: &GreenApi) -> TestServer {
    TestServer::with(configure(green_api)).await
}

/// Posts a text that came in a chat from a sender.
async fn say(server: &TestServer, chat: &str, sender: &str, id: &str) {
    let body = json!({
        "typeWebhook": "incomingMessageReceived", "timestamp": NOW, "idMessage": id, "instanceData": instance_data(),
        "senderData": { "chatId": chat, "sender": sender, "senderName": "Ann" },
        "messageData": { "typeMessage": "textMessage", "textMessageData": { "textMessage": "hi" } },
    });
    assert_eq!(
        post(server.public, body.to_string()).await.json()["repeated"],
        false
    );
}

/// `aliasOf` of each chat.
async fn aliases(server: &TestServer) -> BTreeMap<String, Value> {
    let chats = data(server, "/api/v1/chats").await;
    let pairs = chats.into_iter().map(|chat| {
        let id = chat["chatId"].as_str().unwrap().to_owned();
        (id, chat["aliasOf"].clone())
    });
    pairs.collect()
}

/// The rows of the table: chats, and the identifiers that were learned.
fn rows(server: &TestServer) -> Vec<(String, Option<String>)> {
    let database = Connection::open(&server.database).unwrap();
    let sql = "SELECT chat, other FROM contact ORDER BY chat";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Waits until the table has these rows.
async fn until_rows(server: &TestServer, expected: &[(&str, Option<&str>)]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = rows(server);
        let found: Vec<_> = found
            .iter()
            .map(|(chat, other)| (&**chat, other.as_deref()))
            .collect();
        if found == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{found:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Lets the clock pass until all that is to be asked now is asked: a round begins after the end of the one before.
/// Asks about two new chats, whose identifiers end with these numbers.
async fn ask_all(server: &TestServer, green_api: &GreenApi, serials: [u32; 2]) {
    for serial in serials {
        begin_round(server, green_api, serial).await;
    }
}

/// Lets the clock pass until a new chat is asked about. It has the newest message, so it is the first of its round.
async fn begin_round(server: &TestServer, green_api: &GreenApi, serial: u32) {
    let chat = format!("2400000000009{serial}@lid");
    say(server, &chat, &chat, &format!("9A{serial}")).await;
    let is_asked = || {
        let calls = green_api.calls_of(METHOD);
        calls.iter().any(|call| call.body["chatId"] == chat)
    };
    let deadline = Instant::now() + PATIENCE;
    while !is_asked() {
        assert!(Instant::now() < deadline, "{:?}", green_api.calls());
        server.pass(MINUTE);
        sleep(Duration::from_millis(50)).await;
    }
}

/// The chats that were asked about, in this order.
fn asked(green_api: &GreenApi) -> Vec<String> {
    let calls = green_api.calls_of(METHOD).into_iter();
    calls
        .map(|call| call.body["chatId"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn learned_pair_is_named_by_both_chats_and_survives_the_loss_of_the_projection() {
    let green_api = GreenApi::start().await;
    // In another form of the identifier.
    let told = CHAT.replace('@', ":3@");
    green_api.instance().contacts.insert(LID.to_owned(), told);
    let server = server(&green_api).await;
    say(&server, LID, LID, "3A01").await;
    say(&server, CHAT, CHAT, "3A02").await;
    let nobody = aliases(&server).await;
    assert_eq!((nobody.len(), &nobody[CHAT]), (2, &Value::Null));
    until_rows(&server, &[(LID, Some(CHAT))]).await;
    let pair = BTreeMap::from([(LID.to_owned(), json!(CHAT)), (CHAT.to_owned(), json!(LID))]);
    assert_eq!(aliases(&server).await, pair);
    let folder = server.stop().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("projection") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let server = TestServer::later(folder, 400 * DAY, configure(&green_api)).await;
    assert_eq!(aliases(&server).await, pair);
    ask_all(&server, &green_api, [1, 2]).await;
    let times = asked(&green_api).iter().filter(|chat| *chat == LID).count();
    assert_eq!(times, 1, "a known pair is not asked about again");
    server.stop().await;
}

#[tokio::test]
async fn chat_that_is_not_resolved_is_asked_about_again_after_thirty_days() {
    let green_api = GreenApi::start().await;
    let server = server(&green_api).await;
    say(&server, LID, LID, "3A01").await;
    until_rows(&server, &[(LID, None)]).await;
    assert_eq!(aliases(&server).await[LID], Value::Null);
    ask_all(&server, &green_api, [1, 2]).await;
    assert_eq!(asked(&green_api).len(), 3, "{:?}", asked(&green_api));
    let folder = server.stop().await;
    let server = TestServer::later(folder, 29 * DAY, configure(&green_api)).await;
    ask_all(&server, &green_api, [3, 4]).await;
    assert_eq!(asked(&green_api).len(), 5, "{:?}", asked(&green_api));
    let folder = server.stop().await;
    let server = TestServer::later(folder, 32 * DAY, configure(&green_api)).await;
    green_api
        .instance()
        .contacts
        .insert(LID.to_owned(), CHAT.to_owned());
    let deadline = Instant::now() + PATIENCE;
    while aliases(&server).await[LID] != CHAT {
        assert!(Instant::now() < deadline, "{:?}", asked(&green_api));
        sleep(Duration::from_millis(20)).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn only_unresolved_private_chats_are_asked_about() {
    let green_api = GreenApi::start().await;
    let server = server(&green_api).await;
    // The notification shows the pair by itself.
    say(&server, LID, CHAT, "3A01").await;
    say(&server, "120363000000000001@g.us", LID, "3A02").await;
    say(&server, "79000000009@c.us", "79000000009@c.us", "3A03").await;
    ask_all(&server, &green_api, [1, 2]).await;
    assert_eq!(
        asked(&green_api),
        ["24000000000091@lid", "24000000000092@lid"]
    );
    assert_eq!(aliases(&server).await[LID], CHAT);
    server.stop().await;
}

#[tokio::test]
async fn refused_call_is_made_again_in_the_next_round() {
    let green_api = GreenApi::start().await;
    green_api.answer_next(METHOD, 401, "");
    let server = server(&green_api).await;
    say(&server, LID, LID, "3A01").await;
    green_api.wait_for(METHOD, 1).await;
    assert_eq!(rows(&server), []);
    let deadline = Instant::now() + PATIENCE;
    while asked(&green_api).len() < 2 {
        assert!(Instant::now() < deadline);
        server.pass(MINUTE);
        sleep(Duration::from_millis(50)).await;
    }
    until_rows(&server, &[(LID, None)]).await;
    // A chat that GREEN-API does not know holds up no other.
    green_api.answer_next(METHOD, 400, "Validation failed");
    begin_round(&server, &green_api, 1).await;
    until_rows(&server, &[(LID, None), ("24000000000091@lid", None)]).await;
    server.stop().await;
}

/// Asserts that nobody is asked about while the account is looked at several times.
async fn assert_nobody_is_asked_about(change: impl FnOnce(&mut Account)) {
    let green_api = GreenApi::start().await;
    let configure = configure(&green_api);
    let server = TestServer::with(|config| {
        configure(config);
        config.accounts[0].watch_seconds = 10;
        change(&mut config.accounts[0]);
    })
    .await;
    say(&server, LID, LID, "3A01").await;
    let deadline = Instant::now() + PATIENCE;
    while green_api.calls_of("getStateInstance").len() < 3 {
        assert!(Instant::now() < deadline);
        server.pass(20 * MINUTE);
        sleep(Duration::from_millis(600)).await;
    }
    assert_eq!(asked(&green_api), Vec::<String>::new());
    server.stop().await;
}

#[tokio::test]
async fn account_of_another_messenger_asks_about_nobody() {
    assert_nobody_is_asked_about(|account| account.product = Product::Telegram).await;
}

#[tokio::test]
async fn account_without_contacts_asks_about_nobody() {
    assert_nobody_is_asked_about(|account| account.contacts = false).await;
}

#[tokio::test]
async fn pair_is_forgotten_with_the_last_message_of_its_chat() {
    let green_api = GreenApi::start().await;
    green_api
        .instance()
        .contacts
        .insert(LID.to_owned(), CHAT.to_owned());
    let server = server(&green_api).await;
    say(&server, LID, LID, "3A01").await;
    until_rows(&server, &[(LID, Some(CHAT))]).await;
    let folder = server.stop().await;
    let configure = configure(&green_api);
    let server = TestServer::later(folder, 3 * DAY, |config| {
        configure(config);
        config.storage.retention_days = 1;
    })
    .await;
    while get(server.private, "/api/v1/stats").await.json()["oldestSeq"] == json!(1) {
        sleep(Duration::from_millis(20)).await;
    }
    let deadline = Instant::now() + PATIENCE;
    while !rows(&server).is_empty() {
        assert!(Instant::now() < deadline);
        server.pass(MINUTE);
        sleep(Duration::from_millis(50)).await;
    }
    server.stop().await;
}
