//! What the program tells systemd, with a socket of the test in place of systemd's.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::Process;
use crate::support::process::{PATIENCE, serve};

/// systemd's side of the socket, and the folder that it is in.
fn supervisor() -> (TempDir, UnixDatagram) {
    let folder = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    (folder, socket)
}

fn supervised(folder: &Path) -> Command {
    let mut command = serve(folder);
    command.env("NOTIFY_SOCKET", folder.join("notify"));
    command
}

/// The next message.
fn message(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[test]
fn start_reload_and_stop_are_reported() {
    let (folder, socket) = supervisor();
    let mut process = Process::spawn(&mut supervised(folder.path()));
    assert_eq!(message(&socket).trim(), "READY=1");
    process.signal("HUP");
    let reloading = message(&socket);
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert_eq!(message(&socket).trim(), "READY=1");
    process.signal("TERM");
    assert_eq!(message(&socket).trim(), "STOPPING=1");
    assert_eq!(process.wait().code(), Some(0));
}

#[test]
fn watchdog_is_pinged_only_while_the_writer_commits() {
    let (folder, socket) = supervisor();
    let mut command = supervised(folder.path());
    let mut process = Process::spawn(command.env("WATCHDOG_USEC", "300000"));
    assert_eq!(message(&socket).trim(), "READY=1");
    for _ in 0..3 {
        assert_eq!(message(&socket).trim(), "WATCHDOG=1");
    }
    // While another program holds the write lock, the writer waits for it.
    let other = Connection::open(folder.path().join("inbox.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    process
        .log
        .wait_for(|line| line.contains("the writer has not answered"));
    other.execute_batch("ROLLBACK").unwrap();
    socket.set_nonblocking(true).unwrap();
    while socket.recv(&mut [0; 64]).is_ok() {}
    socket.set_nonblocking(false).unwrap();
    assert_eq!(message(&socket).trim(), "WATCHDOG=1");
    process.signal("TERM");
    while message(&socket).trim() != "STOPPING=1" {}
    assert_eq!(process.wait().code(), Some(0));
}
