//! The private listener without a socket, over a small database.

use std::cell::OnceCell;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use green_inbox::api::{self, Api};
use green_inbox::clock::{Clock, UnixMillis};
use green_inbox::config::Private;
use green_inbox::http::{Peer, ReadGate};
use green_inbox::media::Folder;
use green_inbox::model::{Accounts, Alerts, Forwards};
use green_inbox::notification::parse;
use green_inbox::sample::{self, Values};
use green_inbox::store::{self, DeadLetters, Duties, NewEvent};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

struct Listener {
    runtime: Runtime,
    router: Router,
}

thread_local! {
    static LISTENER: OnceCell<Listener> = const { OnceCell::new() };
}

/// Sends a GET request and returns the status, which must be 200, 400 or 409.
pub fn ask(address: &str) -> u16 {
    let Ok(request) = Request::get(address)
        .header("host", "localhost")
        .extension(Peer(([127, 0, 0, 1], 4711).into()))
        .body(Body::empty())
    else {
        // Not a valid URI: the server would reject it before the router.
        return 400;
    };
    LISTENER.with(|listener| {
        let Listener { runtime, router } = listener.get_or_init(open);
        let answer = runtime.block_on(router.clone().oneshot(request));
        let status = answer.expect("an answer").status().as_u16();
        assert!([200, 400, 409].contains(&status), "{address}: {status}");
        status
    })
}

/// Opens a private listener over a database that holds every sample once.
fn open() -> Listener {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let router = runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder").keep();
        let database = folder.join("inbox.db");
        let store = store::open(&database, 512, 0).await.expect("a database");
        let clock = Clock::system();
        for sample in sample::all() {
            let body = Bytes::from(sample.body(&Values {
                id_instance: 1_101_000_001,
                serial: 1,
                timestamp: 1_767_225_600,
            }));
            let event = NewEvent::new(UnixMillis(0), &parse(&body), &body);
            store.writer.append(event).await.expect("a commit");
        }
        let gate = ReadGate::new(&Private::default(), clock.clone()).expect("no tokens");
        let reprocess = store.reprocessing().expect("a pass").requests();
        let router = api::router(Arc::new(Api {
            gate: Arc::new(gate),
            dead_letters: DeadLetters::new(store.reader.clone()),
            duties: Duties::default(),
            clock: clock.clone(),
            reader: store.reader,
            commits: store.commits,
            projected: store.projected,
            deleted: store.deleted,
            metrics: store.metrics,
            alerts: Alerts::new(clock),
            accounts: Accounts::default(),
            forwards: Forwards::default(),
            reprocess,
            files: Folder::of(&database),
            node: None,
            stop: CancellationToken::new(),
        }));
        // Keep the writer alive as long as the process.
        std::mem::forget(store.writer);
        router
    });
    Listener { runtime, router }
}
