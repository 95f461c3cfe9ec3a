//! The real program as a process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex, mpsc};
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
pub struct Log(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Log {
    /// Waits for a line that `is_it` is true of.
    pub fn wait_for(&self, is_it: impl Fn(&str) -> bool) -> String {
        let (lines, news) = &*self.0;
        let deadline = Instant::now() + PATIENCE;
        let mut lines = lines.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| is_it(line)) {
                return line.clone();
            }
            let left = deadline.checked_duration_since(Instant::now());
            let left = left.unwrap_or_else(|| panic!("no such line in {lines:#?}"));
            lines = news.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// All that was said so far.
    pub fn text(&self) -> String {
        self.0.0.lock().unwrap().join("\n")
    }
}

/// The program with nothing of the surrounding environment that could configure it.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_green-inbox"));
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
                    log.0.0.lock().unwrap().push(line);
                    log.0.1.notify_all();
                }
            }
        });
        let line = log.wait_for(|line| line.contains("giving them back at"));
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
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
