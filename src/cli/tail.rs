//! `green-inbox tail`: prints the newest events, and new ones as they arrive.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::private_api::{FilterArgs, PrivateApi, ReadError, SourceArgs, seq};
use super::reading::{self, ReadingError};
use super::terminal::{json_line, plain};

/// Pause before a failed request is retried.
const PAUSE: Duration = Duration::from_secs(1);

/// Seconds that the server waits for new events, the most that it allows.
const WAIT_SECONDS: u32 = 60;

/// Events per request, the most that the server allows.
const MAX_PAGE: u32 = 500;

#[derive(Debug, Args)]
pub(super) struct TailArgs {
    /// Print new events until Ctrl-C, across restarts of the server.
    #[arg(short, long)]
    follow: bool,
    /// Start with this many of the newest events.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_PAGE)))]
    lines: u32,
    /// Start after this seq.
    #[arg(long, value_name = "SEQ", conflicts_with = "lines",
          value_parser = clap::value_parser!(i64).range(0..))]
    after: Option<i64>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One readable line per event.
    Text,
    /// One JSON object per line, with the body.
    Json,
}

pub(super) fn run(args: &TailArgs) -> ExitCode {
    reading::run(&args.source, async |api| Tail { api, args }.run().await)
}

struct Tail<'a> {
    api: PrivateApi,
    args: &'a TailArgs,
}

impl Tail<'_> {
    async fn run(&self) -> Result<(), ReadingError> {
        let mut last_seq = match self.args.after {
            Some(after) => after,
            None => self.newest().await?,
        };
        if self.args.follow {
            loop {
                match self.page_after(last_seq, WAIT_SECONDS).await {
                    Ok(last) => last_seq = last.unwrap_or(last_seq),
                    Err(ReadingError::Read(ReadError::Rewound(reason))) => {
                        eprintln!("{reason}; continuing with new events");
                        last_seq = self.api.newest_seq().await?;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        if self.args.after.is_some() {
            while let Some(last) = self.page_after(last_seq, 0).await? {
                last_seq = last;
            }
        }
        Ok(())
    }

    /// Writes the newest events that match the filters. Returns the seq after which new events follow.
    async fn newest(&self) -> Result<i64, ReadingError> {
        let newest_of_all = self.api.newest_seq().await?;
        if self.args.lines == 0 {
            return Ok(newest_of_all);
        }
        let mut parameters = self.parameters();
        parameters.push(("limit", self.args.lines.to_string()));
        let mut events = self.api.events(&parameters).await?.data;
        events.reverse();
        let written = self.write(&events)?;
        Ok(written.map_or(newest_of_all, |seq| seq.max(newest_of_all)))
    }

    /// Writes the page of events after a seq. Returns the last seq of the page, or `None` if it is empty. With
    /// --follow, transient failures are retried until the server responds.
    async fn page_after(&self, after: i64, wait: u32) -> Result<Option<i64>, ReadingError> {
        let mut parameters = self.parameters();
        parameters.push(("after", after.to_string()));
        parameters.push(("wait", wait.to_string()));
        parameters.push(("limit", MAX_PAGE.to_string()));
        let mut is_reported = false;
        loop {
            match self.api.events(&parameters).await {
                Ok(page) => return self.write(&page.data),
                Err(error) if self.args.follow && error.is_transient() => {
                    if !is_reported {
                        eprintln!("{error}; retrying every second");
                        is_reported = true;
                    }
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = self.args.filters.parameters();
        if self.args.format == Format::Json {
            parameters.push(("body", "true".to_owned()));
        }
        parameters
    }

    /// Writes events. Returns the seq of the last one.
    fn write(&self, events: &[Box<RawValue>]) -> Result<Option<i64>, ReadingError> {
        let mut output = io::stdout().lock();
        for event in events {
            match self.args.format {
                Format::Json => writeln!(output, "{}", json_line(event.get()))?,
                Format::Text => writeln!(output, "{}", line(event)?)?,
            }
        }
        output.flush()?;
        Ok(events.last().map(|event| seq(event)).transpose()?)
    }
}

/// A field that does not match its documented type.
#[derive(Deserialize)]
struct Drift {
    path: String,
}

/// The fields of an event that a text line shows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    seq: i64,
    received_at: String,
    deliveries: i64,
    outcome: String,
    reason: Option<String>,
    #[serde(default)]
    drift: Vec<Drift>,
    id_instance: Option<i64>,
    type_webhook: Option<String>,
    type_message: Option<String>,
    chat_id: Option<String>,
}

fn line(event: &RawValue) -> Result<String, serde_json::Error> {
    let shown: Shown = serde_json::from_str(event.get())?;
    let mut line = format!(
        "{:>8}  {}  {:<9}",
        shown.seq, shown.received_at, shown.outcome
    );
    let mut add = |text: &str| {
        line.push_str("  ");
        // Names come from outside and must not send control sequences to a terminal.
        line.push_str(&plain(text));
    };
    add(shown.type_webhook.as_deref().unwrap_or("-"));
    let id_instance = shown.id_instance.map(|id| id.to_string());
    for text in [shown.type_message, id_instance, shown.chat_id]
        .iter()
        .flatten()
    {
        add(text);
    }
    if shown.deliveries > 1 {
        add(&format!("received {} times", shown.deliveries));
    }
    if let Some(reason) = shown.reason {
        add(&reason);
    }
    if !shown.drift.is_empty() {
        let paths: Vec<_> = shown.drift.iter().map(|drift| &*drift.path).collect();
        add(&format!("drift: {}", paths.join(", ")));
    }
    Ok(line)
}
