//! The real program as a process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::TOKEN;

/// How long a fact may take to come true before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs as a process of its own. It is killed when it is dropped.
pub struct Process {
    pub public: SocketAddr,
    pub private: SocketAddr,
    pub child: Child,
    pub log: Log,
}

/// What a process says on standard error, as it comes.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Said>, Condvar)>);

#[derive(Default)]
struct Said {
    lines: Vec<String>,
    /// Whether it is closed, as the end of the process does.
    closed: bool,
}

impl Log {
    /// Waits for a line that `is_it` is true of.
    pub fn wait_for(&self, is_it: impl Fn(&str) -> bool) -> String {
        self.wait(|said| said.lines.iter().find(|line| is_it(line)).cloned())
    }

    /// All that was said so far; after [`Process::wait`], all.
    pub fn text(&self) -> String {
        // Who waited in vain has poisoned it.
        let said = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.lines.join("\n")
    }

    fn wait<T>(&self, look: impl Fn(&Said) -> Option<T>) -> T {
        let (said, news) = &*self.0;
        let deadline = Instant::now() + PATIENCE;
        let mut said = said.lock().unwrap();
        loop {
            if let Some(found) = look(&said) {
                return found;
            }
            let left = deadline.checked_duration_since(Instant::now());
            let left = left.filter(|_| !said.closed);
            let left = left.unwrap_or_else(|| panic!("it does not come: {:#?}", said.lines));
            said = news.wait_timeout(said, left).unwrap().0;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }
}

/// The program with nothing of the surrounding environment that could configure it.
pub fn program() -> Command {
    // Another program, to see that a test fails with the one before a change.
    let other = std::env::var_os("GREEN_INBOX_TEST_PROGRAM");
    let program = other.unwrap_or_else(|| env!("CARGO_BIN_EXE_green-inbox").into());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GREEN_INBOX") {
            command.env_remove(name);
        }
    }
    command
}

/// `serve` on the database in `folder`, admitting loopback with [`TOKEN`], on ports of its own.
pub fn serve(folder: &Path) -> Command {
    let mut command = program();
    command
        .arg("serve")
        .current_dir(folder)
        .env("GREEN_INBOX__INGEST__LISTEN", "127.0.0.1:0")
        .env("GREEN_INBOX__PRIVATE__LISTEN", "127.0.0.1:0")
        .env("GREEN_INBOX__INGEST__ALLOWED_SOURCES", "127.0.0.1")
        .env("GREEN_INBOX__INGEST__TOKENS", TOKEN)
        .env("GREEN_INBOX__STORAGE__PATH", folder.join("inbox.db"))
        .env("GREEN_INBOX__LOG__FORMAT", "json");
    command
}

/// Runs what has to end by itself, and gives what it said.
pub fn finish(command: &mut Command) -> Output {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id().to_string();
    let (said, output) = mpsc::sync_channel(1);
    thread::spawn(move || said.send(child.wait_with_output()));
    let Ok(output) = output.recv_timeout(PATIENCE) else {
        let _ = Command::new("kill").args(["-s", "KILL", &id]).status();
        panic!("it does not end: {command:?}");
    };
    output.unwrap()
}

impl Process {
    /// `serve` on the database in `folder`, admitting loopback with [`TOKEN`].
    pub fn start(folder: &Path) -> Self {
        Self::with(folder, &[])
    }

    /// The same with more in its environment.
    pub fn with(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = serve(folder);
        command.envs(environment.iter().copied());
        Self::spawn(&mut command)
    }

    /// What [`serve`] gave.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Log::default();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        thread::spawn({
            let log = log.clone();
            move || {
                for line in stderr.lines().map_while(Result::ok) {
                    log.change(|said| said.lines.push(line));
                }
                log.change(|said| said.closed = true);
            }
        });
        let line = log.wait_for(|line| line.contains("serving readers at"));
        let mut addresses = line.split("http://").skip(1).map(|rest| {
            let address = rest.split(['/', '"', ' ']).next().unwrap();
            address.parse().unwrap()
        });
        Self {
            public: addresses.next().unwrap(),
            private: addresses.next().unwrap(),
            child,
            log,
        }
    }

    /// Sends it a signal by its name, as `TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.log.wait(|said| said.closed.then_some(()));
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            // Why the test failed may be there.
            let said = self.log.text();
            let lines: Vec<_> = said.lines().rev().take(20).collect();
            eprintln!("the server said last, newest first:\n{}", lines.join("\n"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
