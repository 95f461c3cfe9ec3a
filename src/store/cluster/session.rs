//! A connection to PostgreSQL: to the host that accepts writes, with bounded waits, and with an eye on what the server
//! says beside its answers.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rustls::pki_types::CertificateDer;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Client};
use tracing::warn;

use super::error::SharedError;
use super::tls::Tls;

/// The port of a host that is given without one.
const DEFAULT_PORT: u16 = 5432;

/// Time to connect to one host and to prepare the connection.
const HOST_TIMEOUT: Duration = Duration::from_secs(3);

/// How long sent bytes may stay unacknowledged, and an idle connection unanswered.
const DEAD_AFTER: Duration = Duration::from_secs(10);

/// Seconds for one statement. PostgreSQL itself allows 5 s, but its limit does not cover the wait for the standby.
const STATEMENT_SECONDS: u64 = 7;

/// Plans must not depend on statistics: a plan for an empty table would be kept while the table grows. JIT compilation
/// costs more than the statements.
const SETTINGS: &str = "
    SET jit = off; SET enable_seqscan = off; SET work_mem = '32MB';
    SET lock_timeout = '2s'; SET statement_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s'";

/// How much longer the other hosts may take once one has answered.
const OTHER_HOSTS: Duration = Duration::from_millis(500);

const TIMELINE: &str = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)";

/// Where PostgreSQL is and how it is reached. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SharedAt {
    /// One for each host.
    hosts: Arc<[tokio_postgres::Config]>,
    tls: Tls,
    /// Whether a standby must have each commit.
    pub(in crate::store) require_standby: bool,
}

impl SharedAt {
    /// The PostgreSQL at `config`. Its certificate comes from one of these authorities, or from those of the system.
    ///
    /// # Errors
    ///
    /// The certificates cannot be used.
    pub fn new(
        config: &tokio_postgres::Config,
        authorities: Option<&[CertificateDer<'static>]>,
        require_standby: bool,
    ) -> Result<Self, SharedError> {
        let ports = config.get_ports();
        let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| {
            let port = ports.get(index).or(ports.first()).copied();
            let mut one = tokio_postgres::Config::new();
            one.ssl_mode(config.get_ssl_mode())
                .ssl_negotiation(config.get_ssl_negotiation())
                .channel_binding(config.get_channel_binding())
                .target_session_attrs(TargetSessionAttrs::ReadWrite)
                .connect_timeout(HOST_TIMEOUT)
                .tcp_user_timeout(DEAD_AFTER)
                .keepalives_idle(DEAD_AFTER / 2)
                .keepalives_interval(DEAD_AFTER / 5)
                .keepalives_retries(2)
                .application_name(config.get_application_name().unwrap_or("green-inbox"))
                .port(port.unwrap_or(DEFAULT_PORT));
            match host {
                Host::Tcp(name) => one.host(name),
                Host::Unix(folder) => one.host_path(folder),
            };
            if let Some(user) = config.get_user() {
                one.user(user);
            }
            if let Some(database) = config.get_dbname() {
                one.dbname(database);
            }
            if let Some(options) = config.get_options() {
                one.options(options);
            }
            if let Some(password) = config.get_password() {
                one.password(password);
            }
            one
        });
        Ok(Self {
            hosts: hosts.collect(),
            tls: Tls::trusting(authorities)?,
            require_standby,
        })
    }

    /// Connects to the host that accepts writes. If there is more than one, because an old primary goes on after the
    /// promotion of its standby, the one with the newest timeline is right.
    pub(in crate::store) async fn open(&self) -> Result<Session, SharedError> {
        let mut opening: FuturesUnordered<_> = self
            .hosts
            .iter()
            .map(|host| async {
                let opened = timeout(HOST_TIMEOUT, self.open_host(host)).await;
                opened.unwrap_or(Err(SharedError::Timeout(HOST_TIMEOUT.as_secs())))
            })
            .collect();
        let mut best: Option<(String, Session)> = None;
        let mut failure = SharedError::Unreachable("the URL has no host".to_owned());
        let mut until = Instant::now() + HOST_TIMEOUT * 2;
        while let Ok(Some(opened)) = timeout_at(until, opening.next()).await {
            match opened {
                Ok((timeline, session)) => {
                    if best.is_none() {
                        until = Instant::now() + OTHER_HOSTS;
                    }
                    if best.as_ref().is_none_or(|(newest, _)| *newest < timeline) {
                        best = Some((timeline, session));
                    }
                }
                Err(other) => failure = other,
            }
        }
        best.map(|(_, session)| session).ok_or(failure)
    }

    /// Connects to one host. Returns its timeline too.
    async fn open_host(
        &self,
        host: &tokio_postgres::Config,
    ) -> Result<(String, Session), SharedError> {
        let (client, mut connection) = host.connect(self.tls.clone()).await?;
        let (warned, hinted) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let driver = tokio::spawn({
            let (warned, hinted) = (Arc::clone(&warned), Arc::clone(&hinted));
            async move {
                // An error ends the statements in progress too.
                while let Some(Ok(said)) = poll_fn(|cx| connection.poll_message(cx)).await {
                    match said {
                        AsyncMessage::Notification(_) => hinted.notify_one(),
                        AsyncMessage::Notice(notice)
                            if notice.parsed_severity() == Some(Severity::Warning) =>
                        {
                            warned.store(true, Ordering::SeqCst);
                            warn!(
                                code = notice.code().code(),
                                "PostgreSQL warns: {}",
                                notice.message()
                            );
                        }
                        _ => {}
                    }
                }
                hinted.notify_one();
            }
        });
        let session = Session {
            client,
            warned,
            hinted,
            tls: self.tls.clone(),
            driver,
        };
        session.client.batch_execute(SETTINGS).await?;
        let timeline = session.client.query_one(TIMELINE, &[]).await?;
        Ok((timeline.try_get(0)?, session))
    }
}

/// An open connection. Dropping it closes the connection.
#[derive(Debug)]
pub(in crate::store) struct Session {
    pub(in crate::store) client: Client,
    /// The server has sent a warning since this was last set to `false`.
    warned: Arc<AtomicBool>,
    /// Notified by each hint of the server, and when the connection has ended.
    pub(super) hinted: Arc<Notify>,
    tls: Tls,
    driver: JoinHandle<()>,
}

impl Session {
    /// Runs a statement within the time limit. A statement that takes longer is cancelled in the server, so that it does
    /// not hold its locks.
    pub(super) async fn within<T>(
        &self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, SharedError> {
        self.within_limit(Duration::from_secs(STATEMENT_SECONDS), statement)
            .await
    }

    async fn within_limit<T>(
        &self,
        limit: Duration,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, SharedError> {
        if let Ok(done) = timeout(limit, statement).await {
            return Ok(done?);
        }
        let cancel = self.client.cancel_token();
        // If it cannot be cancelled, the server notices by itself that the connection is gone.
        let _ = timeout(HOST_TIMEOUT, cancel.cancel_query(self.tls.clone())).await;
        Err(SharedError::Timeout(limit.as_secs()))
    }

    /// Runs a statement that writes. A warning is a failure: if the wait for the standby is cancelled, PostgreSQL reports
    /// the commit as successful and only warns that it may not be replicated.
    pub(super) async fn commit<T>(
        &self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, SharedError> {
        self.commit_within(Duration::from_secs(STATEMENT_SECONDS), statement)
            .await
    }

    /// Like a statement of the appender, but with another time limit.
    pub(in crate::store) async fn commit_within<T>(
        &self,
        limit: Duration,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, SharedError> {
        self.warned.store(false, Ordering::SeqCst);
        let done = self.within_limit(limit, statement).await?;
        // The connection reads the warning before the end of the statement.
        if self.warned.load(Ordering::SeqCst) {
            return Err(SharedError::NotReplicated);
        }
        Ok(done)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
