//! The real program as a process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::TOKEN;

/// How long a test waits for something to happen before it fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server in a process of its own. Dropping it kills the process.
pub struct Process {
    pub public: SocketAddr,
    pub private: SocketAddr,
    pub child: Child,
    pub log: Log,
}

/// The standard error of a process, line by line as it is written.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Captured>, Condvar)>);

#[derive(Default)]
struct Captured {
    lines: Vec<String>,
    /// Whether standard error is closed, as it is once the process has ended.
    closed: bool,
}

impl Log {
    /// Captures what is written to a pipe.
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        thread::spawn({
            let log = log.clone();
            move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    log.change(|captured| captured.lines.push(line));
                }
                log.change(|captured| captured.closed = true);
            }
        });
        log
    }

    /// Waits for a line for which `matches` returns true.
    pub fn wait_for(&self, matches: impl Fn(&str) -> bool) -> String {
        self.wait(|captured| captured.lines.iter().find(|line| matches(line)).cloned())
    }

    /// Waits for the line number `nth`, from 0, of those for which `matches` returns true.
    pub fn wait_for_nth(&self, nth: usize, matches: impl Fn(&str) -> bool) -> String {
        self.wait(|captured| {
            let mut found = captured.lines.iter().filter(|line| matches(line));
            found.nth(nth).cloned()
        })
    }

    /// All lines so far; after [`Process::wait`], the complete output.
    pub fn text(&self) -> String {
        // A wait that timed out has poisoned the mutex.
        let captured = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        captured.lines.join("\n")
    }

    fn wait<T>(&self, look: impl Fn(&Captured) -> Option<T>) -> T {
        let (captured, changed) = &*self.0;
        let deadline = Instant::now() + PATIENCE;
        let mut captured = captured.lock().unwrap();
        loop {
            if let Some(found) = look(&captured) {
                return found;
            }
            let left = deadline.checked_duration_since(Instant::now());
            let left = left.filter(|_| !captured.closed);
            let left = left.unwrap_or_else(|| {
                panic!("the expected output did not appear: {:#?}", captured.lines)
            });
            captured = changed.wait_timeout(captured, left).unwrap().0;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Captured)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }
}

/// The program without the environment variables that could configure it.
pub fn program() -> Command {
    // Another build of the program, to check that a test fails without a change.
    let other = std::env::var_os("GREEN_INBOX_TEST_PROGRAM");
    let built = option_env!("CARGO_BIN_EXE_green-inbox");
    let program = other.or(built.map(Into::into));
    let program = program.expect("the program is built, or named by GREEN_INBOX_TEST_PROGRAM");
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GREEN_INBOX") {
            command.env_remove(name);
        }
    }
    command
}

/// `serve` on the database in `folder`, accepting loopback with [`TOKEN`], on ports of its own.
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

/// Runs a command that must end by itself and returns its output.
pub fn finish(command: &mut Command) -> Output {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id().to_string();
    let (sender, output) = mpsc::sync_channel(1);
    thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = output.recv_timeout(PATIENCE) else {
        let _ = Command::new("kill").args(["-s", "KILL", &id]).status();
        panic!("the command did not end: {command:?}");
    };
    output.unwrap()
}

impl Process {
    /// Runs `serve` on the database in `folder`, accepting loopback with [`TOKEN`].
    pub fn start(folder: &Path) -> Self {
        Self::with(folder, &[])
    }

    /// Like [`Process::start`], with these environment variables as well.
    pub fn with(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = serve(folder);
        command.envs(environment.iter().copied());
        Self::spawn(&mut command)
    }

    /// Spawns a command made by [`serve`] and waits until it listens.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Log::of(child.stderr.take().unwrap());
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

    /// Sends a signal by its name, such as `TERM`.
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

    /// Waits until the process has ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.log.wait(|captured| captured.closed.then_some(()));
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            // The last lines may tell why the test failed.
            let text = self.log.text();
            let lines: Vec<_> = text.lines().rev().take(20).collect();
            eprintln!(
                "last lines of the server, newest first:\n{}",
                lines.join("\n")
            );
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
