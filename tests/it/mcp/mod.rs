//! `/mcp`, as any client of the protocol would use it: JSON-RPC in plain HTTP.

mod access;
mod arguments;
mod bounds;
mod protocol;
mod tools;

use green_inbox::config::{Config, Token};
use hyper::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, post, request};

/// The `Authorization` of the private token.
const READER: (&str, &str) = ("authorization", "Bearer reader");

/// What every client sends.
const HEADERS: [(&str, &str); 2] = [
    ("content-type", "application/json"),
    ("accept", "application/json, text/event-stream"),
];

fn on(config: &mut Config) {
    config.private.mcp = true;
    config.private.tokens = vec![Token::new("reader")];
}

/// A server with the endpoint and a private token.
async fn start() -> TestServer {
    TestServer::with(on).await
}

/// Sends one message with these headers besides the usual ones.
async fn send(server: &TestServer, headers: &[(&str, &str)], message: &Value) -> Answer {
    let all = [&HEADERS[..], headers].concat();
    request(
        server.private,
        Method::POST,
        "/mcp",
        &all,
        message.to_string(),
    )
    .await
}

fn message(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

/// Asks for something, and returns the whole JSON-RPC answer.
async fn ask(server: &TestServer, method: &str, params: Value) -> Value {
    let answer = send(server, &[READER], &message(method, &params)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    let answer = answer.json();
    assert_eq!(
        (&answer["jsonrpc"], &answer["id"]),
        (&json!("2.0"), &json!(7))
    );
    answer
}

/// Calls a tool and returns its result.
async fn call(server: &TestServer, tool: &str, arguments: Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    let answer = ask(server, "tools/call", params).await;
    assert_eq!(answer["error"], Value::Null, "{answer}");
    answer["result"].clone()
}

/// Calls a tool, which must succeed, and returns its answer.
async fn read(server: &TestServer, tool: &str, arguments: Value) -> Value {
    let result = call(server, tool, arguments).await;
    assert_eq!(result["isError"], false, "{result}");
    serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap()
}

/// Calls a tool, which must refuse its arguments, and returns what it says.
async fn refused(server: &TestServer, tool: &str, arguments: Value) -> String {
    let result = call(server, tool, arguments).await;
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().unwrap().to_owned()
}

/// One field of each entry of an answer.
fn column(answer: &Value, name: &str) -> Vec<Value> {
    let data = answer["data"].as_array().unwrap().iter();
    data.map(|entry| entry[name].clone()).collect()
}

/// Stores notifications one after another.
async fn say(server: &TestServer, bodies: impl IntoIterator<Item = Value>) {
    for body in bodies {
        let answer = post(server.public, body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}
