//! A process with a lower priority that plays other machines. Dropping it kills the process.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Failure;

/// Niceness: elsewhere it would have a machine of its own.
const NICENESS: &str = "10";

/// The process.
pub(crate) struct Niced {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
}

impl Niced {
    /// Starts `myself`, which is this executable, in the role `role` with a port and `more` arguments.
    pub(crate) fn start(myself: &Path, role: &str, more: &[&str]) -> Result<Self, Failure> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = free.local_addr()?.port();
        drop(free);
        let child = Command::new("nice")
            .args(["-n", NICENESS])
            .arg(myself)
            .args([role, &port.to_string()])
            .args(more)
            .stdin(Stdio::null())
            .spawn()?;
        Ok(Self { child, port })
    }
}

impl Drop for Niced {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
