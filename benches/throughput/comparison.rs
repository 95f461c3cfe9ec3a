//! One run: in each round everything is measured once, in random order and after a pause. In a
//! fixed order the server after the fastest one would be at a disadvantage.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;

use green_inbox::clock::Clock;
use serde_json::Value;

use super::Failure;
use super::accounting::{self, Used};
use super::chance::Chance;
use super::contestant::{self, Contestant};
use super::disk;
use super::files::{self, Host, Sender};
use super::forward::{self, Destinations};
use super::latencies::Latencies;
use super::load::Load;
use super::measurement::{Cell, Measurement, float, micros_each, millis};
use super::nodes::{self, Postgres};
use super::options::Options;
use super::peers::PEERS;
use super::readers::Readers;
use super::request::Composer;
use super::rows::{self, Inserted};
use super::running::Running;

/// Syncs that are measured in each round.
const SYNCS: usize = 100;

/// Servers that are compared only on request.
const OPT_IN: [&str; 10] = [
    files::NAME,
    nodes::ONE,
    nodes::TWO,
    PEERS[0].name,
    PEERS[1].name,
    PEERS[2].name,
    PEERS[3].name,
    forward::UP,
    forward::DOWN,
    contestant::STREAMED,
];

/// The results of a run.
pub(crate) struct Results {
    pub(crate) contestants: Vec<Contestant>,
    /// Servers that could not be installed, and why.
    pub(crate) absent: Vec<(&'static str, String)>,
    /// By name and connections.
    pub(crate) cells: BTreeMap<(&'static str, u32), Cell>,
    pub(crate) rows: Vec<Inserted>,
    pub(crate) syncs: Latencies,
    pub(crate) seed: u64,
}

/// A measurement that each round makes once.
#[derive(Debug, Clone, Copy)]
enum Task {
    Serve { contestant: usize, connections: u32 },
    Rows,
}

struct Run<'o> {
    options: &'o Options,
    myself: PathBuf,
    /// On the measured disk.
    folders: PathBuf,
}

/// Measures everything.
pub(crate) fn run(options: &Options) -> Result<Results, Failure> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("throughput");
    let folders = home.join("running");
    let installed = home.join("peers");
    fs::create_dir_all(&installed)?;
    let lock = File::create(home.join("lock"))?;
    lock.try_lock()
        .map_err(|error| format!("another comparison is running ({error})"))?;
    // Remove what an interrupted run left behind.
    let _ = fs::remove_dir_all(&folders);
    fs::create_dir_all(&folders)?;
    if let Some(logs) = &options.logs {
        fs::create_dir_all(logs)?;
    }
    let run = Run {
        options,
        myself: std::env::current_exe()?,
        folders,
    };
    let (mut contestants, mut absent) = run.contestants(&installed)?;
    let destinations = Destinations::start(&run.myself)?;
    let forwarding = destinations.contestants(Path::new(contestant::PROGRAM))?;
    contestants.extend(forwarding.into_iter().filter(|one| run.is_wanted(one.name)));
    let host = Host::start(&run.myself)?;
    let keeping = host.contestant(Path::new(contestant::PROGRAM));
    contestants.extend(Some(keeping).filter(|one| run.is_wanted(one.name)));
    let is_shared = run.is_wanted(nodes::ONE) || run.is_wanted(nodes::TWO);
    let postgres = is_shared.then(|| Postgres::start(run.folders.join("postgres")));
    match &postgres {
        Some(Ok(postgres)) => {
            let sharing = postgres.contestants(&run.myself, Path::new(contestant::PROGRAM))?;
            contestants.extend(sharing.into_iter().filter(|one| run.is_wanted(one.name)));
        }
        Some(Err(error)) => {
            eprintln!("nodes cannot be compared: {error}");
            absent.push((nodes::ONE, error.to_string()));
        }
        None => {}
    }
    let seed = options
        .seed
        .unwrap_or_else(|| Clock::system().now().0.unsigned_abs());
    let mut results = Results {
        contestants,
        absent,
        cells: BTreeMap::new(),
        rows: Vec::new(),
        syncs: Latencies::default(),
        seed,
    };
    let mut tasks = run.tasks(&results.contestants);
    let mut chance = Chance::new(seed);
    for round in 1..=options.rounds {
        chance.shuffle(&mut tasks);
        disk::measure(&run.folders, SYNCS, &mut results.syncs)?;
        for (nth, task) in tasks.iter().enumerate() {
            thread::sleep(options.pause);
            let line = run.measure(*task, &mut results)?;
            let (nth, all, rounds) = (nth + 1, tasks.len(), options.rounds);
            eprintln!("round {round} of {rounds}, {nth:2} of {all}: {line}");
        }
    }
    Ok(results)
}

impl Run<'_> {
    fn is_wanted(&self, name: &str) -> bool {
        let Options {
            only,
            peers,
            forward,
            ..
        } = self.options;
        if only.is_empty() {
            let asked = if [forward::UP, forward::DOWN].contains(&name) {
                forward
            } else {
                peers
            };
            *asked || !OPT_IN.contains(&name)
        } else {
            only.iter().any(|wanted| wanted == name)
        }
    }

    /// The servers to compare, and those that could not be installed.
    #[expect(clippy::type_complexity, reason = "taken apart at once")]
    fn contestants(
        &self,
        installed: &Path,
    ) -> Result<(Vec<Contestant>, Vec<(&'static str, String)>), Failure> {
        let mut contestants = contestant::own(&self.myself, self.options);
        let known = contestants.iter().map(|contestant| contestant.name);
        let peers = PEERS.iter().map(|peer| peer.name);
        let others = [
            rows::NAME,
            files::NAME,
            forward::UP,
            forward::DOWN,
            nodes::ONE,
            nodes::TWO,
        ];
        let known: Vec<_> = known.chain(peers).chain(others).collect();
        if let Some(name) = self
            .options
            .only
            .iter()
            .find(|name| !known.contains(&name.as_str()))
        {
            return Err(
                format!("unknown name {name}; help: use one of {}", known.join(", ")).into(),
            );
        }
        contestants.retain(|contestant| self.is_wanted(contestant.name));
        let mut absent = Vec::new();
        for peer in PEERS.iter().filter(|peer| self.is_wanted(peer.name)) {
            match (peer.install)(peer, installed) {
                Ok(contestant) => contestants.push(contestant),
                Err(error) => {
                    eprintln!("{} could not be installed: {error}", peer.name);
                    absent.push((peer.name, error.to_string()));
                }
            }
        }
        Ok((contestants, absent))
    }

    fn tasks(&self, contestants: &[Contestant]) -> Vec<Task> {
        let connections = &self.options.connections;
        let serve = (0..contestants.len()).flat_map(|contestant| {
            connections.iter().map(move |&connections| Task::Serve {
                contestant,
                connections,
            })
        });
        let rows = self.is_wanted(rows::NAME).then_some(Task::Rows);
        serve.chain(rows).collect()
    }

    /// Runs a task, adds its measurement to the results and returns it as one line.
    fn measure(&self, task: Task, results: &mut Results) -> Result<String, Failure> {
        match task {
            Task::Rows => {
                let Options { crowd, seconds, .. } = *self.options;
                let inserted = rows::measure(&self.myself, crowd, seconds, &self.folders)?;
                results.rows.push(inserted);
                let each = micros_each(inserted.cpu, inserted.rows);
                Ok(format!("rows in batches: {each:.1} µs of CPU for each"))
            }
            Task::Serve {
                contestant,
                connections,
            } => {
                let contestant = &results.contestants[contestant];
                let name = contestant.name;
                let cell = results.cells.entry((name, connections)).or_default();
                let line = match self.serve(contestant, connections) {
                    Ok(measured) => {
                        let line = format!(
                            "{:.0} a second, p99 {:.2} ms, {:.1} µs ({:.1} µs to send), {} errors",
                            measured.rate,
                            measured.p99,
                            measured.cpu,
                            measured.sender,
                            measured.errors
                        );
                        cell.rounds.push(measured);
                        line
                    }
                    Err(error) => {
                        let line = format!("failed: {error}");
                        cell.failures.push(error.to_string());
                        line
                    }
                };
                Ok(format!("{name}, {connections} connections: {line}"))
            }
        }
    }

    /// A fresh server on a fresh database, under load.
    fn serve(&self, contestant: &Contestant, connections: u32) -> Result<Measurement, Failure> {
        let options = self.options;
        let mut composer = Composer::new(contestant.path, options.crowd);
        let server = Running::start(
            contestant,
            &mut composer,
            &self.folders,
            options.logs.as_deref(),
        )?;
        let readers = Readers::open(server.place.private(), contestant.readers)?;
        let address = server.place.public();
        let sender = contestant.files.map(|port| Sender::start(address, port));
        let sender = sender.transpose()?;
        let load = Load {
            addresses: [
                address,
                if contestant.has_second {
                    server.place.second()
                } else {
                    address
                },
            ],
            connections: connections as usize,
            senders: options.senders.max(1),
            warm_up: options.warm_up,
            measured: options.seconds,
        };
        let of_server = || Used::by(&server.processes());
        let of_sender = || Used::by(&[std::process::id()]);
        let started = of_server();
        let mut used: Vec<(Used, Used)> = Vec::with_capacity(2);
        let tally = load.send(&composer, || {
            // Listing the server's processes must not count as work of the generator.
            if used.is_empty() {
                let server = of_server();
                used.push((server, of_sender()));
            } else {
                let sender = of_sender();
                used.push((of_server(), sender));
            }
        })?;
        let [(server_begin, sender_begin), (server_end, sender_end)] = used.as_slice() else {
            return Err("the load did not mark the start and end of its window".into());
        };
        if contestant.readers > 0 {
            let megabytes = readers.bytes() / 1_000_000;
            eprintln!("{} readers have read {megabytes} MB", contestant.readers);
        }
        drop((readers, sender));
        let stats = server.ask("/api/v1/stats");
        let memory = accounting::peak_memory(&server.processes());
        let projected = server
            .wait_until_projected()
            .map(|events| micros_each(of_server().since(&started), events));
        Ok(Measurement {
            rate: float(tally.accepted) / options.seconds.as_secs_f64(),
            p50: millis(tally.latencies.percentile(50)),
            p99: millis(tally.latencies.percentile(99)),
            errors: float(tally.errors),
            cpu: micros_each(server_end.since(server_begin), tally.accepted),
            sender: micros_each(sender_end.since(sender_begin), tally.accepted),
            projected,
            memory: float(memory) / 1e6,
            lags: stats
                .map(|stats| lags(&stats, server.ask("/api/v1/forward").as_ref()))
                .unwrap_or_default(),
        })
    }
}

/// How many events the projection lags, and the first forward destination.
fn lags(stats: &Value, forward: Option<&Value>) -> BTreeMap<String, f64> {
    let newest = stats["newestSeq"].as_f64();
    let position = forward.and_then(|forward| forward["data"][0]["position"].as_f64());
    let lag = |name: &str, seq: Option<f64>| Some((name.to_owned(), newest? - seq?));
    [
        lag("events to project", stats["derivedSeq"].as_f64()),
        lag("events to forward", position),
    ]
    .into_iter()
    .flatten()
    .collect()
}
