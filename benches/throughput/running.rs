//! A running server in its own folder; dropping it kills the server.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use green_inbox::clock::Clock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::Failure;
use super::accounting;
use super::answer;
use super::contestant::{Contestant, Place};
use super::request::Composer;

/// Longest time until a started server responds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest time after the load until the projection has caught up.
const PROJECTION_PATIENCE: Duration = Duration::from_mins(2);

/// Longest time for one response.
const ANSWER: Duration = Duration::from_secs(5);

/// A running server. Dropping it kills the server and removes its folder.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) place: Place,
    child: Child,
    _folder: TempDir,
}

impl Running {
    /// Starts the server on an empty folder within `folders` and waits until it has accepted a
    /// notification. Its output goes to a file in `logs`, or to `/dev/null`.
    pub(crate) fn start(
        contestant: &Contestant,
        composer: &mut Composer,
        folders: &Path,
        logs: Option<&Path>,
    ) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{}-", contestant.name))
            .tempdir_in(folders)?;
        let [port, private_port, second_port, second_private_port] = free_ports()?;
        let place = Place {
            folder: folder.path().to_owned(),
            port,
            private_port,
            second_port,
            second_private_port,
        };
        let output = || match logs {
            Some(logs) => File::options()
                .create(true)
                .append(true)
                .open(logs.join(format!("{}.log", contestant.name)))
                .map(Stdio::from),
            None => Ok(Stdio::null()),
        };
        let child = contestant
            .command(&place)
            .stdin(Stdio::null())
            .stdout(output()?)
            .stderr(output()?)
            .spawn()?;
        let mut running = Self {
            place,
            child,
            _folder: folder,
        };
        running.wait_until_ready(composer)?;
        Ok(running)
    }

    /// The process ids of the server and its children.
    pub(crate) fn processes(&self) -> Vec<u32> {
        accounting::tree(self.child.id())
    }

    /// Sends `GET` to the private listener. Returns the JSON body, or `None` if the server has no
    /// such endpoint.
    pub(crate) fn ask(&self, path: &str) -> Option<Value> {
        let address = self.place.private();
        let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        let received = exchange(address, head.as_bytes()).ok()?;
        let body = memchr::memmem::find(&received, b"\r\n\r\n")? + 4;
        answer::read(&received).filter(|answer| answer.is_ok)?;
        serde_json::from_slice(&received[body..]).ok()
    }

    /// Waits until the projection has caught up and returns the number of events. `None` if the
    /// server has no projection or does not catch up in time.
    pub(crate) fn wait_until_projected(&self) -> Option<u64> {
        let deadline = Instant::now() + PROJECTION_PATIENCE;
        while Instant::now() < deadline {
            let stats = self.ask("/api/v1/stats")?;
            let newest = stats["newestSeq"].as_u64()?;
            if stats["derivedSeq"].as_u64()? >= newest {
                return Some(newest);
            }
            thread::sleep(Duration::from_millis(100));
        }
        None
    }

    fn wait_until_ready(&mut self, composer: &mut Composer) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        // Count down from the maximum, far from the numbers that the load uses.
        let mut number = u64::MAX;
        loop {
            let seconds = u64::try_from(Clock::system().now().0 / 1000)?;
            if responds_200(self.place.public(), composer.request(number, seconds)) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!(
                    "the server exited ({status}); help: --logs FOLDER keeps its output"
                )
                .into());
            }
            if Instant::now() > deadline {
                return Err(
                    "the server does not respond 200; help: --logs FOLDER keeps its output".into(),
                );
            }
            number -= 1;
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let processes = self.processes();
        // Kill the parent first, or it would restart its children.
        let _ = self.child.kill();
        for process in processes.into_iter().skip(1) {
            let process = i32::try_from(process).ok().and_then(Pid::from_raw);
            // The child may have exited with its parent.
            let _ = process.map(|process| kill_process(process, Signal::KILL));
        }
        let _ = self.child.wait();
    }
}

fn responds_200(address: SocketAddr, request: &[u8]) -> bool {
    let received = TcpStream::connect(address).and_then(|mut stream| {
        stream.set_read_timeout(Some(ANSWER))?;
        stream.write_all(request)?;
        let mut buffer = [0; 4096];
        let mut received = Vec::new();
        loop {
            let read = stream.read(&mut buffer)?;
            received.extend_from_slice(&buffer[..read]);
            let answer = answer::read(&received);
            if read == 0 || answer.is_some() {
                return Ok(answer);
            }
        }
    });
    received.is_ok_and(|answer| answer.is_some_and(|answer| answer.is_ok))
}

/// Sends a request and reads until the server closes the connection.
fn exchange(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.write_all(request)?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    Ok(received)
}

/// Four free ports.
fn free_ports() -> std::io::Result<[u16; 4]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let held = [bind()?, bind()?, bind()?, bind()?];
    let mut ports = [0; 4];
    for (port, listener) in ports.iter_mut().zip(&held) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}
