//! Slow clients: thousands of connections that send a byte now and then keep nobody waiting.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, timeout};

use crate::rig::bodies::Size;
use crate::rig::usage::Usage;
use crate::rig::{Bodies, alone, setting};
use crate::support::client::try_request;
use crate::support::process::PATIENCE;
use crate::support::{Connection, Process, TOKEN};

/// Connections that are never done.
const HALF_OPEN: u64 = 5000;

/// What the server holds by default.
const PLACES: u64 = 4096;

/// Each sends a byte as often.
const BYTE_EVERY: Duration = Duration::from_secs(5);

/// They do not all send at once.
const PARTS: u32 = 50;

/// Descriptors that a process with so many connections needs.
const DESCRIPTORS: usize = 12_000;

/// What GREEN-API's requests may take, 99 of 100.
const P99: Duration = Duration::from_millis(100);

const GREEN_API: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// On no list of the server.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Strangers have a few of the places, however many they are.
#[test]
fn strangers_keep_nobody_waiting() {
    alone(async {
        let server = Server::start(&[]);
        let _crowd = Crowd::gather(server.public(), STRANGER, HALF_OPEN).await;
        let (p99, refused) = measure(server.public()).await;
        let held = server.held();
        println!(
            "{HALF_OPEN} half-open connections of strangers, {held} of them held: p99 {p99:.1?}, \
             {refused} refused"
        );
        assert_eq!(refused, 0);
        assert!(p99 < P99, "{p99:?}");
        assert!(held < PLACES / 8, "{held}");
    });
}

/// As many as there are places for, from an address that may send: they are held and cost nothing.
#[test]
fn slow_clients_that_are_held_keep_nobody_waiting() {
    alone(async {
        let server = Server::start(&[]);
        let _crowd = Crowd::gather(server.public(), GREEN_API, PLACES - 100).await;
        let (p99, refused) = measure(server.public()).await;
        let held = server.held();
        println!(
            "{held} half-open connections from an allowed address: p99 {p99:.1?}, {refused} refused"
        );
        assert!(held > PLACES - 200, "{held}");
        assert_eq!(refused, 0);
        assert!(p99 < P99, "{p99:?}");
    });
}

/// The control: whoever may send can take all places. That is what strangers could do, if they were
/// not told apart.
#[test]
fn whoever_may_send_can_take_all_places() {
    alone(async {
        let both = "127.0.0.1,127.0.0.2";
        let server = Server::start(&[("GREEN_INBOX__INGEST__ALLOWED_SOURCES", both)]);
        let _crowd = Crowd::gather(server.public(), STRANGER, HALF_OPEN).await;
        let is_taken = once(server.public(), "{}".to_owned()).await;
        let held = server.held();
        println!("{held} half-open connections from an allowed address: a new one is refused");
        assert!(
            !is_taken && held >= PLACES,
            "the experiment takes no places"
        );
    });
}

/// A server, and how many connections it holds.
struct Server {
    process: Process,
    folder: TempDir,
    /// Descriptors that it has without connections.
    idle: u64,
}

impl Server {
    fn start(environment: &[(&str, &str)]) -> Self {
        // The limit of this process is what the server inherits.
        let done = Command::new("prlimit")
            .args(["--pid", &std::process::id().to_string()])
            .arg(format!("--nofile={DESCRIPTORS}:"))
            .status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "{DESCRIPTORS} descriptors are needed: see `ulimit -Hn`"
        );
        let folder = tempfile::tempdir().unwrap();
        let process = Process::with(folder.path(), environment);
        let idle = Usage::of(&process, folder.path()).descriptors;
        Self {
            process,
            folder,
            idle,
        }
    }

    fn public(&self) -> SocketAddr {
        self.process.public
    }

    /// Connections that are open, some of which it may be about to close.
    fn held(&self) -> u64 {
        Usage::of(&self.process, self.folder.path()).descriptors - self.idle
    }
}

/// Half-open connections, each renewed when the server has closed it.
struct Crowd(JoinHandle<()>);

impl Crowd {
    /// Gives it when all have connected once.
    async fn gather(server: SocketAddr, from: IpAddr, count: u64) -> Self {
        let (told, gathered) = oneshot::channel();
        let busy = tokio::spawn(async move {
            let members_of_part = usize::try_from(count.div_ceil(PARTS.into())).unwrap();
            let mut members: Vec<Option<TcpStream>> = (0..count).map(|_| None).collect();
            for member in &mut members {
                go_on(member, server, from).await;
            }
            let _ = told.send(());
            let mut tick = interval(BYTE_EVERY / PARTS);
            loop {
                for part in members.chunks_mut(members_of_part) {
                    tick.tick().await;
                    for member in part {
                        go_on(member, server, from).await;
                    }
                }
            }
        });
        let gathered = timeout(PATIENCE, gathered).await;
        gathered.expect("so many can connect").unwrap();
        Self(busy)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The next byte of a head that has no end, on a new connection where there is none.
async fn go_on(member: &mut Option<TcpStream>, server: SocketAddr, from: IpAddr) {
    if let Some(stream) = member
        && is_open(Some(stream))
        && stream.try_write(b"~").is_ok()
    {
        return;
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    let stream = socket.connect(server).await.unwrap();
    // It may be closed already.
    let _ = stream.try_write(b"POST /webhook HTTP/1.1\r\nx-slow: ");
    *member = Some(stream);
}

/// Whether the server has said nothing and not closed.
fn is_open(member: Option<&TcpStream>) -> bool {
    member.is_some_and(|stream| {
        let said = stream.try_read(&mut [0; 512]);
        said.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    })
}

/// Plays GREEN-API for a while, on connections that stay and on new ones; p99 and how often it was
/// not answered 200.
async fn measure(server: SocketAddr) -> (Duration, usize) {
    let length = Duration::from_secs(setting("FAULTS_SLOW_CLIENTS_SECONDS", 6));
    let bodies = Bodies::new(Size::Bytes(1024));
    let mut kept = Connection::open(server).await.unwrap();
    let mut took = Vec::new();
    let mut refused = 0;
    let end = Instant::now() + length;
    let mut tick = interval(Duration::from_millis(5));
    while Instant::now() < end {
        tick.tick().await;
        let body = bodies.body(bodies.next());
        let begun = Instant::now();
        let is_taken = if took.len() % 2 == 0 {
            kept.post(body)
                .await
                .is_ok_and(|answer| answer.status == 200)
        } else {
            once(server, String::from_utf8(body.to_vec()).unwrap()).await
        };
        took.push(begun.elapsed());
        refused += usize::from(!is_taken);
    }
    took.sort();
    (took[took.len() * 99 / 100], refused)
}

/// A notification on a connection of its own, and whether it was taken.
async fn once(server: SocketAddr, body: String) -> bool {
    let headers = [("authorization", TOKEN)];
    let answer = try_request(server, hyper::Method::POST, "/webhook", &headers, body).await;
    answer.is_ok_and(|answer| answer.status == 200)
}
