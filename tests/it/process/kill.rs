//! Every notification acknowledged with 200 is on disk, whenever the program is killed.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use hyper::body::Bytes;
use rusqlite::Connection;
use serde_json::Value;

use super::load::{Supply, assert_kept, read_on, run};
use crate::support::{Process, TOKEN};

const KILLS: usize = 20;

/// Responses before the kill is armed, at most.
const MAX_ANSWERS: u64 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_events_survive_20_kills() {
    let folder = tempfile::tempdir().unwrap();
    let supply = Arc::new(Mutex::new(Supply::default()));
    let mut answered: Vec<(i64, Bytes)> = Vec::new();
    let mut stored = BTreeMap::new();
    for round in 1..=KILLS {
        let process = Process::start(folder.path());
        let public = process.public;
        read_on(process.private, &mut stored).await;
        assert_kept(&answered, &stored);

        let moment = usize::try_from(getrandom::u64().unwrap() % MAX_ANSWERS).unwrap() + 1;
        let trigger = Trigger::default();
        let killer = thread::spawn({
            let (armed, supply) = (Arc::clone(&trigger.0), Arc::clone(&supply));
            move || kill(process, &armed, &supply)
        });
        let mut outcome = run(public, &supply, moment, move || drop(trigger)).await;
        outcome.answered.extend(killer.join().unwrap());
        println!(
            "round {round}: armed after {moment} answers, {} came, {} did not",
            outcome.answered.len(),
            outcome.unanswered.len()
        );
        assert!(outcome.answered.len() > moment);
        answered.extend(outcome.answered);
        supply.lock().unwrap().take_back(outcome.unanswered);
    }

    let mut process = Process::start(folder.path());
    let mut again = BTreeMap::new();
    read_on(process.private, &mut again).await;
    read_on(process.private, &mut stored).await;
    assert!(again == stored, "what was read once changed later");
    assert_kept(&answered, &stored);
    let mut seqs = BTreeMap::new();
    for (seq, body) in &answered {
        assert_eq!(*seqs.entry(seq).or_insert(body), body, "seq {seq} twice");
    }
    assert_eq!(
        stored.values().collect::<HashSet<_>>().len(),
        stored.len(),
        "a resent body is stored once"
    );
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));

    let database = Connection::open(folder.path().join("inbox.db")).unwrap();
    let verdict: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    println!(
        "nothing lost among {} that were answered in {KILLS} kills",
        answered.len()
    );
}

/// Arms the killer thread when dropped, so that the program ends even if the load fails.
#[derive(Default)]
struct Trigger(Arc<AtomicBool>);

impl Drop for Trigger {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Posts notifications and, once armed, kills the program the moment it receives a response. The
/// last body is large and nothing runs between its response and the kill: a server that responds
/// before it writes would lose it.
fn kill(mut process: Process, armed: &AtomicBool, supply: &Mutex<Supply>) -> Vec<(i64, Bytes)> {
    let mut answered = Vec::new();
    let mut stream = TcpStream::connect(process.public).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = [0; 4096];
    loop {
        let last = armed.load(Ordering::SeqCst);
        let body = if last {
            supply.lock().unwrap().next_large()
        } else {
            supply.lock().unwrap().next()
        };
        let request = format!(
            "POST /webhook HTTP/1.1\r\nhost: inbox\r\nauthorization: {TOKEN}\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        stream
            .write_all(&[request.as_bytes(), &body].concat())
            .unwrap();
        // The server writes a response in one piece, so one read gets all of it.
        let length = stream.read(&mut buffer).unwrap();
        if last {
            process.child.kill().unwrap();
        }
        let answer = std::str::from_utf8(&buffer[..length]).unwrap();
        let (head, json) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let json: Value = serde_json::from_str(json).unwrap();
        answered.push((json["seq"].as_i64().unwrap(), body));
        if last {
            let ended = process.wait();
            assert_eq!(ended.signal(), Some(9), "{ended}");
            return answered;
        }
    }
}
