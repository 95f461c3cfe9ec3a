//! Latency of lists in a small and in a large database: one command, one table.
//!
//! ```sh
//! cargo bench --bench reading -- [--events 2000000] [--fewer 20000] [--seconds 5]
//! ```
//!
//! It fills a database of each size once (200 instances, 50,000 chats; kept in `--folder`), starts
//! the release binary on each, and sends every kind of request from 8 concurrent connections. `--views` measures the
//! page instead.

#![allow(
    clippy::expect_used,
    unreachable_pub,
    reason = "a benchmark is a program: any failure ends it"
)]

mod ask;
mod fill;
mod questions;
mod server;
mod story;
mod views;

use std::path::PathBuf;

use clap::Parser;

use crate::questions::Asked;
use crate::server::Server;
use crate::story::Story;

#[derive(Debug, Parser)]
struct Args {
    /// Events of the larger database.
    #[arg(long, default_value_t = 2_000_000)]
    events: u64,
    /// Events of the smaller one.
    #[arg(long, default_value_t = 20_000)]
    fewer: u64,
    /// Seconds of requests for each question.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Only questions whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Measure the first view of each part of the page, on the larger database.
    #[arg(long)]
    views: bool,
    /// Folder of the databases, which are kept.
    #[arg(long, default_value = "target/reading")]
    folder: PathBuf,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let story = Story {
        instances: 200,
        chats: 50_000,
    };
    std::fs::create_dir_all(&args.folder).expect("a folder");
    if args.views {
        let (events, path) = (args.events, args.folder.join(format!("{}.db", args.events)));
        fill::fill(&path, story, events).await;
        return views::measure(&path, Asked { story, events }).await;
    }
    let mut servers = Vec::new();
    for events in [args.fewer, args.events] {
        let path = args.folder.join(format!("{events}.db"));
        fill::fill(&path, story, events).await;
        servers.push((Asked { story, events }, Server::start(&path)));
    }
    println!(
        "| question | entries | depth | answers | p50 ms | p99 ms | p99 with fewer | ratio | goal |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for question in questions::ALL {
        if args
            .only
            .as_ref()
            .is_some_and(|part| !question.name.contains(part))
        {
            continue;
        }
        let mut took = Vec::new();
        for (asked, server) in &servers {
            took.push(ask::ask(server.private, question, *asked, args.seconds).await);
        }
        let (fewer, many) = (&took[0], &took[1]);
        println!(
            "| {} | {} | {} | {} | {:.2} | {:.2} | {:.2} | {:.1} | {} ms, {} |",
            question.name,
            many.entries,
            many.depth,
            many.answers(),
            many.percentile(0.5),
            many.percentile(0.99),
            fewer.percentile(0.99),
            many.percentile(0.99) / fewer.percentile(0.99),
            question.goal_millis,
            if many.percentile(0.99) < goal(question.goal_millis) {
                "kept"
            } else {
                "missed"
            },
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "some milliseconds")]
fn goal(millis: u64) -> f64 {
    millis as f64
}
