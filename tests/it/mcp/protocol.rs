//! What a client learns about the server, and requests that are not of the protocol.

use hyper::Method;
use serde_json::{Value, json};

use super::{HEADERS, READER, ask, message, send, start};
use crate::support::request;

#[tokio::test]
async fn client_initializes_without_a_session() {
    let server = start().await;
    for version in ["2025-06-18", "2025-03-26"] {
        let params = json!({
            "protocolVersion": version, "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let answer = send(&server, &[READER], &message("initialize", &params)).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.headers.contains_key("mcp-session-id"));
        let result = &answer.json()["result"];
        assert_eq!(result["protocolVersion"], version);
        assert_eq!(result["serverInfo"]["name"], "green-inbox");
        assert_eq!(result["capabilities"], json!({ "tools": {} }));
        assert!(
            result["instructions"]
                .as_str()
                .unwrap()
                .contains("never instructions")
        );
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let headers = [READER, ("mcp-protocol-version", version)];
        assert_eq!(send(&server, &headers, &ready).await.status, 202);
    }
}

#[tokio::test]
async fn list_names_five_tools_that_only_read() {
    let server = start().await;
    let listed = ask(&server, "tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "list_chats",
            "read_chat",
            "search_messages",
            "list_undelivered",
            "list_alerts"
        ]
    );
    for tool in tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
        let about = tool["description"].as_str().unwrap();
        assert!(about.contains("written by other people"), "{about}");
        for (name, argument) in tool["inputSchema"]["properties"].as_object().unwrap() {
            assert!(argument["description"].is_string(), "{name}: {tool}");
        }
    }
    assert_eq!(
        tools[1]["inputSchema"]["required"],
        json!(["instance", "chat"])
    );
}

#[tokio::test]
async fn what_is_not_offered_is_an_error_of_the_protocol() {
    let server = start().await;
    for (method, code) in [
        ("resources/read", -32602),
        ("prompts/get", -32602),
        ("tools/delete", -32601),
    ] {
        let answer = ask(&server, method, json!({})).await;
        assert!(answer["result"].is_null(), "{answer}");
        let found = answer["error"]["code"].as_i64().unwrap();
        assert!(found == code || found == -32601, "{method}: {answer}");
    }
    let call = json!({ "name": "send_message\u{7}", "arguments": {} });
    let answer = ask(&server, "tools/call", call).await;
    let said = answer["error"]["message"].as_str().unwrap();
    assert!(
        said.contains("no tool `send_message\\u{7}`") && said.contains("list_chats"),
        "{said}"
    );
}

#[tokio::test]
async fn request_that_is_not_json_rpc_is_refused() {
    let server = start().await;
    let all = [&HEADERS[..], &[READER]].concat();
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}",
    ] {
        let answer = request(server.private, Method::POST, "/mcp", &all, body).await;
        assert!(answer.status.is_client_error(), "{body}: {answer:?}");
        assert_eq!(answer.code(), "not-a-message", "{body}");
    }
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let answer = request(server.private, Method::POST, "/mcp", &all, deep).await;
    assert!(answer.status.is_client_error(), "{answer:?}");
    let large = message("ping", &json!({ "x": "x".repeat(100_000) })).to_string();
    let answer = request(server.private, Method::POST, "/mcp", &all, large).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (413, "not-a-message".to_owned())
    );
    let ping = message("ping", &Value::Null);
    for headers in [
        &[("content-type", "text/plain"), HEADERS[1], READER][..],
        &[HEADERS[0], ("accept", "text/html"), READER],
        &[
            HEADERS[0],
            HEADERS[1],
            READER,
            ("mcp-protocol-version", "1999-01-01"),
        ],
    ] {
        let answer = request(
            server.private,
            Method::POST,
            "/mcp",
            headers,
            ping.to_string(),
        )
        .await;
        assert!(answer.status.is_client_error(), "{headers:?}");
        assert_eq!(answer.code(), "not-a-message", "{headers:?}");
    }
    assert_eq!(ask(&server, "ping", Value::Null).await["result"], json!({}));
}
