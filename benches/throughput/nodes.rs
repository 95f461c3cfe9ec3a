//! green-inbox as one of several nodes on a PostgreSQL of its own: what sharing costs.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Failure;
use super::contestant::{Contestant, GREEN_INBOX, Place, green_inbox};
use super::goals::Standard;

/// One node.
pub(crate) const ONE: &str = "node";

/// Two nodes that share the load.
pub(crate) const TWO: &str = "two-nodes";

/// The subcommand of this executable that runs two nodes.
pub(crate) const ROLE: &str = "serve-two-nodes";

/// Longest time until PostgreSQL or a node answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// PostgreSQL without a standby, in a folder on the measured disk. Dropping it kills the server and removes the folder.
pub(crate) struct Postgres {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Postgres {
    /// Makes a database cluster in `folder`, which must not exist, and starts it with PostgreSQL's defaults.
    pub(crate) fn start(folder: PathBuf) -> Result<Self, Failure> {
        fs::create_dir(&folder)?;
        if let Some((user, group)) = server_user()? {
            chown(&folder, Some(user), Some(group))?;
        }
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = free.local_addr()?.port();
        drop(free);
        let data = folder.join("data");
        let made = program("initdb")?
            .args([
                "--no-sync",
                "-A",
                "trust",
                "-U",
                "inbox",
                "-E",
                "UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data)
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            return Err("initdb failed".into());
        }
        let child = program("postgres")?
            .arg("-D")
            .arg(&data)
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
            ])
            .args(["-c", &format!("port={port}")])
            .stdin(Stdio::null())
            .stderr(File::create(folder.join("log"))?)
            .spawn()?;
        let server = Self {
            child,
            folder,
            port,
        };
        let deadline = Instant::now() + PATIENCE;
        while !server.psql("postgres", "SELECT 1")? {
            if Instant::now() > deadline {
                return Err("PostgreSQL does not start".into());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// The servers to compare. Each has a database of its own.
    pub(crate) fn contestants(
        &self,
        myself: &Path,
        green: &Path,
    ) -> Result<[Contestant; 2], Failure> {
        let psql = program("psql")?;
        let psql = PathBuf::from(psql.get_program());
        let (port, start, myself) = (self.port, green_inbox(green), myself.to_owned());
        let database = move |place: &Place| {
            // Without its database the server does not start, which is reported.
            let name = format!("inbox{}", place.port);
            let _ = ask(&psql, port, "postgres", &format!("CREATE DATABASE {name}"));
            format!("postgres://inbox@127.0.0.1:{port}/{name}")
        };
        let alone = database.clone();
        let one = Contestant::new(
            ONE,
            "green-inbox as the only node on PostgreSQL",
            "/webhook",
            move |place| {
                let mut command = start(place);
                command.env("GREEN_INBOX__STORAGE__URL", alone(place));
                command
            },
        );
        let program = green.to_owned();
        let two = Contestant::new(
            TWO,
            "two nodes of green-inbox on one PostgreSQL; each gets half of the connections",
            "/webhook",
            move |place| {
                let mut command = Command::new(&myself);
                command.arg(ROLE).arg(&program).arg(database(place));
                for port in [
                    place.port,
                    place.private_port,
                    place.second_port,
                    place.second_private_port,
                ] {
                    command.arg(port.to_string());
                }
                command
            },
        );
        Ok([one, two.with_second()])
    }

    /// Whether PostgreSQL has executed a statement.
    fn psql(&self, database: &str, sql: &str) -> Result<bool, Failure> {
        let psql = program("psql")?;
        Ok(ask(
            Path::new(psql.get_program()),
            self.port,
            database,
            sql,
        )?)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn ask(psql: &Path, port: u16, database: &str, sql: &str) -> io::Result<bool> {
    let status = Command::new(psql)
        .args([
            "-q",
            "-X",
            "-h",
            "127.0.0.1",
            "-U",
            "inbox",
            "-p",
            &port.to_string(),
        ])
        .args(["-d", database, "-c", sql])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(status.success())
}

/// Runs two nodes in the current folder until it is killed, the first at the first two of `ports`.
pub(crate) fn serve(green: &Path, url: &str, ports: &[u16]) -> Result<(), Failure> {
    let &[port, private_port, second_port, second_private_port] = ports else {
        return Err("four ports are needed".into());
    };
    let folder = std::env::current_dir()?;
    let node = |name: &str, port, private_port| -> Result<Child, Failure> {
        let folder = folder.join(name);
        fs::create_dir(&folder)?;
        let place = Place {
            folder,
            port,
            private_port,
            second_port: 0,
            second_private_port: 0,
        };
        let mut command = green_inbox(green)(&place);
        Ok(command.env("GREEN_INBOX__STORAGE__URL", url).spawn()?)
    };
    // The comparison waits for the first one.
    let mut second = node("second", second_port, second_private_port)?;
    let deadline = Instant::now() + PATIENCE;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, second_port));
    while TcpStream::connect(address).is_err() {
        if Instant::now() > deadline {
            return Err("the second node does not start".into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    let mut first = node("first", port, private_port)?;
    let ended = first.wait()?;
    second.kill()?;
    Err(format!("the first node ended: {ended}").into())
}

/// What sharing may cost. `rate` returns the requests a second of a server with a number of connections.
pub(crate) fn goals(rate: &impl Fn(&'static str, u32) -> Option<f64>) -> [Standard; 2] {
    [
        Standard::ratio(
            "requests/s of a node on PostgreSQL, relative to SQLite, 64 connections",
            rate(ONE, 64)
                .zip(rate(GREEN_INBOX, 64))
                .map(|(node, alone)| node / alone),
            0.3,
            0.6,
        ),
        Standard::ratio(
            "requests/s of two nodes together, relative to one, 64 connections",
            rate(TWO, 64).zip(rate(ONE, 64)).map(|(two, one)| two / one),
            0.9,
            0.9,
        ),
    ]
}

/// A program of PostgreSQL, under its own user if this is root: the server refuses to run as root.
fn program(name: &str) -> Result<Command, Failure> {
    let versions =
        fs::read_dir("/usr/lib/postgresql").map_err(|_| "PostgreSQL is not installed")?;
    let newest = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin").join(name)))
        .filter(|path| path.exists())
        .max()
        .ok_or("PostgreSQL is not installed; help: apt install postgresql")?;
    let mut command = Command::new(newest);
    if let Some((user, group)) = server_user()? {
        use std::os::unix::process::CommandExt;
        command.uid(user).gid(group).current_dir("/");
    }
    Ok(command)
}

/// The user and group of PostgreSQL's server. `None` if this user may run it.
fn server_user() -> Result<Option<(u32, u32)>, Failure> {
    if !rustix::process::getuid().is_root() {
        return Ok(None);
    }
    let id = |flag| -> Result<u32, Failure> {
        let output = Command::new("id").args([flag, "postgres"]).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    };
    Ok(Some((id("-u")?, id("-g")?)))
}
