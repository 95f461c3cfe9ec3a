//! A PostgreSQL of its own in a temporary folder, on a free port of loopback.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::support::process::PATIENCE;

/// Pause between two looks at a server that starts or stops.
const LOOK: Duration = Duration::from_millis(20);

/// A running server. Dropping it kills the server.
pub struct Postgres {
    pub port: u16,
    folder: TempDir,
    child: Option<Child>,
}

impl Postgres {
    /// A primary without a standby.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A primary with further settings, such as `fsync=off`.
    pub fn with(settings: &[&str]) -> Self {
        let mut server = Self::new();
        let data = server.data();
        run(command("initdb")
            .args(["--no-sync", "-A", "trust", "-U", "inbox", "-E", "UTF8"])
            .arg("--locale=C")
            .arg("-D")
            .arg(&data));
        server.configure(&["fsync=on", "wal_level=replica", "max_wal_senders=8"]);
        server.configure(settings);
        server.run();
        server
    }

    /// A copy of `primary` that follows it under a name.
    pub fn standby(primary: &Self, name: &str) -> Self {
        let mut server = Self::new();
        let address = format!(
            "host=127.0.0.1 port={} user=inbox application_name={name}",
            primary.port
        );
        run(command("pg_basebackup")
            .args(["-R", "--no-sync", "-c", "fast", "-X", "stream"])
            .arg("-d")
            .arg(address)
            .arg("-D")
            .arg(server.data()));
        server.configure(&[]);
        server.run();
        server
    }

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            // The server refuses to run as root.
            let (user, group) = (id("-u"), id("-g"));
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        Self {
            port: free_port(),
            folder,
            child: None,
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Adds settings to the file; they hold from the next start.
    pub fn configure(&self, settings: &[&str]) {
        let file = self.data().join("postgresql.conf");
        let mut text = fs::read_to_string(&file).unwrap();
        text += &format!(
            "\nport = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n",
            self.port
        );
        for setting in settings {
            let (name, value) = setting.split_once('=').unwrap();
            text += &format!("{name} = '{value}'\n");
        }
        fs::write(&file, text).unwrap();
    }

    /// Starts the server and waits until it answers.
    pub fn run(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = fs::File::options()
                .create(true)
                .append(true)
                .open(self.folder.path().join("log"))
                .unwrap();
            let mut child = command("postgres")
                .arg("-D")
                .arg(self.data())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            loop {
                if command("pg_isready")
                    .args([
                        "-q",
                        "-h",
                        "127.0.0.1",
                        "-p",
                        &self.port.to_string(),
                        "-U",
                        "inbox",
                    ])
                    .status()
                    .unwrap()
                    .success()
                {
                    self.child = Some(child);
                    return;
                }
                assert!(
                    Instant::now() < deadline,
                    "PostgreSQL does not start: {}",
                    self.log()
                );
                // After a kill, the memory of the last one may still be in use for a moment.
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                sleep(LOOK);
            }
            sleep(LOOK);
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Kills every process of the server at once.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let children = children_of(child.id());
        let ids = children.iter().map(u32::to_string);
        // The parent first, so that it cannot react to the end of the others.
        let ids: Vec<String> = std::iter::once(child.id().to_string()).chain(ids).collect();
        let _ = Command::new("kill")
            .arg("-KILL")
            .args(&ids)
            .stderr(Stdio::null())
            .status();
        child.wait().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while children.iter().any(|id| is_running(*id)) {
            assert!(
                Instant::now() < deadline,
                "a process of PostgreSQL survived"
            );
            sleep(LOOK);
        }
    }

    /// Suspends or continues the processes of the server: `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id();
        let ids = std::iter::once(id).chain(children_of(id));
        let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
        let _ = Command::new("kill").args(["-s", name]).args(&ids).status();
    }

    /// Suspends what sends to the standbys, as a cut network does.
    pub async fn cut_replication(&self) {
        let client = self.connect().await;
        let senders = client
            .query("SELECT pid FROM pg_stat_replication", &[])
            .await
            .unwrap();
        let ids = senders.iter().map(|row| row.get::<_, i32>(0).to_string());
        run(Command::new("kill").args(["-s", "STOP"]).args(ids));
    }

    /// Turns TLS on, with the files `server.crt` and `server.key` of a folder.
    pub fn encrypt(&self, folder: &Path) {
        for name in ["server.crt", "server.key"] {
            let file = self.data().join(name);
            fs::copy(folder.join(name), &file).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            if is_root() {
                chown(&file, Some(id("-u")), Some(id("-g"))).unwrap();
            }
        }
        self.configure(&["ssl=on"]);
        self.reload();
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        run(command("pg_ctl")
            .args(["promote", "-w", "-D"])
            .arg(self.data()));
    }

    /// Reads the settings again.
    pub fn reload(&self) {
        run(command("pg_ctl").args(["reload", "-D"]).arg(self.data()));
    }

    /// The host and port, as they are written in a URL.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of the database of the nodes.
    pub fn url(&self) -> String {
        format!("postgres://inbox@{}/postgres", self.host())
    }

    /// A connection of the test.
    pub async fn connect(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Waits until a query returns `true`.
    pub async fn wait_for(&self, sql: &str) {
        let client = self.connect().await;
        let deadline = Instant::now() + PATIENCE;
        while !client.query_one(sql, &[]).await.unwrap().get::<_, bool>(0) {
            assert!(Instant::now() < deadline, "never true: {sql}");
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().rev().take(15).collect();
            eprintln!(
                "last lines of PostgreSQL {}, newest first:\n{}",
                self.port,
                lines.join("\n")
            );
        }
    }
}

/// A program of PostgreSQL, run as the user `postgres` if the test runs as root.
fn command(program: &str) -> Command {
    let path = programs().join(program);
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
        .arg(path)
        .current_dir("/");
    command
}

/// The folder of PostgreSQL's programs: the newest version of Debian's packages.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let newest = versions
        .map(|version| version.unwrap().path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .max();
    newest.expect("the server of PostgreSQL is installed")
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn id(kind: &str) -> u32 {
    let output = Command::new("id")
        .args([kind, "postgres"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap();
    let ids = processes.filter_map(|one| one.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).collect()
}

/// The fourth value of the line; the second, in parentheses, may have spaces.
fn parent_of(id: u32) -> Option<u32> {
    let line = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat")).ok()?;
    line.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn is_running(id: u32) -> bool {
    let line = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat"));
    // A zombie has ended.
    line.is_ok_and(|line| !line.contains(") Z "))
}
