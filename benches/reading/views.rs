//! The first view of each part of the page: the HTML, and the answers of the API that its script reads before it shows
//! something, one after the other on one connection.

use std::path::Path;
use std::time::{Duration, Instant};

use green_inbox::app::{App, Listeners};
use green_inbox::clock::{Clock, UnixMillis};
use green_inbox::config::{Config, Token};
use tokio::sync::oneshot;

use crate::ask::{Took, connect, fetch};
use crate::questions::Asked;
use crate::story::{Story, mix};

/// Milliseconds: the goal for the first view.
const GOAL: f64 = 200.0;

/// Views after the first one.
const FURTHER: u64 = 200;

/// The requests of a view for a turn.
type Requests = fn(&Asked, u64) -> Vec<String>;

const VIEWS: [(&str, Requests); 5] = [
    ("/", |_, _| {
        vec![
            "/".to_owned(),
            "/api/v1/events?limit=100&body=true".to_owned(),
        ]
    }),
    ("/events/{seq}", |asked, turn| {
        let seq = mix(turn) % asked.events + 1;
        vec![format!("/events/{seq}"), format!("/api/v1/events/{seq}")]
    }),
    ("/chats/{idInstance}/{chatId}", |asked, turn| {
        let (instance, chat) = asked.story.chat(mix(turn) % (asked.events / 5));
        let of = format!("instance={instance}&chat={chat}");
        vec![
            format!("/chats/{instance}/{chat}"),
            format!("/api/v1/messages?{of}&limit=50"),
            format!("/api/v1/events?{of}&body=true&limit=200"),
            format!("/api/v1/calls?{of}&limit=20"),
        ]
    }),
    ("/instances", |_, turn| {
        let after = Story::instance(turn % 3 * 50);
        vec![format!("/instances?after={after}")]
    }),
    ("/health", |_, _| {
        [
            "/health",
            "/readyz",
            "/metrics",
            "/api/v1/alerts",
            "/api/v1/stats",
        ]
        .map(str::to_owned)
        .to_vec()
    }),
];

/// Measures every view on the database at `path`, and prints a table. The server runs in this process, because its clock
/// must say that the events have just arrived.
pub async fn measure(path: &Path, asked: Asked) {
    println!("| view | requests | first ms | p50 ms | p99 ms | goal |");
    println!("|---|---|---|---|---|---|");
    for (name, requests) in VIEWS {
        let (took, first) = view(path, asked, requests).await;
        println!(
            "| `{name}` | {} | {first:.1} | {:.1} | {:.1} | {GOAL} ms, {} |",
            took.entries,
            took.percentile(0.5),
            took.percentile(0.99),
            if first < GOAL { "kept" } else { "missed" },
        );
    }
}

/// Opens a view on a server that has just started, and then again and again. Returns the times of the further ones, and
/// the milliseconds of the first one.
async fn view(path: &Path, asked: Asked, requests: Requests) -> (Took, f64) {
    let mut config = Config::default();
    config.ingest.listen = "127.0.0.1:0".parse().expect("an address");
    config.private.listen = "127.0.0.1:0".parse().expect("an address");
    config.ingest.tokens = vec![Token::new("Bearer bench")];
    config.storage.path = path.to_owned();
    let listeners = Listeners::bind(&config).await.expect("free ports");
    // When the newest event arrived.
    let newest = 1_767_225_600_000 + i64::try_from(asked.events * 20).expect("a time");
    let started = Instant::now();
    let clock = Clock::new(move || {
        let passed = i64::try_from(started.elapsed().as_millis()).unwrap_or(0);
        UnixMillis(newest + passed)
    });
    let app = App::build(config, listeners, clock)
        .await
        .expect("it starts");
    let private = app.private_address();
    let (stop, stopped) = oneshot::channel::<()>();
    let run = tokio::spawn(app.run(async {
        let _ = stopped.await;
    }));
    let mut connection = connect(private).await;
    let mut took = Vec::new();
    let mut number = 0;
    for turn in 0..=FURTHER {
        let requests = requests(&asked, turn);
        number = requests.len();
        let began = Instant::now();
        for address in requests {
            fetch(&mut connection, &address).await;
        }
        took.push(began.elapsed());
    }
    drop(connection);
    let _ = stop.send(());
    run.await.expect("it runs").expect("it stops");
    let first = millis(took.remove(0));
    (Took::new(took, number), first)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
