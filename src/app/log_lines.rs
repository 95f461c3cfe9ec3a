//! Lines of the log on their way to a reader who may be slow.
//!
//! Who says a line only puts it behind the others, in memory: a full pipe never stands between a
//! commit and its answer. A thread writes what has gathered. It is woken once for all lines of some
//! milliseconds, because waking it for each cost as much as writing the line.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Bytes that wait at most; lines over this are dropped, and counted.
const MAX_WAITING: usize = 1024 * 1024;

/// Lines are written together that are said within this time.
const GATHERING: Duration = Duration::from_millis(20);

/// So many bytes are written without waiting for more.
const MANY: usize = MAX_WAITING / 4;

/// How long the end waits for a reader.
const LAST: Duration = Duration::from_secs(1);

/// Takes lines. It never waits for who reads them.
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

/// Writes the lines that wait when it is dropped.
#[derive(Debug)]
pub(super) struct Guard {
    lines: LogLines,
    done: Receiver<()>,
}

impl LogLines {
    /// Starts the thread that writes to `reader`. `tell` says how many lines were dropped.
    pub(super) fn start(
        reader: impl Write + Send + 'static,
        tell: impl Fn(u64) + Send + 'static,
    ) -> io::Result<(Self, Guard)> {
        let lines = Self::default();
        let (end, done) = sync_channel(1);
        let shared = Arc::clone(&lines.0);
        thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || {
                shared.write_to(reader, tell);
                // Nobody may be waiting for it.
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
    /// A panic while a line was put leaves whole lines, or a part of the last.
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
        let is_many = before < MANY && waiting.bytes.len() >= MANY;
        drop(waiting);
        if before == 0 || is_many {
            self.changed.notify_one();
        }
    }

    fn write_to(&self, mut reader: impl Write, tell: impl Fn(u64)) {
        let mut lines = Vec::new();
        loop {
            let (dropped, ended) = self.gather(&mut lines);
            // Where nobody reads, there is nobody to tell it to.
            let _ = reader.write_all(&lines).and_then(|()| reader.flush());
            lines.clear();
            if dropped > 0 {
                tell(dropped);
            } else if ended {
                return;
            }
        }
    }

    /// Waits for lines, and takes them: how many were dropped, and whether no more will come.
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
            .wait_timeout_while(waiting, GATHERING, |waiting| {
                waiting.bytes.len() < MANY && !waiting.ended
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
    /// A line comes whole.
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
        // Where the reader is stuck, the end does not wait for it.
        let _ = self.done.recv_timeout(LAST);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::SyncSender;

    use super::*;

    /// A reader who reads when it is let.
    struct Reader {
        asks: SyncSender<()>,
        may: Receiver<()>,
        read: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.asks.try_send(());
            // It reads on where the test has gone.
            let _ = self.may.recv();
            self.read.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The test's hand: it is told that the reader wants to read, and lets it by letting go.
    struct Hand {
        asked: Receiver<()>,
        lets: SyncSender<()>,
        read: Arc<Mutex<Vec<u8>>>,
    }

    fn reader() -> (Reader, Hand) {
        let (asks, asked) = sync_channel(1);
        let (lets, may) = sync_channel(1);
        let read = Arc::default();
        let reader = Reader {
            asks,
            may,
            read: Arc::clone(&read),
        };
        (reader, Hand { asked, lets, read })
    }

    #[test]
    fn all_lines_are_written_before_the_end() {
        let (reader, Hand { lets, read, .. }) = reader();
        drop(lets);
        let (lines, guard) = LogLines::start(reader, |_| {}).unwrap();
        let mut said = Vec::new();
        for n in 0..1000 {
            writeln!(&lines, "{n}").unwrap();
            writeln!(said, "{n}").unwrap();
        }
        drop(guard);
        assert_eq!(*read.lock().unwrap(), said);
    }

    #[test]
    fn who_says_lines_does_not_wait_for_a_reader_who_is_stuck() {
        let (reader, Hand { asked, lets, read }) = reader();
        let (told, tells) = sync_channel(1);
        let (lines, guard) = LogLines::start(reader, move |dropped| {
            told.send(dropped).unwrap();
        })
        .unwrap();
        (&lines).write_all(b"first\n").unwrap();
        asked.recv().unwrap();
        // It is stuck at the first; a few of these find room.
        let line = vec![b'x'; MAX_WAITING / 4];
        for _ in 0..7 {
            (&lines).write_all(&line).unwrap();
        }
        drop(lets);
        let patience = Duration::from_secs(10);
        assert_eq!(tells.recv_timeout(patience), Ok(3));
        drop(guard);
        let read = read.lock().unwrap();
        assert_eq!(read.len(), b"first\n".len() + 4 * line.len());
    }
}
