//! nginx before two nodes, with the files of `deploy/`: a node is killed under load, and every notification is answered 200.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::checks::Events;
use crate::killed_postgres::ready;
use crate::postgres::Postgres;
use crate::rig::bodies::Size;
use crate::rig::load::Answered;
use crate::rig::{Bodies, Random, alone, setting};
use crate::support::client::try_request;
use crate::support::process::{PATIENCE, serve};
use crate::support::{Connection, Process, get};

const CONNECTIONS: usize = 8;

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Milliseconds of load before each kill, at most.
const MAX_MILLIS: u64 = 500;

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// A running nginx. Dropping it ends it.
struct Nginx {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Nginx {
    /// The configuration of `deploy/cluster/compose.yaml` for nodes at these addresses; only TLS, the paths and the
    /// addresses differ. Without `retry.conf` it is that of a single node.
    async fn start(nodes: &[SocketAddr], has_retry: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
        let read = |name: &str| fs::read_to_string(deploy.join(name)).unwrap();
        let written = read("cluster/nodes.conf");
        let parameters = written.lines().last().unwrap().split_once(' ').unwrap().1;
        let (_, parameters) = parameters.split_once(' ').unwrap();
        let servers = nodes
            .iter()
            .map(|node| format!("server {node} {parameters}\n"));
        fs::write(at.join("nodes.conf"), servers.collect::<String>()).unwrap();
        fs::write(at.join("retry.conf"), read("cluster/retry.conf")).unwrap();
        let address = free_address();
        let mut text = read("nginx.conf");
        let here = |name: &str| at.join(name).display().to_string();
        let mut edit = |from: &str, to: &str| {
            assert!(text.contains(from), "nginx.conf has no `{from}`");
            text = text.replace(from, to);
        };
        edit(
            "server 127.0.0.1:8080;",
            &format!("include {};", here("nodes.conf")),
        );
        if has_retry {
            edit(
                "proxy_next_upstream off;",
                &format!("include {};", here("retry.conf")),
            );
        }
        edit("/run/nginx.pid", &here("pid"));
        edit("/var/log/nginx/", &here(""));
        edit("listen 80;", &format!("listen {};", free_address()));
        edit("listen 443 ssl;", &format!("listen {address};"));
        edit("allow 46.101.109.139;", "allow 127.0.0.1;");
        edit("46.101.109.139 0;", "127.0.0.1 0;");
        edit(
            "worker_processes auto;",
            "worker_processes 1; daemon off; user root;",
        );
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let folders = folders.map(|name| format!(" {name}_temp_path {};", here(name)));
        edit("http {", &format!("http {{{}", folders.concat()));
        let text: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("ssl_"))
            .map(|line| format!("{line}\n"))
            .collect();
        fs::write(at.join("nginx.conf"), text).unwrap();
        let child = Command::new("nginx")
            .arg("-c")
            .arg(at.join("nginx.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("nginx is installed");
        let nginx = Self {
            child,
            address,
            _folder: folder,
        };
        let deadline = Instant::now() + PATIENCE;
        // It answers 404 to what is not the webhook.
        while try_request(address, Method::GET, "/", &[], "")
            .await
            .is_err()
        {
            assert!(Instant::now() < deadline, "nginx does not start");
            sleep(LOOK).await;
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its worker ends with it.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-s", "TERM", &id]).status();
        let _ = self.child.wait();
    }
}

/// A node on a fixed address.
fn node_at(folder: &TempDir, url: &str, public: SocketAddr) -> Process {
    let mut command = serve(folder.path());
    command
        .env("GREEN_INBOX__STORAGE__URL", url)
        .env("GREEN_INBOX__INGEST__LISTEN", public.to_string());
    Process::spawn(&mut command)
}

/// What nginx answered.
#[derive(Default)]
struct Answers {
    stored: Vec<Answered>,
    /// Every other status, and how often.
    others: BTreeMap<u16, u64>,
}

async fn post_until(stop: CancellationToken, nginx: SocketAddr, bodies: Arc<Bodies>) -> Answers {
    let mut answers = Answers::default();
    let mut connection = Connection::open(nginx).await.unwrap();
    while !stop.is_cancelled() {
        let number = bodies.next();
        // nginx closes a connection after 1000 requests.
        let Ok(answer) = connection.post(bodies.body(number)).await else {
            bodies.give_back(&[number]);
            connection = Connection::open(nginx).await.unwrap();
            continue;
        };
        if answer.status == StatusCode::OK {
            let seq = answer.json()["seq"].as_i64().unwrap();
            answers.stored.push(Answered {
                seq,
                number,
                noted: 0,
            });
        } else {
            *answers.others.entry(answer.status.as_u16()).or_default() += 1;
            bodies.give_back(&[number]);
        }
    }
    answers
}

/// How many notifications a node has received since it was started.
async fn received(node: &Process) -> u64 {
    let scrape = get(node.private, "/metrics").await;
    let text = String::from_utf8(scrape.body.to_vec()).unwrap();
    let name = "green_inbox_request_duration_seconds_count ";
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.unwrap().parse().unwrap()
}

/// Kills a node again and again under load, each time once nginx uses it again.
async fn kill_under_load(kills: u64, has_retry: bool) -> Answers {
    let mut random = Random::new("behind nginx");
    let postgres = Postgres::start();
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let addresses = [(); 2].map(|()| free_address());
    let url = postgres.url();
    let [mut victim, other] = [0, 1].map(|turn| node_at(&folders[turn], &url, addresses[turn]));
    for node in [&victim, &other] {
        ready(node, StatusCode::OK).await;
    }
    let nginx = Nginx::start(&addresses, has_retry).await;
    let bodies = Arc::new(Bodies::new(Size::Mixed));
    let stop = CancellationToken::new();
    let mut load = JoinSet::new();
    for _ in 0..CONNECTIONS {
        load.spawn(post_until(stop.clone(), nginx.address, Arc::clone(&bodies)));
    }
    for _ in 0..kills {
        let deadline = Instant::now() + PATIENCE;
        while received(&victim).await < 20 {
            assert!(Instant::now() < deadline, "nginx does not use the node");
            sleep(LOOK).await;
        }
        sleep(Duration::from_millis(random.below(MAX_MILLIS))).await;
        victim.child.kill().unwrap();
        victim.wait();
        victim = node_at(&folders[0], &url, addresses[0]);
        ready(&victim, StatusCode::OK).await;
    }
    stop.cancel();
    let mut answers = Answers::default();
    for part in load.join_all().await {
        answers.stored.extend(part.stored);
        for (status, count) in part.others {
            *answers.others.entry(status).or_default() += count;
        }
    }
    let events = Events::read(&postgres.connect().await).await;
    events.assert_whole(&answers.stored, &bodies);
    answers
}

/// `CLUSTER_NGINX_KILLS` sets the number of kills: 3 by default.
#[test]
fn node_that_dies_behind_nginx_costs_no_answer() {
    alone(async {
        let kills = setting("CLUSTER_NGINX_KILLS", 3);
        let answers = kill_under_load(kills, true).await;
        println!(
            "{kills} kills behind nginx: {} answered 200, others: {:?}",
            answers.stored.len(),
            answers.others
        );
        assert!(answers.others.is_empty(), "{:?}", answers.others);
        // The control: the configuration of a single node leaves it to GREEN-API to send again.
        let single = kill_under_load(1, false).await;
        println!("without retry.conf: {:?}", single.others);
        assert!(single.others.contains_key(&502), "{:?}", single.others);
    });
}
