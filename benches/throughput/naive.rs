//! *naive*: a hand-written receiver with axum and sqlx, one transaction for each request. It stores
//! the same columns with the same durability: WAL, `synchronous=FULL`, a unique digest against
//! duplicates.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use green_inbox::clock::Clock;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::net::TcpListener;

use super::Failure;

pub(crate) const NAME: &str = "naive";

/// The subcommand of this executable that runs this server.
pub(crate) const ROLE: &str = "serve-naive";

const SCHEMA: &str = "
    CREATE TABLE event (
        id            INTEGER PRIMARY KEY,
        received_at   INTEGER NOT NULL,
        id_instance   INTEGER,
        type_instance TEXT,
        type_webhook  TEXT,
        type_message  TEXT,
        id_message    TEXT,
        chat_id       TEXT,
        sender        TEXT,
        timestamp     INTEGER,
        digest        BLOB NOT NULL UNIQUE,
        body          BLOB NOT NULL
    )";

const INSERT: &str = "
    INSERT INTO event (received_at, id_instance, type_instance, type_webhook, type_message,
                       id_message, chat_id, sender, timestamp, digest, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING";

/// Serves with a pool of `connections` connections.
pub(crate) async fn serve(port: u16, database: &Path, connections: u32) -> Result<(), Failure> {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .connect_with(options)
        .await?;
    sqlx::query(SCHEMA).execute(&pool).await?;
    let router = Router::new()
        .route("/webhook", post(receive))
        .with_state(pool);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn receive(State(pool): State<SqlitePool>, body: Bytes) -> StatusCode {
    let Ok(notification) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    match store(&pool, &notification, &body).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn store(pool: &SqlitePool, notification: &Value, body: &[u8]) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    sqlx::query(INSERT)
        .bind(Clock::system().now().0)
        .bind(notification["instanceData"]["idInstance"].as_i64())
        .bind(notification["instanceData"]["typeInstance"].as_str())
        .bind(notification["typeWebhook"].as_str())
        .bind(notification["messageData"]["typeMessage"].as_str())
        .bind(notification["idMessage"].as_str())
        .bind(notification["senderData"]["chatId"].as_str())
        .bind(notification["senderData"]["sender"].as_str())
        .bind(notification["timestamp"].as_i64())
        .bind(&Sha256::digest(body)[..])
        .bind(body)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
