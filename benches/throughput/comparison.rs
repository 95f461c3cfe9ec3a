//! One run: rounds, and in each everything once, in an order of chance and with a pause before.
//! In a fixed order whoever comes after the fastest would be at a disadvantage.

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
use super::latencies::Latencies;
use super::load::Load;
use super::measurement::{Cell, Measurement, float, micros_each, millis};
use super::options::Options;
use super::peers::PEERS;
use super::request::Composer;
use super::rows::{self, Inserted};
use super::running::Running;

/// Syncs that are measured in each round.
const SYNCS: usize = 100;

/// Names that are compared only when asked for.
const ASKED_FOR: [&str; 4] = [PEERS[0].name, PEERS[1].name, PEERS[2].name, PEERS[3].name];

/// What a run came to.
pub(crate) struct Results {
    pub(crate) contestants: Vec<Contestant>,
    /// Who could not be installed, and why.
    pub(crate) absent: Vec<(&'static str, String)>,
    /// By name and connections.
    pub(crate) cells: BTreeMap<(&'static str, u32), Cell>,
    pub(crate) rows: Vec<Inserted>,
    pub(crate) syncs: Latencies,
    pub(crate) seed: u64,
}

/// What is measured once a round.
#[derive(Debug, Clone, Copy)]
enum Task {
    Serve { contestant: usize, connections: u32 },
    Rows,
}

struct Run<'o> {
    options: &'o Options,
    myself: PathBuf,
    /// On the disk of the comparison.
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
    // What a run left that was interrupted.
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
    let (contestants, absent) = run.contestants(&installed)?;
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
            let said = run.measure(*task, &mut results)?;
            let (nth, all, rounds) = (nth + 1, tasks.len(), options.rounds);
            eprintln!("round {round} of {rounds}, {nth:2} of {all}: {said}");
        }
    }
    Ok(results)
}

impl Run<'_> {
    fn is_wanted(&self, name: &str) -> bool {
        let Options { only, peers, .. } = self.options;
        if only.is_empty() {
            *peers || !ASKED_FOR.contains(&name)
        } else {
            only.iter().any(|wanted| wanted == name)
        }
    }

    /// Who is compared, and who could not be installed.
    #[expect(clippy::type_complexity, reason = "taken apart at once")]
    fn contestants(
        &self,
        installed: &Path,
    ) -> Result<(Vec<Contestant>, Vec<(&'static str, String)>), Failure> {
        let mut contestants = contestant::own(&self.myself, self.options);
        let known = contestants.iter().map(|contestant| contestant.name);
        let known: Vec<_> = known.chain(ASKED_FOR).chain([rows::NAME]).collect();
        if let Some(name) = self
            .options
            .only
            .iter()
            .find(|name| !known.contains(&name.as_str()))
        {
            return Err(format!("nothing is named {name}; there are {}", known.join(", ")).into());
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

    /// Measures, adds it to the results and says it in a line.
    fn measure(&self, task: Task, results: &mut Results) -> Result<String, Failure> {
        match task {
            Task::Rows => {
                let Options { crowd, seconds, .. } = *self.options;
                let inserted = rows::measure(&self.myself, crowd, seconds, &self.folders)?;
                results.rows.push(inserted);
                let each = micros_each(inserted.processor, inserted.rows);
                Ok(format!(
                    "rows in batches: {each:.1} µs on a processor for each"
                ))
            }
            Task::Serve {
                contestant,
                connections,
            } => {
                let contestant = &results.contestants[contestant];
                let name = contestant.name;
                let cell = results.cells.entry((name, connections)).or_default();
                let said = match self.serve(contestant, connections) {
                    Ok(measured) => {
                        let said = format!(
                            "{:.0} a second, p99 {:.2} ms, {:.1} µs ({:.1} µs to send), {} errors",
                            measured.rate,
                            measured.p99,
                            measured.processor,
                            measured.sender,
                            measured.errors
                        );
                        cell.rounds.push(measured);
                        said
                    }
                    Err(error) => {
                        let said = format!("failed: {error}");
                        cell.failures.push(error.to_string());
                        said
                    }
                };
                Ok(format!("{name}, {connections} connections: {said}"))
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
        let load = Load {
            address: server.place.public(),
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
            // Looking for the processes of the server is no work of the generator.
            if used.is_empty() {
                let server = of_server();
                used.push((server, of_sender()));
            } else {
                let sender = of_sender();
                used.push((of_server(), sender));
            }
        })?;
        let [(server_begin, sender_begin), (server_end, sender_end)] = used.as_slice() else {
            return Err("the window was not marked".into());
        };
        let stats = server.ask("/api/v1/stats");
        let memory = accounting::peak_memory(&server.processes());
        let derived = server
            .derived()
            .map(|events| micros_each(of_server().since(&started), events));
        Ok(Measurement {
            rate: float(tally.accepted) / options.seconds.as_secs_f64(),
            p50: millis(tally.latencies.percentile(50)),
            p99: millis(tally.latencies.percentile(99)),
            errors: float(tally.errors),
            processor: micros_each(server_end.since(server_begin), tally.accepted),
            sender: micros_each(sender_end.since(sender_begin), tally.accepted),
            derived,
            memory: float(memory) / 1e6,
            lags: stats.map(|stats| lags(&stats)).unwrap_or_default(),
        })
    }
}

/// How many events what is derived is behind.
fn lags(stats: &Value) -> BTreeMap<String, f64> {
    let seq = |name: &str| stats[name].as_f64();
    let lag = seq("newestSeq").zip(seq("derivedSeq"));
    lag.map(|(newest, derived)| ("events".to_owned(), newest - derived))
        .into_iter()
        .collect()
}
