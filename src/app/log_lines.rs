//! Buffers log lines for a reader that may be slow.
//!
//! Logging only appends the line to an in-memory buffer, so a full pipe never delays a response after
//! its commit. A thread writes the buffer. It wakes once for all lines of some milliseconds, because
//! waking it for each line cost as much as writing the line.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Bytes in the buffer. Beyond it lines are dropped and counted.
const MAX_WAITING: usize = 1024 * 1024;

/// Time in which the thread collects more lines before it writes.
const BATCH_WINDOW: Duration = Duration::from_millis(20);

/// Bytes in the buffer. Beyond it the thread writes without waiting for more.
const BATCH_BYTES: usize = MAX_WAITING / 4;

/// How long the program's exit waits for the reader to take the last lines.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// Accepts log lines. A write never waits for the reader.
#[derive(Debug, Clone, Default)]
pub(super) struct LogLines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    dropped: u64,
    ended: bool,
}

/// Writes the buffered lines when it is dropped.
#[derive(Debug)]
pub(super) struct Guard {
    lines: LogLines,
    done: Receiver<()>,
}

impl LogLines {
    /// Starts the thread that writes to `output`. `report` logs how many lines were dropped.
    pub(super) fn start(
        output: impl Write + Send + 'static,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<(Self, Guard)> {
        let lines = Self::default();
        let (end, done) = sync_channel(1);
        let shared = Arc::clone(&lines.0);
        thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || {
                shared.write_to(output, report);
                // The guard may be gone.
                let _ = end.send(());
            })?;
        let guard = Guard {
            lines: lines.clone(),
            done,
        };
        Ok((lines, guard))
    }
}

impl Shared {
    /// Ignores poisoning: a panic in `put` leaves at worst a partial last line.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, line: &[u8]) {
        let mut waiting = self.lock();
        let before = waiting.bytes.len();
        if before + line.len() > MAX_WAITING {
            waiting.dropped += 1;
            return;
        }
        waiting.bytes.extend_from_slice(line);
        let fills_batch = before < BATCH_BYTES && waiting.bytes.len() >= BATCH_BYTES;
        drop(waiting);
        if before == 0 || fills_batch {
            self.changed.notify_one();
        }
    }

    fn write_to(&self, mut output: impl Write, report: impl Fn(u64)) {
        let mut lines = Vec::new();
        loop {
            let (dropped, ended) = self.gather(&mut lines);
            // A failure to write to standard error cannot be reported anywhere.
            let _ = output.write_all(&lines).and_then(|()| output.flush());
            lines.clear();
            if dropped > 0 {
                report(dropped);
            } else if ended {
                return;
            }
        }
    }

    /// Waits for lines and takes them. Returns how many were dropped, and whether the buffer is closed.
    fn gather(&self, lines: &mut Vec<u8>) -> (u64, bool) {
        let waiting = self.lock();
        let waiting = self
            .changed
            .wait_while(waiting, |waiting| {
                waiting.bytes.is_empty() && !waiting.ended
            })
            .unwrap_or_else(PoisonError::into_inner);
        let (mut waiting, _) = self
            .changed
            .wait_timeout_while(waiting, BATCH_WINDOW, |waiting| {
                waiting.bytes.len() < BATCH_BYTES && !waiting.ended
            })
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.bytes, lines);
        (std::mem::take(&mut waiting.dropped), waiting.ended)
    }
}

impl<'l> MakeWriter<'l> for LogLines {
    type Writer = &'l Self;

    fn make_writer(&'l self) -> Self::Writer {
        self
    }
}

impl Write for &LogLines {
    /// Appends one line: tracing writes each line in one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.lines.0.lock().ended = true;
        self.lines.0.changed.notify_one();
        // A stuck reader must not keep the program from exiting.
        let _ = self.done.recv_timeout(LAST_WRITE);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::SyncSender;

    use super::*;

    /// An output that blocks in each write until the test lets it proceed.
    struct Output {
        blocked: SyncSender<()>,
        proceed: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.blocked.try_send(());
            // Proceeds without the test once the control is dropped.
            let _ = self.proceed.recv();
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The test's side of an output: tells when a write blocks, and releases all writes when `release` is
    /// dropped.
    struct Control {
        is_blocked: Receiver<()>,
        release: SyncSender<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    fn output() -> (Output, Control) {
        let (blocked, is_blocked) = sync_channel(1);
        let (release, proceed) = sync_channel(1);
        let written = Arc::default();
        let output = Output {
            blocked,
            proceed,
            written: Arc::clone(&written),
        };
        let control = Control {
            is_blocked,
            release,
            written,
        };
        (output, control)
    }

    #[test]
    fn dropping_the_guard_writes_all_lines() {
        let (output, control) = output();
        drop(control.release);
        let (lines, guard) = LogLines::start(output, |_| {}).unwrap();
        let mut expected = Vec::new();
        for n in 0..1000 {
            writeln!(&lines, "{n}").unwrap();
            writeln!(expected, "{n}").unwrap();
        }
        drop(guard);
        assert_eq!(*control.written.lock().unwrap(), expected);
    }

    #[test]
    fn stuck_output_drops_lines_and_does_not_block_logging() {
        let (output, control) = output();
        let (report, reported) = sync_channel(1);
        let (lines, guard) = LogLines::start(output, move |dropped| {
            report.send(dropped).unwrap();
        })
        .unwrap();
        (&lines).write_all(b"first\n").unwrap();
        control.is_blocked.recv().unwrap();
        // The thread is stuck writing the first line. The buffer holds four of these seven.
        let line = vec![b'x'; MAX_WAITING / 4];
        for _ in 0..7 {
            (&lines).write_all(&line).unwrap();
        }
        drop(control.release);
        let timeout = Duration::from_secs(10);
        assert_eq!(reported.recv_timeout(timeout), Ok(3));
        drop(guard);
        let written = control.written.lock().unwrap();
        assert_eq!(written.len(), b"first\n".len() + 4 * line.len());
    }
}
