//! Slow clients: thousands of connections that send a byte now and then delay no other client.

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

/// Connections whose request never completes.
const HALF_OPEN: u64 = 5000;

/// Connections that the server holds by default.
const MAX_CONNECTIONS: u64 = 4096;

/// Interval between two bytes on each connection.
const BYTE_EVERY: Duration = Duration::from_secs(5);

/// Groups that send in turn, so that not all connections send at once.
const PARTS: u32 = 50;

/// Descriptors that a process with this many connections needs.
const DESCRIPTORS: usize = 12_000;

/// Longest p99 allowed for GREEN-API's requests.
const P99: Duration = Duration::from_millis(100);

const GREEN_API: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An address that is not in `ingest.allowed_sources`.
const UNLISTED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Unlisted peers hold only a small share of the connections, however many connect.
#[test]
fn slow_unlisted_peers_delay_nobody() {
    alone(async {
        let server = Server::start(&[]);
        let _crowd = Crowd::gather(server.public(), UNLISTED, HALF_OPEN).await;
        let (p99, refused) = measure(server.public()).await;
        let held = server.held();
        println!(
            "{HALF_OPEN} half-open connections of unlisted peers, {held} held: p99 {p99:.1?}, \
             {refused} refused"
        );
        assert_eq!(refused, 0);
        assert!(p99 < P99, "{p99:?}");
        assert!(held < MAX_CONNECTIONS / 8, "{held}");
    });
}

/// Nearly as many connections as the server holds, from a listed address: they are held, and they
/// delay nobody.
#[test]
fn slow_listed_clients_delay_nobody() {
    alone(async {
        let server = Server::start(&[]);
        let _crowd = Crowd::gather(server.public(), GREEN_API, MAX_CONNECTIONS - 100).await;
        let (p99, refused) = measure(server.public()).await;
        let held = server.held();
        println!(
            "{held} half-open connections from an allowed address: p99 {p99:.1?}, {refused} refused"
        );
        assert!(held > MAX_CONNECTIONS - 200, "{held}");
        assert_eq!(refused, 0);
        assert!(p99 < P99, "{p99:?}");
    });
}

/// The control: listed clients can take every connection. So could unlisted peers if the server did
/// not limit them.
#[test]
fn listed_clients_can_take_every_connection() {
    alone(async {
        let both = "127.0.0.1,127.0.0.2";
        let server = Server::start(&[("GREEN_INBOX__INGEST__ALLOWED_SOURCES", both)]);
        let _crowd = Crowd::gather(server.public(), UNLISTED, HALF_OPEN).await;
        let is_taken = post_once(server.public(), "{}".to_owned()).await;
        let held = server.held();
        println!("{held} half-open connections from an allowed address: a new one is refused");
        assert!(
            !is_taken && held >= MAX_CONNECTIONS,
            "the control did not take every connection"
        );
    });
}

/// A server whose open connections can be counted.
struct Server {
    process: Process,
    folder: TempDir,
    /// Descriptors that the server has open without connections.
    idle: u64,
}

impl Server {
    fn start(environment: &[(&str, &str)]) -> Self {
        // The server inherits the descriptor limit of this process.
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

    /// Open connections, some of which the server may be about to close.
    fn held(&self) -> u64 {
        Usage::of(&self.process, self.folder.path()).descriptors - self.idle
    }
}

/// Half-open connections, each reopened when the server closes it.
struct Crowd(JoinHandle<()>);

impl Crowd {
    /// Returns once every member has connected.
    async fn gather(server: SocketAddr, from: IpAddr, count: u64) -> Self {
        let (all_connected, gathered) = oneshot::channel();
        let busy = tokio::spawn(async move {
            let members_of_part = usize::try_from(count.div_ceil(PARTS.into())).unwrap();
            let mut members: Vec<Option<TcpStream>> = (0..count).map(|_| None).collect();
            for member in &mut members {
                send_byte(member, server, from).await;
            }
            let _ = all_connected.send(());
            let mut tick = interval(BYTE_EVERY / PARTS);
            loop {
                for part in members.chunks_mut(members_of_part) {
                    tick.tick().await;
                    for member in part {
                        send_byte(member, server, from).await;
                    }
                }
            }
        });
        let gathered = timeout(PATIENCE, gathered).await;
        gathered.expect("every member connects").unwrap();
        Self(busy)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends the next byte of an endless request head, on a new connection if the old one is closed.
async fn send_byte(member: &mut Option<TcpStream>, server: SocketAddr, from: IpAddr) {
    if let Some(stream) = member
        && is_open(Some(stream))
        && stream.try_write(b"~").is_ok()
    {
        return;
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    let stream = socket.connect(server).await.unwrap();
    // The server may have closed the connection already.
    let _ = stream.try_write(b"POST /webhook HTTP/1.1\r\nx-slow: ");
    *member = Some(stream);
}

/// Whether the server has sent nothing and has not closed the connection.
fn is_open(member: Option<&TcpStream>) -> bool {
    member.is_some_and(|stream| {
        let read = stream.try_read(&mut [0; 512]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    })
}

/// Posts as GREEN-API for a while, alternating between a kept connection and new ones. Returns the
/// p99 and the number of requests that did not get 200.
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
        let started = Instant::now();
        let is_taken = if took.len() % 2 == 0 {
            kept.post(body)
                .await
                .is_ok_and(|answer| answer.status == 200)
        } else {
            post_once(server, String::from_utf8(body.to_vec()).unwrap()).await
        };
        took.push(started.elapsed());
        refused += usize::from(!is_taken);
    }
    took.sort();
    (took[took.len() * 99 / 100], refused)
}

/// Posts a notification on a new connection and returns whether it was accepted.
async fn post_once(server: SocketAddr, body: String) -> bool {
    let headers = [("authorization", TOKEN)];
    let answer = try_request(server, hyper::Method::POST, "/webhook", &headers, body).await;
    answer.is_ok_and(|answer| answer.status == 200)
}
