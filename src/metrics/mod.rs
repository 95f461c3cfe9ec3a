//! The metrics in Prometheus' format. This module has the name, the unit and the labels of every metric; other
//! modules only record. Label sets are closed, and the only labels with a user's value are `id_instance` and the
//! name of a forward `destination`.
//!
//! Recording cannot fail and takes a lock at most for a few instructions, so that it may stand between a
//! commit and its answer.
//!
//! The file is longer than others, because every metric is registered here.

mod account;
mod files;
mod forward;
mod node;
mod recent;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use account::Accounts;
pub use account::SampledAccount;
use files::KeptFiles;
use forward::Destinations;
pub use forward::SampledForward;
use node::NodeGauges;
pub use node::SampledNode;
use recent::Recent;

/// The content type of a scrape.
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Seconds. A webhook request is answered in about a millisecond; a slow disk takes a second.
const LATENCY: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// Rows of one commit. The largest batch has 512.
const ROWS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Seconds. GREEN-API drops a notification after 24 hours.
const LAG: [f64; 10] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 43_200.0, 86_400.0,
];

/// The labels of a stored notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NotificationLabels {
    type_webhook: &'static str,
    outcome: &'static str,
    duplicate: bool,
}

/// For a metric that is absent until its value is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NoLabel {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FileLabel {
    file: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AlertLabel {
    alert: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// A notification that was answered 200.
#[derive(Debug, Clone, Copy)]
pub struct Stored {
    /// Its documented `typeWebhook`, or `other`.
    pub type_webhook: &'static str,
    /// `known`, `unknown` or `malformed`.
    pub outcome: &'static str,
    /// Whether its body was stored before.
    pub duplicate: bool,
    /// Its account.
    pub id_instance: Option<i64>,
    /// GREEN-API's `timestamp`, in seconds since 1970.
    pub timestamp: Option<i64>,
    /// Its arrival, in milliseconds since 1970.
    pub received_at: i64,
}

/// Values that are read when a scrape asks for them.
#[derive(Debug, Clone, Default)]
pub struct Sampled {
    /// Bytes of each file: `database`, `wal`, `projection`, `projection-wal`.
    pub files: Vec<(&'static str, u64)>,
    /// Free bytes on the disk of the database, as far as the program may use them.
    pub disk_free: Option<u64>,
    /// Committed events that the projection does not have yet.
    pub projection_lag: i64,
    /// How many alerts of each name fire.
    pub alerts: Vec<(&'static str, u64)>,
    /// The configured accounts.
    pub accounts: Vec<SampledAccount>,
    /// The forward destinations.
    pub forwards: Vec<SampledForward>,
    /// Set for one of several nodes.
    pub node: Option<SampledNode>,
}

/// A reader of the private listener, counted for as long as this exists.
#[derive(Debug)]
pub struct Reading(Gauge);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A notification in the writer's queue, counted for as long as this exists.
#[derive(Debug)]
pub struct Waiting(Gauge);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// All metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<All>);

#[derive(Debug)]
struct All {
    registry: Registry,
    notifications: Family<NotificationLabels, Counter>,
    rejections: Family<ReasonLabel, Counter>,
    request_duration: Histogram,
    commit_duration: Histogram,
    commit_rows: Histogram,
    waiting: Gauge,
    delivery_lag: Histogram,
    database_bytes: Family<FileLabel, Gauge>,
    disk_free: Gauge,
    projection_lag: Gauge,
    readers: Family<KindLabel, Gauge>,
    deleted_events: Counter,
    freed_bytes: Counter,
    thinned_events: Counter,
    thinned_bytes: Counter,
    last_backup: Family<NoLabel, Gauge>,
    alerts_firing: Family<AlertLabel, Gauge>,
    accounts: Accounts,
    destinations: Destinations,
    files: KeptFiles,
    node: NodeGauges,
    recent: Recent,
}

impl Metrics {
    /// Metrics of a program that starts now. `sqlite` is the version of SQLite.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one list of every metric")]
    pub fn new(sqlite: &'static str) -> Self {
        let notifications = Family::default();
        let rejections = Family::default();
        let request_duration = Histogram::new(LATENCY);
        let commit_duration = Histogram::new(LATENCY);
        let commit_rows = Histogram::new(ROWS);
        let waiting = Gauge::default();
        let delivery_lag = Histogram::new(LAG);
        let database_bytes = Family::default();
        let disk_free = Gauge::default();
        let projection_lag = Gauge::default();
        let readers = Family::default();
        let deleted_events = Counter::default();
        let thinned_events = Counter::default();
        let thinned_bytes = Counter::default();
        let freed_bytes = Counter::default();
        let last_backup = Family::default();
        let alerts_firing = Family::default();
        let accounts = Accounts::default();
        let destinations = Destinations::default();
        let files = KeptFiles::default();
        let node = NodeGauges::default();
        let recent = Recent::default();
        let build = Info::new([("version", env!("CARGO_PKG_VERSION")), ("sqlite", sqlite)]);

        let mut registry = Registry::with_prefix("green_inbox");
        let all = &mut registry;
        all.register(
            "notifications",
            "Notifications that were answered 200, by documented type",
            Family::clone(&notifications),
        );
        all.register(
            "rejections",
            "Requests to the webhook that were not answered 200",
            Family::clone(&rejections),
        );
        all.register_with_unit(
            "last_backup_timestamp",
            "When the newest backup was begun that is complete",
            Unit::Seconds,
            Family::clone(&last_backup),
        );
        all.register_with_unit(
            "request_duration",
            "Time from the headers of a webhook request to its answer",
            Unit::Seconds,
            request_duration.clone(),
        );
        all.register_with_unit(
            "commit_duration",
            "Time of one commit of the writer, with its rows",
            Unit::Seconds,
            commit_duration.clone(),
        );
        all.register(
            "commit_rows",
            "Notifications in one commit",
            commit_rows.clone(),
        );
        all.register(
            "waiting",
            "Notifications that wait to be committed",
            waiting.clone(),
        );
        all.register_with_unit(
            "delivery_lag",
            "Arrival of a new notification minus GREEN-API's timestamp",
            Unit::Seconds,
            delivery_lag.clone(),
        );
        all.register_with_unit(
            "database",
            "Size of the files of the database",
            Unit::Bytes,
            Family::clone(&database_bytes),
        );
        all.register_with_unit(
            "disk_free",
            "Free space on the disk of the database",
            Unit::Bytes,
            disk_free.clone(),
        );
        all.register(
            "projection_lag_events",
            "Committed events that the projection does not have yet",
            projection_lag.clone(),
        );
        all.register_with_unit(
            "last_notification_timestamp",
            "Arrival of the newest notification of each account, in seconds since 1970; the 1000 accounts \
             that sent most recently",
            Unit::Seconds,
            recent.family(),
        );
        all.register(
            "readers",
            "Requests in progress on the private listener",
            Family::clone(&readers),
        );
        all.register(
            "retention_deleted_events",
            "Events that retention has deleted",
            deleted_events.clone(),
        );
        all.register_with_unit(
            "retention_freed",
            "Bytes of the bodies of these events",
            Unit::Bytes,
            freed_bytes.clone(),
        );
        all.register(
            "retention_thinned_events",
            "Events whose thumbnails were removed",
            thinned_events.clone(),
        );
        all.register_with_unit(
            "retention_thinned",
            "Bytes of these thumbnails",
            Unit::Bytes,
            thinned_bytes.clone(),
        );
        all.register(
            "alerts_firing",
            "Alerts that fire, by name",
            Family::clone(&alerts_firing),
        );
        accounts.register(all);
        destinations.register(all);
        files.register(all);
        node.register(all);
        all.register("build", "Versions of the program and of SQLite", build);
        Self(Arc::new(All {
            registry,
            notifications,
            rejections,
            request_duration,
            commit_duration,
            commit_rows,
            waiting,
            delivery_lag,
            database_bytes,
            disk_free,
            projection_lag,
            readers,
            deleted_events,
            freed_bytes,
            thinned_events,
            thinned_bytes,
            last_backup,
            alerts_firing,
            accounts,
            destinations,
            files,
            node,
            recent,
        }))
    }

    /// Records a notification that is on disk.
    pub fn stored(&self, stored: &Stored) {
        let labels = NotificationLabels {
            type_webhook: stored.type_webhook,
            outcome: stored.outcome,
            duplicate: stored.duplicate,
        };
        self.0.notifications.get_or_create(&labels).inc();
        if let Some(id) = stored.id_instance {
            self.0.recent.spoke(id, stored.received_at);
        }
        // The lag of a duplicate is that of its first delivery plus GREEN-API's pause.
        if let Some(timestamp) = stored.timestamp.filter(|_| !stored.duplicate) {
            let lag = stored
                .received_at
                .saturating_sub(timestamp.saturating_mul(1000));
            self.0.delivery_lag.observe(seconds(lag));
        }
    }

    /// Records that an account sent a notification at `received_at`, in milliseconds since 1970.
    pub fn spoke(&self, id_instance: i64, received_at: i64) {
        self.0.recent.spoke(id_instance, received_at);
    }

    /// Records a webhook request that was not answered 200.
    pub fn rejected(&self, reason: &'static str) {
        self.0
            .rejections
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    /// Records the time in which a webhook request was answered, whatever the answer.
    pub fn answered(&self, took: Duration) {
        self.0.request_duration.observe(took.as_secs_f64());
    }

    /// Records a commit of the writer.
    pub fn committed(&self, rows: usize, took: Duration) {
        self.0.commit_duration.observe(took.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a batch has at most 512 rows")]
        self.0.commit_rows.observe(rows as f64);
    }

    /// Records one call of `append_batch` in PostgreSQL.
    pub fn appended(&self, took: Duration) {
        self.0.node.appended(took);
    }

    /// Records events that retention has deleted, and the bytes of their bodies.
    pub fn deleted(&self, events: u64, bytes: u64) {
        self.0.deleted_events.inc_by(events);
        self.0.freed_bytes.inc_by(bytes);
    }

    /// Records events whose thumbnails were removed, and the bytes of these.
    pub fn thinned(&self, events: u64, bytes: u64) {
        self.0.thinned_events.inc_by(events);
        self.0.thinned_bytes.inc_by(bytes);
    }

    /// Records what a comparison of the journals of an account counted: `found`, `missing`, `stored`,
    /// `not_recoverable`, `statuses`.
    pub fn reconciled(&self, id_instance: i64, counts: &[(&'static str, u64)]) {
        self.0.accounts.reconciled(id_instance, counts);
    }

    /// Records a complete backup that was begun at `begun_at`, in milliseconds since 1970.
    pub fn backed_up(&self, begun_at: i64) {
        let gauge = self.0.last_backup.get_or_create_owned(&NoLabel {});
        gauge.set(begun_at / 1000);
    }

    /// Records an attempt to deliver an event to a forward destination.
    pub fn forwarded(&self, destination: &str, result: &'static str) {
        self.0.destinations.attempted(destination, result);
    }

    /// Records how an attempt to keep a file ended: `kept`, `same`, `failed`, `lost` or `gone`.
    pub fn downloaded(&self, result: &'static str) {
        self.0.files.downloaded(result);
    }

    /// Records how many files wait to be kept, and the bytes of the kept ones.
    pub fn media(&self, waiting: u64, bytes: u64) {
        self.0.files.set(waiting, bytes);
    }

    /// Counts a notification that waits to be committed.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        self.0.waiting.inc();
        Waiting(self.0.waiting.clone())
    }

    /// Counts a reader of the kind `list`, `feed`, `stream` or `mcp`.
    #[must_use]
    pub fn reading(&self, kind: &'static str) -> Reading {
        let gauge = self.0.readers.get_or_create_owned(&KindLabel { kind });
        gauge.inc();
        Reading(gauge)
    }

    /// The text of a scrape, with these sampled values.
    ///
    /// # Errors
    ///
    /// A metric cannot be written as text, which is a defect of this module.
    pub fn scrape(&self, sampled: &Sampled) -> Result<String, std::fmt::Error> {
        for (file, bytes) in &sampled.files {
            let gauge = self
                .0
                .database_bytes
                .get_or_create_owned(&FileLabel { file });
            gauge.set(i64::try_from(*bytes).unwrap_or(i64::MAX));
        }
        if let Some(bytes) = sampled.disk_free {
            self.0
                .disk_free
                .set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
        self.0.projection_lag.set(sampled.projection_lag);
        self.0.node.set(sampled.node.as_ref());
        self.0.alerts_firing.clear();
        for &(alert, count) in &sampled.alerts {
            let gauge = self
                .0
                .alerts_firing
                .get_or_create_owned(&AlertLabel { alert });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.0.accounts.publish(&sampled.accounts);
        self.0.destinations.publish(&sampled.forwards);
        self.0.recent.publish();
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a lag of 285 years is exact to the millisecond"
)]
fn seconds(millis: i64) -> f64 {
    millis.max(0) as f64 / 1000.0
}
