//! CPU time and memory of processes, as Linux accounts for them.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// A process and all its descendants.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for process in numbers("/proc") {
        if let Some(parent) = stat(process).and_then(|stat| stat.parent) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(process) = tree.get(next) {
        tree.extend(children.remove(process).unwrap_or_default());
        next += 1;
    }
    tree
}

/// The CPU time that processes have used so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Used {
    /// Of each live thread, to the nanosecond.
    threads: HashMap<(u32, u32), Duration>,
    /// Of all threads, including finished ones, in clock ticks.
    own: u64,
    /// Of child processes that have exited and were waited for, in clock ticks.
    ended: u64,
}

impl Used {
    /// The CPU time of these processes.
    pub(crate) fn by(processes: &[u32]) -> Self {
        let mut used = Self::default();
        for &process in processes {
            let Some(stat) = stat(process) else { continue };
            used.own += stat.own;
            used.ended += stat.ended;
            for thread in numbers(&format!("/proc/{process}/task")) {
                if let Some(time) = cpu_time(process, thread) {
                    used.threads.insert((process, thread), time);
                }
            }
        }
        used
    }

    /// The CPU time used since `before`. Live threads are counted to the nanosecond. If a thread has
    /// ended in between, only the coarser ticks include it.
    pub(crate) fn since(&self, before: &Self) -> Duration {
        let ended = self.ended.saturating_sub(before.ended);
        let all_live = !before.threads.is_empty()
            && before
                .threads
                .keys()
                .all(|thread| self.threads.contains_key(thread));
        if !all_live {
            return ticks((self.own + self.ended).saturating_sub(before.own + before.ended));
        }
        let live: Duration = self
            .threads
            .iter()
            .map(|(thread, time)| {
                time.saturating_sub(before.threads.get(thread).copied().unwrap_or_default())
            })
            .sum();
        live + ticks(ended)
    }
}

/// Peak bytes of memory of these processes. Shared memory is counted for each process.
pub(crate) fn peak_memory(processes: &[u32]) -> u64 {
    let peak = |process: &u32| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes * 1024)
    };
    processes.iter().filter_map(peak).sum()
}

struct Stat {
    parent: Option<u32>,
    own: u64,
    ended: u64,
}

/// Fields of `/proc/PID/stat` (proc(5)).
fn stat(process: u32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The process name, in parentheses, may contain any character.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // The first element here is field 3 of the manual page.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        parent: field(4).and_then(|parent| parent.try_into().ok()),
        own: field(14)? + field(15)?,
        ended: field(16)? + field(17)?,
    })
}

/// The first field of `schedstat`: nanoseconds on a CPU.
fn cpu_time(process: u32, thread: u32) -> Option<Duration> {
    let path = format!("/proc/{process}/task/{thread}/schedstat");
    let text = fs::read_to_string(path).ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

fn ticks(ticks: u64) -> Duration {
    let nanos = 1_000_000_000 / rustix::param::clock_ticks_per_second().max(1);
    Duration::from_nanos(ticks * nanos)
}

/// The entries of a folder whose names are numbers.
fn numbers(folder: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}
