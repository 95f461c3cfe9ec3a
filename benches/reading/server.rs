//! The release binary on a database, as its own process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running server. Dropping it kills the server.
#[derive(Debug)]
pub struct Server {
    /// The private listener.
    pub private: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts it on the database at `path`.
    pub fn start(path: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_green-inbox"))
            .arg("serve")
            .env("GREEN_INBOX__INGEST__LISTEN", "127.0.0.1:0")
            .env("GREEN_INBOX__PRIVATE__LISTEN", "127.0.0.1:0")
            .env("GREEN_INBOX__INGEST__TOKENS", "Bearer bench")
            .env("GREEN_INBOX__STORAGE__PATH", path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let private = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, address) = line.split_once("serving readers at http://")?;
                address.split_whitespace().next()?.parse().ok()
            })
            .expect("the server logs its addresses");
        // Drain further output, so that the pipe never fills up.
        std::thread::spawn(move || lines.for_each(drop));
        Self { private, child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
