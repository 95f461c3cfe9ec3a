//! A server in the comparison, and how to start it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::options::Options;
use super::{bare, log, naive};

/// A server in the comparison.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    /// What it is and what it stores, in a few words.
    pub(crate) about: String,
    /// The path that receives notifications.
    pub(crate) path: &'static str,
    /// Readers of its event stream while it is under load.
    pub(crate) readers: u32,
    /// Whether it listens for notifications at its second port too.
    pub(crate) has_second: bool,
    /// The port of the files that further messages name while it is under load.
    pub(crate) files: Option<u16>,
    /// The command that starts it.
    start: Box<dyn Fn(&Place) -> Command>,
}

/// The folder and ports that a server is given.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The server's own folder, on the measured disk.
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    /// A second port, for a server with a private listener.
    pub(crate) private_port: u16,
    /// The ports of a second server beside the first.
    pub(crate) second_port: u16,
    pub(crate) second_private_port: u16,
}

impl fmt::Debug for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contestant({})", self.name)
    }
}

impl Contestant {
    pub(crate) fn new(
        name: &'static str,
        about: impl Into<String>,
        path: &'static str,
        start: impl Fn(&Place) -> Command + 'static,
    ) -> Self {
        Self {
            name,
            about: about.into(),
            path,
            readers: 0,
            has_second: false,
            files: None,
            start: Box::new(start),
        }
    }

    fn with_readers(mut self, readers: u32) -> Self {
        self.readers = readers;
        self
    }

    pub(crate) fn with_second(mut self) -> Self {
        self.has_second = true;
        self
    }

    pub(crate) fn with_files(mut self, port: u16) -> Self {
        self.files = Some(port);
        self
    }

    pub(crate) fn command(&self, place: &Place) -> Command {
        let mut command = (self.start)(place);
        command.current_dir(&place.folder);
        command
    }
}

impl Place {
    pub(crate) fn public(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The second server's address for notifications.
    pub(crate) fn second(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.second_port).into()
    }

    pub(crate) fn private(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.private_port).into()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("inbox.db")
    }
}

/// The servers that every run compares. `myself` is this executable.
pub(crate) fn own(myself: &Path, options: &Options) -> Vec<Contestant> {
    let mut own = vec![
        Contestant::new(
            bare::NAME,
            "axum; reads the body and stores nothing",
            "/webhook",
            again(myself, bare::ROLE, None),
        ),
        Contestant::new(
            log::NAME,
            "axum; appends each body to a file, with group commit",
            "/webhook",
            again(myself, log::ROLE, None),
        ),
        Contestant::new(
            naive::NAME,
            "axum and sqlx; one transaction for each request",
            "/webhook",
            again(myself, naive::ROLE, Some(options.naive_pool)),
        ),
        Contestant::new(
            GREEN_INBOX,
            "the program as it is released, with everything enabled",
            "/webhook",
            green_inbox(Path::new(PROGRAM)),
        ),
    ];
    let streamed = Contestant::new(
        STREAMED,
        format!("green-inbox with {READERS} readers of its event stream, as open live views"),
        "/webhook",
        green_inbox(Path::new(env!("CARGO_BIN_EXE_green-inbox"))),
    );
    own.push(streamed.with_readers(READERS));
    if let Some(program) = &options.baseline {
        own.push(Contestant::new(
            BASELINE,
            "the green-inbox given as --baseline",
            "/webhook",
            green_inbox(program),
        ));
    }
    own
}

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_green-inbox");

/// The name of the server under test.
pub(crate) const GREEN_INBOX: &str = "green-inbox";

/// The name of the server under test while its stream is read.
pub(crate) const STREAMED: &str = "streamed";

/// Its readers.
const READERS: u32 = 20;

/// The name of the binary given as `--baseline`.
pub(crate) const BASELINE: &str = "baseline";

/// Runs this executable in another role as its own process, so that its CPU time and memory are
/// counted separately.
fn again(
    myself: &Path,
    role: &'static str,
    more: Option<u32>,
) -> impl Fn(&Place) -> Command + 'static {
    let myself = myself.to_owned();
    move |place| {
        let mut command = Command::new(&myself);
        command.arg(role).arg(place.port.to_string());
        command.arg(place.database());
        command.args(more.map(|more| more.to_string()));
        command
    }
}

/// The configuration of a real service: every gate, behind a proxy on the same machine, log level
/// info.
pub(crate) fn green_inbox(program: &Path) -> impl Fn(&Place) -> Command + 'static {
    let program = program.to_owned();
    move |place| {
        let mut command = Command::new(&program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GREEN_INBOX") {
                command.env_remove(name);
            }
        }
        command
            .arg("serve")
            .env("GREEN_INBOX__INGEST__LISTEN", place.public().to_string())
            .env("GREEN_INBOX__PRIVATE__LISTEN", place.private().to_string())
            .env("GREEN_INBOX__INGEST__TOKENS", super::request::TOKEN)
            .env("GREEN_INBOX__STORAGE__PATH", place.database())
            .env("GREEN_INBOX__LOG__LEVEL", "info")
            .env("GREEN_INBOX__LOG__FORMAT", "json");
        command
    }
}
