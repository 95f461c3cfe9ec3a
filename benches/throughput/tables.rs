//! The tables, as Markdown that is also readable on a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::thread;

use super::bare;
use super::comparison::Results;
use super::contestant::Contestant;
use super::goals::{self, Standard};
use super::measurement::{Cell, Spread, float, millis};
use super::options::Options;
use super::request::BODY;

/// All results of a run.
pub(crate) fn markdown(results: &Results, options: &Options) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", circumstances(results, options));
    text.push_str(&servers(results, options));
    for Contestant { name, about, .. } in &results.contestants {
        let _ = writeln!(text, "- *{name}*: {about}");
    }
    let _ = writeln!(text, "\n{}", costs(results));
    text.push_str(&ratios(&goals::goals(results)));
    text
}

fn circumstances(results: &Results, options: &Options) -> String {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let Options {
        rounds,
        seconds,
        senders,
        crowd,
        ..
    } = options;
    let threads = if *senders == 1 { "thread" } else { "threads" };
    format!(
        "{cpus} CPUs, shared with the load generator ({senders} {threads}); bodies of {BODY} \
         bytes from {} instances and {} chats; median (minimum – maximum) of {rounds} shuffled \
         rounds of {} s, seed {}.\n",
        crowd.instances,
        crowd.chats,
        seconds.as_secs_f64(),
        results.seed,
    )
}

fn servers(results: &Results, options: &Options) -> String {
    let mut rows = vec![
        [
            "server",
            "connections",
            "requests/s",
            "p50, ms",
            "p99, ms",
            "errors",
            "CPU µs/request",
            "peak memory, MB",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for &connections in &options.connections {
        for Contestant { name, .. } in &results.contestants {
            if let Some(cell) = results.cells.get(&(*name, connections)) {
                rows.push(server(name, connections, cell));
            }
        }
    }
    for (name, reason) in &results.absent {
        let mut row = vec![(*name).to_owned(), "–".to_owned()];
        row.push(format!("not installed: {}", reason.replace('|', "/")));
        rows.push(row);
    }
    table(&rows)
}

fn server(name: &str, connections: u32, cell: &Cell) -> Vec<String> {
    let mut row = vec![name.to_owned(), connections.to_string()];
    let Some(rate) = cell.spread(|measured| measured.rate) else {
        let reason = cell.failures.first().map_or("", String::as_str);
        row.push(format!("failed: {}", reason.replace('|', "/")));
        return row;
    };
    let failed = match cell.failures.len() {
        0 => String::new(),
        rounds => format!(", {rounds} rounds failed"),
    };
    row.push(spread(Some(rate), 0) + &failed);
    row.push(spread(cell.spread(|measured| measured.p50), 2));
    row.push(spread(cell.spread(|measured| measured.p99), 2));
    row.push(cell.errors().to_string());
    row.push(spread(cell.spread(|measured| measured.cpu), 1));
    row.push(spread(cell.spread(|measured| measured.memory), 1));
    row
}

/// Further figures: the cost of a row, of a sync, of a request in the generator, and of the
/// projection.
fn costs(results: &Results) -> String {
    let mut text = String::new();
    if let Some(row) = goals::row(results) {
        let rate = results
            .rows
            .iter()
            .map(|inserted| float(inserted.rows) / inserted.elapsed.as_secs_f64());
        let _ = writeln!(
            text,
            "- One row of a batch of 100, without a server: {} µs of CPU; {} rows/s",
            spread(Some(row), 1),
            spread(Spread::of(rate), 0)
        );
    }
    let _ = writeln!(
        text,
        "- `fdatasync` after 64 KB on the same disk: p50 {:.2} ms, p99 {:.2} ms",
        millis(results.syncs.percentile(50)),
        millis(results.syncs.percentile(99))
    );
    // Measured against bare, which keeps the generator busy: its CPU time is then its true cost.
    let cells = || {
        results
            .cells
            .iter()
            .flat_map(|(&(name, _), cell)| cell.rounds.iter().map(move |round| (name, round)))
    };
    let of_bare = cells().filter(|(name, _)| *name == bare::NAME);
    if let Some(sender) = Spread::of(of_bare.map(|(_, measured)| measured.sender)) {
        let _ = writeln!(
            text,
            "- The load generator against *bare*: {} µs of CPU for each request",
            spread(Some(sender), 1)
        );
    }
    let mut lags: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, lag) in cells().flat_map(|(_, measured)| &measured.lags) {
        let most = lags.entry(name).or_insert(0.0);
        *most = most.max(*lag);
    }
    for (name, most) in lags {
        let _ = writeln!(text, "- {name} right after the load: at most {most}");
    }
    for (&(name, connections), cell) in &results.cells {
        if let Some(projected) = goals::projected(cell) {
            let plural = if connections == 1 {
                "connection"
            } else {
                "connections"
            };
            let _ = writeln!(
                text,
                "- {name}, {connections} {plural}, until the projection has caught up: {} CPU µs/request",
                spread(Some(projected), 1)
            );
        }
    }
    text
}

fn ratios(goals: &[Standard]) -> String {
    let mut rows = vec![
        ["green-inbox", "measured", "floor", "goal", "reached"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for goal in goals {
        let unit = goal.unit;
        rows.push(vec![
            goal.what.to_owned(),
            goal.value
                .map_or_else(|| "–".to_owned(), |value| format!("{value:.2}{unit}")),
            format!("{}{unit}", goal.floor),
            format!("{}{unit}", goal.goal),
            goal.verdict().to_owned(),
        ]);
    }
    table(&rows)
}

fn spread(spread: Option<Spread>, digits: usize) -> String {
    let Some(spread) = spread else {
        return "–".to_owned();
    };
    let Spread {
        median,
        minimum,
        maximum,
    } = spread;
    format!("{median:.digits$} ({minimum:.digits$} – {maximum:.digits$})")
}

/// A table with aligned columns. The first row is the header.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        // The last cell of a shorter row holds an error of any length, so it does not count.
        let relevant = rows
            .iter()
            .filter(|row| row.len() == columns || column + 1 < row.len());
        relevant
            .filter_map(|row| row.get(column))
            .map(|text| text.chars().count())
            .max()
            .unwrap_or(0)
    };
    let mut text = String::new();
    for (nth, row) in rows.iter().enumerate() {
        for column in 0..columns {
            let field = row.get(column).map_or("", String::as_str);
            let width = width(column);
            let _ = if column == 0 {
                write!(text, "| {field:width$} ")
            } else {
                write!(text, "| {field:>width$} ")
            };
        }
        text.push_str("|\n");
        if nth == 0 {
            for column in 0..columns {
                let line = "-".repeat(width(column) + 1);
                text.push_str(if column == 0 { "|-" } else { "|" });
                text.push_str(&line);
                text.push_str(if column == 0 { "" } else { ":" });
            }
            text.push_str("|\n");
        }
    }
    text.push('\n');
    text
}
