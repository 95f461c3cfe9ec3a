//! `green-inbox export`: writes every matching event to standard output.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::private_api::{FilterArgs, PrivateApi, SourceArgs, seq};
use super::reading::{self, ReadingError};
use super::terminal::{cell, json_line};

/// Events per request, the most that the server allows.
const PAGE: u32 = 500;

/// Columns of the CSV table, in the order of an event's JSON fields.
const COLUMNS: [&str; 18] = [
    "seq",
    "receivedAt",
    "lastReceivedAt",
    "deliveries",
    "outcome",
    "reason",
    "idInstance",
    "typeInstance",
    "typeWebhook",
    "typeMessage",
    "idMessage",
    "chatId",
    "sender",
    "timestamp",
    "drift",
    "duplicateOf",
    "origin",
    "body",
];

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Start after this seq, to resume an interrupted export.
    #[arg(long, value_name = "SEQ", default_value_t = 0,
          value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
    /// Write CSV cells unchanged, even those that a spreadsheet may run as formulas. By default a cell that
    /// begins with = + - @ or a tab is prefixed with an apostrophe.
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One JSON object per line, as in /api/v1/events, with the body.
    Jsonl,
    /// A table with a header row (RFC 4180); the body is a column.
    Csv,
}

pub(super) fn run(args: &ExportArgs) -> ExitCode {
    reading::run(&args.source, async |api| export(&api, args).await)
}

/// Writes page after page, up to the event that was the newest at the start.
async fn export(api: &PrivateApi, args: &ExportArgs) -> Result<(), ReadingError> {
    let newest = api.newest_seq().await?;
    let progress = ProgressBar::new(newest.unsigned_abs()).with_style(style());
    let mut output = Output::new(args)?;
    let mut damaged = Damaged::default();
    let mut last_seq = args.after;
    // With --after beyond the newest seq, the server refuses the request and says why.
    while last_seq < newest || args.after > newest {
        let mut parameters = args.filters.parameters();
        parameters.push(("body", "true".to_owned()));
        parameters.push(("after", last_seq.to_string()));
        parameters.push(("limit", PAGE.to_string()));
        let page = api.events(&parameters).await?;
        let Some(last) = page.data.last() else { break };
        last_seq = seq(last)?;
        for event in &page.data {
            let Head { seq, is_damaged } = serde_json::from_str(event.get())?;
            if seq > newest {
                break;
            }
            if is_damaged {
                damaged.add(seq);
            }
            output.write(event)?;
        }
        progress.set_position(last_seq.min(newest).unsigned_abs());
    }
    output.finish()?;
    progress.finish_and_clear();
    damaged.into_result()
}

/// The fields of an event that the export reads.
#[derive(Deserialize)]
struct Head {
    seq: i64,
    #[serde(rename = "damaged", default)]
    is_damaged: bool,
}

/// Seqs of damaged events, as inclusive ranges.
#[derive(Default)]
struct Damaged(Vec<(i64, i64)>);

impl Damaged {
    fn add(&mut self, seq: i64) {
        match self.0.last_mut() {
            Some((_, last)) if *last + 1 == seq => *last = seq,
            _ => self.0.push((seq, seq)),
        }
    }

    /// Fails if there are damaged events, because their bodies are missing from the export.
    fn into_result(self) -> Result<(), ReadingError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let count: i64 = self.0.iter().map(|(first, last)| last - first + 1).sum();
        let ranges = self.0.iter().map(|(first, last)| match last - first {
            0 => first.to_string(),
            _ => format!("{first}-{last}"),
        });
        let ranges: Vec<_> = ranges.collect();
        Err(ReadingError::Damaged(count, ranges.join(", ")))
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:32} seq {pos} of {len}, {per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

enum Output {
    Lines(BufWriter<StdoutLock<'static>>),
    Table {
        rows: Box<csv::Writer<StdoutLock<'static>>>,
        is_raw: bool,
    },
}

impl Output {
    fn new(args: &ExportArgs) -> Result<Self, ReadingError> {
        let stdout = io::stdout().lock();
        Ok(match args.format {
            Format::Jsonl => Self::Lines(BufWriter::new(stdout)),
            Format::Csv => {
                let mut rows = Box::new(csv::Writer::from_writer(stdout));
                rows.write_record(COLUMNS)?;
                Self::Table {
                    rows,
                    is_raw: args.raw,
                }
            }
        })
    }

    fn write(&mut self, event: &RawValue) -> Result<(), ReadingError> {
        match self {
            Self::Lines(lines) => writeln!(lines, "{}", json_line(event.get()))?,
            Self::Table { rows, is_raw } => {
                let row: BTreeMap<&str, &RawValue> = serde_json::from_str(event.get())?;
                rows.write_record(COLUMNS.map(|column| {
                    let value = row.get(column);
                    value.map(|value| text(value, *is_raw)).unwrap_or_default()
                }))?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), ReadingError> {
        match self {
            Self::Lines(mut lines) => lines.flush()?,
            Self::Table { mut rows, .. } => rows.flush()?,
        }
        Ok(())
    }
}

/// A cell: the text of a string, nothing for null, otherwise the JSON unchanged, so that no number is
/// rounded.
fn text(value: &RawValue, is_raw: bool) -> String {
    let json = value.get();
    match serde_json::from_str::<Option<String>>(json) {
        Ok(text) if is_raw => text.unwrap_or_default(),
        Ok(text) => cell(text.unwrap_or_default()),
        // A number, an array or an object: none of them is a harmful formula.
        Err(_) => json.to_owned(),
    }
}
