//! What rows do to a server.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use green_inbox::config::{ApiToken, Config, Forward, SecretUrl};
use green_inbox::trouble::Trouble;
use rusqlite::Connection;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::POLL;
use super::stage::{Stage, StandIns};
use crate::alert::{HOUR, MINUTE};
use crate::support::get;
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::process::PATIENCE;
use crate::support::said;

/// Milliseconds.
pub const DAY: i64 = 24 * HOUR;

pub fn nothing(_: &mut Stage) -> LocalBoxFuture<'_, ()> {
    async {}.boxed_local()
}

pub fn pass(stage: &mut Stage, millis: i64) -> LocalBoxFuture<'_, ()> {
    stage.pass(millis);
    async {}.boxed_local()
}

/// Observes a trouble, as a part of the program does that the stage does not have.
pub fn observe(stage: &mut Stage, trouble: Trouble) -> LocalBoxFuture<'_, ()> {
    let at = stage.now();
    stage.server().troubles.observe(trouble, at, String::new);
    nothing(stage)
}

pub fn end(stage: &mut Stage, trouble: Trouble) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        // After a restart, the alerts first bring it back.
        stage.looked().await;
        stage.server().troubles.end(trouble);
    })
}

pub fn accepted(stage: &mut Stage) -> LocalBoxFuture<'_, ()> {
    stage.text("Good morning").boxed_local()
}

pub fn reload(stage: &Stage, change: fn(&mut Config)) {
    stage.server().reload_with(change).unwrap();
}

pub fn recover(stage: &mut Stage) -> LocalBoxFuture<'_, ()> {
    stage.outside.failing.answer(200, "");
    async {}.boxed_local()
}

pub fn sql(stage: &Stage, sql: &str) {
    let database = Connection::open(&stage.server().database).unwrap();
    database.execute_batch(sql).unwrap();
}

/// A message that was written three hours ago.
pub async fn late(stage: &mut Stage) {
    let written = stage.seconds() - 3 * HOUR / 1000;
    let id = stage.id();
    stage.say(&said::text(&id, written, "Good morning")).await;
    stage.projected().await;
}

/// Stores an event, changes its bytes and asks for it.
pub fn damage(stage: &mut Stage) -> LocalBoxFuture<'_, ()> {
    Box::pin(async {
        stage.text("Good morning").await;
        sql(stage, "UPDATE event SET body = x'00'");
        let body = get(stage.server().private, "/api/v1/events/1/body").await;
        assert_eq!(body.status, 500);
    })
}

/// A trigger that refuses stands for a database that cannot delete.
pub async fn keep_old_event(stage: &mut Stage) {
    stage.text("Good morning").await;
    let keep = "CREATE TRIGGER keep BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'kept'); END";
    sql(stage, keep);
    stage.pass(2 * DAY);
}

/// Another program holds the lock of the projection while an event arrives.
pub fn lock_projection(stage: &mut Stage) -> LocalBoxFuture<'_, ()> {
    Box::pin(async {
        if stage.lock.is_none() {
            let projection = format!("{}.projection", stage.server().database.display());
            let other = Connection::open(projection).unwrap();
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            stage.lock = Some(other);
            stage.text("Good morning").await;
            stage.pass(MINUTE);
        }
    })
}

pub fn account(outside: &StandIns, config: &mut Config) {
    config.accounts = vec![green_inbox::config::Account {
        id_instance: INSTANCE,
        api_token: Some(ApiToken::new(API_TOKEN)),
        api_url: Some(SecretUrl::new(&outside.green_api.url())),
        watch_seconds: 10,
        ..green_inbox::config::Account::default()
    }];
}

pub fn forward(outside: &StandIns) -> Forward {
    Forward::new("crm", &outside.failing.url("/events"))
}

/// Sets what the program wants to be set.
pub async fn correct_settings(stage: &mut Stage) {
    // Nothing differs before the first check.
    stage
        .listed("/api/v1/accounts", |all| {
            all[0]["differences"][0].is_object()
        })
        .await;
    let accounts = get(stage.server().private, "/api/v1/accounts").await.json();
    let differences = accounts["data"][0]["differences"].as_array().unwrap();
    let wanted = |one: &Value| {
        (
            one["name"].as_str().unwrap().to_owned(),
            one["wanted"].clone(),
        )
    };
    let wanted: Vec<_> = differences.iter().map(wanted).collect();
    stage.outside.green_api.instance().settings.extend(wanted);
    stage.checked("getWebhooksCount").await;
}

/// Retention deletes an event that a destination has not taken.
pub async fn delete_before_delivery(stage: &mut Stage) {
    stage.text("Good morning").await;
    stage.outside.failing.wait_for(|_| true).await;
    stage
        .listed("/api/v1/forward", |all| all[0]["waiting"] == 1)
        .await;
    stage.pass(2 * DAY);
    let deadline = Instant::now() + PATIENCE;
    let forward = async |stage: &Stage| get(stage.server().private, "/api/v1/forward").await.json();
    while forward(stage).await["data"][0]["expired"] != 1 {
        assert!(Instant::now() < deadline, "the event is not counted");
        // Until the next attempt is due.
        stage.pass(6 * MINUTE);
        sleep(POLL).await;
    }
}
