//! The life of every alert, seen at a stand-in destination: it fires once, is not repeated before its interval and is
//! repeated after it, outlives restarts, and ends once.

mod row;
mod stage;
mod steps;

use std::time::Duration;

use green_inbox::model::AlertName;
use tokio::task::LocalSet;

use super::MINUTE;
use row::{Restart, Row};
use stage::Stage;

/// Milliseconds before the end of the interval at which an alert must not have been repeated.
const EARLY: i64 = 5 * MINUTE;

/// Time between two looks at a fact that is waited for.
const POLL: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread")]
async fn each_alert_fires_once_is_repeated_after_its_interval_outlives_restarts_and_ends_once() {
    // One server for each alert, all at the same time: they mostly wait.
    let servers = LocalSet::new();
    let lived: Vec<_> = AlertName::ALL
        .into_iter()
        .map(|name| (name, servers.spawn_local(live(name))))
        .collect();
    servers.await;
    let mut failed = Vec::new();
    for (name, life) in lived {
        if life.await.is_err() {
            failed.push(name.name());
        }
    }
    assert!(failed.is_empty(), "see above what is wrong with {failed:?}");
}

async fn live(name: AlertName) {
    let row = Row::of(name);
    let mut stage = Stage::start(name, row.configure).await;

    (row.cause)(&mut stage).await;
    stage.fires(1).await;
    let told = stage.passed;
    stage.look("it is told once").await;
    stage.assert_told(1..=1, 0);
    if row.restart == Restart::GoesOn {
        stage.restart().await;
        stage.look("a restart neither repeats nor ends it").await;
        stage.assert_told(1..=1, 0);
    }

    (row.again)(&mut stage).await;
    let early = told + row.repeat - EARLY;
    while stage.passed < early {
        stage.pass(row.step.min(early - stage.passed));
        (row.again)(&mut stage).await;
    }
    stage.look("the interval is not over").await;
    stage.assert_told(1..=1, 0);
    stage.pass(told + row.repeat - stage.passed);
    stage.fires(2).await;

    let told = stage.passed;
    if row.restart == Restart::GoesOn {
        stage.restart().await;
    }
    (row.settle)(&mut stage).await;
    stage.ends().await;
    stage.look("it ends once").await;
    // A row that ends by the clock alone may be due again in the same moment.
    let most = if stage.passed - told >= row.repeat {
        3
    } else {
        2
    };
    stage.assert_told(2..=most, 1);
    stage.stop().await;
}
