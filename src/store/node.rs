//! One of several nodes: a store whose notifications go to PostgreSQL, and whose events are copied from there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::alert_store::AlertStore;
use super::cluster::align;
use super::cluster::append::{self, Appender};
use super::cluster::copier::Copier;
use super::cluster::error::SharedError;
use super::cluster::forwards::SharedForwards;
use super::cluster::leases::{Duties, Holder, Keeper};
use super::cluster::lineage::Identity;
use super::cluster::link::Link;
use super::cluster::logged::Logged;
use super::cluster::own::OwnEvents;
use super::cluster::position::{self, Fit, Head, Position, fit};
use super::cluster::retention::SharedRetention;
use super::cluster::session::{Session, SharedAt};
use super::cluster::status::NodeStatus;
use super::cluster::told::SharedTold;
use super::cluster::watch::Watch;
use super::dead_letters::DeadLetters;
use super::epoch;
use super::error::OpenError;
use super::forward_store::ForwardStore;
use super::maintenance::database::{self, Exclusive};
use super::open::{Store, assemble};
use super::projection;
use super::query::reader::Reader;
use super::space::Space;
use super::write::queue::Writer;
use crate::clock::Clock;
use crate::trouble::Troubles;

/// How long the start of a node without a copy waits for PostgreSQL. Then the program ends, and is started again by what
/// supervises it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Events that readers wait for after a start. If the copy is further behind, it is readable while it catches up.
const MAX_AWAITED: i64 = 10_000;

/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(500);

/// The tasks of a node, before they run.
#[derive(Debug)]
pub struct Node {
    appender: Appender,
    copier: Copier,
    keeper: Keeper,
    forwards: SharedForwards,
    status: NodeStatus,
    rewound: CancellationToken,
    require_standby: bool,
    aside: PathBuf,
}

/// The running tasks of a node.
#[derive(Debug)]
pub struct RunningNode {
    appender: JoinHandle<()>,
    copier: JoinHandle<()>,
    keeper: JoinHandle<()>,
    /// Cancelled to give the leases up.
    done: CancellationToken,
    watch: JoinHandle<()>,
    rewound: CancellationToken,
}

/// The local database, and what is known of PostgreSQL.
struct Opened {
    exclusive: Exclusive,
    identity: Identity,
    position: Position,
    /// How far PostgreSQL is; `None` if it is away.
    head: Option<Head>,
}

/// Opens the copy at `path` of the events in PostgreSQL. Like [`open`](super::open()), except that notifications are
/// stored in PostgreSQL. Nothing is stored or copied until the node is started. At the first start of the program, wrong
/// settings of PostgreSQL are an error. If PostgreSQL is away, a node that has a copy starts with it. `name` is what the
/// other nodes call this one.
///
/// # Errors
///
/// PostgreSQL cannot be reached and there is no copy, PostgreSQL is not set up as it must be, or the database at `path` is
/// not a copy of it.
pub async fn open_shared(
    path: &Path,
    max_waiting: usize,
    max_bytes: u64,
    at: SharedAt,
    name: &str,
    is_first: bool,
) -> Result<(Store, Node), SharedError> {
    let opened = match prepare(&at, is_first).await {
        Err(failure) if !failure.is_configuration() => match alone(path, &failure).await? {
            Some(opened) => opened,
            None => aligned(path, connect(&at, is_first).await?).await?,
        },
        prepared => aligned(path, prepared?).await?,
    };
    let Opened {
        exclusive,
        identity,
        position,
        head,
    } = opened;
    // What a power cut takes from the copy is copied again.
    let connection = &exclusive.connection;
    let synchronous = connection.pragma_update(None, "synchronous", "NORMAL");
    synchronous.map_err(OpenError::from)?;
    let aside = align::aside(exclusive.lock.path());
    let require_standby = at.require_standby;
    let mut store = assemble(exclusive, max_waiting, max_bytes).await?;

    let (appends, queue) = mpsc::channel(max_waiting);
    // If it fails now, the appender tries again.
    let first = match head {
        Some(_) => append::open(&at, &identity).await.ok(),
        None => None,
    };
    let status = NodeStatus::new(store.commits.clone(), first.is_some());
    if let Some(head) = head {
        status.looked(head.seq);
    }
    // Readers wait for what was answered before this start, as for what this node answers.
    if let Some(head) = head.filter(|head| head.seq - position.seq <= MAX_AWAITED) {
        status.acknowledge(head.seq, head.changes);
    }
    let rewound = CancellationToken::new();
    let own = OwnEvents::default();
    let copier = Copier {
        at: at.clone(),
        identity: identity.clone(),
        writer: store.writer.clone(),
        status: status.clone(),
        metrics: store.metrics.clone(),
        position,
        own: own.clone(),
        rewound: rewound.clone(),
    };
    store.writer = store.writer.sharing(appends);
    let holder = Holder {
        id: epoch::random().map_err(OpenError::from)?,
        node: name.to_owned(),
    };
    let forwards = SharedForwards {
        link: Link::new(at.clone(), identity.clone(), rewound.clone()),
        holder: holder.id.clone(),
        commits: store.commits.clone(),
    };
    let keeper = Keeper {
        at: at.clone(),
        identity: identity.clone(),
        holder,
        duties: Duties::shared(),
        status: status.clone(),
        rewound: rewound.clone(),
    };
    let appender = Appender {
        at,
        identity,
        queue,
        status: status.clone(),
        metrics: store.metrics.clone(),
        own,
        rewound: rewound.clone(),
        first,
    };
    let node = Node {
        appender,
        copier,
        keeper,
        forwards,
        status,
        rewound,
        require_standby,
        aside,
    };
    Ok((store, node))
}

/// Makes the local database fit PostgreSQL.
async fn aligned(
    path: &Path,
    (session, identity): (Session, Identity),
) -> Result<Opened, SharedError> {
    let mut exclusive = database::exclusive(path, false).await?;
    let real_path = exclusive.lock.path().to_owned();
    let mut position = align::look(&exclusive.connection, &identity, &real_path)?;
    let fit = fit(&session, position).await?;
    if fit != Fit::Same && position.seq > 0 {
        // Its files are renamed or removed while nobody has them open.
        drop(exclusive);
        match fit {
            Fit::Deleted => align::discard(&real_path, position.seq)?,
            Fit::Same | Fit::Other => align::set_aside(&real_path, position.seq)?,
        }
        exclusive = database::exclusive(path, false).await?;
        position = Position::default();
    }
    let head = position::head(&session).await?;
    if position.seq == 0 {
        position.seq = head.deleted;
    }
    drop(session);
    let connection = &exclusive.connection;
    let before = align::adopt(connection, &identity, &mut position).map_err(OpenError::from)?;
    if let Err(failure) = projection::move_epoch(&real_path, &before, &identity.epoch) {
        // Then it is derived again.
        warn!(%failure, "the projection does not fit the epoch of PostgreSQL: {failure}");
    }
    exclusive.epoch.clone_from(&identity.epoch);
    Ok(Opened {
        exclusive,
        identity,
        position,
        head: Some(head),
    })
}

/// Opens the local database while PostgreSQL is away, if it is a copy. Once PostgreSQL is back, the tasks of the node
/// compare the two.
async fn alone(path: &Path, failure: &SharedError) -> Result<Option<Opened>, SharedError> {
    if !path.exists() {
        return Ok(None);
    }
    let exclusive = database::exclusive(path, false).await?;
    let local = align::local(&exclusive.connection).map_err(OpenError::from)?;
    let Some((cluster, position)) = local else {
        return Ok(None);
    };
    warn!(
        seq = position.seq,
        "{failure}: starting with the copy of this node, which has the events up to seq {}; notifications get 503 until \
         PostgreSQL is back",
        position.seq
    );
    let identity = Identity {
        cluster,
        epoch: exclusive.epoch.clone(),
    };
    Ok(Some(Opened {
        exclusive,
        identity,
        position,
        head: None,
    }))
}

/// Connects, and waits for some time if PostgreSQL is away.
async fn connect(at: &SharedAt, is_first: bool) -> Result<(Session, Identity), SharedError> {
    let deadline = Instant::now() + PATIENCE;
    let mut logged = Logged::default();
    loop {
        match prepare(at, is_first).await {
            Err(failure) if !failure.is_configuration() && Instant::now() < deadline => {
                if logged.is_new(&failure) {
                    warn!(%failure, "waiting for PostgreSQL: {failure}");
                }
                sleep(PAUSE).await;
            }
            prepared => return prepared,
        }
    }
}

/// Connects to a PostgreSQL that is complete.
async fn prepare(at: &SharedAt, is_first: bool) -> Result<(Session, Identity), SharedError> {
    let (session, identity) = align::prepare(at, is_first).await?;
    position::head(&session).await?;
    Ok((session, identity))
}

impl Node {
    /// What the node knows of PostgreSQL and of its copy.
    #[must_use]
    pub fn status(&self) -> NodeStatus {
        self.status.clone()
    }

    /// What one node does at a time.
    #[must_use]
    pub fn duties(&self) -> Duties {
        self.keeper.duties.clone()
    }

    /// The state of the forward destinations, which the nodes share.
    #[must_use]
    pub fn forward_store(&self, reader: Reader, writer: Writer) -> ForwardStore {
        ForwardStore::new(reader, writer).sharing(self.forwards.clone())
    }

    /// The dead letters of the forward destinations, which the nodes share.
    #[must_use]
    pub fn dead_letters(&self, reader: Reader) -> DeadLetters {
        DeadLetters::new(reader).sharing(self.forwards.clone())
    }

    /// The same space, whose events one of the nodes deletes for all.
    #[must_use]
    pub fn space(&self, space: Space) -> Space {
        space.sharing(SharedRetention {
            link: self.forwards.link.clone(),
            holder: self.forwards.holder.clone(),
            status: self.status.clone(),
        })
    }

    /// The state of the alerts, with what the nodes share of it.
    #[must_use]
    pub fn alert_store(&self, reader: Reader, writer: Writer) -> AlertStore {
        let shared = SharedTold {
            link: self.forwards.link.clone(),
            holder: self.forwards.holder.clone(),
        };
        AlertStore::new(reader, writer).sharing(shared)
    }

    /// Starts the tasks. Copying ends when `stop` is cancelled, appending with the last handle to the writer, and the
    /// leases are given up when the caller waits for the end. What is wrong goes into `troubles`.
    #[must_use]
    pub fn start(
        self,
        stop: &CancellationToken,
        troubles: &Troubles,
        clock: &Clock,
    ) -> RunningNode {
        let done = CancellationToken::new();
        let watch = Watch {
            status: self.status,
            require_standby: self.require_standby,
            aside: self.aside,
            troubles: troubles.clone(),
            clock: clock.clone(),
        };
        RunningNode {
            watch: tokio::spawn(watch.run(stop.clone())),
            appender: tokio::spawn(self.appender.run()),
            copier: tokio::spawn(self.copier.run(stop.clone())),
            keeper: tokio::spawn(self.keeper.run(done.clone())),
            done,
            rewound: self.rewound,
        }
    }
}

impl RunningNode {
    /// Waits until PostgreSQL has other events than the copy, after a promotion or a restored backup. The node must be
    /// opened again then.
    pub async fn rewound(&self) {
        self.rewound.cancelled().await;
    }

    /// Gives the leases up, and waits until the tasks have ended. What the leases stand for must have ended before.
    pub async fn ended(&mut self) {
        self.done.cancel();
        // An error means that a task panicked.
        let _ = (&mut self.keeper).await;
        let _ = (&mut self.copier).await;
        let _ = (&mut self.appender).await;
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.copier.abort();
        self.watch.abort();
        self.appender.abort();
        self.keeper.abort();
    }
}
