//! The tasks of the accounts while the server runs.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use tokio::sync::{Mutex, mpsc};

use super::configured::{Configured, configured};
use super::connect::hook_token;
use super::reconcile::Reconciler;
use super::sources::Sources;
use super::{contacts, pull, reconcile, watch};
use crate::config::{Config, ConfigError, Receive};
use crate::green_api::{Api, Product};
use crate::model::{Account, Accounts, ReconcileCommand};
use crate::outbound::Client;
use crate::store::Duty;

/// The accounts, ready to start.
#[derive(Debug)]
pub struct Accounting {
    configured: Vec<(Configured, mpsc::Receiver<ReconcileCommand>)>,
    api: Api,
    token: String,
    accounts: Accounts,
    sources: Sources,
}

impl Accounting {
    /// Prepares the accounts of the configuration. Nothing is called before the tasks run.
    ///
    /// # Errors
    ///
    /// A token cannot be read.
    pub fn new(config: &Config, client: Client, sources: Sources) -> Result<Self, ConfigError> {
        let accounts = Accounts::default();
        let mut all = Vec::new();
        for one in configured(config)? {
            let receive = match one.settings.receive {
                Receive::Webhook => "webhook",
                Receive::Pull => "pull",
            };
            let is_watched = one.settings.watch_seconds > 0;
            let account = Account::unchecked(one.account.id_instance(), receive, is_watched);
            // One command at a time: a second one waits.
            let (commands, receiver) = mpsc::channel(1);
            accounts.put(account, commands);
            all.push((one, receiver));
        }
        Ok(Self {
            configured: all,
            api: Api::new(client),
            token: hook_token(&config.ingest)?,
            accounts,
            sources,
        })
    }

    /// GREEN-API's methods. All callers share the rate limits.
    #[must_use]
    pub fn api(&self) -> Api {
        self.api.clone()
    }

    /// The accounts with their tokens.
    #[must_use]
    pub fn configured(&self) -> Vec<Configured> {
        let accounts = self.configured.iter();
        accounts.map(|(one, _)| one.clone()).collect()
    }

    /// The accounts as they were seen last.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        self.accounts.clone()
    }

    /// The tasks. None ends by itself. Each can be dropped at any time: what was not deleted in GREEN-API's queue comes
    /// again. Of several nodes, one at a time calls GREEN-API for an account; but each asks for the contacts that its own
    /// copy lacks.
    #[must_use]
    pub fn tasks(self) -> Vec<BoxFuture<'static, ()>> {
        let Sources {
            clock,
            ingest,
            duties,
            ..
        } = self.sources.clone();
        let reconciler = Reconciler::new(
            self.api.clone(),
            self.accounts.clone(),
            self.sources.clone(),
        );
        let mut tasks = Vec::new();
        for (one, commands) in self.configured {
            let duty = duties.account(one.account.id_instance());
            let api = self.api.clone();
            if one.settings.receive == Receive::Pull {
                let (one, api, ingest) = (one.clone(), api.clone(), Arc::clone(&ingest));
                let pull = move || pull::run(one.clone(), api.clone(), Arc::clone(&ingest));
                tasks.push(during(&duty, pull));
            }
            let compare = {
                let (one, reconciler) = (one.clone(), reconciler.clone());
                let commands = Arc::new(Mutex::new(commands));
                move || {
                    let (one, reconciler) = (one.clone(), reconciler.clone());
                    let commands = Arc::clone(&commands);
                    async move { reconcile::run(one, reconciler, &commands).await }
                }
            };
            tasks.push(during(&duty, compare));
            // Only WhatsApp hides phone numbers behind another identifier.
            if one.settings.contacts && one.account.product() == Product::WhatsApp {
                let sources = self.sources.clone();
                tasks.push(contacts::run(one.clone(), api.clone(), sources).boxed());
            }
            tasks.push(forget_elsewhere(one.account.id_instance(), &duty, &self.accounts).boxed());
            if one.settings.watch_seconds > 0 {
                let (token, accounts) = (self.token.clone(), self.accounts.clone());
                let clock = clock.clone();
                let watch = move || {
                    let (one, api, token) = (one.clone(), api.clone(), token.clone());
                    watch::run(one, api, token, accounts.clone(), clock.clone())
                };
                tasks.push(during(&duty, watch));
            }
        }
        tasks
    }
}

/// Does the work of an account while this node has it.
fn during<W: Future<Output = ()> + Send + 'static>(
    duty: &Duty,
    work: impl FnMut() -> W + Send + 'static,
) -> BoxFuture<'static, ()> {
    let duty = duty.clone();
    async move { duty.during(work).await }.boxed()
}

/// Forgets what was seen of an account while another node has it.
fn forget_elsewhere(
    id_instance: i64,
    duty: &Duty,
    accounts: &Accounts,
) -> impl Future<Output = ()> + Send + 'static {
    let (duty, accounts) = (duty.clone(), accounts.clone());
    async move {
        if duty.is_alone() {
            return;
        }
        loop {
            accounts.change(id_instance, Account::forget);
            let term = duty.term().await;
            accounts.change(id_instance, |account| account.is_elsewhere = false);
            term.ended().await;
        }
    }
}
