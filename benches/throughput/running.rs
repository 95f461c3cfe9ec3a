//! A server that runs, in a folder of its own, until it is dropped.

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

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a server may take after the load until all is derived.
const DERIVING: Duration = Duration::from_mins(2);

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// A server that runs. It is killed when it is dropped, and what it kept is removed.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) place: Place,
    child: Child,
    _folder: TempDir,
}

impl Running {
    /// Starts it on an empty folder within `folders` and waits until it has taken a notification.
    /// What it says goes to a file in `logs`, or nowhere.
    pub(crate) fn start(
        contestant: &Contestant,
        composer: &mut Composer,
        folders: &Path,
        logs: Option<&Path>,
    ) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{}-", contestant.name))
            .tempdir_in(folders)?;
        let [port, private_port] = free_ports()?;
        let place = Place {
            folder: folder.path().to_owned(),
            port,
            private_port,
        };
        let said = || match logs {
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
            .stdout(said()?)
            .stderr(said()?)
            .spawn()?;
        let mut running = Self {
            place,
            child,
            _folder: folder,
        };
        running.wait_until_it_answers(composer)?;
        Ok(running)
    }

    /// The processes of the server.
    pub(crate) fn processes(&self) -> Vec<u32> {
        accounting::tree(self.child.id())
    }

    /// `GET` from its private listener: JSON, where it has such an address.
    pub(crate) fn ask(&self, path: &str) -> Option<Value> {
        let address = self.place.private();
        let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        let said = exchange(address, head.as_bytes()).ok()?;
        let body = memchr::memmem::find(&said, b"\r\n\r\n")? + 4;
        answer::read(&said).filter(|answer| answer.is_ok)?;
        serde_json::from_slice(&said[body..]).ok()
    }

    /// Waits until all that it stored is derived: how many events that is. Nothing where it derives
    /// nothing or does not come to an end.
    pub(crate) fn derived(&self) -> Option<u64> {
        let deadline = Instant::now() + DERIVING;
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

    fn wait_until_it_answers(&mut self, composer: &mut Composer) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        // Far from the numbers of the load.
        let mut number = u64::MAX;
        loop {
            let seconds = u64::try_from(Clock::system().now().0 / 1000)?;
            if said_ok(self.place.public(), composer.request(number, seconds)) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(
                    format!("it ended ({status}); --logs FOLDER keeps what it said").into(),
                );
            }
            if Instant::now() > deadline {
                return Err("it does not answer 200; --logs FOLDER keeps what it said".into());
            }
            number -= 1;
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let processes = self.processes();
        // The first, or it would start the others again.
        let _ = self.child.kill();
        for process in processes.into_iter().skip(1) {
            let process = i32::try_from(process).ok().and_then(Pid::from_raw);
            // It may have ended with the first.
            let _ = process.map(|process| kill_process(process, Signal::KILL));
        }
        let _ = self.child.wait();
    }
}

fn said_ok(address: SocketAddr, request: &[u8]) -> bool {
    let said = TcpStream::connect(address).and_then(|mut stream| {
        stream.set_read_timeout(Some(ANSWER))?;
        stream.write_all(request)?;
        let mut buffer = [0; 4096];
        let mut said = Vec::new();
        loop {
            let read = stream.read(&mut buffer)?;
            said.extend_from_slice(&buffer[..read]);
            let answer = answer::read(&said);
            if read == 0 || answer.is_some() {
                return Ok(answer);
            }
        }
    });
    said.is_ok_and(|answer| answer.is_some_and(|answer| answer.is_ok))
}

/// Sends this and reads until the server closes.
fn exchange(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.write_all(request)?;
    let mut said = Vec::new();
    stream.read_to_end(&mut said)?;
    Ok(said)
}

/// Ports that nobody listens on.
fn free_ports() -> std::io::Result<[u16; 2]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (one, other) = (bind()?, bind()?);
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}
